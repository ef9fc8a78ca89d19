// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/replaced_new.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/view.hpp>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <sstream>
#include <vector>

#if __has_include(<xtensor/io/xio.hpp>)
#include <xtensor/io/xio.hpp>
#include <xtensor/misc/xmanipulation.hpp>
#include <xtensor/misc/xsort.hpp>
#else
#include <xtensor/xio.hpp>
#include <xtensor/xmanipulation.hpp>
#include <xtensor/xsort.hpp>
#endif

namespace nk = ndkeep;

namespace {

thread_local std::size_t allocated = 0;  // total bytes, never decreased

/// Bytes that `act` allocates.
template <class Act>
std::size_t allocated_by(Act&& act) {
    const std::size_t before = allocated;
    act();
    return allocated - before;
}

}  // namespace

void* replaced_new::allocate(std::size_t size) noexcept {
    allocated += size;
    return std::malloc(size != 0 ? size : 1);
}
void replaced_new::release(void* memory) noexcept { std::free(memory); }

namespace array_mapped_tests {

namespace {

using values = std::vector<double>;
using matrix = nk::mapped<double, 2>;
using any_matrix = nk::mapped<double>;

/// A file of doubles, mapped.
class doubles_file {
  public:
    explicit doubles_file(const values& elements) : path_(dir_ / "data.bin") {
        write_text(path_,
                   std::string(reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(double)));
    }

    template <class Mapped = matrix>
    [[nodiscard]] Mapped map(const std::vector<std::size_t>& shape,
                             nk::map_mode mode = nk::map_mode::read_write) const {
        const auto file = nk::file::open(path_, mode == nk::map_mode::read_write ? nk::file::access::read_write
                                                                                 : nk::file::access::read);
        return Mapped(nk::mapping::open(file, 0, file.size(), mode), shape);
    }

