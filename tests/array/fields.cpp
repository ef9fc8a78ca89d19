// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/array/field.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/element/fields.hpp>

#include <array>
#include <cstring>
#include <new>
#include <vector>

namespace array_fields_tests {

namespace nk = ndkeep;

namespace market {

struct trade {
    std::int64_t time;
    double price;
    std::int32_t size;
};
NDKEEP_FIELDS(trade, time, price, size);

namespace book {

struct level {
    double price;
    std::uint16_t orders;
};
NDKEEP_FIELDS(level, price, orders);

struct snapshot {
    nk::fixed_string<3> venue;
    level best;
    std::array<level, 2> bids;
    std::int16_t tags[2][3];
    std::array<std::array<float, 2>, 2> matrix;
};
NDKEEP_FIELDS(snapshot, venue, best, bids, tags, matrix);

}  // namespace book

class venue {
  public:
    struct address {
        std::int32_t street;
        bool open;
    };
};
NDKEEP_FIELDS(venue::address, street, open);

struct late_trade : trade {};
NDKEEP_FIELDS(late_trade, time, price, size);

}  // namespace market

struct in_no_namespace {
    float x, y;
};
NDKEEP_FIELDS(in_no_namespace, x, y);

namespace {

struct in_another_order {
    std::int8_t first;
    std::int32_t second;
    std::int16_t third;
};
NDKEEP_FIELDS(in_another_order, third, first, second);

struct partly_named {
    double value;
    const char* owner;  // not an element and not listed in NDKEEP_FIELDS
    std::int32_t id;
    std::int32_t scratch;
};
NDKEEP_FIELDS(partly_named, id, value);

struct every_kind {
    bool flag;
    nk::float16 half;
    std::complex<float> phase;
    nk::fixed_u32string<2> name;
    nk::fixed_bytes<5> raw;
    std::chrono::seconds lasted;
    std::chrono::sys_time<std::chrono::nanoseconds> begun;
    long double exact;
};
NDKEEP_FIELDS(every_kind, flag, half, phase, name, raw, lasted, begun, exact);

struct twice {
    int a;
};
NDKEEP_FIELDS(twice, a, a);

// clang-format off
struct wide {
    std::int16_t f000, f001, f002, f003, f004, f005, f006, f007, f008, f009, f010, f011, f012, f013, f014, f015, f016, f017, f018, f019, f020, f021, f022, f023, f024, f025, f026, f027, f028, f029, f030, f031, f032, f033, f034, f035, f036, f037, f038, f039, f040, f041, f042, f043, f044, f045, f046, f047, f048, f049, f050, f051, f052, f053, f054, f055, f056, f057, f058, f059, f060, f061, f062, f063, f064, f065, f066, f067, f068, f069, f070, f071, f072, f073, f074, f075, f076, f077, f078, f079, f080, f081, f082, f083, f084, f085, f086, f087, f088, f089, f090, f091, f092, f093, f094, f095, f096, f097, f098, f099, f100, f101, f102, f103, f104, f105, f106, f107, f108, f109, f110, f111, f112, f113, f114, f115, f116, f117, f118, f119, f120, f121, f122, f123, f124, f125, f126, f127, f128, f129, f130, f131, f132, f133, f134, f135, f136, f137, f138, f139, f140, f141, f142, f143, f144, f145, f146, f147, f148, f149, f150, f151, f152, f153, f154, f155, f156, f157, f158, f159, f160, f161, f162, f163, f164, f165, f166, f167, f168, f169, f170, f171, f172, f173, f174, f175, f176, f177, f178, f179, f180, f181, f182, f183, f184, f185, f186, f187, f188, f189, f190, f191, f192, f193, f194, f195, f196, f197, f198, f199;
};
NDKEEP_FIELDS(wide, f000, f001, f002, f003, f004, f005, f006, f007, f008, f009, f010, f011, f012, f013, f014, f015, f016, f017, f018, f019, f020, f021, f022, f023, f024, f025, f026, f027, f028, f029, f030, f031, f032, f033, f034, f035, f036, f037, f038, f039, f040, f041, f042, f043, f044, f045, f046, f047, f048, f049, f050, f051, f052, f053, f054, f055, f056, f057, f058, f059, f060, f061, f062, f063, f064, f065, f066, f067, f068, f069, f070, f071, f072, f073, f074, f075, f076, f077, f078, f079, f080, f081, f082, f083, f084, f085, f086, f087, f088, f089, f090, f091, f092, f093, f094, f095, f096, f097, f098, f099, f100, f101, f102, f103, f104, f105, f106, f107, f108, f109, f110, f111, f112, f113, f114, f115, f116, f117, f118, f119, f120, f121, f122, f123, f124, f125, f126, f127, f128, f129, f130, f131, f132, f133, f134, f135, f136, f137, f138, f139, f140, f141, f142, f143, f144, f145, f146, f147, f148, f149, f150, f151, f152, f153, f154, f155, f156, f157, f158, f159, f160, f161, f162, f163, f164, f165, f166, f167, f168, f169, f170, f171, f172, f173, f174, f175, f176, f177, f178, f179, f180, f181, f182, f183, f184, f185, f186, f187, f188, f189, f190, f191, f192, f193, f194, f195, f196, f197, f198, f199);
// clang-format on

template <class T>
std::string descr() {
    return nk::dtype_of<T>().descr();
}

/// A struct in memory that held other bytes before, so that padding is not zero by chance.
template <class T>
struct dirty {
    alignas(T) std::array<unsigned char, sizeof(T)> bytes;
    dirty() { bytes.fill(0xab); }
    T* operator->() { return reinterpret_cast<T*>(bytes.data()); }
    T& operator*() { return *reinterpret_cast<T*>(bytes.data()); }
};

std::vector<unsigned char> written(const nk::array_view& view) {
    std::vector<unsigned char> bytes(view.nbytes(), 0xcd);
    view.fill(0, view.size(), reinterpret_cast<std::byte*>(bytes.data()));
    return bytes;
}

xt::xtensor<market::trade, 1> some_trades() { return {{1, 2.5, 10}, {2, 3.5, 20}, {3, 4.0, 30}}; }

}  // namespace

TEST_CASE("a struct is the structured dtype of its named members, padding included", "[array][fields]") {
    CHECK(descr<market::trade>() == "[('time', '<i8'), ('price', '<f8'), ('size', '<i4'), ('', '|V4')]");
    CHECK(nk::dtype_of<market::trade>().size() == sizeof(market::trade));
    CHECK(descr<in_no_namespace>() == "[('x', '<f4'), ('y', '<f4')]");
    CHECK(nk::dtype_of<const in_no_namespace>() == nk::dtype_of<in_no_namespace>());
}

TEST_CASE("classes inside classes and derived structs have fields too", "[array][fields]") {
    CHECK(descr<market::venue::address>() == "[('street', '<i4'), ('open', '|b1'), ('', '|V3')]");
    CHECK(nk::dtype_of<market::late_trade>() == nk::dtype_of<market::trade>());
}

TEST_CASE("structs, C arrays and std::arrays nest", "[array][fields]") {
    const std::string level = "[('price', '<f8'), ('orders', '<u2'), ('', '|V6')]";

    CHECK(descr<market::book::level>() == level);
    CHECK(descr<market::book::snapshot>() == "[('venue', '|S3'), ('', '|V5'), ('best', " + level + "), ('bids', " +
                                                 level + ", (2,)), ('tags', '<i2', (2, 3)), " +
                                                 "('matrix', '<f4', (2, 2)), ('', '|V4')]");
}

TEST_CASE("members of every kind of element are fields", "[array][fields]") {
    const auto& type = nk::dtype_of<every_kind>();
    std::string kinds;
    for (const auto& field : type.fields())
        kinds += field.type.str() + ' ';

    CHECK(kinds == "|b1 <f2 <c8 <U2 |V5 <m8[s] <M8[ns] <f16 ");
    CHECK(type.find("raw")->offset == offsetof(every_kind, raw));
    CHECK(type.find("exact")->offset == offsetof(every_kind, exact));
    CHECK(type.size() == sizeof(every_kind));
}

TEST_CASE("fields named in another order stand where they lie", "[array][fields]") {
    CHECK(descr<in_another_order>() ==
          "[('first', '|i1'), ('', '|V3'), ('second', '<i4'), ('third', '<i2'), ('', '|V2')]");
}

TEST_CASE("members that are not named are padding", "[array][fields]") {
    CHECK(descr<partly_named>() == "[('value', '<f8'), ('', '|V8'), ('id', '<i4'), ('', '|V4')]");
}

TEST_CASE("a struct may have 200 fields", "[array][fields]") {
    const auto& type = nk::dtype_of<wide>();

    REQUIRE(type.fields().size() == 200);
    CHECK(type.fields()[0].name == "f000");
    CHECK(type.fields()[199].name == "f199");
    CHECK(type.fields()[199].offset == 398);
    CHECK(type.size() == 400);
}

TEST_CASE("a field named twice is refused at its first use", "[array][fields]") {
    CHECK_THROWS_AS(nk::dtype_of<twice>(), nk::format_error);
}

TEST_CASE("padding is written as zeros", "[array][fields]") {
    dirty<market::trade> trade;
    trade->time = 1;
    trade->price = 2;
    trade->size = 3;

    const auto bytes = written(*trade);

    REQUIRE(bytes.size() == 24);
    CHECK(std::memcmp(bytes.data(), trade.bytes.data(), 20) == 0);
    CHECK(std::vector<unsigned char>(bytes.begin() + 20, bytes.end()) == std::vector<unsigned char>(4, 0));
    CHECK(trade.bytes[20] == 0xab);  // loading does not write to the source's padding
}

TEST_CASE("members that are not named are written as zeros", "[array][fields]") {
    dirty<partly_named> one;
    one->value = 1.5;
    one->id = 7;

    const auto bytes = written(*one);

    CHECK(bytes[8] == 0);  // owner
    CHECK(bytes[15] == 0);
    CHECK(bytes[16] == 7);  // id
    CHECK(bytes[20] == 0);  // scratch
    CHECK(bytes[23] == 0);
}

TEST_CASE("padding inside structs in arrays is written as zeros, in every element", "[array][fields]") {
    dirty<std::array<market::book::snapshot, 3>> shots;
    const auto gaps = [](const unsigned char* element) {
        std::vector<unsigned char> found;
        const auto add = [&](std::size_t from, std::size_t until) {
            found.insert(found.end(), element + from, element + until);
        };
        add(3, 8);    // behind venue
        add(18, 24);  // behind best.orders
        add(34, 40);  // behind bids[0].orders
        add(50, 56);  // behind bids[1].orders
        add(84, 88);  // behind the last member
        return found;
    };

    const auto bytes = written(*shots);

    for (std::size_t i = 0; i < 3; ++i) {
        const auto found = gaps(bytes.data() + i * sizeof(market::book::snapshot));
        CHECK(found == std::vector<unsigned char>(found.size(), 0));
        CHECK(bytes[i * sizeof(market::book::snapshot) + 8] == 0xab);
        CHECK(bytes[i * sizeof(market::book::snapshot) + 17] == 0xab);
    }
}

TEST_CASE("structs are padded with zeros from strided and column-major arrays too", "[array][fields]") {
    xt::xtensor<market::trade, 2, xt::layout_type::column_major> trades({2, 3});
    std::memset(static_cast<void*>(trades.data()), 0xab, sizeof(market::trade) * trades.size());
    for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t j = 0; j < 3; ++j)
            trades(i, j).time = static_cast<std::int64_t>(10 * i + j);
    const auto check = [](const nk::array_view& view, const std::vector<unsigned char>& times) {
        const auto bytes = written(view);
        CHECK(view.contiguous() == nullptr);
        REQUIRE(bytes.size() == 24 * times.size());
        for (std::size_t i = 0; i < times.size(); ++i) {
            CHECK(bytes[24 * i] == times[i]);
            CHECK(bytes[24 * i + 20] == 0);
            CHECK(bytes[24 * i + 23] == 0);
        }
    };

