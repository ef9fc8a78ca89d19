// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/element/fields.hpp>
#include <ndkeep/npy/load.hpp>
#include <ndkeep/npy/save.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <numeric>
#include <vector>

namespace npy_load_tests {

namespace nk = ndkeep;

namespace {

using shape = std::vector<std::size_t>;
constexpr auto column_layout = xt::layout_type::column_major;

struct sample {
    std::int16_t id;
    double value;
};
NDKEEP_FIELDS(sample, id, value);

template <class T>
std::string bytes_of(const std::vector<T>& elements) {
    return {reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T)};
}

/// A header as NumPy writes it, followed by any data.
void write_npy(const std::filesystem::path& file, const nk::array_info& info, const std::string& data) {
    write_text(file, nk::header_bytes(info) + data);
}

nk::array_info doubles(const shape& extents, nk::order file_order = nk::order::row_major) {
    return {.type = nk::dtype_of<double>(), .shape = extents, .column_major = file_order == nk::order::column_major};
}

/// The i-th number in file order is i.
std::vector<double> counted(const shape& extents) {
    std::vector<double> numbers(nk::detail::product(extents));
    std::iota(numbers.begin(), numbers.end(), 0.0);
    return numbers;
}

/// For each row-major index, the position of the element in file order.
std::vector<double> in_row_order(const shape& extents, nk::order file_order) {
    auto numbers = counted(extents);
    if (file_order == nk::order::row_major)
        return numbers;
    std::vector<double> out;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        std::size_t rest = i;
        std::size_t number = 0;
        std::size_t step = nk::detail::product(extents);
        for (std::size_t axis = extents.size(); axis-- > 0; rest /= extents[axis]) {
            step /= extents[axis];
            number += rest % extents[axis] * step;
        }
        out.push_back(static_cast<double>(number));
    }
    return out;
}

/// Loads both files into both containers and checks every element.
void check_orders(const shape& extents) {
    const temp_dir dir;
    const auto row_strides = nk::detail::strides_of(extents, sizeof(double), nk::order::row_major);
    for (const auto file_order : {nk::order::row_major, nk::order::column_major}) {
        CAPTURE(extents, static_cast<int>(file_order));
        write_npy(dir / "t.npy", doubles(extents, file_order), bytes_of(counted(extents)));
        const auto expected = in_row_order(extents, file_order);

        const auto by_rows = nk::load<double>(dir / "t.npy");
        const auto by_columns = nk::load<double>(dir / "t.npy", nk::column_major);
        const auto any = nk::load_any(dir / "t.npy");

        CHECK(shape(by_rows.shape().begin(), by_rows.shape().end()) == extents);
        CHECK(shape(by_columns.shape().begin(), by_columns.shape().end()) == extents);
        CHECK(by_columns.layout() != xt::layout_type::dynamic);
        CHECK(std::equal(expected.begin(), expected.end(), by_rows.data()));
        std::vector<double> gathered(expected.size());
        const auto strides = nk::detail::strides_of(extents, sizeof(double), nk::order::column_major);
        nk::detail::gather(reinterpret_cast<std::byte*>(gathered.data()), 0, gathered.size(),
                           reinterpret_cast<const std::byte*>(by_columns.data()), strides, extents, sizeof(double));
        CHECK((gathered == expected));
        CHECK((expected.empty() || std::memcmp(any.bytes().data(), expected.data(), any.bytes().size()) == 0));
    }
}

}  // namespace

TEST_CASE("load reads either order of the file into either order of memory", "[npy][load]") {
    check_orders({});
    check_orders({7});
    check_orders({3, 5});
    check_orders({5, 1});
    check_orders({1, 33, 1});
    check_orders({33, 2, 65});
    check_orders({3, 1, 5, 7});
    check_orders({2, 3, 1, 4, 3});
    check_orders({0, 3});
    check_orders({3, 0, 2});
}

TEST_CASE("load puts several panels of a large file together", "[npy][load]") {
    check_orders({3, 701, 701});  // file rows smaller and larger than a block of 4 MiB
    check_orders({1409, 1021});
}

