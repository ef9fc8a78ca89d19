// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/rounding.hpp"

#include <ndkeep/element/element.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/statistics/running_statistics.hpp>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace array_summary_tests {

namespace nk = ndkeep;

namespace {

constexpr double missing_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

nk::statistics summary(const nk::dtype& type, const std::string& bytes) {
    nk::running_statistics running(type);
    running.update(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size() / type.size());
    return running.values();
}

template <class T>
std::string bytes_of(const std::vector<T>& elements) {
    return {reinterpret_cast<const char*>(elements.data()), elements.size() * sizeof(T)};
}

template <class T>
nk::statistics summary(const std::vector<T>& elements) {
    return summary(nk::dtype_of<T>(), bytes_of(elements));
}

std::int64_t as_int(const std::optional<nk::statistics::number>& n) { return std::get<std::int64_t>(n.value()); }
std::uint64_t as_unsigned(const std::optional<nk::statistics::number>& n) { return std::get<std::uint64_t>(n.value()); }
double as_real(const std::optional<nk::statistics::number>& n) { return std::get<double>(n.value()); }

/// Computed from the definitions, in long double.
struct plain {
    long double mean = 0, std = 0;
    explicit plain(const std::vector<double>& values) {
        for (const double value : values)
            mean += value;
        mean /= static_cast<long double>(values.size());
        for (const double value : values)
            std += (value - mean) * (value - mean);
        std = std::sqrt(std / static_cast<long double>(values.size()));
    }
};

bool near(double found, long double expected, long double scale = 1) {
    return std::abs(found - expected) <= 1e-13L * std::max(std::abs(expected), scale);
}

}  // namespace

TEST_CASE("statistics of a small array are NumPy's", "[array][summary]") {
    // np.arange(12.0): mean 5.5, std 3.452052529534663
    std::vector<double> twelve(12);
    for (std::size_t i = 0; i < 12; ++i)
        twelve[i] = static_cast<double>(i);

    const auto found = summary(twelve);

    CHECK(found.count == 12);
    CHECK(found.nan == 0);
    CHECK(as_real(found.min) == 0);
    CHECK(as_real(found.max) == 11);
    CHECK(found.mean == 5.5);
    CHECK(found.std == 3.452052529534663);
    CHECK(!found.mean_imaginary);
}

