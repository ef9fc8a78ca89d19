// SPDX-License-Identifier: BSD-3-Clause
// Arrays that are larger than the memory of the process.
#include "support/faults.hpp"
#include "support/sanitized.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <cstdint>
#include <fstream>
#include <functional>
#include <string>
#include <unistd.h>
#include <vector>

#include <sys/resource.h>

namespace npy_memory_tests {

namespace nk = ndkeep;

namespace {

constexpr std::size_t elements = std::size_t{16} << 20;  // 128 MiB of double

/// Runs `act` in a child that may allocate 64 MiB more. Returns the code and text of its error.
std::string with_little_memory(const std::function<void()>& act) {
    const auto end = faults::in_child([&]() -> std::string {
        std::uint64_t pages = 0;
        std::ifstream("/proc/self/statm") >> pages;
        const rlim_t bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + (std::uint64_t{64} << 20);
        const rlimit limit{bytes, bytes};
        ::setrlimit(RLIMIT_AS, &limit);
        try {
            act();
        } catch (const nk::io_error& problem) {
            return problem.code() == std::errc::not_enough_memory ? problem.what() : "another code";
        }
        return "no error";
    });
    return end.said;
}

}  // namespace

TEST_CASE("an array that memory cannot hold is an error that says its file and bytes", "[npy][npz][chunks][error]") {
    if (is_sanitized)
        return;  // the sanitizers need address space of their own
    const temp_dir dir;
    (void)nk::create<double>(dir / "t.npy", {elements});
    nk::save_npz(dir / "t.npz", {{"a", xt::xtensor<double, 1>(xt::zeros<double>({elements})), {.compress = true}}});
    nk::save_npz(dir / "stored.npz", {{"a", xt::xtensor<double, 1>(xt::zeros<double>({elements}))}});
    nk::save_chunked(dir / "chunked", xt::xtensor<double, 1>(xt::zeros<double>({elements})));
    const nk::run_options one{.threads = 1};

    const struct {
        std::filesystem::path file;
        std::function<void()> act;
    } cases[] = {
        {dir / "t.npy", [&] { (void)nk::load<double>(dir / "t.npy", {.run = one}); }},
        {dir / "t.npy", [&] { (void)nk::load<double, 1>(dir / "t.npy", {.run = one}); }},
        {dir / "t.npy", [&] { (void)nk::load_any(dir / "t.npy", {.run = one}); }},
        {dir / "t.npz", [&] { (void)nk::npz_reader(dir / "t.npz").load<double>("a"); }},
        {dir / "t.npz", [&] { (void)nk::npz_reader(dir / "t.npz").bytes("a"); }},
        {dir / "stored.npz", [&] { (void)nk::npz_reader(dir / "stored.npz").bytes("a"); }},
        {dir / "chunked", [&] { (void)nk::load_chunked<double, 1>(dir / "chunked", {.run = one}); }},
        {dir / "chunked", [&] { (void)nk::load_chunked_any(dir / "chunked", {.run = one}); }},
    };
    for (const auto& [file, act] : cases) {
        const auto said = with_little_memory(act);
        CAPTURE(said);
        CHECK(said.starts_with(file.string()));
        CHECK(said.find(" 134217") != std::string::npos);  // of a member with its header
    }
}

}  // namespace npy_memory_tests
