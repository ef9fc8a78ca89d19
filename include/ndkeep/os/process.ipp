// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/os/process.hpp>.
#pragma once

#include <ndkeep/os/process.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/names.hpp>

#include <array>
#include <cstddef>

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
