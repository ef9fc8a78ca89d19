// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/array/fields.hpp>
#include <ndkeep/npz.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include <malloc.h>    // malloc_usable_size
#include <sys/stat.h>  // modes

namespace nk = ndkeep;

namespace {

std::atomic<std::size_t> held = 0;  // bytes
std::atomic<std::size_t> most_held = 0;

void* counted_allocation(std::size_t size) noexcept {
    void* const memory = std::malloc(size != 0 ? size : 1);
    const std::size_t now = held += ::malloc_usable_size(memory);
    for (std::size_t most = most_held; most < now && !most_held.compare_exchange_weak(most, now);) {
    }
    return memory;
}

void* counted_or_thrown(std::size_t size) {
    if (void* const memory = counted_allocation(size))
        return memory;
    throw std::bad_alloc();
}

void counted_free(void* memory) noexcept {
    held -= ::malloc_usable_size(memory);
    std::free(memory);
}

/// Bytes that a call holds at one time, beyond those that were held before it.
template <class Call>
std::size_t peak_of(Call&& call) {
    const std::size_t before = held;
    most_held = before;
    call();
    return most_held - before;
}

}  // namespace

void* operator new(std::size_t size) { return counted_or_thrown(size); }
void* operator new[](std::size_t size) { return counted_or_thrown(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted_allocation(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted_allocation(size); }
void operator delete(void* memory) noexcept { counted_free(memory); }
void operator delete[](void* memory) noexcept { counted_free(memory); }
void operator delete(void* memory, std::size_t) noexcept { counted_free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { counted_free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { counted_free(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { counted_free(memory); }

namespace npz_writer_tests {

namespace {

namespace fs = std::filesystem;
using strings = std::vector<std::string>;
using shape = std::vector<std::size_t>;
using matrix = xt::xtensor<double, 2>;
using column_matrix = xt::xtensor<double, 2, xt::layout_type::column_major>;
using milliseconds_since_1970 = std::chrono::sys_time<std::chrono::milliseconds>;

struct reading {
    std::int8_t station;
    double value;
    nk::fixed_string<3> unit;
};
NDKEEP_FIELDS(reading, station, value, unit);

const matrix six = {{1, 2, 3}, {4, 5, 6}};
const std::vector<std::int32_t> three = {7, 8, 9};

std::vector<std::byte> bytes_in(const fs::path& file) {
    const auto text = read_text(file);
    const auto all = std::as_bytes(std::span(text));
    return {all.begin(), all.end()};
}

nk::npz_member member_of(const fs::path& file, std::string_view name) {
    for (const auto& each : nk::inspect_npz(file))
        if (each.name == name)
            return each;
    throw std::runtime_error("no member " + std::string(name));
}

strings names_of(const fs::path& file) { return nk::npz_reader(file).names(); }

/// What an act is refused with, as "field: found, expected expected".
template <class Act>
std::string refusal(Act&& act) {
    const auto e = thrown<nk::mismatch_error>(act);
    return e.field() + ": " + e.found() + ", expected " + e.expected();
}

void flip_byte(const fs::path& file, std::uint64_t offset) {
    auto text = read_text(file);
    text.at(static_cast<std::size_t>(offset)) = static_cast<char>(~text.at(static_cast<std::size_t>(offset)));
    write_text(file, text);
}

/// Puts a comment behind an archive that has none.
void add_comment(const fs::path& file, const std::string& comment) {
    auto text = read_text(file);
    text[text.size() - 2] = static_cast<char>(comment.size() & 0xff);
    text[text.size() - 1] = static_cast<char>(comment.size() >> 8);
    write_text(file, text + comment);
}

std::string comment_of(const fs::path& file) { return nk::detail::archive(file, {}).directory().comment; }

/// Members of every kind there is, small ones and some beyond 3 MiB.
void save_all_kinds(const fs::path& file, const nk::npz_options& options) {
    const xt::xtensor<double, 1> large = xt::arange<double>(420'000);
    const column_matrix columns = xt::reshape_view(large, {600, 700});
    const matrix rows = columns;
    nk::npz_writer out(file, {.compress = options.compress, .sum = options.sum, .run = options.run});
    out.add("lazy", large * 2.0 + 1.0);
    out.add("in memory", large);
    out.add("columns", columns);
    out.add("strided", xt::view(rows, xt::all(), xt::range(0, 700, 2)));
    out.add("scalar", 42.5);
    out.add("empty", xt::xtensor<float, 3>(std::array<std::size_t, 3>{2, 0, 3}));
    out.add("structs", std::vector<reading>{{1, 1.5, "m"}, {2, 2.5, "km"}});
    out.add("text", std::vector<nk::fixed_string<4>>{"abc", "", "four"});
    out.add("flags", std::vector<bool>{true, false, true});
    out.add("times", std::vector{milliseconds_since_1970(std::chrono::milliseconds(1234))});
    out.add("halves", std::vector<nk::float16>{1.5f, -0.0f});
    out.add("complex", std::vector<std::complex<float>>{{1, -2}});
    out.add_bytes("raw", std::as_bytes(std::span(three)));
    out.add_text("notes.txt", "as measured");
    out.set_metadata(options.meta);
    out.commit();
}

void check_all_kinds(const nk::npz_reader& in) {
    const auto large = xt::arange<double>(420'000);
    CHECK((in.load<double, 1>("lazy") == large * 2.0 + 1.0));
    CHECK((in.load<double, 1>("in memory") == large));
    CHECK((in.load<double, 2>("columns") == xt::reshape_view(large, {600, 700})));
    CHECK(in.inspect("columns").column_major);
    const matrix rows = xt::reshape_view(large, {600, 700});
    CHECK((in.load<double, 2>("strided") == xt::view(rows, xt::all(), xt::range(0, 700, 2))));
    CHECK(in.load<double, 0>("scalar")() == 42.5);
    CHECK(in.load_any("empty").shape() == shape{2, 0, 3});
    const auto structs = in.load<reading, 1>("structs");
    CHECK(structs(1).value == 2.5);
    CHECK(structs(1).unit == "km");
    const auto text = in.load<nk::fixed_string<4>, 1>("text");
    CHECK(text(0) == "abc");
    CHECK(text(1) == "");
    CHECK(text(2) == "four");
    CHECK((in.load<bool, 1>("flags") == xt::xtensor<bool, 1>{true, false, true}));
    CHECK((in.load<milliseconds_since_1970, 1>("times")(0).time_since_epoch().count() == 1234));
    CHECK(static_cast<float>(in.load<nk::float16, 1>("halves")(0)) == 1.5f);
    CHECK((in.load<std::complex<float>, 1>("complex")(0) == std::complex<float>(1, -2)));
    const auto raw = std::as_bytes(std::span(three));
    CHECK(in.bytes("raw") == std::vector<std::byte>(raw.begin(), raw.end()));
    CHECK(in.text("notes.txt") == "as measured");
}

}  // namespace

// What is written ----------------------------------------------------------------------------------------------------

TEST_CASE("arrays of every kind come back from an archive as they were, stored and compressed", "[npz]") {
    const temp_dir dir;
    for (const bool compress : {false, true}) {
        CAPTURE(compress);
        save_all_kinds(dir / "a.npz", {.compress = compress});

        check_all_kinds(nk::npz_reader(dir / "a.npz"));
        CHECK(nk::findings_npz(dir / "a.npz").empty());
    }
}

TEST_CASE("an archive in memory is read as one in a file", "[npz]") {
    const temp_dir dir;
    for (const bool compress : {false, true}) {
        CAPTURE(compress);
        save_all_kinds(dir / "a.npz", {.compress = compress, .meta = {{"run", 7}}});
        const auto all = bytes_in(dir / "a.npz");
        const nk::npz_reader in(std::span<const std::byte>(all.data(), all.size()));

        check_all_kinds(in);
        CHECK(in.file().empty());
        CHECK(in.metadata() == nk::json{{"run", 7}});
        CHECK(in.names() == names_of(dir / "a.npz"));
    }
}

TEST_CASE("members are stored or compressed as the archive says, unless they say it themselves", "[npz]") {
    const temp_dir dir;
    nk::save_npz(dir / "s.npz", {{"a", six}, {"b", six, {.compress = true}}});
    nk::save_npz(dir / "c.npz", {{"a", six}, {"b", six, {.compress = false}}}, {.compress = true});

    CHECK(member_of(dir / "s.npz", "a").method == "stored");
    CHECK(member_of(dir / "s.npz", "b").method == "deflate");
    CHECK(member_of(dir / "c.npz", "a").method == "deflate");
    CHECK(member_of(dir / "c.npz", "b").method == "stored");
}

TEST_CASE("bytes and text are stored or compressed in the same way", "[npz]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz", {.compress = true});
    out.add_text("a.txt", std::string(1000, 'a'));
    out.add_text("b.txt", std::string(1000, 'b'), {.compress = false});
    out.commit();

    CHECK(member_of(dir / "a.npz", "a.txt").method == "deflate");
    CHECK(member_of(dir / "a.npz", "b.txt").method == "stored");
    CHECK(nk::npz_reader(dir / "a.npz").text("a.txt") == std::string(1000, 'a'));
    CHECK(nk::npz_reader(dir / "a.npz").text("b.txt") == std::string(1000, 'b'));
}

TEST_CASE("a member of no bytes is one, stored and compressed", "[npz]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    out.add_text("s", "");
    out.add_text("c", "", {.compress = true});
    out.add_text("d", "", {.compress = true});
    out.add_text("last", "text", {.compress = true});
    out.commit();

    const nk::npz_reader in(dir / "a.npz");
    for (const std::string name : {"s", "c", "d"})
        CHECK(in.bytes(name).empty());
    CHECK(in.text("last") == "text");
    CHECK(nk::findings_npz(dir / "a.npz").empty());
}

TEST_CASE("a higher level makes smaller archives, and 0 larger ones than the data", "[npz]") {
    const temp_dir dir;
    const auto waves = xt::floor(xt::sin(xt::arange<double>(50'000) * 0.01) * 1000.0);
    const auto size_at = [&](nk::compression level) {
        nk::save_npz(dir / "a.npz", {{"a", waves}}, {.compress = level});
        CHECK((nk::npz_reader(dir / "a.npz").load<double, 1>("a") == waves));
        return member_of(dir / "a.npz", "a").compressed_nbytes;
    };

    CHECK(size_at(nk::deflate_level(0)) > 400'000);
    CHECK(size_at(nk::deflate_level(1)) < 400'000);
    CHECK(size_at(nk::deflate_level(9)) < size_at(nk::deflate_level(1)));
    CHECK(size_at(true) == size_at(nk::deflate_level(6)));
}

TEST_CASE("there are no other levels than 0 to 9", "[npz][error]") {
    for (const int level : {-1, 10}) {
        const auto e = thrown<nk::mismatch_error>([&] { (void)nk::deflate_level(level); });
        CHECK(e.field() == "deflate level");
        CHECK(e.found() == std::to_string(level));
    }
}

TEST_CASE("members stand in the order in which they were added", "[npz]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    for (const std::string name : {"z", "a", "m"})
        out.add(name, six, {.compress = name == "a"});
    out.add_text("b.txt", "text");
    out.commit();

    CHECK(names_of(dir / "a.npz") == strings{"z", "a", "m", "b.txt"});
    const auto members = nk::inspect_npz(dir / "a.npz");
    for (std::size_t i = 1; i < members.size(); ++i)
        CHECK(members[i].offset > members[i - 1].offset);
}

TEST_CASE("an archive of no members is one", "[npz]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", std::vector<nk::npz_item>());

    CHECK(names_of(dir / "a.npz").empty());
    CHECK(fs::file_size(dir / "a.npz") == 22);
    CHECK(nk::findings_npz(dir / "a.npz").empty());
    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::npz_reader(dir / "a.npz").load<double>("a"); });
    CHECK(e.expected() == "a member, but there are none");
}

TEST_CASE("equal input makes equal bytes, with any number of threads", "[npz]") {
    const temp_dir dir;
    for (const bool compress : {false, true}) {
        CAPTURE(compress);
        const auto saved_with = [&](unsigned threads) {
            save_all_kinds(
                dir / "a.npz",
                {.compress = compress, .meta = {{"run", 7}}, .sum = nk::checksum::crc32c, .run = {.threads = threads}});
            return read_text(dir / "a.npz");
        };
        const auto with_one = saved_with(1);

        CHECK((saved_with(1) == with_one));
        CHECK((saved_with(4) == with_one));
        CHECK((saved_with(3) == with_one));
    }
}

TEST_CASE("members bear the date that NumPy gives them, whatever the day", "[npz]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}});

    CHECK(read_text(dir / "a.npz").substr(10, 4) == std::string("\0\0\x21\0", 4));
}

TEST_CASE("the data of every stored member lies on a 64-byte boundary", "[npz]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    for (std::size_t length = 1; length <= 130; ++length) {
        out.add(std::string(length, 'n'), std::vector<std::uint8_t>(length));
        if (length % 7 == 0)
            out.add_text(std::string(length, 't'), std::string(length, '.'), {.compress = length % 2 == 0});
    }
    out.commit();

    std::size_t arrays = 0;
    for (const auto& member : nk::inspect_npz(dir / "a.npz")) {
        CAPTURE(member.name, member.offset);
        if (!member.array)
            continue;
        ++arrays;
        CHECK(member.offset % 64 == 0);
        CHECK(member.mappable);
    }
    CHECK(arrays == 130);
}

TEST_CASE("a member has the bytes of the file that save writes", "[npz]") {
    const temp_dir dir;
    const auto header = nk::header_bytes({.type = nk::dtype_of<std::int32_t>(), .shape = {3}});
    nk::save_npz(dir / "a.npz", {{"a", three}});

    CHECK(nk::npz_reader(dir / "a.npz").text("a") ==
          header + std::string(reinterpret_cast<const char*>(three.data()), 12));
}

TEST_CASE("the padding of structs is zeros in an archive", "[npz]") {
    const temp_dir dir;
    std::vector<reading> readings(2);
    std::fill_n(reinterpret_cast<unsigned char*>(readings.data()), 2 * sizeof(reading),
                static_cast<unsigned char>(0xee));
    for (auto& each : readings) {
        each.station = 1;
        each.value = 2;
        each.unit = "m";
    }
    for (const bool compress : {false, true}) {
        nk::save_npz(dir / "a.npz", {{"a", readings}}, {.compress = compress});

        CHECK(nk::npz_reader(dir / "a.npz").text("a").find('\xee') == std::string::npos);
    }
}

TEST_CASE("a lazy expression is written without a temporary of the whole", "[npz]") {
    const temp_dir dir;
    const matrix rows = xt::ones<double>({2000, 2000});  // 32 MB
    const auto lazy = rows * 1.8 + 32.0;
    constexpr std::size_t mib = std::size_t{1} << 20;

    CHECK(peak_of([&] { nk::save_npz(dir / "s.npz", {{"a", lazy}}); }) < 2 * mib);
    CHECK(peak_of([&] {
              nk::save_npz(dir / "c.npz", {{"a", lazy}}, {.compress = true, .run = {.threads = 1}});
          }) < 14 * mib);
    CHECK((nk::npz_reader(dir / "c.npz").load<double, 2>("a") == lazy));
}

TEST_CASE("an array in memory is written without a copy of the whole", "[npz]") {
    const temp_dir dir;
    const matrix rows = xt::ones<double>({1000, 2000});
    constexpr std::size_t mib = std::size_t{1} << 20;

    CHECK(peak_of([&] { nk::save_npz(dir / "s.npz", {{"a", rows}}); }) < mib);
    CHECK(peak_of([&] {
              nk::save_npz(dir / "c.npz", {{"a", rows}}, {.compress = true, .run = {.threads = 1}});
          }) < 8 * mib);
}

TEST_CASE("a stored array is loaded into its place", "[npz]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", xt::ones<double>({1000, 2000})}});
    const nk::npz_reader in(dir / "a.npz");
    constexpr std::size_t mib = std::size_t{1} << 20;

    CHECK(peak_of([&] { (void)in.load<double, 2>("a"); }) < 21 * mib);
}

TEST_CASE("temporary arrays are kept until save_npz has written them", "[npz]") {
    const temp_dir dir;
    std::vector<nk::npz_item> items;
    for (int i = 0; i < 3; ++i)
        items.emplace_back("a" + std::to_string(i), xt::xtensor<int, 1>{i, i + 1});

    nk::save_npz(dir / "a.npz", items);

    CHECK(nk::npz_reader(dir / "a.npz").load<int, 1>("a2")(1) == 3);
}

// Maps ---------------------------------------------------------------------------------------------------------------

TEST_CASE("a stored member is mapped where it lies", "[npz][map]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz",
                 {{"a", six}, {"b", three}, {"structs", std::vector<reading>{{1, 1.5, "m"}}}, {"s", 2.5}});
    const nk::npz_reader in(dir / "a.npz");

    const nk::mapped<const double, 2> a = in.map<double, 2>("a");
    const auto b = in.map<std::int32_t>("b", nk::read_only);
    CHECK((a == six));
    CHECK((b == xt::xtensor<std::int32_t, 1>{7, 8, 9}));
    CHECK(in.map<reading, 1>("structs")(0).value == 1.5);
    CHECK(in.map<double, 0>("s")() == 2.5);
}

TEST_CASE("a map outlives its reader", "[npz][map]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}});

    const auto a = nk::npz_reader(dir / "a.npz").map<double, 2>("a");
    fs::remove(dir / "a.npz");

    CHECK((a == six));
}

TEST_CASE("a map of nothing is empty", "[npz][map]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", xt::xtensor<double, 2>(std::array<std::size_t, 2>{0, 3})}});

    CHECK(nk::npz_reader(dir / "a.npz").map<double, 2>("a").size() == 0);
}

TEST_CASE("a column-major member is mapped with the tag, and refused without", "[npz][map][error]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", column_matrix(six)}});
    const nk::npz_reader in(dir / "a.npz");

    CHECK((in.map<double, 2>("a", nk::column_major) == six));
    const auto e = thrown<nk::mismatch_error>([&] { (void)in.map<double, 2>("a"); });
    CHECK(e.field() == "member 'a': order");
    CHECK(e.hint() == "map with the tag column_major");
}

