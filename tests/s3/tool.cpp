// SPDX-License-Identifier: BSD-3-Clause
// The tool on chunked arrays in a bucket.
#include "s3/bucket.hpp"
#include "tool/run_tool.hpp"

#include <ndkeep/chunks.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <stdlib.h>  // setenv

namespace s3_tool_tests {

namespace nk = ndkeep;

namespace {

/// The name of another folder of the bucket for each call.
[[nodiscard]] std::string folder_for_tool() { return s3test::folder().path().string(); }

[[nodiscard]] nk::s3_location location_of(const std::string& name) {
    const std::string scheme = "s3://";
    const auto slash = name.find('/', scheme.size());
    return s3test::bucket() / name.substr(slash + 1);
}

/// Runs the tool on the server of the tests. It must not print the secret.
[[nodiscard]] tool_run run(const std::vector<std::string>& args) {
    const auto former = s3test::variable("AWS_ENDPOINT_URL");
    ::setenv("AWS_ENDPOINT_URL", s3test::variable("NDKEEP_S3_ENDPOINT").c_str(), 1);
    auto said = run_tool(args);
    ::setenv("AWS_ENDPOINT_URL", former.c_str(), 1);
    CHECK((said.out + said.err).find(s3test::variable("AWS_SECRET_ACCESS_KEY")) == std::string::npos);
    return said;
}

}  // namespace

TEST_CASE("convert writes a chunked array to a bucket and reads it back", "[s3][tool]") {
    const temp_dir dir;
    const auto there = folder_for_tool() + "/a";
    nk::save(dir / "a.npy", twelve(), {.meta = {{"units", "kelvin"}}});

    const auto to = run({"convert", "--rows-per-chunk", "2", (dir / "a.npy").string(), there});
    const auto from = run({"convert", there, (dir / "back.npy").string()});

    CHECK(to.status == 0);
    CHECK(to.warns(" -> " + there + ' '));
    CHECK(from.status == 0);
    CHECK((nk::load<double, 2>(dir / "back.npy") == twelve()));
    CHECK(run({"diff", there, (dir / "a.npy").string()}).status == 0);
    CHECK(nk::chunk_reader<double, 2>(location_of(there)).size() == 2);
}

TEST_CASE("convert replaces a chunked array in a bucket only with --force, by a commit", "[s3][tool]") {
    const temp_dir dir;
    const auto there = folder_for_tool() + "/a";
    const auto file = write_npy<std::int32_t>(dir / "a.npy", "<i4", {3}, {1, 2, 3});
    REQUIRE(run({"convert", example_data("seattle_hourly.npy"), there}).status == 0);

    const auto refused = run({"convert", file, there});
    const auto forced = run({"convert", "--force", file, there + '/'});

    CHECK(refused.status == 2);
    CHECK(refused.err ==
          "ndkeep: " + there + ": target is already present, expected a new name (--force replaces it)\n");
    CHECK(forced.status == 0);
    CHECK((nk::load_chunked<std::int32_t, 1>(location_of(there)) == xt::xtensor<std::int32_t, 1>{1, 2, 3}));
    CHECK(nk::load_chunked<float, 2>(location_of(there), {.at_commit = 1}).shape(0) == 8759);
}

TEST_CASE("info, show, stats and meta read a chunked array in a bucket", "[s3][tool]") {
    const auto there = folder_for_tool() + "/a";
    nk::save_chunked(location_of(there), twelve(), {.rows_per_chunk = 2});

    const auto info = run({"info", "--json", there}).object();
    CHECK(info.at("file") == there);
    CHECK(info.at("format") == "chunked");
    CHECK(info.at("shape") == nk::json({3, 4}));
    CHECK(info.at("chunks") == 2);
    CHECK(run({there}).out.starts_with(there + '\n'));
    CHECK(run({"show", there, "[1:, ::3]"}).out == "[[ 4.  7.]\n [ 8. 11.]]\n");
    CHECK(run({"stats", "--json", there}).object().at("mean") == 5.5);
    CHECK(run({"heat", there}).status == 0);
    CHECK(run({"meta", there, "set", "/units", "kelvin"}).status == 0);
    CHECK(run({"meta", there, "get", "/units"}).out == "kelvin\n");
}

TEST_CASE("show finds rows of an ordered chunked array in a bucket", "[s3][tool]") {
    const auto there = folder_for_tool() + "/ordered";
    nk::save_chunked(location_of(there), xt::xtensor<std::int64_t, 1>{1, 3, 5, 7, 9},
                     {.rows_per_chunk = 2, .order_by = ""});

    CHECK(run({"show", there, "--between", "3", "8"}).out == "[3 5 7]\n");
}

TEST_CASE("ls and tree list the chunked arrays below a name in a bucket", "[s3][tool]") {
    const auto root = folder_for_tool();
    nk::save_chunked(location_of(root + "/a"), twelve(), {.rows_per_chunk = 2});
    nk::save_chunked(location_of(root + "/xnas/AAPL/10"), twelve());
    nk::save_chunked(location_of(root + "/xnas/AAPL/9"), twelve());

    const auto below = run({"ls", "--json", root}).object();
    std::vector<std::string> names;
    for (const auto& each : below.at("entries"))
        names.push_back(each.at("name").get<std::string>());
    CHECK(names == std::vector<std::string>{"a", "xnas/AAPL/9", "xnas/AAPL/10"});
    CHECK(below.at("entries").at(0).at("rows") == 3);
    CHECK(run({"ls", "--json", root + "/a"}).object().at("entries").size() == 2);
    const auto tree = run({"tree", "--depth", "1", root + "/"}).out;
    CHECK(tree.find(" a  float64 (3, 4)") != std::string::npos);
    CHECK(tree.find(" xnas  folder") != std::string::npos);
    const auto all = run({"ls", root.substr(0, root.rfind('/'))});
    CHECK(all.status == 0);
    CHECK(all.has(root.substr(root.rfind('/') + 1) + "/xnas/AAPL/10"));
}

TEST_CASE("verify finds a missing chunk and a changed one in a bucket", "[s3][tool]") {
    const auto there = folder_for_tool() + "/a";
    nk::save_chunked(location_of(there), twelve(), {.rows_per_chunk = 1});
    CHECK(run({"verify", there}).out == there + ": OK (crc32c of 3 chunks)\n");

    const auto place = location_of(there).place();
    const auto chunks = nk::inspect_chunked(place).chunks;
    place->remove("chunks/" + chunks[0].file);
    auto changed = *place->get("chunks/" + chunks[1].file, 1 << 20);
    changed.back() ^= std::byte{1};
    place->remove("chunks/" + chunks[1].file);
    const std::span<const std::byte> part(changed);
    REQUIRE(place->put("chunks/" + chunks[1].file, {&part, 1}, nk::durability::when_convenient));
    const auto said = run({"verify", there});

    CHECK(said.status == 1);
    CHECK(said.out.starts_with(there + ": 2 findings\n  " + there + "/chunks/" + chunks[0].file));
    CHECK(said.has("[rows 0 to 1]"));
    CHECK(said.has("crc32c"));
}

TEST_CASE("compact, prune and recover maintain a chunked array in a bucket", "[s3][tool]") {
    const auto there = folder_for_tool() + "/a";
    {
        nk::chunk_writer<double, 2> sink(location_of(there), {.rows_per_chunk = 1});
        for (int i = 0; i < 3; ++i) {
            sink.append(twelve());
            (void)sink.commit();
        }
    }
    const auto place = location_of(there).place();
    const std::string_view damaged = "not a record";
    const auto bytes = std::as_bytes(std::span(damaged));
    REQUIRE(place->put("commits/00000000000000000004.json", {&bytes, 1}, nk::durability::when_convenient));

    CHECK(run({"recover", there}).out == there + ": damaged commits 4, the commit before them is readable\n");
    CHECK(run({"recover", "--fix", there}).out == there + ": damaged commits 4 skipped from now on\n");
    CHECK(run({"compact", there}).out.find(": 9 chunks, ") != std::string::npos);
    CHECK(run({"prune", "--keep", "1", there}).status == 0);
    CHECK(nk::load_chunked<double, 2>(location_of(there)).shape(0) == 9);
}

TEST_CASE("the tool has a sentence for names in buckets that are none", "[s3][tool][error]") {
    const temp_dir dir;
    const auto root = folder_for_tool();
    nk::save(dir / "a.npy", twelve());
    nk::save_chunked(location_of(root + "/a"), twelve());

    for (const char* const command : {"info", "ls", "show", "stats", "verify", "meta", "compact"})
        CHECK(run({command, root + "/absent"}).err ==
              "ndkeep: " + root +
                  "/absent: cannot open: No such file or directory (the bucket has no chunked array of "
                  "this name, and none below it)\n");
    CHECK(run({"info", root}).err ==
          "ndkeep: " + root + ": format is a folder, expected an array (`ndkeep ls` lists its contents)\n");
    CHECK(run({"show", root + "/a", "--member", "x"}).warns("other files have no members"));
    CHECK(run({"verify", "--write", root + "/a"}).warns("format is chunked array, expected npy or raw"));
    CHECK(run({"info", "s3://" + root.substr(5, root.find('/', 5) - 5) + "/../a"}).status == 2);
    CHECK(run({"ls", "s3://bucket-that-is-absent"}).status != 1);
}

}  // namespace s3_tool_tests
