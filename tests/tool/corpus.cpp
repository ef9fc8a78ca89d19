// SPDX-License-Identifier: BSD-3-Clause
// Every file of the collections, good and bad, given to every reading command: no crash, and always a message.
#include "support/npy_case.hpp"
#include "tool/run_tool.hpp"

#include <ndkeep/npz.hpp>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <set>

namespace tool_corpus_tests {

using ndkeep::json;

namespace {

namespace fs = std::filesystem;

const fs::path tests = fs::path(NDKEEP_SOURCE_DIR) / "tests";

/// Those of the names that exist.
[[nodiscard]] std::vector<std::string> reading_commands() {
    std::vector<std::string> found;
    for (const char* const name : {"info", "ls", "tree", "show", "stats", "verify"})
        for (const auto& each : tool::commands())
            if (each.name == name)
                found.emplace_back(name);
    return found;
}

enum class expected { good, bad, either };

void check(const fs::path& file, expected what) {
    for (const auto& name : reading_commands()) {
        const auto said = run_tool({name, file.string()});
        INFO(name << ' ' << file << ": " << said.err);
        const bool reads_data = name == "show" || name == "stats";
        CHECK((said.status == 0 || said.status == 1 || said.status == 2));
        CHECK((said.status != 2 || !said.err.empty()));
        CHECK(said.err.find("not enough memory") == std::string::npos);
        if (what == expected::good && (reads_data || name == "info"))
            CHECK(said.status == 0);
        if (what == expected::bad && reads_data)
            CHECK(said.status != 0);
        if (said.status == 2)
            CHECK(said.err.find(file.string()) != std::string::npos);
        if (reads_data)
            CHECK(run_tool({name, "--json", file.string()}).status == said.status);
    }
    // Values that are not numbers cannot be drawn; an error message is correct.
    const auto drawn = run_tool({"heat", "--width=40", file.string()});
    CHECK((drawn.status == 0 || drawn.status == 2));
    CHECK((drawn.status == 0 || !drawn.err.empty()));
}

void check_folder(const fs::path& folder, expected what, const std::set<std::string>& not_so = {}) {
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.is_regular_file())
            check(entry.path(), not_so.contains(entry.path().filename()) ? expected::either : what);
}

}  // namespace

TEST_CASE("good golden files are told of, bad ones refused", "[tool][corpus]") {
    check_folder(tests / "golden/good", expected::good);
    // A header that is only too long is read, as by `describe`.
    check_folder(tests / "golden/bad", expected::bad, {"header_long.npy"});
}

TEST_CASE("the seeds of the fuzzers are told of or refused", "[tool][corpus]") {
    for (const char* const target : {"npy_header", "npy_file", "zip", "npz_append"})
        check_folder(tests / "fuzz/corpus" / target, expected::either);
}

TEST_CASE("files with any byte changed are told of or refused", "[tool][corpus]") {
    const temp_dir dir;
    for (const char* const name :
         {"fuzz/corpus/npy_header/struct.npy", "fuzz/corpus/npy_header/times.npy", "fuzz/corpus/zip/compressed.npz"}) {
        const auto whole = read_text(tests / name);
        const auto file = dir / fs::path(name).filename();
        for (std::size_t at = 0; at < whole.size(); at += 7) {
            auto text = whole;
            text[at] = static_cast<char>(text[at] ^ (1 << at % 8));
            write_text(file, text);
            for (const char* const command : {"show", "stats", "heat"}) {
                const auto said = run_tool({command, file.string()});
                INFO(command << ' ' << name << " at byte " << at);
                CHECK((said.status >= 0 && said.status <= 2));
                CHECK((said.status != 2 || !said.err.empty()));
                CHECK(said.err.find("not enough memory") == std::string::npos);
            }
        }
    }
}

TEST_CASE("the conformance corpus is told of as NumPy reads it", "[tool][corpus][conformance]") {
    const char* const named = std::getenv("NDKEEP_CONFORMANCE");
    const fs::path corpus = named != nullptr ? fs::path(named) : tests / "../../shared/conformance/npy";
    if (!fs::exists(corpus / "manifest.json")) {
        WARN("no corpus in " << corpus << ": nothing checked");
        return;
    }
    const auto manifest = json::parse(npy_case::without_lone_surrogates(read_text(corpus / "manifest.json")));
    // Rejected only by a limit of NumPy's reader, and archives with one damaged member.
    const std::set<std::string> either = {"bad/limit_header_20k.npy", "bad/limit_header_v2.npy",
                                          "npz/one_object_member.npz", "npz/one_bad_member.npz"};
    for (const auto& facts : manifest.at("cases")) {
        const auto kind = facts.at("kind").get<std::string>(), file = facts.at("file").get<std::string>();
        const auto said = facts.at("expect").get<std::string>();
        if (kind != "npy" && kind != "npz")
            continue;
        check(corpus / file, either.contains(file) || said == "any" ? expected::either
                             : said == "ok"                         ? expected::good
                                                                    : expected::bad);
    }
}

TEST_CASE("small files that claim much are told of or refused", "[tool][corpus]") {
    const temp_dir dir;
    constexpr double largest = std::numeric_limits<double>::max();
    constexpr std::size_t many = std::size_t{1} << 26;
    std::string deep;
    for (int i = 0; i < 32'000; ++i)
        deep += "a/";
    ndkeep::save_npz(dir / "deep.npz", {{deep + 'x', twelve()}});

    check(write_npy<double>(dir / "wide.npy", "<f8", {2}, {-largest, largest}), expected::good);
    check(write_npy<double>(dir / "none.npy", "<f8", {many, many, 0}, {}), expected::good);
    check(write_npy<char>(dir / "field.npy", "[('a', '<f8', (268435455, 0))]", {1}, {}), expected::either);
    check(dir / "deep.npz", expected::good);
    CHECK(run_tool({"tree", "--json", (dir / "deep.npz").string()}).status == 0);
    CHECK(run_tool({"show", "--json", "--field=a", (dir / "field.npy").string()}).has("\"values\": [[]]"));
}

}  // namespace tool_corpus_tests