TEST_CASE("load returns the containers its tags and template arguments say", "[npy][load]") {
    STATIC_REQUIRE(std::is_same_v<decltype(nk::load<float>("")), xt::xarray<float>>);
    STATIC_REQUIRE(std::is_same_v<decltype(nk::load<const float>("")), xt::xarray<float>>);
    STATIC_REQUIRE(std::is_same_v<decltype(nk::load<float, 3>("")), xt::xtensor<float, 3>>);
    STATIC_REQUIRE(std::is_same_v<decltype(nk::load<float>("", nk::row_major)), xt::xarray<float>>);
    STATIC_REQUIRE(std::is_same_v<decltype(nk::load<float>("", nk::column_major)), xt::xarray<float, column_layout>>);
    STATIC_REQUIRE(
        std::is_same_v<decltype(nk::load<float, 2>("", nk::column_major)), xt::xtensor<float, 2, column_layout>>);
}

TEST_CASE("load names the dtype that is there and what would read it", "[npy][load]") {
    const temp_dir dir;
    const in_directory here(dir.path());
    std::filesystem::create_directory("run");
    nk::save("run/t.npy", std::vector<float>{1, 2});

    const auto e = thrown<nk::mismatch_error>([] { (void)nk::load<double>("run/t.npy"); });

    CHECK(std::string(e.what()) == "run/t.npy: dtype is '<f4', expected '<f8' (load<float> or load_any)");
    CHECK(e.file() == "run/t.npy");
    CHECK(e.field() == "dtype");
    CHECK(e.found() == "'<f4'");
    CHECK(e.expected() == "'<f8'");
}

TEST_CASE("load's hint is the C++ type of the file's elements", "[npy][load]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    const auto hint = [&](const char* descr) {
        write_npy(file, {.type = nk::dtype::parse(descr), .shape = {0}}, {});
        return thrown<nk::mismatch_error>([&] { (void)nk::load<nk::fixed_bytes<9>>(file); }).hint();
    };

    CHECK(hint("?") == "load<bool> or load_any");
    CHECK(hint("<i2") == "load<std::int16_t> or load_any");
    CHECK(hint(">u8") == "load<std::uint64_t> or load_any");
    CHECK(hint("<f2") == "load<ndkeep::float16> or load_any");
    CHECK(hint("<f16") == "load<long double> or load_any");
    CHECK(hint("<c8") == "load<std::complex<float>> or load_any");
    CHECK(hint("S5") == "load<ndkeep::fixed_string<5>> or load_any");
    CHECK(hint("<U5") == "load<ndkeep::fixed_u32string<5>> or load_any");
    CHECK(hint("V3") == "load<ndkeep::fixed_bytes<3>> or load_any");
    CHECK(hint("<M8[D]") == "load_any");
    CHECK(hint("i4,f8") == "load_any");
}

TEST_CASE("load refuses another rank and says which template argument is right", "[npy][load]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", xt::xarray<double>(xt::ones<double>({2, 3, 4})));

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::load<double, 2>(dir / "t.npy"); });

    CHECK(e.file() == dir / "t.npy");
    CHECK(e.field() == "shape");
    CHECK(e.expected() == "2 dimensions");
    CHECK(e.found() == "(2, 3, 4)");
    CHECK(e.hint() == "load<T, 3> or load<T>");
    CHECK(nk::load<double, 3>(dir / "t.npy")(1, 2, 3) == 1);
    CHECK_THROWS_AS((nk::load<double, 0>(dir / "t.npy")), nk::mismatch_error);
}

TEST_CASE("load swaps the bytes of foreign files", "[npy][load]") {
    const temp_dir dir;
    write_npy(dir / "t.npy", {.type = nk::dtype::parse(">i4"), .shape = {2, 2}, .column_major = true},
              std::string("\0\0\0\1\0\0\0\2\0\0\1\0\xff\xff\xff\xff", 16));

    CHECK((nk::load<std::int32_t, 2>(dir / "t.npy") == xt::xtensor<std::int32_t, 2>{{1, 256}, {2, -1}}));
    const auto any = nk::load_any(dir / "t.npy");
    CHECK(any.type().str() == ">i4");
    CHECK(static_cast<int>(any.bytes()[7]) == 0);
    CHECK(static_cast<int>(any.bytes()[6]) == 1);
}