    [[nodiscard]] values content() const {
        const auto text = read_text(path_);
        values out(text.size() / sizeof(double));
        std::copy(text.begin(), text.end(), reinterpret_cast<char*>(out.data()));
        return out;
    }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    temp_dir dir_;
    std::filesystem::path path_;
};

const values six = {3, 1, 4, 1, 5, 9};

/// Checks that a mapped array rejects what `act` does and is unchanged.
template <class Act>
void check_refused(Act&& act) {
    const doubles_file file(six);
    auto array = file.map({2, 3});

    const auto e = thrown<nk::mismatch_error>([&] { act(array); });

    CHECK(e.file() == file.path());
    CHECK(e.field() == "assigned shape");
    CHECK(e.expected() == "(2, 3)");
    CHECK(array.shape() == matrix::shape_type{2, 3});
    CHECK(file.content() == six);
}

}  // namespace

TEST_CASE("a mapped array is an xtensor container", "[array][mapped]") {
    STATIC_REQUIRE(xt::is_xexpression<matrix>::value);
    STATIC_REQUIRE(xt::is_xexpression<any_matrix>::value);
    STATIC_REQUIRE(xt::is_xexpression<nk::mapped<const double>>::value);
    STATIC_REQUIRE(xt::has_data_interface<matrix>::value);
    STATIC_REQUIRE(xt::has_strides<matrix>::value);
    STATIC_REQUIRE(std::is_same_v<matrix::value_type, double>);
    STATIC_REQUIRE(std::is_same_v<std::decay_t<nk::mapped<const double>::value_type>, double>);
    STATIC_REQUIRE(std::is_same_v<decltype(std::declval<nk::mapped<const double>&>()(0)), const double&>);
    STATIC_REQUIRE(xt::get_rank<matrix>::value == 2);
    STATIC_REQUIRE(matrix::static_layout == xt::layout_type::row_major);
    STATIC_REQUIRE(nk::mapped<double, 2, xt::layout_type::column_major>::static_layout ==
                   xt::layout_type::column_major);
    STATIC_REQUIRE(nk::array_like<matrix>);
    STATIC_REQUIRE(nk::array_like<nk::mapped<const float, 3>>);
}

TEST_CASE("a mapped array is move-only and movable without exceptions", "[array][mapped]") {
    STATIC_REQUIRE(!std::is_copy_constructible_v<matrix>);
    STATIC_REQUIRE(!std::is_copy_assignable_v<matrix>);
    STATIC_REQUIRE(std::is_nothrow_move_constructible_v<matrix>);
    STATIC_REQUIRE(std::is_nothrow_move_assignable_v<matrix>);
    STATIC_REQUIRE(!std::is_copy_constructible_v<any_matrix>);
    STATIC_REQUIRE(std::is_nothrow_move_constructible_v<any_matrix>);
    STATIC_REQUIRE(std::is_default_constructible_v<nk::mapped<const double>>);
}

TEST_CASE("a mapped array made by default has no elements", "[array][mapped]") {
    matrix two;
    any_matrix any;
    const nk::mapped<const double, 1> one;

    CHECK(two.size() == 0);
    CHECK(any.size() == 0);
    CHECK(one.size() == 0);
    CHECK(two.begin() == two.end());
    CHECK(any.dimension() == 1);
    CHECK(xt::sum(one)() == 0.0);
    two.fill(1);
}

TEST_CASE("a mapped array that was moved from has no elements", "[array][mapped]") {
    const doubles_file file(six);
    auto from = file.map({2, 3});
    auto from_any = file.map<any_matrix>({3, 2});

    matrix to = std::move(from);
    any_matrix to_any;
    to_any = std::move(from_any);

    CHECK(to(1, 2) == 9);
    CHECK(to_any(2, 1) == 9);
    CHECK(to.file() == file.path());
    CHECK(from.size() == 0);            // NOLINT: use after move is the tested behaviour
    CHECK(from_any.size() == 0);        // NOLINT
    CHECK(from.begin() == from.end());  // NOLINT
    CHECK(xt::sum(from_any)() == 0);    // NOLINT
    CHECK_THROWS_AS(from = xt::ones<double>({2, 3}), nk::mismatch_error);
    from = std::move(to);
    CHECK(from(0, 0) == 3);
}

TEST_CASE("assignment of a mapped array to itself changes nothing", "[array][mapped]") {
    const doubles_file file(six);
    auto array = file.map({2, 3});
    auto& same = array;

    array = std::move(same);

    CHECK(array.size() == 6);
    CHECK(array(0, 2) == 4);
}

TEST_CASE("assignments store into the file", "[array][mapped]") {
    const doubles_file file(six);
    auto array = file.map({2, 3});
    const xt::xtensor<double, 2> other = {{1, 2, 3}, {4, 5, 6}};
    const auto stored = [&](const values& expected) { return file.content() == expected; };

    array = other;
    CHECK(stored({1, 2, 3, 4, 5, 6}));
    array = xt::xarray<double>{{6, 5, 4}, {3, 2, 1}};
    CHECK(stored({6, 5, 4, 3, 2, 1}));
    array = {{0, 1, 0}, {1, 0, 1}};
    CHECK(stored({0, 1, 0, 1, 0, 1}));
    array = other * 2.0 + array;
    CHECK(stored({2, 5, 6, 9, 10, 13}));
    xt::noalias(array) = other + 0.5;
    CHECK(stored({1.5, 2.5, 3.5, 4.5, 5.5, 6.5}));
    array += other;
    array -= 0.5;
    CHECK(stored({2, 4, 6, 8, 10, 12}));
    xt::row(array, 0) *= 10;
    CHECK(stored({20, 40, 60, 8, 10, 12}));
    xt::view(array, xt::all(), xt::range(1, 3)) = 7;
    CHECK(stored({20, 7, 7, 8, 7, 7}));
    array += xt::xtensor<double, 1>{1, 2, 3};
    CHECK(stored({21, 9, 10, 9, 9, 10}));
    array.fill(0.25);
    CHECK(stored(values(6, 0.25)));
}

TEST_CASE("a column-major mapped array takes assignments by index", "[array][mapped]") {
    const doubles_file file(six);
    auto array = file.map<nk::mapped<double, 2, xt::layout_type::column_major>>({2, 3});
    const xt::xtensor<double, 2> other = {{1, 2, 3}, {4, 5, 6}};

    CHECK(array(1, 0) == 1);
    CHECK(array(0, 2) == 5);
    array = other;
    CHECK(file.content() == values{1, 4, 2, 5, 3, 6});
    CHECK((array == other));
}

TEST_CASE("a lvalue of another shape is refused", "[array][mapped]") {
    const xt::xtensor<double, 2> larger = xt::ones<double>({3, 3});
    const xt::xtensor<double, 2> turned = xt::ones<double>({3, 2});
    const xt::xarray<double> other_rank = xt::ones<double>({6});

    check_refused([&](matrix& array) { array = larger; });
    check_refused([&](matrix& array) { array = turned; });
    check_refused([&](matrix& array) { array = other_rank; });
}

TEST_CASE("an rvalue, braces and what is computed are checked as well", "[array][mapped]") {
    const xt::xtensor<double, 2> larger = xt::ones<double>({3, 3});

    check_refused([&](matrix& array) { array = xt::xtensor<double, 2>(larger); });
    check_refused([&](matrix& array) { array = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}; });
    check_refused([&](matrix& array) { array = {{1, 2}}; });
    check_refused([&](matrix& array) { array = larger + 1.0; });
    check_refused([&](matrix& array) { xt::noalias(array) = larger + 1.0; });
    check_refused([&](matrix& array) { xt::noalias(array) = larger; });
}