TEST_CASE("statistics agree with plain loops in long double", "[array][summary]") {
    std::mt19937_64 engine(7);
    for (const double offset : {0.0, 1e6, -1e12}) {
        std::normal_distribution<double> normal(offset, 3.0);
        std::vector<double> values(50'001);
        for (double& value : values)
            value = normal(engine);
        const plain expected(values);

        const auto found = summary(values);

        CAPTURE(offset);
        CHECK(near(found.mean.value(), expected.mean));
        CHECK(std::abs(found.std.value() - expected.std) < 1e-9 + std::abs(offset) * 1e-16);
        CHECK(as_real(found.min) == *std::min_element(values.begin(), values.end()));
        CHECK(as_real(found.max) == *std::max_element(values.begin(), values.end()));
    }
}

TEST_CASE("NaNs are counted and left out", "[array][summary]") {
    const auto some = summary(std::vector<float>{1, static_cast<float>(missing_number), 3});
    const auto all = summary(std::vector<double>{missing_number, missing_number});
    std::vector<double> first_block(5000, missing_number);
    first_block.back() = 4;
    const auto late = summary(first_block);

    CHECK(some.count == 3);
    CHECK(some.nan == 1);
    CHECK(some.mean == 2);
    CHECK(some.std == 1);
    CHECK(as_real(some.max) == 3);
    CHECK(all.nan == 2);
    CHECK(!all.min);
    CHECK(!all.mean);
    CHECK(!all.std);
    CHECK(late.nan == 4999);
    CHECK(late.mean == 4);
    CHECK(late.std == 0);
}

TEST_CASE("infinities are numbers, as in NumPy", "[array][summary]") {
    const auto one = summary(std::vector<double>{1, infinity, 2});
    const auto both = summary(std::vector<double>{-infinity, infinity});

    CHECK(as_real(one.min) == 1);
    CHECK(as_real(one.max) == infinity);
    CHECK(one.mean == infinity);
    CHECK(std::isnan(one.std.value()));
    CHECK(as_real(both.min) == -infinity);
    CHECK(std::isnan(both.mean.value()));
}

TEST_CASE("an infinity anywhere in a long array makes the mean infinite, as in NumPy", "[array][summary]") {
    for (const std::size_t place : {0U, 3'000U, 9'999U}) {
        std::vector<double> values(10'000, 1.0);
        values[place] = infinity;
        CAPTURE(place);
        CHECK(summary(values).mean == infinity);
        values[(place + 5'000) % 10'000] = infinity;
        CHECK(summary(values).mean == infinity);
    }
}

TEST_CASE("an array without elements has a count and nothing else", "[array][summary]") {
    const auto found = summary(std::vector<double>{});

    CHECK(found.count == 0);
    CHECK(found.nan == 0);
    CHECK(!found.min);
    CHECK(!found.max);
    CHECK(!found.mean);
    CHECK(!found.std);
}

TEST_CASE("extremes of integers are exact", "[array][summary]") {
    using i64 = std::numeric_limits<std::int64_t>;
    using u64 = std::numeric_limits<std::uint64_t>;
    const auto wide = summary(std::vector<std::int64_t>{i64::max(), i64::min(), i64::max() - 1});
    const auto large = summary(std::vector<std::uint64_t>{u64::max(), u64::max() - 1});
    const auto small = summary(std::vector<std::int8_t>{-128, 127});
    const auto bytes = summary(std::vector<std::uint8_t>(300, 255));

    CHECK(as_int(wide.min) == i64::min());
    CHECK(as_int(wide.max) == i64::max());
    CHECK(as_unsigned(large.min) == u64::max() - 1);
    CHECK(as_unsigned(large.max) == u64::max());
    CHECK(as_int(small.min) == -128);
    CHECK(small.mean == -0.5);
    CHECK(small.std == 127.5);
    CHECK(as_unsigned(bytes.max) == 255);
    CHECK(bytes.mean == 255);
    CHECK(bytes.std == 0);
}

TEST_CASE("every width of number is understood", "[array][summary]") {
    const auto check = [](const nk::statistics& found) {
        CHECK(found.count == 3);
        CHECK(found.mean == 2);
        CHECK(near(found.std.value(), 0.816496580927726L));
        CHECK(nk::detail::as_double(found.max.value()) == 3);
    };

    check(summary(std::vector<std::int16_t>{1, 2, 3}));
    check(summary(std::vector<std::int32_t>{1, 2, 3}));
    check(summary(std::vector<std::uint16_t>{1, 2, 3}));
    check(summary(std::vector<std::uint32_t>{1, 2, 3}));
    check(summary(std::vector<nk::float16>{1, 2, 3}));
    check(summary(std::vector<nk::bfloat16>{1, 2, 3}));
    check(summary(std::vector<float>{1, 2, 3}));
    check(summary(std::vector<long double>{1, 2, 3}));
}

TEST_CASE("bools are 0 and 1, whatever their bytes", "[array][summary]") {
    const auto found = summary(nk::dtype_of<bool>(), std::string("\0\1\2\xff", 4));

    CHECK(nk::detail::as_double(found.min.value()) == 0);
    CHECK(nk::detail::as_double(found.max.value()) == 1);
    CHECK(found.mean == 0.75);
    CHECK(near(found.std.value(), 0.4330127018922193L));
}

TEST_CASE("complex numbers have a mean and a deviation, and no order", "[array][summary]") {
    // np.mean and np.std of [1+2j, 3-4j, 1j]
    const auto found = summary(std::vector<std::complex<double>>{{1, 2}, {3, -4}, {0, 1}, {missing_number, 0}});

    CHECK(found.nan == 1);
    CHECK(!found.min);
    CHECK(near(found.mean.value(), 4.0L / 3));
    CHECK(near(found.mean_imaginary.value(), -1.0L / 3));
    CHECK(near(found.std.value(), 2.9059326290271157L));
}

TEST_CASE("dates have exact extremes, and NaT is missing", "[array][summary]") {
    constexpr std::int64_t not_a_time = std::numeric_limits<std::int64_t>::min();
    const std::vector<std::int64_t> ticks = {1'700'000'000'000'000'001, not_a_time, -5};

    const auto found = summary(nk::dtype::parse("<M8[ns]"), bytes_of(ticks));
    const auto none = summary(nk::dtype::parse("<m8[s]"), bytes_of(std::vector<std::int64_t>{not_a_time}));

    CHECK(found.count == 3);
    CHECK(found.nan == 1);
    CHECK(as_int(found.min) == -5);
    CHECK(as_int(found.max) == 1'700'000'000'000'000'001);
    CHECK(!found.mean);
    CHECK(none.nan == 1);
    CHECK(!none.max);
}

TEST_CASE("text and opaque bytes are counted", "[array][summary]") {
    CHECK(summary(nk::dtype::parse("S3"), "abcdef").count == 2);
    CHECK(summary(nk::dtype::parse("<U1"), "abcdefgh").count == 2);
    CHECK(summary(nk::dtype::parse("V2"), "ab").count == 1);
    CHECK(!summary(nk::dtype::parse("S3"), "abcdef").min);
}

TEST_CASE("the other byte order has the same statistics", "[array][summary]") {
    const auto found = summary(nk::dtype::parse(">i2"), std::string("\0\1\1\0\xff\xff", 6));
    const auto phase = summary(nk::dtype::parse(">c8"), std::string("\x3f\x80\0\0\x40\0\0\0", 8));

    CHECK(as_int(found.min) == -1);
    CHECK(as_int(found.max) == 256);
    CHECK(phase.mean == 1);
    CHECK(phase.mean_imaginary == 2);
}

TEST_CASE("structs are summarised field by field, sub-arrays value by value", "[array][summary]") {
    const auto type =
        nk::dtype::parse("[('a', '|u1'), ('m', '>i2', (2,)), ('in', [('x', '|i1'), ('s', '|S1')], (2,))]");
    const std::string two = std::string("\1\0\1\0\2", 5) + "\3a\4b" + std::string("\5\0\3\0\4", 5) + "\xff" + "c\6d";

    const auto found = summary(type, two);

    CHECK(found.count == 2);
    CHECK(!found.min);
    REQUIRE(found.fields.size() == 3);
    CHECK(found.find("a")->mean == 3);
    CHECK(found.find("m")->count == 4);
    CHECK(found.find("m")->mean == 2.5);
    const auto* const inner = found.find("in");
    REQUIRE(inner != nullptr);
    CHECK(inner->count == 4);
    CHECK(as_int(inner->find("x")->min) == -1);
    CHECK(as_int(inner->find("x")->max) == 6);
    CHECK(inner->find("s")->count == 4);
    CHECK(found.find("none") == nullptr);
}

TEST_CASE("bytes need no alignment", "[array][summary]") {
    const std::string text = "?" + bytes_of(std::vector<double>{1, 2, 6});
    nk::running_statistics running(nk::dtype_of<double>());

    running.update(reinterpret_cast<const std::byte*>(text.data()) + 1, 3);

    CHECK(running.values().mean == 3);
}

TEST_CASE("elements in pieces have the statistics of the whole, however they are split", "[array][summary]") {
    std::mt19937_64 engine(3);
    std::vector<double> values(7'000);
    for (double& value : values)
        value = engine() % 50 == 0 ? missing_number : 1e3 + static_cast<double>(engine() % 1'000'000) / 997;
    const auto whole = summary(values);
    std::vector<double> numbers;
    std::copy_if(values.begin(), values.end(), std::back_inserter(numbers), [](double v) { return !std::isnan(v); });
    const plain expected(numbers);

    for (int round = 0; round < 50; ++round) {
        nk::running_statistics running(nk::dtype_of<double>());
        for (std::size_t at = 0; at < values.size();) {
            const std::size_t some = std::min<std::size_t>(values.size() - at, engine() % (round < 25 ? 30 : 3'000));
            running.update(reinterpret_cast<const std::byte*>(values.data() + at), some);
            at += some;
        }
        const auto found = running.values();

        CHECK(found.count == whole.count);
        CHECK(found.nan == whole.nan);
        CHECK(found.min == whole.min);
        CHECK(found.max == whole.max);
        CHECK(near(found.mean.value(), expected.mean));
        CHECK(near(found.std.value(), expected.std));
    }
}

TEST_CASE("statistics of two arrays merge to those of both", "[array][summary]") {
    const auto some = summary(std::vector<std::int32_t>{1, 2, 3});
    const auto others = summary(std::vector<std::int32_t>{-10, 4});
    const auto none = summary(std::vector<std::int32_t>{});

    const auto both = nk::detail::merged(some, others);

    CHECK(both.count == 5);
    CHECK(as_int(both.min) == -10);
    CHECK(as_int(both.max) == 4);
    CHECK(both.mean == 0);
    CHECK(near(both.std.value(), std::sqrt(26.0L)));
    CHECK(nk::detail::merged(none, some).mean == 2);
    CHECK(nk::detail::merged(some, none).std == some.std);
    CHECK(!nk::detail::merged(none, none).mean);
}

TEST_CASE("infinities and NaN of either sign are told apart four at a time too", "[array][summary]") {
    std::vector<double> values(19, 1.0);
    values[3] = -missing_number;
    values[11] = infinity;
    CHECK(summary(values).nan == 1);
    CHECK(as_real(summary(values).max) == infinity);
    CHECK(as_real(summary(values).min) == 1);
    CHECK(summary(values).mean == infinity);
    CHECK(std::isnan(summary(values).std.value()));
    values[17] = -infinity;
    CHECK(as_real(summary(values).min) == -infinity);
    CHECK(std::isnan(summary(values).mean.value()));
}

TEST_CASE("what was found in pieces is put together", "[array][summary]") {
    std::mt19937_64 engine(9);
    std::vector<double> values(5'000);
    for (double& value : values)
        value = engine() % 9 == 0 ? missing_number : static_cast<double>(engine() % 1'000) / 3;
    nk::running_statistics first(nk::dtype_of<double>()), second = first, third = first;
    const auto* const bytes = reinterpret_cast<const std::byte*>(values.data());
    first.update(bytes, 1'000);
    second.update(bytes + 1'000 * sizeof(double), 4'000);

    third.append(first);
    third.append(second);

    const auto found = third.values();
    const auto whole = summary(values);
    CHECK(found.count == whole.count);
    CHECK(found.nan == whole.nan);
    CHECK(found.min == whole.min);
    CHECK(found.max == whole.max);
    CHECK(near(found.mean.value(), *whole.mean));
    CHECK(near(found.std.value(), *whole.std));
}

TEST_CASE("fields that were found in pieces are put together", "[array][summary]") {
    const auto type = nk::dtype::parse("[('a', '<i2'), ('b', '<f4', (2,))]");
    nk::running_statistics first(type), second(type);
    const std::string one("\x01\0\0\0\x80\x3f\0\0\0\x40", 10), other("\x05\0\0\0\x40\x40\0\0\x80\x40", 10);
    first.update(reinterpret_cast<const std::byte*>(one.data()), 1);
    second.update(reinterpret_cast<const std::byte*>(other.data()), 1);

    first.append(second);

    const auto found = first.values();
    CHECK(found.count == 2);
    CHECK(found.find("a")->mean == 3);
    CHECK(found.find("b")->count == 4);
    CHECK(found.find("b")->mean == 2.5);
}

TEST_CASE("no structs at no address have statistics without a minimum", "[array][summary]") {
    nk::running_statistics running(nk::dtype::parse("[('a', '<i2'), ('b', '<f4', (2,))]"));

    running.update(nullptr, 0);

    const auto found = running.values();
    CHECK(found.count == 0);
    CHECK(found.find("b")->count == 0);
    CHECK(!found.find("b")->min);
}

TEST_CASE("statistics do not depend on the rounding mode", "[array][summary]") {
    const std::vector<double> tenths(100'000, 0.1);
    const auto expected = summary(tenths);
    for (const int mode : rounding_modes) {
        CAPTURE(mode);
        const rounding_mode set(mode);
        const auto found = summary(tenths);

        CHECK(found.mean.value() == expected.mean.value());
        CHECK(found.std.value() == expected.std.value());
    }
}

}  // namespace array_summary_tests
