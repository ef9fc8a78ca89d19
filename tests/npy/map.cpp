// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/faults.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npy/map.hpp>
#include <ndkeep/npy/next_name.hpp>
#include <ndkeep/npy/save.hpp>

#include <algorithm>
#include <cstring>
#include <vector>

#include <sys/stat.h>  // blocks on the disk

namespace npy_map_tests {

namespace nk = ndkeep;

namespace {

using shape = std::vector<std::size_t>;
using matrix = xt::xtensor<double, 2>;
constexpr auto column_layout = xt::layout_type::column_major;

struct point {
    double x;
    std::int32_t tag;
};
NDKEEP_FIELDS(point, x, tag);

matrix some() { return {{1, 2, 3}, {4, 5, 6}}; }

template <class T>
std::string bytes_of(const std::vector<T>& elements) {
    return {reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T)};
}

void write_npy(const std::filesystem::path& file, const nk::array_info& info, const std::string& data) {
    write_text(file, nk::header_bytes(info) + data);
}

/// A file whose data starts one byte after a multiple of 8.
void write_misaligned(const std::filesystem::path& file) {
    write_text(file, nk::header_bytes({.type = nk::dtype_of<double>(), .shape = {2}}, {}) + bytes_of<double>({1, 2}));
    auto text = read_text(file);
    text.insert(text.find('\n'), 1, ' ');
    text[8] = static_cast<char>(text[8] + 1);
    write_text(file, text);
}

std::int64_t blocks(const std::filesystem::path& file) {
    struct stat status = {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    return status.st_blocks;
}

}  // namespace

TEST_CASE("a raw file that cannot be mapped is not longer afterwards", "[npy][map][error]") {
    const temp_dir dir;
    const auto extend = [&](const char* name) {
        (void)nk::map_raw<double, 1>(dir / name, nk::read_write, {.shape = {1000}});
    };
    write_text(dir / "a.dat", "12345678");
    write_text(dir / "b.dat", "12345678");
    const auto calls = faults::calls_of([&] { extend("a.dat"); }, faults::kind::reads);
    const auto mmap =
        std::find_if(calls.begin(), calls.end(), [](const faults::call& made) { return made.name == "mmap"; });
    REQUIRE(mmap != calls.end());
    const auto refused = [&] {
        const faults::session armed({.what = faults::effect::fail,
                                     .at = static_cast<std::size_t>(mmap - calls.begin()),
                                     .code = ENOMEM,
                                     .counted = faults::kind::reads});
        extend("b.dat");
    };

    CHECK_THROWS_AS(refused(), nk::io_error);

    CHECK(read_text(dir / "b.dat") == "12345678");
    CHECK(std::filesystem::file_size(dir / "a.dat") == 8000);
}

TEST_CASE("the tags say what map returns, in any order", "[npy][map]") {
    using nk::mapped_as;
    STATIC_REQUIRE(std::is_same_v<decltype(nk::map<double>("")), nk::mapped<const double>>);
    STATIC_REQUIRE(std::is_same_v<decltype(nk::map<double, 2>("", nk::read_only)), nk::mapped<const double, 2>>);
    STATIC_REQUIRE(std::is_same_v<decltype(nk::map<double>("", nk::read_write)), nk::mapped<double>>);
    STATIC_REQUIRE(std::is_same_v<decltype(nk::map<double>("", nk::copy_on_write)), nk::mapped<double>>);
    STATIC_REQUIRE(std::is_same_v<decltype(nk::map<double, 2>("", nk::read_write, nk::column_major)),
                                  nk::mapped<double, 2, column_layout>>);
    STATIC_REQUIRE(std::is_same_v<decltype(nk::map<double, 2>("", nk::column_major, nk::read_write)),
                                  nk::mapped<double, 2, column_layout>>);
    STATIC_REQUIRE(
        std::is_same_v<decltype(nk::map<double, 2>("", nk::column_major)), nk::mapped<const double, 2, column_layout>>);
    STATIC_REQUIRE(std::is_same_v<mapped_as<float, 1, nk::read_write_tag>, nk::mapped<float, 1>>);
}

TEST_CASE("map shows a file in three modes", "[npy][map]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", some());

    const auto now = nk::map<double>(dir / "t.npy");
    auto live = nk::map<double, 2>(dir / "t.npy", nk::read_write);
    auto draft = nk::map<double, 2>(dir / "t.npy", nk::copy_on_write);
    live(0, 0) = 10;
    xt::row(live, 1) *= 2;
    draft(0, 1) = -1;
    live.flush();

