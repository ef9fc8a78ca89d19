// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/bridges/arrow.hpp>
#include <ndkeep/bridges/dlpack.hpp>
#include <ndkeep/chunks.hpp>
#include <ndkeep/element/fields.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>
#include <ndkeep/tree.hpp>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>
#include <ratio>
#include <string>
#include <utility>
#include <vector>

namespace bridges_arrow_tests {

namespace nk = ndkeep;
using shape = std::vector<std::size_t>;
using seconds = std::chrono::sys_time<std::chrono::duration<std::int64_t>>;
using days = std::chrono::sys_time<std::chrono::duration<std::int64_t, std::ratio<86400>>>;

struct point {
    std::int8_t id;
    double at[2];
    bool good;
};
NDKEEP_FIELDS(point, id, at, good);

namespace {

seconds at(std::int64_t count) { return seconds(std::chrono::duration<std::int64_t>(count)); }

template <class T>
const T* values(const nk::arrow_pair& pair, std::size_t buffer = 1) {
    return static_cast<const T*>(pair.array->buffers[buffer]);
}

unsigned first_byte(const nk::arrow_pair& pair, std::size_t buffer) { return *values<std::uint8_t>(pair, buffer); }

/// An array of another library, which counts the releases of itself and of its children. Its members are changed by
/// tests before it is given away.
struct foreign {
    std::string format, name;
    std::vector<const void*> buffers;
    std::vector<ArrowSchema*> schemas;
    std::vector<ArrowArray*> arrays;
    ArrowSchema schema = {};
    ArrowArray array = {};
    int released_schemas = 0, released_arrays = 0;

    foreign(std::string of, std::string called, std::int64_t length, std::vector<const void*> memory,
            std::vector<foreign*> children = {})
        : format(std::move(of)), name(std::move(called)), buffers(std::move(memory)) {
        for (foreign* const child : children) {
            schemas.push_back(&child->schema);
            arrays.push_back(&child->array);
        }
        schema.format = format.c_str();
        schema.name = name.c_str();
        schema.n_children = static_cast<std::int64_t>(schemas.size());
        schema.children = schemas.data();
        schema.private_data = this;
        schema.release = [](ArrowSchema* self) {
            ++static_cast<foreign*>(self->private_data)->released_schemas;
            release_children(*self);
        };
        array.length = length;
        array.null_count = -1;
        array.n_buffers = static_cast<std::int64_t>(buffers.size());
        array.n_children = static_cast<std::int64_t>(arrays.size());
        array.buffers = buffers.data();
        array.children = arrays.data();
        array.private_data = this;
        array.release = [](ArrowArray* self) {
            ++static_cast<foreign*>(self->private_data)->released_arrays;
            release_children(*self);
        };
    }
    foreign(const foreign&) = delete;
    foreign& operator=(const foreign&) = delete;

    template <class Struct>
    static void release_children(Struct& self) {
        for (std::int64_t i = 0; i < self.n_children; ++i)
            if (self.children != nullptr && self.children[i] != nullptr && self.children[i]->release != nullptr)
                self.children[i]->release(self.children[i]);
        self.release = nullptr;
    }

