// SPDX-License-Identifier: BSD-3-Clause
// A checkpoint is a plain archive: NumPy and Python's zipfile read it.
#include "chunks/dataset.hpp"
#include "loop/loop.hpp"
#include "support/python.hpp"

#include <limits>

namespace loop_numpy_tests {

namespace nk = ndkeep;
using namespace looptest;

namespace {

/// Commits every kind of state after one chunk of three rows.
template <class Over>
void commit_some(nk::stateful_loop& loop, Over&& over) {
    auto& ratio = loop.bind<double>("ratio");
    auto& window = loop.bind<xt::xtensor<float, 2>>("window");
    auto& columns = loop.bind<xt::xtensor<double, 2, xt::layout_type::column_major>>("columns");
    auto& names = loop.bind<std::vector<std::string>>("names");
    auto& rows = loop.buffer<std::int64_t, 1>("rows");
    auto& by_site = loop.keyed_buffer<std::int64_t, 1>("by site");
    const auto source = [&]() -> std::optional<ints> {
        return loop.index() == 0 ? std::optional(counting(1, 3)) : std::nullopt;
    };
    for (const auto& chunk : over(source)) {
        ratio = std::numeric_limits<double>::infinity();
        window = {{1, 2}, {3, 4}};
        columns = {{1, 2, 3}, {4, 5, 6}};
        names = {"größer", "NaN"};
        CHECK_FALSE(rows.push(chunk).has_value());
        CHECK_FALSE(by_site.push({{"a/b", chunk}, {"c", chunk}}).has_value());
    }
}

const std::string checks = R"(
import zipfile, warnings
def check(file):
    warnings.simplefilter("error")
    assert zipfile.ZipFile(file).testzip() is None
    f = np.load(file)
    document = json.loads(f["state.json"])
    assert document["ndkeep"] == "loop/1" and document["position"] == {"rows": 3, "chunks": 1}, document
    states = document["states"]
    assert states["ratio"]["json"] == "Infinity" and document["nonfinite"] == ["/states/ratio/json"]
    assert states["names"]["json"] == ["größer", "NaN"]
    assert f["states/window"].dtype == np.float32 and f["states/window"].tolist() == [[1, 2], [3, 4]]
    assert f["states/columns"].flags.f_contiguous and f["states/columns"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert f["states/rows/rows"].tolist() == [1, 2, 3]
    assert states["by site"]["parts"]["keys"]["json"] == ["a/b", "c"]
    assert f["states/by site/1"].tolist() == [1, 2, 3]
)";

}  // namespace

TEST_CASE("NumPy reads a checkpoint", "[loop][numpy]") {
    const temp_dir dir;
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        commit_some(loop, [&](auto& source) { return loop.over(source); });
    }
    nk::verify_npz(dir / "a.state");
    check_in_python(dir, checks + "check('a.state')\n");
}

TEST_CASE("NumPy reads states in the record of a sink", "[loop][numpy]") {
    const temp_dir dir;
    nk::chunk_writer<std::int64_t, 1> sink(dir / "out", {.commit = unsynced});
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        commit_some(loop, [&](auto& source) { return loop.over(source).into(sink); });
    }
    check_in_python(dir, checks + R"(
record = json.load(open("out/commits/00000000000000000001.json"))
loop = record["loops"]["a.state"]
assert loop["step"] == 1 and loop["position"] == {"rows": 3, "chunks": 1}, loop
check("out/chunks/" + loop["states"]["file"])
)");
}

}  // namespace loop_numpy_tests
