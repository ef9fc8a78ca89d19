// SPDX-License-Identifier: BSD-3-Clause
// Statistics of moving windows: their values, and that they do not depend on chunks.
#include "operators/memory_state.hpp"
#include "operators/segments.hpp"

#include <ndkeep/loop.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

namespace rolling_tests {

namespace nk = ndkeep;
using namespace segmenttest;
using namespace std::chrono_literals;

namespace {

using doubles = std::vector<double>;

constexpr nk::rolled all_statistics[] = {nk::rolled::sum, nk::rolled::mean, nk::rolled::min, nk::rolled::max,
                                         nk::rolled::std};

[[nodiscard]] doubles listed(const xt::xtensor<double, 1>& results) { return doubles(results.begin(), results.end()); }

[[nodiscard]] bool same_bits(const doubles& a, const doubles& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

[[nodiscard]] bool equal(const doubles& found, const doubles& expected) {
    return std::ranges::equal(found, expected,
                              [](double a, double b) { return std::isnan(a) ? std::isnan(b) : a == b; });
}

/// The statistic of some values, computed from scratch in more precision.
[[nodiscard]] double statistic_of(nk::rolled statistic, doubles values, std::size_t least) {
    std::erase_if(values, [](double value) { return std::isnan(value); });
    if (values.size() < std::max<std::size_t>(least, 1))
        return missing;
    __extension__ __float128 sum = 0, squares = 0;
    for (const double each : values)
        sum += each;
    const auto count = static_cast<double>(values.size());
    const auto mean = sum / count;
    for (const double each : values)
        squares += (each - mean) * (each - mean);
    switch (statistic) {
    case nk::rolled::sum:
        return static_cast<double>(sum);
    case nk::rolled::mean:
        return static_cast<double>(sum) / count;
    case nk::rolled::min:
        return *std::ranges::min_element(values);
    case nk::rolled::max:
        return *std::ranges::max_element(values);
    case nk::rolled::std:
        break;
    }
    return count > 1 ? std::sqrt(static_cast<double>(squares / (count - 1))) : missing;
}

/// @param nan  one value of so many is NaN; 0 if none is
[[nodiscard]] doubles random_values(std::mt19937_64& random, std::size_t count, std::uint64_t nan = 12) {
    doubles values;
    double level = 1e6;
    for (std::size_t i = 0; i < count; ++i) {
        if (random() % 100 == 0)
            level = static_cast<double>(random() % 1'000'000'000) - 5e8;
        values.push_back(nan != 0 && random() % nan == 0 ? missing : level + static_cast<double>(random() % 1000) / 7);
    }
    return values;
}

}  // namespace

TEST_CASE("a window of rows has a result when it is full", "[rolling]") {
    const doubles values = {1, 2, 4, 8, 0};
    const auto of = [&](nk::rolled statistic) {
        return listed(nk::rolling<double>({.rows = 3, .of = statistic}).push(values));
    };

    CHECK(equal(of(nk::rolled::sum), {missing, missing, 7, 14, 12}));
    CHECK(equal(of(nk::rolled::mean), {missing, missing, 7.0 / 3, 14.0 / 3, 4}));
    CHECK(equal(of(nk::rolled::min), {missing, missing, 1, 2, 0}));
    CHECK(equal(of(nk::rolled::max), {missing, missing, 4, 8, 8}));
    CHECK(of(nk::rolled::std)[4] == 4);
    CHECK(equal(listed(nk::rolling<double>({.rows = 3}).push(values)), of(nk::rolled::mean)));
}

TEST_CASE("fewer values give a result if they are enough, and NaN is no value", "[rolling]") {
    const doubles values = {missing, 2, missing, 4, missing, missing};
    const auto of = [&](std::uint64_t least) {
        return listed(nk::rolling<double>({.rows = 3, .of = nk::rolled::sum, .min_rows = least}).push(values));
    };

    CHECK(equal(of(1), {missing, 2, 2, 6, 4, 4}));
    CHECK(equal(of(2), {missing, missing, missing, 6, missing, missing}));
    CHECK(equal(of(0), of(1)));
}

TEST_CASE("a window of a span has the rows with keys above its begin, up to the present row", "[rolling]") {
    const doubles values = {1, 2, 4, 8, 16, 32};
    const std::vector<std::int64_t> keys = {0, 1, 1, 3, 9, 10};
    nk::rolling<double> sums({.span = 3, .of = nk::rolled::sum});

    CHECK(listed(sums.push(values, keys)) == doubles{1, 3, 7, 14, 16, 48});

    std::vector<std::chrono::sys_time<std::chrono::nanoseconds>> times;
    for (const auto key : keys)
        times.emplace_back(std::chrono::minutes(20 * key));
    nk::rolling<double> hours({.span = 1h, .of = nk::rolled::sum});
    CHECK(listed(hours.push(values, times)) == doubles{1, 3, 7, 14, 16, 48});

    nk::rolling<double> real({.span = 0.75, .of = nk::rolled::sum});
    CHECK(listed(real.push(doubles{1, 2, 4}, doubles{0.25, 0.5, 1.0})) == doubles{1, 3, 6});
}

TEST_CASE("a window of one row, and windows longer than the rows", "[rolling]") {
    const doubles values = {3, 1, 2};

    CHECK(listed(nk::rolling<double>({.rows = 1}).push(values)) == values);
    CHECK(equal(listed(nk::rolling<double>({.rows = 1, .of = nk::rolled::std}).push(values)),
                {missing, missing, missing}));
    CHECK(listed(nk::rolling<double>({.rows = 1, .of = nk::rolled::std, .ddof = 0}).push(values)) == doubles{0, 0, 0});
    CHECK(listed(nk::rolling<double>({.rows = 1'000'000, .of = nk::rolled::max, .min_rows = 1}).push(values)) ==
          doubles{3, 3, 3});
}

TEST_CASE("values of other types are converted, and expressions are read as they are", "[rolling]") {
    CHECK(listed(nk::rolling<std::int32_t>({.rows = 2}).push(std::vector<std::int32_t>{1, 2, 4}))[2] == 3);
    CHECK(listed(nk::rolling<float>({.rows = 2, .of = nk::rolled::max}).push(std::vector<float>{1, 0.1F, 0.2F}))[2] ==
          static_cast<double>(0.2F));
    CHECK(listed(nk::rolling<bool>({.rows = 2, .of = nk::rolled::sum}).push(std::vector<bool>{true, true}))[1] == 2);
    xt::xtensor<reading, 1> rows(std::array<std::size_t, 1>{3});
    for (std::int64_t i = 0; i < 3; ++i)
        rows(static_cast<std::size_t>(i)) = {i, 10 * i};
    CHECK(listed(nk::rolling<std::int64_t>({.span = 2})
                     .push(nk::field(rows, &reading::value), nk::field(rows, &reading::key))) == doubles{0, 5, 15});
}

TEST_CASE("values that are not contiguous are read as they are", "[rolling]") {
    const xt::xtensor<double, 1> values = xt::arange<double>(0, 20);

    CHECK(listed(
              nk::rolling<double>({.rows = 2, .of = nk::rolled::sum}).push(xt::view(values, xt::range(0, 20, 5))))[3] ==
          25);
    CHECK(equal(
        listed(nk::rolling<double>({.rows = 2, .of = nk::rolled::sum}).push(xt::flip(values, 0))),
        listed(nk::rolling<double>({.rows = 2, .of = nk::rolled::sum}).push(doubles(values.rbegin(), values.rend())))));
    CHECK(listed(nk::rolling<double>({.rows = 1, .of = nk::rolled::sum}).push(values * 2))[19] == 38);
}

TEST_CASE("windows forget infinities and large values when these leave", "[rolling]") {
    const double inf = std::numeric_limits<double>::infinity();
    const doubles values = {1, 1e300, 2, 3, 4, inf, 5, 6, 7, 8};
    const auto of = [&](nk::rolled statistic) {
        return listed(nk::rolling<double>({.rows = 2, .of = statistic}).push(values));
    };

    CHECK(equal(of(nk::rolled::sum), {missing, 1e300, 1e300, 5, 7, inf, inf, 11, 13, 15}));
    CHECK(of(nk::rolled::std)[3] == std::sqrt(0.5));
    CHECK(std::isnan(of(nk::rolled::std)[6]));
    CHECK(of(nk::rolled::std)[7] == std::sqrt(0.5));
}

TEST_CASE("windows agree with windows that are computed from scratch", "[rolling][property]") {
    std::mt19937_64 random(21);
    for (const auto statistic : all_statistics)
        for (const std::uint64_t rows : {1U, 2U, 7U, 8U, 9U, 64U, 100U}) {
            const auto values = random_values(random, 700, rows % 2 == 1 ? 12 : 400);
            const std::uint64_t least = 1 + random() % rows;
            const auto found =
                listed(nk::rolling<double>({.rows = rows, .of = statistic, .min_rows = least}).push(values));
            std::vector<std::int64_t> keys;
            std::int64_t key = 0;
            for (std::size_t i = 0; i < values.size(); ++i)
                keys.push_back(key += static_cast<std::int64_t>(random() % 4));
            const auto spanned = listed(nk::rolling<double>({.span = rows, .of = statistic}).push(values, keys));

            for (std::size_t i = 0; i < values.size(); ++i) {
                const auto begin = i + 1 < rows ? 0 : i + 1 - static_cast<std::size_t>(rows);
                const auto of = [&](std::size_t first) {
                    return doubles(values.begin() + static_cast<std::ptrdiff_t>(first),
                                   values.begin() + static_cast<std::ptrdiff_t>(i) + 1);
                };
                const double expected = statistic_of(statistic, of(begin), static_cast<std::size_t>(least));
                const auto first =
                    std::upper_bound(keys.begin(), keys.end(), keys[i] - static_cast<std::int64_t>(rows));
                const double in_span = statistic_of(statistic, of(static_cast<std::size_t>(first - keys.begin())), 1);
                if (std::isnan(expected))
                    CHECK(std::isnan(found[i]));
                else if (statistic == nk::rolled::std)
                    CHECK(found[i] == Approx(expected).epsilon(1e-13));
                else
                    CHECK(found[i] == expected);
                if (std::isnan(in_span))
                    CHECK(std::isnan(spanned[i]));
                else if (statistic == nk::rolled::std)
                    CHECK(spanned[i] == Approx(in_span).epsilon(1e-13));
                else
                    CHECK(spanned[i] == in_span);
            }
        }
}

TEST_CASE("windows do not depend on chunks, or on where their state was saved", "[rolling][property]") {
    std::mt19937_64 random(22);
    for (const auto statistic : all_statistics)
        for (int round = 0; round < 16; ++round) {
            const bool is_span = round % 2 == 1, is_long = is_span || round < 4;
            const std::uint64_t nan[] = {12, 0, 3000, 500};  // windows without NaN have code of their own
            const auto values = random_values(random, is_long ? 12'000 : random() % 2000, nan[round / 2 % 4]);
            std::vector<std::chrono::sys_time<std::chrono::milliseconds>> times;
            for (std::size_t i = 0; i < values.size(); ++i)
                times.emplace_back(std::chrono::milliseconds(300 * i + random() % 300));
            nk::rolling_options options{.of = statistic};
            if (is_span)
                options.span = round == 3 ? 1000s : 20s;
            else
                options.rows = 1 + random() % (round == 2 ? 5000 : 300);
            nk::rolling<double> whole(options), cut(options);
            const auto push = [&](nk::rolling<double>& into, std::size_t first, std::size_t last) {
                const auto part = std::span(values).subspan(first, last - first);
                const auto keys = std::span(times).subspan(first, last - first);
                return listed(is_span ? into.push(part, keys) : into.push(part));
            };

            const auto expected = push(whole, 0, values.size());
            doubles found;
            for (std::size_t at = 0; at < values.size();) {
                const std::size_t end = std::min(values.size(), at + random() % (random() % 3 == 0 ? 1500 : 40));
                const auto part = push(cut, at, end);
                found.insert(found.end(), part.begin(), part.end());
                at = end;
                if (random() % 8 == 0) {
                    memory_state saved;
                    cut.save(saved);
                    cut = nk::rolling<double>(options);
                    cut.load(saved);
                }
            }
            CHECK(same_bits(found, expected));
        }
}

TEST_CASE("windows bound to a loop go on where it was interrupted", "[rolling]") {
    temp_dir dir;
    std::mt19937_64 random(23);
    const xt::xtensor<double, 1> values = xt::adapt(random_values(random, 1000));
    const auto expected = listed(nk::rolling<double>({.rows = 30, .min_rows = 5}).push(values));
    doubles found;

    for (bool is_done = false; !is_done;) {
        nk::stateful_loop loop(dir / "state.npz", {.sync = false});
        auto& means = loop.bind("means", nk::rolling<double>({.rows = 30, .min_rows = 5}));
        int visits = 0;
        is_done = true;
        for (const auto& chunk : loop.over(values, {.rows = 77})) {
            if (++visits == 4) {
                is_done = false;
                break;
            }
            const auto part = listed(means.push(chunk));
            found.insert(found.end(), part.begin(), part.end());
        }
    }
    CHECK(same_bits(found, expected));
}

TEST_CASE("windows refuse options, keys and states that do not fit", "[rolling][error]") {
    const auto sentence = [](const auto& call) { return std::string(thrown<nk::mismatch_error>(call).what()); };
    const doubles values = {1, 2};
    nk::rolling<double> rows({.rows = 2}), span({.span = 1h});

    CHECK(sentence([] { nk::rolling<double>({}); }) == "window is none, expected rows or a span");
    CHECK(sentence([] { nk::rolling<double>({.rows = 1, .span = 1}); }) == "window is both, expected rows or a span");
    CHECK(sentence([] { nk::rolling<double>({.span = std::chrono::months(1)}); }) ==
          "span of the window is months of the calendar, expected a number or a duration of fixed length");
    CHECK(sentence([] { nk::rolling<double>({.rows = 1, .min_rows = 2}); }) ==
          "least number of values is 2, expected at most 1 row");
    CHECK(sentence([&] { (void)span.push(values); }) == "keys is none, expected one for each value");
    CHECK(sentence([&] { (void)rows.push(values, values); }) ==
          "keys is some, expected none, because the window is of rows");
    CHECK(sentence([&] { (void)rows.push(std::vector<float>{1}); }) == "dtype of the values is '<f4', expected '<f8'");
    CHECK(sentence([&] {
              (void)rows.push(xt::xtensor<double, 2>({{1, 2}}));
          }) == "shape of the values is (1, 2), expected 1 dimension");
    nk::rolling<double> numbered({.span = 1});
    CHECK(sentence([&] {
              (void)numbered.push(values, std::vector<std::int64_t>{4, 3});
          }) == "key of row 1 is 3, expected not below 4");
    nk::rolling<double> real({.span = 1});
    CHECK(sentence([&] {
              (void)real.push(values, doubles{0, missing});
          }) == "key of row 1 is NaN, expected not below 0.0");

    memory_state saved;
    rows.save(saved);
    CHECK(sentence([&] { nk::rolling<double>({.rows = 3}).load(saved); }) ==
          "options of the window is <f8 mean of 2 rows, at least 2, expected <f8 mean of 3 rows, at least 3 (bind it "
          "under another name)");
}

}  // namespace rolling_tests
