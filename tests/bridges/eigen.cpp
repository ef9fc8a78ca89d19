// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/python.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/bridges/eigen.hpp>
#include <ndkeep/chunks.hpp>
#include <ndkeep/database.hpp>
#include <ndkeep/loop.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>
#include <ndkeep/tree.hpp>

#include <Eigen/Dense>

#include <algorithm>
#include <complex>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace nk = ndkeep;

namespace bridges_eigen_tests {

namespace {

using row_matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using any_stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
using shape = std::vector<std::size_t>;

/// 1 to rows * columns, row by row.
template <class Matrix = Eigen::MatrixXd>
Matrix counted_matrix(Eigen::Index rows, Eigen::Index columns) {
    Matrix matrix(rows, columns);
    for (Eigen::Index i = 0; i < rows; ++i)
        for (Eigen::Index j = 0; j < columns; ++j)
            matrix(i, j) = static_cast<typename Matrix::Scalar>(static_cast<double>(i * columns + j + 1));
    return matrix;
}

/// What a view of an array has: its shape, whether it is written column-major, and the elements in row-major order.
void check_view(const nk::array_view& view, const shape& extents, bool column_major,
                const std::vector<double>& elements) {
    CHECK(view.shape() == extents);
    CHECK(view.column_major() == column_major);
    const nk::any_array copy(view);
    const auto values = copy.as<double>();
    CHECK(std::vector<double>(values.begin(), values.end()) == elements);
}

template <class A>
void check_round_trip(const A& array) {
    const temp_dir dir;

    nk::save(dir / "t.npy", array);
    const auto loaded = nk::load<A>(dir / "t.npy");

    CHECK(loaded.rows() == array.rows());
    CHECK(loaded.cols() == array.cols());
    CHECK((loaded.array() == array.array()).all());
}

/// Whether as_eigen without a type of matrix maps such an array as this.
template <class Map, class Array>
constexpr bool maps_as = std::same_as<decltype(nk::as_eigen(std::declval<Array&>())), Map>;
static_assert(maps_as<Eigen::Map<const row_matrix>, nk::mapped<const double, 2>>);
static_assert(maps_as<Eigen::Map<Eigen::MatrixXd>, nk::mapped<double, 2, xt::layout_type::column_major>>);
static_assert(maps_as<Eigen::Map<Eigen::VectorXf>, xt::xtensor<float, 1>>);
static_assert(maps_as<Eigen::Map<const Eigen::VectorXf>, const xt::xtensor<float, 1>>);
static_assert(maps_as<Eigen::Map<Eigen::VectorXi>, std::vector<int>>);
static_assert(maps_as<Eigen::Map<const Eigen::VectorXi>, std::span<const int>>);

}  // namespace

// Writing ------------------------------------------------------------------------------------------------------------

TEST_CASE("a matrix of Eigen is saved as np.save saves an array of its order", "[bridges][eigen]") {
    const temp_dir dir;

    nk::save(dir / "columns.npy", counted_matrix(2, 3));
    nk::save(dir / "rows.npy", counted_matrix<row_matrix>(2, 3));

    std::string columns =
        std::string("\x93NUMPY\x01\x00v\x00", 10) + "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }";
    columns.resize(127, ' ');
    columns += '\n';
    for (const double element : {1., 4., 2., 5., 3., 6.})
        columns.append(reinterpret_cast<const char*>(&element), sizeof element);
    CHECK((read_text(dir / "columns.npy") == columns));
    check_in_python(dir, R"(
values = np.array([[1., 2., 3.], [4., 5., 6.]])
np.save('f.npy', np.asfortranarray(values))
np.save('c.npy', values)
assert open('f.npy', 'rb').read() == open('columns.npy', 'rb').read()
assert open('c.npy', 'rb').read() == open('rows.npy', 'rb').read()
)");
}

TEST_CASE("types of Eigen with one row or column are written with one dimension", "[bridges][eigen]") {
    check_view(Eigen::VectorXd(Eigen::Vector3d(1, 2, 3)), {3}, false, {1, 2, 3});
    check_view(Eigen::RowVector3d(1, 2, 3), {3}, false, {1, 2, 3});
    check_view(Eigen::Array<double, 2, 1>(1, 2), {2}, false, {1, 2});
    check_view(counted_matrix(1, 3), {1, 3}, false, {1, 2, 3});
    check_view(Eigen::VectorXd(), {0}, false, {});
    check_view(Eigen::MatrixXd(0, 3), {0, 3}, false, {});
}

TEST_CASE("parts of matrices of Eigen are written by their strides", "[bridges][eigen]") {
    Eigen::MatrixXd matrix = counted_matrix(3, 4);
    const row_matrix rows = matrix;

    check_view(matrix.block(1, 1, 2, 2), {2, 2}, false, {6, 7, 10, 11});
    check_view(matrix.middleCols(1, 2), {3, 2}, true, {2, 3, 6, 7, 10, 11});
    check_view(matrix.row(1), {4}, false, {5, 6, 7, 8});
    check_view(rows.col(1), {3}, false, {2, 6, 10});
    check_view(matrix.diagonal(), {3}, false, {1, 6, 11});
    check_view(matrix.topRows<1>().transpose(), {4}, false, {1, 2, 3, 4});
    check_view(matrix.transpose(), {4, 3}, false, {1, 5, 9, 2, 6, 10, 3, 7, 11, 4, 8, 12});
    check_view(Eigen::Map<const Eigen::MatrixXd, 0, any_stride>(matrix.data(), 2, 2, any_stride(6, 2)), {2, 2}, false,
               {1, 3, 9, 11});
    check_view(Eigen::Map<Eigen::VectorXd, 0, Eigen::InnerStride<2>>(matrix.data(), 3), {3}, false, {1, 9, 6});
    const Eigen::Ref<const Eigen::MatrixXd> reference = matrix.leftCols(2);
    check_view(reference, {3, 2}, true, {1, 2, 5, 6, 9, 10});
    CHECK(nk::array_view(reference).elements() == reinterpret_cast<const std::byte*>(matrix.data()));
}

TEST_CASE("other expressions of Eigen are evaluated before they are written", "[bridges][eigen]") {
    const Eigen::MatrixXd a = counted_matrix(2, 2);

    check_view(a * a, {2, 2}, true, {7, 10, 15, 22});
    check_view(a + Eigen::Matrix2d::Identity(), {2, 2}, true, {2, 2, 3, 5});
    check_view((2 * a).transpose(), {2, 2}, false, {2, 6, 4, 8});
    check_view(a.array().square().rowwise().sum(), {2}, false, {5, 25});
    const auto named = a * a;
    check_view(named, {2, 2}, true, {7, 10, 15, 22});
    const nk::array_view kept = a * a;  // the expression has ended
    check_view(kept, {2, 2}, true, {7, 10, 15, 22});
}

TEST_CASE("every writer takes matrices of Eigen", "[bridges][eigen]") {
    const temp_dir dir;
    const Eigen::MatrixXd matrix = counted_matrix(4, 2);
    const row_matrix more = counted_matrix<row_matrix>(1, 2);

    nk::save(dir / "grown.npy", counted_matrix<row_matrix>(4, 2));
    nk::append(dir / "grown.npy", more);
    nk::save_npz(dir / "a.npz", {{"m", matrix}, {"twice", 2 * matrix}});
    nk::save_tree(dir / "t.npz", {{"m", matrix}, {"v", Eigen::Vector2d(1, 2)}});
    nk::save_chunked(dir / "chunked", matrix);
    {
        nk::chunk_writer<double, 2> writer(dir / "chunked", {.rows_per_chunk = 3});
        writer.append(more);
        writer.write(0, 10 * more);
        writer.commit();
    }
    const auto written = nk::statistics_of(matrix);

    CHECK(nk::load<double, 2>(dir / "grown.npy")(4, 1) == 2);
    const nk::npz_reader archive(dir / "a.npz");
    CHECK(archive.load<double, 2>("m")(3, 1) == 8);
    CHECK(archive.load<double, 2>("twice")(3, 1) == 16);
    const auto tree = nk::load_tree(dir / "t.npz");
    CHECK(tree["m"].as<double, 2>()(3, 0) == 7);
    CHECK(tree["v"].shape() == shape{2});
    const auto rows = nk::load_chunked<double, 2>(dir / "chunked");
    CHECK(std::vector<double>(rows.begin(), rows.end()) == std::vector<double>{10, 20, 3, 4, 5, 6, 7, 8, 1, 2});
    CHECK(written.max == nk::statistics::number(8.0));
}

TEST_CASE("a database takes rows of Eigen", "[bridges][eigen]") {
    const temp_dir dir;
    nk::database base(dir.path());
    auto array = base.create<double, 2>("rows", {0, 2});

    array.append(counted_matrix<row_matrix>(2, 2));
    nk::as_eigen(array) *= 3;
    base.commit();

    CHECK((nk::load<double, 2>(dir / "rows.npy") == xt::xtensor<double, 2>{{3, 6}, {9, 12}}));
}

// Reading ------------------------------------------------------------------------------------------------------------

TEST_CASE("arrays of Eigen are loaded as they were saved", "[bridges][eigen]") {
    check_round_trip(counted_matrix(3, 4));
    check_round_trip(counted_matrix<row_matrix>(3, 4));
    check_round_trip(counted_matrix<Eigen::Matrix<float, Eigen::Dynamic, 3>>(5, 3));
    check_round_trip(counted_matrix<Eigen::Matrix<float, 2, Eigen::Dynamic, Eigen::RowMajor>>(2, 5));
    check_round_trip(counted_matrix<Eigen::Matrix3d>(3, 3));
    check_round_trip(counted_matrix<Eigen::Array<std::int16_t, Eigen::Dynamic, Eigen::Dynamic>>(2, 3));
    check_round_trip(counted_matrix<Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0, 4, 4>>(3, 2));
    check_round_trip(Eigen::VectorXd(Eigen::Vector3d(1, 2, 3)));
    check_round_trip(Eigen::RowVector3d(1, 2, 3));
    check_round_trip(Eigen::Matrix<double, 1, 1>(7));
    check_round_trip(Eigen::MatrixXd(0, 3));
    check_round_trip(Eigen::MatrixXcd(counted_matrix(2, 2) * std::complex<double>(0, 1)));
    check_round_trip(Eigen::Array<bool, Eigen::Dynamic, Eigen::Dynamic>(counted_matrix(2, 3).array() > 2));
    check_round_trip(counted_matrix<Eigen::Matrix<Eigen::half, Eigen::Dynamic, Eigen::Dynamic>>(2, 3));
    check_round_trip(counted_matrix<Eigen::Matrix<Eigen::bfloat16, Eigen::Dynamic, Eigen::Dynamic>>(2, 3));
}

TEST_CASE("half and bfloat16 of Eigen have the bits of float16 and bfloat16", "[bridges][eigen]") {
    const temp_dir dir;
    nk::save(dir / "h.npy", xt::xtensor<nk::float16, 1>{nk::float16(1.5), nk::float16(-65504)});
    nk::save(dir / "b.npy", xt::xtensor<nk::bfloat16, 1>{nk::bfloat16(1.5), nk::bfloat16(-3e38)});

    const auto half = nk::load<Eigen::Matrix<Eigen::half, 2, 1>>(dir / "h.npy");
    const auto brain = nk::load<Eigen::Matrix<Eigen::bfloat16, 2, 1>>(dir / "b.npy");

    CHECK(nk::dtype_of<Eigen::half>() == nk::dtype_of<nk::float16>());
    CHECK(static_cast<float>(half[0]) == 1.5f);
    CHECK(static_cast<float>(half[1]) == -65504.f);
    CHECK(static_cast<float>(brain[0]) == 1.5f);
    CHECK(static_cast<float>(brain[1]) == static_cast<float>(nk::bfloat16(-3e38)));
}

TEST_CASE("a matrix is loaded from a file of either order and byte order", "[bridges][eigen]") {
    const temp_dir dir;
    const Eigen::MatrixXd matrix = counted_matrix(3, 4);
    nk::save(dir / "f.npy", matrix);
    nk::save(dir / "c.npy", nk::array_view(matrix).in_order(nk::order::row_major));
    std::string swapped = read_text(dir / "f.npy");
    swapped[swapped.find("<f8")] = '>';
    for (std::size_t i = swapped.size() - 12 * sizeof(double); i < swapped.size(); i += sizeof(double))
        std::reverse(&swapped[i], &swapped[i] + sizeof(double));
    write_text(dir / "swapped.npy", swapped);

    for (const char* const file : {"f.npy", "c.npy", "swapped.npy"}) {
        INFO(file);
        const std::string bytes = read_text(dir / file);
        CHECK(nk::load<Eigen::MatrixXd>(dir / file) == matrix);
        CHECK(nk::load<row_matrix>(dir / file) == matrix);
        CHECK(nk::load<Eigen::MatrixXd>(std::as_bytes(std::span(bytes))) == matrix);
        CHECK(nk::load_any(dir / file).as<Eigen::MatrixXd>() == matrix);
        CHECK(nk::load_any(dir / file).as<row_matrix>() == matrix);
    }
}

TEST_CASE("every reader returns matrices of Eigen", "[bridges][eigen]") {
    const temp_dir dir;
    const Eigen::MatrixXd matrix = counted_matrix(7, 3);
    nk::save_npz(dir / "a.npz", {{"m", matrix}, {"c", matrix, {.compress = true}}});
    nk::save_tree(dir / "t.npz", {{"m", matrix}});
    nk::save_chunked(dir / "chunked", matrix, {.rows_per_chunk = 3});

    const nk::npz_reader archive(dir / "a.npz");
    const nk::tree in_memory = {{"m", matrix}};

    CHECK(archive.load<Eigen::MatrixXd>("m") == matrix);
    CHECK(archive.load<row_matrix>("c") == matrix);
    CHECK(archive.load<Eigen::MatrixXd>("c") == matrix);
    CHECK(in_memory["m"].as<Eigen::MatrixXd>() == matrix);
    CHECK(in_memory["m"].as<row_matrix>() == matrix);
    CHECK(nk::load_tree(dir / "t.npz")["m"].as<Eigen::MatrixXd>() == matrix);
    CHECK(nk::open_tree(dir / "t.npz")["m"].as<Eigen::MatrixXd>() == matrix);
    CHECK(nk::load_chunked<Eigen::MatrixXd>(dir / "chunked") == matrix);
    CHECK(nk::load_chunked<row_matrix>(dir / "chunked") == matrix);
    CHECK(nk::load_chunked<Eigen::Matrix<double, Eigen::Dynamic, 3>>(dir / "chunked") == matrix);
}

TEST_CASE("a vector of Eigen is loaded from one dimension, or from a matrix of its shape", "[bridges][eigen]") {
    const temp_dir dir;
    nk::save(dir / "flat.npy", std::vector<double>{1, 2, 3});
    nk::save(dir / "column.npy", counted_matrix(3, 1));
    nk::save(dir / "row.npy", counted_matrix(1, 3));

    CHECK(nk::load<Eigen::VectorXd>(dir / "flat.npy") == Eigen::Vector3d(1, 2, 3));
    CHECK(nk::load<Eigen::VectorXd>(dir / "column.npy") == Eigen::Vector3d(1, 2, 3));
    CHECK(nk::load<Eigen::RowVectorXd>(dir / "flat.npy") == Eigen::RowVector3d(1, 2, 3));
    CHECK(nk::load<Eigen::RowVector3d>(dir / "row.npy") == Eigen::RowVector3d(1, 2, 3));
    CHECK_THROWS_AS(nk::load<Eigen::VectorXd>(dir / "row.npy"), nk::mismatch_error);
    CHECK_THROWS_AS(nk::load<Eigen::RowVectorXd>(dir / "column.npy"), nk::mismatch_error);
}

TEST_CASE("a shape that a type of Eigen cannot have names the expected one", "[bridges][eigen]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", counted_matrix(2, 3));
    const auto expected = [&]<class A>(std::type_identity<A>) {
        const auto e = thrown<nk::mismatch_error>([&] { (void)nk::load<A>(dir / "t.npy"); });
        CHECK(e.file() == dir / "t.npy");
        CHECK(e.field() == "shape");
        CHECK(e.found() == "(2, 3)");
        return e.expected();
    };

