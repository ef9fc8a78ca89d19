// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/bridges/dlpack.hpp>
#include <ndkeep/chunks.hpp>
#include <ndkeep/element/fields.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>
#include <ndkeep/tree.hpp>

#include <array>
#include <complex>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace bridges_dlpack_tests {

namespace nk = ndkeep;
namespace dlpack = nk::dlpack;
using shape = std::vector<std::size_t>;

struct pair {
    std::int16_t id;
    std::int32_t value;
    std::int16_t rest;
};
NDKEEP_FIELDS(pair, id, value, rest);

namespace {

constexpr std::uint64_t read_only_flag = 1, copied_flag = 2;

std::vector<std::int64_t> listed(const std::int64_t* values, std::int32_t count) { return {values, values + count}; }

/// A tensor of another library, which counts the calls of its deleter.
template <class Tensor = dlpack::versioned_tensor>
struct foreign {
    std::vector<double> elements = {0, 1, 2, 3, 4, 5};
    std::vector<std::int64_t> extents = {2, 3};
    std::vector<std::int64_t> strides = {3, 1};
    int deleted = 0;
    Tensor tensor = {};

    foreign() {
        if constexpr (std::is_same_v<Tensor, dlpack::versioned_tensor>)
            tensor.version = {1, 1};
        auto& plain = tensor.dl_tensor;
        plain.data = elements.data();
        plain.device.device_type = static_cast<decltype(plain.device.device_type)>(1);
        plain.ndim = 2;
        plain.dtype = {2, 64, 1};
        plain.shape = extents.data();
        plain.strides = strides.data();
        tensor.manager_ctx = this;
        tensor.deleter = [](Tensor* self) { ++static_cast<foreign*>(self->manager_ctx)->deleted; };
    }
    foreign(const foreign&) = delete;
    foreign& operator=(const foreign&) = delete;
};

template <class Error>
Error refused(foreign<>& tensor) {
    const auto e = thrown<Error>([&] { (void)nk::from_dlpack(&tensor.tensor); });
    CHECK(tensor.deleted == 1);
    return e;
}

}  // namespace

TEST_CASE("a moved xtensor array becomes a tensor in place", "[bridges][dlpack]") {
    xt::xtensor<float, 2> array = {{1, 2, 3}, {4, 5, 6}};
    const float* const data = array.data();

    const auto tensor = nk::to_dlpack(std::move(array));

    const auto& plain = tensor->dl_tensor;
    CHECK(plain.data == data);
    CHECK(static_cast<const float*>(plain.data)[5] == 6);
    CHECK(plain.byte_offset == 0);
    CHECK(static_cast<int>(plain.device.device_type) == 1);
    CHECK(plain.device.device_id == 0);
    CHECK((plain.dtype.code == 2 && plain.dtype.bits == 32 && plain.dtype.lanes == 1));
    CHECK(listed(plain.shape, plain.ndim) == std::vector<std::int64_t>{2, 3});
    CHECK(listed(plain.strides, plain.ndim) == std::vector<std::int64_t>{3, 1});
    CHECK(tensor->version.major == 1);
    CHECK(tensor->flags == 0);
}

TEST_CASE("a column-major array becomes a tensor with its strides", "[bridges][dlpack]") {
    xt::xarray<std::int16_t, xt::layout_type::column_major> array = {{1, 2, 3}, {4, 5, 6}};

    const auto tensor = nk::to_dlpack(std::move(array));

    CHECK(listed(tensor->dl_tensor.strides, 2) == std::vector<std::int64_t>{1, 2});
    CHECK(static_cast<const std::int16_t*>(tensor->dl_tensor.data)[1] == 4);
}

