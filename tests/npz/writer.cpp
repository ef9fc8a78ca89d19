// SPDX-License-Identifier: BSD-3-Clause
// npz_writer: the bytes it writes, the names of members, and its states from opening to commit.
#include "npz/archives.hpp"

#include <algorithm>
#include <atomic>

#include <sys/stat.h>  // modes

namespace npz_archives::writer_tests {

// Written bytes ------------------------------------------------------------------------------------------------------

TEST_CASE("arrays of every kind come back from an archive as they were, stored and compressed", "[npz]") {
    const temp_dir dir;
    for (const bool compress : {false, true}) {
        CAPTURE(compress);
        save_all_kinds(dir / "a.npz", {.compress = compress});

        check_all_kinds(nk::npz_reader(dir / "a.npz"));
        CHECK(nk::findings_npz(dir / "a.npz").empty());
    }
}

TEST_CASE("members are stored or compressed as the archive says, unless they say it themselves", "[npz]") {
    const temp_dir dir;
    nk::save_npz(dir / "s.npz", {{"a", six}, {"b", six, {.compress = true}}});
    nk::save_npz(dir / "c.npz", {{"a", six}, {"b", six, {.compress = false}}}, {.compress = true});

    CHECK(member_of(dir / "s.npz", "a").method == "stored");
    CHECK(member_of(dir / "s.npz", "b").method == "deflate");
    CHECK(member_of(dir / "c.npz", "a").method == "deflate");
    CHECK(member_of(dir / "c.npz", "b").method == "stored");
}

TEST_CASE("bytes and text are stored or compressed in the same way", "[npz]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz", {.compress = true});
    out.add_text("a.txt", std::string(1000, 'a'));
    out.add_text("b.txt", std::string(1000, 'b'), {.compress = false});
    out.commit();

    CHECK(member_of(dir / "a.npz", "a.txt").method == "deflate");
    CHECK(member_of(dir / "a.npz", "b.txt").method == "stored");
    CHECK(nk::npz_reader(dir / "a.npz").text("a.txt") == std::string(1000, 'a'));
    CHECK(nk::npz_reader(dir / "a.npz").text("b.txt") == std::string(1000, 'b'));
}

TEST_CASE("a member of no bytes is one, stored and compressed", "[npz]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    out.add_text("s", "");
    out.add_text("c", "", {.compress = true});
    out.add_text("d", "", {.compress = true});
    out.add_text("last", "text", {.compress = true});
    out.commit();

    const nk::npz_reader in(dir / "a.npz");
    for (const std::string name : {"s", "c", "d"})
        CHECK(in.bytes(name).empty());
    CHECK(in.text("last") == "text");
    CHECK(nk::findings_npz(dir / "a.npz").empty());
}