TEST_CASE("an assignment that computes with the array itself and would enlarge it is refused", "[array][mapped]") {
    const doubles_file file(six);
    auto one_row = file.map({1, 6});
    auto any = file.map<any_matrix>({6});
    const xt::xarray<double> rows = xt::ones<double>({2, 6});

    CHECK_THROWS_AS(one_row += rows, nk::mismatch_error);
    CHECK_THROWS_AS(any += rows, nk::mismatch_error);
    CHECK_THROWS_AS(any = any + rows, nk::mismatch_error);
    CHECK(file.content() == six);
}

TEST_CASE("resize takes only the shape that is there", "[array][mapped]") {
    check_refused([](matrix& array) { array.resize({3, 3}); });
    check_refused([](matrix& array) { array.resize(std::vector<std::size_t>{2, 3, 1}); });

    const doubles_file file(six);
    auto array = file.map({2, 3});
    array.resize({2, 3});
    array.resize(std::array<std::size_t, 2>{2, 3}, xt::layout_type::row_major);
    CHECK(array(1, 2) == 9);
}

TEST_CASE("a mapped array is read as any container is", "[array][mapped]") {
    const doubles_file file(six);
    const auto array = file.map<nk::mapped<const double, 2>>({2, 3}, nk::map_mode::read_only);
    std::ostringstream out;
    out << array;

    CHECK(array(1, 1) == 5);
    CHECK(array.at(1, 2) == 9);
    CHECK(array[{1, 0}] == 1);
    CHECK(*array.data() == 3);
    CHECK(array.strides()[0] == 3);
    CHECK(xt::sum(array)() == 23);
    CHECK(xt::mean(array, {0})(2) == 6.5);
    CHECK(xt::amax(array)() == 9);
    CHECK((xt::row(array, 1) == xt::xtensor<double, 1>{1, 5, 9}));
    CHECK(xt::view(array, xt::all(), 1)(1) == 5);
    CHECK((xt::transpose(array) == xt::xtensor<double, 2>{{3, 1}, {1, 5}, {4, 9}}));
    CHECK(out.str() == "{{ 3.,  1.,  4.},\n { 1.,  5.,  9.}}");
    const xt::xarray<double> copy = array;
    CHECK((copy == array));
}

TEST_CASE("a mapped array has the iterators that algorithms want", "[array][mapped]") {
    const doubles_file file(six);
    auto array = file.map({2, 3});

    CHECK(std::accumulate(array.cbegin(), array.cend(), 0.0) == 23);
    CHECK(*std::max_element(array.begin(), array.end()) == 9);
    CHECK(std::count(array.begin(), array.end(), 1.0) == 2);
    CHECK(values(array.begin<xt::layout_type::column_major>(), array.end<xt::layout_type::column_major>()) ==
          values{3, 1, 1, 5, 4, 9});
    CHECK((xt::sort(array, 1) == xt::xtensor<double, 2>{{1, 3, 4}, {1, 5, 9}}));
    CHECK(file.content() == six);
    std::sort(array.begin(), array.end());
    CHECK(file.content() == values{1, 1, 3, 4, 5, 9});
    std::reverse(array.storage().begin(), array.storage().end());
    CHECK(file.content() == values{9, 5, 4, 3, 1, 1});
}

