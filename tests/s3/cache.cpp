// SPDX-License-Identifier: BSD-3-Clause
// Local copies of chunks in a bucket: they save requests, are shared, checked and bounded, and are not necessary.
#include "s3/bucket.hpp"
#include "s3/services.hpp"

#include <ndkeep/chunks.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>

namespace s3_cache_tests {

namespace nk = ndkeep;
namespace fs = std::filesystem;
using s3test::counting;
using s3test::same;

using reader = nk::chunk_reader<double, 1>;

constexpr std::size_t chunks = 8, chunk_rows = 4'096;          // 32 KiB each, so that they are mapped
constexpr std::uint64_t chunk_bytes = 8 * chunk_rows + 8'192;  // at most, with its header

[[nodiscard]] std::string saved() {
    auto name = s3test::new_name();
    nk::save_chunked(s3test::bucket() / name, counting(0, chunks * chunk_rows), {.rows_per_chunk = chunk_rows});
    return name;
}

[[nodiscard]] bool is_right(const reader& readings) {
    for (std::size_t i = 0; i < chunks; ++i)
        if (!(readings[i] == counting(i * chunk_rows, (i + 1) * chunk_rows)))
            return false;
    return true;
}

/// The copies in a cache.
[[nodiscard]] std::vector<fs::path> copies_in(const fs::path& cache) {
    std::vector<fs::path> found;
    for (const auto& each : fs::directory_iterator(cache))
        if (each.path().extension() == ".npy")
            found.push_back(each.path());
    std::sort(found.begin(), found.end());
    return found;
}

/// The number of requests that a pass makes after the reader was opened.
[[nodiscard]] std::uint64_t requests_of_a_pass(const std::string& name, const nk::cache_options& cache) {
    const auto where = s3test::bucket() / name;
    const reader readings(where, {.cache = cache});
    const auto before = where.requests();
    REQUIRE(is_right(readings));
    return where.requests() - before;
}

TEST_CASE("a second pass with a cache makes no requests for chunks, also in another process", "[s3][cache]") {
    const temp_dir dir;
    const auto name = saved();
    const nk::cache_options cache = {.path = dir / "cache"};

    s3test::child first([&] {
        if (requests_of_a_pass(name, cache) < chunks)
            throw std::runtime_error("something was there already");
    });
    REQUIRE(first.wait());

    CHECK(requests_of_a_pass(name, cache) == 0);
    const auto where = s3test::bucket() / name;
    const auto all = nk::map_chunked<double, 1>(where, {.verify = true, .cache = cache});
    CHECK(where.requests() < chunks);
    CHECK(same(all, counting(0, chunks * chunk_rows)));
    CHECK(same(nk::load_chunked<double, 1>(where, {.cache = cache}), counting(0, chunks * chunk_rows)));
    CHECK(copies_in(dir / "cache").size() == chunks);
}

TEST_CASE("an array in a bucket is mapped from a cache only, and loaded without one", "[s3][cache][error]") {
    const auto name = saved();
    const auto where = s3test::bucket() / name;

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::map_chunked<double, 1>(where); });
    CHECK(e.file() == where.path());
    CHECK(e.field() == "cache");
    CHECK(e.hint().find("load_chunked") != std::string::npos);
    CHECK(same(nk::load_chunked<double, 1>(where), counting(0, chunks * chunk_rows)));
}

TEST_CASE("two processes that fill one cache at once both read the right rows", "[s3][cache]") {
    const temp_dir dir;
    const auto name = saved();
    const nk::cache_options cache = {.path = dir / "cache", .bytes = 3 * chunk_bytes};

    std::vector<std::unique_ptr<s3test::child>> both;
    for (int i = 0; i < 2; ++i)
        both.push_back(std::make_unique<s3test::child>([&] {
            for (int pass = 0; pass < 4; ++pass)
                if (!is_right(reader(s3test::bucket() / name, {.verify = true, .cache = cache})))
                    throw std::runtime_error("other rows");
        }));

    for (auto& each : both)
        CHECK(each->wait());
}

TEST_CASE("a copy that is damaged, cut short or without its sum is fetched again", "[s3][cache]") {
    const temp_dir dir;
    const auto name = saved();
    const nk::cache_options cache = {.path = dir / "cache"};
    REQUIRE(requests_of_a_pass(name, cache) >= chunks);
    const auto copies = copies_in(cache.path);
    REQUIRE(copies.size() == chunks);

    auto text = read_text(copies[0]);
    text.back() = static_cast<char>(text.back() ^ 1);
    write_text(copies[0], text);
    fs::resize_file(copies[1], fs::file_size(copies[1]) - 8);
    fs::remove(copies[2].string() + ".sum");
    write_text(copies[3], "");
    write_text(copies[4].string() + ".sum", "");
    fs::remove(copies[5]);

    // The length and the bytes of each.
    CHECK(requests_of_a_pass(name, cache) == 6 * 2);
    CHECK(requests_of_a_pass(name, cache) == 0);
}

TEST_CASE("a cache is not larger than its limit, and keeps what was used last", "[s3][cache]") {
    const temp_dir dir;
    const auto name = saved();
    const nk::cache_options cache = {.path = dir / "cache", .bytes = 3 * chunk_bytes};
    const reader readings(s3test::bucket() / name, {.cache = cache});

    for (std::size_t i = 0; i < chunks; ++i) {
        CHECK(same(readings[i], counting(i * chunk_rows, (i + 1) * chunk_rows)));
        std::uint64_t bytes = 0;
        for (const auto& copy : copies_in(cache.path))
            bytes += fs::file_size(copy);
        CHECK(bytes <= cache.bytes);
    }

    CHECK(copies_in(cache.path).size() >= 2);
    const auto where = s3test::bucket() / name;
    const reader again(where, {.cache = cache});
    const auto before = where.requests();
    CHECK(same(again[chunks - 1], counting((chunks - 1) * chunk_rows, chunks * chunk_rows)));
    CHECK(where.requests() == before);
}

TEST_CASE("rows are read without copies where the cache cannot be written", "[s3][cache][error]") {
    const temp_dir dir;
    const auto name = saved();
    const nk::cache_options cache = {.path = dir / "cache"};
    fs::create_directory(cache.path);
    const auto reads = [&](const std::function<void()>& prepare) {
        s3test::child reading([&] {
            prepare();
            if (!is_right(reader(s3test::bucket() / name, {.cache = cache})))
                throw std::runtime_error("other rows");
            if (!(nk::load_chunked<double, 1>(s3test::bucket() / name, {.cache = cache}) ==
                  counting(0, chunks * chunk_rows)))
                throw std::runtime_error("other rows");
        });
        return reading.wait();
    };

    // As on a full disk: files cannot grow.
    CHECK(reads([] {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit none = {1'000, 1'000};
        ::setrlimit(RLIMIT_FSIZE, &none);
    }));
    CHECK(copies_in(cache.path).empty());
    CHECK(std::distance(fs::directory_iterator(cache.path), fs::directory_iterator()) == 0);
    ::chmod(cache.path.c_str(), 0555);
    ::chmod(dir.path().c_str(), 0755);
    CHECK(reads([] {
        // Root may write anywhere.
        if (::geteuid() == 0 && ::seteuid(65'534) != 0)
            throw std::runtime_error("cannot become another user");
    }));
    ::chmod(cache.path.c_str(), 0755);
    CHECK(reads([] {}));
    CHECK(copies_in(cache.path).size() == chunks);
}

}  // namespace s3_cache_tests
