// SPDX-License-Identifier: BSD-3-Clause
// What is said of a file beside it: when it counts, when it is stale, and what is wrong with it.
#include "support/faults.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npy.hpp>

#include <chrono>
#include <random>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

namespace npy_sidecar_tests {

using namespace ndkeep;

namespace {

struct pair_of {
    std::int32_t count;
    double weight;
};
NDKEEP_FIELDS(pair_of, count, weight);

namespace fs = std::filesystem;
using matrix = xt::xtensor<double, 2>;

const json old_meta = {{"units", "kelvin"}};
const json new_meta = {{"units", "celsius"}};

matrix twelve(double from = 0) { return xt::reshape_view(xt::arange<double>(from, from + 12), {3, 4}); }

json said_in(const fs::path& file) { return json::parse(read_text(sidecar_path(file))); }

/// The text of a sidecar that says this: its first key is "ndkeep".
std::string text_of(const json& said) {
    nlohmann::ordered_json ordered = {{"ndkeep", said["ndkeep"]}};
    for (const auto& [key, value] : said.items())
        ordered[key] = nlohmann::ordered_json::parse(value.dump());
    return ordered.dump();
}

/// As after a copy that keeps no times.
void make_older(const fs::path& file) { fs::last_write_time(file, fs::last_write_time(file) - std::chrono::hours(1)); }

/// In place: cutting a file and writing it again makes some file systems wait for the disk.
void put_byte(const fs::path& file, std::size_t at, char byte) {
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(at));
    out.put(byte);
}

void flip(const fs::path& file, std::size_t at, int bits = 1) {
    put_byte(file, at, static_cast<char>(read_text(file)[at] ^ bits));
}

/// Text under the sidecar's name.
void write_sidecar_text(const fs::path& file, const std::string& text) { write_text(sidecar_path(file), text); }

std::vector<std::string> fields_of(const std::vector<finding>& all) {
    std::vector<std::string> fields;
    for (const auto& each : all)
        fields.push_back(each.field);
    return fields;
}

/// Calls everything that reads a file and its sidecar; false if one of them throws what is no error of ours.
bool reads_cleanly(const fs::path& file) {
    const auto clean = [](auto&& act) {
        try {
            act();
            return true;
        } catch (const error&) {
            return true;
        } catch (...) {
            return false;
        }
    };
    return clean([&] { (void)metadata(file); }) && clean([&] { verify(file); }) &&
           clean([&] { (void)findings(file); }) && clean([&] { (void)load_any(file); }) &&
           clean([&] { (void)map<double>(file); }) && clean([&] { (void)inspect(file); });
}

}  // namespace

// The text -----------------------------------------------------------------------------------------------------------

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

TEST_CASE("numbers that JSON has not are strings, and are read back", "[npy][sidecar]") {
    const temp_dir dir;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const double nan = std::numeric_limits<double>::quiet_NaN();
    save(dir / "t.npy", xt::xtensor<double, 1>{-infinity, 1, infinity, nan},
         {.meta = {{"nan", nan}, {"list", {infinity, -infinity, 1.5}}, {"inner", {{"x", nan}}}}, .statistics = true});

    CHECK(metadata(dir / "t.npy") ==
          json{{"nan", "NaN"}, {"list", {"Infinity", "-Infinity", 1.5}}, {"inner", {{"x", "NaN"}}}});
    const auto values = said_in(dir / "t.npy")["statistics"];
    CHECK(values["nan"] == 1);
    CHECK(values["min"] == "-Infinity");
    CHECK(values["max"] == "Infinity");
    CHECK(values["mean"] == "NaN");
    verify(dir / "t.npy");
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

// When it counts -----------------------------------------------------------------------------------------------------

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
                if (array == same && copied)  // of identical data, either is right
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

    // As if the clock had not moved from one save to the next, and the second had been killed before its data came.
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

// describe -----------------------------------------------------------------------------------------------------------

TEST_CASE("describe keeps what it is not given", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta, .sum = checksum::crc32 | checksum::md5});
    const auto sums = said_in(file)["checksums"];

    describe(file, {.statistics = true});
    CHECK(metadata(file) == old_meta);
    CHECK(said_in(file)["checksums"] == sums);
    const auto values = said_in(file)["statistics"];
    CHECK(values["count"] == 12);

    describe(file, {.meta = new_meta});
    CHECK(metadata(file) == new_meta);
    CHECK(said_in(file)["checksums"] == sums);
    CHECK(said_in(file)["statistics"] == values);

    describe(file, {.sum = checksum::crc32c});
    CHECK(metadata(file) == new_meta);
    CHECK(said_in(file)["checksums"].size() == 1);
    CHECK(said_in(file)["statistics"] == values);
    verify(file);
}