TEST_CASE("a mapped array may be exchanged and kept in containers", "[array][mapped]") {
    const doubles_file file(six);
    const doubles_file other({1, 2});
    std::vector<matrix> kept;
    kept.push_back(file.map({2, 3}));
    kept.push_back(other.map({1, 2}));

    std::swap(kept[0], kept[1]);

    CHECK(kept[0].size() == 2);
    CHECK(kept[1](1, 2) == 9);
    CHECK(kept[1].file() == file.path());
    kept[1](0, 0) = 8;
    CHECK(file.content()[0] == 8);
}

TEST_CASE("a mapped array of rank 0 has one element", "[array][mapped]") {
    const doubles_file file({2.5});
    auto fixed = file.map<nk::mapped<double, 0>>({});
    auto any = file.map<any_matrix>({});

    CHECK(fixed.size() == 1);
    CHECK(fixed() == 2.5);
    CHECK(any.dimension() == 0);
    fixed() = 3;
    any += 1;
    CHECK(file.content() == values{4});
    any = xt::xarray<double>(5.0);
    CHECK(file.content() == values{5});
    CHECK_THROWS_AS(any = xt::ones<double>({1}), nk::mismatch_error);
}

TEST_CASE("a mapped array without elements has its shape", "[array][mapped]") {
    const doubles_file file({});
    auto array = file.map({0, 3});

    CHECK(array.shape() == matrix::shape_type{0, 3});
    CHECK(array.begin() == array.end());
    array = xt::xtensor<double, 2>::from_shape({0, 3});
    array += 1;
    array.flush();
    CHECK_THROWS_AS(array = xt::ones<double>({1, 3}), nk::mismatch_error);
}

TEST_CASE("stores into a copy_on_write array stay in this process", "[array][mapped]") {
    const doubles_file file(six);
    auto draft = file.map({2, 3}, nk::map_mode::copy_on_write);

    draft *= 2;

    CHECK(draft(1, 2) == 18);
    CHECK(draft.mode() == nk::map_mode::copy_on_write);
    CHECK(file.content() == six);
    CHECK_THROWS_AS(draft.flush(), nk::mismatch_error);
    draft.advise(nk::advice::drop);
    CHECK(draft(1, 2) == 18);
}

TEST_CASE("advice changes no element", "[array][mapped]") {
    const values many(10'000, 1.5);
    const doubles_file file(many);
    auto array = file.map({100, 100});
    array(50, 50) = 2;

    for (const auto what :
         {nk::advice::sequential, nk::advice::random, nk::advice::will_need, nk::advice::normal, nk::advice::drop})
        array.advise(what);
    array.advise(nk::advice::drop, 4'000, 9'000);
    array.advise(nk::advice::will_need, 9'000, 1'000'000);
    array.advise(nk::advice::will_need, 5, 5);

    CHECK(xt::sum(array)() == 15'000.5);
}

TEST_CASE("assignments make no temporary as large as the file", "[array][mapped]") {
    const values many(100'000, 1.0);
    const doubles_file file(many);
    auto array = file.map({1'000, 100});
    auto any = file.map<any_matrix>({1'000, 100});
    const xt::xtensor<double, 2> other = xt::ones<double>({1'000, 100});
    const auto costs = [&](auto&& act) { return allocated_by(act) < 10'000; };

    CHECK(costs([&] { array = other; }));
    CHECK(costs([&] { array = other * 2.0 + array; }));
    CHECK(costs([&] { any = other * 2.0 + any; }));
    CHECK(costs([&] { array += other; }));
    CHECK(costs([&] { any += other; }));
    CHECK(costs([&] { array *= 0.5; }));
    CHECK(costs([&] { xt::noalias(any) = other + 1.0; }));
    CHECK(costs([&] { xt::row(array, 1) *= 2; }));
    CHECK(costs([&] { any.fill(3); }));
    CHECK(xt::sum(array)() == 300'000);
}

TEST_CASE("a mapped array moved into a lazy expression stays mapped", "[array][mapped]") {
    const doubles_file file(values(100'000, 1.0));
    auto array = file.map({1'000, 100});
    auto same_file = file.map({1'000, 100});
    const auto* const where = array.data();
    std::size_t cost = 0;
    double before = 0;

    cost = allocated_by([&] {
        const auto plus_one = std::move(array) + 1.0;
        before = plus_one(999, 99);
        same_file(999, 99) = 5;
        CHECK(plus_one(999, 99) == 6);
        CHECK(std::get<0>(plus_one.arguments()).data() == where);
    });

    CHECK(before == 2);
    CHECK(cost < 10'000);
}

}  // namespace array_mapped_tests
