// SPDX-License-Identifier: BSD-3-Clause
// States of loops: every type that can be bound is restored unchanged, or the error is reported.
#include "loop/loop.hpp"

#include <chrono>
#include <cmath>
#include <complex>
#include <deque>
#include <limits>
#include <list>
#include <map>
#include <optional>

namespace loop_states_tests {

namespace nk = ndkeep;
using namespace looptest;

namespace {

struct running_mean {
    double sum = 0;
    std::size_t n = 0;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(running_mean, sum, n)
    friend bool operator==(const running_mean&, const running_mean&) = default;
};

/// A type without JSON or save functions: stored as its bytes.
struct raw {
    std::int32_t count = 0;
    double factor = 0;
    friend bool operator==(const raw&, const raw&) = default;
};
struct raw_too {
    std::int32_t count = 0;
    double factor = 0;
};

/// A type that needs its own save and load functions.
class filter {
  public:
    std::unique_ptr<xt::xtensor<double, 1>> taps = std::make_unique<xt::xtensor<double, 1>>();
    std::vector<running_mean> means;

    void save(nk::state_writer& out) const {
        out.set("taps", *taps);
        out.set("means", means);
    }
    void load(const nk::state_reader& in) {
        in.get("taps", *taps);
        means = in.get<std::vector<running_mean>>("means");
    }
};

template <class T>
concept bindable = nk::loop_state<T>;
static_assert(!bindable<double*>);
static_assert(!bindable<const double>);
static_assert(!bindable<std::string_view>);
static_assert(!bindable<std::span<double>>);
static_assert(!bindable<std::vector<double*>>);
static_assert(!bindable<nk::mapped<double, 1>>);
static_assert(bindable<filter>);

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

bool alike(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0 || (std::isnan(a) && std::isnan(b)); }
template <class T>
bool alike(const T& a, const T& b) {
    if constexpr (requires { a.shape(); })
        return a.shape() == b.shape() &&
               std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) { return alike(x, y); });
    else
        return a == b;
}
template <class T>
bool alike(const std::vector<T>& a, const std::vector<T>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const T& x, const T& y) { return alike(x, y); });
}
template <class T>
bool alike(const std::map<std::string, T>& a, const std::map<std::string, T>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return x.first == y.first && alike(x.second, y.second); });
}

/// Runs a pass over one chunk with the body `act`.
template <class Act>
void one_chunk(nk::stateful_loop& loop, Act&& act) {
    auto source = chunks_of({1});
    for ([[maybe_unused]] const auto& chunk : loop.over(source))
        act();
}

/// Checks that one run of a program stores the value and the next restores it.
template <class T>
void check_kept(const T& value) {
    const temp_dir dir;
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& state = loop.bind<T>("it");
        one_chunk(loop, [&] { state = value; });
    }
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& state = loop.bind<T>("it");
    CHECK(alike(state, value));
    // The committed value is also restored after a body is left early.
    auto source = chunks_of({1});
    for ([[maybe_unused]] const auto& chunk : loop.over(source)) {
        state = T();
        break;
    }
    (void)loop.over(source).begin();
    CHECK(alike(state, value));
}

template <class Wanted, class Kept>
nk::mismatch_error refused(const Kept& kept, Wanted initial = Wanted()) {
    const temp_dir dir;
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& state = loop.bind<Kept>("it", kept);
        one_chunk(loop, [&] { state = kept; });
    }
    nk::stateful_loop loop(dir / "a.state", quick());
    return thrown<nk::mismatch_error>([&] { (void)loop.bind<Wanted>("it", std::move(initial)); });
}

}  // namespace

TEST_CASE("numbers are kept exactly, also those that are not finite", "[loop]") {
    check_kept<double>(0.1);
    check_kept<double>(-0.0);
    check_kept<double>(no_number);
    check_kept<double>(infinity);
    check_kept<double>(-infinity);
    check_kept<double>(std::numeric_limits<double>::denorm_min());
    check_kept<float>(0.1F);
    check_kept<bool>(true);
    check_kept<char>('x');
    check_kept<std::int64_t>(std::numeric_limits<std::int64_t>::min());
    check_kept<std::uint64_t>(std::numeric_limits<std::uint64_t>::max());
    check_kept<long double>(0.1L);
    check_kept<std::complex<double>>({1, 2});
    check_kept<std::chrono::milliseconds>(std::chrono::milliseconds(1234567));
}

