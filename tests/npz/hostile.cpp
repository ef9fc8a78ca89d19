// SPDX-License-Identifier: BSD-3-Clause
// Hostile and damaged archives: the result is an error or the correct data.
#include "support/temp_dir.hpp"

#include <ndkeep/npz.hpp>

#include <functional>
#include <random>

namespace npz_hostile_tests {

using namespace ndkeep;

namespace {

using bytes = std::vector<std::byte>;

bytes bytes_in(const std::filesystem::path& file) {
    const auto text = read_text(file);
    const auto all = std::as_bytes(std::span(text));
    return {all.begin(), all.end()};
}

std::span<const std::byte> view(const bytes& all) { return {all.data(), all.size()}; }

/// A small archive with all kinds of content: stored and compressed arrays, bytes, metadata with checksums, a non-ASCII
/// name.
bytes some_archive(const temp_dir& dir, bool compress) {
    const xt::xarray<double> a = {{1, 2, 3}, {4, 5, 6}};
    std::vector<std::int32_t> b(300);
    for (std::size_t i = 0; i < b.size(); ++i)
        b[i] = static_cast<std::int32_t>(i % 7);
    npz_writer out(dir / "a.npz", {.compress = compress, .sum = checksum::crc32c});
    out.add("a", a);
    out.add("größe", b);
    out.add_text("notes.txt", "as measured, as measured, as measured");
    out.set_metadata({{"run", 7}});
    out.commit();
    return bytes_in(dir / "a.npz");
}

/// Reads all of an archive's entries and the content of each member. An ndkeep error ends only the part that is being
/// read.
std::vector<std::string> told(const bytes& all) {
    std::vector<std::string> out;
    const auto tell = [&](const std::function<std::string()>& part) {
        try {
            out.push_back(part());
        } catch (const error&) {
            out.emplace_back();
        }
    };
    try {
        const npz_reader in(view(all));
        for (const std::string name : {"a", "größe"})
            tell([&] {
                const auto any = in.load_any(name);
                const auto elements = any.bytes();
                return any.type().str() + shape_text(any.shape()) +
                       std::string(reinterpret_cast<const char*>(elements.data()), elements.size());
            });
        tell([&] { return in.text("notes.txt"); });
        tell([&] { return in.contains("metadata.json") ? in.metadata().dump() : std::string(); });
    } catch (const error&) {
    }
    return out;
}

void check_clean(const bytes& damaged, const std::vector<std::string>& right) {
    const auto found = told(damaged);
    REQUIRE((found.empty() || found.size() == right.size()));
    for (std::size_t i = 0; i < found.size(); ++i)
        if (!found[i].empty())
            REQUIRE((found[i] == right[i]));
}

// Archives by hand --------------------------------------------------------------------------------------------------

struct member {
    std::string name;
    std::string data;
    std::function<void(detail::zip_entry& local, detail::zip_entry& central)> lie = [](auto&, auto&) {};
};

std::string npy_text(std::int32_t value) {
    std::string out = header_bytes({.type = dtype_of<std::int32_t>(), .shape = {1}});
    return out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

detail::zip_entry entry_of(const member& each, std::uint64_t offset) {
    detail::zip_entry entry;
    entry.raw_name = each.name;
    entry.size = entry.compressed = each.data.size();
    entry.crc32 = crc32(std::as_bytes(std::span(each.data)));
    entry.header_offset = offset;
    return entry;
}

/// Stored members, with false fields as requested.
bytes archive_of(const std::vector<member>& members, const std::string& comment = {}, const std::string& prefix = {},
                 const std::string& gap = {}, const std::string& gap_behind_directory = {}) {
    std::string out, directory;
    for (const member& each : members) {
        auto local = entry_of(each, out.size());
        auto central = local;
        each.lie(local, central);
        out += detail::zip_local_text(local, false, 0) + each.data + gap;
        directory += detail::zip_entry_text(central);
    }
    const auto end = detail::zip_end_text(members.size(), out.size(), directory.size(), comment);
    out = prefix + out + directory + gap_behind_directory + end;
    const auto all = std::as_bytes(std::span(out));
    return {all.begin(), all.end()};
}

std::int32_t value_of(const bytes& all, std::string_view name) {
    return npz_reader(view(all)).load<std::int32_t, 1>(name)(0);
}

std::string refusal(const bytes& all, std::string_view name) {
    try {
        (void)npz_reader(view(all)).bytes(name);
    } catch (const format_error& e) {
        return e.what();
    }
    return "";
}

}  // namespace

TEST_CASE("an archive cut anywhere is refused, or what is left of it is right", "[npz][hostile]") {
    const temp_dir dir;
    for (const bool compress : {false, true}) {
        const auto whole = some_archive(dir, compress);
        const auto right = told(whole);
        REQUIRE(right.size() == 4);
        for (std::size_t length = 0; length < whole.size(); ++length) {
            CAPTURE(compress, length);
            CHECK(told({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)}).empty());
        }
    }
}

TEST_CASE("a flipped bit is an error or changes nothing", "[npz][hostile]") {
    const temp_dir dir;
    std::mt19937 random(1);
    for (const bool compress : {false, true}) {
        const auto whole = some_archive(dir, compress);
        const auto right = told(whole);
        for (int time = 0; time < 5000; ++time) {
            auto damaged = whole;
            const std::size_t at = random() % damaged.size();
            damaged[at] ^= static_cast<std::byte>(1 + random() % 255);
            CAPTURE(compress, at, std::to_integer<int>(damaged[at]));
            check_clean(damaged, right);
        }
    }
}

TEST_CASE("many flipped bits never do more than give an error", "[npz][hostile]") {
    const temp_dir dir;
    std::mt19937 random(2);
    const auto whole = some_archive(dir, true);
    for (int time = 0; time < 5000; ++time) {
        auto damaged = whole;
        for (int i = 0; i < 8; ++i)
            damaged[random() % damaged.size()] = static_cast<std::byte>(random());
        (void)told(damaged);
    }
    SUCCEED();
}

TEST_CASE("what verify_npz passes is what was written", "[npz][hostile]") {
    const temp_dir dir;
    std::mt19937 random(3);
    const auto whole = some_archive(dir, false);
    const auto right = told(whole);
    for (int time = 0; time < 1000; ++time) {
        auto damaged = whole;
        damaged[random() % damaged.size()] ^= static_cast<std::byte>(1U << random() % 8);
        write_text(dir / "d.npz", {reinterpret_cast<const char*>(damaged.data()), damaged.size()});
        if (findings_npz(dir / "d.npz").empty())
            REQUIRE((told(damaged) == right));
    }
}

TEST_CASE("the directory alone counts: comments, prefixes, gaps, and the last of two names", "[npz][zip]") {
    const std::vector<member> one = {{"a.npy", npy_text(1)}, {"b.npy", npy_text(2)}};

    CHECK(value_of(archive_of(one), "b") == 2);
    CHECK(value_of(archive_of(one, "made by hand"), "b") == 2);
    CHECK(value_of(archive_of(one, {}, "#!/bin/sh\nexit\n"), "b") == 2);
    CHECK(value_of(archive_of(one, {}, {}, std::string(100, '?')), "b") == 2);
    CHECK(value_of(archive_of(one, {}, {}, {}, std::string(100, '?')), "b") == 2);
    CHECK(value_of(archive_of({{"a.npy", npy_text(1)}, {"a.npy", npy_text(3)}}), "a") == 3);
    CHECK(npz_reader(view(archive_of({{"a.npy", npy_text(1)}, {"a.npy", npy_text(3)}}))).names().size() == 1);
}

TEST_CASE("names are found with and without their suffix, an exact one first", "[npz][zip]") {
    const auto all = archive_of({{"a.npy", npy_text(1)}, {"a", npy_text(2)}, {"b.npy.npy", npy_text(3)}});

    CHECK(value_of(all, "a.npy") == 1);
    CHECK(value_of(all, "a") == 2);
    CHECK(value_of(all, "b.npy") == 3);
    CHECK(!npz_reader(view(all)).contains("b"));
}

TEST_CASE("names are UTF-8 by their flag, else code page 437", "[npz][zip]") {
    const auto all = archive_of({{"\x84.npy", npy_text(1)}});  // ä in code page 437

    CHECK(value_of(all, "ä") == 1);
    CHECK_THROWS_AS(npz_reader(view(archive_of(
                        {{"\x84.npy", npy_text(1),
                          [](auto& local, auto& central) { local.flags = central.flags = detail::zip_flag_utf8; }}}))),
                    format_error);
}

TEST_CASE("an end record within the comment fools nobody", "[npz][zip]") {
    const auto fake = detail::zip_end_text(0, 0, 0, {});
    const std::vector<member> one = {{"a.npy", npy_text(1)}};

    CHECK(value_of(archive_of(one, fake), "a") == 1);
    CHECK(value_of(archive_of(one, fake + "and more"), "a") == 1);
    const auto second = archive_of({{"a.npy", npy_text(2)}});
    const std::string as_comment(reinterpret_cast<const char*>(second.data()), second.size());
    CHECK(thrown<format_error>([&] { (void)value_of(archive_of(one, as_comment), "a"); }).found() ==
          "two valid candidates");
}

TEST_CASE("methods and flags that are not read here are refused by their names", "[npz][zip][error]") {
    const auto with = [](std::uint16_t method, std::uint16_t flags) {
        return archive_of({{"a.npy", npy_text(1), [=](auto& local, auto& central) {
                                local.method = central.method = method;
                                local.flags = central.flags = flags;
                            }}});
    };

    CHECK(refusal(with(12, 0), "a") == "member 'a.npy': compression is bzip2, expected stored or deflate");
    CHECK(refusal(with(14, 0), "a") == "member 'a.npy': compression is LZMA, expected stored or deflate");
    CHECK(refusal(with(99, 0), "a") == "member 'a.npy': compression is method 99, expected stored or deflate");
    CHECK(refusal(with(0, 1), "a") == "member 'a.npy' is encrypted, expected not encrypted");
    CHECK(refusal(with(0, 0x40), "a") == "member 'a.npy' is encrypted, expected not encrypted");
    CHECK(refusal(with(0, 0x20), "a") == "member 'a.npy' is a patch, expected complete data");
    CHECK(refusal(with(0, 0x2000), "a") == "member 'a.npy' is encrypted, expected not encrypted");
    CHECK(refusal(with(0, 8), "a").empty());  // a data descriptor after the data is ignored
}

TEST_CASE("members that overlap are refused, and others of the archive are not", "[npz][zip][error]") {
    const auto data = npy_text(1);
    auto all = archive_of({{"a.npy", data},
                           {"b.npy", data,
                            [](auto&, auto& central) {
                                central.header_offset = 0;
                                central.raw_name = "a.npy";
                            }},
                           {"c.npy", npy_text(3)}});
    CHECK(refusal(all, "a").find("overlaps what follows") != std::string::npos);
    CHECK(value_of(all, "c") == 3);

    all = archive_of({{"a.npy", data,
                       [](auto& local, auto& central) {
                           local.size = central.size += 50;
                           local.compressed = central.compressed += 50;
                       }},
                      {"b.npy", npy_text(2)}});
    CHECK(refusal(all, "a").find("overlaps what follows") != std::string::npos);
    CHECK(value_of(all, "b") == 2);
}

TEST_CASE("a local header that is another member's is refused", "[npz][zip][error]") {
    const auto all = archive_of({{"a.npy", npy_text(1), [](auto& local, auto&) { local.raw_name = "b.npy"; }}});

    CHECK(refusal(all, "a") == "member 'a.npy': name in its local header is 'b.npy', expected the same");
}

TEST_CASE("sizes that cannot be true are refused before anything is allocated", "[npz][zip][error]") {
    const auto claims = [](std::uint64_t size, std::uint64_t compressed, std::uint16_t method) {
        return archive_of({{"a.npy", npy_text(1), [=](auto&, auto& central) {
                                central.size = size;
                                central.compressed = compressed;
                                central.method = method;
                            }}});
    };
    const auto huge = std::uint64_t{1} << 60;

    CHECK(!refusal(claims(huge, huge, 0), "a").empty());
    CHECK(!refusal(claims(huge, 132, 0), "a").empty());
    CHECK(!refusal(claims(huge, 132, 8), "a").empty());
    CHECK(!refusal(claims(132 * 1033 + 2000, 132, 8), "a").empty());
    CHECK(!refusal(claims(~std::uint64_t{0}, ~std::uint64_t{0}, 0), "a").empty());
}

TEST_CASE("a member whose header announces more than it holds is refused", "[npz][error]") {
    std::string lying = header_bytes({.type = dtype_of<double>(), .shape = {std::size_t{1} << 40}});
    lying += "too little";
    const auto all = archive_of({{"a.npy", lying}, {"b.npy", npy_text(2)}});
    const npz_reader in(view(all));

    const auto e = thrown<format_error>([&] { (void)in.load<double>("a"); });
    CHECK(e.field() == "member 'a': data");
    CHECK(e.found() == "10 bytes");
    CHECK(in.load<std::int32_t>("b")(0) == 2);
}

TEST_CASE("a directory of more members than the limit is refused", "[npz][zip][error]") {
    const auto all = archive_of({{"a.npy", npy_text(1)}, {"b.npy", npy_text(2)}});

    CHECK_THROWS_AS(npz_reader(view(all), {.limit = {.members = 1}}), format_error);
    CHECK_NOTHROW(npz_reader(view(all), {.limit = {.members = 2}}));
}

TEST_CASE("a bomb of deflate is stopped at the announced size", "[npz][error]") {
    const auto stream = compress(bytes(50'000'000), 9);
    const std::string data(reinterpret_cast<const char*>(stream.data()), stream.size());
    const auto all = archive_of({{"a.txt", data, [](auto& local, auto& central) {
                                      local.method = central.method = detail::zip_deflated;
                                      central.size = 100;
                                  }}});

    CHECK(refusal(all, "a.txt") == "member 'a.txt': deflate stream is more than 100 bytes, expected 100 bytes");
}

TEST_CASE("metadata of more values than the limit is refused before they are built", "[npz][metadata][error][slow]") {
    temp_dir dir;
    const auto file = dir / "a.npz";
    std::string text = R"({"a": [[])";
    for (int i = 0; i < 1'100'000; ++i)
        text += ", []";
    npz_writer bomb(file);
    bomb.add_text("metadata.json", text + "]}", {.compress = true});
    bomb.commit();
    const auto is_refused = [&](auto&& act) {
        const auto e = thrown<format_error>(act);
        CHECK(e.file() == file);
        CHECK(e.field() == "member 'metadata.json': JSON text");
        CHECK(e.found() == "longer");
        CHECK((e.expected() == "at most 262148 values" || e.expected() == "at most 1048580 values"));
        return e.hint();
    };

    CHECK(is_refused([&] { (void)npz_reader(file).metadata(); }) == "limits{.json_values = …} reads more");
    CHECK(is_refused([&] { verify_npz(file); }) == "limits{.json_values = …} reads more");
    CHECK(npz_reader(file, {.limit = {.json_values = 2'000'000}}).metadata()["a"].size() == 1'100'001);
    npz_writer next(file, {.append = true});
    next.set_metadata({{"b", 1}});
    is_refused([&] { next.commit(); });
}

TEST_CASE("an append keeps metadata of some more values than the limit, as version 0.1 wrote it", "[npz][append]") {
    temp_dir dir;
    const auto file = dir / "a.npz";
    const json meta = {{"a", std::vector<int>(300'000)}};
    {
        npz_writer old(file);
        old.add("x", xt::xtensor<double, 1>(xt::zeros<double>({5})));
        old.add_text("metadata.json", meta.dump());
        old.commit();
    }

    npz_writer next(file, {.append = true, .sum = checksum::crc32});
    next.add("y", xt::xtensor<double, 1>(xt::zeros<double>({5})));
    next.commit();

    CHECK(npz_reader(file, {.limit = {.json_values = 400'000}}).metadata() == meta);
}

TEST_CASE("an archive within an archive is read from the bytes that the outer one gives", "[npz]") {
    const auto inner = archive_of({{"x.npy", npy_text(7)}});
    const auto outer = archive_of({{"inner.npz", {reinterpret_cast<const char*>(inner.data()), inner.size()}}});

    npz_reader first(npz_reader(view(outer)).bytes("inner.npz"));
    const npz_reader moved = std::move(first);

    CHECK(moved.load<std::int32_t, 1>("x")(0) == 7);
}

TEST_CASE("a member that is not there is named once", "[npz][error]") {
    const auto all = archive_of({{"x.npy", npy_text(7)}});
    const npz_reader in(view(all));

    CHECK(thrown<mismatch_error>([&] { (void)in.map<int>("y"); }).field() == "member 'y'");
    CHECK(thrown<mismatch_error>([&] { (void)in.inspect("y"); }).field() == "member 'y'");
    CHECK(thrown<mismatch_error>([&] { (void)in.load<int>("y"); }).field() == "member 'y'");
}

TEST_CASE("metadata that could not be read again is not written", "[npz][error]") {
    const temp_dir dir;
    json deep = json::object();
    for (int i = 0; i < 200; ++i)
        deep = json{{"inner", deep}};

    CHECK(thrown<mismatch_error>([&] {
              save_npz(dir / "t.npz", {{"x", 1.0}}, {.meta = deep});
          }).file() == dir / "t.npz");
    const json bad = {{"text", "\xff"}};
    CHECK(thrown<mismatch_error>([&] {
              save_npz(dir / "t.npz", {{"x", 1.0}}, {.meta = bad});
          }).file() == dir / "t.npz");
    json many = json::object();
    many["list"] = std::vector<int>(200'000, 1);
    CHECK(thrown<mismatch_error>([&] {
              save_npz(dir / "t.npz", {{"x", 1.0}}, {.meta = many});
          }).found() == "an object with more");
    CHECK(dir.files() == 0);
    json less = json::object();
    for (int i = 0; i < 118; ++i)
        less = json{{"inner", less}};
    save_npz(dir / "t.npz", {{"x", 1.0}}, {.meta = less});
    CHECK(npz_reader(dir / "t.npz").metadata() == less);
}

TEST_CASE("checksums of many members do not count against the values of the metadata", "[npz][slow]") {
    const temp_dir dir;
    {
        npz_writer to(dir / "t.npz", {.sum = checksum::crc32 | checksum::crc32c | checksum::md5});
        for (int i = 0; i < 80'000; ++i)
            to.add(std::to_string(i), 1.0);
        to.set_metadata({{"a", 1}});
        to.commit();
    }
    const npz_reader from(dir / "t.npz");
    CHECK(from.metadata() == json{{"a", 1}});
}

TEST_CASE("an append carries over what the directory says of a member", "[npz]") {
    const temp_dir dir;
    const std::string times("UT\x05\x00\x01\x11\x22\x33\x44", 9);
    const auto all = archive_of({{"x.npy", npy_text(7), [&](auto&, auto& central) {
                                      central.extra = times;
                                      central.internal_attributes = 1;
                                      central.version_needed = 46;
                                      central.comment = "kept";
                                  }}});
    write_text(dir / "t.npz", {reinterpret_cast<const char*>(all.data()), all.size()});

    npz_writer(dir / "t.npz", {.append = true}).commit();

    const auto directory = detail::archive(dir / "t.npz", {}).directory();
    CHECK(directory.entries.at(0).extra == times);
    CHECK(directory.entries.at(0).internal_attributes == 1);
    CHECK(directory.entries.at(0).version_needed == 46);
    CHECK(directory.entries.at(0).comment == "kept");
}

TEST_CASE("a 64-bit locator that names another disk is refused", "[npz][zip][error]") {
    const auto all = archive_of({{"a.npy", npy_text(1)}});
    const std::string text(reinterpret_cast<const char*>(all.data()), all.size());
    const auto end_size = static_cast<std::size_t>(detail::zip_end_size);
    const std::string before = text.substr(0, text.size() - end_size), end = text.substr(text.size() - end_size);
    const detail::zip_fields record(std::as_bytes(std::span(end)));
    // 65,535 entries make the writer add the 64-bit record and its locator.
    auto records = detail::zip_end_text(0xffff, record.word(16), record.word(12), {});
    for (const std::size_t count : {24U, 32U})
        records.replace(count, 8, std::string("\1\0\0\0\0\0\0\0", 8));
    const auto with = [&](std::size_t field, char value) {
        auto lie = records;
        lie.at(static_cast<std::size_t>(detail::zip_end64_size) + field) = value;
        const std::string whole = before + lie;
        const auto bytes_of_it = std::as_bytes(std::span(whole));
        return value_of({bytes_of_it.begin(), bytes_of_it.end()}, "a");
    };

    CHECK(with(16, 1) == 1);
    CHECK(thrown<format_error>([&] { (void)with(4, 1); }).found() == "one part of several");
    CHECK(thrown<format_error>([&] { (void)with(16, 2); }).found() == "one part of several");
}

}  // namespace npz_hostile_tests
