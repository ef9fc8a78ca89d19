// SPDX-License-Identifier: BSD-3-Clause
// Sidecars: their text, and which file content they describe.
#include "npy/sidecar.hpp"
#include "support/faults.hpp"

#include <limits>

#include <sys/stat.h>

namespace sidecars::sidecar_tests {

// The text ------------------------------------------------------------------------------------------------------------

TEST_CASE("a sidecar has the keys that the format names, in their order", "[npy][sidecar]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve(),
         {.meta = {{"units", "kelvin"}}, .sum = checksum::crc32 | checksum::md5, .statistics = true});

    const auto text = read_text(dir / "t.npy.json");
    const auto said = nlohmann::ordered_json::parse(text);

    std::vector<std::string> keys;
    for (const auto& item : said.items())
        keys.push_back(item.key());
    CHECK(keys ==
          std::vector<std::string>{"ndkeep", "array", "checksums", "statistics", "created", "file", "metadata"});
    CHECK(said["ndkeep"] == "sidecar/1");
    CHECK(said["array"].dump() == R"({"dtype":"<f8","shape":[3,4],"order":"C","nbytes":96})");
    CHECK(said["statistics"].dump() ==
          R"({"count":12,"nan":0,"min":0.0,"max":11.0,"mean":5.5,"std":3.452052529534663})");
    CHECK(said["created"].get<std::string>().size() == std::string("2026-11-20T10:16:00Z").size());
    CHECK(said["created"].get<std::string>().ends_with("Z"));
    CHECK(said["metadata"].dump() == R"({"units":"kelvin"})");
    CHECK(text.starts_with("{ \"ndkeep\": \"sidecar/1\",\n  \"array\": {\"dtype\": \"<f8\", \"shape\": [3, 4], "));
}

TEST_CASE("sums are those that zlib and hashlib give for the data", "[npy][sidecar]") {
    const temp_dir dir;
    save(dir / "t.npy", xt::xtensor<std::uint8_t, 1>{'1', '2', '3', '4', '5', '6', '7', '8', '9'},
         {.sum = checksum::crc32 | checksum::crc32c | checksum::md5});

    CHECK(said_in(dir / "t.npy")["checksums"] ==
          json{{"crc32", "cbf43926"}, {"crc32c", "e3069283"}, {"md5", "25f9e794323b453885f5181f1b624d0b"}});
}

TEST_CASE("metadata alone brings a crc32c", "[npy][sidecar]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve(), {.meta = old_meta});

    CHECK(said_in(dir / "t.npy")["checksums"].size() == 1);
    CHECK(said_in(dir / "t.npy")["checksums"].contains("crc32c"));
    CHECK_FALSE(said_in(dir / "t.npy").contains("statistics"));
}

TEST_CASE("structs have statistics for every field, and their dtype as NumPy writes it", "[npy][sidecar]") {
    const temp_dir dir;
    save(dir / "t.npy", std::vector<pair_of>{{1, 0.5}, {-7, 2.5}}, {.statistics = true});

    const auto said = said_in(dir / "t.npy");

    CHECK(said["array"]["dtype"] == "[('count', '<i4'), ('', '|V4'), ('weight', '<f8')]");
    CHECK(said["statistics"]["count"] == 2);
    CHECK(said["statistics"]["fields"]["count"]["min"] == -7);
    CHECK(said["statistics"]["fields"]["weight"]["mean"] == 1.5);
    verify(dir / "t.npy");
}

TEST_CASE("numbers that JSON has not are strings, are listed, and come back as numbers", "[npy][sidecar]") {
    const temp_dir dir;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    save(dir / "t.npy", xt::xtensor<double, 1>{-infinity, 1, infinity, nan},
         {.meta = {{"nan", nan}, {"text", "NaN"}, {"list", {infinity, -infinity, 1.5}}, {"a/b", {{"~", nan}}}},
          .statistics = true});

    const json meta = metadata(dir / "t.npy");
    CHECK(std::isnan(meta["nan"].get<double>()));
    CHECK(meta["text"] == "NaN");
    CHECK(meta["list"] == json{infinity, -infinity, 1.5});
    CHECK(std::isnan(meta["a/b"]["~"].get<double>()));
    CHECK(said_in(dir / "t.npy")["metadata"]["nan"] == "NaN");
    CHECK(said_in(dir / "t.npy")["nonfinite"] == json{"/statistics/min", "/statistics/max", "/statistics/mean",
                                                      "/statistics/std", "/metadata/a~1b/~0", "/metadata/list/0",
                                                      "/metadata/list/1", "/metadata/nan"});
    const auto values = said_in(dir / "t.npy")["statistics"];
    CHECK(values["nan"] == 1);
    CHECK(values["min"] == "-Infinity");
    CHECK(values["max"] == "Infinity");
    CHECK(values["mean"] == "NaN");
    verify(dir / "t.npy");
}

