// The lines that the design promises, compiled and run, with what their comments say.
#include "support/temp_dir.hpp"

#include <ndkeep/ndkeep.hpp>
#include <ndkeep/pickle.hpp>

#include <algorithm>
#include <concepts>
#include <iostream>
#include <sstream>

namespace nk = ndkeep;

struct trade {
    std::int64_t time;
    double price;
    std::int32_t size;
};
NDKEEP_FIELDS(trade, time, price, size);

namespace {

/// The lines name files without a directory.
class in_temp_dir {
  public:
    in_temp_dir() : former_(std::filesystem::current_path()) { std::filesystem::current_path(dir_.path()); }
    in_temp_dir(const in_temp_dir&) = delete;
    in_temp_dir& operator=(const in_temp_dir&) = delete;
    ~in_temp_dir() { std::filesystem::current_path(former_); }

  private:
    std::filesystem::path former_;
    temp_dir dir_;
};

xt::xarray<double> some_temps() {
    return {{20.5, 21.0, 19.5, 22.0}, {18.0, 18.5, 19.0, 19.5}, {25.0, 24.0, 23.0, 22.0}};
}

}  // namespace

TEST_CASE("contract: load and save", "[contract]") {
    const in_temp_dir here;
    nk::save("temps.npy", some_temps());

    xt::xarray<double> a = nk::load<double>("temps.npy");
    xt::xtensor<double, 2> b = nk::load<double, 2>("temps.npy");
    CHECK((a == some_temps()));
    CHECK((b == a));
    CHECK_THROWS_AS((nk::load<double, 1>("temps.npy")), nk::mismatch_error);
    CHECK_THROWS_AS(nk::load<float>("temps.npy"), nk::mismatch_error);
    nk::save("temps.npy", a * 1.8 + 32);
    CHECK((nk::load<double>("temps.npy") == xt::xarray<double>(a * 1.8 + 32)));

    nk::save("temps.npy", a,
             {.meta = {{"units", "kelvin"}, {"site", "A7"}},
              .sum = nk::checksum::crc32 | nk::checksum::md5,
              .statistics = true});
    CHECK(std::filesystem::exists("temps.npy.json"));
    nk::describe("temps.npy", {.statistics = true});
    nk::json meta = nk::metadata("temps.npy");
    CHECK(meta == nk::json{{"units", "kelvin"}, {"site", "A7"}});
    nk::verify("temps.npy");
    std::size_t wrong = 0;
    const auto report = [&](const nk::finding&) { ++wrong; };
    for (const nk::finding& f : nk::findings("temps.npy"))
        report(f);
    CHECK(wrong == 0);

    nk::array_info info = nk::inspect("temps.npy");
    CHECK(info.shape == std::vector<std::size_t>{3, 4});
    CHECK(!info.column_major);
    CHECK(info.data_offset == 128);
    std::string text = info.type.str();
    CHECK(text == "<f8");
    nk::any_array any = nk::load_any("temps.npy");
    CHECK(any.type() == info.type);
    CHECK(any.shape() == info.shape);
    CHECK(any.bytes().size() == 96);
    std::ostringstream out;
    nk::visit<nk::real>([&](const auto& array) { out << xt::amax(array)() << '\n'; }, any);
    CHECK(out.str() == "25\n");

    std::filesystem::create_directory("data");
    auto next = nk::next_name("data", "measure", ".npy");
    CHECK(next.string().starts_with("data/measure_20"));
    CHECK(next.string().ends_with("_001.npy"));
    CHECK(nk::next_name("data", "measure", ".npy").string().ends_with("_002.npy"));
}