    CHECK(expected(std::type_identity<Eigen::Matrix3d>()) == "(3, 3)");
    CHECK(expected(std::type_identity<Eigen::Matrix<double, 2, 2>>()) == "(2, 2)");
    CHECK(expected(std::type_identity<Eigen::Matrix<double, Eigen::Dynamic, 4>>()) == "(rows, 4)");
    CHECK(expected(std::type_identity<Eigen::Matrix<double, Eigen::Dynamic, 2, 0, 4, 2>>()) == "(at most 4, 2)");
    CHECK(expected(std::type_identity<Eigen::VectorXd>()) == "(rows,) or (rows, 1)");
    CHECK(expected(std::type_identity<Eigen::RowVector3d>()) == "(3,) or (1, 3)");
    CHECK(expected(std::type_identity<std::vector<double>>()) == "1 dimension");
}

TEST_CASE("other ranks and dtypes are no matrix of Eigen", "[bridges][eigen]") {
    const temp_dir dir;
    nk::save(dir / "1.npy", std::vector<double>{1, 2});
    nk::save(dir / "3.npy", xt::xtensor<double, 3>(xt::zeros<double>({1, 2, 3})));
    const nk::any_array huge(nk::dtype_of<double>(), {std::size_t{1} << 63, 0});
    nk::save_chunked(dir / "chunked", std::vector<double>{1, 2});

    const auto flat = thrown<nk::mismatch_error>([&] { (void)nk::load<Eigen::MatrixXd>(dir / "1.npy"); });
    const auto deep = thrown<nk::mismatch_error>([&] { (void)nk::load<Eigen::MatrixXd>(dir / "3.npy"); });
    const auto chunked = thrown<nk::mismatch_error>([&] { (void)nk::load_chunked<Eigen::MatrixXd>(dir / "chunked"); });
    const auto other = thrown<nk::mismatch_error>([&] { (void)nk::load<Eigen::VectorXf>(dir / "1.npy"); });

    CHECK(flat.expected() == "(rows, columns)");
    CHECK(deep.found() == "(1, 2, 3)");
    CHECK(deep.hint() == "load<T, 3>");
    CHECK(chunked.file() == dir / "chunked");
    CHECK(other.field() == "dtype");
    CHECK(thrown<nk::mismatch_error>([&] { (void)huge.as<Eigen::MatrixXd>(); }).expected() == "extents below 2^63");
}

