// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/collection/store.hpp>.
#pragma once

#include <ndkeep/chunks/detail/collection/store.hpp>

#include <algorithm>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::filesystem::path key_store::path(const key_texts& key) const {
    check_key_texts(form_, key, root_);
    auto path = root_;
    for (const auto& text : key)
        path /= text;
    return path;
}

NDKEEP_INLINE std::vector<std::string> key_store::sorted_fields(std::vector<std::string> names,
                                                                std::size_t depth) const {
    const auto& field = form_.fields[depth];
    std::erase_if(names, [&](const std::string& name) { return !is_key_text(field, name); });
    std::sort(names.begin(), names.end(),
              [&](const std::string& a, const std::string& b) { return key_text_less(field, a, b); });
    return names;
}

}  // namespace ndkeep::detail