TEST_CASE("load makes bools of any bytes", "[npy][load]") {
    const temp_dir dir;
    write_npy(dir / "t.npy", {.type = nk::dtype_of<bool>(), .shape = {4}}, std::string("\0\1\2\xff", 4));

    const auto flags = nk::load<bool, 1>(dir / "t.npy");

    std::array<unsigned char, 4> bytes = {};
    std::memcpy(bytes.data(), flags.data(), 4);
    CHECK(bytes == std::array<unsigned char, 4>{0, 1, 1, 1});
}

TEST_CASE("load finds the fields of structs by name, packed, padded or swapped", "[npy][load]") {
    const temp_dir dir;
    write_npy(dir / "t.npy", {.type = nk::dtype::parse("[('value', '>f8'), ('', 'V3'), ('id', '<i2')]"), .shape = {2}},
              std::string("\x3f\xf8\0\0\0\0\0\0???\1\0\x40\0\0\0\0\0\0\0???\xff\xff", 26));

    const auto samples = nk::load<sample, 1>(dir / "t.npy");

    CHECK(samples(0).id == 1);
    CHECK(samples(0).value == 1.5);
    CHECK(samples(1).id == -1);
    CHECK(samples(1).value == 2);
    std::array<unsigned char, 6> padding = {1, 1, 1, 1, 1, 1};
    std::memcpy(padding.data(), reinterpret_cast<const unsigned char*>(samples.data()) + 2, 6);
    CHECK(padding == std::array<unsigned char, 6>{});
}

TEST_CASE("load names the field that differs", "[npy][load]") {
    const temp_dir dir;
    write_npy(dir / "t.npy", {.type = nk::dtype::parse("[('id', '<i2'), ('value', '<f4')]"), .shape = {0}}, {});

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::load<sample>(dir / "t.npy"); });

    CHECK(e.field() == "field 'value'");
    CHECK(e.found() == "'<f4'");
    CHECK(e.expected() == "'<f8'");
    CHECK(e.file() == dir / "t.npy");
}

TEST_CASE("load refuses a truncated file and says how many bytes are missing", "[npy][load]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", xt::xarray<double>(xt::ones<double>({1000})));
    std::filesystem::resize_file(dir / "t.npy", 208);

    const auto e = thrown<nk::format_error>([&] { (void)nk::load<double>(dir / "t.npy"); });

    CHECK(e.field() == "data");
    CHECK(e.expected() == "8000 bytes");
    CHECK(e.found() == "80 bytes");
    CHECK_THROWS_AS(nk::load_any(dir / "t.npy"), nk::format_error);
}

TEST_CASE("load allocates nothing for a shape that the file cannot hold", "[npy][load]") {
    const temp_dir dir;
    write_npy(dir / "t.npy", doubles({std::size_t{1} << 40, 1000}), "12345678");

    CHECK_THROWS_AS(nk::load<double>(dir / "t.npy"), nk::format_error);
}

TEST_CASE("load reads what follows the data of a file no further than the data", "[npy][load]") {
    const temp_dir dir;
    write_npy(dir / "t.npy", doubles({2}), bytes_of<double>({1, 2, 3, 4}));

    CHECK((nk::load<double, 1>(dir / "t.npy") == xt::xtensor<double, 1>{1, 2}));
}

TEST_CASE("load reports a file that is not there", "[npy][load]") {
    const temp_dir dir;

    const auto e = thrown<nk::io_error>([&] { (void)nk::load<double>(dir / "none.npy"); });

    CHECK(e.file() == dir / "none.npy");
    CHECK(e.code() == std::errc::no_such_file_or_directory);
}

