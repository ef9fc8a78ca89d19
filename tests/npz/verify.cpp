// SPDX-License-Identifier: BSD-3-Clause
// Reports of inspect_npz, findings_npz and verify_npz about an archive.
#include "npz/archives.hpp"

#include <algorithm>
#include <cstring>

namespace npz_archives::verify_tests {

TEST_CASE("findings_npz names every bad member, and those only", "[npz][verify][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    for (const bool compress : {false, true}) {
        CAPTURE(compress);
        nk::save_npz(file, {{"a", six}, {"b", six}, {"c", six}, {"d", six}}, {.compress = compress});
        flip_byte(file, member_of(file, "b").offset + 20);
        flip_byte(file, member_of(file, "d").offset + 20);

        for (const unsigned threads : {1U, 4U}) {
            std::vector<std::string> fields;
            for (const auto& each : nk::findings_npz(file, {.run = {.threads = threads}})) {
                CHECK(each.file == file);
                fields.push_back(each.field.substr(0, std::string_view("member 'b").size()));
            }
            fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
            CHECK(fields == strings{"member 'b", "member 'd"});
        }
        CHECK_THROWS_AS(nk::verify_npz(file), nk::error);
    }
}

TEST_CASE("a reader finds what is wrong with one member, and gives its stored sums", "[npz][verify][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}, {"b", six}}, {.sum = nk::checksum::md5});
    flip_byte(file, member_of(file, "b").offset + 20);
    const nk::npz_reader in(file);

    CHECK(in.findings("a").empty());
    const auto found = in.findings("b");
    REQUIRE(!found.empty());
    CHECK(found.front().field.starts_with("member 'b"));
    CHECK_THROWS_AS((void)in.findings("c"), nk::mismatch_error);
    const auto sums = in.sums();
    CHECK(sums.size() == 2);
    CHECK(sums.at("a").at("md5") ==
          nk::checksums_of(std::as_bytes(std::span(six.data(), 6)), nk::checksum::md5)["md5"]);
}

TEST_CASE("the sum of an array is not asked of a member that has its name without .npy", "[npz][verify]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"x", six}}, {.sum = nk::checksum::md5});
    nk::npz_writer more(file, {.append = true});
    more.add_text("x", nk::header_bytes({.type = nk::dtype_of<std::int8_t>(), .shape = {1}}) + "a");
    more.commit();

    CHECK(nk::npz_reader(file).findings("x").empty());
    CHECK(nk::findings_npz(file).empty());
}

TEST_CASE("inspect_npz tells of every member how it lies in the archive", "[npz][inspect]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::npz_writer out(file);
    out.add("a", six);
    out.add("deflated", six, {.compress = true});
    out.add("big", nk::array_view(nk::dtype::parse(">i2"), {2}, reinterpret_cast<const std::byte*>("\0\1\0\2")));
    out.add_text("notes.txt", "as measured");
    const auto with_more = nk::header_bytes({.type = nk::dtype_of<std::int32_t>(), .shape = {1}}) + "abcdbehind";
    out.add_text("more.npy", with_more);
    out.add_text("bad.npy", "not an array");
    auto objects = nk::header_bytes({.type = nk::dtype_of<bool>(), .shape = {2}});
    objects.replace(objects.find("'|b1'"), 5, "'|O' ");
    out.add_text("objects.npy", objects + "pickle");
    out.commit();

    const auto members = nk::inspect_npz(file);
    REQUIRE(members.size() == 7);
    const auto& a = members[0];
    CHECK(a.name == "a");
    CHECK(a.stored_name == "a.npy");
    REQUIRE(a.array);
    CHECK(a.array->shape == shape{2, 3});
    CHECK(a.array->data_offset == 128);
    CHECK(a.nbytes == 176);
    CHECK(a.compressed_nbytes == 176);
    CHECK(a.trailing == 0);
    CHECK(a.method == "stored");
    CHECK(a.mappable);
    CHECK(!a.shadowed);
    CHECK(a.problem.empty());
    CHECK(a.crc32 == nk::crc32(nk::npz_reader(file).bytes("a")));
    CHECK(nk::npz_reader(file).members().size() == members.size());
    CHECK(std::memcmp(read_text(file).data() + a.offset, six.data(), 48) == 0);
    const auto& deflated = members[1];
    REQUIRE(deflated.array);
    CHECK(deflated.array->shape == shape{2, 3});
    CHECK(deflated.method == "deflate");
    CHECK(!deflated.mappable);
    CHECK(deflated.nbytes == 176);
    CHECK(deflated.compressed_nbytes < 176);
    CHECK(members[2].array);
    CHECK(!members[2].mappable);
    CHECK(members[3].name == "notes.txt");
    CHECK(!members[3].array);
    CHECK(!members[3].mappable);
    CHECK(members[3].nbytes == 11);
    CHECK(members[3].problem.empty());
    CHECK(members[4].trailing == 6);
    CHECK(members[4].mappable);
    CHECK(!members[5].array);
    CHECK(!members[6].mappable);
    CHECK(members[6].problem.find("member 'objects'") != std::string::npos);
}

TEST_CASE("of two members of one name the last counts, and inspect_npz says which one does not", "[npz][inspect]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", 1.5}, {"b", 2.5}});
    auto text = read_text(file);
    for (auto at = text.find("b.npy"); at != std::string::npos; at = text.find("b.npy"))
        text[at] = 'a';
    write_text(file, text);

    const auto members = nk::inspect_npz(file);
    REQUIRE(members.size() == 2);
    CHECK(members[0].shadowed);
    CHECK(!members[1].shadowed);
    CHECK(names_of(file) == strings{"a"});
    CHECK(nk::npz_reader(file).load<double, 0>("a")() == 2.5);
    nk::npz_writer(file, {.append = true}).commit();
    CHECK(nk::inspect_npz(file).size() == 1);
    CHECK(nk::npz_reader(file).load<double, 0>("a")() == 2.5);
}

TEST_CASE("findings_npz and load tell their progress up to the end", "[npz][progress]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", xt::arange<double>(420'000)}, {"b", six}});
    std::vector<nk::progress> told;
    const auto tell = [&](const nk::progress& p) {
        told.push_back(p);
        return nk::flow::go;
    };

    CHECK(nk::findings_npz(file, {.run = {.progress = tell}}).empty());
    REQUIRE(told.size() >= 2);
    CHECK(told.front().phase == "verify");
    CHECK(told.back().items == 2);
    CHECK(told.back().items_total == 2);
    CHECK(told.back().bytes == told.back().bytes_total);

    told.clear();
    (void)nk::npz_reader(file, {.run = {.progress = tell}}).load<double>("a");
    REQUIRE(told.size() >= 2);
    CHECK(told.back().bytes == 3'360'000);
}

}  // namespace npz_archives::verify_tests
