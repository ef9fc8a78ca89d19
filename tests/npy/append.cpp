// SPDX-License-Identifier: BSD-3-Clause
// append: adds rows to files of every origin.
#include "npy/rows.hpp"

#include <cstring>

namespace added_rows::append_tests {

namespace {

struct tick {
    std::int64_t time;
    double price;
    std::int32_t size;
    friend bool operator==(const tick&, const tick&) = default;
};
NDKEEP_FIELDS(tick, time, price, size);

/// Checks that an append is rejected and nothing has changed.
template <class Error>
Error refused(const temp_dir& dir, const fs::path& file, const array_view& rows) {
    const auto former = read_text(file);
    const auto files = dir.files();
    auto error = thrown<Error>([&] { append(file, rows); });
    CHECK((read_text(file) == former));
    CHECK(dir.files() == files);
    return error;
}

}  // namespace

// Rows of all kinds --------------------------------------------------------------------------------------------------

TEST_CASE("append makes the file that one save would have made", "[npy][append]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(3, 4));

    append(dir / "t.npy", counted_up(2, 4, 12));

    save(dir / "whole.npy", counted_up(5, 4));
    CHECK((read_text(dir / "t.npy") == read_text(dir / "whole.npy")));
    CHECK(dir.files() == 2);
}

TEST_CASE("append grows the last axis of a column-major file", "[npy][append]") {
    const temp_dir dir;
    const column_matrix whole = counted_up(3, 6);
    save(dir / "t.npy", column_matrix(xt::view(whole, xt::all(), xt::range(0, 4))));

    append(dir / "t.npy", xt::view(whole, xt::all(), xt::range(4, 6)));

    save(dir / "whole.npy", whole);
    CHECK((read_text(dir / "t.npy") == read_text(dir / "whole.npy")));
    CHECK(inspect(dir / "t.npy").column_major);
}

TEST_CASE("append takes row-major and column-major rows for either file", "[npy][append]") {
    const temp_dir dir;
    const column_matrix columns = counted_up(2, 4, 12);
    save(dir / "c.npy", counted_up(3, 4));
    save(dir / "f.npy", column_matrix(xt::transpose(counted_up(3, 4))));

    append(dir / "c.npy", columns);
    append(dir / "f.npy", xt::transpose(counted_up(2, 4, 12)));

    CHECK((load<double, 2>(dir / "c.npy") == counted_up(5, 4)));
    CHECK((load<double, 2>(dir / "f.npy") == xt::transpose(counted_up(5, 4))));
}

TEST_CASE("append turns native rows into the byte order of the file", "[npy][append]") {
    const temp_dir dir;
    const std::array<unsigned char, 2> one = {0, 1};
    write_with_header(dir / "t.npy", {.type = dtype::parse("'>u2'"), .shape = {1}}, {}, bytes_of(one.data(), 2));

    append(dir / "t.npy", xt::xtensor<std::uint16_t, 1>{0x0203, 0x0405});

    CHECK(read_text(dir / "t.npy").substr(128) == std::string("\0\1\2\3\4\5", 6));
    CHECK(inspect(dir / "t.npy").type.str() == ">u2");
}

TEST_CASE("append packs padded structs for a packed file, and the other way round", "[npy][append]") {
    const temp_dir dir;
    const std::vector<tick> first = {{1, 2.5, 3}};
    const std::vector<tick> more = {{4, 5.5, 6}, {7, 8.5, 9}};
    const dtype packed = dtype::parse("[('time', '<i8'), ('price', '<f8'), ('size', '<i4')]");
    std::string data(20, '\0');
    std::memcpy(data.data(), &first[0].time, 8);
    std::memcpy(data.data() + 8, &first[0].price, 8);
    std::memcpy(data.data() + 16, &first[0].size, 4);
    write_with_header(dir / "packed.npy", {.type = packed, .shape = {1}}, {}, data);
    save(dir / "padded.npy", first);

    append(dir / "packed.npy", more);
    append(dir / "padded.npy", load_any(dir / "packed.npy"));

    CHECK(fs::file_size(dir / "packed.npy") == inspect(dir / "packed.npy").data_offset + 3 * 20);
    const auto ticks = load<tick, 1>(dir / "packed.npy");
    CHECK((ticks(0) == first[0] && ticks(1) == more[0] && ticks(2) == more[1]));
    CHECK(fs::file_size(dir / "padded.npy") == inspect(dir / "padded.npy").data_offset + 4 * 24);
    CHECK((load<tick, 1>(dir / "padded.npy")(3) == more[1]));
}

TEST_CASE("append of no rows changes nothing", "[npy][append]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(3, 4));
    const auto former = read_text(dir / "t.npy");

    append(dir / "t.npy", matrix::from_shape({0, 4}));

    CHECK((read_text(dir / "t.npy") == former));
    CHECK(dir.files() == 1);
}

TEST_CASE("append grows an empty array", "[npy][append]") {
    const temp_dir dir;
    save(dir / "t.npy", matrix::from_shape({0, 4}));

    append(dir / "t.npy", counted_up(2, 4));

    CHECK((load<double, 2>(dir / "t.npy") == counted_up(2, 4)));
}

TEST_CASE("append saves to a name that is free or reserved", "[npy][append]") {
    const temp_dir dir;
    const auto reserved = next_name(dir.path(), "t", ".npy");

    append(dir / "free.npy", counted_up(2, 4));
    append(reserved, counted_up(2, 4));

    save(dir / "saved.npy", counted_up(2, 4));
    CHECK((read_text(dir / "free.npy") == read_text(dir / "saved.npy")));
    CHECK((read_text(reserved) == read_text(dir / "saved.npy")));
    CHECK(dir.files() == 3);
}

TEST_CASE("append follows a link and leaves it a link", "[npy][append]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(3, 4));
    fs::create_symlink("t.npy", dir / "link.npy");

    append(dir / "link.npy", counted_up(2, 4, 12));

    CHECK(fs::is_symlink(dir / "link.npy"));
    CHECK((load<double, 2>(dir / "t.npy") == counted_up(5, 4)));
}

// Headers ------------------------------------------------------------------------------------------------------------

TEST_CASE("append rewrites a file whose header has no room", "[npy][append]") {
    const temp_dir dir;
    const array_info info{.type = dtype::plain('f', 8), .shape = {9, 4}};
    const auto first = counted_up(9, 4);
    write_with_header(dir / "t.npy", info, {.version = 1, .length = least_header_length(info, 1)},
                      bytes_of(first.data(), 9 * 4 * 8));
    const auto mapped_before = map<double, 2>(dir / "t.npy");

    append(dir / "t.npy", counted_up(2, 4, 36));

    save(dir / "whole.npy", counted_up(11, 4));
    CHECK((read_text(dir / "t.npy") == read_text(dir / "whole.npy")));
    CHECK((mapped_before == first));  // the former file, complete
    CHECK(dir.files() == 2);
}

TEST_CASE("append rewrites a file whose shape lies across two sectors", "[npy][append]") {
    const temp_dir dir;
    const std::string text_before = "{'descr': [('', '<f8')], 'fortran_order': False, 'shape': (";
    // The digit is the last byte of one sector, and the rest of the shape is in the next sector.
    const std::string name(511 - 10 - text_before.size(), 'n');
    const array_info info{.type = dtype::structure({{.name = name, .type = dtype::plain('f', 8)}}, 8), .shape = {9}};
    std::string header = header_bytes(info);
    REQUIRE(header.substr(510, 4) == "(9,)");
    const std::string data(9 * 8, '\0');
    write_text(dir / "t.npy", header + data);
    const auto inode_of = [&] {
        struct stat status = {};
        ::stat((dir / "t.npy").c_str(), &status);
        return status.st_ino;
    };
    const auto former = inode_of();

    append(dir / "t.npy", any_array(info.type, {1}));

    CHECK(inspect(dir / "t.npy").shape == std::vector<std::size_t>{10});
    CHECK(inode_of() != former);
}

TEST_CASE("append keeps the version and the place of the data of a foreign header", "[npy][append]") {
    const temp_dir dir;
    const array_info info{.type = dtype::plain('f', 8), .shape = {9}};
    const auto first = counted_up(1, 9);
    write_with_header(dir / "t.npy", info, {.version = 2, .length = 4096}, bytes_of(first.data(), 72));

    append(dir / "t.npy", xt::xtensor<double, 1>{9});

    const auto now = inspect(dir / "t.npy");
    CHECK(now.version == 2);
    CHECK(now.data_offset == 4096);
    CHECK(fs::file_size(dir / "t.npy") == 4096 + 80);
    CHECK((load<double, 1>(dir / "t.npy") == xt::arange<double>(10)));
}

// Bytes after the data -----------------------------------------------------------------------------------------------

TEST_CASE("append overwrites what a killed one left", "[npy][append]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(3, 4));
    add_bytes(dir / "t.npy", "leavings, more than one row of them: 40 b");

    append(dir / "t.npy", counted_up(2, 4, 12));

    CHECK((load<double, 2>(dir / "t.npy") == counted_up(5, 4)));
}

TEST_CASE("append refuses a file with a second array behind the first", "[npy][append][error]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(3, 4));
    add_bytes(dir / "t.npy", read_text(dir / "t.npy"));

    const auto e = refused<mismatch_error>(dir, dir / "t.npy", counted_up(2, 4));

    CHECK(e.file() == dir / "t.npy");
    CHECK(e.found() == "followed by a second array");
}

// Rejected appends ---------------------------------------------------------------------------------------------------

TEST_CASE("append refuses rows of another shape and leaves the file alone", "[npy][append][error]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(3, 4), {.meta = {{"a", 1}}});

    const auto e = refused<mismatch_error>(dir, dir / "t.npy", counted_up(2, 5));
    CHECK(e.file() == dir / "t.npy");
    CHECK(e.expected() == "(3, 4) except along axis 0");
    CHECK(e.found() == "(2, 5)");
    (void)refused<mismatch_error>(dir, dir / "t.npy", xt::xtensor<double, 1>{1, 2, 3, 4});
    verify(dir / "t.npy");
}

TEST_CASE("append refuses rows of another dtype and leaves the file alone", "[npy][append][error]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(3, 4));

    const auto e = refused<mismatch_error>(dir, dir / "t.npy", xt::xtensor<float, 2>({2, 4}, 1));

    CHECK(e.file() == dir / "t.npy");
    CHECK(e.field() == "dtype");
}

TEST_CASE("append refuses a scalar", "[npy][append][error]") {
    const temp_dir dir;
    save(dir / "t.npy", 1.5);

    (void)refused<mismatch_error>(dir, dir / "t.npy", 2.5);
}

TEST_CASE("append refuses a file that is cut short, and one that is no array", "[npy][append][error]") {
    const temp_dir dir;
    save(dir / "short.npy", counted_up(3, 4));
    fs::resize_file(dir / "short.npy", 200);
    write_text(dir / "text.npy", "no array at all");

    (void)refused<format_error>(dir, dir / "short.npy", counted_up(2, 4));
    (void)refused<format_error>(dir, dir / "text.npy", counted_up(2, 4));
}

// Sidecars -----------------------------------------------------------------------------------------------------------

TEST_CASE("append extends sums and statistics to those of the whole", "[npy][append]") {
    const temp_dir dir;
    const save_options all{.meta = {{"units", "K"}}, .sum = checksum::crc32 | checksum::crc32c, .statistics = true};
    auto whole = counted_up(7, 4, -3);
    whole(1, 2) = std::numeric_limits<double>::quiet_NaN();
    whole(6, 0) = 1e6;
    save(dir / "t.npy", matrix(xt::view(whole, xt::range(0, 3))), all);

    append(dir / "t.npy", xt::view(whole, xt::range(3, 6)));
    append(dir / "t.npy", xt::view(whole, xt::range(6, 7)));

    save(dir / "whole.npy", whole, all);
    const auto grown = said_in(dir / "t.npy");
    const auto at_once = said_in(dir / "whole.npy");
    CHECK(grown["array"] == at_once["array"]);
    CHECK(grown["checksums"] == at_once["checksums"]);
    CHECK(grown["metadata"] == at_once["metadata"]);
    for (const auto key : {"count", "nan", "min", "max"})
        CHECK(grown["statistics"][key] == at_once["statistics"][key]);
    for (const auto key : {"mean", "std"})
        CHECK(std::abs(grown["statistics"][key].get<double>() / at_once["statistics"][key].get<double>() - 1) < 1e-12);
    CHECK_FALSE(grown.contains("previous"));
    verify(dir / "t.npy");
}

TEST_CASE("append drops an md5, which cannot be extended, and still has a sum", "[npy][append]") {
    const temp_dir dir;
    save(dir / "both.npy", counted_up(3, 4), {.sum = checksum::md5 | checksum::crc32});
    save(dir / "md5.npy", counted_up(3, 4), {.sum = checksum::md5});

    append(dir / "both.npy", counted_up(2, 4, 12));
    append(dir / "md5.npy", counted_up(2, 4, 12));

    save(dir / "whole.npy", counted_up(5, 4), {.sum = checksum::crc32 | checksum::crc32c});
    const auto sums = said_in(dir / "whole.npy")["checksums"];
    CHECK(said_in(dir / "both.npy")["checksums"] == json{{"crc32", sums["crc32"]}});
    CHECK(said_in(dir / "md5.npy")["checksums"] == json{{"crc32c", sums["crc32c"]}});
    verify(dir / "both.npy");
    verify(dir / "md5.npy");
}

TEST_CASE("append extends the sidecar of a column-major file", "[npy][append]") {
    const temp_dir dir;
    const save_options all{.sum = checksum::crc32, .statistics = true};
    const column_matrix whole = counted_up(3, 6);
    save(dir / "t.npy", column_matrix(xt::view(whole, xt::all(), xt::range(0, 4))), all);

    append(dir / "t.npy", xt::view(whole, xt::all(), xt::range(4, 6)));

    save(dir / "whole.npy", whole, all);
    CHECK(said_in(dir / "t.npy")["checksums"] == said_in(dir / "whole.npy")["checksums"]);
    verify(dir / "t.npy");
}

TEST_CASE("append merges the statistics of every field of a struct", "[npy][append]") {
    const temp_dir dir;
    save(dir / "t.npy", std::vector<tick>{{1, 2.5, 3}}, {.statistics = true});

    append(dir / "t.npy", std::vector<tick>{{4, 5.5, 6}, {7, 1.0, 9}});

    const auto fields = said_in(dir / "t.npy")["statistics"]["fields"];
    CHECK(fields["time"]["max"] == 7);
    CHECK(fields["price"]["min"] == 1.0);
    CHECK(fields["price"]["mean"] == 3.0);
    CHECK(fields["size"]["count"] == 3);
    verify(dir / "t.npy");
}

TEST_CASE("append to data that was changed by others does not vouch for it", "[npy][append]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(3, 4), {.meta = {{"a", 1}}});
    auto bytes = read_text(dir / "t.npy");
    bytes[130] = static_cast<char>(bytes[130] ^ 1);
    write_text(dir / "t.npy", bytes);
    fs::last_write_time(dir / "t.npy", fs::file_time_type::clock::now() + std::chrono::hours(1));

    append(dir / "t.npy", counted_up(2, 4));

    CHECK_THROWS_AS(verify(dir / "t.npy"), error);
    CHECK_THROWS_AS((void)metadata(dir / "t.npy"), mismatch_error);
}

}  // namespace added_rows::append_tests