TEST_CASE("describe computes anew what was said of other data", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta, .sum = checksum::crc32, .statistics = true});
    flip(file, 130);
    make_older(file);
    REQUIRE_THROWS_AS(verify(file), checksum_error);

    describe(file);

    verify(file);
    CHECK(metadata(file) == old_meta);
    CHECK(said_in(file)["checksums"].contains("crc32"));
    CHECK(said_in(file).contains("statistics"));
}

TEST_CASE("describe of no file, or of one cut short, is an error and writes nothing", "[npy][sidecar][error]") {
    const temp_dir dir;
    CHECK_THROWS_AS(describe(dir / "none.npy"), io_error);
    save(dir / "t.npy", twelve());
    fs::resize_file(dir / "t.npy", 200);
    CHECK_THROWS_AS(describe(dir / "t.npy"), format_error);
    CHECK(dir.files() == 1);
}

// Writing in place ---------------------------------------------------------------------------------------------------

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

// verify -------------------------------------------------------------------------------------------------------------

TEST_CASE("verify finds one flipped bit of the data by any sum", "[npy][sidecar][verify]") {
    for (const auto kind : checksum_kinds)
        for (const std::size_t at : {128U, 175U, 223U}) {
            CAPTURE(checksum_name(kind), at);
            const temp_dir dir;
            const auto file = dir / "t.npy";
            save(file, twelve(), {.sum = kind});

            flip(file, at);

            const auto e = thrown<checksum_error>([&] { verify(file); });
            CHECK(e.file() == file);
            CHECK(e.field() == checksum_name(kind));
            CHECK(fields_of(findings(file)) == std::vector<std::string>{std::string(checksum_name(kind))});
        }
}

TEST_CASE("verify finds a flipped bit even where size and time are as they were", "[npy][sidecar][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    const auto time = fs::last_write_time(file);

    flip(file, 150);
    fs::last_write_time(file, time);

    CHECK_THROWS_AS(verify(file), checksum_error);
}

TEST_CASE("verify finds wrong statistics, each by its name", "[npy][sidecar][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    for (const auto& [key, wrong] : std::vector<std::pair<std::string, json>>{
             {"count", 13}, {"nan", 1}, {"min", -1.0}, {"max", 11.5}, {"mean", 5.500001}, {"std", "NaN"}}) {
        CAPTURE(key);
        save(file, twelve(), {.statistics = true});
        auto said = said_in(file);
        said["statistics"][key] = wrong;
        write_sidecar_text(file, text_of(said));

        CHECK(fields_of(findings(file)) == std::vector<std::string>{"statistics." + key});
        CHECK(thrown<checksum_error>([&] { verify(file); }).file() == file);
    }
}

TEST_CASE("verify finds wrong statistics of a field", "[npy][sidecar][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, std::vector<pair_of>{{1, 0.5}, {-7, 2.5}}, {.statistics = true});
    auto said = said_in(file);
    said["statistics"]["fields"]["count"]["max"] = 2;
    write_sidecar_text(file, text_of(said));

    CHECK(fields_of(findings(file)) == std::vector<std::string>{"statistics.count.max"});
}

TEST_CASE("verify finds a file that is cut short, and one that is not there", "[npy][sidecar][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    fs::resize_file(file, 200);

    CHECK(fields_of(findings(file)) == std::vector<std::string>{"data"});
    CHECK_THROWS_AS(verify(file), format_error);
    CHECK_THROWS_AS(verify(dir / "none.npy"), io_error);
    CHECK(findings(dir / "none.npy").size() == 1);
}

TEST_CASE("findings name every sum that is wrong", "[npy][sidecar][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.sum = checksum::crc32 | checksum::crc32c | checksum::md5, .statistics = true});

    flip(file, 128 + 8 * 11 + 7, 0x40);  // the exponent of the last number

    CHECK(fields_of(findings(file)) ==
          std::vector<std::string>{"crc32", "crc32c", "md5", "statistics.max", "statistics.mean", "statistics.std"});
}