TEST_CASE("every number has its code and bits", "[bridges][dlpack]") {
    const auto code = []<class T>(T) {
        const auto tensor = nk::to_dlpack(std::vector<T>(3));
        const auto& type = tensor->dl_tensor.dtype;
        return std::pair(int{type.code}, int{type.bits});
    };

    CHECK(code(std::int8_t()) == std::pair(0, 8));
    CHECK(code(std::int64_t()) == std::pair(0, 64));
    CHECK(code(std::uint16_t()) == std::pair(1, 16));
    CHECK(code(nk::float16(0)) == std::pair(2, 16));
    CHECK(code(0.0) == std::pair(2, 64));
    CHECK(code(nk::bfloat16(0)) == std::pair(4, 16));
    CHECK(code(std::complex<float>()) == std::pair(5, 64));
    CHECK(code(std::complex<double>()) == std::pair(5, 128));
    CHECK(code(false) == std::pair(6, 8));
}

TEST_CASE("a mapping for reading becomes a read-only tensor that keeps it", "[bridges][dlpack]") {
    temp_dir dir;
    nk::save(dir / "t.npy", std::vector<double>{1, 2, 3});

    auto tensor = nk::to_dlpack(nk::map<double, 1>(dir / "t.npy"));

    CHECK(tensor->flags == read_only_flag);
    CHECK(static_cast<const double*>(tensor->dl_tensor.data)[2] == 3);
}

TEST_CASE("stores into the tensor of a mapping for writing change its file", "[bridges][dlpack]") {
    temp_dir dir;
    nk::save(dir / "t.npy", std::vector<double>{1, 2, 3});

    auto tensor = nk::to_dlpack(nk::map<double, 1>(dir / "t.npy", nk::read_write));
    CHECK(tensor->flags == 0);
    static_cast<double*>(tensor->dl_tensor.data)[1] = 7;
    tensor.reset();

    CHECK(nk::load<double, 1>(dir / "t.npy")(1) == 7);
}

TEST_CASE("a shared array becomes a read-only tensor that shares it", "[bridges][dlpack]") {
    auto array = std::make_shared<const nk::any_array>(nk::array_view(std::vector<int>{4, 5}));
    std::weak_ptr<const nk::any_array> seen = array;
    nk::shared_array shared(std::move(array));

    auto tensor = nk::to_dlpack(std::move(shared));

    CHECK(tensor->flags == read_only_flag);
    CHECK(static_cast<const int*>(tensor->dl_tensor.data)[1] == 5);
    CHECK_FALSE(seen.expired());
    tensor.reset();
    shared = nk::shared_array(std::make_shared<const nk::any_array>());
    CHECK(seen.expired());
}

TEST_CASE("an array of any dtype, a vector and a std::array become writable tensors", "[bridges][dlpack]") {
    nk::any_array any(nk::array_view(std::vector<int>{1, 2}));
    const void* const bytes = any.bytes().data();

    const auto of_any = nk::to_dlpack(std::move(any));
    const auto of_array = nk::to_dlpack(std::array<int, 2>{3, 4});

    CHECK(of_any->dl_tensor.data == bytes);
    CHECK(of_any->flags == 0);
    CHECK(of_array->flags == 0);
    static_cast<int*>(of_array->dl_tensor.data)[0] = 9;
    CHECK(static_cast<int*>(of_array->dl_tensor.data)[0] == 9);
}

TEST_CASE("flags of std::vector<bool> are copied to bytes", "[bridges][dlpack]") {
    const auto tensor = nk::to_dlpack(std::vector<bool>{true, false, true});

    CHECK(tensor->flags == copied_flag);
    CHECK(std::memcmp(tensor->dl_tensor.data, "\1\0\1", 3) == 0);
}

TEST_CASE("a copy of an expression becomes a tensor with the flag for copies", "[bridges][dlpack]") {
    const xt::xtensor<double, 1> array = {1, 2};

    const auto tensor = nk::to_dlpack_copy(array * 2);

    CHECK(tensor->flags == copied_flag);
    CHECK(static_cast<const double*>(tensor->dl_tensor.data)[1] == 4);
}

TEST_CASE("a tensor that refers to an array is read-only if the array is const", "[bridges][dlpack]") {
    xt::xtensor<double, 1> array = {1, 2};
    const auto& constant = array;

    const auto writable = nk::to_dlpack_view(array);
    const auto read_only = nk::to_dlpack_view(constant);

    CHECK(writable->dl_tensor.data == array.data());
    CHECK(writable->flags == 0);
    CHECK(read_only->dl_tensor.data == array.data());
    CHECK(read_only->flags == read_only_flag);
}

