// SPDX-License-Identifier: BSD-3-Clause
// Foreign and damaged files under the sidecar's name are neither trusted nor destroyed.
#include "npy/sidecar.hpp"
#include "support/faults.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include <sys/stat.h>

namespace sidecars::foreign_sidecar_tests {

// Foreign files -------------------------------------------------------------------------------------------------------

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
            // Another writer starts right after the commit point.
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

// Damaged sidecars ----------------------------------------------------------------------------------------------------

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

TEST_CASE("a sidecar whose shape is nested at any depth can be replaced", "[npy][sidecar][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, twelve(), {.meta = old_meta});
    const auto whole = said_in(file);
    for (const std::size_t depth : {1U, 100U, 121U, 122U, 123U, 124U, 125U, 126U, 127U}) {
        CAPTURE(depth);
        auto copy = whole;
        copy["array"]["shape"] = {"deep"};
        auto text = text_of(copy);
        text.replace(text.find("\"deep\""), 6, std::string(depth, '[') + std::string(depth, ']'));
        write_sidecar_text(file, text);

        CHECK(thrown<format_error>([&] { (void)metadata(file); }).file() == sidecar_path(file));
        save(file, twelve());

        CHECK_FALSE(fs::exists(sidecar_path(file)));
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

        // A file truncated before the end of the value of its first key is not recognised as a sidecar.
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

}  // namespace sidecars::foreign_sidecar_tests