    check(trades, {0, 10, 1, 11, 2, 12});
    check(nk::array_view(trades).in_order(nk::order::row_major), {0, 1, 2, 10, 11, 12});
    check(xt::view(trades, 1, xt::range(0, 3, 2)), {10, 12});
}

TEST_CASE("structs without padding are written from where they lie", "[array][fields]") {
    const std::vector<in_no_namespace> points = {{1, 2}, {3, 4}};

    CHECK(nk::array_view(points).contiguous() == reinterpret_cast<const std::byte*>(points.data()));
}

TEST_CASE("field is one member as a lazy column", "[array][fields]") {
    auto trades = some_trades();

    const auto prices = nk::field(trades, &market::trade::price);

    CHECK((prices.shape() == trades.shape()));
    CHECK(xt::sum(prices)() == 10.0);
    CHECK(prices(1) == 3.5);
    trades(1).price = 100;
    CHECK(prices(1) == 100.0);
}

TEST_CASE("columns are combined like any expressions", "[array][fields]") {
    const auto trades = some_trades();
    const auto prices = nk::field(trades, &market::trade::price);
    const auto sizes = nk::field(trades, &market::trade::size);

    CHECK(xt::sum(prices * sizes)() == 2.5 * 10 + 3.5 * 20 + 4.0 * 30);
    CHECK((prices * 2.0 + 1)(0) == 6.0);
    CHECK(xt::where(sizes > 15, prices, 0.0)(2) == 4.0);
    CHECK(xt::where(sizes > 15, prices, 0.0)(0) == 0.0);
}