TEST_CASE("a vector is loaded from an array with one dimension", "[bridges]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", std::vector<float>{1, 2, 3});

    CHECK(nk::load<std::vector<float>>(dir / "t.npy") == std::vector<float>{1, 2, 3});
    CHECK_THROWS_AS(nk::load<std::vector<double>>(dir / "t.npy"), nk::mismatch_error);
}

// Views --------------------------------------------------------------------------------------------------------------

TEST_CASE("as_eigen refers to the elements of a mapped file", "[bridges][eigen]") {
    const temp_dir dir;
    nk::save(dir / "c.npy", counted_matrix<row_matrix>(2, 3));
    nk::save(dir / "f.npy", counted_matrix(2, 3));
    {
        auto rows = nk::map<double, 2>(dir / "c.npy", nk::read_write);
        auto map = nk::as_eigen(rows);
        CHECK(map.data() == rows.data());
        map(1, 2) = 60;
        nk::as_eigen<Eigen::Matrix<double, 2, 3, Eigen::RowMajor>>(rows).row(0) *= 10;
    }
    const auto rows = nk::map<double>(dir / "c.npy");
    const auto columns = nk::map<double, 2>(dir / "f.npy", nk::column_major);

    CHECK(nk::as_eigen<row_matrix>(rows) == (row_matrix(2, 3) << 10, 20, 30, 4, 5, 60).finished());
    CHECK(nk::as_eigen(columns) == counted_matrix(2, 3));
    CHECK(nk::as_eigen(columns).data() == columns.data());
}