TEST_CASE("a tensor can refer to a view with strides", "[bridges][dlpack]") {
    xt::xtensor<double, 1> array = {0, 1, 2, 3, 4, 5};
    auto even = xt::view(array, xt::range(4, xt::placeholders::_, -2));

    const auto tensor = nk::to_dlpack_view(even);

    CHECK(tensor->dl_tensor.data == array.data() + 4);
    CHECK(tensor->dl_tensor.strides[0] == -2);
}

TEST_CASE("a tensor refers to a field of structs whose strides are multiples of it", "[bridges][dlpack]") {
    const xt::xtensor<pair, 1> pairs = {pair{1, 2, 3}, pair{4, 5, 6}};
    const nk::array_view values = nk::field(pairs, &pair::value);

    const auto tensor = nk::to_dlpack_view(values);

    CHECK(tensor->flags == read_only_flag);
    CHECK(tensor->dl_tensor.strides[0] == 3);
    CHECK(static_cast<const std::int32_t*>(tensor->dl_tensor.data)[3] == 5);
}

TEST_CASE("a tensor refers to no expression and to no elements between their multiples", "[bridges][dlpack][error]") {
    const xt::xtensor<double, 1> array = {1, 2, 3};
    const auto expression = array * 2;
    const nk::array_view between(nk::dtype_of<double>(), {2}, reinterpret_cast<const std::byte*>(array.data()), {12});

    CHECK(thrown<nk::mismatch_error>([&] { (void)nk::to_dlpack_view(expression); }).hint() == "to_dlpack_copy");
    CHECK(thrown<nk::mismatch_error>([&] { (void)nk::to_dlpack_view(between); }).hint() == "to_dlpack_copy");
    CHECK(nk::to_dlpack_copy(between)->dl_tensor.strides[0] == 1);
}

TEST_CASE("arrays without axes and without elements become tensors", "[bridges][dlpack]") {
    const auto scalar = nk::to_dlpack(xt::xarray<double>(3.5));
    const auto empty = nk::to_dlpack(xt::xtensor<double, 2>::from_shape({3, 0}));

    CHECK(scalar->dl_tensor.ndim == 0);
    CHECK(*static_cast<const double*>(scalar->dl_tensor.data) == 3.5);
    CHECK(listed(empty->dl_tensor.shape, 2) == std::vector<std::int64_t>{3, 0});
    CHECK(empty->dl_tensor.data == nullptr);
}

TEST_CASE("dtypes that DLPack does not have are refused by name", "[bridges][dlpack][error]") {
    const auto found = [](const char* type) {
        return thrown<nk::mismatch_error>([&] { (void)nk::to_dlpack(nk::any_array(nk::dtype::parse(type), {0})); })
            .found();
    };

    CHECK(found(">f8") == "'>f8'");
    CHECK(found("<U4") == "'<U4'");
    CHECK(found("S3") == "'|S3'");
    CHECK(found("<M8[s]") == "'<M8[s]'");
    CHECK(found("i4,f8") == "[('f0', '<i4'), ('f1', '<f8')]");
    if (std::numeric_limits<long double>::digits == 64)
        CHECK(found("<f16") == "'<f16'");
}

TEST_CASE("a tensor is read in place and deleted once", "[bridges][dlpack]") {
    foreign tensor;
    {
        const auto array = nk::from_dlpack<double, 2>(&tensor.tensor);

        CHECK(array.data() == tensor.elements.data());
        CHECK(array(1, 2) == 5);
        CHECK(xt::sum(array)() == 15);
        CHECK(tensor.deleted == 0);
    }
    CHECK(tensor.deleted == 1);
}

TEST_CASE("a tensor that is moved and viewed is deleted after the last", "[bridges][dlpack]") {
    foreign tensor;

    auto any = std::make_unique<nk::any_foreign_array>(nk::from_dlpack(nk::dlpack_tensor(&tensor.tensor)));
    auto array = any->as<double>();
    auto moved = std::move(array);
    auto view = std::make_unique<nk::array_view>(*any);
    any.reset();
    CHECK(moved(0, 1) == 1);
    moved = nk::foreign_array<const double>();
    CHECK(tensor.deleted == 0);
    view.reset();

    CHECK(tensor.deleted == 1);
    CHECK(array.size() == 0);
}