TEST_CASE("field keeps an array that is given as an rvalue", "[array][fields]") {
    const auto times = nk::field(some_trades(), &market::trade::time);

    CHECK(times(0) == 1);
    CHECK(times(2) == 3);
}

TEST_CASE("field reads views, columns of columns and members of a base", "[array][fields]") {
    const auto trades = some_trades();
    auto shots = xt::xtensor<market::book::snapshot, 1>::from_shape({2});
    shots(1).best.price = 9;
    auto late = xt::xtensor<market::late_trade, 1>::from_shape({2});
    late(0).price = 1;
    late(1).price = 2;

    CHECK(xt::sum(nk::field(xt::view(trades, xt::range(1, 3)), &market::trade::size))() == 50);
    CHECK(nk::field(nk::field(shots, &market::book::snapshot::best), &market::book::level::price)(1) == 9.0);
    CHECK(xt::sum(nk::field(late, &market::late_trade::price))() == 3.0);
}

TEST_CASE("field of a member that is an array has the axes of both", "[array][fields]") {
    using market::book::snapshot;
    auto shots = xt::xtensor<snapshot, 1>::from_shape({3});
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 2; ++j) {
            for (std::size_t k = 0; k < 3; ++k)
                shots(i).tags[j][k] = static_cast<std::int16_t>(100 * i + 10 * j + k);
            shots(i).matrix[j] = {static_cast<float>(i), static_cast<float>(j)};
        }

    const auto tags = nk::field(shots, &snapshot::tags);
    CHECK(tags.dimension() == 3);
    CHECK((tags.shape() == std::array<std::size_t, 3>{3, 2, 3}));
    CHECK(tags(2, 1, 2) == 212);
    CHECK(tags(1, 2) == 12);
    CHECK(xt::sum(tags)() == 6 * 300 + 9 * 10 + 18);
    const xt::xtensor<std::int16_t, 3> copy = tags;
    CHECK(copy(1, 0, 1) == 101);
    CHECK((xt::eval(xt::view(tags, 1, xt::all(), 0)) == xt::xtensor<std::int16_t, 1>{100, 110}));
    CHECK((xt::eval(nk::field(shots, &snapshot::matrix) * 2.0f)(2, 1, 1) == 2.0f));

    const nk::array_view view(nk::field(xt::xarray<snapshot>(shots), &snapshot::tags));
    CHECK(view.type() == nk::dtype_of<std::int16_t>());
    CHECK(view.shape() == std::vector<std::size_t>{3, 2, 3});
    std::array<std::int16_t, 18> all = {};
    view.fill(0, 18, reinterpret_cast<std::byte*>(all.data()));
    CHECK(std::equal(all.begin(), all.end(), copy.begin()));
}

