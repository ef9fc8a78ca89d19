// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npz/reader.hpp>.
#pragma once

#include <ndkeep/npz/reader.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/zip/directory.hpp>
#include <ndkeep/npz/detail/verify.hpp>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE std::vector<std::string> npz_reader::names() const {
    std::vector<std::string> all;
    for (const auto& entry : archive_.entries())
        if (!archive_.is_shadowed(entry) && entry.name != detail::metadata_member)
            all.emplace_back(detail::without_npy(entry.name));
    return all;
}

NDKEEP_INLINE std::vector<npz_member> npz_reader::members() const {
    std::vector<npz_member> all;
    for (const auto& entry : archive_.entries())
        all.push_back(detail::described_member(archive_, entry, options_.limit));
    return all;
}

NDKEEP_INLINE std::vector<finding> npz_reader::findings(std::string_view name, const run_options& run) const {
    const auto& entry = at(name);
    std::vector<finding> all;
    std::map<std::string, checksums> stored;
    (void)core::passes(all, [&] { stored = sums(); });
    // Sums are kept for arrays. A member "x" beside the array "x.npy" has none.
    const auto said =
        entry.name.ends_with(core::npy_suffix) ? stored.find(std::string(core::without_npy(entry.name))) : stored.end();
    progress_meter meter(run, {.phase = "verify", .bytes_total = entry.size, .file = file()});
    detail::find_in_member(archive_, entry, said == stored.end() ? nullptr : &said->second, options_.limit, meter, all);
    meter.finish();
    return all;
}

NDKEEP_INLINE array_info npz_reader::inspect(std::string_view name) const {
    const auto& entry = at(name);
    return detail::in_member(name, [&] {
        detail::member_bytes bytes(archive_, entry, 0);
        return detail::read_member_header(bytes.source(), bytes.size(), options_.limit).info;
    });
}

NDKEEP_INLINE any_array npz_reader::load_any(std::string_view name) const {
    return detail::read_member(archive_, at(name), options_,
                               [](const detail::byte_source& source, const array_info& info, const run_options& run,
                                  std::uint32_t& crc) { return detail::read_any(source, info, run, &crc); });
}

NDKEEP_INLINE std::vector<std::byte> npz_reader::bytes(std::string_view name) const {
    return detail::read_member_bytes(archive_, at(name));
}

NDKEEP_INLINE std::string npz_reader::text(std::string_view name) const {
    const auto all = bytes(name);
    return {reinterpret_cast<const char*>(all.data()), all.size()};
}

}  // namespace ndkeep