TEST_CASE("stores into a copy_on_write map stay out of the file", "[npz][map]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}, {"c", column_matrix(six)}});
    const auto before = read_text(dir / "a.npz");
    const nk::npz_reader in(dir / "a.npz");

    auto a = in.map<double, 2>("a", nk::copy_on_write);
    auto c = in.map<double, 2>("c", nk::copy_on_write, nk::column_major);
    a(1, 2) = 60;
    c(0, 1) = 20;

    CHECK(a(1, 2) == 60);
    CHECK(c(0, 1) == 20);
    CHECK((in.load<double, 2>("a") == six));
    CHECK((read_text(dir / "a.npz") == before));
}

TEST_CASE("an archive in memory is mapped without a copy, and stores stay out of it", "[npz][map]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}});
    const auto text = read_text(dir / "a.npz");
    std::vector<std::max_align_t> room(text.size() / sizeof(std::max_align_t) + 1);
    auto* const begin = reinterpret_cast<std::byte*>(room.data());
    std::memcpy(begin, text.data(), text.size());
    const nk::npz_reader in(std::span<const std::byte>(begin, text.size()));

    const auto read = in.map<double, 2>("a");
    auto changed = in.map<double, 2>("a", nk::copy_on_write);
    changed(0, 0) = 10;

    CHECK((read == six));
    CHECK(reinterpret_cast<const std::byte*>(read.data()) == begin + member_of(dir / "a.npz", "a").offset);
    CHECK(changed(0, 0) == 10);
    CHECK((std::string(reinterpret_cast<const char*>(begin), text.size()) == text));
}

