// SPDX-License-Identifier: BSD-3-Clause
// Complete arrays saved as chunks: all element types and shapes, also over existing datasets.
#include "chunks/dataset.hpp"

#include <ndkeep/element/bfloat16.hpp>
#include <ndkeep/element/float16.hpp>
#include <ndkeep/element/text.hpp>

#include <chrono>
#include <complex>
#include <sys/stat.h>
#include <unistd.h>

namespace chunks_save_tests {

namespace nk = ndkeep;
using namespace dataset;

namespace chunk_save {

struct reading {
    std::int64_t time;
    double value;
    std::int32_t flags[2];
    std::int8_t kind;  // followed by padding
};
NDKEEP_FIELDS(reading, time, value, flags, kind);

}  // namespace chunk_save

namespace {

using chunk_save::reading;

template <class T>
T number(std::size_t i) {
    return static_cast<T>(i % 120);
}
template <>
bool number<bool>(std::size_t i) {
    return i % 3 == 0;
}
template <>
std::complex<double> number<std::complex<double>>(std::size_t i) {
    return {static_cast<double>(i), -0.5};
}
template <>
nk::float16 number<nk::float16>(std::size_t i) {
    return nk::float16(static_cast<float>(i) / 2);
}
template <>
nk::bfloat16 number<nk::bfloat16>(std::size_t i) {
    return nk::bfloat16(static_cast<float>(i) / 2);
}
template <>
nk::fixed_string<5> number<nk::fixed_string<5>>(std::size_t i) {
    return {std::to_string(i % 99999)};
}
using day = std::chrono::sys_days;
using nanoseconds = std::chrono::sys_time<std::chrono::nanoseconds>;
template <>
nanoseconds number<nanoseconds>(std::size_t i) {
    return nanoseconds(std::chrono::nanoseconds(1'700'000'000'000'000'000 + static_cast<std::int64_t>(i)));
}
template <>
std::chrono::milliseconds number<std::chrono::milliseconds>(std::size_t i) {
    return std::chrono::milliseconds(static_cast<std::int64_t>(i) - 40);
}
template <>
reading number<reading>(std::size_t i) {
    reading row;
    std::memset(static_cast<void*>(&row), 0, sizeof row);
    row.time = static_cast<std::int64_t>(i);
    row.value = static_cast<double>(i) / 3;
    row.flags[0] = row.flags[1] = static_cast<std::int32_t>(i);
    row.kind = static_cast<std::int8_t>(i % 100);
    return row;
}

template <class T, std::size_t N>
xt::xtensor<T, N> numbers(const std::array<std::size_t, N>& shape) {
    xt::xtensor<T, N> array(shape);
    for (std::size_t i = 0; i < array.size(); ++i)
        array.data()[i] = number<T>(i);
    return array;
}

}  // namespace

TEMPLATE_TEST_CASE("save_chunked keeps every kind of element", "[chunks]", bool, std::int8_t, std::uint8_t,
                   std::int16_t, std::uint16_t, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, nk::float16,
                   nk::bfloat16, float, double, std::complex<double>, nk::fixed_string<5>, nanoseconds,
                   std::chrono::milliseconds, reading) {
    const temp_dir dir;
    const auto flat = numbers<TestType, 1>({103});
    const auto deep = numbers<TestType, 3>({11, 2, 3});

    nk::save_chunked(dir / "flat", flat, {.rows_per_chunk = 10, .commit = unsynced});
    nk::save_chunked(dir / "deep", deep, {.rows_per_chunk = 4, .sum = nk::checksum::md5, .commit = unsynced});

    check_rows(dir / "flat", flat);
    check_rows(dir / "deep", deep);
    CHECK(nk::chunk_reader<TestType, 1>(dir / "flat").size() == 11);
    const auto any = nk::load_chunked_any(dir / "deep");
    CHECK(any.shape() == std::vector<std::size_t>{11, 2, 3});
    CHECK((any.type() == nk::dtype_of<TestType>()));
    CHECK(std::memcmp(any.bytes().data(), deep.data(), any.bytes().size()) == 0);
}

TEST_CASE("the padding of structs is written as zeros", "[chunks]") {
    const temp_dir dir;
    auto array = numbers<reading, 1>({20});
    const auto expected = array;
    for (std::size_t i = 0; i < array.size(); ++i)
        std::memset(reinterpret_cast<char*>(&array.data()[i]) + 25, 0x5a, 7);

    nk::save_chunked(dir / "a", array, {.rows_per_chunk = 7, .commit = unsynced});
    nk::chunk_writer<reading, 1> more(dir / "a", {.rows_per_chunk = 7, .commit = unsynced});
    more.append(array);
    more.write(3, xt::xtensor<reading, 1>(xt::view(array, xt::range(3, 5))));
    more.commit();

    const auto any = nk::load_chunked_any(dir / "a");
    const std::size_t size = array.size() * sizeof(reading);
    CHECK(std::memcmp(any.bytes().data(), expected.data(), size) == 0);
    CHECK(std::memcmp(any.bytes().data() + size, expected.data(), size) == 0);
    nk::verify_chunked(dir / "a");
}

TEST_CASE("chunks have as many rows as were asked for, the last one fewer", "[chunks]") {
    const temp_dir dir;
    const auto array = numbers<double, 2>({100, 3});

    for (const std::size_t rows : {1U, 2U, 7U, 33U, 99U, 100U, 101U, 1000U}) {
        const auto path = dir / std::to_string(rows);
        nk::save_chunked(path, array, {.rows_per_chunk = rows, .commit = unsynced});

        check_rows(path, array);
        const nk::chunk_reader<double, 2> reader(path);
        REQUIRE(reader.size() == (100 + rows - 1) / rows);
        for (std::size_t i = 0; i < reader.size(); ++i)
            CHECK(reader[i].shape()[0] == std::min(rows, 100 - i * rows));
    }
}

TEST_CASE("chunk_bytes is about so many bytes, and by default 16 MiB", "[chunks]") {
    CHECK(nk::chunk_bytes(1 << 20).rows(8) == 1 << 17);
    CHECK(nk::chunk_bytes(std::uint64_t{1} << 20).rows(24) == 40960);  // a multiple of 64 KiB, and not more than 1 MiB
    CHECK(nk::chunk_bytes(100).rows(8) == 12);
    CHECK(nk::chunk_bytes(1).rows(8) == 1);
    CHECK(nk::chunk_size().rows(8) == 1 << 21);
    // Only for row sizes where this is possible: rows of 4104 bytes would need chunks of 32 MiB.
    for (const std::uint64_t row_bytes : {1U, 2U, 3U, 8U, 12U, 24U, 100U, 255U, 1000U, 4096U, 65536U})
        if (const auto bytes = nk::chunk_size().rows(row_bytes) * row_bytes; bytes % 65536 != 0)
            FAIL_CHECK(row_bytes << " bytes a row: " << bytes);
}

TEST_CASE("arrays without rows, and with one row", "[chunks]") {
    const temp_dir dir;
    for (const std::size_t rows : {0U, 1U}) {
        const auto path = dir / std::to_string(rows);
        const auto array = numbers<float, 2>({rows, 5});

        nk::save_chunked(path, array, {.commit = unsynced});

        check_rows(path, array);
        const nk::chunk_reader<float, 2> reader(path);
        CHECK(reader.empty() == (rows == 0));
        CHECK(reader.shape() == std::vector<std::size_t>{rows, 5});
    }
    // A dataset that is still empty accepts rows.
    nk::chunk_writer<float, 2> writer(dir / "0", {.commit = unsynced});
    writer.append(numbers<float, 2>({3, 5}));
    writer.commit();
    check_rows(dir / "0", numbers<float, 2>({3, 5}));

    CHECK_THROWS_AS(nk::save_chunked(dir / "scalar", xt::xarray<double>(1.0)), nk::mismatch_error);
}

TEST_CASE("expressions, column-major arrays and strided views are saved as they read", "[chunks]") {
    const temp_dir dir;
    const auto array = numbers<double, 2>({50, 4});
    const xt::xarray<double, xt::layout_type::column_major> columns = array;

    nk::save_chunked(dir / "lazy", array * 2 + 1, {.rows_per_chunk = 7, .commit = unsynced});
    nk::save_chunked(dir / "columns", columns, {.rows_per_chunk = 7, .commit = unsynced});
    nk::save_chunked(dir / "view", xt::view(array, xt::range(1, 49, 3), xt::range(1, 3)),
                     {.rows_per_chunk = 3, .commit = unsynced});

    check_rows(dir / "lazy", xt::xtensor<double, 2>(array * 2 + 1));
    check_rows(dir / "columns", array);
    check_rows(dir / "view", xt::xtensor<double, 2>(xt::view(array, xt::range(1, 49, 3), xt::range(1, 3))));
}

TEST_CASE("save_chunked over a dataset is one commit that replaces all rows", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto old = numbers<double, 2>({20, 3});
    const xt::xtensor<double, 2> fresh = numbers<double, 2>({9, 3}) + 0.5;
    nk::save_chunked(path, old, {.rows_per_chunk = 6, .commit = unsynced});
    const nk::chunk_reader<double, 2> before(path);

    nk::save_chunked(path, fresh, {.rows_per_chunk = 4, .commit = unsynced});

    check_rows(path, fresh);
    CHECK(nk::inspect_chunked(path).commit == 2);
    CHECK(same_chunk_by_chunk(before, old));
    CHECK(same(nk::load_chunked<double, 2>(path, {.at_commit = 1}), old));
    CHECK(same(nk::map_chunked<double, 2>(path, {.at_commit = 1}), old));
    CHECK(same(nk::load_chunked<double, 2>(path, {.at_commit = 2}), fresh));
    CHECK(nk::inspect_chunked(path, {.at_commit = 1}).shape == std::vector<std::size_t>{20, 3});
    const auto e = thrown<nk::conflict_error>([&] { (void)nk::load_chunked<double>(path, {.at_commit = 3}); });
    CHECK(e.field() == "commit 3");
    CHECK_THROWS_AS(nk::load_chunked<double>(path, {.at_commit = 0}), nk::conflict_error);
}

TEST_CASE("save_chunked refuses another dtype or row shape unless it may replace them", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto old = numbers<double, 2>({20, 3});
    nk::save_chunked(path, old, {.commit = unsynced});

    const auto dtype = thrown<nk::mismatch_error>([&] {
        nk::save_chunked(path, numbers<float, 2>({20, 3}), {.commit = unsynced});
    });
    const auto shape = thrown<nk::mismatch_error>([&] {
        nk::save_chunked(path, numbers<double, 2>({20, 4}), {.commit = unsynced});
    });

    CHECK(dtype.field() == "dtype");
    CHECK(shape.field() == "shape of a row");
    CHECK(shape.hint().find("replace_type") != std::string::npos);
    check_rows(path, old);
    CHECK(nk::inspect_chunked(path).commit == 1);
    CHECK(orphans(path).empty());

    nk::save_chunked(path, numbers<std::int32_t, 3>({5, 2, 2}), {.replace_type = true, .commit = unsynced});

    check_rows(path, numbers<std::int32_t, 3>({5, 2, 2}));
    CHECK(same(nk::load_chunked<double, 2>(path, {.at_commit = 1}), old));
}

TEST_CASE("metadata stays until other metadata is given", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto array = numbers<double, 1>({20});
    const auto metadata = [&] { return nk::chunk_reader<double, 1>(path).metadata(); };

    nk::save_chunked(path, array, {.meta = {{"site", "A7"}, {"limit", 1.5}}, .commit = unsynced});
    CHECK((metadata() == nk::json{{"site", "A7"}, {"limit", 1.5}}));

    nk::save_chunked(path, array, {.commit = unsynced});
    nk::compact_chunked(path, {.commit = unsynced});
    CHECK((metadata() == nk::json{{"site", "A7"}, {"limit", 1.5}}));

    nk::chunk_writer<double, 1> writer(path, {.commit = unsynced});
    writer.append(array);
    writer.commit();
    CHECK((metadata() == nk::json{{"site", "A7"}, {"limit", 1.5}}));
    writer.set_metadata({{"run", 7}});
    CHECK(writer.commit() > 2);
    CHECK((metadata() == nk::json{{"run", 7}}));
    CHECK((nk::inspect_chunked(path).metadata == nk::json{{"run", 7}}));
    CHECK_THROWS_AS(writer.set_metadata({1, 2}), nk::mismatch_error);

    nk::save_chunked(path, array, {.meta = nk::json::object(), .commit = unsynced});
    CHECK((metadata() == nk::json::object()));
}

TEST_CASE("numbers of metadata that are not finite come back as numbers, through every commit", "[chunks]") {
    const temp_dir dir;
    const nk::json meta = {{"limit", std::numeric_limits<double>::infinity()}, {"text", "Infinity"}};
    nk::save_chunked(dir / "a", numbers<double, 1>({20}), {.meta = meta, .commit = unsynced});
    nk::chunk_writer<double, 1> writer(dir / "a", {.commit = unsynced});
    writer.append(numbers<double, 1>({3}));
    writer.commit();

    CHECK((nk::inspect_chunked(dir / "a").metadata == meta));
    const auto record = nk::json::parse(read_text(dir / "a/commits/00000000000000000002.json"));
    CHECK(record["metadata"]["limit"] == "Infinity");
    CHECK(record["nonfinite"] == nk::json{"/metadata/limit"});
}

TEST_CASE("describe_chunked changes the metadata, and no row", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto array = numbers<double, 1>({20});
    nk::save_chunked(path, array, {.rows_per_chunk = 7, .meta = {{"site", "A7"}}, .commit = unsynced});
    const auto before = nk::inspect_chunked(path);

    nk::describe_chunked(path, {.meta = {{"run", 7}}, .commit = unsynced});

    const auto after = nk::inspect_chunked(path);
    CHECK((after.metadata == nk::json{{"run", 7}}));
    CHECK(after.commit == before.commit + 1);
    CHECK(after.chunks == before.chunks);
    nk::describe_chunked(path, {.commit = unsynced});
    CHECK((nk::inspect_chunked(path).metadata == nk::json{{"run", 7}}));
    CHECK_THROWS_AS(nk::describe_chunked(path, {.meta = {1, 2}}), nk::mismatch_error);
    CHECK_THROWS_AS(nk::describe_chunked(dir / "none", {.meta = {{"run", 7}}}), nk::io_error);
    CHECK_FALSE(std::filesystem::exists(dir / "none"));
}

TEST_CASE("metadata of as many values as are taken can be read back", "[chunks][error]") {
    const temp_dir dir;
    const auto values = [](std::size_t count) { return nk::json{{"list", std::vector<int>(count - 2)}}; };
    constexpr std::size_t most = 131'072;
    nk::chunk_writer<double, 1> writer(dir / "a", {.commit = unsynced});
    writer.append(numbers<double, 1>({20}));

    CHECK(thrown<nk::mismatch_error>([&] { writer.set_metadata(values(most + 1)); }).field() == "metadata");
    CHECK(thrown<nk::mismatch_error>([&] { writer.set_metadata({{"text", "\xff"}}); }).file() == dir / "a");
    writer.set_metadata(values(most));
    writer.commit();

    CHECK((nk::chunk_reader<double, 1>(dir / "a").metadata() == values(most)));
}

TEST_CASE("another dtype or rank is refused by readers and writers", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, numbers<double, 2>({20, 3}), {.commit = unsynced});

