// SPDX-License-Identifier: BSD-3-Clause
// The library in a program that is compiled with -O2 -ffast-math: NaN and infinities in files stay what they are.
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/ndkeep.hpp>

#include <bit>
#include <complex>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace nk = ndkeep;

namespace {

// Through memory that the compiler must read: constants of these kinds do not exist for it.
const volatile std::uint64_t nan_bits = 0x7ff8'0000'0000'0000, infinity_bits = 0x7ff0'0000'0000'0000;
double nan() { return std::bit_cast<double>(std::uint64_t{nan_bits}); }
double infinity() { return std::bit_cast<double>(std::uint64_t{infinity_bits}); }

bool is_nan(double value) { return nk::detail::is_nan(value); }
std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }
double real(const std::optional<nk::statistics::number>& number) { return std::get<double>(number.value()); }

/// Many numbers between two that are not finite, so that every loop over blocks has some.
std::vector<double> numbers() {
    std::vector<double> out(1000);
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = i % 7 == 3 ? nan() : static_cast<double>(i) - 500;
    return out;
}

}  // namespace

TEST_CASE("fast math: elements keep their bits", "[fast_math]") {
    const temp_dir dir;
    const std::vector<double> all = {nan(), infinity(), -infinity(), 1.5};
    nk::save(dir / "a.npy", all);

    const auto back = nk::load<double, 1>(dir / "a.npy");

    for (std::size_t i = 0; i < all.size(); ++i)
        CHECK(bits(back(i)) == bits(all[i]));
}

TEST_CASE("fast math: statistics leave NaN out, and are verified", "[fast_math]") {
    const temp_dir dir;
    nk::save(dir / "a.npy", numbers(), {.statistics = true});
    const auto found = nk::statistics_of(nk::load<double, 1>(dir / "a.npy"));

    CHECK(found.nan == 143);
    CHECK(real(found.min) == -500);
    CHECK(real(found.max) == 499);
    CHECK_FALSE(is_nan(found.mean.value()));
    CHECK_FALSE(is_nan(found.std.value()));
    CHECK(nk::findings(dir / "a.npy").empty());
    nk::verify(dir / "a.npy");
}

TEST_CASE("fast math: numbers beside NaN alone have no minimum, and infinities are minimum and maximum",
          "[fast_math]") {
    const auto none = nk::statistics_of(std::vector<double>(100, nan()));
    CHECK(none.nan == 100);
    CHECK_FALSE(none.min);

    const auto wide = nk::statistics_of(std::vector<double>{nan(), infinity(), 1, -infinity(), nan()});
    CHECK(bits(real(wide.min)) == bits(-infinity()));
    CHECK(bits(real(wide.max)) == bits(infinity()));
}

TEST_CASE("fast math: subnormal numbers are minimum and maximum", "[fast_math]") {
    std::vector<double> some(100);
    for (std::size_t i = 0; i < some.size(); ++i)
        some[i] = std::bit_cast<double>(std::uint64_t{1000 - i});

    const auto found = nk::statistics_of(some);

    CHECK(bits(real(found.min)) == 901);
    CHECK(bits(real(found.max)) == 1000);
}

TEST_CASE("fast math: NaN change neither minimum nor maximum of small and large floats", "[fast_math]") {
    std::vector<float> floats;
    std::vector<nk::float16> halves;
    std::vector<nk::bfloat16> brain;
    std::vector<long double> wide;
    for (const double number : numbers()) {
        const auto narrow = static_cast<float>(number);
        floats.push_back(narrow);
        halves.emplace_back(narrow);
        brain.emplace_back(narrow);
        wide.push_back(number);
    }
    for (const auto& found :
         {nk::statistics_of(floats), nk::statistics_of(halves), nk::statistics_of(brain), nk::statistics_of(wide)}) {
        CHECK(found.nan == 143);
        CHECK(real(found.min) == -500);
        CHECK(real(found.max) >= 499);
        CHECK(real(found.max) <= 500);
    }
}