TEST_CASE("a file changed after the year 2262 is described and recognised", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    constexpr std::time_t year_2500 = 16'725'225'600;
    const std::array<timespec, 2> late = {timespec{year_2500, 1}, timespec{year_2500, 1}};
    REQUIRE(::utimensat(AT_FDCWD, file.c_str(), late.data(), 0) == 0);  // some file systems take the latest they have

    CHECK(metadata(file) == old_meta);
    verify(file);
    describe(file, {.sum = checksum::md5, .statistics = true});

    CHECK(metadata(file) == old_meta);
    CHECK(detail::read_sidecar(file)->current.stamp == ndkeep::file::open(file).stamp());
    flip(file, 128 + 8);
    REQUIRE(::utimensat(AT_FDCWD, file.c_str(), late.data(), 0) == 0);
    CHECK(metadata(file) == old_meta);  // the stamp is that of the sidecar, and no data is read
    CHECK_THROWS_AS(verify(file), checksum_error);
}

TEST_CASE("stamps of any time are well defined, and those of different times differ", "[npy][sidecar]") {
    constexpr auto stamp = [](std::time_t seconds, long nanoseconds) {
        struct stat status = {};
        status.st_mtim = {seconds, nanoseconds};
        return detail::stamp_of(status).mtime_ns;
    };
    // Undefined behaviour would not be a constant.
    constexpr std::int64_t in_1969 = stamp(-1, 5), in_2026 = stamp(1'790'000'000, 5);
    constexpr std::int64_t in_2500 = stamp(16'725'225'600, 5), later = stamp(16'725'225'600, 6);

    CHECK(in_1969 == -999'999'995);
    CHECK(in_2026 == 1'790'000'000'000'000'005);
    CHECK(later == in_2500 + 1);
    CHECK(in_2500 != in_2026);
}

// Foreign and damaged files under the sidecar's name -----------------------------------------------------------------

TEST_CASE("a JSON file of somebody else's is neither believed nor destroyed", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    const std::string foreign = R"({"type": "FeatureCollection", "features": []})";
    save(file, twelve());
    write_sidecar_text(file, foreign);

    CHECK(metadata(file) == json::object());
    verify(file);
    save(file, twelve(1));
    append(file, twelve(5));
    (void)map<double, 2>(file, read_write);
    (void)create<double>(file, {3, 4}, {.replace = true});
    CHECK(read_text(sidecar_path(file)) == foreign);

    const auto former = read_text(file);
    CHECK(thrown<conflict_error>([&] { save(file, twelve(2), {.meta = old_meta}); }).file() == sidecar_path(file));
    CHECK_THROWS_AS(describe(file, {.meta = old_meta}), conflict_error);
    CHECK(read_text(sidecar_path(file)) == foreign);
    CHECK((read_text(file) == former));
    CHECK(dir.files() == 2);
}

TEST_CASE("a file is a sidecar only if its first key is \"ndkeep\" with a sidecar version", "[npy][sidecar]") {
    const std::vector<std::string> others = {
        R"({"name": "ndkeep", "version": 1})",
        R"({"a": 1, "ndkeep": "sidecar/1"})",
        R"({"ndkeep": "other/1"})",
        R"({"ndkeep": 1, "sidecar/": 2})",
        R"({"ndkeep": ["sidecar/1"]})",
        R"({"ndkeep": "sidecar"})",
        R"({"ndkeeper": "sidecar/1"})",
        R"({"array": {"ndkeep": "sidecar/1"}})",
        R"([{"ndkeep": "sidecar/1"}])",
        R"(["ndkeep"])",
        R"("ndkeep")",
        R"(ndkeep)",
        R"(// {"ndkeep": "sidecar/1"})",
        "{",
        " ",
    };
    for (const auto& other : others) {
        CAPTURE(other);
        const temp_dir dir;
        const auto file = dir / "conf";
        write_sidecar_text(file, other);

        save(file, twelve());
        CHECK(metadata(file) == json::object());
        verify(file);
        (void)create<double>(file, {3, 4}, {.replace = true});
        save(file, twelve(1));
        append(file, twelve(5));
        const auto former = read_text(file);

        const auto refused = thrown<conflict_error>([&] { save(file, twelve(2), {.meta = old_meta}); });
        CHECK(refused.file() == sidecar_path(file));
        CHECK_THROWS_AS(describe(file, {.meta = old_meta}), conflict_error);
        CHECK(read_text(sidecar_path(file)) == other);
        CHECK((read_text(file) == former));
        CHECK(dir.files() == 2);
    }
}

TEST_CASE("white space and a byte order mark may stand before a sidecar", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    const auto said = text_of(said_in(file));
    const auto spaced = " \r\n\t{\n\n\t\"ndkeep\" :\r\n \"sidecar/1\"" + said.substr(said.find(','));
    for (const std::string& ours :
         {" \n\t\r\n" + said, std::string(1000, '\n') + said, "\xef\xbb\xbf" + said, "\xef\xbb\xbf\n" + said, spaced}) {
        CAPTURE(ours.substr(0, 40));
        write_sidecar_text(file, ours);
        CHECK(metadata(file) == old_meta);
        verify(file);

        describe(file, {.meta = new_meta});
        CHECK(metadata(file) == new_meta);

        write_sidecar_text(file, ours);
        save(file, twelve());
        CHECK(dir.files() == 1);
    }
}

TEST_CASE("a huge file of somebody else's is not read", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    write_sidecar_text(file, "x");
    fs::resize_file(sidecar_path(file), std::uintmax_t{1} << 30);

    save(file, twelve());

    CHECK(metadata(file) == json::object());
    CHECK(fs::file_size(sidecar_path(file)) == std::uintmax_t{1} << 30);
}

TEST_CASE("a directory or pipe under the sidecar's name is left alone", "[npy][sidecar]") {
    const temp_dir dir;
    fs::create_directory(dir / "d.npy.json");
    REQUIRE(::mkfifo((dir / "p.npy.json").c_str(), 0600) == 0);
    for (const auto name : {"d.npy", "p.npy"}) {
        save(dir / name, twelve());
        CHECK(metadata(dir / name) == json::object());
        verify(dir / name);
        CHECK_THROWS_AS(save(dir / name, twelve(1), {.meta = old_meta}), io_error);
        CHECK((load<double, 2>(dir / name) == twelve()));
    }
    CHECK(dir.files() == 4);
}

TEST_CASE("a link that leads nowhere under the sidecar's name is left alone", "[npy][sidecar]") {
    const temp_dir dir;
    fs::create_symlink("loop.npy.json", dir / "loop.npy.json");
    fs::create_symlink("t.npy/x", dir / "t.npy.json");
    for (const auto name : {"loop.npy", "t.npy"}) {
        save(dir / name, twelve());
        save(dir / name, twelve(1));
        (void)create<double>(dir / name, {3, 4}, {.replace = true});
        CHECK(metadata(dir / name) == json::object());
        verify(dir / name);
        CHECK_THROWS_AS(save(dir / name, twelve(1), {.meta = old_meta}), conflict_error);
        CHECK((load<double, 2>(dir / name) == xt::zeros<double>({3, 4})));
    }
    CHECK(dir.files() == 4);
}

TEST_CASE("a link under the sidecar's name is not followed to another file's sidecar", "[npy][sidecar][error]") {
    const temp_dir dir;
    save(dir / "other.npy", twelve(), {.meta = old_meta});
    const auto others = read_text(dir / "other.npy.json");
    fs::create_symlink("other.npy.json", dir / "t.npy.json");

    save(dir / "t.npy", twelve());

    CHECK(metadata(dir / "t.npy") == json::object());
    const auto e = thrown<conflict_error>([&] { save(dir / "t.npy", twelve(1), {.meta = {{"a", 1}}}); });
    CHECK(e.found() == "a symbolic link");
    CHECK_THROWS_AS(describe(dir / "t.npy"), conflict_error);
    CHECK((load<double, 2>(dir / "t.npy") == twelve()));
    CHECK(fs::is_symlink(dir / "t.npy.json"));
    CHECK(read_text(dir / "other.npy.json") == others);
}

TEST_CASE("a save removes the sidecar that it found, not one that is written since", "[npy][sidecar]") {
    for (const bool creates : {false, true}) {
        CAPTURE(creates);
        const temp_dir dir;
        const auto file = dir / "t.npy";
        const auto replace = [&] {
            if (creates)
                (void)create<double>(file, {3, 4}, {.replace = true});
            else
                save(file, twelve(1));
        };
        save(file, twelve(), {.meta = old_meta});
        const auto calls = faults::calls_of(replace);
        const auto renamed = std::find_if(calls.begin(), calls.end(), [&](const faults::call& made) {
            return made.name == "rename" && made.path == file;
        });
        REQUIRE(renamed != calls.end());
        save(file, twelve(), {.meta = old_meta});
        std::thread other;
        {
            // Right after the commit point another writer comes.
            const faults::session armed(
                {.what = faults::effect::meanwhile,
                 .at = static_cast<std::size_t>(renamed - calls.begin()) + 1,
                 .meanwhile = [&] {
                     other = std::thread([&] { save(file, twelve(2), {.meta = {{"new", 1}}}); });
                     std::this_thread::sleep_for(std::chrono::milliseconds(50));
                 }});
            replace();
        }
        REQUIRE(other.joinable());
        other.join();

        CHECK(metadata(file) == json{{"new", 1}});
        CHECK((load<double, 2>(file) == twelve(2)));
    }
}

TEST_CASE("a save succeeds whatever a killed writer of the sidecar left", "[npy][sidecar]") {
    const temp_dir dir;
    fs::create_directory(dir / "d.npy.json");
    write_text(dir / ".d.npy.json.ndk", "left");

    save(dir / "d.npy", twelve());
    (void)create<double>(dir / "d.npy", {3, 4}, {.replace = true});
    save(dir / "d.npy", twelve(1));

    CHECK((load<double, 2>(dir / "d.npy") == twelve(1)));
}

TEST_CASE("a sidecar that is too long is replaced and removed like any other", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    const auto with_long_sidecar = [&] {
        save(file, twelve(), {.meta = old_meta});
        fs::resize_file(sidecar_path(file), std::uintmax_t{1} << 30);
    };

    with_long_sidecar();
    save(file, twelve(1));
    CHECK((load<double, 2>(file) == twelve(1)));
    CHECK(dir.files() == 1);

    with_long_sidecar();
    (void)create<double>(file, {3, 4}, {.replace = true});
    CHECK(dir.files() == 1);

    with_long_sidecar();
    save(file, twelve(2), {.meta = new_meta});
    CHECK(metadata(file) == new_meta);
    verify(file);
}

TEST_CASE("a sidecar that is damaged is an error that names it", "[npy][sidecar][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta, .sum = checksum::crc32, .statistics = true});
    const auto whole = said_in(file);
    const auto changed = [&](const std::string& pointer, const json& value) {
        auto copy = whole;
        copy[json::json_pointer(pointer)] = value;
        return text_of(copy);
    };
    const std::vector<std::string> damaged = {
        "{\"ndkeep\": \"sidecar/1\"",
        "{\"ndkeep\": \"sidecar/1\"}",
        "{\"ndkeep\": \"sidecar/",
        changed("/array/dtype", 7),
        changed("/array/shape", "3, 4"),
        changed("/array/shape", {3, -4}),
        changed("/array/shape", {3, 4.5}),
        changed("/array/order", "K"),
        changed("/array/nbytes", -96),
        changed("/array", nullptr),
        changed("/checksums", {1, 2}),
        changed("/checksums/crc32", 7),
        changed("/statistics/count", "many"),
        changed("/statistics/min", {0}),
        changed("/statistics/mean", "nothing"),
        changed("/metadata", "text"),
        changed("/metadata", {1, 2}),
        changed("/file/size", -1),
        changed("/file", "t.npy"),
        changed("/created", 2026),
        changed("/previous", 7),
    };
    for (const auto& text : damaged) {
        CAPTURE(text);
        write_sidecar_text(file, text);
        CHECK(thrown<format_error>([&] { (void)metadata(file); }).file() == sidecar_path(file));
        CHECK_THROWS_AS(verify(file), format_error);
        CHECK(findings(file).size() == 1);
        CHECK_NOTHROW((void)load<double, 2>(file));
    }
}

TEST_CASE("a sidecar of a version to come is not guessed at", "[npy][sidecar][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    auto said = said_in(file);
    said["ndkeep"] = "sidecar/2";
    write_sidecar_text(file, text_of(said));

    CHECK_THROWS_AS((void)metadata(file), format_error);
}

TEST_CASE("keys and sums that are not known are passed over", "[npy][sidecar]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    auto said = said_in(file);
    said["colour"] = {{"red", 1}};
    said["checksums"]["sha256"] = "ab";
    said["statistics"] = {{"count", 12}, {"nan", 0}, {"min", 0.0}, {"max", 11.0}, {"median", 5.5}};
    said["statistics"]["mean"] = 5.5;
    said["statistics"]["std"] = 3.452052529534663;
    write_sidecar_text(file, text_of(said));

    CHECK(metadata(file) == old_meta);
    verify(file);
}

TEST_CASE("JSON that is too deep or too long is refused without harm", "[npy][sidecar][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve());
    const std::string begin = "{\"ndkeep\": \"sidecar/1\", \"metadata\": ";
    for (const std::string& open : {std::string("["), std::string("{\"a\":")}) {
        std::string deep = begin;
        for (int i = 0; i < 200'000; ++i)
            deep += open;
        write_sidecar_text(file, deep);
        CHECK_THROWS_AS((void)metadata(file), format_error);
        CHECK_THROWS_AS(verify(file), format_error);
    }
    write_sidecar_text(file, begin);
    fs::resize_file(sidecar_path(file), std::uintmax_t{1} << 40);
    CHECK(thrown<format_error>([&] { (void)metadata(file); }).field() == "length");
}

TEST_CASE("a sidecar cut at any byte gives an error or what it said", "[npy][sidecar][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta, .statistics = true});
    const auto whole = read_text(sidecar_path(file));
    for (std::size_t length = whole.size() - 3; length > 0; --length) {
        CAPTURE(length);
        fs::resize_file(sidecar_path(file), length);

        // Until its first key and the word for its value are there, it is no sidecar at all.
        if (length < whole.find("/1\",") + 1) {
            CHECK((metadata(file) == json::object()));
            continue;
        }
        CHECK_THROWS_AS((void)metadata(file), format_error);
        CHECK_THROWS_AS(verify(file), format_error);
    }
}

TEST_CASE("any byte of a sidecar flipped gives an error or an answer", "[npy][sidecar][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, std::vector<pair_of>{{1, 0.5}, {-7, 2.5}}, {.meta = {{"a", {1.5, "ä"}}}, .statistics = true});
    save(file, twelve(), {.meta = {{"a", {1.5, "ä"}}}, .sum = checksum::crc32, .statistics = true});
    const auto whole = read_text(sidecar_path(file));
    std::mt19937 random(1);
    for (std::size_t round = 0; round < 3 * whole.size(); ++round) {
        const std::size_t at = round < whole.size() ? round : random() % whole.size();
        const int byte = round < whole.size() ? whole[at] ^ 1 << (round % 8) : static_cast<int>(random());
        put_byte(sidecar_path(file), at, static_cast<char>(byte));
        CAPTURE(at, byte);
        REQUIRE(reads_cleanly(file));
        put_byte(sidecar_path(file), at, whole[at]);
    }
}

// Damaged arrays -----------------------------------------------------------------------------------------------------

TEST_CASE("an array cut at any byte is an error for all who need the data", "[npy][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    const auto whole = read_text(file);
    REQUIRE(whole.size() == 224);
    for (std::size_t length = whole.size(); length-- > 0;) {
        CAPTURE(length);
        fs::resize_file(file, length);

        CHECK_THROWS_AS((void)load<double>(file), format_error);
        CHECK_THROWS_AS((void)load_any(file), format_error);
        CHECK_THROWS_AS((void)map<double>(file), format_error);
        CHECK_THROWS_AS((void)map<double>(file, read_write), format_error);
        CHECK_THROWS_AS(verify(file), format_error);
        CHECK_THROWS_AS(describe(file), format_error);
        CHECK_THROWS_AS((void)recover(file), format_error);
        CHECK((read_text(file) == whole.substr(0, length)));
        if (length < 128)
            CHECK_THROWS_AS((void)inspect(file), format_error);
        else
            CHECK(inspect(file).shape == std::vector<std::size_t>{3, 4});
        if (length != 0)
            CHECK_THROWS_AS(append(file, twelve()), format_error);
    }
    CHECK(dir.files() == 2);
}

TEST_CASE("an array with a flipped byte never passes for another", "[npy][verify]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    const auto whole = read_text(file);
    const auto former = load_any(file);
    std::mt19937 random(2);
    std::size_t passed = 0;
    for (std::size_t round = 0; round < 4000; ++round) {
        const bool one_bit = round < 8 * whole.size();
        const std::size_t at = one_bit ? round / 8 : random() % whole.size();
        const int byte = one_bit ? whole[at] ^ 1 << (round % 8) : static_cast<int>(random());
        put_byte(file, at, static_cast<char>(byte));
        CAPTURE(at, byte);
        REQUIRE(reads_cleanly(file));
        const bool is_right = findings(file).empty();
        const auto now = is_right ? load_any(file) : former;
        put_byte(file, at, whole[at]);

        // Only what does not change the array passes: a blank of the header, say.
        REQUIRE(now.type() == former.type());
        REQUIRE(now.shape() == former.shape());
        REQUIRE(std::equal(now.bytes().begin(), now.bytes().end(), former.bytes().begin(), former.bytes().end()));
        passed += is_right;
    }
    CHECK(passed < 400);
}

}  // namespace npy_sidecar_tests
