// SPDX-License-Identifier: BSD-3-Clause
// Archives that grow in place: new members behind the old ones, and what a killed writer leaves.
#include "npz/archives.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace npz_archives::in_place_tests {

using vector = xt::xtensor<double, 1>;

const nk::npz_writer_options in_place{.append = true, .in_place = true};

TEST_CASE("an archive that grows in place keeps its bytes and gets the members", "[npz]") {
    const temp_dir dir;
    const auto file = dir / "t.npz";
    nk::save_npz(file, {{"a", vector{1, 2}}, {"b", vector{3}}}, {.meta = {{"run", 1}}, .sum = nk::checksum::crc32});
    const auto former = read_text(file);
    const auto mapped = nk::npz_reader(file).map<double, 1>("a");
    {
        auto options = in_place;
        options.sum = nk::checksum::crc32;
        nk::npz_writer out(file, options);
        out.add("c", vector{4, 5, 6});
        out.add("b", vector{7, 8}, {.compress = true});
        out.set_metadata({{"run", 2}});
        out.commit();
    }
    CHECK(read_text(file).starts_with(former));
    CHECK((mapped == vector{1, 2}));
    const nk::npz_reader in(file);
    CHECK(in.names() == std::vector<std::string>{"a", "b", "c"});
    CHECK((in.load<double, 1>("a") == vector{1, 2}));
    CHECK((in.load<double, 1>("b") == vector{7, 8}));
    CHECK((in.load<double, 1>("c") == vector{4, 5, 6}));
    CHECK(in.metadata()["run"] == 2);
    CHECK(nk::findings_npz(file).empty());
    CHECK(dir.files() == 1);
}

TEST_CASE("the bytes that a writer in place adds do not depend on the size of the archive", "[npz]") {
    const temp_dir dir;
    const auto growth_of = [&](std::size_t size) {
        const auto file = dir / (std::to_string(size) + ".npz");
        nk::save_npz(file, {{"a", xt::eval(xt::ones<double>({size}))}});
        const auto before = fs::file_size(file);
        nk::npz_writer out(file, in_place);
        out.add("b", vector{1, 2, 3});
        out.commit();
        return fs::file_size(file) - before;
    };
    CHECK(growth_of(200'000) < growth_of(8) + 64);
    CHECK(growth_of(8) < 1000);
}

TEST_CASE("an archive grown in place often holds every member", "[npz]") {
    const temp_dir dir;
    const auto file = dir / "t.npz";
    for (int i = 0; i < 300; ++i) {
        nk::npz_writer out(file, in_place);
        out.add(std::to_string(i), vector{1.0 * i});
        out.commit();
    }
    const nk::npz_reader in(file);
    REQUIRE(in.names().size() == 300);
    for (int i = 0; i < 300; ++i)
        CHECK(in.load<double, 1>(std::to_string(i))(0) == i);
    CHECK(nk::findings_npz(file).empty());

    const auto grown = fs::file_size(file);
    nk::npz_writer(file, {.append = true}).commit();
    CHECK(fs::file_size(file) < grown / 4);  // without the 299 old directories
    CHECK(nk::npz_reader(file).names().size() == 300);
}

TEST_CASE("a writer in place that does not commit changes nothing", "[npz]") {
    const temp_dir dir;
    const auto file = dir / "t.npz";
    nk::save_npz(file, {{"a", vector{1, 2}}});
    const auto former = read_text(file);
    {
        nk::npz_writer out(file, in_place);
        out.add("b", xt::eval(xt::ones<double>({200'000})));
        CHECK(fs::file_size(file) > former.size());
        const auto e = thrown<nk::format_error>([&] { (void)nk::npz_reader(file); });
        CHECK(e.hint().find("restore_npz") != std::string::npos);
    }
    CHECK(read_text(file) == former);
}

TEST_CASE("an archive behind other bytes is copied, because its old end would be lost", "[npz]") {
    const temp_dir dir;
    const auto file = dir / "t.npz";
    nk::save_npz(file, {{"a", vector{1, 2}}});
    write_text(file, "#!/bin/sh\n" + read_text(file));
    nk::npz_writer out(file, in_place);
    out.add("b", xt::eval(xt::ones<double>({200'000})));
    CHECK(nk::npz_reader(file).names() == std::vector<std::string>{"a"});
    out.commit();

    CHECK(nk::npz_reader(file).names() == std::vector<std::string>{"a", "b"});
    CHECK(read_text(file).starts_with("#!/bin/sh"));
}

TEST_CASE("an archive grown in place is the same under all its names", "[npz]") {
    const temp_dir dir;
    nk::save_npz(dir / "t.npz", {{"a", vector{1, 2}}});
    fs::create_hard_link(dir / "t.npz", dir / "link.npz");
    nk::npz_writer out(dir / "link.npz", in_place);
    out.add("b", vector{3});
    out.commit();

    CHECK(nk::npz_reader(dir / "t.npz").names() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("what follows an archive is found and cut off", "[npz]") {
    const temp_dir dir;
    const auto file = dir / "t.npz";
    nk::save_npz(file, {{"a", vector{1, 2}}}, {.meta = {{"run", 1}}});
    const auto former = read_text(file);
    CHECK(nk::bytes_behind_npz(file) == 0);
    CHECK(nk::restore_npz(file) == 0);

    for (const std::size_t more : {std::size_t{1}, std::size_t{21}, std::size_t{65'536}, std::size_t{300'000}}) {
        write_text(file, former + std::string(more, 'P'));
        CHECK(nk::bytes_behind_npz(file) == more);
        CHECK(nk::restore_npz(file, {.sync = true}) == more);
        CHECK(read_text(file) == former);
    }
}

TEST_CASE("an archive that is a member is not taken for the one that was cut short", "[npz][error]") {
    const temp_dir dir;
    nk::save_npz(dir / "inner.npz", {{"a", vector{1, 2}}});
    const auto inner = read_text(dir / "inner.npz");
    {
        nk::npz_writer out(dir / "t.npz");
        out.add("b", vector{3});
        out.add_text("inner.npz", inner);
        out.commit();
    }
    const auto whole = read_text(dir / "t.npz");
    const auto cut = whole.substr(0, whole.find(inner) + inner.size() + 4);
    write_text(dir / "t.npz", cut);

    CHECK_THROWS_AS(nk::bytes_behind_npz(dir / "t.npz"), nk::format_error);
    CHECK_THROWS_AS(nk::restore_npz(dir / "t.npz"), nk::format_error);
    CHECK(read_text(dir / "t.npz") == cut);

    // An end record at the end of the file: its damaged directory is no reason to go back to an older archive.
    nk::save_npz(dir / "t.npz", {{"a", vector{1, 2}}});
    nk::npz_writer grown(dir / "t.npz", in_place);
    grown.add("b", vector{3});
    grown.commit();
    auto damaged = read_text(dir / "t.npz");
    damaged[damaged.rfind("PK\x01\x02")] = 'X';
    write_text(dir / "t.npz", damaged);
    CHECK_THROWS_AS(nk::restore_npz(dir / "t.npz"), nk::format_error);
    CHECK(read_text(dir / "t.npz") == damaged);

    write_text(dir / "t.npz", "no archive");
    CHECK_THROWS_AS(nk::restore_npz(dir / "t.npz"), nk::format_error);
}

}  // namespace npz_archives::in_place_tests
