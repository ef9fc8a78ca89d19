// SPDX-License-Identifier: BSD-3-Clause
// Members of archives, in files and in memory, loaded and mapped.
#include "npz/archives.hpp"

#include <chrono>
#include <cstddef>
#include <cstring>

namespace npz_archives::reader_tests {

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
    CHECK(e.hint() == "load it; archives that ndkeep writes are aligned");
}

TEST_CASE("a compressed member is not mapped", "[npz][map][error]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}}, {.compress = true});

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::npz_reader(dir / "a.npz").map<double>("a"); });

    CHECK(e.file() == dir / "a.npz");
    CHECK(e.field() == "member 'a': storage");
    CHECK(e.expected() == "stored");
    CHECK(e.found() == "deflate");
    CHECK(e.hint() == "load it; members saved without .compress can be mapped");
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

TEST_CASE("an archive that is overwritten while it is open is named as the cause", "[npz][error]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", three}});
    nk::save_npz(dir / "b.npz", {{"b", six}});
    const auto other = read_text(dir / "b.npz");
    const nk::npz_reader in(dir / "a.npz");
    write_text(dir / "a.npz", other);

    const std::string cause = "the archive has changed since it was opened";
    CHECK(thrown<nk::format_error>([&] { (void)in.load<std::int32_t>("a"); }).hint() == cause);
    CHECK(thrown<nk::format_error>([&] { (void)in.bytes("a"); }).hint() == cause);
    CHECK(thrown<nk::format_error>([&] { (void)in.map<std::int32_t>("a"); }).hint() == cause);
    CHECK(in.members().at(0).problem.find(cause) != std::string::npos);
    CHECK(in.findings("a").at(0).message.find(cause) != std::string::npos);
}

TEST_CASE("an archive has no array of a number", "[npz][error]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", three}});
    const auto bytes = read_text(dir / "a.npz");

    CHECK(thrown<nk::mismatch_error>([&] { (void)nk::npz_reader(dir / "a.npz", {.array = 1}); }).field() == "array");
    CHECK_THROWS_AS((void)nk::npz_reader(std::as_bytes(std::span(bytes)), {.array = 1}), nk::mismatch_error);
}

TEST_CASE("the change of an archive is added to the hint of an error", "[npz][error]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", three}});
    const nk::npz_reader in(dir / "a.npz");
    flip_byte(dir / "a.npz", in.archive().entries().at(0).room_end - 1);
    fs::last_write_time(dir / "a.npz", fs::last_write_time(dir / "a.npz") - std::chrono::hours(1));

    CHECK(thrown<nk::checksum_error>([&] { (void)in.load<std::int32_t>("a"); }).hint() ==
          "the data is not what was written; the archive has changed since it was opened");
}

}  // namespace npz_archives::reader_tests