    CHECK(now(0, 0) == 10);
    CHECK(now(0, 1) == 2);
    CHECK(now(1, 2) == 12);
    CHECK(draft(0, 1) == -1);
    CHECK(now.mode() == nk::map_mode::read_only);
    CHECK(now.file() == dir / "t.npy");
    CHECK((nk::load<double, 2>(dir / "t.npy") == matrix{{10, 2, 3}, {8, 10, 12}}));
    CHECK_THROWS_AS(draft.flush(), nk::mismatch_error);
}

TEST_CASE("map shows column-major files with the tag", "[npy][map]") {
    const temp_dir dir;
    nk::save(dir / "f.npy", xt::xtensor<double, 2, column_layout>(some()));

    auto live = nk::map<double, 2>(dir / "f.npy", nk::column_major, nk::read_write);
    CHECK((live == some()));
    live(1, 0) = 40;

    const auto again = nk::map<double>(dir / "f.npy", nk::column_major);
    CHECK(again(1, 0) == 40);
    CHECK(again.data()[1] == 40);
}

TEST_CASE("map names the tag that the order of the file asks for", "[npy][map]") {
    const temp_dir dir;
    nk::save(dir / "c.npy", some());
    nk::save(dir / "f.npy", xt::xtensor<double, 2, column_layout>(some()));

    const auto without = thrown<nk::mismatch_error>([&] { (void)nk::map<double>(dir / "f.npy"); });
    const auto with = thrown<nk::mismatch_error>([&] { (void)nk::map<double>(dir / "c.npy", nk::column_major); });

    CHECK(without.field() == "order");
    CHECK(without.found() == "column-major");
    CHECK(without.expected() == "row-major");
    CHECK(without.hint() == "map with the tag column_major");
    CHECK(with.expected() == "column-major");
    CHECK(with.hint() == "map without the tag column_major");
}

TEST_CASE("where both orders are the same, no tag is asked for", "[npy][map]") {
    const temp_dir dir;
    const auto both = [&](const shape& extents, nk::order file_order) {
        const auto file = dir / "t.npy";
        std::filesystem::remove(file);
        write_npy(
            file,
            {.type = nk::dtype_of<double>(), .shape = extents, .column_major = file_order == nk::order::column_major},
            bytes_of<double>({1, 2, 3}));
        return nk::map<double>(file).shape() == nk::map<double>(file, nk::column_major).shape();
    };

    for (const auto file_order : {nk::order::row_major, nk::order::column_major}) {
        CHECK(both({3}, file_order));
        CHECK(both({}, file_order));
        CHECK(both({1, 3}, file_order));
        CHECK(both({3, 1, 1}, file_order));
        CHECK(both({0, 3}, file_order));
    }
}

TEST_CASE("map refuses another dtype or rank, with a hint", "[npy][map]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", some());

    const auto type = thrown<nk::mismatch_error>([&] { (void)nk::map<float>(dir / "t.npy"); });
    const auto rank = thrown<nk::mismatch_error>([&] { (void)nk::map<double, 3>(dir / "t.npy"); });

    CHECK(type.field() == "dtype");
    CHECK(type.found() == "'<f8'");
    CHECK(type.expected() == "'<f4'");
    CHECK(rank.field() == "shape");
    CHECK(rank.found() == "(2, 3)");
    CHECK(rank.expected() == "3 dimensions");
    CHECK(rank.hint() == "map<T, 2> or map<T>");
}

TEST_CASE("map refuses the other byte order and says that load swaps", "[npy][map]") {
    const temp_dir dir;
    write_npy(dir / "t.npy", {.type = nk::dtype::parse(">f8"), .shape = {1}}, std::string(8, '\0'));

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::map<double>(dir / "t.npy"); });

    CHECK(e.field() == "dtype");
    CHECK(e.found() == "'>f8'");
    CHECK(e.expected() == "this machine's byte order");
    CHECK(e.hint() == "load swaps the bytes");
}

