// SPDX-License-Identifier: BSD-3-Clause
// Verification detects and names changed data; recovery skips damaged records on request.
#include "chunks/dataset.hpp"
#include "store/record.hpp"

#include <functional>
#include <regex>

namespace chunks_verify_tests {

namespace nk = ndkeep;
using namespace dataset;

namespace {

using rows = xt::xtensor<double, 2>;

rows counted(std::size_t count, double first = 0) {
    rows array(std::array<std::size_t, 2>{count, 3});
    for (std::size_t i = 0; i < array.size(); ++i)
        array.data()[i] = first + static_cast<double>(i);
    return array;
}

void change_byte(const std::filesystem::path& file, std::uint64_t at) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const int byte = stream.get();
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(static_cast<char>(byte ^ 16));
}

template <class Call>
bool fails(Call&& call) {
    try {
        call();
    } catch (const nk::error&) {
        return true;
    }
    return false;
}

/// The path of a commit's record.
std::filesystem::path record(const std::filesystem::path& path, std::uint64_t number) {
    const auto digits = std::to_string(number);
    return path / "commits" / (std::string(20 - digits.size(), '0') + digits + ".json");
}

/// Takes members out of the entries of a record, as if its writer did not know them.
void leave_out(const std::filesystem::path& record, const std::vector<std::string>& members) {
    auto text = read_text(record);
    for (const auto& member : members)
        text = std::regex_replace(text, std::regex(", \"" + member + "\": [^,}]+"), "");
    write_text(record, store_rows::sealed(text));
}

}  // namespace

TEST_CASE("a changed byte is found whatever the checksum", "[chunks]") {
    const temp_dir dir;
    for (const auto sum : {nk::checksum::crc32c, nk::checksum::crc32, nk::checksum::md5}) {
        const auto path = dir / std::to_string(static_cast<int>(sum));
        // Chunks of 24,000 bytes are mapped; the last one, with 4,800 bytes, is read.
        nk::save_chunked(path, counted(2200), {.rows_per_chunk = 1000, .sum = sum, .commit = unsynced});
        check_rows(path, counted(2200));
        for (const std::size_t which : {1U, 2U}) {
            INFO("chunk " << which);
            const auto chunk = nk::inspect_chunked(path).chunks[which];
            const auto file = path / "chunks" / chunk.file;
            change_byte(file, chunk.offset + 100);

            const auto e = thrown<nk::checksum_error>([&] { nk::verify_chunked(path); });

            CHECK(e.file() == file);
            const std::string first = std::to_string(1000 * which);
            CHECK(e.field().find("rows " + first) != std::string::npos);
            CHECK(e.expected() == chunk.sum);
            CHECK(e.found() != chunk.sum);
            CHECK(e.found().size() == chunk.sum.size());
            CHECK_THROWS_AS((nk::load_chunked<double>(path)), nk::checksum_error);
            CHECK_THROWS_AS((nk::map_chunked<double>(path, {.verify = true})), nk::checksum_error);
            const nk::chunk_reader<double> reader(path, {.verify = true});
            CHECK_THROWS_AS(reader[which], nk::checksum_error);
            CHECK_NOTHROW(reader[0]);
            if (which == 1)
                CHECK_NOTHROW((nk::map_chunked<double>(path)));
            change_byte(file, chunk.offset + 100);
        }
        nk::verify_chunked(path);
    }
}

TEST_CASE("without checksums verify reads headers, lengths, smallest and largest numbers", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(2200), {.rows_per_chunk = 1000, .sum = nk::checksum::none, .commit = unsynced});
    check_rows(path, counted(2200));
    const auto chunk = nk::inspect_chunked(path).chunks[0];
    CHECK(chunk.sum.empty());
    const auto file = path / "chunks" / chunk.file;

    change_byte(file, chunk.offset + chunk.nbytes - 2);  // in the largest value

    CHECK(thrown<nk::checksum_error>([&] { nk::verify_chunked(path); }).field() == "range of the keys");
    CHECK_NOTHROW((nk::load_chunked<double>(path)));
    std::filesystem::resize_file(file, chunk.offset + chunk.nbytes - 1);
    CHECK_THROWS_AS(nk::verify_chunked(path), nk::format_error);
    CHECK_THROWS_AS((nk::load_chunked<double>(path)), nk::format_error);
    CHECK_THROWS_AS((nk::map_chunked<double>(path)), nk::format_error);
}