    CHECK_THROWS_AS((nk::load_chunked<std::int32_t, 2>(path)), nk::mismatch_error);
    CHECK_THROWS_AS((nk::load_chunked<double, 1>(path)), nk::mismatch_error);
    CHECK_THROWS_AS((nk::map_chunked<float, 2>(path)), nk::mismatch_error);
    CHECK_THROWS_AS((nk::chunk_writer<double, 3>(path)), nk::mismatch_error);
    CHECK_THROWS_AS((nk::chunk_writer<std::int64_t, 2>(path)), nk::mismatch_error);
    nk::chunk_writer<double> writer(path, {.commit = unsynced});
    CHECK_THROWS_AS(writer.append(numbers<double, 2>({2, 4})), nk::mismatch_error);
    CHECK_THROWS_AS(writer.append(numbers<double, 1>({3})), nk::mismatch_error);
    CHECK_THROWS_AS((nk::chunk_reader<double, 2>(path).rows(3, 21)), nk::mismatch_error);
    CHECK_THROWS_AS((nk::chunk_reader<double, 2>(path).rows(3, 2)), nk::mismatch_error);
    const auto any_rank = nk::load_chunked<double>(path);
    CHECK(any_rank.dimension() == 2);
}

TEST_CASE("big-endian and packed data is kept as it is and converted where it is loaded", "[chunks]") {
    const temp_dir dir;
    const auto type = nk::dtype::parse(">i4");
    const std::array<unsigned char, 12> bytes = {0, 0, 0, 1, 0, 0, 1, 0, 255, 255, 255, 255};
    nk::save_chunked(dir / "a", nk::array_view(type, {3}, reinterpret_cast<const std::byte*>(bytes.data())),
                     {.rows_per_chunk = 2, .commit = unsynced});

    const auto loaded = nk::load_chunked<std::int32_t, 1>(dir / "a");

    CHECK((loaded == xt::xtensor<std::int32_t, 1>{1, 256, -1}));
    CHECK((nk::load_chunked_any(dir / "a").type() == type));
    CHECK_THROWS_AS((nk::map_chunked<std::int32_t, 1>(dir / "a")), nk::mismatch_error);
    nk::verify_chunked(dir / "a");
}

