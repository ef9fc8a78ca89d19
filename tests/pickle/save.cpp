// SPDX-License-Identifier: BSD-3-Clause
// What save_pickle writes: the same tree again, values that Python reads, and files that are complete or unchanged.
#include "support/faults.hpp"
#include "support/faulty_calls.hpp"
#include "support/python.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/element/bfloat16.hpp>
#include <ndkeep/element/fields.hpp>
#include <ndkeep/pickle.hpp>

#include <cerrno>
#include <cmath>
#include <complex>
#include <limits>

namespace pickle_save_tests {

namespace nk = ndkeep;

struct pickled_reading {
    std::int16_t id;
    double value[2];
    float weight;
};
NDKEEP_FIELDS(pickled_reading, id, value, weight);

namespace {

nk::tree everything() {
    nk::tree made = {{"null", nullptr}, {"yes", true},
                     {"no", false},     {"text", "größe \U0001f600"},
                     {"empty", ""},     {"long text", std::string(300, 'x')},
                     {"", "no key"},    {"list", nk::tree::list({1, nk::tree::list(), nk::tree::dictionary(), "x"})}};
    for (const std::int64_t number :
         {std::int64_t{0}, std::int64_t{255}, std::int64_t{256}, std::int64_t{-1}, std::int64_t{2'147'483'647},
          std::int64_t{-2'147'483'648}, std::int64_t{2'147'483'648}, std::numeric_limits<std::int64_t>::max(),
          std::numeric_limits<std::int64_t>::min()})
        made["integers"].push_back(number);
    made["integers"].push_back(std::numeric_limits<std::uint64_t>::max());
    for (const double number : {0.0, -0.0, 1.5, 1e300, 5e-324, std::numeric_limits<double>::infinity(),
                                -std::numeric_limits<double>::infinity()})
        made["reals"].push_back(number);
    auto& arrays = made["arrays"];
    arrays["doubles"] = xt::xtensor<double, 2>{{1, 2, 3}, {4, 5, 6}};
    arrays["scalar"] = xt::xtensor<float, 0>(1.5F);
    arrays["nothing"] = xt::xtensor<std::int32_t, 2>(xt::zeros<std::int32_t>({0, 3}));
    arrays["bytes"] = xt::xtensor<std::uint8_t, 1>(xt::arange<std::uint8_t>(0, 255));
    arrays["booleans"] = xt::xtensor<bool, 1>{true, false};
    arrays["complex"] = xt::xtensor<std::complex<float>, 1>{{1, 2}, {3, 4}};
    arrays["large"] = xt::xtensor<double, 1>(xt::arange<double>(10'000));
    arrays["readings"] = std::vector<pickled_reading>{{1, {2, 3}, 4}, {5, {6, 7}, 8}};
    const auto typed = [&](const std::string& word) {
        nk::any_array elements(nk::dtype::parse(word), {2});
        for (std::size_t i = 0; i < elements.bytes().size(); ++i)
            elements.bytes()[i] = static_cast<std::byte>(i + 1);
        arrays[word] = std::move(elements);
    };
    for (const auto* const word : {"<f2", ">i4", "|S3", "<M8[7us]", "<m8[D]", "|V5", "<f16", "<u8"})
        typed(word);
    typed("[('a', '<i2'), ('', '|V2'), ('b', [('x', '<f4'), ('y', '|u1', (2, 3))], (2,)), (('title', 'c'), '>u2')]");
    return made;
}

}  // namespace

TEST_CASE("every kind of value comes back in every protocol", "[pickle]") {
    const temp_dir dir;
    const auto made = everything();
    for (const int protocol : {2, 3, 4, 5}) {
        CAPTURE(protocol);
        nk::save_pickle(dir / "t.pkl", made, {.protocol = protocol});

        const auto again = nk::load_pickle(dir / "t.pkl");

        CHECK(again == made);
        CHECK(std::signbit(again["reals"][1].get<double>()));
        for (const auto& [key, value] : made["arrays"].items()) {
            CAPTURE(key);
            CHECK(again["arrays"].at(key).type() == value.type());
        }
    }
}

TEST_CASE("a NaN comes back as NaN", "[pickle]") {
    const temp_dir dir;
    nk::save_pickle(dir / "t.pkl", std::numeric_limits<double>::quiet_NaN());

    CHECK(std::isnan(nk::load_pickle(dir / "t.pkl").get<double>()));
}

TEST_CASE("pickle.load of Python gives the values that were saved", "[pickle][numpy]") {
    const temp_dir dir;
    for (const int protocol : {2, 3, 4, 5})
        nk::save_pickle(dir / (std::to_string(protocol) + ".pkl"), everything(), {.protocol = protocol});

    check_in_python(dir, R"(
import math, pickle, pickletools
for protocol in (2, 3, 4, 5):
    content = open(f"{protocol}.pkl", "rb").read()
    assert max(code.proto for code, _, _ in pickletools.genops(content)) <= protocol
    t = pickle.loads(content)
    assert type(t) is dict
    assert list(t) == ["null", "yes", "no", "text", "empty", "long text", "", "list", "integers", "reals", "arrays"]
    assert t["null"] is None and t["yes"] is True and t["no"] is False
    assert t["text"] == "gr\u00f6\u00dfe \U0001f600" and t["empty"] == ""
    assert t["long text"] == "x" * 300 and t[""] == "no key"
    assert t["list"] == [1, [], {}, "x"]
    assert t["integers"] == [0, 255, 256, -1, 2**31 - 1, -2**31, 2**31, 2**63 - 1, -2**63, 2**64 - 1]
    assert t["reals"] == [0.0, -0.0, 1.5, 1e300, 5e-324, math.inf, -math.inf]
    assert math.copysign(1, t["reals"][1]) == -1
    a = t["arrays"]
    assert all(type(each) is np.ndarray for each in a.values())
    assert a["doubles"].tolist() == [[1, 2, 3], [4, 5, 6]] and a["doubles"].dtype == "<f8"
    assert a["scalar"].shape == () and a["scalar"] == 1.5 and a["scalar"].dtype == "<f4"
    assert a["nothing"].shape == (0, 3) and a["nothing"].dtype == "<i4"
    assert a["bytes"].tolist() == list(range(255)) and a["booleans"].tolist() == [True, False]
    assert a["complex"].tolist() == [1 + 2j, 3 + 4j] and a["complex"].dtype == "<c8"
    assert (a["large"] == np.arange(10000)).all()
    a["large"][0] = 5  # arrays can be changed
    assert a["readings"]["id"].tolist() == [1, 5] and a["readings"]["value"].tolist() == [[2, 3], [6, 7]]
    for word in ("<f2", ">i4", "|S3", "<M8[7us]", "<m8[D]", "|V5", "<f16", "<u8"):
        if word == ">i4":
            continue  # NumPy changes the order when it reads
        assert a[word].dtype == np.dtype(word), word
        assert a[word].tobytes() == bytes(range(1, 2 * np.dtype(word).itemsize + 1)), word
    assert a[">i4"].tolist() == [0x01020304, 0x05060708]
    struct = np.dtype({"names": ["a", "b", "c"], "offsets": [0, 4, 24], "itemsize": 26, "titles": [None, None, "title"],
                       "formats": ["<i2", (np.dtype([("x", "<f4"), ("y", "u1", (2, 3))]), (2,)), ">u2"]})
    found = [each for name, each in a.items() if name.startswith("[")]
    assert len(found) == 1 and found[0].dtype == struct, found[0].dtype
    assert found[0].tobytes() == bytes(range(1, 53))
)");
}

TEST_CASE("arrays are mapped from a pickle that was saved", "[pickle]") {
    const temp_dir dir;
    for (std::size_t pad = 0; pad < 130; ++pad)
        for (const int protocol : {3, 4, 5}) {
            nk::save_pickle(dir / "t.pkl",
                            {{"pad", std::string(pad, 'x')}, {"a", xt::xtensor<double, 1>(xt::arange<double>(9000))}},
                            {.protocol = protocol});
            const auto made = nk::load_pickle(dir / "t.pkl");

            const auto mapped = made["a"].map<double, 1>();

            REQUIRE(mapped(8999) == 8999);
            REQUIRE(reinterpret_cast<std::uintptr_t>(mapped.data()) % 64 == 0);
        }
}

TEST_CASE("what a pickle cannot hold is refused, and the old file stays", "[pickle][error]") {
    const temp_dir dir;
    nk::save_pickle(dir / "t.pkl", 1);
    nk::tree deep = 1;
    for (int i = 0; i < 200; ++i)
        deep = nk::tree::list({std::move(deep)});

    const auto refused = [&](const nk::tree& value, int protocol) {
        return std::string(
            thrown<nk::mismatch_error>([&] { nk::save_pickle(dir / "t.pkl", value, {.protocol = protocol}); }).what());
    };

    for (const int protocol : {-1, 0, 1, 6})
        CHECK(refused(1, protocol).find("protocol") != std::string::npos);
    CHECK(refused("\xff", 4).find("UTF-8") != std::string::npos);
    CHECK(refused({{"\xff", 1}}, 4).find("UTF-8") != std::string::npos);
    CHECK(refused(deep, 4).find("level") != std::string::npos);
    CHECK(refused(xt::xtensor<nk::bfloat16, 1>(std::array<std::size_t, 1>{2}), 4).find("bfloat16") !=
          std::string::npos);
    CHECK(nk::load_pickle(dir / "t.pkl").get<int>() == 1);
    CHECK(dir.files() == 1);
}

TEST_CASE("a failure or a kill at any call leaves the old pickle or the new one", "[pickle][fault]") {
    const temp_dir dir;
    const auto file = dir / "t.pkl";
    const nk::tree before = {{"a", 1}}, after = everything();
    const auto save = [&] { nk::save_pickle(file, after, {.sync = true}); };
    nk::save_pickle(file, before);
    const auto calls = faults::calls_of(save).size();
    REQUIRE(calls > 3);

    std::size_t failures = 0;
    for (std::size_t at = 0; at < calls; ++at) {
        CAPTURE(at);
        nk::save_pickle(file, before);
        {
            const faults::session full({.what = faults::effect::fail, .at = at, .code = ENOSPC, .disk_full = true});
            failures += caught<nk::io_error>(save).has_value();
        }
        const auto found = nk::load_pickle(file);
        CHECK((found == before || found == after));
        CHECK(dir.hidden_files().empty());

        nk::save_pickle(file, before);
        CHECK(faults::killed({.what = faults::effect::kill, .at = at}, save));
        const auto left = nk::load_pickle(file);
        CHECK((left == before || left == after));
    }
    CHECK(failures > 0);
    save();
    CHECK(nk::load_pickle(file) == after);
}

}  // namespace pickle_save_tests