TEST_CASE("as_eigen refuses another order, and names the file", "[bridges][eigen]") {
    const temp_dir dir;
    nk::save(dir / "c.npy", counted_matrix<row_matrix>(2, 3));
    const auto rows = nk::map<double, 2>(dir / "c.npy");

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::as_eigen<Eigen::MatrixXd>(rows); });
    const auto map = nk::as_eigen<Eigen::MatrixXd, any_stride>(rows);

    CHECK(e.file() == dir / "c.npy");
    CHECK(e.field() == "order");
    CHECK(e.expected() == "column-major");
    CHECK(e.found() == "row-major");
    CHECK(map == counted_matrix(2, 3));
    CHECK(map.data() == rows.data());
}

TEST_CASE("as_eigen compares strides with those of the type", "[bridges][eigen]") {
    xt::xtensor<double, 2> array = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
    auto wide = xt::view(array, xt::all(), xt::range(1, 3));
    auto spread = xt::view(array, xt::all(), xt::range(0, 4, 2));
    auto column = xt::view(array, xt::all(), 1);
    using outer = Eigen::OuterStride<>;

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::as_eigen<row_matrix>(wide); });
    auto outer_map = nk::as_eigen<row_matrix, outer>(wide);
    outer_map(0, 0) = 20;

    CHECK(e.field() == "strides");
    CHECK(e.expected() == "(2, 1)");
    CHECK(e.found() == "(4, 1)");
    CHECK(array(0, 1) == 20);
    CHECK(outer_map == (row_matrix(3, 2) << 20, 3, 6, 7, 10, 11).finished());
    CHECK_THROWS_AS((nk::as_eigen<row_matrix, outer>(spread)), nk::mismatch_error);
    CHECK(nk::as_eigen<row_matrix, any_stride>(spread) == (row_matrix(3, 2) << 1, 3, 5, 7, 9, 11).finished());
    CHECK((nk::as_eigen<row_matrix, Eigen::Stride<4, 2>>(spread)(2, 1)) == 11);
    CHECK_THROWS_AS((nk::as_eigen<row_matrix, Eigen::Stride<4, 1>>(spread)), nk::mismatch_error);
    CHECK((nk::as_eigen<row_matrix, Eigen::Stride<4, Eigen::Dynamic>>(spread)(2, 1)) == 11);
    CHECK_THROWS_AS(nk::as_eigen<Eigen::VectorXd>(column), nk::mismatch_error);
    CHECK(nk::as_eigen<Eigen::VectorXd, Eigen::InnerStride<>>(column) == Eigen::Vector3d(20, 6, 10));
    CHECK(nk::as_eigen<Eigen::RowVectorXd, Eigen::InnerStride<4>>(column) == Eigen::RowVector3d(20, 6, 10));
}

