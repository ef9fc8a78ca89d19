// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/process.hpp>.
#pragma once

#include <ndkeep/os/process.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/names.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <limits>

#include <sys/resource.h>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE void owning_process::check(const std::filesystem::path& file) const {
    if (!is_this())
        throw conflict_error({.file = file,
                              .field = "writer",
                              .expected = "used by the process that opened it",
                              .found = "used by a forked child",
                              .hint = "open it in the child"});
}

namespace core {

NDKEEP_INLINE std::string host_name() {
    std::array<char, 256> name = {};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string();
}

NDKEEP_INLINE std::uint64_t memory_limit() {
    const auto pages = ::sysconf(_SC_PHYS_PAGES), page = ::sysconf(_SC_PAGESIZE);
    std::uint64_t least = pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page)
                                                : std::numeric_limits<std::uint64_t>::max();
    // The line "0::/path" of control groups of version 2, or "4:memory:/path" of version 1; every folder of the path
    // can have a limit.
    std::ifstream lines("/proc/self/cgroup");
    for (std::string line; std::getline(lines, line);) {
        const bool is_second = line.starts_with("0::/");
        const auto found = is_second ? std::size_t{2} : line.find(":memory:/");
        if (found == std::string::npos)
            continue;
        const std::filesystem::path all = is_second ? "/sys/fs/cgroup" : "/sys/fs/cgroup/memory";
        for (std::filesystem::path group = line.substr(line.find('/') + 1);; group = group.parent_path()) {
            std::uint64_t most = 0;
            if (std::ifstream limit(all / group / (is_second ? "memory.max" : "memory.limit_in_bytes")); limit >> most)
                least = std::min(least, most);
            if (group.empty())
                break;
        }
    }
    return least;
}

NDKEEP_INLINE std::uint64_t address_limit() noexcept {
    struct rlimit limit = {};
    return ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
               ? static_cast<std::uint64_t>(limit.rlim_cur)
               : std::numeric_limits<std::uint64_t>::max();
}

NDKEEP_INLINE std::uint64_t boot_identity() {
    try {
        std::array<std::byte, 64> text = {};
        const auto source = file::open("/proc/sys/kernel/random/boot_id");
        const std::size_t length = source.read_some(0, text);
        return detail::hash_of({reinterpret_cast<const char*>(text.data()), length});
    } catch (const error&) {
        return 0;
    }
}

}  // namespace core

}  // namespace ndkeep
