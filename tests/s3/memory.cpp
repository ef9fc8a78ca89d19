// SPDX-License-Identifier: BSD-3-Clause
// Memory of a pass over a bucket, which must not depend on the size of the array.
#include "s3/bucket.hpp"
#include "s3/services.hpp"
#include "support/sanitized.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>

#include <fstream>
#include <functional>
#include <string>

namespace s3_memory_tests {

namespace nk = ndkeep;

constexpr std::size_t mebi = std::size_t{1} << 20;

/// The most memory that this process has used so far, in bytes; 0 if the system does not tell.
[[nodiscard]] std::size_t peak() {
    std::ifstream in("/proc/self/status");
    for (std::string line; std::getline(in, line);)
        if (line.starts_with("VmHWM:"))
            return std::stoul(line.substr(6)) << 10;
    return 0;
}

TEST_CASE("passes over a bucket hold a few chunks of it in memory", "[s3]") {
    if (peak() == 0 || is_sanitized)
        return;
    constexpr std::size_t chunks = 40, chunk_rows = mebi / 2;  // of 4 MiB
    const auto name = s3test::new_name();
    {
        nk::chunk_writer<double, 1> sink(s3test::bucket() / name, {.rows_per_chunk = chunk_rows});
        for (std::size_t i = 0; i < chunks; ++i)
            sink.append(s3test::counting(i * chunk_rows, (i + 1) * chunk_rows));
        (void)sink.commit();
    }
    constexpr double rows = static_cast<double>(chunks * chunk_rows), sum = rows * (rows - 1) / 2;
    const auto is_bounded = [&](const std::function<double()>& pass) {
        s3test::child passing([&] {  // the peak of a new process
            const std::size_t before = peak();
            if (pass() != sum)
                throw std::runtime_error("other rows");
            if (const auto used = peak() - before; used > 64 * mebi)
                throw std::runtime_error(std::to_string(used / mebi) + " MiB were used");
        });
        return passing.wait();
    };

    CHECK(is_bounded([&] {
        double all = 0;
        const nk::chunk_reader<double, 1> readings(s3test::bucket() / name);
        for (const auto& chunk : readings)
            all += xt::sum(chunk)();
        return all;
    }));
    CHECK(is_bounded([&] {
        const temp_dir dir;
        const nk::chunk_reader<double, 1> readings(s3test::bucket() / name, {.verify = true});
        nk::stateful_loop loop(dir / "sum.state");
        auto& all = loop.bind<double>("all");
        for (const auto& chunk : loop.over(readings))
            all += xt::sum(chunk)();
        return all;
    }));
    const temp_dir cache;
    CHECK(is_bounded([&] {
        double all = 0;
        const nk::chunk_reader<double, 1> readings(s3test::bucket() / name,
                                                   {.cache = {.path = cache.path(), .bytes = 20 * mebi}});
        for (const auto& chunk : readings)
            all += xt::sum(chunk)();
        return all;
    }));
}

}  // namespace s3_memory_tests
