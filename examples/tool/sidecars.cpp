// SPDX-License-Identifier: BSD-3-Clause
#include "sidecars.hpp"

namespace tool {

namespace nk = ndkeep;

void describe_single(const subject& what, const nk::describe_options& options) {
    if (what.kind != subject_kind::raw)
        return nk::describe(what.path, options);
    const nk::json given = nk::kept_metadata(options.meta, what.path);
    // The data file is not replaced, so it may be write-protected.
    const nk::writer_lock lock(what.path, nk::read_only_files::replace);
    const auto array = open_single(what);
    nk::core::check_data(array);
    const auto stamp = array.source.stamp();
    const auto both = nk::core::read_sidecar(lock.target());
    if (!both)
        throw no_sidecar(what.path);
    const auto& former = said_of(*both, stamp);
    auto said = nk::described(array.info);
    said.stamp = stamp;
    said.metadata = options.meta.is_null() ? former.metadata : given;
    const auto kept = nk::kinds_of(former.sums);
    // Existing checksums of an unchanged file are kept. New ones would hide any damage to the data since they were
    // computed.
    if (former.stamp == stamp && kept != nk::checksum::none && !options.sum && !options.statistics) {
        said.sums = former.sums;
        said.statistics = former.statistics;
    } else {
        const auto sums = options.sum.value_or(kept == nk::checksum::none ? nk::checksum::crc32c : kept);
        nk::core::digest computed(array.info.type, sums, options.statistics || former.statistics.has_value());
        nk::core::digest_data(array, computed, "describe", options.run);
        said.sums = computed.sums();
        said.statistics = computed.values();
    }
    if (array.source.stamp() != stamp)
        throw nk::conflict_error({.file = what.path, .field = "data", .found = "modified while it was read"});
    nk::core::write_sidecar(lock.target(), {said, {}}, nk::durability_of(options.sync),
                            nk::read_only_files_of(options.run.replace_read_only));
}

}  // namespace tool
