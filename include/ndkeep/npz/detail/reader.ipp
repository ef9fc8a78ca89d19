// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npz/reader.hpp>.
#pragma once

#include <ndkeep/npz/reader.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/zip/directory.hpp>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE std::vector<std::string> npz_reader::names() const {
    std::vector<std::string> all;
    for (const auto& entry : archive_.entries())
        if (!archive_.is_shadowed(entry) && entry.name != detail::metadata_member)
            all.emplace_back(detail::without_npy(entry.name));
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

NDKEEP_INLINE const detail::zip_entry& npz_reader::at(std::string_view name) const {
    if (const auto* const entry = archive_.find(name))
        return *entry;
    throw mismatch_error({.file = file(),
                          .field = detail::member_field(name),
                          .expected = detail::some_names(archive_),
                          .found = "missing"});
}

}  // namespace ndkeep::inline NDKEEP_ABI
