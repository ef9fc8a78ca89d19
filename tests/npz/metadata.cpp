// SPDX-License-Identifier: BSD-3-Clause
// Metadata and checksums of an archive, which are stored as a member.
#include "npz/archives.hpp"

#include <ndkeep/text/json/print.hpp>

#include <cmath>
#include <limits>

namespace npz_archives::metadata_tests {

TEST_CASE("metadata is kept beside the arrays, and is none of them", "[npz][metadata]") {
    const temp_dir dir;
    const nk::json meta = {{"run", 7}, {"units", {"kelvin", "größe"}}, {"nested", {{"x", nullptr}, {"y", 1.5}}}};
    nk::save_npz(dir / "a.npz", {{"a", six}}, {.compress = true, .meta = meta});
    const nk::npz_reader in(dir / "a.npz");

    CHECK(in.metadata() == meta);
    CHECK(in.names() == strings{"a"});
    CHECK(nk::json::parse(in.text("metadata.json")) == meta);
    CHECK(member_of(dir / "a.npz", "metadata.json").method == "stored");
}

TEST_CASE("numbers of metadata that are not finite come back as numbers", "[npz][metadata]") {
    const temp_dir dir;
    const nk::json meta = {{"fill", std::numeric_limits<double>::quiet_NaN()},
                           {"text", "NaN"},
                           {"nonfinite", {1, -std::numeric_limits<double>::infinity()}}};
    nk::save_npz(dir / "a.npz", {{"a", six}}, {.meta = meta, .sum = nk::checksum::md5});

    const auto back = nk::npz_reader(dir / "a.npz").metadata();
    const auto stored = nk::json::parse(nk::npz_reader(dir / "a.npz").text("metadata.json"));

    CHECK(std::isnan(back["fill"].get<double>()));
    CHECK(back["text"] == "NaN");
    CHECK(back["nonfinite"] == meta["nonfinite"]);
    CHECK_FALSE(back.contains("ndkeep"));
    CHECK(stored["fill"] == "NaN");
    CHECK(stored["ndkeep"]["nonfinite"] == nk::json{"/fill", "/nonfinite/1"});
    nk::verify_npz(dir / "a.npz");
}

TEST_CASE("a list of numbers in metadata that are none is an error of the archive", "[npz][metadata][error]") {
    const temp_dir dir;
    nk::npz_writer archive(dir / "a.npz");
    archive.add_text("metadata.json", R"({"x": 1, "ndkeep": {"nonfinite": ["/x"]}})");
    archive.commit();

    const auto e = thrown<nk::format_error>([&] { (void)nk::npz_reader(dir / "a.npz").metadata(); });
    CHECK(e.field() == "member 'metadata.json': metadata.json.ndkeep.nonfinite");
}

TEST_CASE("without metadata there is none, and {} is read", "[npz][metadata]") {
    const temp_dir dir;
    for (const auto& none : {nk::json(nullptr), nk::json::object()}) {
        nk::save_npz(dir / "a.npz", {{"a", six}}, {.meta = none});

        CHECK(nk::inspect_npz(dir / "a.npz").size() == 1);
        CHECK(nk::npz_reader(dir / "a.npz").metadata() == nk::json::object());
    }
}

TEST_CASE("metadata that is no object is refused before anything is written", "[npz][metadata][error]") {
    const temp_dir dir;
    for (const auto& meta : {nk::json(7), nk::json("text"), nk::json::array({1, 2}), nk::json(false)}) {
        const auto e = thrown<nk::mismatch_error>([&] { nk::save_npz(dir / "a.npz", {{"a", six}}, {.meta = meta}); });
        CHECK(e.field() == "metadata");
        CHECK(e.expected() == "an object");
        CHECK(e.found() == ndkeep::detail::json_kind(meta));
    }
    CHECK(refusal([&] {
              nk::save_npz(dir / "a.npz", {{"a", six}}, {.meta = {{"ndkeep", 1}}});
          }) == "metadata: an object with that key, expected an object without the key 'ndkeep'");
    CHECK(dir.files() == 0);
}

TEST_CASE("a refused metadata leaves the writer and what was set before", "[npz][metadata][error]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    out.set_metadata({{"run", 7}});

    CHECK_THROWS_AS(out.set_metadata(nk::json(7)), nk::mismatch_error);
    out.commit();

    CHECK(nk::npz_reader(dir / "a.npz").metadata() == nk::json{{"run", 7}});
}

TEST_CASE("a metadata.json that is no object is an error that names it", "[npz][metadata][error]") {
    const temp_dir dir;
    for (const std::string text : {"[1, 2]", "{", ""}) {
        CAPTURE(text);
        nk::npz_writer out(dir / "a.npz");
        out.add("a", six);
        out.add_text("metadata.json", text);
        out.commit();
        const nk::npz_reader in(dir / "a.npz");

        const auto e = thrown<nk::format_error>([&] { (void)in.metadata(); });
        CHECK(e.field().starts_with("member 'metadata.json'"));
        CHECK((in.load<double, 2>("a") == six));
        CHECK(nk::findings_npz(dir / "a.npz").size() == 1);
    }
}

TEST_CASE("sums are of the data of each array, and are no metadata of the user's", "[npz][sum]") {
    const temp_dir dir;
    const auto data = std::as_bytes(std::span(three));
    for (const bool compress : {false, true}) {
        nk::npz_writer out(dir / "a.npz", {.compress = compress,
                                           .sum = nk::checksum::crc32 | nk::checksum::crc32c | nk::checksum::md5});
        out.add("a", three);
        out.add_text("notes.txt", "text");
        out.commit();
        const nk::npz_reader in(dir / "a.npz");

        CHECK(in.metadata() == nk::json::object());
        const auto said = nk::json::parse(in.text("metadata.json")).at("ndkeep").at("checksums");
        CHECK(said.size() == 1);
        CHECK(said.at("a").size() == 3);
        nk::running_checksums sums(nk::checksum::crc32 | nk::checksum::crc32c | nk::checksum::md5);
        sums.update(data);
        for (const auto& [kind, sum] : sums.values())
            CHECK(said.at("a").at(kind) == sum);
        CHECK(nk::findings_npz(dir / "a.npz").empty());
    }
}

TEST_CASE("a change that CRC-32 was made to fit is found by the sum alone", "[npz][sum][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    for (const auto kind : {nk::checksum::crc32, nk::checksum::crc32c, nk::checksum::md5}) {
        nk::save_npz(file, {{"a", six}, {"b", six + 1.0}}, {.sum = kind});
        const auto crc_text = [&] {
            const auto crc = nk::crc32(nk::npz_reader(file).bytes("a"));
            return std::string(reinterpret_cast<const char*>(&crc), sizeof crc);
        };
        const auto old_crc = crc_text();
        const auto offset = static_cast<std::size_t>(member_of(file, "a").offset);
        auto text = read_text(file);
        text[offset + 6] = static_cast<char>(text[offset + 6] ^ 1);
        const auto member_begin = offset - 128;
        const auto crc = nk::crc32(std::as_bytes(std::span(text)).subspan(member_begin, 128 + 48));
        const std::string new_crc(reinterpret_cast<const char*>(&crc), sizeof crc);
        int repaired = 0;
        for (auto at = text.find(old_crc); at != std::string::npos; at = text.find(old_crc, at + 4), ++repaired)
            text.replace(at, 4, new_crc);
        REQUIRE(repaired == 2);  // in the local header and in the directory
        write_text(file, text);

        CHECK_NOTHROW(nk::npz_reader(file).load<double>("a"));
        const auto found = nk::findings_npz(file);
        REQUIRE(found.size() == 1);
        CHECK(found[0].field.starts_with("member 'a': "));
        CHECK_THROWS_AS(nk::verify_npz(file), nk::checksum_error);
    }
}

TEST_CASE("a member that the metadata has a sum of, and is gone, is found", "[npz][sum][error]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    out.add("a", six);
    out.add_text("metadata.json", R"({"ndkeep": {"checksums": {"b": {"crc32": "00000000"}}}})");
    out.commit();

    const auto found = nk::findings_npz(dir / "a.npz");
    REQUIRE(found.size() == 1);
    CHECK(found[0].field == "member 'b'");
    CHECK(found[0].found == "missing");
}

TEST_CASE("the sum of an array is not that of a text called as it is, but for its suffix", "[npz][verify][sum]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz", {.sum = nk::checksum::crc32c});
    out.add("a", six);
    out.add_text("a", "about the array");
    out.commit();

    CHECK(nk::findings_npz(dir / "a.npz").empty());
}

}  // namespace npz_archives::metadata_tests
