// SPDX-License-Identifier: BSD-3-Clause
// Golden files written or rejected by NumPy, kept in tests/golden with what NumPy reads from them.
#include "support/npy_case.hpp"

#include <chrono>
#include <cmath>

namespace npy_golden_tests {

namespace nk = ndkeep;
using npy_case::json;

struct golden_trade {
    std::int64_t time;
    double price;
    std::int32_t size;
};
NDKEEP_FIELDS(golden_trade, time, price, size);

struct golden_place {
    float x;
    float y;
};
NDKEEP_FIELDS(golden_place, x, y);

struct golden_nested {
    std::uint8_t id;
    golden_place at[2];
    std::array<std::array<std::int16_t, 3>, 2> m;
};
NDKEEP_FIELDS(golden_nested, id, at, m);

namespace {

using path = std::filesystem::path;

path golden(const path& name) { return path(NDKEEP_SOURCE_DIR) / "tests/golden" / name; }
path good(const std::string& name) { return golden(path("good") / (name + ".npy")); }

template <class Check>
void for_each(std::string_view expected, Check&& check) {
    std::size_t count = 0;
    for (const auto& facts : json::parse(read_text(golden("golden.json"))))
        if (facts.at("expect") == expected) {
            INFO(facts.at("file").get<std::string>());
            check(golden(facts.at("file").get<std::string>()), facts);
            ++count;
        }
    CHECK(count > 20);
}

/// 1, 2, 3, …, as make_golden.py writes them.
template <class T>
bool counts(const xt::xarray<T>& array) {
    int next = 0;
    return std::all_of(array.begin(), array.end(),
                       [&](const T& value) { return value == T(static_cast<float>(++next)); });
}

template <class T>
void check_counts(const std::string& name) {
    INFO(name);
    CHECK(counts<T>(nk::load<T>(good(name))));
    CHECK(counts<T>(nk::map<T>(good(name))));
}

template <class T>
void check_foreign_counts(const std::string& name) {
    INFO(name);
    CHECK(counts<T>(nk::load<T>(good(name))));
    CHECK_THROWS_AS(nk::map<T>(good(name)), nk::mismatch_error);
}

}  // namespace

TEST_CASE("golden: headers and elements are what NumPy finds in them", "[npy][golden]") {
    for_each("ok", [](const path& file, const json& facts) { npy_case::check_content(file, facts); });
}

TEST_CASE("golden: what NumPy saved is saved again byte for byte", "[npy][golden]") {
    const temp_dir dir;

    for_each("ok", [&](const path& file, const json& facts) {
        if (facts.at("np_save_identical").get<bool>())
            npy_case::check_saved_again(file, dir / "again.npy");
    });
}

TEST_CASE("golden: broken files are refused, and the error says which part is broken", "[npy][golden][error]") {
    for_each("error", [](const path& file, const json& facts) {
        npy_case::check_refused<std::int16_t>(file, facts);

        const auto error = thrown<nk::format_error>([&] { (void)nk::load_any(file); });
        CHECK(error.file() == file);
        CHECK(error.field() == facts.at("field").get<std::string>());
    });
}

TEST_CASE("golden: numbers have NumPy's values in either byte order", "[npy][golden]") {
    check_counts<std::int8_t>("plain_i1");
    check_counts<std::int16_t>("plain_i2");
    check_counts<std::uint32_t>("plain_u4");
    check_counts<std::int64_t>("plain_i8");
    check_counts<nk::float16>("plain_f2");
    check_counts<float>("plain_f4");
    check_counts<std::complex<float>>("plain_c8");
    check_foreign_counts<std::uint16_t>("foreign_u2");
    check_foreign_counts<double>("foreign_f8");
    check_foreign_counts<std::complex<double>>("foreign_c16");

    CHECK((nk::load<bool, 1>(good("bool")) == xt::xtensor<bool, 1>{true, false, true}));
    const auto special = nk::load<double, 1>(good("special"));
    CHECK(std::signbit(special(1)));
    CHECK(special(2) == std::numeric_limits<double>::infinity());
    CHECK(std::isnan(special(4)));
    CHECK(special(5) == std::numeric_limits<double>::denorm_min());
    CHECK(special(6) == std::numeric_limits<double>::max());
    if constexpr (std::numeric_limits<long double>::digits == 64) {
        const auto wide = nk::load<long double, 1>(good("long_double"));
        CHECK(wide(0) == 1.0L);
        CHECK(wide(1) == -2.5L);
        CHECK(wide(2) == std::numeric_limits<long double>::infinity());
    }
}

TEST_CASE("golden: column-major files are loaded by rows, and mapped by the tag", "[npy][golden]") {
    CHECK(counts<double>(nk::load<double>(good("column_major"))));
    CHECK(counts<std::int64_t>(nk::load<std::int64_t>(good("column_major_foreign"))));

    const auto columns = nk::map<double, 2>(good("column_major"), nk::column_major);
    CHECK(columns(0, 3) == 4);
    CHECK(columns(2, 0) == 9);
    CHECK(thrown<nk::mismatch_error>([] { (void)nk::map<double, 2>(good("column_major")); }).field() == "order");
}

TEST_CASE("golden: scalars and arrays without elements keep their shape", "[npy][golden]") {
    const xt::xarray<double> scalar = nk::load<double>(good("scalar"));
    CHECK(scalar.dimension() == 0);
    CHECK(scalar() == 42.5);
    CHECK(nk::load<std::int32_t, 3>(good("empty")).shape() == std::array<std::size_t, 3>{3, 0, 2});
    CHECK(nk::map<std::int32_t, 3>(good("empty")).shape() == std::array<std::size_t, 3>{3, 0, 2});
    CHECK(nk::load<std::int16_t, 4>(good("four_axes"))(1, 0, 2, 1) == 12);
}

TEST_CASE("golden: text keeps what is inside and loses the padding", "[npy][golden]") {
    const auto bytes = nk::load<nk::fixed_string<5>, 1>(good("bytes_5"));
    CHECK(bytes(0).str() == "plain");
    CHECK(bytes(1).str() == std::string("a\0b", 3));
    CHECK(bytes(2).empty());
    CHECK(bytes(3).str() == "\xff\xfe");

    for (const auto* const name : {"text_4", "text_4_foreign"}) {
        const auto text = nk::load<nk::fixed_u32string<4>, 1>(good(name));
        CHECK(text(0).utf8() == "na\xc3\xafv");
        CHECK(text(1).utf8() == "\xf0\x9f\x98\x80!");
        CHECK(text(2).empty());
        CHECK(text(3).str() == U"\u6574\u5f62");
    }
    CHECK(nk::map<nk::fixed_bytes<3>, 1>(good("opaque_3"))(3).bytes[2] == std::byte{11});
    CHECK(nk::load_any(good("no_bytes")).size() == 3);
}

TEST_CASE("golden: dates are chrono's, and NaT is not a time", "[npy][golden]") {
    using namespace std::chrono;

    const auto times = nk::load<sys_time<nanoseconds>, 1>(good("times_ns"));
    CHECK(times(0).time_since_epoch().count() == 0);
    CHECK(floor<days>(times(1)) == sys_days{year{2024} / 11 / 20});
    CHECK(nk::is_not_a_time(times(3)));

    using day_count = duration<std::int64_t, std::ratio<86'400>>;
    const auto dates = nk::load<sys_time<day_count>, 1>(good("days"));
    CHECK(dates(2) == sys_days{year{1} / 1 / 1});

    const auto spans = nk::load<duration<std::int64_t, std::ratio<25>>, 1>(good("spans_25s_foreign"));
    CHECK(spans(0) == seconds{25});
    CHECK(spans(2).count() == std::int64_t{1} << 40);
    CHECK(nk::load<seconds, 1>(good("spans_25s_foreign"))(0) == seconds{25});
}

TEST_CASE("golden: structs are loaded by name from any layout, and mapped from their own", "[npy][golden]") {
    for (const auto* const name : {"struct_packed", "struct_padded", "struct_reordered_foreign"}) {
        INFO(name);
        const bool reordered = std::string_view(name) == "struct_reordered_foreign";
        const auto trades = nk::load<golden_trade, 1>(good(name));
        CHECK(trades(2).time == (reordered ? 16 : 9));
        CHECK(trades(2).price == (reordered ? 23 : 16));
        CHECK(trades(2).size == (reordered ? 9 : 23));
    }
    CHECK(nk::map<golden_trade, 1>(good("struct_padded"))(1).price == 15);
    CHECK_THROWS_AS(nk::map<golden_trade>(good("struct_packed")), nk::mismatch_error);

    const auto nested = nk::load<golden_nested, 1>(good("struct_nested"));
    CHECK(nested(1).id == 8);
    CHECK(nested(1).at[1].x == 17);
    CHECK(nested(0).at[1].y == 22);
    CHECK(nested(1).m[1][2] == 39);
}

TEST_CASE("golden: fields of any struct are columns", "[npy][golden]") {
    const auto odd = nk::load_any(good("struct_odd_names"));
    CHECK(odd.field("it's").as<std::uint8_t, 1>()(1) == 15);
    CHECK(odd.field("'shape': (9,)").as<std::uint8_t, 1>()(0) == 28);
    CHECK(nk::load_any(good("struct_latin1_names")).field("\xc3\xa9t\xc3\xa9").size() == 2);
    CHECK(nk::load_any(good("struct_unicode_names")).field("\xe6\x95\xb4\xe5\xbd\xa2").as<std::int32_t>()(1) == 8);
    CHECK(nk::inspect(good("struct_titles")).type.find("p")->title == "in hPa");

    const auto m = nk::load_any(good("struct_nested")).field("m");
    CHECK(m.shape() == std::vector<std::size_t>{2, 2, 3});
    CHECK(m.as<std::int16_t, 3>()(0, 1, 0) == 31);
}

TEST_CASE("golden: data at an odd offset is mapped for reading, and not for writing", "[npy][golden]") {
    const temp_dir dir;
    std::filesystem::copy_file(good("other_misaligned"), dir / "a.npy");
    REQUIRE(nk::inspect(dir / "a.npy").data_offset % 2 == 1);

    CHECK(counts<std::int16_t>(nk::map<std::int16_t>(dir / "a.npy")));
    CHECK_THROWS_AS((nk::map<std::int16_t>(dir / "a.npy", nk::read_write)), nk::mismatch_error);
}

}  // namespace npy_golden_tests
