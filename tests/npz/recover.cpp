// SPDX-License-Identifier: BSD-3-Clause
// The complete members of archives that were cut short or damaged.
#include "npz/archives.hpp"

#include <ndkeep/format/zip/scan.hpp>

#include <chrono>
#include <cstring>
#include <exception>
#include <fstream>
#include <random>

namespace npz_archives::recover_tests {

namespace {

std::string npy_text(std::int32_t value) {
    std::string out = nk::header_bytes({.type = nk::dtype_of<std::int32_t>(), .shape = {1}});
    return out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string number(std::uint64_t value, std::size_t width) {
    std::string out;
    for (std::size_t i = 0; i < width; ++i)
        out += static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
    return out;
}

/// A member whose sizes stand behind its data, as programs that cannot seek write it.
std::string with_descriptor(const std::string& name, const std::string& data, bool compress, bool is_marked,
                            std::size_t width) {
    nk::core::zip_entry entry;
    entry.raw_name = name;
    entry.flags = nk::detail::zip_flag_descriptor;
    entry.method = compress ? nk::core::zip_deflated : nk::core::zip_stored;
    const auto raw = std::as_bytes(std::span(data));
    const std::string stored = compress ? text_of(nk::compress(raw)) : data;
    return nk::detail::zip_local_text(entry, false, 0) + stored + (is_marked ? "PK\x07\x08" : "") +
           number(nk::crc32(raw), 4) + number(stored.size(), width) + number(data.size(), width);
}

std::string member_text(const std::string& name, const std::string& data, bool is_64 = false) {
    nk::core::zip_entry entry;
    entry.raw_name = name;
    entry.size = entry.compressed = data.size();
    entry.crc32 = nk::crc32(std::as_bytes(std::span(data)));
    return nk::detail::zip_local_text(entry, is_64, is_64 ? 20 : 0) + data;
}

struct search {
    nk::detail::found_zip_members found;
    std::uint64_t bytes_read = 0;
};

/// Searches an archive in memory, and counts the bytes that are read.
search counted_search(const std::string& archive) {
    const auto whole = std::as_bytes(std::span(archive));
    search result;
    const fs::path name = "t.npz";
    const nk::core::byte_source counted(
        [&](std::uint64_t offset, std::span<std::byte> out) {
            result.bytes_read += out.size();
            std::memcpy(out.data(), whole.data() + offset, out.size());
        },
        name);
    const nk::run_options run;
    nk::progress_meter meter(run);
    result.found = nk::detail::find_zip_members(counted, whole.size(), {}, meter);
    return result;
}

bool is_about_checksum(const nk::finding& problem) {
    try {
        std::rethrow_exception(problem.cause);
    } catch (const nk::checksum_error&) {
        return true;
    } catch (const nk::error&) {
        return false;
    }
}

strings found_in(const fs::path& file) {
    strings names;
    for (const auto& member : nk::recoverable_members(file).members)
        names.push_back(member.name);
    return names;
}

}  // namespace

TEST_CASE("the members before the cut are recovered from an archive that is cut short", "[npz][recover]") {
    const temp_dir dir;
    for (const bool compress : {false, true}) {
        CAPTURE(compress);
        nk::save_npz(dir / "a.npz", {{"first", six}, {"second", three}, {"third", six * 2.0}}, {.compress = compress});
        const auto whole = read_text(dir / "a.npz");
        const auto entries = nk::core::archive(dir / "a.npz", {}).entries();
        const auto cut_to = [&](std::uint64_t length) {
            write_text(dir / "cut.npz", whole.substr(0, static_cast<std::size_t>(length)));
            return found_in(dir / "cut.npz");
        };

        CHECK(cut_to(whole.size() - 1) == strings{"first", "second", "third"});
        CHECK(cut_to(entries[2].room_end) == strings{"first", "second", "third"});
        CHECK(cut_to(entries[2].room_end - 1) == strings{"first", "second"});
        CHECK(cut_to(entries[1].header_offset + 10) == strings{"first"});
        CHECK(cut_to(10).empty());
        CHECK(cut_to(0).empty());
    }
}

TEST_CASE("recover_npz writes the complete members to another archive and leaves the damaged one", "[npz][recover]") {
    const temp_dir dir;
    for (const bool compress : {false, true}) {
        CAPTURE(compress);
        save_all_kinds(dir / "a.npz", {.compress = compress, .meta = {{"run", 7}}});
        const auto entries = nk::core::archive(dir / "a.npz", {}).entries();
        const auto cut = read_text(dir / "a.npz").substr(0, static_cast<std::size_t>(entries.back().room_end));
        write_text(dir / "cut.npz", cut);

        const auto recovered = nk::recover_npz(dir / "cut.npz", dir / "new.npz");
        CHECK(recovered.members == entries.size());
        CHECK_FALSE(recovered.may_lack_members);

        CHECK((read_text(dir / "cut.npz") == cut));
        nk::verify_npz(dir / "new.npz");
        const nk::npz_reader in(dir / "new.npz");
        check_all_kinds(in);
        CHECK(in.metadata() == nk::json{{"run", 7}});
        CHECK(member_of(dir / "new.npz", "in memory").mappable == !compress);
        CHECK(member_of(dir / "new.npz", "in memory").compressed_nbytes ==
              member_of(dir / "a.npz", "in memory").compressed_nbytes);
    }
}

TEST_CASE("a damaged member does not hide the members after it", "[npz][recover]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"first", six}, {"second", three}, {"third", six}});
    const auto entries = nk::core::archive(dir / "a.npz", {}).entries();
    const auto whole = read_text(dir / "a.npz");

    flip_byte(dir / "a.npz", entries[1].room_end - 1);
    CHECK(found_in(dir / "a.npz") == strings{"first", "third"});

    write_text(dir / "a.npz", whole);
    flip_byte(dir / "a.npz", entries[1].header_offset + 21);  // the size
    CHECK(found_in(dir / "a.npz") == strings{"first", "third"});
}

TEST_CASE("members with a data descriptor are recovered", "[npz][recover]") {
    const temp_dir dir;
    // Stored data that itself holds the signature of a descriptor.
    const std::string tricky = npy_text(5) + "PK\x07\x08 and PK\x03\x04 in the data";
    for (const std::size_t width : {std::size_t{4}, std::size_t{8}}) {
        CAPTURE(width);
        write_text(dir / "t.npz", with_descriptor("a.npy", npy_text(1), true, true, width) +
                                      with_descriptor("b.npy", npy_text(2), true, false, width) +
                                      with_descriptor("c.npy", tricky, false, true, width) +
                                      with_descriptor("d.npy", npy_text(4), false, true, width).substr(0, 100));

        CHECK(nk::recover_npz(dir / "t.npz", dir / "new.npz").members == 3);

        const nk::npz_reader in(dir / "new.npz");
        CHECK(in.load<std::int32_t, 1>("a")(0) == 1);
        CHECK(in.load<std::int32_t, 1>("b")(0) == 2);
        CHECK(in.text("c.npy") == tricky);
    }
}

TEST_CASE("64-bit sizes of a local header are read", "[npz][recover]") {
    const temp_dir dir;
    write_text(dir / "t.npz", member_text("a.npy", npy_text(1), true) + "PK");

    CHECK(found_in(dir / "t.npz") == strings{"a"});
    CHECK(nk::recoverable_members(dir / "t.npz").members.at(0).nbytes == npy_text(1).size());
}

TEST_CASE("a header without sizes yet is no complete member", "[npz][recover]") {
    const temp_dir dir;
    nk::core::zip_entry entry;
    entry.raw_name = "b.npy";
    write_text(dir / "t.npz",
               member_text("a.npy", npy_text(1)) + nk::detail::zip_local_text(entry, false, 0) + npy_text(2));

    CHECK(found_in(dir / "t.npz") == strings{"a"});
}

TEST_CASE("recover_npz refuses to write over the damaged archive", "[npz][recover][error]") {
    const temp_dir dir;
    write_text(dir / "t.npz", member_text("a.npy", npy_text(1)));
    fs::create_hard_link(dir / "t.npz", dir / "same.npz");

    const auto e = thrown<nk::conflict_error>([&] { (void)nk::recover_npz(dir / "t.npz", dir / "same.npz"); });
    CHECK(e.found() == "the same file");
    CHECK(found_in(dir / "t.npz") == strings{"a"});
}

TEST_CASE("what is recovered of damaged archives matches its checksum", "[npz][recover][hostile]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", six}, {"b", three}, {"c", xt::xtensor<double, 1>(xt::arange<double>(400))}},
                 {.compress = true});
    const auto whole = read_text(dir / "a.npz");
    std::mt19937 random(4);
    for (int time = 0; time < 300; ++time) {
        auto damaged = whole;
        for (int i = 0; i < 3; ++i)
            damaged[random() % damaged.size()] = static_cast<char>(random());
        damaged.resize(random() % damaged.size());
        write_text(dir / "d.npz", damaged);
        (void)nk::recover_npz(dir / "d.npz", dir / "new.npz");
        for (const auto& finding : nk::findings_npz(dir / "new.npz")) {
            INFO(finding.message);
            REQUIRE_FALSE(is_about_checksum(finding));
        }
        const nk::npz_reader in(dir / "new.npz");
        for (const auto& name : in.names())
            (void)in.bytes(in.archive().find(name)->name);
    }
}