TEST_CASE("a sidecar of version 0.1, which lists no numbers, is read", "[npy][sidecar]") {
    const temp_dir dir;
    save(dir / "t.npy", xt::xtensor<double, 1>{-std::numeric_limits<double>::infinity(), 1}, {.statistics = true});
    std::string text = read_text(dir / "t.npy.json");
    const auto list = text.find(",\n  \"nonfinite\"");
    REQUIRE(list != std::string::npos);
    write_text(dir / "t.npy.json", text.substr(0, list) + " }\n");

    verify(dir / "t.npy");
    CHECK(findings(dir / "t.npy").empty());
}

TEST_CASE("a list of numbers that are none is refused", "[npy][sidecar][error]") {
    for (const auto* const list : {"1", "{}", "[1]", R"([""])", R"(["/metadata/x"])", R"(["/metadata/y"])",
                                   R"(["/metadata/z/1"])", R"(["metadata"])", R"(["/metadata/w", "/metadata/w"])"}) {
        CAPTURE(list);
        const std::string text =
            R"({"ndkeep": "sidecar/1", "array": {"dtype": "<f8", "shape": [], "order": "C", "nbytes": 8},)"
            R"( "metadata": {"x": 1, "y": "nan", "z": ["NaN"], "w": "NaN"}, "nonfinite": )" +
            std::string(list) + '}';
        const auto e = thrown<format_error>([&] { (void)parse_sidecar(text, "t.npy.json"); });
        CHECK(e.field() == "nonfinite");
    }
}

TEST_CASE("metadata keeps text of any kind and whole numbers exactly", "[npy][sidecar]") {
    const temp_dir dir;
    const json meta = {{"", ""},
                       {"quotes \" and \\ and \n", "ä € 😀 \u0001"},
                       {"large", std::uint64_t{18446744073709551615U}},
                       {"small", std::numeric_limits<std::int64_t>::min()},
                       {"tenth", 0.1},
                       {"none", nullptr},
                       {"deep", {{"a", {1, {{"b", json::array()}}}}}}};

    save(dir / "t.npy", twelve(), {.meta = meta});

    CHECK(metadata(dir / "t.npy") == meta);
}

TEST_CASE("metadata that is no object is refused, and nothing is written", "[npy][sidecar][error]") {
    const temp_dir dir;
    for (const json& meta : {json(7), json("text"), json::array({1, 2}), json(true)}) {
        CHECK(thrown<mismatch_error>([&] { save(dir / "t.npy", twelve(), {.meta = meta}); }).field() == "metadata");
        CHECK(dir.files() == 0);
    }
    save(dir / "t.npy", twelve());
    CHECK_THROWS_AS(describe(dir / "t.npy", {.meta = json::array()}), mismatch_error);
    CHECK(dir.files() == 1);
}

TEST_CASE("metadata of more values than can be read back is refused, and nothing is written", "[npy][sidecar][error]") {
    temp_dir dir;
    const auto values = [](std::size_t count) { return json{{"list", std::vector<int>(count - 2)}}; };
    constexpr std::size_t most = 131'072;

    const auto e = thrown<mismatch_error>([&] { save(dir / "t.npy", twelve(), {.meta = values(most + 1)}); });
    CHECK(e.file() == dir / "t.npy");
    CHECK(e.field() == "metadata");
    CHECK(e.expected() == "at most 131072 values");
    CHECK(dir.files() == 0);

    save(dir / "t.npy", twelve(), {.meta = values(most), .statistics = true});
    save(dir / "t.npy", twelve(1), {.meta = values(most), .statistics = true});
    CHECK(metadata(dir / "t.npy") == values(most));
}