TEST_CASE("members that another writer has left out of an entry are unknown", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(2200), {.rows_per_chunk = 1000, .commit = unsynced});
    leave_out(record(path, 1), {"min", "max", "crc32c"});
    REQUIRE(nk::inspect_chunked(path).chunks[0].sum.empty());
    REQUIRE(!nk::inspect_chunked(path).chunks[0].min);

    check_rows(path, counted(2200));
    const nk::chunk_reader<double> reader(path);
    CHECK((reader.find(3000, 3001) == nk::row_range{1000, 2000}));
    CHECK(reader.find(-2, -1).first == reader.find(-2, -1).last);
    nk::chunk_writer<double, 2> writer(path, {.commit = unsynced});
    writer.append(counted(1, 6600));
    writer.write(0, counted(1));
    writer.commit();
    check_rows(path, counted(2201));
    CHECK(nk::inspect_chunked(path).chunks[1].sum.empty());
}

TEST_CASE("a sum that another writer has left out hides no change of the smallest and largest numbers", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(2200), {.rows_per_chunk = 1000, .commit = unsynced});
    leave_out(record(path, 1), {"crc32c"});
    const auto chunk = nk::inspect_chunked(path).chunks[0];

    change_byte(path / "chunks" / chunk.file, chunk.offset + chunk.nbytes - 2);  // in the largest value

    CHECK(thrown<nk::checksum_error>([&] { nk::verify_chunked(path); }).field() == "range of the keys");
}

TEST_CASE("one checksum, not several", "[chunks]") {
    const temp_dir dir;
    CHECK_THROWS_AS(nk::save_chunked(dir / "a", counted(3), {.sum = nk::checksum::crc32 | nk::checksum::md5}),
                    nk::mismatch_error);
}

