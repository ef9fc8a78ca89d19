// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/reader.hpp>.
#pragma once

#include <ndkeep/chunks/reader.hpp>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE std::string chunked_hint(std::string_view verb, const dtype& found) {
    const auto name = found.cpp_name();
    return (name.empty() ? "" : std::string(verb) + '<' + name + "> or ") + "load_chunked_any";
}

}  // namespace detail

NDKEEP_INLINE any_array load_chunked_any(const dataset_location& where, const chunk_reader_options& options) {
    const detail::chunk_version from(where, options);
    from.check_room(from.state().rows);
    auto all = core::allocated_for(from.called(), from.info().nbytes(),
                                   [&] { return any_array(from.state().type, from.shape()); });
    from.read(0, from.state().rows, conversion(from.state().type), all.bytes().data());
    return all;
}

}  // namespace ndkeep