TEST_CASE("load's limits can be lowered and raised", "[npy][load]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", xt::xarray<double>(xt::ones<double>({1, 2, 1})));

    CHECK_THROWS_AS(nk::load<double>(dir / "t.npy", {.limit = {.dimensions = 2}}), nk::format_error);
    CHECK_THROWS_AS(nk::load<double>(dir / "t.npy", {.limit = {.header_characters = 20}}), nk::format_error);
    CHECK_THROWS_AS(nk::load<double>(dir / "t.npy", {.limit = {.item_size = 4}}), nk::format_error);
    CHECK(nk::load<double>(dir / "t.npy", {.limit = {.dimensions = 3}}).size() == 2);
}

TEST_CASE("load gives the same with any number of threads", "[npy][load]") {
    const temp_dir dir;
    const shape extents = {900, 1500};
    write_npy(dir / "t.npy", doubles(extents, nk::order::column_major), bytes_of(counted(extents)));
    const auto one = nk::load<double, 2>(dir / "t.npy", {.run = {.threads = 1}});

    for (const unsigned threads : {2U, 3U, 7U})
        CHECK((nk::load<double, 2>(dir / "t.npy", {.run = {.threads = threads}}) == one));

    CHECK(one(2, 1) == 902);
}

TEST_CASE("load tells its progress up to the end", "[npy][load]") {
    const temp_dir dir;
    const shape extents = {1200, 1000};
    write_npy(dir / "t.npy", doubles(extents), bytes_of(counted(extents)));
    std::vector<nk::progress> told;
    const auto tell = [&](const nk::progress& p) {
        told.push_back(p);
        return nk::flow::go;
    };

    (void)nk::load<double>(dir / "t.npy", {.run = {.threads = 2, .progress = tell}});

    REQUIRE(told.size() >= 2);
    CHECK(told.front().phase == "load");
    CHECK(told.front().bytes == 0);
    CHECK(told.front().file == dir / "t.npy");
    CHECK(told.back().bytes == 9'600'000);
    CHECK(told.back().bytes_total == 9'600'000);
    CHECK(told.back().items == told.back().items_total);
}

TEST_CASE("load can be stopped by its progress function and by a flag", "[npy][load]") {
    const temp_dir dir;
    const shape extents = {1200, 1000};
    write_npy(dir / "t.npy", doubles(extents), bytes_of(counted(extents)));
    const std::atomic<bool> stop = true;
    const auto say_stop = [](const nk::progress&) { return nk::flow::stop; };
    const auto code = [](auto&& call) { return thrown<nk::io_error>(call).code(); };

    CHECK(code([&] { (void)nk::load<double>(dir / "t.npy", {.run = {.stop = &stop}}); }) ==
          std::errc::operation_canceled);
    CHECK(code([&] { (void)nk::load_any(dir / "t.npy", {.run = {.progress = say_stop}}); }) ==
          std::errc::operation_canceled);
}

TEST_CASE("load_raw reads headerless files of either order from any offset", "[npy][load]") {
    const temp_dir dir;
    write_text(dir / "data.dat", "x" + bytes_of<float>({1, 2, 3, 4, 5, 6}));

    CHECK((nk::load_raw<float, 1>(dir / "data.dat", {.offset = 1}) == xt::xtensor<float, 1>{1, 2, 3, 4, 5, 6}));
    CHECK((nk::load_raw<float, 2>(dir / "data.dat", {.shape = {2, 3}, .offset = 1}) ==
           xt::xtensor<float, 2>{{1, 2, 3}, {4, 5, 6}}));
    CHECK((nk::load_raw<float, 2>(dir / "data.dat", nk::column_major, {.shape = {2, 3}, .offset = 1}) ==
           xt::xtensor<float, 2>{{1, 3, 5}, {2, 4, 6}}));
    CHECK(nk::load_raw<float>(dir / "data.dat", {.shape = {1, 2, 1}, .offset = 5})(0, 1, 0) == 3);
    CHECK(nk::load_raw<float, 1>(dir / "data.dat", {.offset = 25}).size() == 0);
}

