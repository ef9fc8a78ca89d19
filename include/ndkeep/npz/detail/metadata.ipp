// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npz/detail/metadata.hpp>.
#pragma once

#include <ndkeep/npz/detail/metadata.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/npz/core/member.hpp>
#include <ndkeep/text/json/nonfinite.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/text/json/scanner.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string_view>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

inline constexpr const char* reserved_key = "ndkeep";

/// @throws format_error  not JSON, not an object, or a wrong value under the reserved key
[[nodiscard]] NDKEEP_INLINE npz_metadata parse_npz_metadata(std::string_view text, const std::filesystem::path& file,
                                                            const limits& limit) {
    npz_metadata out;
    out.user = parsed_json(text, file, bound_of(limit));
    auto* const members = out.user.get_ptr<json::object_t*>();
    const object_reader whole(out.user, std::string(metadata_member), file);
    json nonfinite;
    if (const json* const own = whole.find(reserved_key)) {
        const object_reader kept(*own, std::string(metadata_member) + '.' + reserved_key, file);
        if (kept.find("checksums") != nullptr) {
            const auto all = kept.object("checksums");
            for (const auto& [name, said] : all.members()) {
                const auto one = all.object(name);
                for (const auto& [kind, hex] : one.members())
                    out.sums[name].emplace(kind, one.text(kind));
            }
        }
        if (const json* const pointers = kept.find(nonfinite_key))
            nonfinite = *pointers;
        members->erase(reserved_key);
    }
    if (!nonfinite.is_null())
        restore_nonfinite(out.user, nonfinite, file,
                          std::string(metadata_member) + '.' + reserved_key + '.' + nonfinite_key);
    return out;
}

NDKEEP_INLINE void check_npz_metadata(const json& meta, const std::filesystem::path& file) {
    const auto refuse = [&](std::string expected, std::string found) {
        throw mismatched(file, "metadata", std::move(expected), std::move(found));
    };
    if (!meta.is_object() && !meta.is_null())
        refuse("an object", json_kind(meta));
    if (meta.is_object() && meta.contains(reserved_key))
        refuse("an object without the key 'ndkeep'", "an object with that key");
    check_json_values(meta, most_metadata_values, file, "metadata");
}

NDKEEP_INLINE std::string npz_metadata_text(const npz_metadata& said) {
    object_text whole;
    for (const auto& [key, value] : *said.user.get_ptr<const json::object_t*>())
        whole.add_value(key, value);
    object_text own;
    if (!said.sums.empty()) {
        object_text all;
        for (const auto& [name, sums] : said.sums) {
            object_text one;
            for (const auto& [kind, hex] : sums)
                one.add(kind, json_text(hex));
            all.add(name, one.str());
        }
        own.add("checksums", all.str());
    }
    // Every other key of this document is the user's.
    const auto nonfinite = whole.nonfinite();
    if (!nonfinite.empty())
        own.add(nonfinite_key, nonfinite);
    if (!said.sums.empty() || !nonfinite.empty())
        whole.add(reserved_key, own.str());
    return whole.str() + '\n';
}

NDKEEP_INLINE void check_json_size(const zip_entry& entry, const std::filesystem::path& file, const limits& limit) {
    if (entry.size > limit.json_bytes)
        throw format_error({.file = file,
                            .field = "length",
                            .expected = "at most " + counted(limit.json_bytes, "byte"),
                            .found = counted(entry.size, "byte"),
                            .hint = "limits{.json_bytes = …} reads longer ones"});
}

NDKEEP_INLINE npz_metadata read_npz_metadata(const archive& from, const limits& limit) {
    const auto* const entry = from.find_exact(metadata_member);
    if (entry == nullptr)
        return {};
    return in_member(metadata_member, [&] {
        check_json_size(*entry, from.path(), limit);
        const auto bytes = read_member_bytes(from, *entry);
        // In addition to the user's values, each member may have an object with at most three sums.
        constexpr std::size_t values_of_sums = 4;
        limits with_sums = limit;
        with_sums.json_values += std::min(values_of_sums * from.entries().size(),
                                          std::numeric_limits<std::size_t>::max() - limit.json_values);
        return parse_npz_metadata(as_text({bytes.data(), bytes.size()}), from.path(), with_sums);
    });
}

}  // namespace ndkeep::detail
