// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/replaced_new.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/element/fields.hpp>
#include <ndkeep/npy/load.hpp>
#include <ndkeep/npy/save.hpp>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <span>
#include <stdexcept>
#include <vector>

namespace nk = ndkeep;

namespace {

thread_local std::size_t allocated = 0;  // total bytes, never decreased

}  // namespace

void* replaced_new::allocate(std::size_t size) noexcept {
    allocated += size;
    return std::malloc(size != 0 ? size : 1);
}
void replaced_new::release(void* memory) noexcept { std::free(memory); }

namespace npy_save_tests {

namespace {

using shape = std::vector<std::size_t>;
using matrix = xt::xtensor<double, 2>;
using column_matrix = xt::xtensor<double, 2, xt::layout_type::column_major>;

struct trade {
    std::int64_t time;
    double price;
    std::int32_t size;
};
NDKEEP_FIELDS(trade, time, price, size);

/// An array with the interface of another array library.
struct grid {
    std::vector<double> elements = {1, 2, 3, 4, 5, 6};
    [[nodiscard]] const double* data() const { return elements.data(); }
    [[nodiscard]] std::array<std::size_t, 2> shape() const { return {2, 3}; }
};

template <class T>
std::string bytes_of(const std::vector<T>& elements) {
    return {reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T)};
}

/// A version 1.0 file as NumPy writes it, composed by hand.
std::string numpy_file(const std::string& dictionary, const std::string& data) {
    std::string text = dictionary;
    text.resize((10 + dictionary.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
    text += '\n';
    const auto length = static_cast<char>(text.size());
    return std::string("\x93NUMPY\x01\x00", 8) + length + '\0' + text + data;
}

/// The properties that `save` writes of any array: type, shape, order and bytes.
void check_saved(const nk::array_view& array, const std::string& descr, const shape& extents, const std::string& data,
                 nk::order written = nk::order::row_major) {
    const temp_dir dir;

    nk::save(dir / "t.npy", array);

    const auto info = nk::inspect(dir / "t.npy");
    CHECK(info.type.descr() == descr);
    CHECK(info.shape == extents);
    CHECK(nk::order_of(info) == written);
    CHECK((read_text(dir / "t.npy").substr(static_cast<std::size_t>(info.data_offset)) == data));
    CHECK(dir.files() == 1);
}

const std::vector<double> six = {1, 2, 3, 4, 5, 6};

}  // namespace

TEST_CASE("save writes the bytes that np.save writes", "[npy][save]") {
    const temp_dir dir;
    const matrix rows = {{1, 2, 3}, {4, 5, 6}};

    nk::save(dir / "rows.npy", rows);
    nk::save(dir / "columns.npy", column_matrix(rows));
    nk::save(dir / "scalar.npy", std::int32_t{7});
    nk::save(dir / "empty.npy", std::vector<float>());
    nk::save(dir / "text.npy", std::vector<nk::fixed_string<2>>{"ab", "c"});

    CHECK((read_text(dir / "rows.npy") ==
           numpy_file("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", bytes_of(six))));
    CHECK((read_text(dir / "columns.npy") == numpy_file("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }",
                                                        bytes_of(std::vector<double>{1, 4, 2, 5, 3, 6}))));
    CHECK((read_text(dir / "scalar.npy") ==
           numpy_file("{'descr': '<i4', 'fortran_order': False, 'shape': (), }", std::string("\7\0\0\0", 4))));
    CHECK(
        (read_text(dir / "empty.npy") == numpy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }", "")));
    CHECK((read_text(dir / "text.npy") ==
           numpy_file("{'descr': '|S2', 'fortran_order': False, 'shape': (2,), }", std::string("abc\0", 4))));
}

TEST_CASE("save takes scalars and the ranges of the standard library", "[npy][save]") {
    const double pairs[2][3] = {{1, 2, 3}, {4, 5, 6}};

    check_saved(2.5, "'<f8'", {}, bytes_of(std::vector<double>{2.5}));
    check_saved(nk::float16(1), "'<f2'", {}, std::string("\0\x3c", 2));
    check_saved(std::complex<float>(1, 2), "'<c8'", {}, bytes_of(std::vector<float>{1, 2}));
    check_saved(nk::fixed_u32string<2>(U"a"), "'<U2'", {}, std::string("a\0\0\0\0\0\0\0", 8));
    check_saved(std::chrono::sys_days(std::chrono::days(1)), "'<M8[D]'", {}, bytes_of(std::vector<std::int64_t>{1}));
    check_saved(six, "'<f8'", {6}, bytes_of(six));
    check_saved(std::vector<bool>{true, false, true}, "'|b1'", {3}, std::string("\1\0\1", 3));
    check_saved(std::array<std::int16_t, 2>{1, 2}, "'<i2'", {2}, std::string("\1\0\2\0", 4));
    check_saved(std::array<std::array<double, 3>, 2>{{{1, 2, 3}, {4, 5, 6}}}, "'<f8'", {2, 3}, bytes_of(six));
    check_saved(pairs, "'<f8'", {2, 3}, bytes_of(six));
    check_saved(std::span<const double>(six), "'<f8'", {6}, bytes_of(six));
    check_saved(grid(), "'<f8'", {2, 3}, bytes_of(six));
}

TEST_CASE("save takes containers and expressions of either order", "[npy][save]") {
    const matrix rows = {{1, 2, 3}, {4, 5, 6}};
    const column_matrix columns = rows;
    const xt::xarray<double> dynamic = rows;
    const auto by_columns = bytes_of(std::vector<double>{1, 4, 2, 5, 3, 6});

    check_saved(rows, "'<f8'", {2, 3}, bytes_of(six));
    check_saved(dynamic, "'<f8'", {2, 3}, bytes_of(six));
    check_saved(columns, "'<f8'", {2, 3}, by_columns, nk::order::column_major);
    check_saved(rows + 0.0, "'<f8'", {2, 3}, bytes_of(six));
    check_saved(columns + 0.0, "'<f8'", {2, 3}, by_columns, nk::order::column_major);
    check_saved(rows + columns * 0.0, "'<f8'", {2, 3}, bytes_of(six));
    check_saved(xt::row(rows, 1), "'<f8'", {3}, bytes_of(std::vector<double>{4, 5, 6}));
    check_saved(xt::view(rows, xt::all(), xt::range(0, 3, 2)), "'<f8'", {2, 2},
                bytes_of(std::vector<double>{1, 3, 4, 6}));
    check_saved(xt::sum(rows, {0}), "'<f8'", {3}, bytes_of(std::vector<double>{5, 7, 9}));
    check_saved(rows > 2.5, "'|b1'", {2, 3}, std::string("\0\0\1\1\1\1", 6));
    check_saved(column_matrix::from_shape({0, 3}), "'<f8'", {0, 3}, "");
}

TEST_CASE("save keeps the byte order of an array of any dtype", "[npy][save]") {
    nk::any_array array(nk::dtype::parse(">i2"), {2});
    std::memcpy(array.bytes().data(), "abcd", 4);

    check_saved(array, "'>i2'", {2}, "abcd");
}

TEST_CASE("save writes structs with their padding as zeros", "[npy][save]") {
    std::vector<trade> trades(2);
    std::memset(static_cast<void*>(trades.data()), 0xab, 2 * sizeof(trade));
    trades[0] = {1, 2.5, 3};
    trades[1] = {2, 3.5, 4};
    std::string expected;
    for (const auto& [time, price, size] : trades)
        expected += bytes_of(std::vector{time}) + bytes_of(std::vector{price}) + bytes_of(std::vector{size}) +
                    std::string(4, '\0');

    check_saved(trades, "[('time', '<i8'), ('price', '<f8'), ('size', '<i4'), ('', '|V4')]", {2}, expected);
}

TEST_CASE("save writes large arrays block by block, in either order", "[npy][save]") {
    const temp_dir dir;
    matrix rows = matrix::from_shape({900, 701});
    std::iota(rows.begin(), rows.end(), 0.0);
    const column_matrix columns = rows;

    nk::save(dir / "rows.npy", rows);
    nk::save(dir / "sum.npy", rows + 1.0);
    nk::save(dir / "columns.npy", columns);
    nk::save(dir / "column_sum.npy", columns + 1.0);
    nk::save(dir / "transpose.npy", xt::view(rows, xt::all(), xt::range(1, 701)));

    CHECK((nk::load<double, 2>(dir / "rows.npy") == rows));
    CHECK((nk::load<double, 2>(dir / "sum.npy") == rows + 1.0));
    CHECK((nk::load<double, 2>(dir / "columns.npy") == rows));
    CHECK((nk::load<double, 2>(dir / "column_sum.npy") == rows + 1.0));
    CHECK(nk::inspect(dir / "column_sum.npy").column_major);
    CHECK((nk::load<double, 2>(dir / "transpose.npy") == xt::view(rows, xt::all(), xt::range(1, 701))));
}

TEST_CASE("save evaluates a lazy expression without a large temporary", "[npy][save]") {
    const temp_dir dir;
    const matrix rows = xt::ones<double>({1000, 2000});  // 16 MB
    const column_matrix columns = rows;
    const auto cost = [&](const nk::array_view& array) {
        const std::size_t before = allocated;
        nk::save(dir / "t.npy", array);
        return allocated - before;
    };
    constexpr std::size_t two_blocks = std::size_t{2} << 20;

    CHECK(cost(rows * 1.8 + 32) < two_blocks);
    CHECK(cost(columns * 1.8 + 32) < two_blocks);
    CHECK(cost(xt::broadcast(3.0, {1000, 2000})) < two_blocks);
    CHECK(cost(xt::view(rows, xt::all(), xt::range(1, 2000))) < two_blocks);
    CHECK(cost(rows) < 100'000);
    CHECK(cost(columns) < 100'000);
}

TEST_CASE("save replaces a file whole", "[npy][save]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", std::vector<double>(1000));

    nk::save(dir / "t.npy", six, {.sync = true});

    CHECK(std::filesystem::file_size(dir / "t.npy") == 128 + 48);
    CHECK(dir.files() == 1);
}

TEST_CASE("save follows symbolic links and keeps the mode of what it replaces", "[npy][save]") {
    const temp_dir dir;
    namespace fs = std::filesystem;
    nk::save(dir / "t.npy", 1.0);
    fs::permissions(dir / "t.npy", fs::perms::owner_read | fs::perms::owner_write);
    fs::create_symlink("t.npy", dir / "link.npy");

    nk::save(dir / "link.npy", six);

    CHECK(fs::is_symlink(dir / "link.npy"));
    CHECK(nk::load<double>(dir / "t.npy").size() == 6);
    CHECK(fs::status(dir / "t.npy").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("save reports a directory that is not there", "[npy][save]") {
    const temp_dir dir;

    const auto missing = thrown<nk::io_error>([&] { nk::save(dir / "none" / "t.npy", 1.0); });

    CHECK(missing.code() == std::errc::no_such_file_or_directory);
    CHECK_THROWS_AS(nk::save(dir.path(), 1.0), nk::io_error);
    CHECK(dir.files() == 0);
}

TEST_CASE("save leaves the old file when an expression throws", "[npy][save]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", six);
    const nk::array_view failing(nk::dtype_of<double>(), {1'000'000},
                                 [](std::size_t first, std::size_t count, std::byte* out) {
                                     if (first != 0)
                                         throw std::runtime_error("no more");
                                     std::memset(out, 0, count * sizeof(double));
                                 });

    CHECK_THROWS_AS(nk::save(dir / "t.npy", failing), std::runtime_error);

    CHECK(nk::load<double>(dir / "t.npy").size() == 6);
    CHECK(dir.files() == 1);
}

TEST_CASE("save tells its progress and can be stopped, with the old file left", "[npy][save]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", six);
    const matrix rows = xt::ones<double>({1000, 500});
    const std::atomic<bool> stop = true;
    std::vector<nk::progress> told;
    const auto tell = [&](const nk::progress& p) {
        told.push_back(p);
        return nk::flow::go;
    };
    const auto refuse = [](const nk::progress&) { return nk::flow::stop; };

    const auto stopped = thrown<nk::io_error>([&] { nk::save(dir / "t.npy", rows + 1.0, {.run = {.stop = &stop}}); });
    CHECK_THROWS_AS(nk::save(dir / "t.npy", rows, {.run = {.progress = refuse}}), nk::io_error);
    CHECK(stopped.code() == std::errc::operation_canceled);
    CHECK(nk::load<double>(dir / "t.npy").size() == 6);
    CHECK(dir.files() == 1);

    nk::save(dir / "t.npy", rows, {.run = {.progress = tell}});
    REQUIRE(told.size() >= 2);
    CHECK(told.front().phase == "save");
    CHECK(told.front().bytes == 0);
    CHECK(told.back().bytes == 4'000'000);
    CHECK(told.back().bytes_total == 4'000'000);
    CHECK(told.back().items == 500'000);
}

TEST_CASE("save writes a sidecar where there is something to say, and removes an old one where not", "[npy][save]") {
    const temp_dir dir;

    nk::save(dir / "t.npy", six, {.meta = {{"units", "kelvin"}}});
    CHECK(dir.files() == 2);
    CHECK(read_text(dir / "t.npy.json").find("kelvin") != std::string::npos);

    nk::save(dir / "t.npy", six);
    CHECK(dir.files() == 1);
}

TEST_CASE("save refuses metadata that is no object, and changes nothing", "[npy][save]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", six);

    CHECK_THROWS_AS(nk::save(dir / "t.npy", 1.0, {.meta = 3}), nk::mismatch_error);
    CHECK_THROWS_AS(nk::save(dir / "t.npy", 1.0, {.meta = nk::json::array({1, 2})}), nk::mismatch_error);

    CHECK(nk::load<double>(dir / "t.npy").size() == 6);
    CHECK(dir.files() == 1);
}

}  // namespace npy_save_tests