TEST_CASE("headers that each claim the rest of the file do not make the search slow", "[npz][recover][hostile]") {
    const temp_dir dir;
    nk::core::zip_entry entry;
    entry.raw_name = "x";
    std::string text;
    for (const std::uint16_t flags : {std::uint16_t{0}, nk::detail::zip_flag_descriptor}) {
        entry.flags = flags;
        const std::string header = nk::detail::zip_local_text(entry, false, 0);
        text.clear();
        constexpr std::size_t most = std::size_t{4} << 20;
        while (text.size() < most) {
            entry.size = entry.compressed = most - text.size() - header.size();
            text += nk::detail::zip_local_text(entry, false, 0);
        }
        text.resize(most);
        write_text(dir / "t.npz", text);

        const auto begin = std::chrono::steady_clock::now();
        const auto remains = nk::recoverable_members(dir / "t.npz");
        CHECK(remains.members.empty());
        CHECK(remains.may_lack_members);
        CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
    }
}

TEST_CASE("many damaged members with descriptors do not hide the members after them", "[npz][recover]") {
    const temp_dir dir;
    const std::string last = member_text("sized.npy", npy_text(1)) +
                             with_descriptor("stored.npy", npy_text(2), false, true, 4) +
                             with_descriptor("deflated.npy", npy_text(3), true, true, 4);
    const strings found = {"sized", "stored", "deflated"};
    for (const bool damages_data : {true, false}) {
        CAPTURE(damages_data);
        std::string text;
        for (int i = 0; i < 30; ++i) {
            auto damaged = with_descriptor("x.npy", std::string(2000, 'x'), false, true, 4);
            damaged[damaged.size() - (damages_data ? 100 : 8)] ^= 1;
            text += damaged;
        }
        write_text(dir / "t.npz", text + last);

        const auto remains = nk::recoverable_members(dir / "t.npz");
        CHECK(found_in(dir / "t.npz") == found);
        // With its descriptor, a damaged member costs its own bytes only.
        CHECK(remains.may_lack_members == !damages_data);
        CHECK(nk::recover_npz(dir / "t.npz", dir / "new.npz").may_lack_members == !damages_data);
    }
}

