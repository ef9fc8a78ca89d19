// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npy/load.hpp>.
#pragma once

#include <ndkeep/npy/load.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>

#include <algorithm>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

[[nodiscard]] NDKEEP_INLINE any_array load_bytes(const opened_array& opened, const run_options& run) {
    return read_any(opened.bytes(), opened.info, run);
}

/// The dtype, shape and offset of a headerless file, from the request and the file's size.
[[nodiscard]] NDKEEP_INLINE array_info raw_info(const file& source, const dtype& type,
                                                const std::vector<std::size_t>* shape, std::uint64_t offset,
                                                order file_order) {
    array_info info{
        .type = type, .shape = {}, .column_major = file_order == order::column_major, .data_offset = offset};
    const std::uint64_t size = source.size();
    if (size == 0)
        throw format_error(
            {.file = source.path(), .field = "length", .expected = "at least 1 byte", .found = "0 bytes"});
    if (shape != nullptr) {
        info.shape = *shape;
        // Rejects a shape that overflows. The caller compares it with the file's size.
        (void)checked_nbytes(type, info.shape, source.path());
        return info;
    }
    const std::uint64_t there = size - std::min(size, offset);
    if (offset > size || type.size() == 0 || there % type.size() != 0)
        throw format_error({.file = source.path(),
                            .field = "length",
                            .expected = "a multiple of " + counted(type.size(), "byte") + " after the offset",
                            .found = offset > size ? counted(size, "byte") : counted(there, "byte")});
    info.shape = {static_cast<std::size_t>(there / type.size())};
    return info;
}

NDKEEP_INLINE opened_array open_raw(const std::filesystem::path& path, const dtype& type,
                                    const std::vector<std::size_t>* shape, std::uint64_t offset, order file_order,
                                    file::access access) {
    opened_array opened{file::open(path, access), {}};
    opened.info = raw_info(opened.source, type, shape, offset, file_order);
    check_data(opened);
    return opened;
}

}  // namespace detail

NDKEEP_INLINE any_array load_any(const std::filesystem::path& file, const load_options& options) {
    return detail::load_bytes(detail::open_numbered(file, options.limit, options.array), options.run);
}

NDKEEP_INLINE any_array load_any(std::span<const std::byte> bytes, const load_options& options) {
    return detail::read_any(detail::byte_source(bytes, detail::name_in_memory()),
                            detail::numbered_array(bytes, options.limit, options.array), options.run);
}

NDKEEP_INLINE any_array load_raw_any(const std::filesystem::path& file, const dtype& type, const raw_options<>& options,
                                     order file_order) {
    return detail::load_bytes(detail::open_raw(file, type, detail::given_shape(options), options.offset, file_order),
                              options.run);
}

}  // namespace ndkeep