TEST_CASE("fast math: a complex number with a NaN has no part in the mean", "[fast_math]") {
    const auto found = nk::statistics_of(std::vector<std::complex<double>>{{1, 2}, {nan(), 0}, {3, nan()}, {3, 4}});

    CHECK(found.nan == 2);
    CHECK(found.mean.value() == 2);
    CHECK(found.mean_imaginary.value() == 3);
}

TEST_CASE("fast math: metadata keeps numbers that are not finite", "[fast_math]") {
    const temp_dir dir;
    nk::save(dir / "a.npy", numbers(), {.meta = {{"nan", nan()}, {"low", -infinity()}, {"text", "NaN"}}});

    const auto meta = nk::metadata(dir / "a.npy");

    CHECK(is_nan(meta["nan"].get<double>()));
    CHECK(bits(meta["low"].get<double>()) == bits(-infinity()));
    CHECK(meta["text"] == "NaN");
}

TEST_CASE("fast math: a tree with NaN and infinities is saved, loaded, printed and compared", "[fast_math]") {
    const temp_dir dir;
    const nk::tree data = {{"a", {1.5, nan()}}, {"b", infinity()}};
    nk::save_tree(dir / "a.npz", data);

    const auto back = nk::load_tree(dir / "a.npz");

    CHECK(is_nan(back["a"][1].get<double>()));
    CHECK(bits(back["b"].get<double>()) == bits(infinity()));
    CHECK((back == data));
    CHECK_FALSE((back["a"][0] == back["a"][1]));
    CHECK(back["a"][1].str() == "NaN");
    CHECK((-infinity() < 0 && nk::tree(-infinity()).str() == "-Infinity"));
}

TEST_CASE("fast math: NaN is no key of rows in order, and keys have the right extremes", "[fast_math]") {
    const temp_dir dir;
    nk::chunk_writer<double, 1> writer(dir / "a", {.order_by = ""});

    const auto e = thrown<nk::mismatch_error>([&] { writer.append(std::vector<double>{1, nan(), 2}); });
    CHECK(e.found() == "NaN");
    writer.append(std::vector<double>{-infinity(), 1, 2, infinity()});
    writer.commit();
    CHECK((nk::chunk_reader<double, 1>(dir / "a").rows() == 4));
    nk::verify_chunked(dir / "a");
}

TEST_CASE("fast math: states of a loop keep numbers that are not finite", "[fast_math]") {
    const temp_dir dir;
    nk::save_chunked(dir / "rows", std::vector<double>{1, 2, 3}, {.rows_per_chunk = 1});
    {
        const nk::chunk_reader<double, 1> rows(dir / "rows");
        nk::stateful_loop loop(dir / "a.state");
        auto& last = loop.bind<std::vector<double>>("last");
        auto& most = loop.bind<double>("most");
        for ([[maybe_unused]] const auto& chunk : loop.over(rows)) {
            last = {nan(), -infinity()};
            most = infinity();
        }
    }
    nk::stateful_loop loop(dir / "a.state");
    const auto& last = loop.bind<std::vector<double>>("last");

    REQUIRE(last.size() == 2);
    CHECK(is_nan(last[0]));
    CHECK(bits(last[1]) == bits(-infinity()));
    CHECK(bits(loop.bind<double>("most")) == bits(infinity()));
}

TEST_CASE("fast math: float16 keeps NaN, infinities and subnormal numbers", "[fast_math]") {
    CHECK(is_nan(static_cast<float>(nk::float16::from_bits(0x7e00))));
    CHECK(bits(static_cast<float>(nk::float16::from_bits(0xfc00))) == bits(-infinity()));
    CHECK(static_cast<float>(nk::float16::from_bits(0x0001)) == 0x1p-24F);
    CHECK(nk::float16(static_cast<float>(nan())).bits() >> 10 == 0x1f);
    CHECK(nk::float16(0x1p-24F).bits() == 1);
}