TEST_CASE("as_eigen compares shapes with those of the type", "[bridges][eigen]") {
    xt::xtensor<double, 2> array = {{1, 2, 3}, {4, 5, 6}};
    xt::xtensor<double, 2> row = {{1, 2, 3}};
    xt::xtensor<double, 2> empty = xt::zeros<double>({0, 3});

    const auto e = thrown<nk::mismatch_error>(
        [&] { (void)nk::as_eigen<Eigen::Matrix<double, Eigen::Dynamic, 2, Eigen::RowMajor>>(array); });

    CHECK(e.field() == "shape");
    CHECK(e.expected() == "(rows, 2)");
    CHECK(e.found() == "(2, 3)");
    CHECK(nk::as_eigen<Eigen::RowVector3d>(row) == Eigen::RowVector3d(1, 2, 3));
    CHECK(nk::as_eigen<Eigen::MatrixXd>(row) == counted_matrix(1, 3));  // both orders at once
    CHECK(nk::as_eigen(empty).rows() == 0);
    CHECK(nk::as_eigen(empty).cols() == 3);
    CHECK_THROWS_AS(nk::as_eigen<Eigen::VectorXd>(array), nk::mismatch_error);
}

TEST_CASE("as_eigen refers to arrays whose dtype is known at run time", "[bridges][eigen]") {
    auto array = nk::any_array(nk::array_view(counted_matrix(2, 3)));

    nk::as_eigen<row_matrix>(array)(0, 0) = 10;
    const auto map = nk::as_eigen<row_matrix>(std::as_const(array));

    static_assert(std::same_as<decltype(map), const Eigen::Map<const row_matrix>>);
    CHECK(map(0, 0) == 10);
    CHECK(map(1, 2) == 6);
    CHECK(thrown<nk::mismatch_error>([&] { (void)nk::as_eigen<Eigen::MatrixXf>(array); }).field() == "dtype");
}

