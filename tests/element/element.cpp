// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/element/element.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ratio>
#include <string>
#include <utility>
#include <vector>

namespace array_element_tests {

namespace nk = ndkeep;
using nk::element;

namespace {

enum class small : std::uint8_t { one };
enum plain { zero, one };
enum class flag : bool { no, yes };
enum class wide : long long {};

template <class... T>
std::string types() {
    std::string out;
    ((out += (out.empty() ? "" : " ") + nk::dtype_of<T>().str()), ...);
    return out;
}

template <std::intmax_t Num, std::intmax_t Den = 1>
using span_of = std::chrono::duration<std::int64_t, std::ratio<Num, Den>>;

}  // namespace

TEST_CASE("numbers go by kind and size", "[array][element]") {
    CHECK(types<bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t>() == "|b1 |i1 <i2 <i4 <i8");
    CHECK(types<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>() == "|u1 <u2 <u4 <u8");
    CHECK(types<short, int, long, long long, unsigned long long>() == "<i2 <i4 <i8 <i8 <u8");
    CHECK(types<nk::bfloat16>() == "bfloat16");
    CHECK(types<nk::float16, float, double, long double>() == "<f2 <f4 <f8 <f16");
    CHECK(types<std::complex<float>, std::complex<double>, std::complex<long double>>() == "<c8 <c16 <c32");
    CHECK(nk::dtype_of<long>() == nk::dtype_of<long long>());
    CHECK(nk::dtype_of<const double>() == nk::dtype_of<double>());
}

TEST_CASE("characters, bytes and enums are integers of their size", "[array][element]") {
    CHECK(types<char, signed char, unsigned char>() == (std::is_signed_v<char> ? "|i1 |i1 |u1" : "|u1 |i1 |u1"));
    CHECK(types<std::byte, char8_t, char16_t, char32_t>() == "|u1 |u1 <u2 <u4");
    CHECK(types<small, wide, flag>() == "|u1 <i8 |b1");
    CHECK(nk::dtype_of<plain>().size() == sizeof(plain));
}

TEST_CASE("text of fixed length has its length in the dtype", "[array][element]") {
    CHECK(types<nk::fixed_string<1>, nk::fixed_string<7>, nk::fixed_u32string<3>, nk::fixed_bytes<9>>() ==
          "|S1 |S7 <U3 |V9");
    CHECK(nk::dtype_of<nk::fixed_u32string<3>>().size() == 12);
}

TEST_CASE("durations have the coarsest unit of NumPy that counts them", "[array][element]") {
    using namespace std::chrono;
    CHECK(types<years, months, weeks, days>() == "<m8[Y] <m8[M] <m8[W] <m8[D]");
    CHECK(types<hours, minutes, seconds>() == "<m8[h] <m8[m] <m8[s]");
    CHECK(types<milliseconds, microseconds, nanoseconds>() == "<m8[ms] <m8[us] <m8[ns]");
    CHECK(types<duration<std::int64_t, std::pico>, duration<std::int64_t, std::femto>,
                duration<std::int64_t, std::atto>>() == "<m8[ps] <m8[fs] <m8[as]");
}

TEST_CASE("periods between units are multiples of one", "[array][element]") {
    CHECK(types<span_of<25>, span_of<1, 100>, span_of<1, 10>, span_of<1, 50>>() ==
          "<m8[25s] <m8[10ms] <m8[100ms] <m8[20ms]");
    CHECK(types<span_of<90>, span_of<1800>, span_of<86400 * 10>, span_of<604800 * 2>>() ==
          "<m8[90s] <m8[30m] <m8[10D] <m8[2W]");
    CHECK(types<span_of<31'556'952 * 10>, span_of<2'629'746 * 3>, span_of<86400 * 365>>() ==
          "<m8[10Y] <m8[3M] <m8[365D]");
    CHECK(types<span_of<25, 10'000>, span_of<5, 1'000'000'000>, span_of<1, 1024>>() ==
          "<m8[2500us] <m8[5ns] <m8[976562500ps]");
}

TEST_CASE("time points are dates, whatever their clock", "[array][element]") {
    using namespace std::chrono;
    CHECK(
        types<sys_days, sys_seconds, sys_time<nanoseconds>, local_seconds, time_point<steady_clock, milliseconds>>() ==
        "<M8[D] <M8[s] <M8[ns] <M8[s] <M8[ms]");
    CHECK(types<sys_time<months>, sys_time<span_of<25>>>() == "<M8[M] <M8[25s]");
}

TEST_CASE("what NumPy has no dtype for is no element", "[array][element]") {
    struct no_fields {
        int a;
    };
    STATIC_REQUIRE(!element<std::string>);
    STATIC_REQUIRE(!element<double*>);
    STATIC_REQUIRE(!element<const char*>);
    STATIC_REQUIRE(!element<std::vector<double>>);
    STATIC_REQUIRE(!element<no_fields>);
    STATIC_REQUIRE(!element<void>);
    STATIC_REQUIRE(!element<std::nullptr_t>);
    STATIC_REQUIRE(!element<std::unique_ptr<int>>);
    STATIC_REQUIRE(!element<std::array<int, 3>>);
    STATIC_REQUIRE(!element<int&>);
    STATIC_REQUIRE(!element<std::complex<int>>);
    STATIC_REQUIRE(!element<std::chrono::duration<double>>);
    STATIC_REQUIRE(!element<std::chrono::duration<std::int32_t>>);
    STATIC_REQUIRE(!element<std::chrono::duration<std::uint64_t>>);
    STATIC_REQUIRE(!element<span_of<1, 3>>);
    STATIC_REQUIRE(!element<span_of<(std::intmax_t{1} << 31) + 1, 1'000'000'000'000'000'000>>);
    STATIC_REQUIRE(element<span_of<1, 1'000'000'000'000'000'000>>);
}

TEST_CASE("NaT is the smallest count", "[array][element]") {
    using namespace std::chrono;
    constexpr auto missing = nk::not_a_time<seconds>;
    constexpr auto missing_day = nk::not_a_time<sys_days>;

    CHECK(missing.count() == std::numeric_limits<std::int64_t>::min());
    CHECK(missing_day.time_since_epoch().count() == std::numeric_limits<std::int64_t>::min());
    CHECK(nk::is_not_a_time(missing));
    CHECK(nk::is_not_a_time(missing_day));
    CHECK(!nk::is_not_a_time(seconds(0)));
    CHECK(!nk::is_not_a_time(sys_days()));
}

}  // namespace array_element_tests