TEST_CASE("metadata that is not UTF-8 is refused, and nothing is written", "[npy][sidecar][error]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve());
    const auto former = read_text(dir / "t.npy");

    const json bad = {{"text", "\xff\xfe"}};
    for (const auto& e : {thrown<mismatch_error>([&] { save(dir / "t.npy", twelve(1), {.meta = bad}); }),
                          thrown<mismatch_error>([&] { describe(dir / "t.npy", {.meta = bad}); })}) {
        CHECK(e.file() == dir / "t.npy");
        CHECK(e.field() == "text");
        CHECK(e.expected() == "UTF-8");
    }

    CHECK((read_text(dir / "t.npy") == former));
    CHECK(dir.files() == 1);
}

// Which content it describes ------------------------------------------------------------------------------------------

TEST_CASE("a file without a sidecar has no metadata and passes", "[npy][sidecar]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve());

    CHECK(metadata(dir / "t.npy") == json::object());
    CHECK(findings(dir / "t.npy").empty());
}

TEST_CASE("whatever the instant of a kill, the metadata is that of the array, in place and copied", "[npy][sidecar]") {
    const auto same = twelve();
    const auto other = twelve(100);
    const matrix shorter = xt::view(other, xt::range(0, 2));
    for (const auto& array : {same, other, shorter}) {
        const auto save_new = [&](const fs::path& file) { save(file, array, {.meta = new_meta}); };
        const temp_dir first;
        save(first / "t.npy", same, {.meta = old_meta});
        const auto calls = faults::calls_of([&] { save_new(first / "t.npy"); });
        REQUIRE(calls.size() > 5);
        bool seen_old = false;
        bool seen_new = false;
        for (std::size_t at = 0; at < calls.size(); ++at)
            for (const bool copied : {false, true}) {
                CAPTURE(at, calls[at].name, calls[at].path, copied, array(0, 0), array.shape(0));
                const temp_dir dir;
                const auto file = dir / "t.npy";
                save(file, same, {.meta = old_meta});

                REQUIRE(faults::killed({.what = faults::effect::kill, .at = at}, [&] { save_new(file); }));
                if (copied)
                    make_older(file);

                const auto now = load<double, 2>(file);
                const auto said = metadata(file);
                const bool is_old = now == same;
                if (array == same && copied)  // for identical data, both are correct
                    CHECK((said == old_meta || said == new_meta));
                else
                    CHECK(said == (is_old ? old_meta : new_meta));
                CHECK(findings(file).empty());
                seen_old = seen_old || said == old_meta;
            }
        save_new(first / "t.npy");
        seen_new = metadata(first / "t.npy") == new_meta;
        CHECK(seen_old);
        CHECK(seen_new);
    }
}

TEST_CASE("two descriptions with one stamp are told apart by their sums", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    const auto other = dir / "other.npy";
    save(file, twelve(), {.meta = old_meta});
    fs::copy_file(file, other);
    save(file, twelve(100), {.meta = new_meta});
    auto said = said_in(file);
    REQUIRE(said["previous"]["metadata"] == old_meta);

    // Simulates a clock that did not advance between two saves, with the second killed before its data was in place.
    fs::rename(other, file);
    struct stat status = {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    for (auto* const stamp : {&said["file"], &said["previous"]["file"]})
        *stamp = {{"size", status.st_size},
                  {"mtime_ns", status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec}};
    write_sidecar_text(file, text_of(said));

    CHECK(metadata(file) == old_meta);
    verify(file);
}

TEST_CASE("a copy with new times keeps its metadata", "[npy][sidecar]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve(), {.meta = old_meta});
    fs::copy_file(dir / "t.npy", dir / "u.npy");
    fs::copy_file(dir / "t.npy.json", dir / "u.npy.json");
    make_older(dir / "u.npy");

    CHECK(metadata(dir / "u.npy") == old_meta);
    verify(dir / "u.npy");
}

TEST_CASE("a file of the same shape that another program wrote over it is found out", "[npy][sidecar]") {
    for (const bool saved_twice : {false, true}) {
        CAPTURE(saved_twice);
        const temp_dir dir;
        const auto file = dir / "t.npy";
        save(file, twelve(50), {.meta = old_meta});
        if (saved_twice)
            save(file, twelve(), {.meta = new_meta});
        save(dir / "foreign.npy", twelve(7));

        fs::copy_file(dir / "foreign.npy", file, fs::copy_options::overwrite_existing);
        make_older(file);

        const auto e = thrown<mismatch_error>([&] { (void)metadata(file); });
        CHECK(e.found() == "stale");
        CHECK(e.file() == sidecar_path(file));
        CHECK_THROWS_AS(verify(file), checksum_error);
    }
}

TEST_CASE("a foreign file over one that had no sidecar when it was saved over is found out", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(50));
    save(file, twelve(), {.meta = new_meta});
    save(dir / "foreign.npy", twelve(7));

    fs::copy_file(dir / "foreign.npy", file, fs::copy_options::overwrite_existing);
    make_older(file);

    CHECK_THROWS_AS((void)metadata(file), mismatch_error);
    CHECK_THROWS_AS(verify(file), checksum_error);
}

