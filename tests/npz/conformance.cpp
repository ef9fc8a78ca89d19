// SPDX-License-Identifier: BSD-3-Clause
// Archives compared with what NumPy reads from them: the corpus of tests/npy/conformance.cpp, if present.
#include "support/npy_case.hpp"

#include <ndkeep/npz.hpp>

#include <cstdlib>

namespace npz_conformance_tests {

namespace nk = ndkeep;
using npy_case::json;

namespace {

std::filesystem::path corpus() {
    if (const char* const named = std::getenv("NDKEEP_CONFORMANCE"))
        return named;
    return std::filesystem::path(NDKEEP_SOURCE_DIR) / "../shared/conformance/npy";
}

template <class Check>
void for_each_archive(std::string_view expected, Check&& check) {
    const auto file = corpus() / "manifest.json";
    if (!std::filesystem::exists(file)) {
        WARN("no corpus in " << corpus() << ": nothing checked");
        return;
    }
    std::size_t count = 0;
    const auto manifest = json::parse(npy_case::without_lone_surrogates(read_text(file)));
    for (const auto& facts : manifest.at("cases")) {
        if (facts.at("kind") != "npz" || facts.at("expect") != expected)
            continue;
        ++count;
        INFO(facts.at("file").get<std::string>());
        try {
            check(corpus() / facts.at("file").get<std::string>(), facts);
        } catch (const std::exception& error) {
            FAIL_CHECK(error.what());
        }
    }
    CHECK(count > 0);
}

void check_array(const nk::npz_reader& archive, const std::string& name, const json& facts) {
    const auto any = archive.load_any(name);
    CHECK(npy_case::json_of(any.type()) == facts.at("descr"));
    CHECK(any.shape() == npy_case::shape_in(facts));
    CHECK(sha256(npy_case::packed(any.type(), any.bytes())) == facts.at("sha256"));
    CHECK(archive.inspect(name).column_major == facts.at("fortran_order").get<bool>());
}

void check_member(const nk::npz_reader& archive, const json& facts) {
    const auto name = facts.at("name").get<std::string>();
    const auto key = facts.at("key").get<std::string>();
    INFO(name);
    const auto expected = facts.at("expect").get<std::string>();
    if (expected == "error") {
        CHECK_THROWS_AS(archive.load_any(name), nk::error);
        CHECK_THROWS_AS(archive.load_any(key), nk::error);
    } else if (expected == "ok") {
        const auto text = archive.text(name);
        if (facts.contains("sha256_member"))
            CHECK(sha256(text) == facts.at("sha256_member"));
        if (!facts.contains("kind") || facts.at("kind") == "npy") {
            check_array(archive, name, facts);
            check_array(archive, key, facts);
        } else {
            CHECK(sha256(text) == facts.at("sha256"));
            CHECK_THROWS_AS(archive.load_any(name), nk::format_error);
        }
    }
}

}  // namespace

TEST_CASE("archives that NumPy reads are read as NumPy reads them", "[npz][conformance]") {
    for_each_archive("ok", [](const auto& file, const json& facts) {
        const nk::npz_reader archive(file);
        const auto text = read_text(file);
        const nk::npz_reader in_memory(std::as_bytes(std::span(text)));

        std::vector<std::string> keys;
        for (const auto& key : facts.at("keys").get<std::vector<std::string>>())
            if (std::find(keys.begin(), keys.end(), key) == keys.end())
                keys.push_back(key);
        CHECK(archive.names() == keys);
        CHECK(in_memory.names() == keys);
        bool all_well = true;
        for (const auto& member : facts.at("members")) {
            check_member(archive, member);
            check_member(in_memory, member);
            all_well = all_well && member.at("expect") == "ok";
        }
        const auto wrong = nk::findings_npz(file);
        INFO((wrong.empty() ? "" : wrong.front().message));
        if (all_well)
            CHECK(wrong.empty());
        const auto members = nk::inspect_npz(file);
        REQUIRE(members.size() == facts.at("members").size());
        for (std::size_t i = 0; i < members.size(); ++i) {
            CHECK(members[i].stored_name == facts.at("members")[i].at("name"));
            CHECK(members[i].shadowed == (facts.at("members")[i].at("expect") == "shadowed"));
        }
    });
}

TEST_CASE("archives that NumPy refuses are refused, with the kind of error that fits", "[npz][conformance][error]") {
    for_each_archive("error", [](const auto& file, const json& facts) {
        std::string thrown;
        std::string kind;
        try {
            const nk::npz_reader archive(file);
            for (const auto& name : archive.names())
                (void)archive.load_any(name);
        } catch (const nk::checksum_error& error) {
            kind = "crc";
            thrown = error.what();
        } catch (const nk::format_error& error) {
            kind = error.field().find("deflate") != std::string::npos ? "deflate" : "zip";
            thrown = error.what();
        }
        INFO(thrown);
        const auto expected = facts.at("error").get<std::string>();
        CHECK((expected == "crc") == (kind == "crc"));
        if (expected == "deflate" || expected == "zip")
            CHECK(kind == expected);
        CHECK(!nk::findings_npz(file).empty());
        CHECK_THROWS_AS(nk::verify_npz(file), nk::error);
    });
}

}  // namespace npz_conformance_tests