TEST_CASE("inspect_chunked says what there is", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, numbers<std::int16_t, 1>({25}),
                     {.rows_per_chunk = 10, .sum = nk::checksum::crc32, .order_by = "", .commit = unsynced});
    nk::save_chunked(path, numbers<std::int16_t, 1>({26}),
                     {.rows_per_chunk = 10, .sum = nk::checksum::crc32, .commit = unsynced});

    const auto info = nk::inspect_chunked(path);

    CHECK(info.type.str() == "<i2");
    CHECK(info.shape == std::vector<std::size_t>{26});
    CHECK(info.commit == 2);
    CHECK(info.commits == 2);
    CHECK((info.order_by == std::string()));
    CHECK((info.sum == nk::checksum::crc32));
    REQUIRE(info.chunks.size() == 3);
    CHECK(info.chunks[2].rows == 6);
    CHECK(info.chunks[2].nbytes == 12);
    CHECK(std::get<std::int64_t>(*info.chunks[1].min) == 10);
    CHECK(std::get<std::int64_t>(*info.chunks[1].max) == 19);
}

TEST_CASE("compact_chunked puts small chunks together and changes no row", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto array = numbers<double, 2>({100, 3});
    nk::save_chunked(path, array, {.rows_per_chunk = 3, .meta = {{"a", 1}}, .commit = unsynced});
    const nk::chunk_reader<double, 2> before(path);

    nk::compact_chunked(path, {.rows_per_chunk = 25, .commit = unsynced});

    check_rows(path, array);
    CHECK(nk::chunk_reader<double, 2>(path).size() <= 5);
    CHECK(same_chunk_by_chunk(before, array));
    const auto commit = nk::inspect_chunked(path).commit;
    nk::compact_chunked(path, {.rows_per_chunk = 25, .commit = unsynced});
    nk::compact_chunked(path, {.rows_per_chunk = 25, .commit = unsynced});
    check_rows(path, array);
    CHECK(nk::inspect_chunked(path).commit <= commit + 1);  // nothing is left to compact
    nk::compact_chunked(path, {.commit = unsynced});
    CHECK(nk::chunk_reader<double, 2>(path).size() == 1);
    check_rows(path, array);
}