TEST_CASE("map shows structs that lie as in C++, and refuses other layouts with a hint", "[npy][map]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", std::vector<point>{{1.5, 1}, {2.5, 2}});
    write_npy(dir / "packed.npy", {.type = nk::dtype::parse("[('x', '<f8'), ('tag', '<i4')]"), .shape = {1}},
              std::string(12, '\0'));
    write_npy(dir / "turned.npy",
              {.type = nk::dtype::parse("[('tag', '<i4'), ('', 'V4'), ('x', '<f8')]"), .shape = {1}},
              std::string(16, '\0'));

    auto live = nk::map<point, 1>(dir / "t.npy", nk::read_write);
    live(0).tag = 7;
    CHECK(xt::sum(nk::field(live, &point::x))() == 4);
    CHECK(nk::load<point, 1>(dir / "t.npy")(0).tag == 7);
    for (const auto* const name : {"packed.npy", "turned.npy"}) {
        const auto e = thrown<nk::mismatch_error>([&] { (void)nk::map<point>(dir / name); });
        CHECK(e.field() == "struct layout");
        CHECK(e.expected() == nk::dtype_of<point>().descr());
        CHECK(e.hint() == "load rearranges the fields");
        CHECK(nk::load<point>(dir / name).size() == 1);
    }
}

TEST_CASE("map shows times whose unit means the same", "[npy][map]") {
    const temp_dir dir;
    write_npy(dir / "t.npy", {.type = nk::dtype::parse("<m8[7D]"), .shape = {1}}, bytes_of<std::int64_t>({3}));

    CHECK(nk::map<std::chrono::weeks, 1>(dir / "t.npy")(0).count() == 3);
    CHECK_THROWS_AS((nk::map<std::chrono::days>(dir / "t.npy")), nk::mismatch_error);
}

TEST_CASE("map shows arrays without elements and arrays of rank 0", "[npy][map]") {
    const temp_dir dir;
    nk::save(dir / "empty.npy", matrix::from_shape({0, 3}));
    nk::save(dir / "one.npy", 2.5);

    const auto empty = nk::map<double, 2>(dir / "empty.npy");
    auto none = nk::map<double, 2>(dir / "empty.npy", nk::read_write);
    auto one = nk::map<double, 0>(dir / "one.npy", nk::read_write);
    none.flush();
    one() += 1;

    CHECK(empty.shape() == matrix::shape_type{0, 3});
    CHECK(empty.begin() == empty.end());
    CHECK(nk::map<double>(dir / "one.npy")() == 3.5);
}

TEST_CASE("data that is not aligned is copied for reading and refused for read_write", "[npy][map]") {
    const temp_dir dir;
    write_misaligned(dir / "t.npy");
    REQUIRE(nk::inspect(dir / "t.npy").data_offset % 8 == 1);

    const auto now = nk::map<double, 1>(dir / "t.npy");
    auto draft = nk::map<double, 1>(dir / "t.npy", nk::copy_on_write);
    draft(0) = 5;
    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::map<double>(dir / "t.npy", nk::read_write); });

    CHECK(reinterpret_cast<std::uintptr_t>(now.data()) % alignof(double) == 0);
    CHECK((now == xt::xtensor<double, 1>{1, 2}));
    CHECK(draft(0) == 5);
    CHECK_THROWS_AS(draft.flush(), nk::mismatch_error);
    CHECK(e.field() == "data offset");
    CHECK(e.expected() == "a multiple of 8 bytes");
    CHECK(e.hint() == "map it read_only or copy_on_write, which copies it into memory");
}

TEST_CASE("map refuses a truncated file in every mode", "[npy][map]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", some());
    std::filesystem::resize_file(dir / "t.npy", 128 + 47);

    CHECK_THROWS_AS(nk::map<double>(dir / "t.npy"), nk::format_error);
    CHECK_THROWS_AS(nk::map<double>(dir / "t.npy", nk::read_write), nk::format_error);
    CHECK_THROWS_AS(nk::map<double>(dir / "t.npy", nk::copy_on_write), nk::format_error);
    CHECK(thrown<nk::io_error>([&] { (void)nk::map<double>(dir / "none.npy"); }).code() ==
          std::errc::no_such_file_or_directory);
}

TEST_CASE("map takes limits and advice", "[npy][map]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", some());

    CHECK(nk::map<double>(dir / "t.npy", {.use = nk::advice::sequential})(1, 2) == 6);
    CHECK(nk::map<double>(dir / "t.npy", nk::read_write, {.use = nk::advice::random})(1, 2) == 6);
    CHECK_THROWS_AS(nk::map<double>(dir / "t.npy", {.limit = {.dimensions = 1}}), nk::format_error);
}

TEST_CASE("a mapped array can be saved, also onto the file it maps", "[npy][map]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", some());
    auto live = nk::map<double, 2>(dir / "t.npy", nk::read_write);

    nk::save(dir / "t.npy", live);
    nk::save(dir / "t.npy", live * 2);
    nk::save(dir / "rvalue.npy", nk::map<double>(dir / "t.npy"));
    live(0, 0) = -1;  // the former file, which no longer has a name

    CHECK((nk::load<double, 2>(dir / "t.npy") == some() * 2));
    CHECK((nk::load<double, 2>(dir / "rvalue.npy") == some() * 2));
}