TEST_CASE("chosen rows and columns of a matrix are evaluated", "[bridges][eigen]") {
    const temp_dir dir;
    const Eigen::MatrixXd matrix = counted_matrix(4, 3);

    nk::save(dir / "t.npy", matrix(Eigen::seq(0, 3, 2), Eigen::all));

    const auto loaded = nk::load<Eigen::MatrixXd>(dir / "t.npy");
    CHECK(loaded == matrix(Eigen::seq(0, 3, 2), Eigen::all));
}

TEST_CASE("a view keeps what a constant reference of Eigen refers to", "[bridges][eigen]") {
    const Eigen::MatrixXd matrix = counted_matrix(30, 20);
    const auto doubled = [&] { return Eigen::Ref<const Eigen::MatrixXd>(matrix * 2); };

    const nk::array_view view = doubled();

    std::vector<double> elements(view.size());
    view.fill(0, view.size(), reinterpret_cast<std::byte*>(elements.data()));
    CHECK(view.column_major());
    CHECK(elements.front() == 2 * matrix(0, 0));
    CHECK(elements.back() == 2 * matrix(29, 19));
}

// Stores -------------------------------------------------------------------------------------------------------------

TEST_CASE("a matrix of Eigen is assigned to a mapped file and to an array of a database", "[bridges][eigen]") {
    const temp_dir dir;
    const Eigen::MatrixXd matrix = counted_matrix(2, 3);
    auto rows = nk::create<double, 2>(dir / "rows.npy", {2, 3});
    auto columns = nk::create<double, 2>(dir / "columns.npy", {2, 3}, nk::column_major);
    nk::database lab(dir / "lab");
    auto array = lab.create<double, 2>("a", {2, 3});

    rows = matrix;
    columns = matrix * 2;
    array = matrix;
    rows.flush();
    columns.flush();
    lab.commit();

    CHECK(nk::load<Eigen::MatrixXd>(dir / "rows.npy") == matrix);
    CHECK(nk::load<Eigen::MatrixXd>(dir / "columns.npy") == matrix * 2);
    CHECK(nk::load<Eigen::MatrixXd>(dir / "lab" / "a.npy") == matrix);
}