    [[nodiscard]] nk::arrow_column take(nk::arrow_nulls nulls = nk::arrow_nulls::refused) {
        return nk::from_arrow(&schema, &array, {.nulls = nulls});
    }
    [[nodiscard]] bool was_released() const { return released_schemas == 1 && released_arrays == 1; }
};

template <class Error>
Error refused(foreign& array) {
    const auto e = thrown<Error>([&] { (void)array.take(); });
    CHECK(array.was_released());
    return e;
}

const std::array<std::int32_t, 6> numbers = {0, 1, 2, 3, 4, 5};

}  // namespace

TEST_CASE("a moved vector becomes an Arrow array in place", "[bridges][arrow]") {
    std::vector<double> vector = {1, 2, 3};
    const double* const data = vector.data();

    const auto pair = nk::to_arrow(std::move(vector), {.name = "x"});

    CHECK(std::string(pair.schema->format) == "g");
    CHECK(std::string(pair.schema->name) == "x");
    CHECK(pair.schema->metadata == nullptr);
    CHECK(pair.schema->flags == 0);
    CHECK(pair.schema->n_children == 0);
    CHECK(pair.array->length == 3);
    CHECK(pair.array->null_count == 0);
    CHECK(pair.array->offset == 0);
    CHECK(pair.array->n_buffers == 2);
    CHECK(pair.array->buffers[0] == nullptr);
    CHECK(pair.array->buffers[1] == data);
}

TEST_CASE("every dtype has its format", "[bridges][arrow]") {
    const auto format = [](const char* type) {
        return std::string(nk::to_arrow(nk::any_array(nk::dtype::parse(type), {0})).schema->format);
    };

    CHECK(format("i1") + format("u1") + format("<i2") + format("<u2") == "cCsS");
    CHECK(format("<i4") + format("<u4") + format("<i8") + format("<u8") == "iIlL");
    CHECK(format("<f2") + format("<f4") + format("<f8") + format("?") == "efgb");
    CHECK(format("<M8[s]") + format("<M8[ms]") + format("<M8[us]") + format("<M8[ns]") == "tss:tsm:tsu:tsn:");
    CHECK(format("<m8[s]") + format("<m8[ms]") + format("<m8[us]") + format("<m8[ns]") == "tDstDmtDutDn");
    CHECK(format("<M8[D]") == "tdD");
    CHECK(format("S5") + format("V7") == "w:5w:7");
    CHECK(format("<U3") == "u");
    CHECK(format("i4,f8") == "+s");
}

TEST_CASE("dtypes that Arrow does not have are refused by name", "[bridges][arrow][error]") {
    const auto found = [](const char* type) {
        return thrown<nk::mismatch_error>([&] { (void)nk::to_arrow(nk::any_array(nk::dtype::parse(type), {0})); });
    };

    CHECK(found("<c16").found() == "'<c16'");
    CHECK(found("bfloat16").found() == "'bfloat16'");
    CHECK(found("<f16").found() == "'<f16'");
    CHECK(found("<M8[h]").found() == "'<M8[h]'");
    CHECK(found("<m8[D]").found() == "'<m8[D]'");
    CHECK(found("<M8[2s]").found() == "'<M8[2s]'");
    CHECK(found("i4,c8").field() == "dtype of field 'f1'");
    CHECK(thrown<nk::mismatch_error>([] { (void)nk::to_arrow(xt::xarray<double>(1.0)); }).found() == "()");
}

TEST_CASE("a mapped array is kept until its Arrow array is released", "[bridges][arrow]") {
    temp_dir dir;
    nk::save(dir / "t.npy", std::vector<int>{4, 5});

    auto pair = nk::to_arrow(nk::map<int, 1>(dir / "t.npy"));
    pair.schema.release();

    CHECK(values<int>(pair)[1] == 5);
    pair.array.release();
    CHECK(pair.array->release == nullptr);
}

TEST_CASE("a shared array is kept once for each of its columns", "[bridges][arrow]") {
    auto array = std::make_shared<const nk::any_array>(nk::array_view(std::vector<int>{4, 5}));
    const std::weak_ptr<const nk::any_array> seen = array;

    auto pair = nk::to_arrow(nk::shared_array(std::move(array)));
    CHECK_FALSE(seen.expired());
    pair = {};

    CHECK(seen.expired());
}

TEST_CASE("bools become bits", "[bridges][arrow]") {
    const auto pair =
        nk::to_arrow(xt::xtensor<bool, 1>{true, false, true, true, false, false, false, false, true, true});

    CHECK(std::string(pair.schema->format) == "b");
    CHECK(pair.array->length == 10);
    CHECK(values<std::uint8_t>(pair)[0] == 0b1101);
    CHECK(values<std::uint8_t>(pair)[1] == 0b11);
}

TEST_CASE("NaT becomes null", "[bridges][arrow]") {
    const std::vector<seconds> times = {at(5), nk::not_a_time<seconds>, at(7)};

    const auto pair = nk::to_arrow_view(times);

    CHECK(pair.schema->flags == ARROW_FLAG_NULLABLE);
    CHECK(pair.array->null_count == 1);
    CHECK(first_byte(pair, 0) == 0b101);
    CHECK(values<std::int64_t>(pair)[2] == 7);
    CHECK(static_cast<const void*>(values<std::int64_t>(pair)) == times.data());
}

TEST_CASE("days become date32, and those out of its range are refused", "[bridges][arrow]") {
    const auto day = [](std::int64_t count) { return days(days::duration(count)); };

    const auto pair = nk::to_arrow(std::vector<days>{day(-3), nk::not_a_time<days>, day(2147483647)});
    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::to_arrow(std::vector<days>{day(2147483648)}); });

    CHECK(std::string(pair.schema->format) == "tdD");
    CHECK(values<std::int32_t>(pair)[0] == -3);
    CHECK(values<std::int32_t>(pair)[2] == 2147483647);
    CHECK(first_byte(pair, 0) == 0b101);
    CHECK(e.found() == "day 2147483648 since 1970");
}