TEST_CASE("map_raw infers the length or takes a shape, from any offset", "[npy][map]") {
    const temp_dir dir;
    write_text(dir / "data.dat", "12345678" + bytes_of<float>({1, 2, 3, 4, 5, 6}));
    const int rows = 2;

    CHECK(nk::map_raw<float, 1>(dir / "data.dat", {.offset = 8}).size() == 6);
    CHECK(nk::map_raw<float, 2>(dir / "data.dat", {.shape = {rows, 3}, .offset = 8})(1, 0) == 4);
    CHECK(nk::map_raw<float, 2>(dir / "data.dat", nk::column_major, {.shape = {2, 3}, .offset = 8})(1, 0) == 2);
    CHECK(nk::map_raw<float>(dir / "data.dat", {.shape = {1, 2}, .offset = 12})(0, 1) == 3);
    CHECK(nk::map_raw<float, 2>(dir / "data.dat", {.shape = some().shape(), .offset = 8})(1, 2) == 6);
    CHECK_THROWS_AS((nk::map_raw<float, 2>(dir / "data.dat", {.shape = shape{6}, .offset = 8})), nk::mismatch_error);
    CHECK_THROWS_AS((nk::map_raw<float, 2>(dir / "data.dat", {.offset = 8})), nk::mismatch_error);
}

TEST_CASE("map_raw copies what no mapping can align, and refuses it for read_write", "[npy][map]") {
    const temp_dir dir;
    write_text(dir / "data.dat", "123" + bytes_of<double>({1, 2}));

    CHECK((nk::map_raw<double, 1>(dir / "data.dat", {.offset = 3}) == xt::xtensor<double, 1>{1, 2}));
    CHECK_THROWS_AS(nk::map_raw<double>(dir / "data.dat", nk::read_write, {.offset = 3}), nk::mismatch_error);
    CHECK(nk::map_raw<std::uint8_t>(dir / "data.dat", nk::read_write, {.offset = 3}).size() == 16);
}

TEST_CASE("map_raw refuses what does not fit the file", "[npy][map]") {
    const temp_dir dir;
    write_text(dir / "data.dat", bytes_of<float>({1, 2, 3}) + "x");
    write_text(dir / "empty.dat", "");

    CHECK_THROWS_AS(nk::map_raw<float>(dir / "data.dat"), nk::format_error);
    CHECK_THROWS_AS(nk::map_raw<float>(dir / "data.dat", {.offset = 20}), nk::format_error);
    CHECK_THROWS_AS(nk::map_raw<float>(dir / "data.dat", {.shape = {4}}), nk::format_error);
    CHECK_THROWS_AS(nk::map_raw<float>(dir / "empty.dat"), nk::format_error);
    CHECK_THROWS_AS(nk::map_raw<float>(dir / "data.dat", nk::read_write, {.shape = {1ULL << 62}}), nk::error);
    CHECK_THROWS_AS(nk::map_raw<float>(dir / "data.dat", nk::copy_on_write, {.shape = {4}}), nk::format_error);
    CHECK(std::filesystem::file_size(dir / "data.dat") == 13);
}

TEST_CASE("map_raw read_write extends a file to its shape, by zeros", "[npy][map]") {
    const temp_dir dir;
    write_text(dir / "data.dat", bytes_of<float>({1, 2}));

    auto longer = nk::map_raw<float, 1>(dir / "data.dat", nk::read_write, {.shape = {4}});
    longer(3) = 4;
    const auto shorter = nk::map_raw<float, 1>(dir / "data.dat", nk::read_write, {.shape = {1}});
    const auto more =
        nk::map_raw<float, 1>(dir / "data.dat", nk::read_write, {.shape = {3}, .offset = 12, .reserve = true});

    CHECK((longer == xt::xtensor<float, 1>{1, 2, 0, 4}));
    CHECK(shorter(0) == 1);
    CHECK((more == xt::xtensor<float, 1>{4, 0, 0}));
    CHECK(std::filesystem::file_size(dir / "data.dat") == 24);
}