TEST_CASE("whatever happens to a chunk's file is found and named", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    struct damage {
        const char* what;
        std::function<void(const std::filesystem::path& file, const nk::chunk_entry& chunk)> make;
        bool load_notices = true;
    };
    const auto another = [&](const auto& array) {
        return [&dir, array](const std::filesystem::path& file, const nk::chunk_entry&) {
            nk::save(dir / "other.npy", array);
            std::filesystem::copy_file(dir / "other.npy", file, std::filesystem::copy_options::overwrite_existing);
        };
    };
    const std::vector<damage> damages = {
        {"a byte of the data", [](auto& file, auto& chunk) { change_byte(file, chunk.offset); }},
        {"a byte of the header", [](auto& file, auto&) { change_byte(file, 12); }, false},
        {"the magic", [](auto& file, auto&) { change_byte(file, 0); }, false},
        {"cut by a byte",
         [](auto& file, auto& chunk) { std::filesystem::resize_file(file, chunk.offset + chunk.nbytes - 1); }},
        {"cut in the header", [](auto& file, auto&) { std::filesystem::resize_file(file, 50); }},
        {"empty", [](auto& file, auto&) { std::filesystem::resize_file(file, 0); }},
        {"longer", [](auto& file, auto&) { std::ofstream(file, std::ios::app) << 'x'; }},
        {"missing", [](auto& file, auto&) { std::filesystem::remove(file); }},
        {"garbage", [](auto& file, auto& chunk) { write_text(file, std::string(chunk.offset + chunk.nbytes, 'x')); }},
        {"another dtype", another(xt::xtensor<float, 2>(xt::ones<float>({20'000, 3})))},
        {"another shape", another(rows(xt::ones<double>({20'000, 3})))},
        {"another order", another(xt::xarray<double, xt::layout_type::column_major>(xt::ones<double>({20'000, 3})))},
        {"a directory", [](auto& file, auto&) {
             std::filesystem::remove(file);
             std::filesystem::create_directory(file);
         }},
        {"a link",
         [&](auto& file, auto&) {
             std::filesystem::rename(file, dir / "elsewhere");
             std::filesystem::create_symlink(dir / "elsewhere", file);
         }},
    };
    for (const std::size_t per_chunk : {100U, 2000U})
        for (const auto& [what, make, load_notices] : damages) {
            INFO(what << ", " << per_chunk << " rows a chunk");
            std::filesystem::remove_all(path);
            nk::save_chunked(path, counted(3 * per_chunk), {.rows_per_chunk = per_chunk, .commit = unsynced});
            const auto chunk = nk::inspect_chunked(path).chunks[1];
            const auto file = path / "chunks" / chunk.file;

            make(file, chunk);

            const auto findings = nk::findings_chunked(path);
            REQUIRE(findings.size() == 1);
            CHECK(findings[0].file == file);
            CHECK(findings[0].message.find(chunk.file) != std::string::npos);
            CHECK_THROWS_AS(nk::verify_chunked(path), nk::error);
            CHECK(fails([&] { (void)nk::load_chunked<double>(path); }) == load_notices);
            if (load_notices)
                CHECK(fails([&] { (void)nk::map_chunked<double>(path, {.verify = true}); }));
            else
                CHECK(same(nk::load_chunked<double, 2>(path), counted(3 * per_chunk)));
        }
}

TEST_CASE("two files that changed places are found, and all of several", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(10'000), {.rows_per_chunk = 1000, .commit = unsynced});
    const auto chunks = nk::inspect_chunked(path).chunks;
    const auto file = [&](std::size_t i) { return path / "chunks" / chunks[i].file; };

    std::filesystem::rename(file(2), path / "x");
    std::filesystem::rename(file(4), file(2));
    std::filesystem::rename(path / "x", file(4));
    std::filesystem::remove(file(7));
    change_byte(file(9), chunks[9].offset + 5);

    const auto findings = nk::findings_chunked(path);
    REQUIRE(findings.size() == 4);
    CHECK(findings[0].file == file(2));
    CHECK(findings[1].file == file(4));
    CHECK(findings[2].file == file(7));
    CHECK(findings[3].file == file(9));
    for (const auto& each : findings)
        CHECK(each.cause != nullptr);
    CHECK(fails([&] { (void)nk::load_chunked<double>(path); }));
    CHECK(fails([&] { (void)nk::map_chunked<double>(path, {.verify = true}); }));
}

TEST_CASE("an older version is verified too", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(10), {.commit = unsynced});
    const auto file = path / "chunks" / nk::inspect_chunked(path).chunks[0].file;
    nk::save_chunked(path, counted(20), {.commit = unsynced});
    change_byte(file, 200);

    nk::verify_chunked(path);
    CHECK_THROWS_AS(nk::verify_chunked(path, {.at_commit = 1}), nk::checksum_error);
}

TEST_CASE("a damaged record is said, and recover_chunked steps over it", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(10), {.commit = unsynced});
    nk::chunk_writer<double, 2> writer(path, {.commit = unsynced});
    writer.append(counted(5));
    writer.commit();
    CHECK(nk::recover_chunked(path).empty());
    writer.append(counted(7));
    writer.commit();

    change_byte(record(path, 3), 40);

    const auto e = thrown<nk::checksum_error>([&] { (void)nk::load_chunked<double>(path); });
    CHECK(e.file() == record(path, 3));
    CHECK(std::string(e.what()).find("recover_chunked") != std::string::npos);
    CHECK_THROWS_AS((nk::chunk_writer<double>(path)), nk::checksum_error);
    CHECK_THROWS_AS(nk::verify_chunked(path), nk::checksum_error);
    CHECK(nk::findings_chunked(path).size() == 1);
    CHECK((nk::load_chunked<double, 2>(path, {.at_commit = 1}).shape()[0] == 10));

    CHECK(nk::damaged_commits(path) == std::vector<std::uint64_t>{3});
    CHECK(nk::recover_chunked(path) == std::vector<std::uint64_t>{3});
    CHECK(nk::damaged_commits(path).empty());

    const rows kept = xt::concatenate(xt::xtuple(counted(10), counted(5)), 0);
    check_rows(path, kept);
    CHECK(nk::inspect_chunked(path).commit == 4);
    CHECK(nk::recover_chunked(path).empty());
    CHECK((nk::load_chunked<double, 2>(path, {.at_commit = 2}).shape()[0] == 15));
    CHECK((nk::load_chunked<double, 2>(path, {.at_commit = 1}).shape()[0] == 10));
    CHECK_THROWS_AS((nk::load_chunked<double, 2>(path, {.at_commit = 3})), nk::error);
    nk::chunk_writer<double, 2> again(path, {.commit = unsynced});
    again.append(counted(7));
    CHECK(again.commit() == 5);
    check_rows(path, rows(xt::concatenate(xt::xtuple(kept, counted(7)), 0)));
}

TEST_CASE("several damaged records are stepped over, cut, empty and scribbled on", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    for (std::size_t i = 1; i <= 5; ++i)
        nk::save_chunked(path, counted(i), {.commit = unsynced});

    std::filesystem::resize_file(record(path, 3), 100);
    std::filesystem::resize_file(record(path, 4), 0);
    write_text(record(path, 5), "{}");

    CHECK((nk::damaged_commits(path) == std::vector<std::uint64_t>{5, 4, 3}));
    CHECK(nk::recover_chunked(path).size() == 3);
    check_rows(path, counted(2));
    CHECK((nk::load_chunked<double, 2>(path, {.at_commit = 2}).shape()[0] == 2));
    CHECK((nk::load_chunked<double, 2>(path, {.at_commit = 1}).shape()[0] == 1));
}

TEST_CASE("a dataset that was recovered is written, pruned and swept as any other", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    for (std::size_t i = 1; i <= 3; ++i)
        nk::save_chunked(path, counted(i), {.commit = unsynced});
    change_byte(record(path, 3), 40);
    CHECK(nk::recover_chunked(path).size() == 1);

    CHECK_NOTHROW(nk::prune_chunked(path, {.keep = 3}));
    nk::chunk_writer<double, 2> writer(path, {.commit = {.sync = false, .keep = 2}});
    for (int i = 0; i < 30; ++i) {
        writer.append(counted(1));
        CHECK_NOTHROW(writer.commit());
    }
    CHECK(records(path).size() <= 6);
    CHECK_NOTHROW(nk::prune_chunked(path));
    CHECK(records(path).size() == 1);
    CHECK((nk::load_chunked<double, 2>(path).shape()[0] == 32));
}

TEST_CASE("a commit that prunes passes over a damaged record that was stepped over", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    for (std::size_t i = 1; i <= 9; ++i)
        nk::save_chunked(path, counted(i), {.commit = unsynced});
    change_byte(record(path, 9), 40);
    (void)nk::recover_chunked(path);
    nk::chunk_writer<double, 2> writer(path, {.commit = {.sync = false, .keep = 4}});

    for (std::uint64_t number = 11; number <= 30; ++number) {
        writer.append(counted(1));
        CHECK_NOTHROW(writer.commit());
    }

    CHECK(records(path).size() <= 8);
    CHECK((nk::load_chunked<double, 2>(path).shape()[0] == 28));
}

TEST_CASE("what a damaged commit had added is swept once its record is gone", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(4), {.commit = unsynced});
    nk::save_chunked(path, counted(9), {.commit = unsynced});
    change_byte(record(path, 2), 40);
    (void)nk::recover_chunked(path);
    for (int i = 0; i < 3; ++i)
        nk::save_chunked(path, counted(4), {.commit = unsynced});
    CHECK_NOTHROW(nk::prune_chunked(path));

    nk::save_chunked(path, counted(5), {.commit = unsynced});
    nk::prune_chunked(path);

    CHECK(orphans(path).empty());
    check_rows(path, counted(5));
}

TEST_CASE("where no record is left to read, recover_chunked says so", "[chunks][error]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(10), {.commit = unsynced});
    change_byte(record(path, 1), 40);

    CHECK_THROWS_AS(nk::recover_chunked(path), nk::io_error);
    CHECK_THROWS_AS(nk::damaged_commits(path), nk::io_error);
}

TEST_CASE("a damaged or missing table is said", "[chunks][error]") {
    const temp_dir dir;
    const auto path = dir / "a";
    nk::save_chunked(path, counted(300), {.rows_per_chunk = 1, .commit = unsynced});
    const auto state = nk::json::parse(read_text(record(path, 1)));
    const auto table = path / "chunks" / state.at("chunks").at(0).at("table").get<std::string>();
    change_byte(table, 300);

    const auto e = thrown<nk::checksum_error>([&] { (void)nk::load_chunked<double>(path); });
    CHECK(e.file() == table);
    CHECK(nk::findings_chunked(path).size() == 1);

    std::filesystem::remove(table);
    CHECK_THROWS_AS((nk::load_chunked<double>(path)), nk::format_error);
    CHECK(nk::findings_chunked(path).size() == 1);
}

}  // namespace chunks_verify_tests