TEST_CASE("an archive that lies askew in memory is loaded and not mapped", "[npz][map][error]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}});
    const auto text = ' ' + read_text(dir / "a.npz");
    std::vector<std::max_align_t> room(text.size() / sizeof(std::max_align_t) + 1);
    auto* const begin = reinterpret_cast<std::byte*>(room.data());
    std::memcpy(begin, text.data(), text.size());
    const nk::npz_reader in(std::span<const std::byte>(begin + 1, text.size() - 1));

    CHECK((in.load<double, 2>("a") == six));
    const auto e = thrown<nk::mismatch_error>([&] { (void)in.map<double, 2>("a"); });
    CHECK(e.field() == "member 'a': data offset");
    CHECK(e.expected() == "a multiple of 8 bytes");
    CHECK(e.hint() == "load copies it; archives that ndkeep writes are aligned");
}

TEST_CASE("a compressed member is not mapped", "[npz][map][error]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}}, {.compress = true});

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::npz_reader(dir / "a.npz").map<double>("a"); });

    CHECK(e.file() == dir / "a.npz");
    CHECK(e.field() == "member 'a': storage");
    CHECK(e.expected() == "stored");
    CHECK(e.found() == "deflate");
    CHECK(e.hint() == "load expands it; what is saved without .compress maps");
}

