// SPDX-License-Identifier: BSD-3-Clause
// npy files of objects, files of several pickles, and files of other programs that are no plain pickles. The npy files
// are written by tests/golden/make_pickles.py.
#include "pickle/program.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npy.hpp>

#include <chrono>

namespace pickle_objects_tests {

using namespace pickle_program;
using namespace std::string_literals;

namespace {

std::filesystem::path golden(const std::string& name) {
    return std::filesystem::path(NDKEEP_TEST_DATA) / "pickles" / name;
}

nk::any_array objects(const std::string& name) {
    return nk::load_any(golden("objects_" + name + ".npy"), {.pickles = true});
}

}  // namespace

TEST_CASE("objects of one kind are an array, as np.array makes of them", "[pickle]") {
    const auto integers = objects("integers").as<std::int64_t, 2>();
    CHECK((integers == xt::xtensor<std::int64_t, 2>{{1, 2, 3}, {4, 5, -6}}));
    CHECK((objects("numbers").as<double, 1>() == xt::xtensor<double, 1>{1, 2.5, 3}));
    CHECK(objects("large").as<std::uint64_t, 1>()(1) == std::uint64_t{1} << 63);
    CHECK((objects("flags").as<bool, 1>() == xt::xtensor<bool, 1>{true, false}));
    CHECK((objects("stacked").as<double, 2>() == xt::xtensor<double, 2>{{0, 1, 2}, {7, 7, 7}}));
    CHECK(objects("empty").shape() == std::vector<std::size_t>{0, 3});
}

TEST_CASE("scalars of NumPy are objects as their values are", "[pickle]") {
    CHECK((objects("scalars").as<double, 1>() == xt::xtensor<double, 1>{1, 2.5, -3, 1}));
    CHECK((objects("float32").as<float, 1>() == xt::xtensor<float, 1>{1, 2.5}));
    CHECK(objects("texts_of_numpy").type().str() == "<U3");
}

TEST_CASE("objects that are bytes become a dtype as wide as the longest", "[pickle]") {
    const auto bytes = objects("bytes");

    CHECK(bytes.type().str() == "|S2");
    CHECK(std::memcmp(bytes.bytes().data(), "abc\0\0\0", 6) == 0);
}

TEST_CASE("objects that are text become a dtype as wide as the longest", "[pickle]") {
    const auto texts = objects("texts");

    CHECK(texts.type().str() == "<U5");
    const auto bytes = texts.bytes();
    const auto character = [&](std::size_t at) {
        char32_t value = 0;
        std::memcpy(&value, bytes.data() + 4 * at, 4);
        return value;
    };
    CHECK(character(0) == U'a');
    CHECK(character(1) == 0);
    CHECK(character(6) == U'\u00e9');
    CHECK(character(10) == U'\U0001f600');
}

TEST_CASE("objects that are times become datetime64 in microseconds", "[pickle]") {
    const auto times = objects("times");

    CHECK(times.type().str() == "<M8[us]");
    std::int64_t second = 0;
    std::memcpy(&second, times.bytes().data() + 8, 8);
    CHECK(second == -86'400'000'000);
}

TEST_CASE("objects of several kinds are an error that names the first", "[pickle][error]") {
    const auto mixed = caught<nk::mismatch_error>([] { (void)objects("mixed"); });
    REQUIRE(mixed);
    CHECK(mixed->field() == "element 1");
    CHECK(mixed->found() == "a string");

    const auto huge = caught<nk::mismatch_error>([] { (void)objects("huge"); });
    REQUIRE(huge);
    CHECK(huge->field() == "element 1");

    CHECK(caught<nk::mismatch_error>([] { (void)objects("none"); }));
    CHECK(caught<nk::mismatch_error>([] { (void)objects("dictionary"); }));
}

TEST_CASE("load_any reads objects only if it is asked to, and other files in any case", "[pickle][error]") {
    const auto file = golden("objects_integers.npy");
    CHECK(caught<nk::format_error>([&] { (void)nk::load_any(file); }));
    CHECK(caught<nk::format_error>([&] { (void)nk::load_any(file, {}); }));
    CHECK(caught<nk::format_error>([&] { (void)nk::load_any(file, {.pickles = false}); }));
    CHECK(caught<nk::format_error>([&] { (void)nk::load_any(file, {.run = {.threads = 1}}); }));

    const temp_dir dir;
    nk::save(dir / "t.npy", xt::xtensor<float, 1>{1, 2});
    CHECK(nk::load_any(dir / "t.npy", {.pickles = true}).type().str() == "<f4");
    CHECK(nk::load_any(dir / "t.npy", {}).type().str() == "<f4");
}

TEST_CASE("load_pickle reads what np.save made of a dictionary", "[pickle]") {
    const auto value = nk::load_pickle(golden("objects_dictionary.npy"));

    CHECK((value["a"].as<std::int64_t, 1>() == xt::xtensor<std::int64_t, 1>{0, 1, 2}));
    CHECK(value["b"].get<std::string>() == "text");
    CHECK(nk::load_pickle(golden("objects_mixed.npy"))[1].get<std::string>() == "x");
}

TEST_CASE("load_pickle refuses an npy file without objects, and one whose header states another shape",
          "[pickle][error]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", xt::xtensor<float, 1>{1, 2});
    CHECK(caught<nk::mismatch_error>([&] { (void)nk::load_pickle(dir / "t.npy"); }));

    auto content = read_text(golden("objects_mixed.npy"));
    content.replace(content.find("(2,)"), 4, "(3,)");
    write_text(dir / "o.npy", content);
    CHECK(caught<nk::format_error>([&] { (void)nk::load_pickle(dir / "o.npy"); }));
    CHECK(caught<nk::format_error>([&] { (void)nk::load_any(dir / "o.npy", {.pickles = true}); }));
}

TEST_CASE("pickles that were dumped into one file are read by their number", "[pickle]") {
    const auto file = golden("several.pkl");

    CHECK(nk::load_pickle(file) == nk::tree(1));
    CHECK(nk::load_pickle(file, {.number = 1}) == nk::tree(std::vector<nk::tree>{2}));
    CHECK(nk::load_pickle(file, {.number = 2})["three"].get<int>() == 3);
    const auto e = caught<nk::mismatch_error>([&] { (void)nk::load_pickle(file, {.number = 3}); });
    REQUIRE(e);
    CHECK(e->expected() == "less than 3");
}

TEST_CASE("files of PyTorch, joblib and other formats are named", "[pickle][error]") {
    const temp_dir dir;
    const auto error_of = [&](const std::string& content) {
        write_text(dir / "t.pkl", content);
        const auto e = caught<nk::format_error>([&] { (void)nk::load_pickle(dir / "t.pkl"); });
        return e ? std::string(e->what()) : "no error";
    };
    const auto contains = [](const std::string& text, const std::string& part) {
        return text.find(part) != std::string::npos;
    };
    const auto member = [](const std::string& name) {
        return "PK\x03\x04" + std::string(22, '\0') + number(name.size(), 2) + std::string(2, '\0') + name + "...";
    };

    CHECK(contains(error_of(member("archive/data.pkl")), "torch.load"));
    CHECK(contains(error_of(member("a.npy")), "npz_reader"));
    CHECK(contains(error_of("PK\x03\x04"), "zip"));
    CHECK(contains(error_of("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."), "torch.load"));
    CHECK(contains(error_of(global("torch._utils", "_rebuild_tensor_v2") + ")R."), "torch.load"));
    CHECK(contains(error_of(global("joblib.numpy_pickle", "NumpyArrayWrapper") + ")\x81."), "joblib.load"));
    CHECK(contains(error_of("x\x9c" + std::string(20, 'a')), "joblib.load"));
    CHECK(contains(error_of("\x1f\x8b" + std::string(20, 'a')), "gunzip"));
    CHECK(contains(error_of(""), "empty"));
    CHECK(contains(error_of("<html><body>"), "HTML"));
}

}  // namespace pickle_objects_tests
