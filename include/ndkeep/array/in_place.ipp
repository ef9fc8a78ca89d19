// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/array/in_place.hpp>.
#pragma once

#include <ndkeep/array/in_place.hpp>

#include <ndkeep/array/reader.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/os/locks/lease.hpp>
#include <ndkeep/os/names.hpp>

#include <cstdint>
#include <memory>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE void check_in_place(const array_info& info, const std::filesystem::path& path, const dtype& wanted,
                                  order wanted_order) {
    const auto& type = info.type;
    // Throws unless both dtypes mean the same. The byte order and the layout of a struct may still differ.
    const auto name = type.cpp_name();
    const conversion convert(type, wanted, path, (name.empty() ? "" : "map<" + name + "> or ") + "load_any");
    if (!type.is_native())
        throw mismatch_error({.file = path,
                              .field = "dtype",
                              .expected = "this machine's byte order",
                              .found = type.is_struct() ? type.descr() : ndkeep::quoted(type.str()),
                              .hint = "load swaps the bytes"});
    if (!convert.is_identity())
        throw mismatch_error({.file = path,
                              .field = "struct layout",
                              .expected = wanted.descr(),
                              .found = type.descr(),
                              .hint = "load rearranges the fields"});
    // Empty arrays and arrays with one long axis have both orders at once.
    if (order_of(info) != wanted_order && element_reader::has_order(info))
        throw mismatch_error(
            {.file = path,
             .field = "order",
             .expected = wanted_order == order::column_major ? "column-major" : "row-major",
             .found = info.column_major ? "column-major" : "row-major",
             .hint = info.column_major ? "map with the tag column_major" : "map without the tag column_major"});
}

NDKEEP_INLINE mapping map_data(const file& source, const array_info& info, std::size_t alignment, map_mode mode,
                               advice use) {
    const std::uint64_t offset = info.data_offset;
    const std::uint64_t nbytes = info.nbytes();
    // A mapping begins at a page, so an address is as misaligned as its offset in the file. A copy is aligned, but
    // stores into it would never reach the file.
    if (offset % alignment != 0) {
        if (mode == map_mode::read_write)
            throw mismatch_error({.file = source.path(),
                                  .field = "data offset",
                                  .expected = "a multiple of " + counted(alignment, "byte"),
                                  .found = counted(offset, "byte"),
                                  .hint = "map it read_only or copy_on_write, which copies it into memory"});
        return mapping::copy(source, offset, nbytes, mode);
    }
    // A database does not find what others store into its files, so it must not write while they are mapped.
    std::shared_ptr<const shared_lease> lease;
    if (mode == map_mode::read_write && is_in_database(resolved(source.path())))
        lease = std::make_shared<const shared_lease>(resolved(source.path()));
    auto bytes = mapping::open(source, offset, nbytes, mode);
    bytes.keep(std::move(lease));
    if (use != advice::normal)
        bytes.advise(use);
    return bytes;
}

}  // namespace detail

}  // namespace ndkeep