TEST_CASE("prune_chunked keeps the newest commits and the files that they name", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    for (int i = 0; i < 10; ++i)
        nk::save_chunked(path, numbers<double, 1>({20 + static_cast<std::size_t>(i)}),
                         {.rows_per_chunk = 8, .commit = unsynced});

    CHECK(nk::prune_chunked(path, {.keep = 4}) == 6);

    CHECK(records(path).size() == 4);
    CHECK(orphans(path).empty());
    CHECK(same(nk::load_chunked<double, 1>(path, {.at_commit = 7}), numbers<double, 1>({26})));
    CHECK_THROWS_AS((nk::load_chunked<double, 1>(path, {.at_commit = 6})), nk::conflict_error);
    CHECK(nk::prune_chunked(path, {.keep = 4}) == 0);
    CHECK(nk::prune_chunked(path, {.keep = 400}) == 0);
    CHECK(nk::prune_chunked(path) == 3);
    check_rows(path, numbers<double, 1>({29}));
    CHECK(chunk_files(path).size() == 4);
    CHECK_THROWS_AS(nk::prune_chunked(path, {.keep = 0}), nk::mismatch_error);
}

TEST_CASE("a version that is read is not pruned, nor is any after it", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto save = [&](std::size_t rows) {
        nk::save_chunked(path, numbers<double, 1>({rows}), {.rows_per_chunk = 8, .commit = unsynced});
    };
    for (std::size_t i = 0; i < 3; ++i)
        save(20 + i);
    {
        const nk::chunk_reader<double, 1> reader(path, {.at_commit = 2});
        for (std::size_t i = 3; i < 6; ++i)
            save(20 + i);

        CHECK(nk::prune_chunked(path) == 1);

        CHECK(same_chunk_by_chunk(reader, numbers<double, 1>({21})));
    }
    CHECK(nk::prune_chunked(path) == 4);
    CHECK(chunk_files(path).size() == 4);
}