TEST_CASE("a tensor without strides is row-major", "[bridges][dlpack]") {
    foreign tensor;
    tensor.tensor.dl_tensor.strides = nullptr;

    CHECK(nk::from_dlpack<double, 2>(&tensor.tensor)(1, 0) == 3);
}

TEST_CASE("strides and byte_offset of a tensor are honoured", "[bridges][dlpack]") {
    foreign backwards;
    backwards.strides = {-3, -1};
    backwards.tensor.dl_tensor.byte_offset = 5 * sizeof(double);
    foreign repeated;
    repeated.strides = {0, 2};
    foreign columns;
    columns.strides = {1, 2};

    const auto a = nk::from_dlpack<double, 2>(&backwards.tensor);
    const auto b = nk::from_dlpack<double, 2>(&repeated.tensor);
    const auto c = nk::from_dlpack<double, 2>(&columns.tensor);

    CHECK((xt::xtensor<double, 2>(a) == xt::xtensor<double, 2>{{5, 4, 3}, {2, 1, 0}}));
    CHECK((xt::xtensor<double, 2>(b + 0) == xt::xtensor<double, 2>{{0, 2, 4}, {0, 2, 4}}));
    CHECK((xt::xtensor<double, 2>(c) == xt::xtensor<double, 2>{{0, 2, 4}, {1, 3, 5}}));
    CHECK(c.layout() == xt::layout_type::column_major);
    CHECK(std::vector<double>(a.begin(), a.end()) == std::vector<double>{5, 4, 3, 2, 1, 0});
}

TEST_CASE("a writable tensor takes stores and assigned expressions", "[bridges][dlpack]") {
    foreign tensor;
    tensor.strides = {1, 2};
    {
        auto array = nk::from_dlpack<double, 2>(&tensor.tensor, nk::read_write);
        array = xt::xtensor<double, 2>{{1, 2, 3}, {4, 5, 6}} * 10;
        array(0, 0) = 7;
        CHECK(thrown<nk::mismatch_error>([&] { array = xt::xtensor<double, 1>{1}; }).field() == "assigned shape");
    }
    CHECK(tensor.elements == std::vector<double>{7, 40, 20, 50, 30, 60});
}

TEST_CASE("a read-only tensor is not opened for writing", "[bridges][dlpack][error]") {
    foreign tensor;
    tensor.tensor.flags = read_only_flag;

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::from_dlpack<double>(&tensor.tensor, nk::read_write); });

    CHECK(std::string(e.what()) == "array is read-only, expected writable (from_dlpack without read_write)");
    CHECK(tensor.deleted == 1);
}

TEST_CASE("the dtype and the rank of a tensor are checked as by load", "[bridges][dlpack][error]") {
    foreign other_type;
    foreign other_rank;

    const auto type = thrown<nk::mismatch_error>([&] { (void)nk::from_dlpack<float>(&other_type.tensor); });
    const auto rank = thrown<nk::mismatch_error>([&] { (void)nk::from_dlpack<double, 1>(&other_rank.tensor); });

    CHECK(std::string(type.what()) == "dtype is '<f8', expected '<f4' (from_dlpack<double>)");
    CHECK(std::string(rank.what()) == "shape is (2, 3), expected 1 dimension (from_dlpack<T, 2> or from_dlpack<T>)");
    CHECK((other_type.deleted == 1 && other_rank.deleted == 1));
}

TEST_CASE("a tensor in memory that is not aligned is taken as bytes only", "[bridges][dlpack][error]") {
    foreign first, second;
    for (auto* each : {&first, &second}) {
        each->tensor.dl_tensor.byte_offset = 4;
        each->extents = {1, 3};
    }

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::from_dlpack<double>(&first.tensor); });
    const nk::any_array copy{nk::array_view(nk::from_dlpack(&second.tensor))};

    CHECK(e.field() == "memory");
    CHECK(copy.shape() == shape{1, 3});
    CHECK(std::memcmp(copy.bytes().data(), reinterpret_cast<std::byte*>(second.elements.data()) + 4, 24) == 0);
}

