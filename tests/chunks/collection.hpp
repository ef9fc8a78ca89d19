// SPDX-License-Identifier: BSD-3-Clause
// Keys and a small collection for tests.
#pragma once

#include "chunks/dataset.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace collection_keys {

struct instrument {
    std::string market = {}, symbol = {};
    int year = 0;
    friend bool operator==(const instrument&, const instrument&) = default;
};
NDKEEP_KEY(instrument, market, symbol, year);

using rows = xt::xtensor<std::int64_t, 1>;

/// Appends rows to the array of a key, in one commit.
inline void append(const ndkeep::collection<instrument>& to, const instrument& key, const rows& some) {
    auto writer = to.writer<std::int64_t, 1>(key, {.rows_per_chunk = 2, .commit = dataset::unsynced});
    writer.append(some);
    (void)writer.commit();
}

/// "xnas/AAPL/2026 xnas/MSFT/2025": the keys, each as its folders.
[[nodiscard]] inline std::string text_of(const std::vector<instrument>& keys) {
    std::string text;
    for (const auto& key : keys)
        text += (text.empty() ? "" : " ") + key.market + '/' + key.symbol + '/' + std::to_string(key.year);
    return text;
}

/// The folders that removals have left.
[[nodiscard]] inline std::size_t removed_folders(const std::filesystem::path& path) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
        count += entry.path().filename().string().starts_with(".removed.");
    return count;
}

}  // namespace collection_keys
