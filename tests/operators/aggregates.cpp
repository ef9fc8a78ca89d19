// SPDX-License-Identifier: BSD-3-Clause
// Aggregates of segments: their values, for each dtype, with missing values, and for segments without rows.
#include "operators/segments.hpp"

#include <ndkeep/element/bfloat16.hpp>
#include <ndkeep/element/float16.hpp>
#include <ndkeep/element/text.hpp>

#include <algorithm>
#include <cmath>
#include <complex>
#include <random>

namespace aggregates_tests {

namespace nk = ndkeep;
using namespace segmenttest;

namespace {

/// The only segment of these rows.
template <class Row>
[[nodiscard]] nk::any_array all_of(const std::vector<Row>& rows, std::vector<nk::aggregate<Row>> aggregates,
                                   nk::nan_rule rule = nk::nan_rule::skip) {
    nk::segments<Row> one({.every = nk::rows(1'000'000), .output = {.nan = rule}}, aggregates);
    (void)one.push(rows);
    return one.finish();
}

template <class T = double>
[[nodiscard]] T value(const nk::any_array& row, std::string_view name) {
    return column<T>(row, name).at(0);
}

template <class T = double>
[[nodiscard]] bool is_null(const nk::any_array& row, std::string_view name) {
    return std::isnan(static_cast<double>(value<T>(row, name)));
}

struct priced {
    double price;
};
NDKEEP_FIELDS(priced, price);

[[nodiscard]] std::vector<priced> prices(const std::vector<double>& values) {
    std::vector<priced> rows;
    for (const double each : values)
        rows.push_back({each});
    return rows;
}

const std::vector<nk::aggregate<priced>> all_aggregates = {
    nk::first(&priced::price),         nk::last(&priced::price),
    nk::min(&priced::price),           nk::max(&priced::price),
    nk::sum(&priced::price),           nk::count(&priced::price),
    nk::mean(&priced::price),          nk::variance(&priced::price),
    nk::quantile(&priced::price, 0.5), nk::count("n")};

}  // namespace

TEST_CASE("aggregates skip NaN by default", "[segments][nan]") {
    const auto row = all_of(prices({missing, 1, missing, 4, 2, missing}), all_aggregates);

    CHECK(value(row, "price_first") == 1);
    CHECK(value(row, "price_last") == 2);
    CHECK(value(row, "price_min") == 1);
    CHECK(value(row, "price_max") == 4);
    CHECK(value(row, "price_sum") == 7);
    CHECK(value<std::int64_t>(row, "price_count") == 3);
    CHECK(value(row, "price_mean") == 7.0 / 3);
    CHECK(value(row, "price_variance") == Approx(7.0 / 3).epsilon(1e-15));
    CHECK(value(row, "price_quantile_0.5") == 2);
    CHECK(value<std::int64_t>(row, "n") == 6);
}

TEST_CASE("one rule propagates NaN through every aggregate", "[segments][nan]") {
    const auto row = all_of(prices({1, missing, 4}), all_aggregates, nk::nan_rule::propagate);

    CHECK(value(row, "price_first") == 1);
    CHECK(value(row, "price_last") == 4);
    for (const char* name : {"min", "max", "sum", "mean", "variance", "quantile_0.5"})
        CHECK(is_null(row, std::string("price_") + name));
    CHECK(value<std::int64_t>(row, "price_count") == 2);
    CHECK(value<std::int64_t>(row, "n") == 3);

    const auto ends = all_of(prices({missing, 1, missing}), all_aggregates, nk::nan_rule::propagate);
    CHECK(is_null(ends, "price_first"));
    CHECK(is_null(ends, "price_last"));
}

TEST_CASE("segments of NaN only are null, and a sum of 0 is a value", "[segments][nan]") {
    const auto none = all_of(prices({missing, missing}), all_aggregates);
    for (const char* name : {"first", "last", "min", "max", "sum", "mean", "variance", "quantile_0.5"})
        CHECK(is_null(none, std::string("price_") + name));
    CHECK(value<std::int64_t>(none, "price_count") == 0);
    CHECK(value<std::int64_t>(none, "n") == 2);

    const auto zero = all_of(prices({-1, 1}), all_aggregates);
    CHECK(value(zero, "price_sum") == 0);
    CHECK(value(zero, "price_mean") == 0);
}

TEST_CASE("variance has no value for a single row, unless ddof is 0", "[segments]") {
    const auto row =
        all_of(prices({5}), {nk::variance(&priced::price), nk::variance(&priced::price, "of all", {.ddof = 0})});
    CHECK(is_null(row, "price_variance"));
    CHECK(value(row, "of all") == 0);

    const auto two =
        all_of(prices({1, 2}), {nk::variance(&priced::price), nk::variance(&priced::price, "of all", {.ddof = 0})});
    CHECK(value(two, "price_variance") == 0.5);
    CHECK(value(two, "of all") == 0.25);
}

TEST_CASE("sums of doubles are those of twice the precision", "[segments]") {
    CHECK(value(all_of(prices({1, 1e100, 1, -1e100}), all_aggregates), "price_sum") == 2);
    CHECK(value(all_of(prices(std::vector<double>(1'000'000, 0.1)), all_aggregates), "price_sum") == 100'000.0);

    std::mt19937_64 random(1);
    std::vector<double> values;
    __extension__ __float128 exact = 0;
    for (int i = 0; i < 10'000; ++i) {
        values.push_back(
            std::ldexp(static_cast<double>(static_cast<std::int64_t>(random())), static_cast<int>(random() % 60) - 90));
        exact += values.back();
    }
    CHECK(value(all_of(prices(values), all_aggregates), "price_sum") == static_cast<double>(exact));
    CHECK(value(all_of(prices(values), all_aggregates), "price_mean") == static_cast<double>(exact) / 10'000);
}

TEST_CASE("infinities are summed as usual", "[segments]") {
    const double inf = std::numeric_limits<double>::infinity();

    const auto one = all_of(prices({1, inf, 2}), all_aggregates);
    CHECK(value(one, "price_sum") == inf);
    CHECK(value(one, "price_mean") == inf);
    CHECK(value(one, "price_max") == inf);
    CHECK(value(one, "price_quantile_0.5") == 2);
    CHECK(is_null(one, "price_variance"));
    CHECK(is_null(all_of(prices({inf, 1, -inf}), all_aggregates), "price_sum"));
}

TEST_CASE("variances are accurate far from 0, and after an outlier", "[segments]") {
    const auto relative_error = [](const std::vector<double>& values) {
        __extension__ __float128 mean = 0, squares = 0;
        for (const double each : values)
            mean += each;
        mean /= static_cast<double>(values.size());
        for (const double each : values)
            squares += (each - mean) * (each - mean);
        const auto exact = static_cast<double>(squares / static_cast<double>(values.size() - 1));
        return std::abs(value(all_of(prices(values), all_aggregates), "price_variance") / exact - 1);
    };
    std::mt19937_64 random(2);
    const auto noise = [&](std::size_t count, double middle) {
        std::vector<double> values(count);
        for (double& each : values)
            each = middle + static_cast<double>(random() % 1000);
        return values;
    };

    CHECK(relative_error(noise(100'000, 0)) < 1e-15);
    CHECK(relative_error(noise(100'000, 1e12)) < 1e-15);
    CHECK(relative_error(noise(7, 1e12)) < 1e-15);
    auto outlier = noise(100'000, 0);
    outlier[0] = 1e15;
    CHECK(relative_error(outlier) < 4e-15);
    outlier[0] = 0;
    outlier[60'000] = 1e15;
    CHECK(relative_error(outlier) < 4e-15);
    CHECK(value(all_of(prices(std::vector<double>(1000, 0.1)), all_aggregates), "price_variance") == 0);
}

TEST_CASE("quantiles are exact, and linear between two values", "[segments]") {
    std::vector<double> values;
    for (int i = 0; i < 2001; ++i)
        values.push_back(static_cast<double>(i * 37 % 2001));
    const auto row = all_of(prices(values), {nk::quantile(&priced::price, 0), nk::quantile(&priced::price, 1),
                                             nk::quantile(&priced::price, 0.5), nk::quantile(&priced::price, 0.12345)});
    CHECK(value(row, "price_quantile_0") == 0);
    CHECK(value(row, "price_quantile_1") == 2000);
    CHECK(value(row, "price_quantile_0.5") == 1000);
    CHECK(value(row, "price_quantile_0.12345") == Approx(246.9).epsilon(1e-14));

    CHECK(value(all_of(prices({2, 1}), {nk::quantile(&priced::price, 0.25)}), "price_quantile_0.25") == 1.25);
}

TEST_CASE("quantiles agree with sorted values: few and many, equal ones, infinities", "[segments][property]") {
    constexpr double inf = std::numeric_limits<double>::infinity();
    std::mt19937_64 random(31);
    for (const std::size_t count : {1U, 2U, 63U, 64U, 67U, 300U, 1023U, 1024U, 5000U})
        for (int kind = 0; kind < 5; ++kind) {
            std::vector<double> values;
            for (std::size_t i = 0; i < count; ++i) {
                const double uniform = static_cast<double>(random() >> 11) * 0x1p-53;
                const double kinds[] = {uniform, std::exp2(2000 * uniform - 1000), static_cast<double>(random() % 3),
                                        random() % 50 == 0 ? inf : uniform,
                                        random() % 50 == 0 ? -1e308 : 1e308 * uniform};
                values.push_back(kinds[kind]);
            }
            auto sorted = values;
            std::sort(sorted.begin(), sorted.end());

            for (const double at : {0.0, 0.25, 0.5, 0.9, 1.0}) {
                const double place = static_cast<double>(count - 1) * at;
                const auto rank = static_cast<std::size_t>(place);
                const double low = sorted[rank], high = sorted[std::min(rank + 1, count - 1)];
                const double expected =
                    place == std::floor(place) || low == high ? low : low + (high - low) * (place - std::floor(place));
                CHECK(value(all_of(prices(values), {nk::quantile(&priced::price, at, "q")}), "q") == expected);
            }
        }
}

struct mixed {
    bool flag;
    std::int8_t small;
    std::uint16_t port;
    std::uint64_t large;
    nk::float16 half;
    nk::bfloat16 brain;
    float single;
    long double extended;
    std::complex<float> wave;
    nk::fixed_string<20> name;
    std::chrono::duration<std::int64_t, std::milli> wait;
};
NDKEEP_FIELDS(mixed, flag, small, port, large, half, brain, single, extended, wave, name, wait);

TEST_CASE("fields of every dtype are aggregated in their dtype", "[segments]") {
    using ms = std::chrono::duration<std::int64_t, std::milli>;
    std::vector<mixed> rows(3);
    rows[0] = {true, -3, 7, 1, nk::float16(1.5F), nk::bfloat16(2.5F), 0.1F, 1.0L, {1, 2}, "first of all rows", ms(5)};
    rows[1] = {false,
               5,
               65535,
               std::numeric_limits<std::uint64_t>::max() - 1,
               nk::float16(-2.0F),
               nk::bfloat16(8.0F),
               0.2F,
               0x1.0000000000000002p0L,
               {3, 4},
               "second",
               nk::not_a_time<ms>};
    rows[2] = {true, -128, 8, 0, nk::float16(0.0F), nk::bfloat16(1.0F), 0.3F, -1.0L, {5, 6}, "last", ms(-5)};

    const auto row =
        all_of<mixed>(rows, {nk::sum(&mixed::flag),       nk::min(&mixed::flag),           nk::max(&mixed::flag),
                             nk::mean(&mixed::flag),      nk::sum(&mixed::small),          nk::min(&mixed::small),
                             nk::max(&mixed::small),      nk::variance(&mixed::small),     nk::sum(&mixed::port),
                             nk::max(&mixed::port),       nk::quantile(&mixed::port, 0.5), nk::sum(&mixed::large),
                             nk::max(&mixed::large),      nk::mean(&mixed::large),         nk::variance(&mixed::large),
                             nk::min(&mixed::half),       nk::sum(&mixed::half),           nk::last(&mixed::half),
                             nk::max(&mixed::brain),      nk::mean(&mixed::brain),         nk::min(&mixed::single),
                             nk::sum(&mixed::single),     nk::max(&mixed::extended),       nk::sum(&mixed::extended),
                             nk::first(&mixed::extended), nk::first(&mixed::wave),         nk::last(&mixed::wave),
                             nk::count(&mixed::wave),     nk::first(&mixed::name),         nk::last(&mixed::name),
                             nk::count(&mixed::name),     nk::min(&mixed::wait),           nk::max(&mixed::wait),
                             nk::first(&mixed::wait),     nk::count(&mixed::wait)});

    CHECK(value<std::int64_t>(row, "flag_sum") == 2);
    CHECK_FALSE(value<bool>(row, "flag_min"));
    CHECK(value<bool>(row, "flag_max"));
    CHECK(value(row, "flag_mean") == 2.0 / 3);
    CHECK(value<std::int64_t>(row, "small_sum") == -126);
    CHECK(value<std::int8_t>(row, "small_min") == -128);
    CHECK(value<std::int8_t>(row, "small_max") == 5);
    CHECK(value(row, "small_variance") == Approx(5563));
    CHECK(value<std::uint64_t>(row, "port_sum") == 65550);
    CHECK(value<std::uint16_t>(row, "port_max") == 65535);
    CHECK(value(row, "port_quantile_0.5") == 8);
    CHECK(value<std::uint64_t>(row, "large_sum") == std::numeric_limits<std::uint64_t>::max());
    CHECK(value<std::uint64_t>(row, "large_max") == std::numeric_limits<std::uint64_t>::max() - 1);
    CHECK(value(row, "large_mean") == 0x1p64 / 3);
    CHECK(value(row, "large_variance") == Approx(0x1p128 / 3));
    CHECK(float(value<nk::float16>(row, "half_min")) == -2);
    CHECK(value(row, "half_sum") == -0.5);
    CHECK(float(value<nk::float16>(row, "half_last")) == 0);
    CHECK(float(value<nk::bfloat16>(row, "brain_max")) == 8);
    CHECK(value(row, "brain_mean") == 11.5 / 3);
    CHECK(value<float>(row, "single_min") == 0.1F);
    CHECK(value(row, "single_sum") ==
          static_cast<double>(0.1F) + static_cast<double>(0.2F) + static_cast<double>(0.3F));
    CHECK(value<long double>(row, "extended_max") == 0x1.0000000000000002p0L);
    CHECK(value(row, "extended_sum") == 1);
    CHECK(value<std::complex<float>>(row, "wave_last") == std::complex<float>(5, 6));
    CHECK(value<std::int64_t>(row, "wave_count") == 3);
    CHECK(value<nk::fixed_string<20>>(row, "name_first") == "first of all rows");
    CHECK(value<nk::fixed_string<20>>(row, "name_last") == "last");
    CHECK(value<std::int64_t>(row, "name_count") == 3);
    CHECK(value<ms>(row, "wait_min") == ms(-5));
    CHECK(value<ms>(row, "wait_max") == ms(5));
    CHECK(value<std::int64_t>(row, "wait_count") == 2);
}

TEST_CASE("a bin without rows is null in each field", "[segments]") {
    using ms = std::chrono::duration<std::int64_t, std::milli>;
    std::vector<mixed> rows(2);
    rows[1].large = 20;
    nk::segments<mixed> bars({.on = &mixed::large, .every = 10},
                             {nk::sum(&mixed::small), nk::sum(&mixed::single), nk::min(&mixed::half),
                              nk::first(&mixed::wait), nk::first(&mixed::name), nk::last(&mixed::wave),
                              nk::max(&mixed::extended), nk::count("n")});
    const auto empty = bars.push(rows);

    REQUIRE(empty.size() == 2);
    CHECK(column(empty, "n")[1] == 0);
    CHECK(column(empty, "small_sum")[1] == 0);
    CHECK(std::isnan(column<double>(empty, "single_sum")[1]));
    CHECK(std::isnan(float(column<nk::float16>(empty, "half_min")[1])));
    CHECK(column<ms>(empty, "wait_first")[1] == nk::not_a_time<ms>);
    CHECK(column<nk::fixed_string<20>>(empty, "name_first")[1] == "");
    CHECK(std::isnan(column<std::complex<float>>(empty, "wave_last")[1].imag()));
    CHECK(std::isnan(column<long double>(empty, "extended_max")[1]));
}

TEST_CASE("a sum of integers that leaves 64 bits is an error that names the field and the row", "[segments][error]") {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    const std::vector<reading> rows = {{0, most - 1}, {1, 1}, {2, 1}, {3, -5}};

    const auto error = thrown<nk::mismatch_error>([&] { (void)all_of<reading>(rows, {nk::sum(&reading::value)}); });
    CHECK(std::string(error.what()) ==
          "sum of 'value' is too large at row 2, expected within 64 bits (mean has no such limit)");
    CHECK(value(all_of<reading>(rows, {nk::mean(&reading::value)}), "value_mean") == 0x1p61);
}

TEST_CASE("reductions of the user see every value, or complete rows", "[segments]") {
    const auto row = all_of<priced>(
        prices({3, missing, 4}),
        {nk::reduce(
             &priced::price, 0.0, [](double& sum, double price) { sum += std::isnan(price) ? 0 : price * price; },
             [](double sum) { return std::sqrt(sum); }, "norm"),
         nk::reduce_rows<priced>(
             0, [](int& seen, const priced&) { ++seen; }, [](int seen) { return std::int32_t{seen}; }, "seen")});

    CHECK(value(row, "norm") == 5);
    CHECK(value<std::int32_t>(row, "seen") == 3);
}

}  // namespace aggregates_tests