TEST_CASE("a matrix of another shape or dtype is not assigned to a mapped file", "[bridges][eigen]") {
    const temp_dir dir;
    auto rows = nk::create<double, 2>(dir / "rows.npy", {2, 3});
    const Eigen::MatrixXd other = counted_matrix(3, 2);
    const Eigen::MatrixXf floats = counted_matrix(2, 3).cast<float>();

    CHECK(thrown<nk::mismatch_error>([&] { rows = other; }).found() == "(3, 2)");
    CHECK(thrown<nk::mismatch_error>([&] { rows = floats; }).found() == "'<f4'");
}

// Loops --------------------------------------------------------------------------------------------------------------

TEST_CASE("a loop counts the rows of matrices of Eigen, and saves matrices as states", "[bridges][eigen]") {
    const temp_dir dir;
    const std::vector<Eigen::MatrixXd> parts = {counted_matrix(2, 3), counted_matrix(4, 3)};
    const Eigen::RowVectorXd zeros = Eigen::RowVectorXd::Zero(3);
    std::vector<std::uint64_t> firsts;
    {
        nk::stateful_loop loop(dir / "loop.npz", {.sync = false});
        auto& sum = loop.bind<Eigen::RowVectorXd>("sum", zeros);
        for (const auto& part : loop.over(parts)) {
            firsts.push_back(loop.first_row());
            sum += part.colwise().sum();
        }
    }
    nk::stateful_loop again(dir / "loop.npz", {.sync = false});
    const auto& restored = again.bind<Eigen::RowVectorXd>("sum", zeros);

    CHECK(firsts == std::vector<std::uint64_t>{0, 2});
    CHECK(restored == Eigen::RowVector3d(5 + 22, 7 + 26, 9 + 30));
}

}  // namespace bridges_eigen_tests