TEST_CASE("text becomes UTF-8 without padding", "[bridges][arrow]") {
    using text = nk::fixed_u32string<4>;

    const auto pair = nk::to_arrow(std::vector<text>{U"ab", U"", U"\u00e9\U0001f600"});
    const auto e = thrown<nk::mismatch_error>([] { (void)nk::to_arrow(std::vector<text>{std::u32string(1, 0xd800)}); });

    CHECK(pair.array->n_buffers == 3);
    const auto* const offsets = values<std::int32_t>(pair);
    CHECK(std::vector<std::int32_t>(offsets, offsets + 4) == std::vector<std::int32_t>{0, 2, 2, 8});
    CHECK(std::string(values<char>(pair, 2), 8) == "ab\xc3\xa9\xf0\x9f\x98\x80");
    CHECK(e.found() == "code 55296");
}

TEST_CASE("further dimensions become fixed-size lists in lists", "[bridges][arrow]") {
    auto array = xt::xtensor<float, 3>::from_shape({2, 3, 4});
    std::iota(array.storage().begin(), array.storage().end(), 0.0F);
    const float* const data = array.data();

    const auto pair = nk::to_arrow(std::move(array), {.name = "cube"});

    const ArrowArray& outer = *pair.array.get();
    const ArrowArray& inner = *outer.children[0];
    const ArrowArray& leaf = *inner.children[0];
    CHECK(std::string(pair.schema->format) == "+w:3");
    CHECK(std::string(pair.schema->name) == "cube");
    CHECK(std::string(pair.schema->children[0]->format) == "+w:4");
    CHECK(std::string(pair.schema->children[0]->name) == "item");
    CHECK(std::string(pair.schema->children[0]->children[0]->format) == "f");
    CHECK((outer.length == 2 && inner.length == 6 && leaf.length == 24));
    CHECK((outer.n_buffers == 1 && inner.n_buffers == 1 && leaf.n_buffers == 2));
    CHECK(leaf.buffers[1] == data);
}

TEST_CASE("another memory order and another byte order are converted", "[bridges][arrow]") {
    xt::xtensor<int, 2, xt::layout_type::column_major> columns = {{1, 2}, {3, 4}};
    nk::any_array big(nk::dtype::parse(">i4"), {1});
    std::memcpy(big.bytes().data(), "\0\0\1\2", 4);

    const auto rows = nk::to_arrow(std::move(columns));
    const auto native = nk::to_arrow(std::move(big));

    const auto* const data = static_cast<const int*>(rows.array->children[0]->buffers[1]);
    CHECK(std::vector<int>(data, data + 4) == std::vector<int>{1, 2, 3, 4});
    CHECK(*values<int>(native) == 258);
}

TEST_CASE("structs become columns", "[bridges][arrow]") {
    const std::vector<point> points = {{1, {2, 3}, true}, {4, {5, 6}, false}, {7, {8, 9}, true}};

    auto pair = nk::to_arrow_view(points);

    const ArrowArray& array = *pair.array.get();
    CHECK(std::string(pair.schema->format) == "+s");
    CHECK((array.n_children == 3 && pair.schema->n_children == 3 && array.length == 3 && array.n_buffers == 1));
    CHECK(std::string(pair.schema->children[0]->name) == "id");
    CHECK(std::string(pair.schema->children[1]->name) == "at");
    CHECK(std::string(pair.schema->children[1]->format) == "+w:2");
    CHECK(static_cast<const std::int8_t*>(array.children[0]->buffers[1])[2] == 7);
    CHECK(static_cast<const double*>(array.children[1]->children[0]->buffers[1])[3] == 6);
    CHECK(*static_cast<const std::uint8_t*>(array.children[2]->buffers[1]) == 0b101);
}

TEST_CASE("a child that was moved away outlives its parent", "[bridges][arrow]") {
    auto pair = nk::to_arrow(std::vector<point>{{1, {2, 3}, true}, {4, {5, 6}, false}});

    const nk::arrow_owner<ArrowArray> child(pair.array.get()->children[1]);
    const nk::arrow_owner<ArrowSchema> type(pair.schema.get()->children[1]);
    pair.array.release();
    pair.schema.release();

    CHECK(std::string(type->format) == "+w:2");
    CHECK(static_cast<const double*>(child->children[0]->buffers[1])[2] == 5);
}