TEST_CASE("texts and JSON are kept, with texts that only look like numbers", "[loop]") {
    check_kept<std::string>("NaN");
    check_kept<std::string>("Zürich\n\"7\"");
    check_kept<nk::json>({{"NaN", "NaN"}, {"list", {1, 2.5, nullptr, true, "Infinity"}}, {"a/b~c", {{"", 0}}}});
    check_kept<running_mean>({.sum = 1.5, .n = 3});
    check_kept<std::vector<running_mean>>({{1, 2}, {3, 4}});
    check_kept<std::map<std::string, running_mean>>({{"a/b", {1, 2}}, {"", {3, 4}}});
    check_kept<std::map<int, std::string>>({{1, "x"}, {-5, "y"}});
    check_kept<std::vector<bool>>({true, false});
    check_kept<std::vector<std::string>>({"a", ""});
    check_kept<std::pair<int, double>>({1, 2.5});

    const temp_dir dir;
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& state = loop.bind<running_mean>("it");
        one_chunk(loop, [&] { state = {no_number, 1}; });
    }
    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(std::isnan(loop.bind<running_mean>("it").sum));
}

TEST_CASE("arrays, and lists of them, are kept with shape and bits", "[loop]") {
    const xt::xtensor<double, 2> matrix = {{1, no_number, -infinity}, {4, 5, 6}};
    check_kept<xt::xtensor<double, 2>>(matrix);
    check_kept<xt::xarray<double>>(xt::xarray<double>(matrix));
    check_kept<xt::xarray<double>>(xt::xarray<double>(3.0));
    check_kept<xt::xtensor<double, 2, xt::layout_type::column_major>>(matrix);
    check_kept<xt::xtensor<std::int8_t, 3>>(xt::zeros<std::int8_t>({0, 3, 2}));
    check_kept<std::vector<double>>({1, no_number, 3});
    check_kept<std::vector<double>>({});
    check_kept<std::deque<int>>({1, 2, 3});
    check_kept<std::list<double>>({1, 2, 3});
    check_kept<std::vector<xt::xtensor<double, 2>>>({matrix, xt::zeros<double>({0, 2})});
    check_kept<std::vector<std::vector<double>>>({{1}, {}, {2, 3}});
    check_kept<std::map<std::string, xt::xtensor<double, 2>>>({{"../x", matrix}, {"", matrix}});
}

TEST_CASE("trivially copyable structs are kept as their bytes", "[loop]") {
    check_kept<raw>({7, 0.5});
    check_kept<std::vector<raw>>({{7, 0.5}, {8, 0.25}});
    check_kept<std::vector<raw>>({});
}

TEST_CASE("a type that saves itself is kept as it says", "[loop]") {
    const temp_dir dir;
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& state = loop.bind<filter>("filter");
        one_chunk(loop, [&] {
            *state.taps = {0.25, 0.5, 0.25};
            state.means.push_back({1, 2});
        });
    }
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& state = loop.bind<filter>("filter");
    CHECK((*state.taps == xt::xtensor<double, 1>({0.25, 0.5, 0.25})));
    CHECK(state.means == std::vector<running_mean>{{1, 2}});
    auto source = chunks_of({1});
    for ([[maybe_unused]] const auto& chunk : loop.over(source)) {
        state.taps->fill(0);
        break;
    }
    (void)loop.over(source).begin();
    CHECK((*state.taps)(1) == 0.5);
}

TEST_CASE("a state of another type is refused by its name", "[loop][error]") {
    const xt::xtensor<double, 1> one = {1, 2};
    CHECK(refused<xt::xtensor<float, 1>>(one).field() == "state 'it': dtype");
    CHECK(refused<xt::xtensor<double, 2>>(one).field().starts_with("state 'it': "));
    CHECK(refused<running_mean>(one).found() == "stored as array");
    CHECK(refused<xt::xtensor<double, 1>>(1.5).field() == "state 'it'");
    CHECK(refused<std::int64_t>(1.5).expected() == "'<i8'");
    CHECK(refused<double>(std::int64_t{1}).found() == "'<i8'");
    CHECK(refused<std::string>(1.5).expected() == "'text'");
    CHECK(refused<raw_too>(raw{1, 2}).field() == "state 'it'");
    CHECK(refused<std::vector<raw>>(raw{1, 2}).field() == "state 'it'");
    CHECK(refused<filter>(1.5).field() == "state 'it'");

    // JSON does not distinguish types, so unknown fields and numbers that would lose digits are rejected.
    CHECK(refused<running_mean>(nk::json{{"sum", 1.5}, {"n", 2}, {"max", 3}}).found() == "an object with 'max'");
    CHECK(refused<running_mean>(nk::json{{"sum", 1.5}}).field() == "state 'it'");
    CHECK(refused<running_mean>(nk::json{{"sum", 1.5}, {"n", 2.5}}).found() == "the number 2.5 in 'n.'");
    CHECK(refused<std::array<std::int8_t, 1>>(std::array<std::int64_t, 1>{(std::int64_t{1} << 40) + 3}).found() ==
          "the number 1099511627779");
    CHECK(refused<running_mean>(nk::json{{"sum", 1.5}, {"n", -1}}).field() == "state 'it'");
    CHECK(refused<std::array<double, 1>>(std::array<int, 1>{1}).field() == "state 'it'");
    enum class colour { red };
    CHECK(refused<int>(colour::red).field() == "state 'it'");
}