TEST_CASE("tensors on other devices and of other versions are refused and deleted", "[bridges][dlpack][error]") {
    foreign cuda;
    cuda.tensor.dl_tensor.device.device_type = static_cast<decltype(cuda.tensor.dl_tensor.device.device_type)>(2);
    foreign version;
    version.tensor.version = {2, 0};
    version.tensor.dl_tensor.shape = reinterpret_cast<std::int64_t*>(8);  // must not be read

    CHECK(refused<nk::mismatch_error>(cuda).found() == "2");
    CHECK(refused<nk::mismatch_error>(version).found() == "2.0");
}

TEST_CASE("host memory pinned by CUDA is taken", "[bridges][dlpack]") {
    foreign pinned;
    pinned.tensor.dl_tensor.device.device_type = static_cast<decltype(pinned.tensor.dl_tensor.device.device_type)>(3);

    CHECK(nk::from_dlpack<double, 2>(&pinned.tensor)(1, 1) == 4);
}

TEST_CASE("elements that NumPy does not have are refused", "[bridges][dlpack][error]") {
    const auto found = [](std::uint8_t code, std::uint8_t bits, std::uint16_t lanes) {
        foreign tensor;
        tensor.tensor.dl_tensor.dtype = {code, bits, lanes};
        return refused<nk::mismatch_error>(tensor).found();
    };

    CHECK(found(2, 32, 4) == "DLPack's code 2 with 32 bits and 4 lanes");
    CHECK(found(0, 4, 1) == "DLPack's code 0 with 4 bits and 1 lane");
    CHECK(found(0, 0, 1) == "DLPack's code 0 with 0 bits and 1 lane");
    CHECK(found(0, 128, 1) == "DLPack's code 0 with 128 bits and 1 lane");
    CHECK(found(6, 1, 1) == "DLPack's code 6 with 1 bit and 1 lane");
    CHECK(found(3, 64, 1) == "DLPack's code 3 with 64 bits and 1 lane");
    CHECK(found(10, 8, 1) == "DLPack's code 10 with 8 bits and 1 lane");
    CHECK(found(2, 64, 0) == "DLPack's code 2 with 64 bits and 0 lanes");
}

TEST_CASE("broken tensors are errors and are deleted", "[bridges][dlpack][error]") {
    const auto field = [](auto&& damage) {
        foreign tensor;
        damage(tensor);
        return refused<nk::format_error>(tensor).field();
    };
    constexpr auto largest = std::numeric_limits<std::int64_t>::max();
    constexpr auto least = std::numeric_limits<std::int64_t>::min();

    CHECK(field([](auto& t) { t.tensor.dl_tensor.ndim = -1; }) == "tensor");
    CHECK(field([](auto& t) { t.tensor.dl_tensor.ndim = 65; }) == "tensor");
    CHECK(field([](auto& t) { t.tensor.dl_tensor.shape = nullptr; }) == "tensor");
    CHECK(field([](auto& t) { t.extents[1] = -3; }) == "shape");
    CHECK(field([](auto& t) { t.extents = {largest, largest}; }) == "shape");
    CHECK(field([](auto& t) { t.extents = {largest, 0}; }) == "shape");
    CHECK(field([](auto& t) { t.extents = {largest / 8, 8}; }) == "shape");
    CHECK(field([](auto& t) { t.strides[0] = largest; }) == "strides");
    CHECK(field([](auto& t) { t.strides[1] = least; }) == "strides");
    CHECK(field([](auto& t) { t.strides = {largest / 8, largest / 16}; }) == "strides");
    CHECK(field([](auto& t) { t.tensor.dl_tensor.data = nullptr; }) == "data");
    CHECK(field([](auto& t) { t.tensor.dl_tensor.byte_offset = ~std::uint64_t{0}; }) == "byte_offset");
    CHECK(thrown<nk::format_error>([] { (void)nk::from_dlpack(nk::dlpack_tensor()); }).found() == "nullptr");
}