TEST_CASE("a struct that was moved away is not released by its owner", "[bridges][arrow]") {
    ArrowArray moved = {};
    {
        auto pair = nk::to_arrow(std::vector<int>{8, 9});
        std::move(pair.array).move_to(&moved);
        CHECK(pair.array->release == nullptr);
    }
    CHECK(static_cast<const int*>(moved.buffers[1])[1] == 9);
    moved.release(&moved);
    CHECK(moved.release == nullptr);
}

TEST_CASE("arrays of every kind make the round trip", "[bridges][arrow]") {
    const auto same = [](const char* type, const shape& extents) {
        nk::any_array array(nk::dtype::parse(type), extents);
        for (std::size_t i = 0; i < array.bytes().size(); ++i)
            array.bytes()[i] = static_cast<std::byte>(array.type().kind() == 'b' ? i % 3 == 0 : i % 50 + 1);
        const nk::any_array back{nk::array_view(nk::from_arrow(nk::to_arrow_copy(array)))};
        INFO(type);
        CHECK(back.type() == array.type());
        CHECK(back.shape() == array.shape());
        CHECK(std::memcmp(back.bytes().data(), array.bytes().data(), array.bytes().size()) == 0);
    };

    same("?", {19});
    same("<f2", {4});
    same("<u8", {3, 2});
    same("<f8", {2, 3, 4});
    same("?", {3, 3});
    same("<M8[us]", {5});
    same("<m8[ns]", {5});
    same("V3", {4});
    same("<i4", {0});
    same("<i4", {3, 0});
    same("<i4", {0, 3});
    same("[('a', '<i2'), ('b', '<f8', (2, 3)), ('c', [('x', 'u1'), ('y', '<i4')], (2,)), ('d', [('z', 'i1')])]",
         {3, 2});
}

TEST_CASE("text makes the round trip", "[bridges][arrow]") {
    using text = nk::fixed_u32string<4>;
    const std::vector<text> words = {U"ab", U"", U"\u00e9\U0001f600cd"};

    const auto back = nk::from_arrow(nk::to_arrow_view(words)).as<text, 1>();

    CHECK(back.size() == 3);
    CHECK((back(0) == words[0] && back(1) == words[1] && back(2) == words[2]));
}

TEST_CASE("an array is read in place and released once", "[bridges][arrow]") {
    foreign array("i", "x", 6, {nullptr, numbers.data()});
    {
        auto column = std::make_unique<nk::arrow_column>(array.take());
        CHECK(array.array.release == nullptr);
        CHECK(array.schema.release == nullptr);
        CHECK(column->name() == "x");
        CHECK(column->shape() == shape{6});
        const auto elements = column->as<std::int32_t, 1>();
        column.reset();

        CHECK(elements.data() == numbers.data());
        CHECK(elements(5) == 5);
        CHECK(array.released_arrays == 0);
        CHECK(array.released_schemas == 1);
    }
    CHECK(array.was_released());
}

TEST_CASE("offsets of an array count elements of every buffer", "[bridges][arrow]") {
    const std::uint8_t bits[] = {0b1101'0111, 0b0000'0010};
    foreign integers("i", "", 2, {bits, numbers.data()});
    integers.array.offset = 3;
    foreign flags("b", "", 7, {nullptr, bits});
    flags.array.offset = 3;
    const std::int32_t ends[] = {0, 1, 3, 6};
    foreign strings("u", "", 2, {nullptr, ends, "abbccc"});
    strings.array.offset = 1;

    const auto sliced = integers.take(nk::arrow_nulls::ignored);
    const auto values = flags.take().as<bool, 1>();
    const auto words = strings.take().as<nk::fixed_u32string<3>, 1>();

    CHECK(sliced.null_count() == 1);
    CHECK((sliced.validity() == xt::xarray<bool>{false, true}));
    CHECK((sliced.as<std::int32_t, 1>() == xt::xtensor<std::int32_t, 1>{3, 4}));
    CHECK((values == xt::xtensor<bool, 1>{false, true, false, true, true, false, true}));
    CHECK((words(0).utf8() == "bb" && words(1).utf8() == "ccc"));
}

TEST_CASE("offsets of lists and structs are added to those of their children", "[bridges][arrow]") {
    foreign items("i", "item", 5, {nullptr, numbers.data()});
    items.array.offset = 1;
    foreign list("+w:2", "pairs", 1, {nullptr}, {&items});
    list.array.offset = 1;
    foreign field("i", "n", 4, {nullptr, numbers.data()});
    field.array.offset = 2;
    foreign record("+s", "", 2, {nullptr}, {&field});
    record.array.offset = 1;

    const auto pairs = list.take().as<std::int32_t, 2>();
    const auto fields = record.take().child("n").as<std::int32_t, 1>();

    CHECK((pairs == xt::xtensor<std::int32_t, 2>{{3, 4}}));
    CHECK((fields == xt::xtensor<std::int32_t, 1>{3, 4}));
}