TEST_CASE("without the lock file a reader of a pruned version is told so", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto save = [&](double first) {
        nk::save_chunked(path, xt::xtensor<double, 1>(numbers<double, 1>({100}) + first),
                         {.rows_per_chunk = 40, .commit = unsynced});
    };
    save(0);
    std::filesystem::remove(path / "lock");
    const nk::chunk_reader<double, 1> reader(path);
    CHECK(!std::filesystem::exists(path / "lock"));  // readers create no files
    save(1);
    nk::prune_chunked(path);

    for (const auto& read :
         {std::function<void()>([&] { (void)reader.rows(0, 10); }), std::function<void()>([&] { (void)reader[1]; }),
          std::function<void()>([&] { (void)reader.map(); })}) {
        const auto e = thrown<nk::conflict_error>(read);
        CHECK(e.field() == "commit 1");
        CHECK(e.found() == "pruned");
    }
}

TEST_CASE("what is no chunked array is an error that says so", "[chunks][error]") {
    const temp_dir dir;
    std::filesystem::create_directory(dir / "empty");
    write_text(dir / "file", "x");

    for (const char* const name : {"none", "empty", "file", "empty/inner"}) {
        INFO(name);
        const auto path = dir / name;
        CHECK_THROWS_AS((nk::load_chunked<double>(path)), nk::io_error);
        CHECK_THROWS_AS((nk::map_chunked<double>(path)), nk::io_error);
        CHECK_THROWS_AS((nk::chunk_reader<double>(path)), nk::io_error);
        CHECK_THROWS_AS(nk::verify_chunked(path), nk::io_error);
        CHECK(nk::findings_chunked(path).size() == 1);
        CHECK_THROWS_AS(nk::inspect_chunked(path), nk::io_error);
    }
    CHECK(std::filesystem::is_empty(dir / "empty"));
    for (const char* const name : {"none", "file", "none/inner"}) {
        INFO(name);
        CHECK_THROWS_AS(nk::compact_chunked(dir / name), nk::io_error);
        CHECK_THROWS_AS(nk::prune_chunked(dir / name), nk::io_error);
        CHECK_THROWS_AS(nk::recover_chunked(dir / name), nk::io_error);
    }
    CHECK_THROWS_AS(nk::save_chunked(dir / "file", numbers<double, 1>({3})), nk::io_error);
    CHECK_THROWS_AS(nk::save_chunked(dir / "none/inner", numbers<double, 1>({3})), nk::io_error);
    CHECK_THROWS_AS((nk::chunk_writer<double, 1>(dir / "none/inner")), nk::io_error);
    CHECK(!std::filesystem::exists(dir / "none"));
}

