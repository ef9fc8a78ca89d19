// SPDX-License-Identifier: BSD-3-Clause
// All chunks mapped as one contiguous array over the pages of the files.
#include "chunks/dataset.hpp"

#include <ndkeep/chunks/detail/gather_plan.hpp>

#include <csetjmp>
#include <csignal>
#include <random>

namespace chunks_map_tests {

namespace nk = ndkeep;
using namespace dataset;

namespace {

using bytes = xt::xtensor<std::uint8_t, 2>;

bytes noise(std::size_t rows, std::size_t row_bytes) {
    bytes array(std::array<std::size_t, 2>{rows, row_bytes});
    std::minstd_rand random(static_cast<unsigned>(rows * 31 + row_bytes));
    for (auto& byte : array)
        byte = static_cast<std::uint8_t>(random() >> 8);
    return array;
}

/// Chunk ranges as the library writes them: with headers of 4096 bytes or more, padded to the alignment that `place`
/// needs.
std::vector<nk::detail::gathered_range> chunks_of(const std::vector<std::uint64_t>& lengths) {
    std::vector<nk::detail::gathered_range> ranges;
    std::uint64_t at = 0;
    for (const std::uint64_t length : lengths) {
        ranges.push_back({true, length < 16384 ? 128 : 4096 + at % 4096, length});
        at += length;
    }
    return ranges;
}

/// Checks that every byte of every range is covered once, and that the mapped parts are aligned to pages.
void check_plan(const std::vector<nk::detail::gathered_range>& ranges, std::uint64_t page, std::uint64_t worth_it) {
    const auto plan = nk::detail::plan_gathering(ranges, page, worth_it);
    REQUIRE(plan.size() == ranges.size());
    std::uint64_t at = nk::detail::gathered_begin, mapped_to = 0;
    bool right = true;
    for (std::size_t i = 0; i < plan.size(); ++i) {
        const auto& [begin, read, mapped] = plan[i];
        right = right && begin == at && read + mapped == (ranges[i].has_file ? ranges[i].length : 0);
        if (mapped != 0) {
            right = right && (begin + read) % page == 0 && (ranges[i].file_offset + read) % page == 0;
            // A mapping must not overlap the pages of the previous one; bytes that are read go into its last page.
            right = right && begin + read >= mapped_to && read < page && ranges[i].length >= worth_it;
            mapped_to = (begin + read + mapped + page - 1) / page * page;
        }
        at += ranges[i].length;
    }
    CHECK(right);
}

std::uint64_t mapped_bytes(const std::vector<nk::detail::gathered_range>& ranges, std::uint64_t page) {
    std::uint64_t sum = 0;
    for (const auto& part : nk::detail::plan_gathering(ranges, page, 16384))
        sum += part.mapped;
    return sum;
}

std::uint64_t count_mappings() {
    std::ifstream maps("/proc/self/maps");
    std::uint64_t lines = 0;
    for (std::string line; std::getline(maps, line);)
        ++lines;
    return lines;
}

}  // namespace

TEST_CASE("the plan covers every byte once, at any page size", "[chunks]") {
    std::minstd_rand random(7);
    for (const std::uint64_t page : {4096U, 16384U, 65536U})
        for (int turn = 0; turn < 300; ++turn) {
            std::vector<nk::detail::gathered_range> ranges;
            std::uint64_t at = 0;
            for (std::uint64_t i = 0, count = random() % 12; i < count; ++i) {
                static constexpr std::uint64_t scales[] = {5, 4096, 20'000, 100'000, 300'000};
                std::uint64_t length = 1 + random() % scales[random() % 5];
                if (random() % 3 == 0)
                    length = (length + page - 1) / page * page;
                const bool placed = length >= 16384 && random() % 4 != 0;
                ranges.push_back({random() % 5 != 0, placed ? 4096 + at % 4096 : random() % 2 * 128 + 128, length});
                at += length;
            }
            check_plan(ranges, page, 16384);
        }
}

TEST_CASE("chunks of 16 KiB and more are mapped whatever their length, where pages are of 4 KiB", "[chunks]") {
    for (const std::uint64_t length : {16384U, 16387U, 20'000U, 24'000U, 100'001U, 1U << 20U}) {
        const std::vector<std::uint64_t> lengths(50, length);
        const auto ranges = chunks_of(lengths);
        check_plan(ranges, 4096, 16384);
        CHECK(mapped_bytes(ranges, 4096) >= 50 * length - 50 * 4095);
    }
}

TEST_CASE("chunks of the default length are mapped in whole also where pages are of 64 KiB", "[chunks]") {
    for (const std::uint64_t row_bytes : {1U, 3U, 8U, 24U, 100U}) {
        const std::uint64_t length = nk::chunk_size().rows(row_bytes) * row_bytes;
        const auto ranges = chunks_of(std::vector<std::uint64_t>(20, length));
        for (const std::uint64_t page : {4096U, 16384U, 65536U}) {
            INFO(row_bytes << " bytes a row, pages of " << page);
            check_plan(ranges, page, 16384);
            for (const auto& part : nk::detail::plan_gathering(ranges, page, 16384))
                if (part.mapped == 0 || part.read >= page)
                    FAIL_CHECK("read");
        }
    }
}

TEST_CASE("zeros and small chunks need no mapping of their own", "[chunks]") {
    const auto plan = nk::detail::plan_gathering(
        {{true, 4096, 20'000}, {false, 0, 1 << 20}, {true, 128, 100}, {true, 4096, 8192}, {true, 130, 40'000}}, 4096,
        16384);
    CHECK(plan[0].mapped == 20'000);
    CHECK((plan[1].mapped == 0 && plan[1].read == 0));
    CHECK((plan[2].mapped == 0 && plan[2].read == 100));
    CHECK((plan[3].mapped == 0 && plan[3].read == 8192));
    CHECK((plan[4].mapped == 0 && plan[4].read == 40'000));
}

TEST_CASE("headers put data where its place in the array is, modulo a page", "[chunks]") {
    const temp_dir dir;
    for (const std::size_t row_bytes : {1U, 3U, 24U, 100U, 4096U, 4104U, 20'000U}) {
        const auto path = dir / std::to_string(row_bytes);
        const std::size_t per_chunk = 40'000 / row_bytes + 1;
        nk::save_chunked(path, noise(5 * per_chunk + 1, row_bytes), {.rows_per_chunk = per_chunk, .commit = unsynced});

        std::uint64_t at = 0;
        for (const auto& chunk : nk::inspect_chunked(path).chunks) {
            const auto file = path / "chunks" / chunk.file;
            CHECK(nk::inspect(file).data_offset == chunk.offset);
            CHECK(chunk.offset <= 10'000);
            if (chunk.nbytes >= 16384)
                CHECK(chunk.offset % 4096 == at % 4096);
            else
                CHECK(chunk.offset == 128);
            at += chunk.nbytes;
        }
    }
}

TEST_CASE("a mapped dataset equals a loaded one for any row and any rows a chunk", "[chunks]") {
    const temp_dir dir;
    for (const std::size_t row_bytes : {1U, 3U, 8U, 24U, 1000U, 4096U, 4104U, 20'000U})
        for (const std::size_t chunk_length : {1U, 10'000U, 16'384U, 30'000U, 65'536U, 100'003U}) {
            INFO(row_bytes << " bytes a row, " << chunk_length << " bytes a chunk");
            const std::size_t per_chunk = std::max<std::size_t>(1, chunk_length / row_bytes);
            if (chunk_length == 1 && row_bytes < 1000)
                continue;
            const auto array = noise(6 * per_chunk + per_chunk / 2, row_bytes);
            const auto path = dir / "a";
            nk::save_chunked(path, array, {.rows_per_chunk = per_chunk, .replace_type = true, .commit = unsynced});

            const auto all = nk::map_chunked<std::uint8_t, 2>(path);

            CHECK(same(all, array));
            CHECK(same(nk::map_chunked<std::uint8_t, 2>(path, {.verify = true}), array));
            CHECK(same(nk::load_chunked<std::uint8_t, 2>(path), array));
            CHECK(same_chunk_by_chunk(nk::chunk_reader<std::uint8_t, 2>(path), array));
        }
}

TEST_CASE("pages are the files' own: as many mappings as chunks, and no memory", "[chunks]") {
    const temp_dir dir;
    const auto array = noise(20 * 1001, 100);
    nk::save_chunked(dir / "a", array, {.rows_per_chunk = 1001, .commit = unsynced});
    const auto before = count_mappings();

    const auto all = nk::map_chunked<std::uint8_t, 2>(dir / "a");

    const auto more = count_mappings() - before;
    CHECK(more >= 19);
    CHECK(more <= 22);
    CHECK(same(all, array));
    CHECK(reinterpret_cast<std::uintptr_t>(all.data()) % 4096 == 0);
}

TEST_CASE("5000 chunks of one row of 20 KiB are one array", "[chunks][slow]") {
    const temp_dir dir;
    const std::size_t row_bytes = 20 * 1024 + 8;
    xt::xtensor<std::int64_t, 2> array(std::array<std::size_t, 2>{5000, row_bytes / 8});
    for (std::size_t i = 0; i < array.size(); ++i)
        array.data()[i] = static_cast<std::int64_t>(i);
    nk::save_chunked(dir / "a", array, {.rows_per_chunk = 1, .commit = unsynced});

    const auto all = nk::map_chunked<std::int64_t, 2>(dir / "a");

    CHECK(nk::chunk_reader<std::int64_t, 2>(dir / "a").size() == 5000);
    CHECK(same(all, array));
}

TEST_CASE("a mapped dataset survives its reader, a prune and the removal of its files", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto array = noise(1000, 100);
    nk::save_chunked(path, array, {.rows_per_chunk = 300, .commit = unsynced});
    auto all = nk::map_chunked<std::uint8_t, 2>(path);
    auto chunk = [&] { return nk::chunk_reader<std::uint8_t, 2>(path)[1]; }();

    nk::save_chunked(path, noise(1000, 100) + std::uint8_t{1},
                     {.rows_per_chunk = 200, .replace_type = true, .commit = unsynced});
    CHECK(nk::prune_chunked(path) == 1);
    std::filesystem::remove_all(path);

    CHECK(same(all, array));
    const auto moved = std::move(all);
    CHECK(same(moved, array));
    CHECK(std::memcmp(chunk.data(), array.data() + 30'000, 30'000) == 0);
}

namespace {
sigjmp_buf faulted;
bool stores_fault(const std::uint8_t* at) {
    struct sigaction catcher = {}, before_segv = {}, before_bus = {};
    catcher.sa_handler = [](int) { siglongjmp(faulted, 1); };
    sigaction(SIGSEGV, &catcher, &before_segv);
    sigaction(SIGBUS, &catcher, &before_bus);
    bool caught = true;
    if (sigsetjmp(faulted, 1) == 0) {
        *const_cast<volatile std::uint8_t*>(at) = 0;
        caught = false;
    }
    sigaction(SIGSEGV, &before_segv, nullptr);
    sigaction(SIGBUS, &before_bus, nullptr);
    return caught;
}
}  // namespace

TEST_CASE("nothing can be stored into a mapped dataset, also where chunks meet", "[chunks]") {
    const temp_dir dir;
    nk::save_chunked(dir / "a", noise(1000, 100), {.rows_per_chunk = 300, .commit = unsynced});
    nk::chunk_writer<std::uint8_t, 2> writer(dir / "a", {.commit = unsynced});
    writer.resize(1200);
    writer.commit();

    const auto all = nk::map_chunked<std::uint8_t, 2>(dir / "a");

    for (const std::size_t at : {0U, 29'999U, 30'000U, 30'001U, 59'999U, 60'000U, 95'000U, 100'000U, 119'999U})
        CHECK(stores_fault(all.data() + at));
}

TEST_CASE("a chunk file that is longer than its rows is refused, for what follows would be seen in zeros", "[chunks]") {
    const temp_dir dir;
    const auto path = dir / "a";
    const auto array = noise(300, 100);
    nk::save_chunked(path, array, {.rows_per_chunk = 300, .commit = unsynced});
    nk::chunk_writer<std::uint8_t, 2> writer(path, {.commit = unsynced});
    writer.resize(320);
    writer.append(noise(300, 100));
    writer.commit();
    const bytes expected = xt::concatenate(xt::xtuple(array, bytes(xt::zeros<std::uint8_t>({20, 100})), array), 0);
    check_rows(path, expected);

    std::ofstream(path / "chunks" / nk::inspect_chunked(path).chunks[0].file, std::ios::app) << std::string(500, 'x');

    CHECK_THROWS_AS((nk::map_chunked<std::uint8_t, 2>(path)), nk::format_error);
}

TEST_CASE("too many chunks to map are refused before, and the message says what helps", "[chunks][error]") {
    CHECK_NOTHROW(nk::detail::check_mappings(64'000, nk::detail::mapping_budget{65'530, 506}, "a"));
    CHECK_NOTHROW(nk::detail::check_mappings(1'000'000, std::nullopt, "a"));
    CHECK(nk::detail::mappings_of_process()->used > 10);
    CHECK(nk::detail::mappings_of_process()->most > 1000);

    const auto e = thrown<nk::io_error>([&] {
        nk::detail::check_mappings(64'001, nk::detail::mapping_budget{65'530, 506}, "readings");
    });

    CHECK((e.code() == std::errc::not_enough_memory));
    const std::string text = e.what();
    CHECK(e.file() == "readings");
    for (const char* const part :
         {"64001 chunks", "65530", "compact_chunked", "more rows per chunk", "vm.max_map_count"})
        CHECK(text.find(part) != std::string::npos);
}

TEST_CASE("an empty dataset and one of zeros alone are mapped", "[chunks]") {
    const temp_dir dir;
    nk::save_chunked(dir / "a", noise(0, 5), {.commit = unsynced});
    const auto none = nk::map_chunked<std::uint8_t, 2>(dir / "a");
    CHECK(none.size() == 0);
    CHECK(none.shape()[1] == 5);

    nk::chunk_writer<std::uint8_t, 2> writer(dir / "a", {.commit = unsynced});
    writer.resize(std::uint64_t{1} << 34);  // 80 GiB of address space, without memory or disk space
    writer.commit();
    const auto zeros = nk::map_chunked<std::uint8_t, 2>(dir / "a");
    CHECK(zeros.shape()[0] == std::size_t{1} << 34);
    CHECK((zeros(0, 0) == 0 && zeros((std::size_t{1} << 34) - 1, 4) == 0));
}

}  // namespace chunks_map_tests