TEST_CASE("nulls are refused unless they are asked for", "[bridges][arrow][error]") {
    const std::uint8_t valid[] = {0b1'0101};
    foreign one("i", "n", 6, {valid, numbers.data()});
    foreign other("i", "n", 6, {valid, numbers.data()});
    const auto column = one.take();

    const auto view = thrown<nk::mismatch_error>([&] { (void)nk::array_view(column); });
    const auto typed = thrown<nk::mismatch_error>([&] { (void)column.as<std::int32_t>(); });
    const auto missing =
        thrown<nk::mismatch_error>([&] { (void)nk::array_view(other.take(nk::arrow_nulls::missing)); });

    CHECK(std::string(view.what()) ==
          "column 'n' is an array with 3 nulls, expected no nulls (from_arrow with .nulls = "
          "arrow_nulls::ignored, and validity())");
    CHECK(typed.found() == "an array with 3 nulls");
    CHECK(missing.found() == "an array with 3 nulls");
    CHECK((column.validity() == xt::xarray<bool>{true, false, true, false, true, false}));
}

TEST_CASE("nulls of floats become NaN and those of dates NaT if that is asked for", "[bridges][arrow]") {
    const std::uint8_t valid[] = {0b101};
    const double doubles[] = {1, 2, 3};
    const std::int64_t times[] = {4, 5, 6};
    const std::int32_t dates[] = {7, 8, 9};
    foreign a("g", "", 3, {valid, doubles}), b("tss:Europe/Berlin", "", 3, {valid, times}),
        c("tdD", "", 3, {valid, dates}), d("e", "", 3, {valid, doubles});

    const auto missing = nk::arrow_nulls::missing;
    const auto floats = a.take(missing).as<double, 1>();
    const auto stamps = b.take(missing).as<seconds, 1>();
    const auto from_days = c.take(missing).as<days, 1>();
    const auto halves = d.take(missing).as<nk::float16, 1>();

    CHECK((floats(0) == 1 && std::isnan(floats(1)) && floats(2) == 3));
    CHECK((stamps(0) == at(4) && nk::is_not_a_time(stamps(1)) && stamps(2) == at(6)));
    CHECK((from_days(0).time_since_epoch().count() == 7 && nk::is_not_a_time(from_days(1))));
    CHECK(std::isnan(static_cast<float>(halves(1))));
    CHECK(doubles[1] == 2);
}

TEST_CASE("an element is null if the struct or the list around it is", "[bridges][arrow]") {
    const std::uint8_t no_second[] = {0b101}, no_third[] = {0b11'1011};
    const double doubles[] = {0, 1, 2, 3, 4, 5};
    foreign items("g", "item", 6, {no_third, doubles});
    foreign list("+w:2", "pairs", 3, {nullptr}, {&items});
    foreign record("+s", "r", 3, {no_second}, {&list});

    const auto column = record.take(nk::arrow_nulls::missing);
    const auto pairs = column.child("pairs").as<double, 2>();

    CHECK(column.null_count() == 1);
    CHECK(column.child("pairs").null_count() == 2);
    CHECK((column.child("pairs").validity() == xt::xarray<bool>{{true, true}, {false, false}, {true, true}}));
    CHECK((pairs(0, 1) == 1 && std::isnan(pairs(1, 0)) && std::isnan(pairs(1, 1)) && pairs(2, 1) == 5));
    CHECK(nk::array_view(column).type().descr() == "[('pairs', '<f8', (2,))]");
}

TEST_CASE("nulls in a child of a struct are refused with its path", "[bridges][arrow][error]") {
    const std::uint8_t none[] = {0};
    foreign field("i", "n", 2, {none, numbers.data()});
    foreign record("+s", "r", 2, {nullptr}, {&field});
    const auto column = record.take();

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::array_view(column); });

    CHECK(e.field() == "column 'r.n'");
    CHECK(e.found() == "an array with 2 nulls");
}

