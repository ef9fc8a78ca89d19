// SPDX-License-Identifier: BSD-3-Clause
// Members added to an existing archive.
#include "npz/archives.hpp"

namespace npz_archives::append_tests {

namespace {

/// Adds a comment to the end of an archive that has none.
void add_comment(const fs::path& file, const std::string& comment) {
    auto text = read_text(file);
    text[text.size() - 2] = static_cast<char>(comment.size() & 0xff);
    text[text.size() - 1] = static_cast<char>(comment.size() >> 8);
    write_text(file, text + comment);
}

std::string comment_of(const fs::path& file) { return nk::detail::archive(file, {}).directory().comment; }

}  // namespace

TEST_CASE("an append adds members behind the others, which stay as they are", "[npz][append]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}, {"b", xt::arange<double>(420'000), {.compress = true}}},
                 {.meta = {{"run", 7}}, .sum = nk::checksum::crc32c});
    const auto old_b = nk::inspect_npz(file)[1];
    const auto old = read_text(file);

    nk::npz_writer out(file, {.append = true});
    out.add("c", three);
    out.add("d", three, {.compress = true});
    out.commit();

    const nk::npz_reader in(file);
    CHECK(in.names() == strings{"a", "b", "c", "d"});
    CHECK((in.load<double, 2>("a") == six));
    CHECK((in.load<double, 1>("b") == xt::arange<double>(420'000)));
    CHECK(in.load<std::int32_t, 1>("d")(2) == 9);
    CHECK(in.metadata() == nk::json{{"run", 7}});
    CHECK(nk::findings_npz(file).empty());
    const auto new_b = member_of(file, "b");
    const auto length = static_cast<std::size_t>(old_b.compressed_nbytes);
    CHECK(new_b.compressed_nbytes == old_b.compressed_nbytes);
    CHECK((read_text(file).substr(static_cast<std::size_t>(new_b.offset), length) ==
           old.substr(static_cast<std::size_t>(old_b.offset), length)));
    for (const auto& member : nk::inspect_npz(file))
        if (member.array && member.method == "stored")
            CHECK(member.offset % 64 == 0);
}

TEST_CASE("an append to nothing is a plain archive", "[npz][append]") {
    const temp_dir dir;
    for (const std::string name : {"new.npz", "reserved.npz"}) {
        if (name == "reserved.npz")
            write_text(dir / name, "");
        nk::npz_writer out(dir / name, {.append = true, .sum = nk::checksum::md5});
        out.add("a", six);
        out.commit();
    }
    nk::save_npz(dir / "plain.npz", {{"a", six}}, {.sum = nk::checksum::md5});

    CHECK((read_text(dir / "new.npz") == read_text(dir / "plain.npz")));
    CHECK((read_text(dir / "reserved.npz") == read_text(dir / "plain.npz")));
}

TEST_CASE("a member that is appended again is replaced in its place, with its sum", "[npz][append]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}, {"b", six}, {"c", six}}, {.sum = nk::checksum::crc32c});

    nk::npz_writer out(file, {.append = true});
    out.add("d", three);
    out.add("b", three);
    out.commit();

    const nk::npz_reader in(file);
    CHECK(in.names() == strings{"a", "b", "c", "d"});
    CHECK(in.load<std::int32_t, 1>("b")(1) == 8);
    CHECK(nk::inspect_npz(file).size() == 5);
    CHECK(nk::findings_npz(file).empty());
    const auto sums = nk::json::parse(in.text("metadata.json")).at("ndkeep").at("checksums");
    CHECK(sums.contains("a"));
    CHECK(!sums.contains("b"));
}

TEST_CASE("replacing all members frees their room", "[npz][append]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", xt::ones<double>({10'000})}});
    const auto size = fs::file_size(file);

    for (int i = 0; i < 3; ++i) {
        nk::npz_writer out(file, {.append = true});
        out.add("a", xt::ones<double>({10'000}) * static_cast<double>(i));
        out.commit();
    }

    CHECK(fs::file_size(file) == size);
}

TEST_CASE("an append without a new member gives the same archive again", "[npz][append]") {
    const temp_dir dir;
    save_all_kinds(dir / "a.npz", {.meta = {{"run", 7}}, .sum = nk::checksum::crc32});
    const auto before = read_text(dir / "a.npz");

    nk::npz_writer(dir / "a.npz", {.append = true}).commit();

    CHECK((read_text(dir / "a.npz") == before));
}

TEST_CASE("an append keeps metadata, replaces it and takes it away", "[npz][append][metadata]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}}, {.meta = {{"run", 7}}});
    const auto append = [&](const nk::json& meta) {
        nk::npz_writer out(file, {.append = true});
        out.set_metadata(meta);
        out.commit();
        return nk::npz_reader(file).metadata();
    };

    CHECK(append({{"run", 8}}) == nk::json{{"run", 8}});
    CHECK(names_of(file) == strings{"a"});
    CHECK(append(nullptr) == nk::json::object());
    CHECK(!nk::npz_reader(file).contains("metadata.json"));
    CHECK(append({{"run", 9}}) == nk::json{{"run", 9}});
    CHECK(append(nk::json::object()) == nk::json::object());
}

TEST_CASE("new metadata in an append keeps the sums of the members that stay", "[npz][append][metadata][sum]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}}, {.meta = {{"run", 7}}, .sum = nk::checksum::crc32c});

    nk::npz_writer out(file, {.append = true, .sum = nk::checksum::md5});
    out.add("b", three);
    out.set_metadata(nullptr);
    out.commit();

    const auto said = nk::json::parse(nk::npz_reader(file).text("metadata.json"));
    CHECK(said.size() == 1);
    CHECK(said.at("ndkeep").at("checksums").at("a").contains("crc32c"));
    CHECK(said.at("ndkeep").at("checksums").at("b").contains("md5"));
    CHECK(nk::findings_npz(file).empty());
}

TEST_CASE("a metadata.json of somebody else is left alone by an append without metadata", "[npz][append][metadata]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    {
        nk::npz_writer out(file);
        out.add("a", six);
        out.add_text("metadata.json", "[1, 2]");
        out.commit();
    }
    nk::npz_writer out(file, {.append = true});
    out.add("a", three);
    out.commit();

    CHECK(nk::npz_reader(file).text("metadata.json") == "[1, 2]");
    CHECK(nk::npz_reader(file).load<std::int32_t, 1>("a")(0) == 7);
    nk::npz_writer other(file, {.append = true});
    other.set_metadata({{"run", 7}});
    CHECK_THROWS_AS(other.commit(), nk::format_error);
}

TEST_CASE("an append keeps the comment of the archive", "[npz][append]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}});
    add_comment(file, std::string(60'000, '#'));
    REQUIRE(comment_of(file).size() == 60'000);

    for (int round = 0; round < 2; ++round) {
        nk::npz_writer out(file, {.append = true});
        out.add("b", three);
        out.commit();
    }

    CHECK((comment_of(file) == std::string(60'000, '#')));
    CHECK(names_of(file) == strings{"a", "b"});
}

TEST_CASE("an append keeps what stands before the archive, and so does the next one", "[npz][append]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    const std::string program = "#!/bin/sh\necho data\nexit\n";
    nk::save_npz(file, {{"a", six}});
    write_text(file, program + read_text(file));

    for (int round = 0; round < 3; ++round) {
        CAPTURE(round);
        nk::npz_writer out(file, {.append = true});
        out.add("b" + std::to_string(round), three);
        out.commit();

        CHECK(read_text(file).starts_with(program));
        CHECK((nk::npz_reader(file).load<double, 2>("a") == six));
        CHECK((nk::npz_reader(file).map<double, 2>("a") == six));
        CHECK(nk::findings_npz(file).empty());
    }
    CHECK(names_of(file) == strings{"a", "b0", "b1", "b2"});
}

TEST_CASE("an append to what is no archive is refused and changes nothing", "[npz][append][error]") {
    const temp_dir dir;
    write_text(dir / "a.npz", "not an archive");

    CHECK_THROWS_AS(nk::npz_writer(dir / "a.npz", {.append = true}), nk::format_error);
    CHECK(read_text(dir / "a.npz") == "not an archive");
    CHECK(dir.files() == 1);
}

TEST_CASE("an append keeps a damaged member as it is, for verify_npz to find", "[npz][append]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}, {"b", six}});
    flip_byte(file, member_of(file, "a").offset);

    nk::npz_writer out(file, {.append = true});
    out.add("c", six);
    out.commit();

    CHECK_THROWS_AS(nk::npz_reader(file).load<double>("a"), nk::checksum_error);
    CHECK((nk::npz_reader(file).load<double, 2>("b") == six));
    CHECK(nk::findings_npz(file).size() == 1);
}

TEST_CASE("an append to an archive with an encrypted member is refused and changes nothing", "[npz][append][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}, {"b", six}});
    auto text = read_text(file);
    text[text.find("PK\1\2") + 8] |= 1;
    write_text(file, text);

    const auto e = thrown<nk::format_error>([&] { nk::npz_writer(file, {.append = true}); });

    CHECK(e.field() == "member 'a.npy'");
    CHECK(e.found() == "encrypted");
    CHECK((read_text(file) == text));
}

TEST_CASE("an appended text that is called as an array, but for its suffix, leaves the sum of the array",
          "[npz][append][sum]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", six}}, {.sum = nk::checksum::crc32c});

    nk::npz_writer out(file, {.append = true});
    out.add_text("a", "about the array");
    out.set_metadata({{"run", 7}});
    out.commit();

    const nk::npz_reader in(file);
    CHECK(in.text("a") == "about the array");
    CHECK((in.load<double, 2>("a.npy") == six));
    const auto said = nk::json::parse(in.text("metadata.json"));
    REQUIRE(said.contains("ndkeep"));
    CHECK(said.at("ndkeep").at("checksums").contains("a"));
}

}  // namespace npz_archives::append_tests
