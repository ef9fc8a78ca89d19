// SPDX-License-Identifier: BSD-3-Clause
// Helpers for tests of sidecars: an array of twelve numbers, and ways to change its description.
#pragma once

#include "support/temp_dir.hpp"

#include <ndkeep/npy.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace sidecars {

using namespace ndkeep;

struct pair_of {
    std::int32_t count;
    double weight;
};
NDKEEP_FIELDS(pair_of, count, weight);

namespace fs = std::filesystem;
using matrix = xt::xtensor<double, 2>;

inline const json old_meta = {{"units", "kelvin"}};
inline const json new_meta = {{"units", "celsius"}};

inline matrix twelve(double from = 0) { return xt::reshape_view(xt::arange<double>(from, from + 12), {3, 4}); }

inline json said_in(const fs::path& file) { return json::parse(read_text(sidecar_path(file))); }

/// A sidecar with this content: its first key is "ndkeep".
inline std::string text_of(const json& said) {
    nlohmann::ordered_json ordered = {{"ndkeep", said["ndkeep"]}};
    for (const auto& [key, value] : said.items())
        ordered[key] = nlohmann::ordered_json::parse(value.dump());
    return ordered.dump();
}

/// Changes the file's time, as a copy without times does.
inline void make_older(const fs::path& file) {
    fs::last_write_time(file, fs::last_write_time(file) - std::chrono::hours(1));
}

/// Overwrites in place, because truncating and rewriting makes some file systems wait for the disk.
inline void put_byte(const fs::path& file, std::size_t at, char byte) {
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(at));
    out.put(byte);
}

inline void flip(const fs::path& file, std::size_t at, int bits = 1) {
    put_byte(file, at, static_cast<char>(read_text(file)[at] ^ bits));
}

/// Writes a text under the sidecar's name.
inline void write_sidecar_text(const fs::path& file, const std::string& text) { write_text(sidecar_path(file), text); }

inline std::vector<std::string> fields_of(const std::vector<finding>& all) {
    std::vector<std::string> fields;
    for (const auto& each : all)
        fields.push_back(each.field);
    return fields;
}

/// Calls everything that reads a file and its sidecar. Returns false if a call throws anything but an ndkeep error.
inline bool reads_cleanly(const fs::path& file) {
    const auto clean = [](auto&& act) {
        try {
            act();
            return true;
        } catch (const error&) {
            return true;
        } catch (...) {
            return false;
        }
    };
    return clean([&] { (void)metadata(file); }) && clean([&] { verify(file); }) &&
           clean([&] { (void)findings(file); }) && clean([&] { (void)load_any(file); }) &&
           clean([&] { (void)map<double>(file); }) && clean([&] { (void)inspect(file); });
}

}  // namespace sidecars
