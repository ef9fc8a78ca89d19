// SPDX-License-Identifier: BSD-3-Clause
// Memory use of a pass, which must not depend on the size of its source.
#include "loop/loop.hpp"
#include "support/sanitized.hpp"

#include <fstream>

namespace loop_memory_tests {

namespace nk = ndkeep;
using namespace looptest;

namespace {

/// A line of /proc/self/status, in bytes.
std::size_t status(const std::string& what) {
    std::ifstream in("/proc/self/status");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(what + ":"))
            return std::stoul(line.substr(what.size() + 1)) << 10;
    return 0;
}

constexpr std::size_t mebi = std::size_t{1} << 20;

}  // namespace

TEST_CASE("a pass over 4 GiB holds two chunks of it", "[loop]") {
    if (status("RssAnon") == 0)
        return;  // not Linux
    const temp_dir dir;
    constexpr std::size_t chunk_rows = 2 * mebi;  // 16 MiB
    // Sparse files, which are read like other files of this length but use no disk space.
    std::vector<std::filesystem::path> files;
    for (int i = 0; i < 256; ++i)
        (void)nk::create<double>(files.emplace_back(dir / (std::to_string(i) + ".npy")), {chunk_rows});

    const std::size_t anonymous = status("RssAnon"), mapped = status("RssFile");
    std::size_t most_anonymous = 0, most_mapped = 0;
    nk::stateful_loop loop(dir / "a.state", quick(10));
    auto& sum = loop.bind<double>("sum");
    for (const auto& chunk : loop.over<double, 1>(files)) {
        // One element per page is enough to load the page.
        for (std::size_t i = 0; i < chunk.size(); i += 512)
            sum += chunk(i) + 1;
        most_anonymous = std::max(most_anonymous, status("RssAnon"));
        most_mapped = std::max(most_mapped, status("RssFile"));
    }

    CHECK(sum == 256.0 * chunk_rows / 512);
    CHECK(most_anonymous < anonymous + 64 * mebi);
    CHECK(most_mapped < mapped + 48 * mebi);
}

TEST_CASE("blocks of a mapped file leave memory behind the pass", "[loop]") {
    if (status("RssFile") == 0)
        return;
    const temp_dir dir;
    constexpr std::size_t rows = 64 * mebi;  // 512 MiB
    (void)nk::create<double>(dir / "all.npy", {rows});
    const auto all = nk::map<double, 1>(dir / "all.npy");

    const std::size_t before = status("RssFile");
    std::size_t most = 0;
    double sum = 0;
    nk::stateful_loop loop(dir / "a.state", quick(nk::at_end));
    for (const auto& block : loop.over(all, {.rows = mebi})) {
        for (std::size_t i = 0; i < block.size(); i += 512)
            sum += block(i) + 1;
        most = std::max(most, status("RssFile"));
    }
    CHECK(sum == rows / 512.0);
    CHECK(most < before + 24 * mebi);
}

TEST_CASE("a buffer holds less than its limit between chunks, and gives memory back as it goes", "[loop]") {
    if (status("RssAnon") == 0 || is_sanitized)
        return;  // a sanitizer delays the release of memory
    const temp_dir dir;
    const std::size_t before = status("RssAnon");
    std::size_t most = 0;
    nk::stateful_loop loop(dir / "a.state", quick(nk::at_end));
    auto& buffer = loop.buffer<double, 2>("rows", {.limit_bytes = 64 * mebi});
    const xt::xtensor<double, 2> rows = xt::ones<double>({std::size_t{1000}, std::size_t{16}});  // 128 kB
    std::size_t given = 0;
    const auto feed = [&]() -> std::optional<xt::xtensor<double, 2>> {
        return given++ == 2000 ? std::nullopt : std::optional(rows);
    };
    std::size_t flushed = 0;
    for (const auto& chunk : loop.over(feed)) {
        const auto all = buffer.push(chunk);
        CHECK(buffer.nbytes() < 64 * mebi);
        flushed += all ? all->shape()[0] : 0;
        most = std::max(most, status("RssAnon"));
    }
    CHECK(flushed + buffer.rows() == 2'000'000);
    // While rows are copied into one array, the copied blocks are released.
    CHECK(most < before + 100 * mebi);
}

}  // namespace loop_memory_tests