TEST_CASE("load_raw refuses what does not fit the file", "[npy][load]") {
    const temp_dir dir;
    write_text(dir / "data.dat", bytes_of<float>({1, 2, 3}) + "x");
    write_text(dir / "empty.dat", "");

    CHECK_THROWS_AS(nk::load_raw<float>(dir / "data.dat"), nk::format_error);
    CHECK_THROWS_AS(nk::load_raw<float>(dir / "data.dat", {.offset = 14}), nk::format_error);
    CHECK_THROWS_AS(nk::load_raw<float>(dir / "empty.dat"), nk::format_error);
    const auto e = thrown<nk::format_error>([&] { (void)nk::load_raw<float>(dir / "data.dat", {.shape = {2, 2}}); });
    CHECK(e.field() == "data");
    CHECK(e.expected() == "16 bytes");
    CHECK(e.found() == "13 bytes");
    CHECK_THROWS_AS(nk::load_raw<float>(dir / "data.dat", {.shape = {1ULL << 62, 1ULL << 62}}), nk::error);
    CHECK_THROWS_AS(nk::load_raw<float>(dir / "data.dat", {.shape = {-1}}), nk::mismatch_error);
    CHECK_THROWS_AS((nk::load_raw<float, 2>(dir / "data.dat", {.offset = 1})), nk::mismatch_error);
}

TEST_CASE("load_raw_any keeps the byte order it is told", "[npy][load]") {
    const temp_dir dir;
    write_text(dir / "data.dat", std::string("\0\1\0\2\0\3\0\4", 8));

    const auto any = nk::load_raw_any(dir / "data.dat", nk::dtype::parse(">u2"), {.shape = {2, 2}});
    const auto turned =
        nk::load_raw_any(dir / "data.dat", nk::dtype::parse(">u2"), {.shape = {2, 2}}, nk::order::column_major);

    CHECK((any.as<std::uint16_t, 2>() == xt::xtensor<std::uint16_t, 2>{{1, 2}, {3, 4}}));
    CHECK((turned.as<std::uint16_t, 2>() == xt::xtensor<std::uint16_t, 2>{{1, 3}, {2, 4}}));
}

TEST_CASE("load casts times of another unit, and rounds them down", "[npy][time]") {
    using namespace std::chrono;
    temp_dir dir;
    const xt::xtensor<milliseconds, 1> spans{milliseconds(1500), milliseconds(-1500), nk::not_a_time<milliseconds>};
    nk::save(dir / "t.npy", spans);
    const xt::xtensor<sys_days, 1> dates{sys_days(days(-1)), sys_days(days(31))};
    nk::save(dir / "d.npy", dates);

    const auto loaded = nk::load<seconds, 1>(dir / "t.npy");
    CHECK(loaded(0).count() == 1);
    CHECK(loaded(1).count() == -2);
    CHECK(nk::is_not_a_time(loaded(2)));
    CHECK(nk::load<sys_time<nanoseconds>, 1>(dir / "d.npy")(1).time_since_epoch() == days(31));
    CHECK(nk::load<sys_time<months>, 1>(dir / "d.npy")(0).time_since_epoch().count() == -1);
    CHECK_THROWS_AS((nk::load<months>(dir / "t.npy")), nk::mismatch_error);
    CHECK_THROWS_AS((nk::load<sys_seconds>(dir / "t.npy")), nk::mismatch_error);
}

TEST_CASE("load names the time that does not fit the other unit", "[npy][time][error]") {
    using namespace std::chrono;
    temp_dir dir;
    const xt::xtensor<sys_days, 2> dates{{sys_days(days(1)), sys_days(days(2))},
                                         {sys_days(days(200'000)), sys_days(days(3))}};
    nk::save(dir / "d.npy", dates);

    const auto fails = [&](auto... tag) {
        return thrown<nk::mismatch_error>([&] { (void)nk::load<sys_time<nanoseconds>, 2>(dir / "d.npy", tag...); });
    };
    CHECK(fails().field() == "element [1, 0]");
    CHECK(fails().expected() == "a value that fits '<M8[ns]'");
    CHECK(fails().found() == "the count 200000");
    CHECK(fails(nk::column_major).field() == "element [1, 0]");
}

}  // namespace npy_load_tests