TEST_CASE("upkeep of an empty directory is an error and leaves it empty", "[chunks][error]") {
    const temp_dir dir;
    std::filesystem::create_directory(dir / "empty");

    CHECK_THROWS_AS(nk::compact_chunked(dir / "empty"), nk::io_error);
    CHECK_THROWS_AS(nk::recover_chunked(dir / "empty"), nk::io_error);
    CHECK_THROWS_AS(nk::prune_chunked(dir / "empty"), nk::io_error);

    CHECK(std::filesystem::is_empty(dir / "empty"));
}

TEST_CASE("a chunk that may not be read is an io_error that names it", "[chunks][error]") {
    if (::geteuid() == 0)
        return;  // root can read everything
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, numbers<double, 1>({20}), {.rows_per_chunk = 10, .commit = unsynced});
    const auto file = path / "chunks" / nk::inspect_chunked(path).chunks[1].file;
    ::chmod(file.c_str(), 0);

    const auto e = thrown<nk::io_error>([&] { (void)nk::load_chunked<double, 1>(path); });

    CHECK(e.file() == file);
    CHECK((e.code() == std::errc::permission_denied));
    CHECK_THROWS_AS((nk::map_chunked<double, 1>(path)), nk::io_error);
    CHECK(nk::findings_chunked(path).size() == 1);
}