TEST_CASE("a member of another byte order is not mapped", "[npz][map][error]") {
    const temp_dir dir;
    const std::vector<std::byte> data(16);
    nk::save_npz(dir / "a.npz", {{"a", nk::array_view(nk::dtype::parse(">f8"), {2}, data.data())}});

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::npz_reader(dir / "a.npz").map<double>("a"); });

    CHECK(e.field() == "member 'a': dtype");
    CHECK(e.expected() == "this machine's byte order");
    CHECK(e.hint() == "load swaps the bytes");
}

TEST_CASE("load and map refuse another dtype or rank, and name the member", "[npz][error]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}});
    const nk::npz_reader in(dir / "a.npz");

    CHECK(thrown<nk::mismatch_error>([&] { (void)in.load<float>("a"); }).field() == "member 'a': dtype");
    CHECK(thrown<nk::mismatch_error>([&] { (void)in.map<float>("a"); }).field() == "member 'a': dtype");
    CHECK(thrown<nk::mismatch_error>([&] { (void)in.load<double, 3>("a"); }).field().starts_with("member 'a': "));
    CHECK(thrown<nk::mismatch_error>([&] { (void)in.map<double, 3>("a"); }).field().starts_with("member 'a': "));
}

TEST_CASE("load gives the order that is asked for", "[npz]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}, {"c", column_matrix(six)}}, {.compress = true});
    const nk::npz_reader in(dir / "a.npz");

    const column_matrix a = in.load<double, 2>("a", nk::column_major);
    CHECK((a == six));
    CHECK((in.load<double, 2>("c", nk::row_major) == six));
}

TEST_CASE("a member that is not there is refused with those that are", "[npz][error]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}, {"b", six}});
    const nk::npz_reader in(dir / "a.npz");

    CHECK(!in.contains("c"));
    CHECK(in.contains("a"));
    CHECK(in.contains("a.npy"));
    CHECK(refusal([&] { (void)in.load_any("c"); }) == "member 'c': missing, expected one of 'a', 'b'");
    CHECK(refusal([&] { (void)in.bytes("c"); }) == "member 'c': missing, expected one of 'a', 'b'");
}

// Names --------------------------------------------------------------------------------------------------------------

