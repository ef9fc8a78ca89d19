// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npy/describe.hpp>.
#pragma once

#include <ndkeep/npy/describe.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/npy/core/sidecar_file.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/writer_lock.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/statistics/digest.hpp>
#include <ndkeep/statistics/running_statistics.hpp>
#include <ndkeep/text/json/print.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

namespace core {

NDKEEP_INLINE void statistics_check::compare(const statistics& stored, const statistics& data,
                                             const std::string& path) {
    const auto count = [&](std::string_view key, std::uint64_t expected, std::uint64_t now) {
        if (expected != now)
            note(path, key, std::to_string(expected), std::to_string(now));
    };
    count("count", stored.count, data.count);
    count("nan", stored.nan, data.nan);
    const auto exact = [&](std::string_view key, const auto& expected, const auto& now) {
        const bool same = expected.has_value() == now.has_value() &&
                          (!expected || (!detail::less(*expected, *now) && !detail::less(*now, *expected)));
        if (!same)
            note(path, key, expected ? number_text(*expected) : "none", now ? number_text(*now) : "none");
    };
    exact("min", stored.min, data.min);
    exact("max", stored.max, data.max);
    // The error of mean and std grows with the magnitude of the data, and the mean of large numbers may be near 0.
    const double scale =
        std::max({data.min ? std::abs(detail::as_double(*data.min)) : 0.0,
                  data.max ? std::abs(detail::as_double(*data.max)) : 0.0, std::abs(data.mean.value_or(0)),
                  std::abs(data.mean_imaginary.value_or(0)), data.std.value_or(0)});
    const auto near = [&](std::string_view key, const auto& expected, const auto& now) {
        // The order of summation depends on how the data was divided into blocks, so the last digits may differ.
        constexpr double rounding = 1e-9;
        const auto is_near = [&](double a, double b) {
            if (detail::is_nan(a) || detail::is_nan(b))
                return detail::is_nan(a) && detail::is_nan(b);
            return a == b || std::abs(a - b) <= rounding * scale;
        };
        const bool same = expected.has_value() == now.has_value() && (!expected || is_near(*expected, *now));
        if (!same)
            note(path, key, expected ? json_text(*expected) : "none", now ? json_text(*now) : "none");
    };
    near("mean", stored.mean, data.mean);
    near("mean", stored.mean_imaginary, data.mean_imaginary);
    near("std", stored.std, data.std);
    for (const auto& [name, values] : stored.fields) {
        const std::string inner = path + '.' + name;
        if (const auto* const now = data.find(name))
            compare(values, *now, inner);
        else
            note(inner, "", "a field", "none");
    }
}

NDKEEP_INLINE void statistics_check::note(const std::string& path, std::string_view key, std::string expected,
                                          std::string now) {
    const checksum_error problem({.file = file_,
                                  .field = key.empty() ? path : path + '.' + std::string(key),
                                  .expected = std::move(expected),
                                  .found = std::move(now),
                                  .hint = "the data is not what was described"});
    all_.push_back(detail::found(problem));
}

NDKEEP_INLINE void find_in_data(const opened_array& array, const std::filesystem::path& file, const sidecar& both,
                                const run_options& run, std::vector<finding>& all) {
    const auto fitting = detail::candidates(both, array.info, array.source.stamp());
    if (fitting.empty()) {
        const auto wanted = described(array.info);
        const auto text = [](const description& said) {
            return ndkeep::quoted(said.type) + ' ' + shape_text(said.shape) + (said.column_major ? " F" : " C");
        };
        all.push_back(detail::found(mismatch_error({.file = sidecar_path(file),
                                                    .field = "array",
                                                    .expected = text(wanted),
                                                    .found = text(both.current),
                                                    .hint = "the sidecar is stale; describe the file again"})));
        return;
    }
    checksum kinds = checksum::none;
    bool with_statistics = false;
    dtype type = array.info.type;
    for (const auto& said : fitting) {
        kinds |= kinds_of(said.sums);
        type = said.statistics ? said.known_type(type) : type;
        with_statistics = with_statistics || said.statistics;
    }
    // One pass computes every sum that either description needs.
    digest computed(type, kinds, with_statistics);
    digest_data(array, computed, "verify", run);
    const auto sums = computed.sums();
    const auto values = computed.values();
    // The stamp decides. If it does not, the description whose sums are right applies. If none is, the first one serves
    // to report what differs.
    const bool stamped = detail::stamp_decides(fitting, array.source.stamp());
    const auto right = std::find_if(fitting.begin(), fitting.end(),
                                    [&](const description& said) { return detail::agrees(said, sums); });
    const description& said = stamped || right == fitting.end() ? fitting.front() : *right;
    for (const auto& [name, stored] : said.sums) {
        const auto at = sums.find(name);
        if (at != sums.end() && at->second != stored)
            all.push_back(detail::found(checksum_error({.file = file,
                                                        .field = name,
                                                        .expected = stored,
                                                        .found = at->second,
                                                        .hint = "the data is not what was described"})));
    }
    if (said.statistics && values)
        statistics_check(file, all).compare(*said.statistics, *values);
}

NDKEEP_INLINE std::optional<stored_description> description_of(const opened_array& array) {
    const auto both = read_sidecar(resolved(array.source.path()));
    if (!both)
        return std::nullopt;
    const auto stamp = array.source.stamp();
    const auto fitting = detail::candidates(*both, array.info, stamp);
    if (fitting.empty())
        return stored_description{both->current, sidecar_state::stale};
    return stored_description{fitting.front(), detail::stamp_decides(fitting, stamp) ? sidecar_state::current
                                                                                     : sidecar_state::unconfirmed};
}

}  // namespace core

