// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>

#include <array>
#include <complex>
#include <numeric>
#include <span>
#include <vector>

#if __has_include(<xtensor/views/xstrided_view.hpp>)
#include <xtensor/misc/xmanipulation.hpp>
#include <xtensor/views/xstrided_view.hpp>
#else
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xstrided_view.hpp>
#endif

namespace array_view_tests {

namespace nk = ndkeep;

namespace {

using shape = std::vector<std::size_t>;
using values = std::vector<double>;
using row_array = xt::xarray<double>;
using column_array = xt::xarray<double, xt::layout_type::column_major>;
using row_matrix = xt::xtensor<double, 2>;
using column_cube = xt::xtensor<double, 3, xt::layout_type::column_major>;
using column_matrix = xt::xtensor<double, 2, xt::layout_type::column_major>;

constexpr auto by_rows = nk::order::row_major;
constexpr auto by_columns = nk::order::column_major;

std::byte* bytes_of(values& out) { return reinterpret_cast<std::byte*>(out.data()); }

/// Converts row-major values to column-major order.
values transposed(const values& rows, const shape& extents) {
    values out(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::size_t rest = i;
        std::size_t at = 0;
        for (std::size_t axis = extents.size(); axis-- > 0;) {
            std::size_t step = 1;
            for (std::size_t before = 0; before < axis; ++before)
                step *= extents[before];
            at += rest % extents[axis] * step;
            rest /= extents[axis];
        }
        out[at] = rows[i];
    }
    return out;
}

/// Checks every block of the view: all start positions and all lengths.
void check_blocks(const nk::array_view& view, const values& expected) {
    REQUIRE(view.size() == expected.size());
    std::size_t wrong = 0;
    for (std::size_t first = 0; first <= expected.size(); ++first)
        for (std::size_t count = 0; count <= expected.size() - first; ++count) {
            values out(count + 1, -1.0);
            view.fill(first, count, bytes_of(out));
            const auto begin = expected.begin() + static_cast<std::ptrdiff_t>(first);
            wrong += !std::equal(begin, begin + static_cast<std::ptrdiff_t>(count), out.begin()) || out[count] != -1.0;
        }
    CHECK(wrong == 0);
    if (view.contiguous() != nullptr)
        CHECK(std::memcmp(view.contiguous(), expected.data(), expected.size() * sizeof(double)) == 0);
}

/// @param rows  the elements in row-major order
void check_view(const nk::array_view& view, const shape& extents, const values& rows, nk::order written) {
    CHECK((view.type() == nk::dtype_of<double>()));
    REQUIRE(view.shape() == extents);
    CHECK(view.nbytes() == 8 * rows.size());
    CHECK(view.column_major() == (written == by_columns));
    const auto columns = transposed(rows, extents);
    check_blocks(view, written == by_columns ? columns : rows);
    check_blocks(view.in_order(by_rows), rows);
    check_blocks(view.in_order(by_columns), columns);
}

/// 10 * row + column.
const values three_by_four = {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23};

row_matrix rows() { return {{0, 1, 2, 3}, {10, 11, 12, 13}, {20, 21, 22, 23}}; }
column_matrix columns() { return {{0, 1, 2, 3}, {10, 11, 12, 13}, {20, 21, 22, 23}}; }

values each(const values& in, double factor, double added) {
    values out;
    for (const double value : in)
        out.push_back(value * factor + added);
    return out;
}

/// Arrays with the interfaces of other array libraries.
struct plain_matrix {
    values elements = {1, 2, 3, 4, 5, 6};
    [[nodiscard]] const double* data() const { return elements.data(); }
    [[nodiscard]] std::array<long, 2> shape() const { return {2, 3}; }
};
struct strided_matrix : plain_matrix {
    [[nodiscard]] std::array<int, 2> strides() const { return {1, 2}; }
};

}  // namespace

TEST_CASE("what can be saved is an array_like, and nothing else", "[array][view]") {
    STATIC_REQUIRE(nk::array_like<double>);
    STATIC_REQUIRE(nk::array_like<std::complex<float>>);
    STATIC_REQUIRE(nk::array_like<nk::fixed_string<4>>);
    STATIC_REQUIRE(nk::array_like<row_array>);
    STATIC_REQUIRE(nk::array_like<std::vector<int>>);
    STATIC_REQUIRE(nk::array_like<std::vector<bool>>);
    STATIC_REQUIRE(nk::array_like<std::array<std::array<float, 2>, 3>>);
    STATIC_REQUIRE(nk::array_like<double[2][3]>);
    STATIC_REQUIRE(nk::array_like<std::span<const double>>);
    STATIC_REQUIRE(nk::array_like<plain_matrix>);
    STATIC_REQUIRE(!nk::array_like<std::string>);
    STATIC_REQUIRE(!nk::array_like<std::string_view>);
    STATIC_REQUIRE(!nk::array_like<const char*>);
    STATIC_REQUIRE(!nk::array_like<char[6]>);
    STATIC_REQUIRE(!nk::array_like<double*>);
    STATIC_REQUIRE(!nk::array_like<std::vector<std::string>>);
    STATIC_REQUIRE(!nk::array_like<std::vector<double*>>);
    STATIC_REQUIRE(!nk::array_like<std::vector<std::vector<double>>>);
    STATIC_REQUIRE(!nk::array_like<xt::xarray<std::string>>);
    STATIC_REQUIRE(!nk::array_like<std::nullptr_t>);
}

TEST_CASE("a view sees scalars and the ranges of the standard library", "[array][view]") {
    const values some = {1, 2, 3, 4, 5, 6};
    const double grid[2][3] = {{1, 2, 3}, {4, 5, 6}};

    check_view(7.0, {}, {7}, by_rows);
    check_view(some, {6}, some, by_rows);
    check_view(values(), {0}, {}, by_rows);
    check_view(std::array<double, 2>{1, 2}, {2}, {1, 2}, by_rows);
    check_view(grid, {2, 3}, some, by_rows);
    check_view(std::array<std::array<double, 3>, 2>{{{1, 2, 3}, {4, 5, 6}}}, {2, 3}, some, by_rows);
    check_view(std::vector<std::array<double, 2>>{{1, 2}, {3, 4}, {5, 6}}, {3, 2}, some, by_rows);
    check_view(std::vector<std::array<double[1], 2>>(2), {2, 2, 1}, {0, 0, 0, 0}, by_rows);
    check_view(std::span(some).subspan(1, 3), {3}, {2, 3, 4}, by_rows);
    check_view(std::span<const double, 2>(some.data(), 2), {2}, {1, 2}, by_rows);
    CHECK(nk::array_view(some).contiguous() == reinterpret_cast<const std::byte*>(some.data()));
}

TEST_CASE("a view sees a vector<bool> as bytes of 0 and 1", "[array][view]") {
    const std::vector<bool> flags = {true, false, true, true};
    std::array<unsigned char, 3> out = {};

    const nk::array_view view(flags);
    view.fill(1, 3, reinterpret_cast<std::byte*>(out.data()));

    CHECK((view.type() == nk::dtype_of<bool>()));
    CHECK(view.shape() == shape{4});
    CHECK(out == std::array<unsigned char, 3>{0, 1, 1});
}

TEST_CASE("a view sees types with data() and shape(), and strides() counted in elements", "[array][view]") {
    check_view(plain_matrix(), {2, 3}, {1, 2, 3, 4, 5, 6}, by_rows);
    check_view(strided_matrix(), {2, 3}, {1, 3, 5, 2, 4, 6}, by_columns);
}

TEST_CASE("the written order is NumPy's: column-major only where it is not row-major at once", "[array][view]") {
    check_view(rows(), {3, 4}, three_by_four, by_rows);
    check_view(columns(), {3, 4}, three_by_four, by_columns);
    check_view(column_matrix{{1, 2, 3}}, {1, 3}, {1, 2, 3}, by_rows);
    check_view(column_matrix{{1}, {2}, {3}}, {3, 1}, {1, 2, 3}, by_rows);
    check_view(column_array{1, 2, 3}, {3}, {1, 2, 3}, by_rows);
    check_view(column_array(5.0), {}, {5}, by_rows);
    check_view(column_matrix::from_shape({0, 4}), {0, 4}, {}, by_rows);
    check_view(column_matrix::from_shape({4, 0}), {4, 0}, {}, by_rows);
    check_view(column_cube{{{0, 1}, {2, 3}}}, {1, 2, 2}, {0, 1, 2, 3}, by_columns);
    check_view(column_cube{{{0}, {1}}, {{2}, {3}}}, {2, 2, 1}, {0, 1, 2, 3}, by_columns);
}

TEST_CASE("a view of memory in its written order points to it", "[array][view]") {
    const auto r = rows();
    const auto c = columns();

    CHECK(nk::array_view(r).contiguous() == reinterpret_cast<const std::byte*>(r.data()));
    CHECK(nk::array_view(c).contiguous() == reinterpret_cast<const std::byte*>(c.data()));
    CHECK(nk::array_view(c).in_order(by_rows).contiguous() == nullptr);
    CHECK(nk::array_view(c).in_order(by_rows).in_order(by_columns).contiguous() != nullptr);
    CHECK(nk::array_view(xt::view(r, xt::range(1, 3), xt::all())).contiguous() ==
          reinterpret_cast<const std::byte*>(r.data() + 4));
    CHECK(nk::array_view(xt::view(r, xt::all(), xt::range(1, 3))).contiguous() == nullptr);
    CHECK(nk::array_view(r + 1.0).contiguous() == nullptr);
}

TEST_CASE("a view sees xtensor's views", "[array][view]") {
    const auto r = rows();
    const auto c = columns();
    const row_array dynamic = r;
    using namespace xt::placeholders;

    check_view(xt::view(r, xt::all(), xt::range(1, 3)), {3, 2}, {1, 2, 11, 12, 21, 22}, by_rows);
    check_view(xt::view(r, xt::range(0, 3, 2), xt::range(0, 4, 3)), {2, 2}, {0, 3, 20, 23}, by_rows);
    check_view(xt::view(r, xt::range(_, _, -1), xt::all()), {3, 4}, {20, 21, 22, 23, 10, 11, 12, 13, 0, 1, 2, 3},
               by_rows);
    check_view(xt::row(r, 1), {4}, {10, 11, 12, 13}, by_rows);
    check_view(xt::col(r, 2), {3}, {2, 12, 22}, by_rows);
    check_view(xt::view(c, xt::range(1, 3), xt::all()), {2, 4}, {10, 11, 12, 13, 20, 21, 22, 23}, by_rows);
    check_view(xt::view(c, xt::all(), xt::range(1, 3)), {3, 2}, {1, 2, 11, 12, 21, 22}, by_columns);
    check_view(xt::view(r, xt::newaxis(), 2, xt::range(1, 3)), {1, 2}, {21, 22}, by_rows);
    check_view(xt::view(r, xt::keep(2, 0), xt::all()), {2, 4}, {20, 21, 22, 23, 0, 1, 2, 3}, by_rows);
    check_view(xt::view(dynamic, 1, xt::range(1, 3)), {2}, {11, 12}, by_rows);
}

TEST_CASE("a view sees strided views and views of them", "[array][view]") {
    const row_array r = rows();
    const auto flipped = xt::flip(r, 0);

    check_view(xt::strided_view(r, {xt::range(1, 3), 2}), {2}, {12, 22}, by_rows);
    check_view(flipped, {3, 4}, {20, 21, 22, 23, 10, 11, 12, 13, 0, 1, 2, 3}, by_rows);
    check_view(xt::view(flipped, xt::range(1, 3), 3), {2}, {13, 3}, by_rows);
    check_view(xt::view(xt::view(r, xt::range(1, 3), xt::all()), 1, xt::range(1, 4, 2)), {2}, {21, 23}, by_rows);
}

TEST_CASE("a transpose is written as np.save writes it: in the order of its memory", "[array][view]") {
    const row_array r = rows();
    const auto swapped = transposed(three_by_four, {3, 4});

    check_view(xt::transpose(r), {4, 3}, swapped, by_columns);
    check_view(xt::transpose(columns()), {4, 3}, swapped, by_rows);
    CHECK(nk::array_view(xt::transpose(r)).contiguous() == reinterpret_cast<const std::byte*>(r.data()));
    check_view(xt::transpose(xt::xtensor<double, 3>{{{0, 1}, {2, 3}}, {{4, 5}, {6, 7}}}, {0, 2, 1}), {2, 2, 2},
               {0, 2, 1, 3, 4, 6, 5, 7}, by_rows);
}

TEST_CASE("a view evaluates lazy expressions in either order", "[array][view]") {
    const auto r = rows();
    const auto c = columns();
    const row_array dynamic = r;

    check_view(r * 2.0 + 1.0, {3, 4}, each(three_by_four, 2, 1), by_rows);
    check_view(c * 2.0 + 1.0, {3, 4}, each(three_by_four, 2, 1), by_columns);
    check_view(r + c, {3, 4}, each(three_by_four, 2, 0), by_rows);
    check_view(xt::cast<double>(xt::cast<int>(dynamic)), {3, 4}, three_by_four, by_rows);
    check_view(xt::view(r, xt::all(), xt::range(1, 3)) * 2.0, {3, 2}, {2, 4, 22, 24, 42, 44}, by_rows);
    check_view(xt::transpose(dynamic) + 0.0, {4, 3}, transposed(three_by_four, {3, 4}),
               nk::array_view(xt::transpose(dynamic) + 0.0).column_major() ? by_columns : by_rows);
}

TEST_CASE("a view evaluates reducers, broadcasts and generators", "[array][view]") {
    const auto r = rows();
    const row_array dynamic = r;
    const xt::xtensor<double, 1> steps = {0, 100, 200, 300};

    check_view(xt::sum(r, {0}), {4}, {30, 33, 36, 39}, by_rows);
    check_view(xt::sum(dynamic, {1}), {3}, {6, 46, 86}, by_rows);
    check_view(xt::sum(r), {}, {138}, by_rows);
    check_view(xt::broadcast(steps, {2, 4}), {2, 4}, {0, 100, 200, 300, 0, 100, 200, 300}, by_rows);
    check_view(r + steps, {3, 4}, {0, 101, 202, 303, 10, 111, 212, 313, 20, 121, 222, 323}, by_rows);
    check_view(xt::arange<double>(4), {4}, {0, 1, 2, 3}, by_rows);
    check_view(xt::ones<double>({2, 0}), {2, 0}, {}, by_rows);
}

TEST_CASE("a lazy expression of one row is row-major, whatever its operands", "[array][view]") {
    check_view(column_matrix{{1, 2, 3}} + 1.0, {1, 3}, {2, 3, 4}, by_rows);
    check_view(column_matrix::from_shape({0, 3}) + 1.0, {0, 3}, {}, by_rows);
    check_view(column_array{1, 2, 3} * 2.0, {3}, {2, 4, 6}, by_rows);
    check_view(column_array(2.0) + 1.0, {}, {3}, by_rows);
}

TEST_CASE("a view refers to what has a name and keeps what has none", "[array][view]") {
    auto named = rows();
    const nk::array_view of_name(named);
    nk::array_view kept = rows();
    nk::array_view kept_sum = rows() + rows();
    const nk::array_view copy = kept_sum;
    kept_sum = 1.0;
    named(0, 0) = 99;
    double first = 0;

    of_name.fill(0, 1, reinterpret_cast<std::byte*>(&first));

    CHECK(first == 99);
    check_view(kept, {3, 4}, three_by_four, by_rows);
    check_view(copy, {3, 4}, each(three_by_four, 2, 0), by_rows);
    check_view(kept_sum, {}, {1}, by_rows);
}

TEST_CASE("a view of bytes takes strides in bytes, also negative ones and zero", "[array][view]") {
    const values some = {1, 2, 3, 4, 5, 6};
    const auto* const first = reinterpret_cast<const std::byte*>(some.data());
    const auto& type = nk::dtype_of<double>();

    check_view({type, {2, 3}, first, {24, 8}}, {2, 3}, some, by_rows);
    check_view({type, {2, 3}, first, {8, 16}}, {2, 3}, {1, 3, 5, 2, 4, 6}, by_columns);
    check_view({type, {3}, first + 40, std::vector<std::ptrdiff_t>{-16}}, {3}, {6, 4, 2}, by_rows);
    check_view({type, {2, 2}, first, {0, 8}}, {2, 2}, {1, 2, 1, 2}, by_rows);
    check_view({type, {3}, first, {16}}, {3}, {1, 3, 5}, by_rows);
    check_view({type, {2, 3}, first, by_columns}, {2, 3}, {1, 3, 5, 2, 4, 6}, by_columns);
    check_view({type, {3, 2}, first}, {3, 2}, some, by_rows);
}

TEST_CASE("a view of a function asks it for blocks, in row-major order only", "[array][view]") {
    const nk::array_view view(nk::dtype_of<double>(), {2, 3}, [](std::size_t first, std::size_t count, std::byte* out) {
        values block(count);
        std::iota(block.begin(), block.end(), static_cast<double>(first));
        std::copy_n(bytes_of(block), count * sizeof(double), out);
    });
    values out(6);

    check_blocks(view, {0, 1, 2, 3, 4, 5});
    CHECK(!view.column_major());
    CHECK_THROWS_AS(view.in_order(by_columns).fill(0, 6, bytes_of(out)), nk::mismatch_error);
}

TEST_CASE("elements of other sizes keep their bytes", "[array][view]") {
    const xt::xtensor<std::complex<double>, 2, xt::layout_type::column_major> phases = {{{0, 1}, {2, 3}},
                                                                                        {{4, 5}, {6, 7}}};
    const std::vector<std::array<nk::fixed_string<3>, 2>> words = {{"a", "bcd"}, {"", "e"}};
    const xt::xtensor<std::int8_t, 1> small = {1, 2, 3};
    values numbers(8);
    std::string letters(12, '?');
    std::array<std::int8_t, 2> last = {};

    nk::array_view(phases).in_order(by_rows).fill(0, 4, bytes_of(numbers));
    nk::array_view(words).fill(0, 4, reinterpret_cast<std::byte*>(letters.data()));
    nk::array_view(xt::cast<std::int8_t>(small + small)).fill(1, 2, reinterpret_cast<std::byte*>(last.data()));

    CHECK(numbers == values{0, 1, 2, 3, 4, 5, 6, 7});
    CHECK(letters == std::string("a\0\0bcd\0\0\0e\0\0", 12));
    CHECK(last == std::array<std::int8_t, 2>{4, 6});
}

}  // namespace array_view_tests