TEST_CASE("create makes a sparse file of zeros that np.load reads", "[npy][map]") {
    const temp_dir dir;
    const int rows = 1'000'000;

    auto fresh = nk::create<double>(dir / "big.npy", {rows, 3});
    STATIC_REQUIRE(std::is_same_v<decltype(fresh), nk::mapped<double, 2>>);
    fresh(999'999, 2) = 5;
    fresh.flush();

    const auto info = nk::inspect(dir / "big.npy");
    CHECK(info.shape == shape{1'000'000, 3});
    CHECK(!info.column_major);
    CHECK(std::filesystem::file_size(dir / "big.npy") == 24'000'128);
    CHECK(blocks(dir / "big.npy") < 1000);
    CHECK(fresh(0, 0) == 0);
    CHECK(nk::map<double>(dir / "big.npy")(999'999, 2) == 5);
    CHECK(dir.files() == 1);
}

TEST_CASE("create reserves its room on the disk when asked to", "[npy][map]") {
    const temp_dir dir;

    const auto fresh = nk::create<double>(dir / "t.npy", {100'000}, {.reserve = true});

    CHECK(fresh.size() == 100'000);
    CHECK(blocks(dir / "t.npy") * 512 >= 800'000);
}

TEST_CASE("create takes shapes of any kind, and an order", "[npy][map]") {
    const temp_dir dir;
    const auto model = some();

    const auto like = nk::create<float>(dir / "like.npy", model.shape());
    const auto ranked = nk::create<float, 2>(dir / "ranked.npy", model.shape());
    const auto scalar = nk::create<float>(dir / "scalar.npy", shape());
    const auto empty = nk::create<float>(dir / "empty.npy", {0, 3});
    auto columns = nk::create<float>(dir / "columns.npy", {2, 3}, nk::column_major);
    auto like_columns = nk::create<float, 2>(dir / "like_columns.npy", model.shape(), nk::column_major);
    columns(1, 0) = 1;

    CHECK(like.dimension() == 2);
    CHECK(ranked.shape() == matrix::shape_type{2, 3});
    CHECK(scalar.dimension() == 0);
    CHECK(nk::load<float, 2>(dir / "empty.npy").shape() == matrix::shape_type{0, 3});
    CHECK(nk::inspect(dir / "columns.npy").column_major);
    CHECK(columns.data()[1] == 1);
    CHECK(like_columns.strides()[1] == 2);
    CHECK_THROWS_AS((nk::create<float, 3>(dir / "other.npy", model.shape())), nk::mismatch_error);
    CHECK_THROWS_AS(nk::create<float>(dir / "other.npy", {2, -1}), nk::mismatch_error);
    CHECK_THROWS_AS(nk::create<float>(dir / "other.npy", {1LL << 62, 1LL << 62}), nk::error);
    CHECK(!std::filesystem::exists(dir / "other.npy"));
}

TEST_CASE("create refuses to replace a file unless told so", "[npy][map]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", some());
    const auto former = nk::map<double, 2>(dir / "t.npy");

    const auto e = thrown<nk::io_error>([&] { (void)nk::create<double>(dir / "t.npy", {2}); });
    CHECK(e.code() == std::errc::file_exists);
    CHECK(e.hint() == ".replace = true replaces it");
    CHECK((former == some()));

    const auto next = nk::create<double>(dir / "t.npy", {2}, {.replace = true});
    CHECK((former == some()));
    CHECK((nk::load<double, 1>(dir / "t.npy") == xt::zeros<double>({2})));
    CHECK(dir.files() == 1);
}

TEST_CASE("create fills a name that next_name has reserved", "[npy][map]") {
    const temp_dir dir;
    const auto file = nk::next_name(dir.path(), "t", ".npy");
    REQUIRE(std::filesystem::exists(file));

    const auto fresh = nk::create<double>(file, {2});

    CHECK(fresh.size() == 2);
    CHECK(nk::load<double>(file).size() == 2);
    CHECK_THROWS_AS(nk::create<double>(file, {2}), nk::io_error);
}

TEST_CASE("create_raw makes a file without a header", "[npy][map]") {
    const temp_dir dir;

    auto out = nk::create_raw<float>(dir / "data.dat", {2, 3}, nk::column_major, {.offset = 1024});
    out(1, 0) = 7;

    CHECK(std::filesystem::file_size(dir / "data.dat") == 1024 + 24);
    CHECK(nk::map_raw<float, 1>(dir / "data.dat", {.offset = 1024})(1) == 7);
    CHECK(nk::create_raw<float, 2>(dir / "like.dat", some().shape()).size() == 6);
    CHECK_THROWS_AS(nk::create_raw<float>(dir / "data.dat", {1}), nk::io_error);
    CHECK_THROWS_AS(nk::create_raw<float>(dir / "other.dat", {1}, {.offset = 2}), nk::mismatch_error);
    CHECK(!std::filesystem::exists(dir / "other.dat"));
}

}  // namespace npy_map_tests