TEST_CASE("contract: map", "[contract]") {
    const in_temp_dir here;
    nk::save("temps.npy", some_temps());
    const xt::xarray<double> rows = xt::ones<double>({2, 4});

    auto now = nk::map<double>("temps.npy");
    static_assert(std::is_same_v<decltype(now), nk::mapped<const double>>);
    auto live = nk::map<double, 2>("temps.npy", nk::read_write);
    auto draft = nk::map<double>("temps.npy", nk::copy_on_write);
    live(0, 3) = 21.5;
    xt::row(live, 1) *= 1.8;
    live.flush();
    draft(0, 0) = -1;
    double mean = xt::mean(now)();
    CHECK(now(0, 3) == 21.5);
    CHECK(now(0, 0) == 20.5);
    CHECK(mean == xt::mean(nk::load<double>("temps.npy"))());
    auto fresh = nk::create<double>("big.npy", {1'000'000, 3});
    static_assert(std::is_same_v<decltype(fresh), nk::mapped<double, 2>>);
    CHECK(fresh(999'999, 2) == 0);
    CHECK_THROWS_AS(nk::create<double>("big.npy", {3}), nk::io_error);
    (void)nk::create<double>("big.npy", {3}, {.replace = true});

    auto out = nk::create_raw<float>("data.dat", {100, 50}, nk::column_major, {.offset = 1024});
    out(99, 1) = 7;
    auto raw = nk::map_raw<float, 2>("data.dat", {.shape = {100, 50}, .offset = 1024});
    CHECK(raw(3, 49) == 7);
    nk::save("f.npy", xt::xtensor<double, 2, xt::layout_type::column_major>(some_temps()));
    auto both = nk::map<double, 2>("f.npy", nk::read_write, nk::column_major);
    CHECK(both(2, 0) == 25);
    nk::save("log.npy", some_temps());
    nk::append("log.npy", rows);
    CHECK(nk::load<double, 2>("log.npy")(4, 3) == 1);
}

TEST_CASE("contract: structs", "[contract]") {
    const in_temp_dir here;
    nk::save("trades.npy", std::vector<trade>{{1, 2.5, 3}, {2, 4.0, 5}});

    xt::xtensor<trade, 1> trades = nk::load<trade, 1>("trades.npy");
    double spent = xt::sum(nk::field(trades, &trade::price))();
    CHECK(spent == 6.5);
    CHECK(nk::inspect("trades.npy").type.descr() ==
          "[('time', '<i8'), ('price', '<f8'), ('size', '<i4'), ('', '|V4')]");
}

TEST_CASE("contract: npz", "[contract]") {
    const in_temp_dir here;
    const auto a = some_temps();
    const double mean = xt::mean(a)();

    nk::save_npz("run.npz", {{"temps", a}, {"anomaly", a - mean}}, {.compress = true, .meta = {{"run", 7}}});
    nk::npz_reader run("run.npz");
    auto anomaly = run.load<double>("anomaly");
    CHECK((anomaly == xt::xarray<double>(a - mean)));
    CHECK(run.metadata() == nk::json{{"run", 7}});
    CHECK(run.contains("temps"));
    CHECK(!run.contains("x"));
    std::ostringstream out;
    for (const auto& name : run.names())
        out << name << '\n';
    CHECK(out.str() == "temps\nanomaly\n");
    nk::any_array member = run.load_any("temps");
    CHECK((member.as<double>() == a));
    CHECK_THROWS_AS(run.map<double>("temps"), nk::mismatch_error);

    nk::save_npz("run.npz", {{"temps", a}, {"anomaly", a - mean}});
    auto view = nk::npz_reader("run.npz").map<double>("temps");
    CHECK((view == a));
    static_assert(std::is_same_v<decltype(view), nk::mapped<const double>>);

    const std::vector<float> x = {1, 2, 3};
    nk::npz_writer archive("big.npz");
    archive.add("x", x);
    CHECK(!std::filesystem::exists("big.npz"));
    archive.commit();
    CHECK(nk::npz_reader("big.npz").load<float, 1>("x")(2) == 3);
    nk::verify_npz("run.npz");
    CHECK(nk::findings_npz("run.npz").empty());
    CHECK(nk::inspect_npz("run.npz").size() == 2);
    const std::vector<nk::npz_item> items = {{"temps", a}, {"x", x}};
    nk::save_npz("run.npz", items);
    CHECK(nk::npz_reader("run.npz").names() == std::vector<std::string>{"temps", "x"});
}

TEST_CASE("contract: trees", "[contract]") {
    const in_temp_dir here;
    const xt::xarray<double> a = some_temps();
    const xt::xtensor<double, 2> b = {{1, 2}, {3, 4}};

    nk::tree data = {{"region1", {{"values", a}, {"created", "2023-01-20"}}},
                     {"region2", {{"values", b}, {"created", "2023-01-21"}}}};
    nk::save_tree("dataset.npz", data);
    CHECK((nk::npz_reader("dataset.npz").load<double>("region1/values") == a));
    nk::tree back = nk::load_tree("dataset.npz");
    auto values = back["region1"]["values"].as<double, 2>();
    CHECK((values == a));
    std::string created = back["region1"]["created"].get<std::string>();
    CHECK(created == "2023-01-20");
    CHECK(back == data);
}

TEST_CASE("contract: chunks", "[contract]") {
    const in_temp_dir here;
    const xt::xtensor<double, 2> a = some_temps();

    nk::save_chunked("readings", a, {.rows_per_chunk = 100'000, .sum = nk::checksum::crc32c});
    auto whole = nk::load_chunked<double, 2>("readings");
    CHECK((whole == a));
    static_assert(std::is_same_v<decltype(whole), xt::xtensor<double, 2>>);
    auto all = nk::map_chunked<double, 2>("readings");
    CHECK((all == a));
    static_assert(std::is_same_v<decltype(all), nk::mapped<const double, 2>>);
    nk::chunk_reader<double, 2> readings("readings");
    CHECK(readings.size() == 1);
    CHECK(readings.rows() == 3);
    CHECK(readings.metadata() == nk::json::object());
    static_assert(std::is_same_v<decltype(readings[0]), nk::mapped<const double, 2>>);
    double total = 0;
    for (auto chunk : readings)
        total += xt::sum(chunk)();
    CHECK(total == xt::sum(a)());

    const xt::xtensor<double, 2> block = xt::ones<double>({5, 4});
    nk::chunk_writer<double, 2> sink("readings");
    sink.append(block);
    CHECK(nk::load_chunked<double, 2>("readings").shape(0) == 3);
    sink.commit();
    CHECK(nk::load_chunked<double, 2>("readings").shape(0) == 8);
    CHECK(readings.rows() == 3);
    nk::verify_chunked("readings");
    CHECK(nk::findings_chunked("readings").empty());
    CHECK(nk::inspect_chunked("readings").shape == std::vector<std::size_t>{8, 4});
    nk::prune_chunked("readings", {.keep = 5});
    nk::compact_chunked("readings");
    CHECK(nk::recover_chunked("readings").empty());
    CHECK(nk::load_chunked<double>("readings").dimension() == 2);
}

// A pass that can be interrupted anywhere, as the examples show it.
struct running_mean {
    double sum = 0;
    std::size_t n = 0;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(running_mean, sum, n)
};

TEST_CASE("contract: a pass that can be interrupted anywhere", "[contract]") {
    const in_temp_dir here;
    nk::save_chunked("readings", some_temps(), {.rows_per_chunk = 1});
    const nk::chunk_reader<double, 2> readings("readings");

    nk::stateful_loop loop("mean.state");
    auto& total = loop.bind<running_mean>("mean");
    for (auto chunk : loop.over(readings)) {
        static_assert(std::is_same_v<decltype(chunk), nk::mapped<const double, 2>>);
        CHECK(loop.index() == loop.first_row());
        CHECK(loop.is_last() == (loop.index() == 2));
        CHECK_FALSE(loop.is_warm_up());
        total.sum += xt::sum(chunk)();
        total.n += chunk.size();
    }

    CHECK(total.sum == xt::sum(some_temps())());
    CHECK(total.n == some_temps().size());
    CHECK(std::filesystem::exists("mean.state"));
}

TEST_CASE("contract: transactions", "[contract]") {
    const in_temp_dir here;
    const auto count_even = [](const std::int64_t* values, std::size_t count) {
        return std::count_if(values, values + count, [](std::int64_t each) { return each % 2 == 0; });
    };
    {
        nk::database lab("lab");
        auto a = lab.create<std::int64_t>("A", {10});
        CHECK_FALSE(std::filesystem::exists("lab/A.npy"));
        lab.commit();
        CHECK(nk::load<std::int64_t>("lab/A.npy").size() == 10);
        a(7) = 22;
        xt::view(a, xt::range(0, 3)) = 5;
        CHECK(count_even(a.data(), a.size()) == 7);
        lab.commit();
        const auto* const before = a.data();
        a(0) = 99;
        lab.abort();
        CHECK(a(0) == 5);
        CHECK(a.data() == before);

        nk::save("B.npy", xt::xtensor<double, 2>{{1, 2, 3, 4}});
    }
    std::filesystem::rename("B.npy", "lab/B.npy");
    {
        nk::database lab("lab");
        auto b = lab.open<double, 2>("B");
        CHECK_THROWS_AS((lab.open<double, 1>("B")), nk::mismatch_error);
        const xt::xtensor<double, 2> rows{{5, 6, 7, 8}};
        b.append(rows);
        b.resize({3, 4});
        CHECK(b(1, 0) == 5);
        CHECK(b(2, 0) == 0);
        lab.metadata("B")["units"] = "kelvin";
        lab.remove("A");
        CHECK(lab.names() == std::vector<std::string>{"B"});
        lab.commit();
        auto mark = lab.savepoint();
        b(0, 0) = -1;
        lab.abort(mark);
        CHECK(b(0, 0) == 1);

        nk::database_snapshot now("lab");
        auto seen = now.map<double, 2>("B");
        static_assert(std::same_as<decltype(seen), nk::mapped<const double, 2>>);
        b(0, 0) = 7;
        lab.commit();
        CHECK(seen(0, 0) == 1);
        now.refresh();
        CHECK(now.map<double, 2>("B")(0, 0) == 7);
    }
    CHECK(nk::metadata("lab/B.npy")["units"] == "kelvin");
    { nk::database both("lab", {.optimistic = true}); }
    nk::verify_database("lab");
}

namespace ordered {

// As users write it: g++ -Wextra warns of the members that {.market = "xnas"} leaves out.
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct trade {
    std::chrono::sys_time<std::chrono::seconds> time;
    std::int64_t id;
    double price;
};
NDKEEP_FIELDS(trade, time, id, price);

struct instrument {
    std::string market, symbol;
    int year;
};
NDKEEP_KEY(instrument, market, symbol, year);

}  // namespace ordered

TEST_CASE("contract: ordered data", "[contract]") {
    using namespace std::chrono_literals;
    using ordered::instrument, ordered::trade;
    const in_temp_dir here;
    const auto at = [](int seconds) {
        return std::chrono::sys_time<std::chrono::seconds>(std::chrono::seconds(seconds));
    };
    const std::vector<trade> rows = {{at(1), 1, 1.5}, {at(5), 2, 2.5}, {at(9), 3, 3.5}},
                             late = {{at(5), 2, 7.5}, {at(7), 4, 4.5}};
    nk::save_chunked("trades", rows, {.rows_per_chunk = 100'000, .order_by = "time"});
    nk::chunk_writer<trade, 1> sink("trades");
    sink.merge(late, {.unique_by = {"time", "id"}});
    CHECK(sink.rows() == 4);
    const auto t0 = at(9), t1 = at(10);
    CHECK(sink.erase(t0, t1) == 1);
    sink.commit();
    const auto now = nk::load_chunked<trade, 1>("trades");
    REQUIRE(now.size() == 3);
    CHECK(now(1).price == 7.5);

    nk::collection<instrument> prices("prices");
    for (const auto& key : {instrument{"xnys", "IBM", 2025}, instrument{"xnas", "AAPL", 2026}}) {
        auto to = prices.writer<trade, 1>(key, {.order_by = "time"});
        to.append(rows);
        to.commit();
    }
    std::vector<std::string> symbols;
    for (const instrument& key : prices.keys())
        symbols.push_back(key.symbol);
    CHECK(symbols == std::vector<std::string>{"AAPL", "IBM"});
    CHECK(prices.keys({.market = "xnas"}).size() == 1);
    CHECK(prices.path({"xnas", "AAPL", 2026}) == std::filesystem::path("prices/xnas/AAPL/2026"));
    auto quotes = prices.reader<trade, 1>({"xnas", "AAPL", 2026});
    CHECK(prices.contains({"xnys", "IBM", 2025}));
    CHECK(prices.remove({"xnys", "IBM", 2025}));

    const nk::chunk_reader<trade, 1> trades("trades");
    std::size_t seen = 0, warm = 0;
    for (auto [t, q] : nk::in_step(trades, quotes, {.from = at(5), .to = at(9), .warm_up = {0, 100}})) {
        seen += t.size() + q.size();
        warm += t.warm_up() + q.warm_up();
    }
    CHECK(seen == 4);
    CHECK(warm == 1);
    nk::stateful_loop loop("ordered.state");
    auto& total = loop.bind<double>("total");
    for (auto [t, q] : loop.over(nk::in_step(trades, quotes, {.from = at(1)})))
        total += xt::sum(nk::field(t, &trade::price))() + xt::sum(nk::field(q, &trade::price))();
    CHECK(total == 1.5 + 7.5 + 4.5 + 1.5 + 2.5 + 3.5);
}

namespace operators {

using second = std::chrono::sys_time<std::chrono::seconds>;

struct trade {
    second time;
    std::int32_t symbol;
    double price;
    std::int64_t size;
};
NDKEEP_FIELDS(trade, time, symbol, price, size);

struct quote {
    second time;
    std::int32_t symbol;
    double bid;
};
NDKEEP_FIELDS(quote, time, symbol, bid);

second moment(int seconds) { return second(std::chrono::seconds(seconds)); }

}  // namespace operators

TEST_CASE("contract: as-of joins", "[contract]") {
    using namespace std::chrono_literals;
    using operators::moment, operators::trade, operators::quote;
    const in_temp_dir here;
    const xt::xtensor<trade, 1> trades = {{moment(1), 1, 10, 100}, {moment(10), 2, 20, 200}, {moment(12), 1, 11, 300}};
    const xt::xtensor<quote, 1> quotes = {{moment(2), 1, 9.5}, {moment(8), 2, 19.5}, {moment(12), 1, 10.5}};

    auto at = nk::as_of(nk::field(trades, &trade::time), nk::field(quotes, &quote::time),
                        {.direction = nk::backward, .tolerance = 5s, .exact = true});
    CHECK_FALSE(at.found(0));
    CHECK(at.row(0) == std::nullopt);
    CHECK(at.row(1) == 1);
    CHECK((at.rows() == xt::xtensor<std::int64_t, 1>{-1, 1, 2}));
    CHECK((at.mask() == xt::xtensor<bool, 1>{false, true, true}));
    auto bid = at.take(nk::field(quotes, &quote::bid), std::numeric_limits<double>::quiet_NaN());
    CHECK(std::isnan(bid(0)));
    CHECK(bid(1) == 19.5);
    auto by = nk::as_of(trades, quotes, {.on = "time", .by = {"symbol"}});
    CHECK((by.rows() == xt::xtensor<std::int64_t, 1>{-1, 1, 2}));

    nk::save_chunked("trades", trades, {.order_by = "time"});
    nk::save_chunked("quotes", quotes, {.rows_per_chunk = 2, .order_by = "time"});
    nk::chunk_reader<trade, 1> left("trades");
    nk::chunk_reader<quote, 1> right("quotes");
    nk::as_of_join<trade, quote> join({.by = {"symbol"}, .window = 3});
    nk::stateful_loop loop("join.state");
    std::size_t joined = 0, found = 0;
    for (auto [t, q] : loop.over(nk::in_step(left, right))) {
        auto m = join.push(t, q);
        joined += m.left().size();
        CHECK(m.right().shape(1) == 3);
        found += xt::sum<std::size_t>(m.found())();
    }
    CHECK(joined == 3);
    CHECK(found == 3);  // none, one and two

    nk::as_of_join<trade, quote> each({.by = {"symbol"}});
    auto m = each.push(trades, quotes);
    const auto rest = each.finish();
    CHECK(m.left().size() + rest.left().size() == 3);
    nk::any_array table = nk::side_by_side({{"", m.left()}, {"quote_", m.right()}});
    CHECK(table.type().find("quote_bid") != nullptr);
    CHECK_THROWS_AS(nk::side_by_side({{"", m.left()}, {"", m.right()}}), nk::mismatch_error);
}

TEST_CASE("contract: segments", "[contract]") {
    using namespace std::chrono_literals;
    using operators::moment, operators::trade;
    const xt::xtensor<trade, 1> chunk = {{moment(1), 1, 10, 100}, {moment(299), 2, 20, 200}, {moment(300), 1, 11, 300}};

    nk::segments<trade> bars({.on = &trade::time, .every = 5min, .closed = nk::left},
                             {nk::first(&trade::price, "open"), nk::max(&trade::price, "high"),
                              nk::min(&trade::price, "low"), nk::last(&trade::price, "close"),
                              nk::sum(&trade::size, "volume"), nk::count("n"), nk::mean(&trade::price),
                              nk::variance(&trade::price), nk::quantile(&trade::price, 0.5)});
    auto done = bars.push(chunk);
    REQUIRE(done.shape() == std::vector<std::size_t>{1});
    CHECK(done.field("high").as<double, 1>()(0) == 20);
    CHECK(done.field("volume").as<std::int64_t, 1>()(0) == 300);
    CHECK(bars.current().shape() == std::vector<std::size_t>{1});
    CHECK(bars.finish().field("open").as<double, 1>()(0) == 11);
}

TEST_CASE("contract: pickles", "[contract]") {
    const in_temp_dir dir;
    const xt::xtensor<double, 1> numbers = xt::arange<double>(1000);
    nk::save_pickle("numerical_data.pkl", {{"numerical_data", numbers}, {"about", {{"rows", 1000}}}});
    std::filesystem::copy_file(std::filesystem::path(NDKEEP_TEST_DATA) / "pickles/objects_numbers.npy", "objects.npy");

    nk::tree data = nk::load_pickle("numerical_data.pkl");
    CHECK((data["numerical_data"].as<double, 1>() == numbers));
    nk::save_pickle("out.pkl", data);
    CHECK(nk::load_pickle("out.pkl") == data);
    nk::any_array old = nk::load_any("objects.npy", {.pickles = true});
    CHECK((old.as<double, 1>() == xt::xtensor<double, 1>{1, 2.5, 3}));
}