TEST_CASE("writers take Arrow arrays, and structs as structured arrays", "[bridges][arrow]") {
    temp_dir dir;
    const std::vector<point> points = {{1, {2, 3}, true}, {4, {5, 6}, false}};
    const std::vector<double> doubles = {1, 2, 3};
    const auto records = nk::from_arrow(nk::to_arrow_view(points));
    const auto column = nk::from_arrow(nk::to_arrow_view(doubles));

    nk::save(dir / "points.npy", records);
    nk::save_npz(dir / "both.npz", {{"points", records}, {"column", column}});
    const nk::tree tree = {{"points", records}, {"column", column}};
    nk::chunk_writer<double, 1> writer(dir / "chunks", {});
    writer.append(column);
    writer.commit();
    const auto loaded = nk::load<point, 1>(dir / "points.npy");

    CHECK((loaded(1).id == 4 && loaded(1).at[1] == 6 && !loaded(1).good && loaded(0).good));
    CHECK(nk::npz_reader(dir / "both.npz").load<point, 1>("points")(0).at[0] == 2);
    CHECK(tree["column"].as<double, 1>()(2) == 3);
    CHECK(nk::load_chunked<double, 1>(dir / "chunks")(2) == 3);
    CHECK(nk::visit<nk::real>([](const auto& a) { return static_cast<double>(a(1)); }, nk::any_array(column)) == 2);
}

TEST_CASE("a column is given on in place, and kept", "[bridges][arrow]") {
    foreign integers("i", "n", 6, {nullptr, numbers.data()}), others("i", "n", 6, {nullptr, numbers.data()});
    {
        const auto tensor = nk::to_dlpack(integers.take());
        const auto pair = nk::to_arrow(others.take());

        CHECK(tensor->dl_tensor.data == numbers.data());
        CHECK(tensor->flags == 1);  // read-only
        CHECK(pair.array->buffers[1] == numbers.data());
        CHECK((integers.released_arrays == 0 && others.released_arrays == 0));
    }
    CHECK((integers.was_released() && others.was_released()));
}

TEST_CASE("a struct array has no elements in place and names its children", "[bridges][arrow][error]") {
    const std::vector<point> points = {{1, {2, 3}, true}};
    const auto records = nk::from_arrow(nk::to_arrow_view(points));

    CHECK(records.children().size() == 3);
    CHECK(thrown<nk::mismatch_error>([&] { (void)records.as<point>(); }).hint() == "child, or any_array(array).as");
    CHECK(thrown<nk::mismatch_error>([&] { (void)records.child("no"); }).expected() == "one of 'id', 'at', 'good'");
    CHECK(nk::any_array(records).as<point, 1>()(0).at[1] == 3);
}

TEST_CASE("the dtype, rank and alignment of an Arrow array are checked", "[bridges][arrow][error]") {
    foreign first("i", "", 6, {nullptr, numbers.data()});
    foreign second("i", "", 3, {nullptr, reinterpret_cast<const char*>(numbers.data()) + 1});
    const auto column = first.take();

    CHECK(std::string(thrown<nk::mismatch_error>([&] { (void)column.as<double>(); }).what()) ==
          "dtype is '<i4', expected '<f8' (as<std::int32_t>)");
    CHECK(thrown<nk::mismatch_error>([&] { (void)column.as<std::int32_t, 2>(); }).found() == "(6,)");
    CHECK(thrown<nk::mismatch_error>([&] { (void)second.take().as<std::int32_t>(); }).field() == "memory");
}

TEST_CASE("other types of Arrow are refused by name and released", "[bridges][arrow][error]") {
    const auto found = [](const char* format) {
        foreign array(format, "x", 0, {nullptr, nullptr});
        return refused<nk::mismatch_error>(array).found();
    };

    CHECK(found("n") == "nulls only");
    CHECK(found("z") == "binary of variable size");
    CHECK(found("Z") == "large binary of variable size");
    CHECK(found("vz") == "binary views");
    CHECK(found("vu") == "string views");
    CHECK(found("d:19,10") == "decimal numbers");
    CHECK(found("ttn") == "times of day");
    CHECK(found("tin") == "calendar intervals");
    CHECK(found("+l") == "lists of variable size");
    CHECK(found("+L") == "large lists of variable size");
    CHECK(found("+vl") == "list views");
    CHECK(found("+m") == "maps");
    CHECK(found("+ud:0,1") == "a dense union");
    CHECK(found("+us:0,1") == "a sparse union");
    CHECK(found("+r") == "run-end encoded");
    CHECK(found("q") == "'q'");
    CHECK(found("ii") == "'ii'");
    CHECK(found("tsq:") == "'tsq:'");
    CHECK(found("") == "''");
}