TEST_CASE("a higher level makes smaller archives, and 0 larger ones than the data", "[npz]") {
    const temp_dir dir;
    const auto waves = xt::floor(xt::sin(xt::arange<double>(50'000) * 0.01) * 1000.0);
    const auto size_at = [&](nk::compression level) {
        nk::save_npz(dir / "a.npz", {{"a", waves}}, {.compress = level});
        CHECK((nk::npz_reader(dir / "a.npz").load<double, 1>("a") == waves));
        return member_of(dir / "a.npz", "a").compressed_nbytes;
    };

    CHECK(size_at(nk::deflate_level(0)) > 400'000);
    CHECK(size_at(nk::deflate_level(1)) < 400'000);
    CHECK(size_at(nk::deflate_level(9)) < size_at(nk::deflate_level(1)));
    CHECK(size_at(true) == size_at(nk::deflate_level(6)));
}

TEST_CASE("there are no other levels than 0 to 9", "[npz][error]") {
    for (const int level : {-1, 10}) {
        const auto e = thrown<nk::mismatch_error>([&] { (void)nk::deflate_level(level); });
        CHECK(e.field() == "deflate level");
        CHECK(e.found() == std::to_string(level));
    }
}

TEST_CASE("members stand in the order in which they were added", "[npz]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    for (const std::string name : {"z", "a", "m"})
        out.add(name, six, {.compress = name == "a"});
    out.add_text("b.txt", "text");
    out.commit();

    CHECK(names_of(dir / "a.npz") == strings{"z", "a", "m", "b.txt"});
    const auto members = nk::inspect_npz(dir / "a.npz");
    for (std::size_t i = 1; i < members.size(); ++i)
        CHECK(members[i].offset > members[i - 1].offset);
}

TEST_CASE("an archive of no members is one", "[npz]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", std::vector<nk::npz_item>());

    CHECK(names_of(dir / "a.npz").empty());
    CHECK(fs::file_size(dir / "a.npz") == 22);
    CHECK(nk::findings_npz(dir / "a.npz").empty());
    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::npz_reader(dir / "a.npz").load<double>("a"); });
    CHECK(e.expected() == "a member, but there are none");
}

TEST_CASE("equal input makes equal bytes, with any number of threads", "[npz][slow]") {
    const temp_dir dir;
    for (const bool compress : {false, true}) {
        CAPTURE(compress);
        const auto saved_with = [&](unsigned threads) {
            save_all_kinds(
                dir / "a.npz",
                {.compress = compress, .meta = {{"run", 7}}, .sum = nk::checksum::crc32c, .run = {.threads = threads}});
            return read_text(dir / "a.npz");
        };
        const auto with_one = saved_with(1);

        CHECK((saved_with(1) == with_one));
        CHECK((saved_with(4) == with_one));
        CHECK((saved_with(3) == with_one));
    }
}

TEST_CASE("members bear the date that NumPy gives them, whatever the day", "[npz]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}});

    CHECK(read_text(dir / "a.npz").substr(10, 4) == std::string("\0\0\x21\0", 4));
}

TEST_CASE("the data of every stored member lies on a 64-byte boundary", "[npz]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    for (std::size_t length = 1; length <= 130; ++length) {
        out.add(std::string(length, 'n'), std::vector<std::uint8_t>(length));
        if (length % 7 == 0)
            out.add_text(std::string(length, 't'), std::string(length, '.'), {.compress = length % 2 == 0});
    }
    out.commit();

    std::size_t arrays = 0;
    for (const auto& member : nk::inspect_npz(dir / "a.npz")) {
        CAPTURE(member.name, member.offset);
        if (!member.array)
            continue;
        ++arrays;
        CHECK(member.offset % 64 == 0);
        CHECK(member.mappable);
    }
    CHECK(arrays == 130);
}

TEST_CASE("a member has the bytes of the file that save writes", "[npz]") {
    const temp_dir dir;
    const auto header = nk::header_bytes({.type = nk::dtype_of<std::int32_t>(), .shape = {3}});
    nk::save_npz(dir / "a.npz", {{"a", three}});

    CHECK(nk::npz_reader(dir / "a.npz").text("a") ==
          header + std::string(reinterpret_cast<const char*>(three.data()), 12));
}

TEST_CASE("the padding of structs is zeros in an archive", "[npz]") {
    const temp_dir dir;
    std::vector<reading> readings(2);
    std::fill_n(reinterpret_cast<unsigned char*>(readings.data()), 2 * sizeof(reading),
                static_cast<unsigned char>(0xee));
    for (auto& each : readings) {
        each.station = 1;
        each.value = 2;
        each.unit = "m";
    }
    for (const bool compress : {false, true}) {
        nk::save_npz(dir / "a.npz", {{"a", readings}}, {.compress = compress});

        CHECK(nk::npz_reader(dir / "a.npz").text("a").find('\xee') == std::string::npos);
    }
}

TEST_CASE("temporary arrays are kept until save_npz has written them", "[npz]") {
    const temp_dir dir;
    std::vector<nk::npz_item> items;
    for (int i = 0; i < 3; ++i)
        items.emplace_back("a" + std::to_string(i), xt::xtensor<int, 1>{i, i + 1});

    nk::save_npz(dir / "a.npz", items);

    CHECK(nk::npz_reader(dir / "a.npz").load<int, 1>("a2")(1) == 3);
}

// Names --------------------------------------------------------------------------------------------------------------

TEST_CASE("members have any name in UTF-8, empty ones and paths among them", "[npz]") {
    const temp_dir dir;
    const strings names = {"größe", "整形/😀", "", "a/b/c", "../up", "a.npy", "with space\n", std::string(65'531, 'n')};
    nk::npz_writer out(dir / "a.npz");
    for (std::size_t i = 0; i < names.size(); ++i)
        out.add(names[i], static_cast<double>(i));
    out.commit();

    const nk::npz_reader in(dir / "a.npz");
    CHECK((in.names() == names));
    for (std::size_t i = 0; i < names.size(); ++i)
        CHECK(in.load<double, 0>(names[i])() == static_cast<double>(i));
    CHECK(nk::findings_npz(dir / "a.npz").empty());
}

TEST_CASE("names that zip cannot hold are refused, and the writer goes on", "[npz][error]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    const auto refused = [&](std::string_view name) { return refusal([&] { out.add(name, six); }); };

    CHECK(refused(std::string_view("a\0b", 3)) ==
          "member 'a\\x00b.npy': a name with a zero byte, expected a name without zero bytes");
    CHECK(refused("\xff") == R"(member '\xff.npy': a name in another encoding, expected a name in UTF-8)");
    CHECK(refused(std::string(65'532, 'n')).ends_with("65536 bytes, expected a name of at most 65535 bytes"));
    out.add("a", six);
    out.commit();

    CHECK(names_of(dir / "a.npz") == strings{"a"});
}

TEST_CASE("a name that is there already is refused, and the first one stays", "[npz][error]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    out.add("a", six);

    CHECK(refusal([&] { out.add("a", three); }) == "member 'a.npy': added twice, expected added once");
    CHECK(refusal([&] { out.add_text("a.npy", "text"); }) == "member 'a.npy': added twice, expected added once");
    out.add_text("a", "not the same name");
    out.commit();

    CHECK((nk::npz_reader(dir / "a.npz").load<double, 2>("a.npy") == six));
    CHECK_THROWS_AS(nk::save_npz(dir / "b.npz", {{"a", six}, {"a", six}}), nk::mismatch_error);
    CHECK(!fs::exists(dir / "b.npz"));
}

// The life of a writer -----------------------------------------------------------------------------------------------

TEST_CASE("nothing appears before commit, and the old archive stays", "[npz]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    for (int round = 0; round < 2; ++round) {
        const bool there = fs::exists(file);
        const auto before = read_text(file);
        nk::npz_writer out(file);
        out.add("a", six + static_cast<double>(round));
        CHECK(fs::exists(file) == there);
        CHECK((read_text(file) == before));
        out.commit();
        CHECK(nk::npz_reader(file).load<double, 2>("a")(0, 0) == 1 + round);
        CHECK(dir.files() == 1);
    }
}

TEST_CASE("a writer that is destroyed without commit leaves nothing", "[npz]") {
    const temp_dir dir;
    {
        nk::npz_writer out(dir / "a.npz", {.compress = true});
        out.add("a", xt::arange<double>(500'000));
        out.set_metadata({{"run", 7}});
    }
    CHECK(dir.files() == 0);

    nk::save_npz(dir / "a.npz", {{"a", six}});
    const auto before = read_text(dir / "a.npz");
    for (const bool append : {false, true}) {
        nk::npz_writer out(dir / "a.npz", {.append = append});
        out.add("b", six);
    }
    CHECK(dir.files() == 1);
    CHECK((read_text(dir / "a.npz") == before));
}

TEST_CASE("after commit the writer is done", "[npz][error]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    out.add("a", six);
    out.commit();
    const auto committed = read_text(dir / "a.npz");
    const std::string refused = "archive: committed, expected open for writing";

    CHECK(refusal([&] { out.add("b", six); }) == refused);
    CHECK(refusal([&] { out.add_text("b", "text"); }) == refused);
    CHECK(refusal([&] { out.set_metadata({{"run", 7}}); }) == refused);
    CHECK(refusal([&] { out.commit(); }) == refused);
    CHECK((read_text(dir / "a.npz") == committed));
}

TEST_CASE("a writer that failed to write a member can only be destroyed", "[npz][error]") {
    const temp_dir dir;
    {
        nk::npz_writer out(dir / "a.npz");
        out.add("a", six);
        const nk::array_view bad(nk::dtype_of<double>(), {1000}, [](std::size_t, std::size_t, std::byte*) {
            throw std::runtime_error("no more values");
        });
        CHECK_THROWS_AS(out.add("b", bad), std::runtime_error);

        CHECK_THROWS_AS(out.add("c", six), nk::mismatch_error);
        CHECK(refusal([&] { out.commit(); }) == "archive: incomplete after an error, expected open for writing");
    }
    CHECK(dir.files() == 0);
}

TEST_CASE("save_npz follows symbolic links and keeps the mode of what it replaces", "[npz]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}});
    REQUIRE(::chmod((dir / "a.npz").c_str(), 0640) == 0);
    fs::create_symlink("a.npz", dir / "link.npz");
    const auto mode = [&] {
        struct stat status = {};
        REQUIRE(::stat((dir / "a.npz").c_str(), &status) == 0);
        return status.st_mode & 07777;
    };

    nk::save_npz(dir / "link.npz", {{"a", six}, {"b", six}});
    CHECK(mode() == 0640);
    nk::npz_writer out(dir / "link.npz", {.append = true});
    out.add("c", six);
    out.commit();

    CHECK(mode() == 0640);
    CHECK(fs::is_symlink(dir / "link.npz"));
    CHECK(names_of(dir / "a.npz") == strings{"a", "b", "c"});
    CHECK(dir.files() == 2);
}

TEST_CASE("a folder that is not there is an io_error", "[npz][error]") {
    const temp_dir dir;

    CHECK_THROWS_AS(nk::save_npz(dir / "none/a.npz", {{"a", six}}), nk::io_error);
    CHECK_THROWS_AS(nk::npz_reader(dir / "a.npz"), nk::io_error);
    CHECK_THROWS_AS(nk::npz_reader(dir.path()), nk::io_error);
    CHECK(dir.files() == 0);
}

// Progress -----------------------------------------------------------------------------------------------------------

TEST_CASE("save_npz tells its progress up to the end", "[npz][progress]") {
    const temp_dir dir;
    const xt::xtensor<double, 1> large = xt::arange<double>(420'000);
    for (const bool compress : {false, true}) {
        CAPTURE(compress);
        std::vector<nk::progress> told;
        const auto tell = [&](const nk::progress& p) {
            told.push_back(p);
            return nk::flow::go;
        };

        nk::save_npz(dir / "a.npz", {{"a", large}, {"b", large * 2.0}},
                     {.compress = compress, .run = {.progress = tell}});

        REQUIRE(told.size() >= 2);
        CHECK(told.front().phase == "save");
        CHECK(told.front().file == dir / "a.npz");
        CHECK(told.front().bytes == 0);
        CHECK(told.back().bytes == 6'720'000);
        CHECK(told.back().bytes_total == 6'720'000);
        CHECK(told.back().items == 840'000);
        CHECK(told.back().items_total == 840'000);
    }
}

TEST_CASE("a call that is stopped leaves the old archive and nothing else", "[npz][progress][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", xt::arange<double>(420'000)}});
    const auto before = read_text(file);
    const std::atomic<bool> stop = true;
    const auto refuse = [](const nk::progress&) { return nk::flow::stop; };
    const auto code = [](auto&& act) { return thrown<nk::io_error>(act).code(); };

    for (const bool compress : {false, true})
        for (const nk::run_options& run : {nk::run_options{.stop = &stop}, nk::run_options{.progress = refuse}}) {
            CHECK(code([&] {
                      nk::save_npz(file, {{"a", xt::arange<double>(420'000)}}, {.compress = compress, .run = run});
                  }) == std::errc::operation_canceled);
            CHECK(code([&] {
                      nk::npz_writer out(file, {.append = true, .compress = compress, .run = run});
                      out.add("b", xt::arange<double>(420'000));
                      out.commit();
                  }) == std::errc::operation_canceled);
            CHECK(code([&] { (void)nk::findings_npz(file, {.run = run}); }) == std::errc::operation_canceled);
            CHECK(code([&] { (void)nk::npz_reader(file, {.run = run}).load<double>("a"); }) ==
                  std::errc::operation_canceled);
        }

    CHECK((read_text(file) == before));
    CHECK(dir.files() == 1);
}

}  // namespace npz_archives::writer_tests
