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

NDKEEP_INLINE row_range rows_between(const core::chunk_version& in, const key_bound& low, const key_bound& high) {
    const auto keys = key_type(in.state());
    const auto [first, last] = in.rows_between(low.in(keys, in.called()), high.in(keys, in.called()));
    return {first, last};
}

NDKEEP_INLINE std::optional<statistics::number> key_of_field(const core::chunk_version& in, const key_bound& time) {
    const bool is_by_field = in.state().order_by && !in.state().order_by->empty();
    if (const auto keys = key_type(in.state()); is_by_field && keys.is_time())
        return time.in(keys, in.called());
    return std::nullopt;
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
