// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: the reports of diff.
#include "support/python.hpp"
#include "tool/comparison.hpp"
#include "tool/run_tool.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <chrono>
#include <limits>

namespace tool_diff_tests {

using namespace ndkeep;

namespace {

struct reading {
    std::int32_t id;
    double value;
};
NDKEEP_FIELDS(reading, id, value);

struct wide_reading {
    double value;
    std::int64_t id;
};
NDKEEP_FIELDS(wide_reading, value, id);

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("diff says nothing but that files are equal, and with -q not even that", "[tool]") {
    temp_dir dir;
    save(dir / "a.npy", twelve());
    save(dir / "b.npy", twelve());

    const auto equal = run_tool({"diff", (dir / "a.npy").string(), (dir / "b.npy").string()});
    const auto quiet = run_tool({"diff", "-q", (dir / "a.npy").string(), (dir / "b.npy").string()});

    CHECK(equal.status == 0);
    CHECK(equal.out == "equal: 12 elements\n");
    CHECK(quiet.status == 0);
    CHECK(quiet.out.empty());
}

TEST_CASE("diff tells the first difference, the largest errors and how many there are", "[tool]") {
    temp_dir dir;
    auto other = twelve();
    other(1, 2) += 0.5;
    other(2, 3) += 0.25;
    save(dir / "a.npy", twelve());
    save(dir / "b.npy", other);
    const std::vector<std::string> files = {(dir / "a.npy").string(), (dir / "b.npy").string()};

    const auto text = run_tool({"diff", files[0], files[1]});
    const auto array = run_tool({"diff", "--json", files[0], files[1]}).object()["arrays"][0];
    const auto quiet = run_tool({"diff", "-q", files[0], files[1]});

    CHECK(text.status == 1);
    CHECK(text.has("2 of 12 elements differ, the first at [1, 2]"));
    CHECK(text.has("error 0.5 at [1, 2], relative 0.0769231 at [1, 2]"));
    CHECK(text.has("[2, 3]  11.0  11.25"));
    CHECK(array["differing"] == 2);
    CHECK(array["max_absolute_error"] == 0.5);
    CHECK(array["first"][0]["index"] == json::array({1, 2}));
    CHECK(array["first"][0]["a"] == "6.0");
    CHECK(array["first"][0]["b"] == "6.5");
    CHECK(quiet.status == 1);
    CHECK(quiet.out.empty());
    CHECK(run_tool({"diff", "--max=1", "--json", files[0], files[1]}).object()["arrays"][0]["first"].size() == 1);
    CHECK(run_tool({"diff", "--atol=0.5", files[0], files[1]}).status == 0);
    CHECK(run_tool({"diff", "--atol=0.4", files[0], files[1]}).status == 1);
}

TEST_CASE("diff takes the tolerance relative to the second file", "[tool]") {
    temp_dir dir;
    save(dir / "a.npy", xt::xtensor<double, 1>{10.0});
    save(dir / "b.npy", xt::xtensor<double, 1>{11.0});
    const auto status = [&](const char* a, const char* b) {
        return run_tool({"diff", "--rtol=0.095", (dir / a).string(), (dir / b).string()}).status;
    };

    CHECK(status("a.npy", "b.npy") == 0);
    CHECK(status("b.npy", "a.npy") == 1);
}

TEST_CASE("diff compares arrays of other order and byte order by value", "[tool]") {
    temp_dir dir;
    xt::xtensor<double, 2, xt::layout_type::column_major> columns = twelve();
    save(dir / "c.npy", twelve());
    save(dir / "f.npy", columns);
    columns(2, 0) = -1;
    columns(0, 3) = -1;
    save(dir / "f2.npy", columns);
    REQUIRE(run_tool({"convert", "--byte-order=big", (dir / "c.npy").string(), (dir / "big.npy").string()}).status ==
            0);

    const auto orders = run_tool({"diff", (dir / "c.npy").string(), (dir / "f.npy").string()});
    const auto bytes = run_tool({"diff", (dir / "c.npy").string(), (dir / "big.npy").string()});
    CHECK(orders.status == 0);
    CHECK(orders.has("C and F (not a difference)"));
    CHECK(bytes.status == 0);
    CHECK(bytes.has("little-endian and big-endian (not a difference)"));
    for (const char* const other : {"c.npy", "f.npy", "big.npy"}) {
        const auto text = run_tool({"diff", (dir / other).string(), (dir / "f2.npy").string()});
        INFO(other);
        CHECK(text.has("2 of 12 elements differ, the first at [0, 3]"));
    }
}

TEST_CASE("diff calls another dtype or shape a difference, and compares what it can", "[tool]") {
    temp_dir dir;
    save(dir / "a.npy", twelve());
    save(dir / "f.npy", xt::xtensor<float, 2>(xt::cast<float>(twelve())));
    save(dir / "short.npy", xt::xtensor<double, 1>{1, 2});
    save(dir / "text.npy", std::vector<fixed_string<3>>(2));

    const auto dtype = run_tool({"diff", (dir / "a.npy").string(), (dir / "f.npy").string()});
    const auto shape = run_tool({"diff", (dir / "a.npy").string(), (dir / "short.npy").string()});
    const auto kinds = run_tool({"diff", (dir / "short.npy").string(), (dir / "text.npy").string()});

    CHECK(dtype.status == 1);
    CHECK(dtype.has("'<f8' and '<f4'"));
    CHECK(dtype.has("equal, all 12 elements"));
    CHECK(shape.status == 1);
    CHECK(shape.has("(3, 4) and (2,)"));
    CHECK(kinds.status == 1);
    CHECK(kinds.has("not compared: the dtypes are of different kinds"));
}

TEST_CASE("diff takes NaN for equal only when asked to, and says so", "[tool]") {
    temp_dir dir;
    save(dir / "a.npy", xt::xtensor<double, 1>{1, not_a_number});
    const auto file = (dir / "a.npy").string();

    const auto strict = run_tool({"diff", file, file});

    CHECK(strict.status == 1);
    CHECK(strict.has("1 value in both files; --equal-nan"));
    CHECK(run_tool({"diff", "--equal-nan", file, file}).status == 0);
}

TEST_CASE("diff compares structs by the names of their fields", "[tool]") {
    temp_dir dir;
    std::vector<reading> some = {{1, 1.5}, {2, 2.5}, {3, 3.5}};
    save(dir / "a.npy", some);
    some[1].value = 9;
    save(dir / "b.npy", some);
    save(dir / "c.npy", std::vector<wide_reading>{{1.5, 1}, {2.5, 2}, {3.5, 3}});

    const auto values = run_tool({"diff", (dir / "a.npy").string(), (dir / "b.npy").string()});
    const auto layout = run_tool({"diff", (dir / "a.npy").string(), (dir / "c.npy").string()});

    CHECK(values.status == 1);
    CHECK(values.has("value: 1"));
    CHECK(values.has("[1]    value  2.5  9"));
    CHECK(layout.status == 1);  // the dtype of `id` differs
    CHECK(layout.has("equal, all 3 elements"));
}

TEST_CASE("diff compares archives member by member, and files of different kinds", "[tool]") {
    temp_dir dir;
    auto other = twelve();
    other(0, 0) = 1;
    save(dir / "t.npy", twelve());
    save_chunked(dir / "t", twelve(), {.rows_per_chunk = 2});
    save_npz(dir / "a.npz", {{"x", twelve()}, {"y", twelve()}, {"z", twelve()}}, {.compress = true});
    save_npz(dir / "b.npz", {{"z", other}, {"x", twelve()}, {"w", twelve()}});

    const auto archives = run_tool({"diff", "--json", (dir / "a.npz").string(), (dir / "b.npz").string()});
    const auto object = archives.object();
    CHECK(archives.status == 1);
    CHECK(object["only_a"] == json::array({"y"}));
    CHECK(object["only_b"] == json::array({"w"}));
    CHECK(object["arrays"][0]["equal"] == true);
    CHECK(object["arrays"][1]["member"] == "z");
    CHECK(object["arrays"][1]["differing"] == 1);

    CHECK(run_tool({"diff", (dir / "t.npy").string(), (dir / "t").string()}).status == 0);
    CHECK(run_tool({"diff", "--member=y", (dir / "t.npy").string(), (dir / "a.npz").string()}).status == 0);
    CHECK(run_tool({"diff", (dir / "t.npy").string(), (dir / "a.npz").string()}).status == 2);
    CHECK(run_tool({"diff", "--member=n", (dir / "a.npz").string(), (dir / "b.npz").string()}).status == 2);
}

TEST_CASE("diff takes members behind a colon, and says how where an archive holds several", "[tool]") {
    temp_dir dir;
    save_npz(dir / "a.npz", {{"x", twelve()}, {"y", xt::xtensor<double, 2>(twelve() + 1)}}, {.meta = {{"run", 7}}});
    save_npz(dir / "b.npz", {{"z", twelve()}, {"y", twelve()}});
    const auto a = (dir / "a.npz").string(), b = (dir / "b.npz").string();

    CHECK(run_tool({"diff", a + ":x", b + ":z"}).status == 0);
    CHECK(run_tool({"diff", a + ":y", b, "--member=y"}).status == 1);
    CHECK(run_tool({"diff", a + ":x", b}).warns("number of arrays is 2, expected 1 (choose one, as in " + b + ":z)"));
    CHECK(run_tool({"diff", a + ":n", b + ":z"}).warns("expected one of 'x', 'y'"));
}

TEST_CASE("diff finds what differs in sub-arrays of structs", "[tool]") {
    temp_dir dir;
    const std::string descr = "[('p', [('x', '<i2'), ('y', '>i2')], (2,)), ('k', '<i2')]";
    const auto a = write_npy<std::int16_t>(dir / "a.npy", descr, {1}, {1, 0x0200, 3, 0x0400, 5});
    const auto b = write_npy<std::int16_t>(dir / "b.npy", descr, {1}, {1, 0x0200, 3, 0x0700, 5});

    const auto array = run_tool({"diff", "--json", a, b}).object()["arrays"][0];

    CHECK(array["differing"] == 1);
    CHECK(array["first"].size() == 1);
    CHECK(array["first"][0]["field"] == "p.y");
    CHECK(array["first"][0]["a"] == "4");
    CHECK(array["first"][0]["b"] == "7");
}

TEST_CASE("diff compares metadata and names the pointer", "[tool]") {
    temp_dir dir;
    save(dir / "a.npy", twelve(), {.meta = {{"site", {{"a/b", 1}}}, {"run", 7}}});
    save_chunked(dir / "b", twelve(), {.meta = {{"site", {{"a/b", 2}}}, {"run", 7}, {"new", true}}});

    const auto text = run_tool({"diff", (dir / "a.npy").string(), (dir / "b").string()});

    CHECK(text.status == 1);
    CHECK(text.has("/site/a~1b: 1 and 2"));
    CHECK(text.has("/new: absent and true"));
    CHECK(!text.has("/run"));
}

TEST_CASE("diff of files that cannot be read is an error", "[tool]") {
    temp_dir dir;
    save(dir / "a.npy", twelve());
    save(dir / "cut.npy", twelve());
    std::filesystem::resize_file(dir / "cut.npy", 150);
    const auto file = (dir / "a.npy").string();

    CHECK(run_tool({"diff", file, (dir / "missing").string()}).status == 2);
    CHECK(run_tool({"diff", file, (dir / "cut.npy").string()}).status == 2);
    CHECK(run_tool({"diff", file}).status == 2);
    CHECK(run_tool({"diff", "--rtol=-1", file, file}).status == 2);
    tool::interrupted() = true;
    CHECK(run_tool({"diff", file, file}).status == 130);
    tool::interrupted() = false;
}

TEST_CASE("diff finds equal what many blocks hold in whatever order", "[tool]") {
    temp_dir dir;
    const xt::xtensor<float, 3> large = xt::reshape_view(xt::arange<float>(0, 600000), {20, 300, 100});
    xt::xtensor<float, 3, xt::layout_type::column_major> columns = large;
    columns(19, 299, 99) += 1000;
    columns(7, 1, 2) += 1;
    save(dir / "c.npy", large);
    save(dir / "f.npy", columns);
    save(dir / "d.npy", xt::xtensor<float, 3>(columns));

    for (const auto& [a, b] : {std::pair("c.npy", "f.npy"), std::pair("c.npy", "d.npy")}) {
        const auto array = run_tool({"diff", "--json", (dir / a).string(), (dir / b).string()}).object()["arrays"][0];
        INFO(b);
        CHECK(array["differing"] == 2);
        CHECK(array["max_absolute_error_at"] == json::array({19, 299, 99}));
        CHECK(array["first"][0]["index"] == json::array({7, 1, 2}));
    }
    CHECK(run_tool({"diff", (dir / "f.npy").string(), (dir / "d.npy").string()}).status == 0);
}

TEST_CASE("diff agrees with numpy.allclose", "[tool][python]") {
    if (python().empty()) {
        WARN("no Python with NumPy: nothing checked");
        return;
    }
    temp_dir dir;
    check_in_python(dir, R"(
r = np.random.default_rng(5)
cases = []
for i in range(60):
    kind = r.choice(['f8', '>f4', 'i4', 'u8', 'c16', 'f2'])
    b = (r.normal(size=(4, 5)) * 100).astype(complex if kind == 'c16' else float)
    if kind == 'u8': b = np.abs(b)
    a = b * (1 + r.normal(size=b.shape) * 10.0 ** r.integers(-6, -1))
    if kind == 'c16': a = a + 1j * b * 1e-3
    a, b = a.astype(kind), b.astype(kind)
    if kind not in ('i4', 'u8') and i % 3 == 0: a[1, 1] = b[1, 1] = np.nan
    if kind in ('f8', '>f4', 'f2') and i % 5 == 0: a[2, 2] = np.inf; b[2, 2] = r.choice([np.inf, -np.inf, 1.0])
    rtol, atol = 10.0 ** r.integers(-5, -1), 10.0 ** r.integers(-5, 1)
    np.save(f'a{i}.npy', a); np.save(f'b{i}.npy', b)
    wide = lambda x: x if kind == 'c16' else x.astype('f8')
    for equal_nan in (False, True):
        close = np.isclose(wide(a), wide(b), rtol=rtol, atol=atol, equal_nan=equal_nan)
        cases.append([i, rtol, atol, equal_nan, int((~close).sum())])
json.dump(cases, open('cases.json', 'w'))
)");

    for (const auto& each : json::parse(read_text(dir / "cases.json"))) {
        const auto name = std::to_string(each[0].get<int>()) + ".npy";
        std::vector<std::string> line = {"diff",
                                         "--json",
                                         "--rtol",
                                         each[1].dump(),
                                         "--atol",
                                         each[2].dump(),
                                         (dir / ("a" + name)).string(),
                                         (dir / ("b" + name)).string()};
        if (each[3].get<bool>())
            line.emplace_back("--equal-nan");
        INFO(each.dump());
        CHECK(run_tool(line).object()["arrays"][0]["differing"] == each[4]);
    }
}

TEST_CASE("diff of many members takes no longer than a few listings of them", "[tool]") {
    temp_dir dir;
    const auto file = (dir / "a.npz").string();
    npz_writer out(file);
    for (int i = 0; i < 10'000; ++i)
        out.add_text("group/a_rather_long_member_name_" + std::to_string(i) + ".txt", "x");
    out.commit();
    const auto fastest = [](const std::vector<std::string>& args) {
        auto least = std::chrono::steady_clock::duration::max();
        for (int i = 0; i < 3; ++i) {
            const auto begin = std::chrono::steady_clock::now();
            CHECK(run_tool(args).status == 0);
            least = std::min(least, std::chrono::steady_clock::now() - begin);
        }
        return least;
    };

    CHECK(fastest({"diff", file, file}) < 8 * fastest({"ls", file}));
}

}  // namespace tool_diff_tests