TEST_CASE("an array that was begun with another shape is refused, one that has grown is not", "[loop][error]") {
    const xt::xtensor<double, 1> bins = xt::zeros<double>({100});
    const auto other = refused<xt::xtensor<double, 1>>(bins, xt::xtensor<double, 1>(xt::zeros<double>({200})));
    CHECK(other.field() == "state 'it': initial_shape");
    CHECK(other.expected() == "[200]");
    CHECK(other.found() == "[100]");
    CHECK(refused<std::vector<double>>(std::vector<double>(3), std::vector<double>(4)).field() ==
          "state 'it': initial_shape");

    const temp_dir dir;
    for (std::size_t run = 0; run < 3; ++run) {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& window = loop.bind<std::vector<double>>("window");
        CHECK(window.size() == run);
        one_chunk(loop, [&] { window.push_back(1); });
    }
}

TEST_CASE("names of states are explicit and unique", "[loop][error]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state", quick());
    (void)loop.bind<int>("f", 1);
    CHECK(thrown<nk::mismatch_error>([&] { (void)loop.bind<int>("f", 2); }).field() == "state 'f'");
    CHECK_THROWS_AS((void)(loop.buffer<double, 1>("f")), nk::mismatch_error);
    for (const char* const name : {"", ".", "..", "a/b", "a\\b", "line\n", "\xff"})
        CHECK_THROWS_AS((void)loop.bind<int>(name), nk::mismatch_error);
    (void)loop.bind<int>("größer, als man denkt");
}

TEST_CASE("states that are declared in another order keep their values", "[loop]") {
    const temp_dir dir;
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        (void)loop.bind<int>("a", 1);
        (void)loop.bind<int>("b", 2);
        one_chunk(loop, [] {});
    }
    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(loop.bind<int>("b") == 2);
    CHECK(loop.bind<int>("a") == 1);
}

TEST_CASE("a state that nobody binds any more is neither kept nor dropped in silence", "[loop][error]") {
    const temp_dir dir;
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        (void)loop.bind<int>("old", 1);
        (void)loop.bind<int>("mean", 2);
        one_chunk(loop, [] {});
    }
    auto source = chunks_of({1});
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        (void)loop.bind<int>("mean");
        const auto unbound = thrown<nk::mismatch_error>([&] { (void)loop.over(source).begin(); });
        CHECK(unbound.field() == "state 'old'");
        CHECK(unbound.hint() == "bind it, or forget it");
        loop.forget("old");
        CHECK(loop.bind<std::string>("old", "anew") == "anew");
        one_chunk(loop, [] {});
    }
    nk::stateful_loop loop(dir / "a.state", quick());
    CHECK(loop.bind<int>("mean") == 2);
    CHECK(loop.bind<std::string>("old") == "anew");
    CHECK_THROWS_AS(loop.forget("old"), nk::mismatch_error);
    one_chunk(loop, [] {});
}

TEST_CASE("what cannot be written is refused by name, and nothing was committed", "[loop][error]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& text = loop.bind<std::string>("text");
    auto source = chunks_of({1});
    const auto problem = thrown<nk::mismatch_error>([&] {
        for ([[maybe_unused]] const auto& chunk : loop.over(source))
            text = "\xff";
    });
    CHECK(problem.field() == "state 'text': text");
    CHECK_FALSE(std::filesystem::exists(dir / "a.state"));
    one_chunk(loop, [&] { CHECK(text.empty()); });
}

}  // namespace loop_states_tests