TEST_CASE("a column is an array to every writer", "[array][fields]") {
    const auto trades = some_trades();
    std::array<std::int32_t, 3> sizes = {};

    const nk::array_view view(nk::field(trades, &market::trade::size));
    view.fill(0, 3, reinterpret_cast<std::byte*>(sizes.data()));

    CHECK(view.type() == nk::dtype_of<std::int32_t>());
    CHECK(view.shape() == std::vector<std::size_t>{3});
    CHECK(sizes == std::array<std::int32_t, 3>{10, 20, 30});
}

TEST_CASE("field of an array in memory is viewed in place, and another is computed", "[array][fields]") {
    const xt::xtensor<market::trade, 1> trades = {{1, 2.5, 3}, {4, 5.5, 6}, {7, 8.5, 9}};
    const xt::xtensor<market::trade, 1> empty = xt::xtensor<market::trade, 1>::from_shape({0});
    const auto prices = nk::field(trades, &market::trade::price);

    const nk::array_view view(prices);
    const nk::array_view reversed(nk::field(xt::view(trades, xt::range(2, 0, -1)), &market::trade::price));

    CHECK(view.elements() == reinterpret_cast<const std::byte*>(&trades(0).price));
    CHECK(view.strides() == std::vector<std::ptrdiff_t>{sizeof(market::trade)});
    CHECK(nk::any_array(view).as<double, 1>()(1) == 5.5);
    CHECK(nk::any_array(reversed).as<double, 1>()(0) == 8.5);
    CHECK(nk::array_view(prices + 1).elements() == nullptr);
    CHECK(nk::array_view(nk::field(empty, &market::trade::price)).elements() == nullptr);
}

}  // namespace array_fields_tests