TEST_CASE("dictionary-encoded arrays are refused", "[bridges][arrow][error]") {
    foreign words("u", "", 0, {nullptr, nullptr, nullptr});
    foreign array("i", "x", 6, {nullptr, numbers.data()});
    array.schema.dictionary = &words.schema;
    array.array.dictionary = &words.array;

    CHECK(std::string(refused<nk::mismatch_error>(array).what()) ==
          "column 'x' is dictionary-encoded, expected a type that NumPy has (convert it before)");
}

TEST_CASE("broken arrays are errors and are released", "[bridges][arrow][error]") {
    const auto found = [](auto&& damage) {
        foreign array("i", "x", 6, {nullptr, numbers.data()});
        damage(array);
        return std::string(refused<nk::format_error>(array).what());
    };
    constexpr auto largest = std::numeric_limits<std::int64_t>::max();

    CHECK(found([](auto& a) { a.schema.format = nullptr; }) == "format of array is nullptr, expected a string");
    CHECK(found([](auto& a) { a.array.length = -1; }) == "length of array is -1, expected at least 0");
    CHECK(found([](auto& a) { a.array.length = largest; }) ==
          "length of column 'x' is 9223372036854775807, expected at least 0");
    CHECK(found([](auto& a) {
              a.array.length = largest / 4;
              a.schema.format = "l";
          }) == "length of column 'x' is 2305843009213693951 elements, expected an array that fits into memory");
    CHECK(found([](auto& a) { a.array.offset = -1; }) == "offset of column 'x' is -1, expected at least 0");
    CHECK(found([](auto& a) { a.array.null_count = -2; }) == "null_count of column 'x' is -2, expected -1 to 6");
    CHECK(found([](auto& a) { a.array.null_count = 7; }) == "null_count of column 'x' is 7, expected -1 to 6");
    CHECK(found([](auto& a) { a.array.null_count = 1; }) == "null_count of column 'x' is 1, expected 0");
    CHECK(found([](auto& a) { a.array.n_buffers = 1; }) == "n_buffers of column 'x' is 1, expected 2");
    CHECK(found([](auto& a) { a.array.n_children = 1; }) == "n_children of column 'x' is 1, expected 0");
    CHECK(found([](auto& a) {
              a.schema.n_children = 1;
              a.schema.children = nullptr;
          }) == "n_children in the schema of column 'x' is 1, expected 0");
    CHECK(found([](auto& a) { a.array.buffers = nullptr; }) ==
          "buffers of column 'x' is nullptr, expected an array of pointers");
    CHECK(found([](auto& a) { a.buffers[1] = nullptr; }) == "buffer 1 of column 'x' is nullptr, expected values");
    CHECK(found([](auto& a) { a.schema.format = "w:"; }) ==
          "format of column 'x' is 'w:', expected a size after the colon");
    CHECK(found([](auto& a) { a.schema.format = "w:-4"; }) ==
          "format of column 'x' is 'w:-4', expected a size after the colon");
    CHECK(found([](auto& a) { a.schema.format = "w:99999999999"; }) ==
          "format of column 'x' is 'w:99999999999', expected a size after the colon");
}

TEST_CASE("broken children are errors and are released", "[bridges][arrow][error]") {
    const auto found = [](const char* format, auto&& damage) {
        foreign child("i", "n", 6, {nullptr, numbers.data()});
        foreign array(format, "x", 3, {nullptr}, {&child});
        damage(array, child);
        return std::string(refused<nk::format_error>(array).what());
    };

    CHECK(found("+s", [](auto& a, auto&) { a.arrays[0] = nullptr; }) ==
          "child of column 'x' is released, moved or nullptr, expected a struct of its producer");
    CHECK(found("+s", [](auto&, auto& c) { c.array.release = nullptr; }) ==
          "child of column 'x' is released, moved or nullptr, expected a struct of its producer");
    CHECK(found("+s", [](auto& a, auto&) { a.array.children = nullptr; }) ==
          "children of column 'x' is nullptr, expected an array of pointers");
    CHECK(found("+s", [](auto&, auto& c) { c.array.length = 2; }) ==
          "length of column 'x.n' is 2, expected at least 3");
    CHECK(found("+s", [](auto& a, auto&) { a.array.offset = 4; }) ==
          "length of column 'x.n' is 6, expected at least 7");
    CHECK(found("+s", [](auto& a, auto&) { a.array.n_children = 0; }) ==
          "n_children in the schema of column 'x' is 1, expected 0");
    CHECK(found("+w:3", [](auto&, auto&) {}) == "length of the child of column 'x' is 6, expected at least 9");
    CHECK(found("+w:2147483647", [](auto&, auto&) {}) ==
          "length of the child of column 'x' is 6, expected at least 6442450941");
    CHECK(found("+w:2", [](auto& a, auto&) { a.array.n_children = 0; }) == "n_children of column 'x' is 0, expected 1");
}

