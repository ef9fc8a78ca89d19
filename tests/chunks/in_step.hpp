// SPDX-License-Identifier: BSD-3-Clause
// Items of in_step as lists of keys.
#pragma once

#include "chunks/keyed_rows.hpp"

#include <tuple>
#include <vector>

namespace in_step_rows {

using namespace keyed_rows;

/// The keys of each array, of each item.
using listing = std::vector<std::vector<keys>>;

template <class... Rows>
[[nodiscard]] std::vector<keys> keys_of_item(const nk::step<std::tuple<Rows...>>& item) {
    return std::apply([](const Rows&... each) { return std::vector<keys>{keys_of(each)...}; },
                      static_cast<const std::tuple<Rows...>&>(item));
}
template <class Rows>
[[nodiscard]] std::vector<keys> keys_of_item(const nk::step<std::vector<Rows>>& item) {
    std::vector<keys> all;
    for (const auto& each : item)
        all.push_back(keys_of(each));
    return all;
}

template <class Steps>
[[nodiscard]] listing items_of(Steps&& steps) {
    listing all;
    for (const auto& item : steps)
        all.push_back(keys_of_item(item));
    return all;
}

}  // namespace in_step_rows