TEST_CASE("a sidecar of another shape, dtype or order is stale", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    const auto put_over = [&](const array_view& array) {
        save(file, twelve(), {.meta = old_meta});
        save(dir / "other.npy", array);
        fs::rename(dir / "other.npy", file);
    };
    const std::vector<array_view> others = {xt::xtensor<double, 2>(xt::zeros<double>({4, 3})),
                                            xt::xtensor<std::int64_t, 2>(xt::zeros<std::int64_t>({3, 4})),
                                            xt::xtensor<double, 2, xt::layout_type::column_major>(twelve())};
    for (const auto& other : others) {
        put_over(other);
        CHECK_THROWS_AS((void)metadata(file), mismatch_error);
        CHECK(fields_of(findings(file)) == std::vector<std::string>{"array"});
        CHECK_THROWS_AS(verify(file), mismatch_error);
    }
}

TEST_CASE("save without a sidecar takes the old one away", "[npy][sidecar]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve(), {.meta = old_meta});

    save(dir / "t.npy", twelve());

    CHECK(dir.files() == 1);
    CHECK(metadata(dir / "t.npy") == json::object());
}

TEST_CASE("the sidecar of a link is beside what it leads to", "[npy][sidecar]") {
    const temp_dir dir;
    fs::create_directory(dir / "there");
    fs::create_symlink("there/t.npy", dir / "link.npy");

    save(dir / "link.npy", twelve(), {.meta = old_meta});

    CHECK(fs::exists(dir / "there" / "t.npy.json"));
    CHECK(metadata(dir / "link.npy") == old_meta);
    verify(dir / "link.npy");
    CHECK(dir.files() == 2);
}

TEST_CASE("stamps of any time are well defined, and those of different times differ", "[npy][sidecar]") {
    constexpr auto stamp = [](std::time_t seconds, long nanoseconds) {
        struct stat status = {};
        status.st_mtim = {seconds, nanoseconds};
        return detail::stamp_of(status).mtime_ns;
    };
    // constexpr, because undefined behaviour would not compile.
    constexpr std::int64_t in_1969 = stamp(-1, 5), in_2026 = stamp(1'790'000'000, 5);
    constexpr std::int64_t in_2500 = stamp(16'725'225'600, 5), later = stamp(16'725'225'600, 6);

    CHECK(in_1969 == -999'999'995);
    CHECK(in_2026 == 1'790'000'000'000'000'005);
    CHECK(later == in_2500 + 1);
    CHECK(in_2500 != in_2026);
}

// Writing in place ----------------------------------------------------------------------------------------------------

TEST_CASE("map read_write takes claims away and keeps the metadata", "[npy][sidecar][map]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta, .sum = checksum::crc32 | checksum::md5, .statistics = true});

    auto live = map<double, 2>(file, read_write);
    live(0, 0) = 99;
    live.flush();

    CHECK(metadata(file) == old_meta);
    CHECK_FALSE(said_in(file).contains("checksums"));
    CHECK_FALSE(said_in(file).contains("statistics"));
    CHECK_FALSE(said_in(file).contains("file"));
    verify(file);
}

TEST_CASE("map for reading and copy_on_write leave the sidecar alone", "[npy][sidecar][map]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta, .sum = checksum::crc32});
    const auto former = read_text(sidecar_path(file));

    (void)map<double, 2>(file);
    auto draft = map<double, 2>(file, copy_on_write);
    draft(0, 0) = 99;

    CHECK(read_text(sidecar_path(file)) == former);
    verify(file);
}

TEST_CASE("create over a file takes its sidecar away", "[npy][sidecar]") {
    const temp_dir dir;
    save(dir / "t.npy", twelve(), {.meta = old_meta});

    (void)create<double>(dir / "t.npy", {3, 4}, {.replace = true});

    CHECK(dir.files() == 1);
}

}  // namespace sidecars::sidecar_tests