TEST_CASE("the time of a search is proportional to the size for many small members", "[npz][recover]") {
    std::string text;
    for (int i = 0; i < 2000; ++i)
        text += with_descriptor("x.npy", npy_text(i), true, true, 4);

    const auto result = counted_search(text);

    CHECK(result.found.directory.entries.size() == 2000);
    CHECK(result.bytes_read < 60 * text.size());
}

TEST_CASE("the time of a search is proportional to the size for many headers with long names", "[npz][recover]") {
    nk::core::zip_entry entry;
    entry.raw_name = std::string(65535, 'x');
    entry.flags = nk::detail::zip_flag_descriptor;
    const std::string header = nk::detail::zip_local_text(entry, false, 0).substr(0, 30);
    std::string text;
    for (int i = 0; i < 2000; ++i)
        text += header;
    text += std::string(2'000'000, 'x');

    const auto result = counted_search(text);

    CHECK(result.found.directory.entries.empty());
    CHECK(result.found.may_lack_members);
    CHECK(result.bytes_read < 20 * text.size());
}

TEST_CASE("the progress of a search is its place in the file", "[npz][recover]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"first", six}, {"second", three}, {"third", six}});
    const auto entries = nk::core::archive(dir / "a.npz", {}).entries();
    flip_byte(dir / "a.npz", entries[1].room_end - 1);
    nk::progress last;
    const nk::run_options run{.progress = [&](const nk::progress& now) {
        last = now;
        return nk::flow::go;
    }};

    (void)nk::recoverable_members(dir / "a.npz", {.run = run});

    CHECK(last.bytes_total == fs::file_size(dir / "a.npz"));
    CHECK(last.bytes == last.bytes_total);
}

TEST_CASE("recover_npz refuses a file that changes after the search", "[npz][recover][error]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    write_text(file, member_text("a.npy", npy_text(1)));
    int calls = 0;
    const nk::run_options run{.progress = [&](const nk::progress&) {
        if (++calls == 2)  // the end of the search
            std::ofstream(file, std::ios::app) << "more";
        return nk::flow::go;
    }};

    const auto e = thrown<nk::conflict_error>([&] { (void)nk::recover_npz(file, dir / "new.npz", {.run = run}); });

    CHECK(e.file() == file);
    CHECK_FALSE(fs::exists(dir / "new.npz"));
}

TEST_CASE("the limit of members holds for recovery", "[npz][recover][error]") {
    const temp_dir dir;
    write_text(dir / "t.npz", member_text("a.npy", npy_text(1)) + member_text("b.npy", npy_text(2)));

    CHECK(nk::recoverable_members(dir / "t.npz", {.limit = {.members = 2}}).members.size() == 2);
    (void)thrown<nk::format_error>([&] { (void)nk::recoverable_members(dir / "t.npz", {.limit = {.members = 1}}); });
}

}  // namespace npz_archives::recover_tests
