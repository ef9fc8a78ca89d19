// SPDX-License-Identifier: BSD-3-Clause
// Files that other programs put into the directory of a database that is open. Functions of ndkeep refuse that.
#pragma once

#include "support/temp_dir.hpp"

#include <ndkeep/npy.hpp>

#include <filesystem>

namespace foreign {

/// Replaces an npy file, and its sidecar if the options ask for one, by renaming.
inline void put(const std::filesystem::path& file, const ndkeep::array_view& array,
                const ndkeep::save_options& options = {}) {
    const temp_dir elsewhere;
    ndkeep::save(elsewhere / "t.npy", array, options);
    for (const auto& [from, to] :
         {std::pair{elsewhere / "t.npy", file}, std::pair{elsewhere / "t.npy.json", ndkeep::sidecar_path(file)}}) {
        if (!std::filesystem::exists(from))
            continue;
        std::filesystem::copy_file(from, to.string() + ".tmp");
        std::filesystem::rename(to.string() + ".tmp", to);
    }
}

}  // namespace foreign