TEST_CASE("children without a name are called by their position", "[bridges][arrow]") {
    foreign bytes("w:4", "", 2, {nullptr, numbers.data()});
    foreign field("i", "", 2, {nullptr, numbers.data()});
    foreign record("+s", "", 2, {nullptr}, {&bytes, &field});

    const nk::any_array back{nk::array_view(nk::from_arrow(&record.schema, &record.array))};

    CHECK(back.type().descr() == "[('f0', '|V4'), ('f1', '<i4')]");
}

TEST_CASE("a struct with two children of one name is an error", "[bridges][arrow][error]") {
    foreign one("i", "n", 6, {nullptr, numbers.data()}), other("i", "n", 6, {nullptr, numbers.data()});
    foreign array("+s", "x", 6, {nullptr}, {&one, &other});

    (void)refused<nk::format_error>(array);

    CHECK((one.was_released() && other.was_released()));
}

TEST_CASE("an array that contains itself ends in an error", "[bridges][arrow][error]") {
    foreign array("+s", "x", 1, {nullptr});
    // Children of the moved structs, so that they are not released in a circle.
    foreign inner("+s", "y", 1, {nullptr});
    inner.schemas = {&inner.schema};
    inner.arrays = {&inner.array};
    inner.schema.n_children = inner.array.n_children = 1;
    inner.schema.children = inner.schemas.data();
    inner.array.children = inner.arrays.data();
    inner.schema.release = [](ArrowSchema* self) { self->release = nullptr; };
    inner.array.release = [](ArrowArray* self) { self->release = nullptr; };
    array.schemas = {&inner.schema};
    array.arrays = {&inner.array};
    array.schema.n_children = array.array.n_children = 1;
    array.schema.children = array.schemas.data();
    array.array.children = array.arrays.data();

    CHECK(refused<nk::format_error>(array).expected() == "at most 32 levels");
}

TEST_CASE("broken strings are errors and are released", "[bridges][arrow][error]") {
    const auto found = [](std::vector<std::int32_t> ends, const char* text) {
        foreign array("u", "x", 2, {nullptr, ends.data(), text});
        return refused<nk::format_error>(array).found();
    };

    CHECK(found({0, 3, 1}, "abc") == "3 before 1");
    CHECK(found({-1, 0, 1}, "abc") == "-1 before 0");
    CHECK(found({0, 1, 2}, nullptr) == "nullptr");
    CHECK(found({0, 1, 2}, "a\xff") == "string 1 with other bytes");
}

TEST_CASE("strings whose lengths differ too much are refused", "[bridges][arrow][error]") {
    std::vector<std::int64_t> ends(100'000, 0);
    ends.back() = 10'000;
    const std::string text(10'000, 'a');
    foreign array("U", "x", 99'999, {nullptr, ends.data(), text.data()});

    CHECK(refused<nk::mismatch_error>(array).found() == "99999 strings with up to 10000 characters");
}

TEST_CASE("a struct that is released or missing is an error, and the other one is released",
          "[bridges][arrow][error]") {
    foreign no_array("i", "x", 6, {nullptr, numbers.data()}), no_schema("i", "x", 6, {nullptr, numbers.data()});
    no_array.array.release = nullptr;

    const auto e = thrown<nk::format_error>([&] { (void)no_array.take(); });
    (void)thrown<nk::format_error>([&] { (void)nk::from_arrow(nullptr, &no_schema.array); });
    (void)thrown<nk::format_error>([&] { (void)nk::from_arrow(nk::arrow_pair()); });

    CHECK(e.field() == "ArrowArray");
    CHECK((no_array.released_schemas == 1 && no_array.released_arrays == 0));
    CHECK((no_schema.released_schemas == 0 && no_schema.released_arrays == 1));
}

TEST_CASE("empty arrays without buffers are taken", "[bridges][arrow]") {
    foreign numbers_of_none("i", "", 0, {nullptr, nullptr}), strings("u", "", 0, {nullptr, nullptr, nullptr}),
        flags("b", "", 0, {nullptr, nullptr}), record("+s", "", 0, {nullptr});

    CHECK(numbers_of_none.take().as<std::int32_t, 1>().size() == 0);
    CHECK(nk::array_view(strings.take()).type() == nk::dtype::parse("<U1"));
    CHECK(flags.take().as<bool>().size() == 0);
    CHECK(record.take().children().empty());
}

}  // namespace bridges_arrow_tests