TEST_CASE("a tensor without a deleter is taken", "[bridges][dlpack]") {
    foreign tensor;
    tensor.tensor.deleter = nullptr;

    CHECK(nk::from_dlpack<double>(&tensor.tensor).size() == 6);
    CHECK(tensor.deleted == 0);
}

TEST_CASE("tensors without axes and without elements are taken", "[bridges][dlpack]") {
    foreign scalar;
    scalar.tensor.dl_tensor.ndim = 0;
    scalar.tensor.dl_tensor.shape = nullptr;
    scalar.tensor.dl_tensor.strides = nullptr;
    foreign empty;
    empty.extents = {2, 0};
    empty.tensor.dl_tensor.data = nullptr;

    CHECK(nk::from_dlpack<double, 0>(&scalar.tensor)() == 0);
    const auto none = nk::from_dlpack<double, 2>(&empty.tensor);
    CHECK((none.shape(0) == 2 && none.shape(1) == 0 && none.size() == 0));
}

TEST_CASE("the exported tensor of an imported one keeps it", "[bridges][dlpack]") {
    foreign tensor;
    {
        const auto again = nk::to_dlpack(nk::from_dlpack<double, 2>(&tensor.tensor));
        CHECK(again->flags == read_only_flag);
        const auto array =
            nk::from_dlpack<double>(nk::to_dlpack(nk::from_dlpack(nk::to_dlpack_copy(std::vector<double>{8}))));
        CHECK(array(0) == 8);
        CHECK(tensor.deleted == 0);
    }
    CHECK(tensor.deleted == 1);
}

TEST_CASE("legacy tensors are exported and imported, unless they are read-only", "[bridges][dlpack]") {
    temp_dir dir;
    nk::save(dir / "t.npy", std::vector<double>{1, 2, 3});
    foreign<dlpack::legacy_tensor> other;

    nk::dlpack_legacy_tensor legacy = nk::to_legacy(nk::to_dlpack(xt::xtensor<double, 1>{4, 5}));
    const auto back = nk::from_dlpack<double, 1>(std::move(legacy), nk::read_write);
    const auto e =
        thrown<nk::mismatch_error>([&] { (void)nk::to_legacy(nk::to_dlpack(nk::map<double>(dir / "t.npy"))); });
    { CHECK(nk::from_dlpack<double, 2>(&other.tensor)(1, 2) == 5); }

    CHECK(back(1) == 5);
    CHECK(e.found() == "read-only");
    CHECK(other.deleted == 1);
}

TEST_CASE("writers take tensors", "[bridges][dlpack]") {
    temp_dir dir;
    const xt::xtensor<double, 2> expected = {{0, 2, 4}, {1, 3, 5}};
    foreign typed, untyped;
    typed.strides = untyped.strides = {1, 2};
    {
        const auto array = nk::from_dlpack<double, 2>(&typed.tensor);
        const auto any = nk::from_dlpack(&untyped.tensor);

        nk::save(dir / "typed.npy", array);
        nk::save(dir / "untyped.npy", any);
        nk::save_npz(dir / "both.npz", {{"typed", array}, {"untyped", any}});
        const nk::tree tree = {{"typed", array}, {"untyped", any}};
        nk::chunk_writer<double, 2> writer(dir / "chunks", {3});
        writer.append(array);
        writer.append(any);
        writer.commit();

        CHECK((tree["untyped"].as<double, 2>() == expected));
        CHECK((tree["typed"].as<double, 2>() == expected));
        CHECK(nk::visit<nk::real>([](const auto& a) { return static_cast<double>(a(1, 0)); }, nk::any_array(any)) == 1);
    }
    CHECK((nk::load<double, 2>(dir / "typed.npy") == expected));
    CHECK((nk::load<double, 2>(dir / "untyped.npy") == expected));
    CHECK((nk::npz_reader(dir / "both.npz").load<double, 2>("untyped") == expected));
    CHECK(nk::load_chunked<double, 2>(dir / "chunks").shape(0) == 4);
    CHECK((typed.deleted == 1 && untyped.deleted == 1));
}

}  // namespace bridges_dlpack_tests