TEST_CASE("members have any name in UTF-8, empty ones and paths among them", "[npz]") {
    const temp_dir dir;
    const strings names = {"größe", "整形/😀", "", "a/b/c", "../up", "a.npy", "with space\n", std::string(65'531, 'n')};
    nk::npz_writer out(dir / "a.npz");
    for (std::size_t i = 0; i < names.size(); ++i)
        out.add(names[i], static_cast<double>(i));
    out.commit();

    const nk::npz_reader in(dir / "a.npz");
    CHECK((in.names() == names));
    for (std::size_t i = 0; i < names.size(); ++i)
        CHECK(in.load<double, 0>(names[i])() == static_cast<double>(i));
    CHECK(nk::findings_npz(dir / "a.npz").empty());
}

TEST_CASE("names that zip cannot hold are refused, and the writer goes on", "[npz][error]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    const auto refused = [&](std::string_view name) { return refusal([&] { out.add(name, six); }); };

    CHECK(refused(std::string_view("a\0b", 3)) == "member 'a\\x00b.npy': one with, expected a name without zero bytes");
    CHECK(refused("\xff") == R"(member '\xff.npy': another encoding, expected a name in UTF-8)");
    CHECK(refused(std::string(65'532, 'n')).ends_with("65536 bytes, expected a name of at most 65535 bytes"));
    out.add("a", six);
    out.commit();

    CHECK(names_of(dir / "a.npz") == strings{"a"});
}

TEST_CASE("a name that is there already is refused, and the first one stays", "[npz][error]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    out.add("a", six);

    CHECK(refusal([&] { out.add("a", three); }) == "member 'a.npy': added twice, expected each name once");
    CHECK(refusal([&] { out.add_text("a.npy", "text"); }) == "member 'a.npy': added twice, expected each name once");
    out.add_text("a", "not the same name");
    out.commit();

    CHECK((nk::npz_reader(dir / "a.npz").load<double, 2>("a.npy") == six));
    CHECK_THROWS_AS(nk::save_npz(dir / "b.npz", {{"a", six}, {"a", six}}), nk::mismatch_error);
    CHECK(!fs::exists(dir / "b.npz"));
}

// Metadata and sums --------------------------------------------------------------------------------------------------

TEST_CASE("metadata is kept beside the arrays, and is none of them", "[npz][metadata]") {
    const temp_dir dir;
    const nk::json meta = {{"run", 7}, {"units", {"kelvin", "größe"}}, {"nested", {{"x", nullptr}, {"y", 1.5}}}};
    nk::save_npz(dir / "a.npz", {{"a", six}}, {.compress = true, .meta = meta});
    const nk::npz_reader in(dir / "a.npz");

    CHECK(in.metadata() == meta);
    CHECK(in.names() == strings{"a"});
    CHECK(nk::json::parse(in.text("metadata.json")) == meta);
    CHECK(member_of(dir / "a.npz", "metadata.json").method == "stored");
}

TEST_CASE("without metadata there is none, and {} is read", "[npz][metadata]") {
    const temp_dir dir;
    for (const auto& none : {nk::json(nullptr), nk::json::object()}) {
        nk::save_npz(dir / "a.npz", {{"a", six}}, {.meta = none});

        CHECK(nk::inspect_npz(dir / "a.npz").size() == 1);
        CHECK(nk::npz_reader(dir / "a.npz").metadata() == nk::json::object());
    }
}

TEST_CASE("metadata that is no object is refused before anything is written", "[npz][metadata][error]") {
    const temp_dir dir;
    for (const auto& meta : {nk::json(7), nk::json("text"), nk::json::array({1, 2}), nk::json(false)}) {
        const auto e = thrown<nk::mismatch_error>([&] { nk::save_npz(dir / "a.npz", {{"a", six}}, {.meta = meta}); });
        CHECK(e.field() == "metadata");
        CHECK(e.expected() == "an object");
        CHECK(e.found() == std::string("of type ") + meta.type_name());
    }
    CHECK(refusal([&] {
              nk::save_npz(dir / "a.npz", {{"a", six}}, {.meta = {{"ndkeep", 1}}});
          }) == "metadata: an object with it, expected other keys than 'ndkeep'");
    CHECK(dir.files() == 0);
}

TEST_CASE("a refused metadata leaves the writer and what was set before", "[npz][metadata][error]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    out.set_metadata({{"run", 7}});

    CHECK_THROWS_AS(out.set_metadata(nk::json(7)), nk::mismatch_error);
    out.commit();

    CHECK(nk::npz_reader(dir / "a.npz").metadata() == nk::json{{"run", 7}});
}

TEST_CASE("a metadata.json that is no object is an error that names it", "[npz][metadata][error]") {
    const temp_dir dir;
    for (const std::string text : {"[1, 2]", "{", ""}) {
        CAPTURE(text);
        nk::npz_writer out(dir / "a.npz");
        out.add("a", six);
        out.add_text("metadata.json", text);
        out.commit();
        const nk::npz_reader in(dir / "a.npz");

        const auto e = thrown<nk::format_error>([&] { (void)in.metadata(); });
        CHECK(e.field().starts_with("member 'metadata.json'"));
        CHECK((in.load<double, 2>("a") == six));
        CHECK(nk::findings_npz(dir / "a.npz").size() == 1);
    }
}

TEST_CASE("sums are of the data of each array, and are no metadata of the user's", "[npz][sum]") {
    const temp_dir dir;
    const auto data = std::as_bytes(std::span(three));
    for (const bool compress : {false, true}) {
        nk::npz_writer out(dir / "a.npz", {.compress = compress,
                                           .sum = nk::checksum::crc32 | nk::checksum::crc32c | nk::checksum::md5});
        out.add("a", three);
        out.add_text("notes.txt", "text");
        out.commit();
        const nk::npz_reader in(dir / "a.npz");

        CHECK(in.metadata() == nk::json::object());
        const auto said = nk::json::parse(in.text("metadata.json")).at("ndkeep").at("checksums");
        CHECK(said.size() == 1);
        CHECK(said.at("a").size() == 3);
        nk::running_checksums sums(nk::checksum::crc32 | nk::checksum::crc32c | nk::checksum::md5);
        sums.update(data);
        for (const auto& [kind, sum] : sums.values())
            CHECK(said.at("a").at(kind) == sum);
        CHECK(nk::findings_npz(dir / "a.npz").empty());
    }
}

TEST_CASE("a change that CRC-32 was made to fit is found by the sum alone", "[npz][sum][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    for (const auto kind : {nk::checksum::crc32, nk::checksum::crc32c, nk::checksum::md5}) {
        nk::save_npz(file, {{"a", six}, {"b", six + 1.0}}, {.sum = kind});
        const auto crc_text = [&] {
            const auto crc = nk::crc32(nk::npz_reader(file).bytes("a"));
            return std::string(reinterpret_cast<const char*>(&crc), sizeof crc);
        };
        const auto old_crc = crc_text();
        const auto offset = static_cast<std::size_t>(member_of(file, "a").offset);
        auto text = read_text(file);
        text[offset + 6] = static_cast<char>(text[offset + 6] ^ 1);
        const auto member_begin = offset - 128;
        const auto crc = nk::crc32(std::as_bytes(std::span(text)).subspan(member_begin, 128 + 48));
        const std::string new_crc(reinterpret_cast<const char*>(&crc), sizeof crc);
        int repaired = 0;
        for (auto at = text.find(old_crc); at != std::string::npos; at = text.find(old_crc, at + 4), ++repaired)
            text.replace(at, 4, new_crc);
        REQUIRE(repaired == 2);  // in the local header and in the directory
        write_text(file, text);

        CHECK_NOTHROW(nk::npz_reader(file).load<double>("a"));
        const auto found = nk::findings_npz(file);
        REQUIRE(found.size() == 1);
        CHECK(found[0].field.starts_with("member 'a': "));
        CHECK_THROWS_AS(nk::verify_npz(file), nk::checksum_error);
    }
}

TEST_CASE("a member that the metadata has a sum of, and is gone, is found", "[npz][sum][error]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    out.add("a", six);
    out.add_text("metadata.json", R"({"ndkeep": {"checksums": {"b": {"crc32": "00000000"}}}})");
    out.commit();

    const auto found = nk::findings_npz(dir / "a.npz");
    REQUIRE(found.size() == 1);
    CHECK(found[0].field == "member 'b'");
    CHECK(found[0].found == "missing");
}

// The life of a writer -----------------------------------------------------------------------------------------------

TEST_CASE("nothing appears before commit, and the old archive stays", "[npz]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    for (int round = 0; round < 2; ++round) {
        const bool there = fs::exists(file);
        const auto before = read_text(file);
        nk::npz_writer out(file);
        out.add("a", six + static_cast<double>(round));
        CHECK(fs::exists(file) == there);
        CHECK((read_text(file) == before));
        out.commit();
        CHECK(nk::npz_reader(file).load<double, 2>("a")(0, 0) == 1 + round);
        CHECK(dir.files() == 1);
    }
}

TEST_CASE("a writer that is destroyed without commit leaves nothing", "[npz]") {
    const temp_dir dir;
    {
        nk::npz_writer out(dir / "a.npz", {.compress = true});
        out.add("a", xt::arange<double>(500'000));
        out.set_metadata({{"run", 7}});
    }
    CHECK(dir.files() == 0);

    nk::save_npz(dir / "a.npz", {{"a", six}});
    const auto before = read_text(dir / "a.npz");
    for (const bool append : {false, true}) {
        nk::npz_writer out(dir / "a.npz", {.append = append});
        out.add("b", six);
    }
    CHECK(dir.files() == 1);
    CHECK((read_text(dir / "a.npz") == before));
}

TEST_CASE("after commit the writer is done", "[npz][error]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    out.add("a", six);
    out.commit();
    const auto committed = read_text(dir / "a.npz");
    const std::string refused = "archive: committed, expected still being written";

    CHECK(refusal([&] { out.add("b", six); }) == refused);
    CHECK(refusal([&] { out.add_text("b", "text"); }) == refused);
    CHECK(refusal([&] { out.set_metadata({{"run", 7}}); }) == refused);
    CHECK(refusal([&] { out.commit(); }) == refused);
    CHECK((read_text(dir / "a.npz") == committed));
}

TEST_CASE("a writer that failed to write a member can only be destroyed", "[npz][error]") {
    const temp_dir dir;
    {
        nk::npz_writer out(dir / "a.npz");
        out.add("a", six);
        const nk::array_view bad(nk::dtype_of<double>(), {1000}, [](std::size_t, std::size_t, std::byte*) {
            throw std::runtime_error("no more values");
        });
        CHECK_THROWS_AS(out.add("b", bad), std::runtime_error);

        CHECK_THROWS_AS(out.add("c", six), nk::mismatch_error);
        CHECK(refusal([&] { out.commit(); }) ==
              "archive: one of which a part could not be written, expected still being written");
    }
    CHECK(dir.files() == 0);
}

TEST_CASE("save_npz follows symbolic links and keeps the mode of what it replaces", "[npz]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}});
    REQUIRE(::chmod((dir / "a.npz").c_str(), 0640) == 0);
    fs::create_symlink("a.npz", dir / "link.npz");
    const auto mode = [&] {
        struct stat status = {};
        REQUIRE(::stat((dir / "a.npz").c_str(), &status) == 0);
        return status.st_mode & 07777;
    };

    nk::save_npz(dir / "link.npz", {{"a", six}, {"b", six}});
    CHECK(mode() == 0640);
    nk::npz_writer out(dir / "link.npz", {.append = true});
    out.add("c", six);
    out.commit();

    CHECK(mode() == 0640);
    CHECK(fs::is_symlink(dir / "link.npz"));
    CHECK(names_of(dir / "a.npz") == strings{"a", "b", "c"});
    CHECK(dir.files() == 2);
}

TEST_CASE("a folder that is not there is an io_error", "[npz][error]") {
    const temp_dir dir;

    CHECK_THROWS_AS(nk::save_npz(dir / "none/a.npz", {{"a", six}}), nk::io_error);
    CHECK_THROWS_AS(nk::npz_reader(dir / "a.npz"), nk::io_error);
    CHECK_THROWS_AS(nk::npz_reader(dir.path()), nk::io_error);
    CHECK(dir.files() == 0);
}

// Appending ----------------------------------------------------------------------------------------------------------

TEST_CASE("an append adds members behind the others, which stay as they are", "[npz][append]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}, {"b", xt::arange<double>(420'000), {.compress = true}}},
                 {.meta = {{"run", 7}}, .sum = nk::checksum::crc32c});
    const auto old_b = nk::inspect_npz(file)[1];
    const auto old = read_text(file);

    nk::npz_writer out(file, {.append = true});
    out.add("c", three);
    out.add("d", three, {.compress = true});
    out.commit();

    const nk::npz_reader in(file);
    CHECK(in.names() == strings{"a", "b", "c", "d"});
    CHECK((in.load<double, 2>("a") == six));
    CHECK((in.load<double, 1>("b") == xt::arange<double>(420'000)));
    CHECK(in.load<std::int32_t, 1>("d")(2) == 9);
    CHECK(in.metadata() == nk::json{{"run", 7}});
    CHECK(nk::findings_npz(file).empty());
    const auto new_b = member_of(file, "b");
    const auto length = static_cast<std::size_t>(old_b.compressed_nbytes);
    CHECK(new_b.compressed_nbytes == old_b.compressed_nbytes);
    CHECK((read_text(file).substr(static_cast<std::size_t>(new_b.offset), length) ==
           old.substr(static_cast<std::size_t>(old_b.offset), length)));
    for (const auto& member : nk::inspect_npz(file))
        if (member.array && member.method == "stored")
            CHECK(member.offset % 64 == 0);
}

TEST_CASE("an append to nothing is a plain archive", "[npz][append]") {
    const temp_dir dir;
    for (const std::string name : {"new.npz", "reserved.npz"}) {
        if (name == "reserved.npz")
            write_text(dir / name, "");
        nk::npz_writer out(dir / name, {.append = true, .sum = nk::checksum::md5});
        out.add("a", six);
        out.commit();
    }
    nk::save_npz(dir / "plain.npz", {{"a", six}}, {.sum = nk::checksum::md5});

    CHECK((read_text(dir / "new.npz") == read_text(dir / "plain.npz")));
    CHECK((read_text(dir / "reserved.npz") == read_text(dir / "plain.npz")));
}

TEST_CASE("a member that is appended again is replaced in its place, with its sum", "[npz][append]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}, {"b", six}, {"c", six}}, {.sum = nk::checksum::crc32c});

    nk::npz_writer out(file, {.append = true});
    out.add("d", three);
    out.add("b", three);
    out.commit();

    const nk::npz_reader in(file);
    CHECK(in.names() == strings{"a", "b", "c", "d"});
    CHECK(in.load<std::int32_t, 1>("b")(1) == 8);
    CHECK(nk::inspect_npz(file).size() == 5);
    CHECK(nk::findings_npz(file).empty());
    const auto sums = nk::json::parse(in.text("metadata.json")).at("ndkeep").at("checksums");
    CHECK(sums.contains("a"));
    CHECK(!sums.contains("b"));
}

TEST_CASE("replacing all members frees their room", "[npz][append]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", xt::ones<double>({10'000})}});
    const auto size = fs::file_size(file);

    for (int i = 0; i < 3; ++i) {
        nk::npz_writer out(file, {.append = true});
        out.add("a", xt::ones<double>({10'000}) * static_cast<double>(i));
        out.commit();
    }

    CHECK(fs::file_size(file) == size);
}

TEST_CASE("an append without a new member gives the same archive again", "[npz][append]") {
    const temp_dir dir;
    save_all_kinds(dir / "a.npz", {.meta = {{"run", 7}}, .sum = nk::checksum::crc32});
    const auto before = read_text(dir / "a.npz");

    nk::npz_writer(dir / "a.npz", {.append = true}).commit();

    CHECK((read_text(dir / "a.npz") == before));
}

TEST_CASE("an append keeps metadata, replaces it and takes it away", "[npz][append][metadata]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}}, {.meta = {{"run", 7}}});
    const auto append = [&](const nk::json& meta) {
        nk::npz_writer out(file, {.append = true});
        out.set_metadata(meta);
        out.commit();
        return nk::npz_reader(file).metadata();
    };

    CHECK(append({{"run", 8}}) == nk::json{{"run", 8}});
    CHECK(names_of(file) == strings{"a"});
    CHECK(append(nullptr) == nk::json::object());
    CHECK(!nk::npz_reader(file).contains("metadata.json"));
    CHECK(append({{"run", 9}}) == nk::json{{"run", 9}});
    CHECK(append(nk::json::object()) == nk::json::object());
}

TEST_CASE("new metadata in an append keeps the sums of the members that stay", "[npz][append][metadata][sum]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}}, {.meta = {{"run", 7}}, .sum = nk::checksum::crc32c});

    nk::npz_writer out(file, {.append = true, .sum = nk::checksum::md5});
    out.add("b", three);
    out.set_metadata(nullptr);
    out.commit();

    const auto said = nk::json::parse(nk::npz_reader(file).text("metadata.json"));
    CHECK(said.size() == 1);
    CHECK(said.at("ndkeep").at("checksums").at("a").contains("crc32c"));
    CHECK(said.at("ndkeep").at("checksums").at("b").contains("md5"));
    CHECK(nk::findings_npz(file).empty());
}

TEST_CASE("a metadata.json of somebody else is left alone by an append without metadata", "[npz][append][metadata]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    {
        nk::npz_writer out(file);
        out.add("a", six);
        out.add_text("metadata.json", "[1, 2]");
        out.commit();
    }
    nk::npz_writer out(file, {.append = true});
    out.add("a", three);
    out.commit();

    CHECK(nk::npz_reader(file).text("metadata.json") == "[1, 2]");
    CHECK(nk::npz_reader(file).load<std::int32_t, 1>("a")(0) == 7);
    nk::npz_writer other(file, {.append = true});
    other.set_metadata({{"run", 7}});
    CHECK_THROWS_AS(other.commit(), nk::format_error);
}

TEST_CASE("an append keeps the comment of the archive", "[npz][append]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}});
    add_comment(file, std::string(60'000, '#'));
    REQUIRE(comment_of(file).size() == 60'000);

    for (int round = 0; round < 2; ++round) {
        nk::npz_writer out(file, {.append = true});
        out.add("b", three);
        out.commit();
    }

    CHECK((comment_of(file) == std::string(60'000, '#')));
    CHECK(names_of(file) == strings{"a", "b"});
}

TEST_CASE("an append keeps what stands before the archive, and so does the next one", "[npz][append]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    const std::string program = "#!/bin/sh\necho data\nexit\n";
    nk::save_npz(file, {{"a", six}});
    write_text(file, program + read_text(file));

    for (int round = 0; round < 3; ++round) {
        CAPTURE(round);
        nk::npz_writer out(file, {.append = true});
        out.add("b" + std::to_string(round), three);
        out.commit();

        CHECK(read_text(file).starts_with(program));
        CHECK((nk::npz_reader(file).load<double, 2>("a") == six));
        CHECK((nk::npz_reader(file).map<double, 2>("a") == six));
        CHECK(nk::findings_npz(file).empty());
    }
    CHECK(names_of(file) == strings{"a", "b0", "b1", "b2"});
}

TEST_CASE("an append to what is no archive is refused and changes nothing", "[npz][append][error]") {
    const temp_dir dir;
    write_text(dir / "a.npz", "not an archive");

    CHECK_THROWS_AS(nk::npz_writer(dir / "a.npz", {.append = true}), nk::format_error);
    CHECK(read_text(dir / "a.npz") == "not an archive");
    CHECK(dir.files() == 1);
}

TEST_CASE("an append keeps a damaged member as it is, for verify_npz to find", "[npz][append]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}, {"b", six}});
    flip_byte(file, member_of(file, "a").offset);

    nk::npz_writer out(file, {.append = true});
    out.add("c", six);
    out.commit();

    CHECK_THROWS_AS(nk::npz_reader(file).load<double>("a"), nk::checksum_error);
    CHECK((nk::npz_reader(file).load<double, 2>("b") == six));
    CHECK(nk::findings_npz(file).size() == 1);
}

TEST_CASE("an append to an archive with an encrypted member is refused and changes nothing", "[npz][append][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}, {"b", six}});
    auto text = read_text(file);
    text[text.find("PK\1\2") + 8] |= 1;
    write_text(file, text);

    const auto e = thrown<nk::format_error>([&] { nk::npz_writer(file, {.append = true}); });

    CHECK(e.field() == "member 'a.npy'");
    CHECK(e.found() == "encrypted");
    CHECK((read_text(file) == text));
}

TEST_CASE("an appended text that is called as an array, but for its suffix, leaves the sum of the array",
          "[npz][append][sum]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}}, {.sum = nk::checksum::crc32c});

    nk::npz_writer out(file, {.append = true});
    out.add_text("a", "about the array");
    out.set_metadata({{"run", 7}});
    out.commit();

    const nk::npz_reader in(file);
    CHECK(in.text("a") == "about the array");
    CHECK((in.load<double, 2>("a.npy") == six));
    const auto said = nk::json::parse(in.text("metadata.json"));
    REQUIRE(said.contains("ndkeep"));
    CHECK(said.at("ndkeep").at("checksums").contains("a"));
}

TEST_CASE("the sum of an array is not that of a text called as it is, but for its suffix", "[npz][verify][sum]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz", {.sum = nk::checksum::crc32c});
    out.add("a", six);
    out.add_text("a", "about the array");
    out.commit();

    CHECK(nk::findings_npz(dir / "a.npz").empty());
}

// Inspecting and verifying -------------------------------------------------------------------------------------------

TEST_CASE("findings_npz names every bad member, and those only", "[npz][verify][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    for (const bool compress : {false, true}) {
        CAPTURE(compress);
        nk::save_npz(file, {{"a", six}, {"b", six}, {"c", six}, {"d", six}}, {.compress = compress});
        flip_byte(file, member_of(file, "b").offset + 20);
        flip_byte(file, member_of(file, "d").offset + 20);

        for (const unsigned threads : {1U, 4U}) {
            std::vector<std::string> fields;
            for (const auto& each : nk::findings_npz(file, {.run = {.threads = threads}})) {
                CHECK(each.file == file);
                fields.push_back(each.field.substr(0, std::string_view("member 'b").size()));
            }
            fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
            CHECK(fields == strings{"member 'b", "member 'd"});
        }
        CHECK_THROWS_AS(nk::verify_npz(file), nk::error);
    }
}

TEST_CASE("a changed byte of the data is a checksum_error of load, load_any, bytes and verify_npz", "[npz][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}});
    flip_byte(file, member_of(file, "a").offset);
    const nk::npz_reader in(file);

    const auto e = thrown<nk::checksum_error>([&] { (void)in.load<double>("a"); });
    CHECK(e.field() == "member 'a': crc32");
    CHECK(e.file() == file);
    CHECK_THROWS_AS(in.load_any("a"), nk::checksum_error);
    CHECK_THROWS_AS(in.bytes("a"), nk::checksum_error);
    CHECK_THROWS_AS(nk::verify_npz(file), nk::checksum_error);
    CHECK_NOTHROW(in.map<double>("a"));
}

TEST_CASE("a large compressed member is verified without being expanded as a whole", "[npz][verify]") {
    const temp_dir dir;
    constexpr std::size_t mib = std::size_t{1} << 20;
    const nk::array_view zeros(nk::dtype_of<std::uint8_t>(), {70 * mib},
                               [](std::size_t, std::size_t count, std::byte* out) { std::memset(out, 0, count); });
    nk::save_npz(dir / "a.npz", {{"a", zeros}}, {.compress = true});

    CHECK(peak_of([&] { CHECK(nk::findings_npz(dir / "a.npz", {.run = {.threads = 1}}).empty()); }) < 4 * mib);
    auto text = read_text(dir / "a.npz");
    text[text.find("PK\1\2") + 16] ^= 1;  // of the CRC-32 in the directory
    write_text(dir / "a.npz", text);
    CHECK_THROWS_AS(nk::verify_npz(dir / "a.npz"), nk::checksum_error);
}

TEST_CASE("inspect_npz tells of every member how it lies in the archive", "[npz][inspect]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::npz_writer out(file);
    out.add("a", six);
    out.add("deflated", six, {.compress = true});
    out.add("big", nk::array_view(nk::dtype::parse(">i2"), {2}, reinterpret_cast<const std::byte*>("\0\1\0\2")));
    out.add_text("notes.txt", "as measured");
    const auto with_more = nk::header_bytes({.type = nk::dtype_of<std::int32_t>(), .shape = {1}}) + "abcdbehind";
    out.add_text("more.npy", with_more);
    out.add_text("bad.npy", "not an array");
    auto objects = nk::header_bytes({.type = nk::dtype_of<bool>(), .shape = {2}});
    objects.replace(objects.find("'|b1'"), 5, "'|O' ");
    out.add_text("objects.npy", objects + "pickle");
    out.commit();

    const auto members = nk::inspect_npz(file);
    REQUIRE(members.size() == 7);
    const auto& a = members[0];
    CHECK(a.name == "a");
    CHECK(a.stored_name == "a.npy");
    REQUIRE(a.array);
    CHECK(a.array->shape == shape{2, 3});
    CHECK(a.array->data_offset == 128);
    CHECK(a.nbytes == 176);
    CHECK(a.compressed_nbytes == 176);
    CHECK(a.trailing == 0);
    CHECK(a.method == "stored");
    CHECK(a.mappable);
    CHECK(!a.shadowed);
    CHECK(a.problem.empty());
    CHECK(std::memcmp(read_text(file).data() + a.offset, six.data(), 48) == 0);
    const auto& deflated = members[1];
    REQUIRE(deflated.array);
    CHECK(deflated.array->shape == shape{2, 3});
    CHECK(deflated.method == "deflate");
    CHECK(!deflated.mappable);
    CHECK(deflated.nbytes == 176);
    CHECK(deflated.compressed_nbytes < 176);
    CHECK(members[2].array);
    CHECK(!members[2].mappable);
    CHECK(members[3].name == "notes.txt");
    CHECK(!members[3].array);
    CHECK(!members[3].mappable);
    CHECK(members[3].nbytes == 11);
    CHECK(members[3].problem.empty());
    CHECK(members[4].trailing == 6);
    CHECK(members[4].mappable);
    CHECK(!members[5].array);
    CHECK(!members[6].mappable);
    CHECK(members[6].problem.find("member 'objects'") != std::string::npos);
}

TEST_CASE("of two members of one name the last counts, and inspect_npz says which one does not", "[npz][inspect]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", 1.5}, {"b", 2.5}});
    auto text = read_text(file);
    for (auto at = text.find("b.npy"); at != std::string::npos; at = text.find("b.npy"))
        text[at] = 'a';
    write_text(file, text);

    const auto members = nk::inspect_npz(file);
    REQUIRE(members.size() == 2);
    CHECK(members[0].shadowed);
    CHECK(!members[1].shadowed);
    CHECK(names_of(file) == strings{"a"});
    CHECK(nk::npz_reader(file).load<double, 0>("a")() == 2.5);
    nk::npz_writer(file, {.append = true}).commit();
    CHECK(nk::inspect_npz(file).size() == 1);
    CHECK(nk::npz_reader(file).load<double, 0>("a")() == 2.5);
}

TEST_CASE("bytes behind the data of a member are read past, and checked", "[npz][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    for (const bool compress : {false, true}) {
        nk::npz_writer out(file, {.compress = compress});
        out.add_text("a.npy", nk::header_bytes({.type = nk::dtype_of<std::int32_t>(), .shape = {1}}) + "abcd" +
                                  std::string(3'000'000, 'b'));
        out.commit();

        CHECK(nk::npz_reader(file).load<std::int32_t, 1>("a").size() == 1);
        CHECK(nk::findings_npz(file).empty());
    }
    nk::npz_writer out(file);
    out.add_text("a.npy", nk::header_bytes({.type = nk::dtype_of<std::int32_t>(), .shape = {1}}) + "abcdbehind");
    out.commit();
    flip_byte(file, member_of(file, "a").offset + 6);
    CHECK_THROWS_AS(nk::npz_reader(file).load<std::int32_t>("a"), nk::checksum_error);
}

// Progress -----------------------------------------------------------------------------------------------------------

TEST_CASE("save_npz tells its progress up to the end", "[npz][progress]") {
    const temp_dir dir;
    const xt::xtensor<double, 1> large = xt::arange<double>(420'000);
    for (const bool compress : {false, true}) {
        CAPTURE(compress);
        std::vector<nk::progress> told;
        const auto tell = [&](const nk::progress& p) {
            told.push_back(p);
            return nk::flow::go;
        };

        nk::save_npz(dir / "a.npz", {{"a", large}, {"b", large * 2.0}},
                     {.compress = compress, .run = {.progress = tell}});

        REQUIRE(told.size() >= 2);
        CHECK(told.front().phase == "save");
        CHECK(told.front().file == dir / "a.npz");
        CHECK(told.front().bytes == 0);
        CHECK(told.back().bytes == 6'720'000);
        CHECK(told.back().bytes_total == 6'720'000);
        CHECK(told.back().items == 840'000);
        CHECK(told.back().items_total == 840'000);
    }
}

TEST_CASE("findings_npz and load tell their progress up to the end", "[npz][progress]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", xt::arange<double>(420'000)}, {"b", six}});
    std::vector<nk::progress> told;
    const auto tell = [&](const nk::progress& p) {
        told.push_back(p);
        return nk::flow::go;
    };

    CHECK(nk::findings_npz(file, {.run = {.progress = tell}}).empty());
    REQUIRE(told.size() >= 2);
    CHECK(told.front().phase == "verify");
    CHECK(told.back().items == 2);
    CHECK(told.back().items_total == 2);
    CHECK(told.back().bytes == told.back().bytes_total);

    told.clear();
    (void)nk::npz_reader(file, {.run = {.progress = tell}}).load<double>("a");
    REQUIRE(told.size() >= 2);
    CHECK(told.back().bytes == 3'360'000);
}

TEST_CASE("a call that is stopped leaves the old archive and nothing else", "[npz][progress][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", xt::arange<double>(420'000)}});
    const auto before = read_text(file);
    const std::atomic<bool> stop = true;
    const auto refuse = [](const nk::progress&) { return nk::flow::stop; };
    const auto code = [](auto&& act) { return thrown<nk::io_error>(act).code(); };

    for (const bool compress : {false, true})
        for (const nk::run_options& run : {nk::run_options{.stop = &stop}, nk::run_options{.progress = refuse}}) {
            CHECK(code([&] {
                      nk::save_npz(file, {{"a", xt::arange<double>(420'000)}}, {.compress = compress, .run = run});
                  }) == std::errc::operation_canceled);
            CHECK(code([&] {
                      nk::npz_writer out(file, {.append = true, .compress = compress, .run = run});
                      out.add("b", xt::arange<double>(420'000));
                      out.commit();
                  }) == std::errc::operation_canceled);
            CHECK(code([&] { (void)nk::findings_npz(file, {.run = run}); }) == std::errc::operation_canceled);
            CHECK(code([&] { (void)nk::npz_reader(file, {.run = run}).load<double>("a"); }) ==
                  std::errc::operation_canceled);
        }

    CHECK((read_text(file) == before));
    CHECK(dir.files() == 1);
}

}  // namespace npz_writer_tests