NDKEEP_INLINE std::optional<stored_description> description_of(const std::filesystem::path& file, const limits& limit) {
    return core::description_of(core::open_header(file, limit));
}

NDKEEP_INLINE std::vector<finding> findings(const std::filesystem::path& file, const verify_options& options) {
    std::vector<finding> all;
    detail::opened_array array;
    std::optional<sidecar> both;
    if (!detail::passes(all, [&] { array = detail::open_header(file, options.limit); }))
        return all;
    // A truncated file is reported as such. Its sums are not computed: they would all differ for the same reason.
    const bool whole = detail::passes(all, [&] { detail::check_data(array); });
    if (whole)
        (void)detail::passes(all, [&] {
            if (const auto problem = core::problem_after_data(array))
                all.push_back(detail::found(*problem));
        });
    const auto target = detail::resolved(file);
    if (!detail::passes(all, [&] { both = detail::read_sidecar(target); }) || !both || !whole)
        return all;
    (void)detail::passes(all, [&] { detail::find_in_data(array, target, *both, options.run, all); });
    return all;
}

NDKEEP_INLINE void verify(const std::filesystem::path& file, const verify_options& options) {
    detail::throw_first(findings(file, options));
}

NDKEEP_INLINE json metadata(const std::filesystem::path& file, const limits& limit) {
    const auto target = detail::resolved(file);
    const auto array = detail::open_header(target, limit);
    const auto both = detail::read_sidecar(target);
    if (!both)
        return json(json::value_t::object);
    const auto stamp = array.source.stamp();
    const auto [said, by_sums] = detail::belief_in(array, *both, stamp);
    if (by_sums)
        detail::remember(array, target, *both, *said, stamp);
    if (!said)
        throw mismatch_error({.file = sidecar_path(target),
                              .field = "sidecar",
                              .expected = "a description of " + target.filename().string(),
                              .found = "stale",
                              .hint = "describe writes a new one"});
    return said->metadata;
}

NDKEEP_INLINE void describe(const std::filesystem::path& file, const describe_options& options) {
    const json given = kept_metadata(options.meta, file);
    // Held to the end, so that no save or append changes the array between reading it and writing its description.
    // The array itself is not changed, so that it may be write-protected.
    const writer_lock lock(file, read_only_files::replace);
    const auto& target = lock.target();
    // Every file that can be read can be described: the options have no limit that a caller could raise.
    const auto array = detail::open_array(target, {.header_characters = longest_header});
    const auto stamp = array.source.stamp();
    const auto both = detail::read_sidecar(target);
    const auto kept = both ? detail::believed(array, *both, options.run) : std::nullopt;
    // Metadata of a stale sidecar is kept: it is stored nowhere else, and the caller vouches for the file.
    const auto former = kept ? kept : both ? std::optional(both->current) : std::nullopt;

    auto said = described(array.info);
    const dtype type = kept ? kept->known_type(array.info.type) : array.info.type;
    said.type = detail::dtype_text(type);
    said.stamp = stamp;
    said.metadata = !options.meta.is_null() ? given : former ? former->metadata : json(json::value_t::object);
    const checksum wanted = options.sum ? *options.sum : former ? kinds_of(former->sums) : checksum::none;
    // A sidecar needs a sum: without one, a reader cannot recognise the data of a copied file, whose stamp differs.
    const checksum kinds = wanted == checksum::none ? checksum::crc32c : wanted;
    const bool with_statistics = options.statistics || (former && former->statistics);
    const bool sums_known = kept && !options.sum && kinds_of(kept->sums) == kinds;
    const bool statistics_known = kept && !options.statistics;
    if (sums_known)
        said.sums = kept->sums;
    if (statistics_known)
        said.statistics = kept->statistics;
    if (!sums_known || (with_statistics && !statistics_known)) {
        detail::digest computed(type, sums_known ? checksum::none : kinds, with_statistics && !statistics_known);
        detail::digest_data(array, computed, "describe", options.run);
        if (!sums_known)
            said.sums = computed.sums();
        if (with_statistics && !statistics_known)
            said.statistics = computed.values();
    }
    // The lock does not stop other programs, or stores through a mapping. The sums could then be of mixed data.
    if (array.source.stamp() != stamp)
        throw conflict_error({.file = target, .field = "data", .found = "changed by another program during the call"});
    detail::write_sidecar(target, {said, {}}, durability_of(options.sync),
                          read_only_files_of(options.run.replace_read_only));
}

}  // namespace ndkeep