TEST_CASE("progress says how far it is, and a stop leaves the old version", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto old = numbers<double, 1>({1000}), fresh = numbers<double, 1>({2000});
    nk::save_chunked(path, old, {.rows_per_chunk = 100, .commit = unsynced});
    std::vector<nk::progress> told;
    const auto note = [&](const nk::progress& p) {
        told.push_back(p);
        return nk::flow::go;
    };

    nk::save_chunked(path, old, {.rows_per_chunk = 100, .commit = unsynced, .run = {.progress = note}});
    REQUIRE(told.size() >= 2);
    CHECK(told.front().phase == "save");
    CHECK(told.front().items == 0);
    CHECK(told.front().items_total == 1000);
    CHECK(told.back().bytes_total == 8000);
    CHECK(told.back().items == 1000);
    CHECK(told.back().bytes == 8000);
    told.clear();
    (void)nk::load_chunked<double>(path, {.run = {.progress = note}});
    CHECK(told.front().phase == "load");
    CHECK(told.back().items == told.back().items_total);
    CHECK(told.back().bytes == 8000);
    told.clear();
    (void)nk::findings_chunked(path, {.run = {.progress = note}});
    CHECK(told.front().phase == "verify");
    CHECK(told.back().bytes == 8000);
    told.clear();
    nk::compact_chunked(path, {.rows_per_chunk = 500, .commit = unsynced, .run = {.progress = note}});
    CHECK(told.front().phase == "compact");
    nk::save_chunked(path, old, {.rows_per_chunk = 100, .commit = unsynced});

    const auto commit = nk::inspect_chunked(path).commit;
    const auto stop = [](const nk::progress&) { return nk::flow::stop; };
    const auto e = thrown<nk::io_error>(
        [&] { nk::save_chunked(path, fresh, {.rows_per_chunk = 100, .commit = unsynced, .run = {.progress = stop}}); });
    CHECK((e.code() == std::errc::operation_canceled));
    CHECK(nk::inspect_chunked(path).commit == commit);
    CHECK(orphans(path).empty());
    std::atomic<bool> set = true;
    CHECK_THROWS_AS(nk::save_chunked(path, fresh, {.commit = unsynced, .run = {.stop = &set}}), nk::io_error);
    CHECK_THROWS_AS(nk::compact_chunked(path, {.commit = unsynced, .run = {.stop = &set}}), nk::io_error);
    CHECK_THROWS_AS((nk::load_chunked<double>(path, {.run = {.stop = &set}})), nk::io_error);
    check_rows(path, old);
}

TEST_CASE("whoever stops save_chunked or compact_chunked at the last call finds the old version", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto old = numbers<double, 1>({1000});
    nk::save_chunked(path, old, {.rows_per_chunk = 100, .commit = unsynced});
    const auto stop_at = [](std::size_t at) {
        return nk::run_options{.progress = [at, calls = std::size_t{0}](const nk::progress&) mutable {
            return calls++ == at ? nk::flow::stop : nk::flow::go;
        }};
    };

    CHECK_THROWS_AS(nk::compact_chunked(path, {.commit = unsynced, .run = stop_at(1)}), nk::io_error);
    CHECK(nk::inspect_chunked(path).commit == 1);
    CHECK_THROWS_AS(nk::save_chunked(path, numbers<double, 1>({2000}), {.commit = unsynced, .run = stop_at(1)}),
                    nk::io_error);
    CHECK(same(nk::load_chunked<double, 1>(path), old));
}

}  // namespace chunks_save_tests
