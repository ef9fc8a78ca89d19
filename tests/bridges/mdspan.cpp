// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/bridges/mdspan.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>
#include <ndkeep/tree.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace nk = ndkeep;
namespace md = ndkeep::detail::mdspan_library;

namespace bridges_mdspan_tests {

namespace {

using shape = std::vector<std::size_t>;
using any_2d = md::dextents<std::size_t, 2>;

std::vector<double> count_to(std::size_t last) {
    std::vector<double> numbers(last);
    std::iota(numbers.begin(), numbers.end(), 1.0);
    return numbers;
}

/// What a view of an array has: its shape, whether it is written column-major, and the elements in row-major order.
void check_view(const nk::array_view& view, const shape& extents, bool column_major,
                const std::vector<double>& elements) {
    CHECK(view.shape() == extents);
    CHECK(view.column_major() == column_major);
    const auto values = nk::any_array(view).as<double>();
    CHECK(std::vector<double>(values.begin(), values.end()) == elements);
}

/// An accessor that changes what is read. The memory does not have these elements.
struct doubled {
    using offset_policy = doubled;
    using element_type = double;
    using reference = double;
    using data_handle_type = double*;
    [[nodiscard]] static double access(double* data, std::size_t i) { return 2 * data[i]; }
    [[nodiscard]] static double* offset(double* data, std::size_t i) { return data + i; }
};
static_assert(nk::array_like<md::mdspan<const float, any_2d>>);
static_assert(!nk::array_like<md::mdspan<double, any_2d, md::layout_right, doubled>>);
static_assert(!nk::array_like<md::mdspan<double*, any_2d>>);

/// Whether as_mdspan of such an array has these elements, rank and layout.
template <class T, std::size_t N, class Layout, class Array>
constexpr bool views_as =
    std::same_as<decltype(nk::as_mdspan(std::declval<Array&>())), md::mdspan<T, md::dextents<std::size_t, N>, Layout>>;
static_assert(views_as<const double, 2, md::layout_right, nk::mapped<const double, 2>>);
static_assert(views_as<double, 3, md::layout_left, nk::mapped<double, 3, xt::layout_type::column_major>>);
static_assert(views_as<double, 1, md::layout_right, xt::xtensor<double, 1>>);
static_assert(views_as<const double, 1, md::layout_right, const xt::xtensor<double, 1>>);
static_assert(views_as<float, 1, md::layout_right, std::vector<float>>);

}  // namespace

TEST_CASE("mdspans are written by their extents and strides", "[bridges][mdspan]") {
    auto memory = count_to(8);
    const md::mdspan<double, any_2d> right(memory.data(), 2, 3);
    const md::mdspan<const double, md::extents<int, 2, 3>, md::layout_left> left(memory.data());
    const auto mapping = md::layout_stride::mapping<any_2d>(any_2d(2, 3), std::array<std::size_t, 2>{4, 1});
    const md::mdspan<double, any_2d, md::layout_stride> strided(memory.data(), mapping);

    check_view(right, {2, 3}, false, {1, 2, 3, 4, 5, 6});
    check_view(left, {2, 3}, true, {1, 3, 5, 2, 4, 6});
    check_view(strided, {2, 3}, false, {1, 2, 3, 5, 6, 7});
    check_view(md::mdspan<double, md::extents<int>>(memory.data()), {}, false, {1});
    check_view(md::mdspan<double, any_2d>(nullptr, 0, 3), {0, 3}, false, {});
    CHECK(nk::array_view(right).contiguous() == reinterpret_cast<const std::byte*>(memory.data()));
}

TEST_CASE("every writer takes an mdspan", "[bridges][mdspan]") {
    const temp_dir dir;
    auto memory = count_to(6);
    const md::mdspan<double, any_2d> rows(memory.data(), 2, 3);

    nk::save(dir / "t.npy", rows);
    nk::append(dir / "t.npy", rows);
    nk::save_npz(dir / "a.npz", {{"rows", rows}});
    const nk::tree tree = {{"rows", rows}};

    CHECK(nk::load<double, 2>(dir / "t.npy")(3, 2) == 6);
    CHECK(nk::npz_reader(dir / "a.npz").load<double, 2>("rows")(1, 0) == 4);
    CHECK(tree["rows"].shape() == shape{2, 3});
}

TEST_CASE("as_mdspan refers to the elements of a mapped file", "[bridges][mdspan]") {
    const temp_dir dir;
    const xt::xtensor<double, 2> rows = {{1, 2, 3}, {4, 5, 6}};
    nk::save(dir / "c.npy", rows);
    nk::save(dir / "f.npy", xt::xtensor<double, 2, xt::layout_type::column_major>(rows));
    auto writable = nk::map<double, 2>(dir / "c.npy", nk::copy_on_write);
    const auto any_rank = nk::map<double>(dir / "c.npy");
    const auto columns = nk::map<double, 2>(dir / "f.npy", nk::column_major);

    const auto c = nk::as_mdspan(writable);
    const auto a = nk::as_mdspan<2>(any_rank);
    const auto f = nk::as_mdspan(columns);
    c.data_handle()[4] = 50;

    CHECK(writable(1, 1) == 50);
    CHECK(a.data_handle() == any_rank.data());
    CHECK((a.extent(0) == 2 && a.extent(1) == 3));
    CHECK((f.extent(0) == 2 && f.extent(1) == 3));
    CHECK((f.stride(0) == 1 && f.stride(1) == 2));
    CHECK(f.data_handle() == columns.data());
}

TEST_CASE("as_mdspan of a view has its strides", "[bridges][mdspan]") {
    xt::xtensor<double, 2> array = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
    auto every_other = xt::view(array, xt::range(1, 3), xt::range(0, 4, 2));
    auto one_row = xt::view(array, xt::range(1, 2), xt::range(0, 4, 2));
    auto reversed = xt::view(array, xt::range(2, 0, -1), xt::all());

    const auto part = nk::as_mdspan(every_other);
    const auto row = nk::as_mdspan(one_row);

    static_assert(std::same_as<decltype(part)::layout_type, md::layout_stride>);
    check_view(part, {2, 2}, false, {5, 7, 9, 11});
    CHECK(part.data_handle() == &array(1, 0));
    CHECK((part.stride(0) == 4 && part.stride(1) == 2));
    CHECK((row.stride(0) == 1 && row.stride(1) == 2));  // an mdspan has no stride of 0
    CHECK(thrown<nk::mismatch_error>([&] { (void)nk::as_mdspan(reversed); }).field() == "strides");
}

TEST_CASE("as_mdspan refuses another rank, and names the file", "[bridges][mdspan]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", count_to(6));
    const auto mapped = nk::map<double>(dir / "t.npy");

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::as_mdspan<2>(mapped); });

    CHECK(e.file() == dir / "t.npy");
    CHECK(e.field() == "shape");
    CHECK(e.expected() == "2 dimensions");
    CHECK(e.found() == "(6,)");
    CHECK(nk::as_mdspan<1>(mapped).extent(0) == 6);
}

TEST_CASE("as_mdspan refers to arrays whose dtype is known at run time", "[bridges][mdspan]") {
    nk::any_array array(nk::array_view(xt::xtensor<double, 2>{{1, 2, 3}, {4, 5, 6}}));

    nk::as_mdspan<double, 2>(array).data_handle()[0] = 10;
    const auto constant = nk::as_mdspan<double, 2>(std::as_const(array));

    static_assert(std::same_as<decltype(constant)::element_type, const double>);
    CHECK(constant.data_handle()[0] == 10);
    CHECK(constant.extent(1) == 3);
    CHECK(thrown<nk::mismatch_error>([&] { (void)nk::as_mdspan<float, 2>(array); }).field() == "dtype");
    CHECK(thrown<nk::mismatch_error>([&] { (void)nk::as_mdspan<double, 1>(array); }).field() == "shape");
}

}  // namespace bridges_mdspan_tests
