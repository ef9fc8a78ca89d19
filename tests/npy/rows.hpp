// SPDX-License-Identifier: BSD-3-Clause
// Helpers for tests of append and recover: arrays that count up, and files as other programs write them.
#pragma once

#include "support/temp_dir.hpp"

#include <ndkeep/npy.hpp>

#include <filesystem>
#include <fstream>
#include <string>

namespace added_rows {

using namespace ndkeep;

namespace fs = std::filesystem;
using matrix = xt::xtensor<double, 2>;
using column_matrix = xt::xtensor<double, 2, xt::layout_type::column_major>;

inline matrix counted_up(std::size_t rows, std::size_t columns, double from = 0) {
    matrix made = matrix::from_shape({rows, columns});
    for (std::size_t i = 0; i < made.size(); ++i)
        made.data()[i] = from + static_cast<double>(i);
    return made;
}

inline std::string bytes_of(const void* data, std::size_t length) { return {static_cast<const char*>(data), length}; }

inline void add_bytes(const fs::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::app) << bytes;
}

/// A file as other programs write it, with a header of the requested length.
inline void write_with_header(const fs::path& file, const array_info& info, const header_options& header,
                              const std::string& data) {
    write_text(file, header_bytes(info, header) + data);
}

inline json said_in(const fs::path& file) { return json::parse(read_text(sidecar_path(file))); }

}  // namespace added_rows
