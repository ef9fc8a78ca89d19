// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/core/version.hpp>.
#pragma once

#include <ndkeep/chunks/core/version.hpp>

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/chunks/detail/keys.hpp>
#include <ndkeep/chunks/detail/ordered/key_numbers.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// The smallest and the largest number in the rows of a chunk.
[[nodiscard]] NDKEEP_INLINE std::pair<std::optional<statistics::number>, std::optional<statistics::number>>
range_of(const core::chunk_version& from, const chunk_entry& entry) {
    const std::uint64_t row_bytes = from.state().row_bytes();
    // Blocks of 1 MiB bound the memory, however large the chunk is.
    const std::uint64_t most = std::max<std::uint64_t>(1, (std::uint64_t{1} << 20) / row_bytes);
    const auto source = from.open(entry);
    std::pair<std::optional<statistics::number>, std::optional<statistics::number>> range;
    std::vector<std::byte> block;
    for (std::uint64_t row = 0; row < entry.rows; row += most) {
        const std::uint64_t some = std::min(most, entry.rows - row);
        block.resize(static_cast<std::size_t>(some * row_bytes));
        source.read(entry.offset + row * row_bytes, block);
        extend_range(keys_of(from.state(), block.data(), static_cast<std::size_t>(some)), range.first, range.second);
    }
    return range;
}

}  // namespace detail

namespace core {

NDKEEP_INLINE void opened_chunk::read(std::uint64_t offset, std::span<std::byte> out) const {
    if (file_)
        file_->read(offset, out);
    else if (!of_->where().get_range(detail::chunk_path(entry_->file), offset, out))
        of_->missing(*entry_);
}

/// The place of a location, with a cache if one is wanted.
[[nodiscard]] inline std::shared_ptr<place> opened(const dataset_location& where, const chunk_reader_options& options) {
    auto found = where.open(local_place::access::read);
    return options.cache.path.empty() ? found : std::make_shared<cached_place>(std::move(found), options.cache);
}

NDKEEP_INLINE chunk_version::chunk_version(const dataset_location& where, const chunk_reader_options& options)
    : location_(where), place_(opened(where, options)), options_(options), log_(*place_),
      opened_(detail::open_state(log_, options.at_commit)), entries_(opened_.state.entries()),
      is_distant_(place_->is_distant()) {
    options_.run.threads = detail::threads_for_place(*place_, options_.run.threads);
    if (state().is_absent())
        throw detail::nothing_committed(place_->path(),
                                        "the array was removed by commit " + std::to_string(state().number));
    std::uint64_t rows = 0;
    for (const auto& entry : entries_)
        ends_.push_back(rows += entry.rows);
}

NDKEEP_INLINE std::size_t chunk_version::ahead(std::size_t i) const {
    if (!is_distant_)
        return 1;
    constexpr std::uint64_t most_bytes = std::uint64_t{128} << 20;
    std::uint64_t bytes = 0;
    std::size_t count = 0;
    while (i + count < entries_.size() && count < options_.run.threads) {
        bytes += entries_[i + count].nbytes;
        if (count != 0 && bytes > most_bytes)
            break;
        ++count;
    }
    return std::max<std::size_t>(1, count);
}

NDKEEP_INLINE std::unique_ptr<const chunk_version> chunk_version::at_commit(std::uint64_t number) const {
    if (!log_.exists(number))
        return nullptr;
    auto options = options_;
    options.at_commit = number;
    // A directory is opened anew: threads that read this version use its place.
    return std::make_unique<const chunk_version>(location_, options);
}

NDKEEP_INLINE std::optional<std::string> chunk_version::identity_of(std::uint64_t number) const {
    if (number == state().number)
        return state().id;
    // A separate log, because commit_log::identity_of is not const.
    detail::commit_log log(*place_);
    auto found = log.identity_of(number);
    return found ? std::optional(std::move(found->id)) : std::nullopt;
}

NDKEEP_INLINE void chunk_version::missing(const chunk_entry& entry) const {
    // A lock protects the commit of most readers. Without one, the record tells whether a prune removed the file, which
    // is normal, or something else did, which is damage. Prune removes the record before the file.
    if (!log_.exists(state().number))
        throw conflict_error({.file = place_->called(detail::chunk_path(entry.file)),
                              .field = "commit " + std::to_string(state().number),
                              .found = "pruned",
                              .hint = "open the newest commit"});
    throw format_error({.file = place_->called(detail::chunk_path(entry.file)), .field = "chunk", .found = "missing"});
}

NDKEEP_INLINE opened_chunk chunk_version::open(const chunk_entry& entry) const {
    auto local = local_file(entry);
    if (!local) {
        const auto size = place_->size(detail::chunk_path(entry.file));
        if (!size)
            missing(entry);
        check_length(entry, *size);
    }
    return {*this, entry, std::move(local)};
}

NDKEEP_INLINE std::optional<file> chunk_version::local_file(const chunk_entry& entry) const {
    auto source = place_->open(detail::chunk_path(entry.file));
    if (source)
        check_length(entry, source->size());
    else
        reads_into_memory_ = true;
    return source;
}

NDKEEP_INLINE void chunk_version::check_length(const chunk_entry& entry, std::uint64_t size) const {
    if (size != entry.offset + entry.nbytes)
        throw format_error({.file = place_->called(detail::chunk_path(entry.file)),
                            .field = "length",
                            .expected = counted(entry.offset + entry.nbytes, "byte"),
                            .found = counted(size, "byte"),
                            .hint = "the file is not the one that was written"});
}

NDKEEP_INLINE void chunk_version::check_sum(const chunk_entry& entry, std::uint64_t at,
                                            const std::string& found) const {
    if (!entry.sum.empty() && entry.sum != found)
        throw checksum_error({.file = place_->called(detail::chunk_path(entry.file)),
                              .field = std::string(checksum_name(state().sum)) + " of rows " + std::to_string(at) +
                                       " to " + std::to_string(at + entry.rows),
                              .expected = entry.sum,
                              .found = found,
                              .hint = "the data is not what was written"});
}

NDKEEP_INLINE void chunk_version::read_chunk(std::size_t i, std::uint64_t from, std::uint64_t to,
                                             std::byte* out) const {
    const auto& entry = entries_[i];
    const std::uint64_t row_bytes = state().row_bytes();
    const auto bytes = static_cast<std::size_t>((to - from) * row_bytes);
    // memset may not be called with a null pointer, not even for no bytes.
    if (bytes == 0)
        return;
    if (entry.file.empty()) {
        std::memset(out, 0, bytes);
        return;
    }
    // The checksum covers the chunk as a whole: a part of it cannot be checked.
    const bool whole = to - from == entry.rows;
    running_checksums sums(whole ? state().sum : checksum::none);
    const std::uint64_t begin = entry.offset + (from - first_row(i)) * row_bytes;
    // The length is not asked for where there is no file: over a network, a question costs as much as a range, and
    // `get_range` reports an end that comes too early.
    const opened_chunk source(*this, entry, local_file(entry));
    // A block of a file is summed while it is in the processor's cache. Elsewhere, each block would cost a round trip.
    const std::size_t block = source.local_file() != nullptr ? std::size_t{1} << 20 : bytes;
    for (std::size_t at = 0; at < bytes; at += block) {
        const std::span<std::byte> part(out + at, std::min(block, bytes - at));
        source.read(begin + at, part);
        sums.update(part);
    }
    if (sums.kinds() != checksum::none)
        check_sum(entry, first_row(i), sums.values().begin()->second);
}

NDKEEP_INLINE void chunk_version::read(std::uint64_t first, std::uint64_t last, const conversion& convert,
                                       std::byte* out) const {
    if (first >= last)
        return;
    std::size_t row_elements = 1;
    for (const std::size_t extent : state().row_shape)
        row_elements *= extent;
    const std::size_t begin = chunk_of(first), end = chunk_of(last - 1) + 1;
    const std::size_t total = static_cast<std::size_t>(last - first) * row_elements;
    prefer_huge_pages({out, total * convert.to_size()});
    progress_meter meter(
        options_.run,
        {.phase = "load", .items_total = end - begin, .bytes_total = total * convert.from_size(), .file = called()});
    parallel_for(end - begin, meter, [&](std::size_t j) {
        const std::size_t i = begin + j;
        const std::uint64_t from = std::max(first, first_row(i)), to = std::min(last, ends_[i]);
        const std::size_t count = static_cast<std::size_t>(to - from) * row_elements;
        std::byte* const target = out + static_cast<std::size_t>(from - first) * row_elements * convert.to_size();
        // Threads write to ranges of `out` that do not overlap.
        if (convert.keeps_places()) {
            read_chunk(i, from, to, target);
            // At most the byte order differs, so the elements are converted in place without a second buffer.
            if (!convert.is_identity())
                convert.run(target, target, count);
        } else {
            const buffer raw(count * convert.from_size());
            read_chunk(i, from, to, raw.data());
            convert.run(target, raw.data(), count);
        }
        meter.add(0, count * convert.from_size());
    });
    meter.finish();
}

NDKEEP_INLINE mapping chunk_version::map_chunk(std::size_t i, std::size_t alignment) const {
    const auto& entry = entries_.at(i);
    if (entry.file.empty())
        return mapping::zeros(entry.nbytes, called());
    // As in `read_chunk`, the length of a distant chunk is not asked for.
    const opened_chunk source = is_distant_ ? opened_chunk(*this, entry, local_file(entry)) : open(entry);
    mapping bytes;
    // A mapping begins on a page, so that the offset in the file decides the alignment of the elements.
    if (const file* const local = source.local_file(); local != nullptr && entry.offset % alignment == 0) {
        bytes = mapping::open(*local, entry.offset, entry.nbytes, map_mode::read_only);
    } else {
        bytes = mapping::zeros(entry.nbytes, place_->called(detail::chunk_path(entry.file)));
        source.read(entry.offset, {bytes.data(), bytes.size()});
        bytes.protect();
    }
    if (options_.verify)
        verify(i, {bytes.data(), bytes.size()});
    return bytes;
}

NDKEEP_INLINE void chunk_version::verify(std::size_t i, std::span<const std::byte> rows) const {
    if (state().sum != checksum::none && !entries_[i].file.empty())
        check_sum(entries_[i], first_row(i), checksums_of(rows, state().sum).begin()->second);
}

NDKEEP_INLINE void chunk_version::check_room(std::uint64_t rows) const {
    // Chunks of zeros have no file, so the size of the files does not bound the memory that a record asks for.
    if (rows * state().row_bytes() > options_.max_bytes)
        throw mismatch_error({.file = called(),
                              .field = "size of the rows",
                              .expected = "at most " + counted(options_.max_bytes, "byte"),
                              .found = counted(rows * state().row_bytes(), "byte"),
                              .hint = ".max_bytes = … loads more; map_chunked maps them"});
}

NDKEEP_INLINE std::size_t chunk_version::chunk_of(std::uint64_t row) const {
    return static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), row) - ends_.begin());
}

NDKEEP_INLINE std::pair<std::uint64_t, std::uint64_t> chunk_version::find(const statistics::number& low,
                                                                          const statistics::number& high) const {
    if (!detail::with_number(detail::key_type(state()), [](auto) {}))
        return {0, state().rows};  // such rows have no stored minimum and maximum
    std::uint64_t first = 0, last = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        const auto& entry = entries_[i];
        auto min = entry.min, max = entry.max;
        // Entries of zeros store no minimum and maximum: both are 0. Other entries without them are of other writers,
        // or their chunks hold only NaN or NaT, which no range contains.
        if (entry.file.empty())
            min = max = statistics::number(0.0);
        else if (!min)
            std::tie(min, max) = detail::range_of(*this, entry);
        if (!min || detail::less(high, *min) || detail::less(*max, low))
            continue;
        if (first == last)  // the first chunk that matches
            first = first_row(i);
        last = ends_[i];
    }
    return {first, last};
}

NDKEEP_INLINE std::pair<std::uint64_t, std::uint64_t>
chunk_version::rows_between(const statistics::number& low, const statistics::number& high) const {
    const std::uint64_t first = first_row_from(low), last = first_row_from(high);
    return {first, std::max(first, last)};
}

NDKEEP_INLINE std::uint64_t chunk_version::first_row_from(const statistics::number& key) const {
    if (!state().order_by)
        throw mismatch_error({.file = called(),
                              .field = "order_by",
                              .expected = "a field that orders the rows",
                              .found = "none",
                              .hint = "`find` searches rows without an order"});
    if (const auto* const number = std::get_if<double>(&key); number != nullptr && detail::is_nan(*number))
        throw mismatch_error({.file = called(), .field = "bound of the keys", .expected = "a number", .found = "NaN"});
    const auto wanted = detail::rounded_up(key, detail::number_form(detail::key_type(state())));
    if (!wanted)
        return state().rows;
    std::size_t chunk = 0;
    for (std::size_t end = entries_.size(); chunk < end;) {
        const std::size_t middle = chunk + (end - chunk) / 2;
        if (detail::less(last_key(middle), *wanted))
            chunk = middle + 1;
        else
            end = middle;
    }
    if (chunk == entries_.size())
        return state().rows;
    if (!detail::less(first_key(chunk), *wanted))
        return first_row(chunk);

    // The key of `below` is less than the wanted one, and that of `at` is not. In a chunk of one row, whose minimum and
    // maximum a damaged record may tell apart, `at` is behind it.
    const auto& entry = entries_[chunk];
    const opened_chunk source(*this, entry, local_file(entry));
    const std::uint64_t row_bytes = state().row_bytes();
    std::uint64_t below = 0, at = std::max<std::uint64_t>(1, entry.rows - 1);
    // So few rows cost no more than one key, above all over a network.
    constexpr std::uint64_t block_bytes = 4096;
    while (at - below > 1 && (at - below - 1) * row_bytes > block_bytes) {
        const std::uint64_t middle = below + (at - below) / 2;
        (detail::less(read_key(source, middle), *wanted) ? below : at) = middle;
    }
    if (at - below > 1) {
        std::vector<std::byte> rows(static_cast<std::size_t>((at - below - 1) * row_bytes));
        source.read(entry.offset + (below + 1) * row_bytes, rows);
        const auto keys = detail::keys_of(state(), rows.data(), static_cast<std::size_t>(at - below - 1));
        std::size_t i = 0;
        while (i < keys.count && detail::less(detail::number_at(keys, i), *wanted))
            ++i;
        at = below + 1 + i;
    }
    return first_row(chunk) + at;
}

NDKEEP_INLINE statistics::number chunk_version::key_of(std::uint64_t row) const {
    const std::size_t i = chunk_of(row);
    const auto& entry = entries_[i];
    if (const bool is_first = row == first_row(i); is_first && entry.min)
        return *entry.min;
    if (const bool is_last = row + 1 == ends_[i]; is_last && entry.max)
        return *entry.max;
    // Rows of zeros have no file.
    if (entry.file.empty())
        return *detail::rounded_up(std::int64_t{0}, detail::number_form(detail::key_type(state())));
    return read_key(opened_chunk(*this, entry, local_file(entry)), row - first_row(i));
}

NDKEEP_INLINE statistics::number chunk_version::first_key(std::size_t i) const { return key_of(first_row(i)); }

NDKEEP_INLINE statistics::number chunk_version::last_key(std::size_t i) const { return key_of(ends_[i] - 1); }

NDKEEP_INLINE statistics::number chunk_version::read_key(const opened_chunk& source, std::uint64_t row) const {
    std::array<std::byte, sizeof(double)> bytes{};  // the widest key has eight
    const auto type = detail::key_type(state());
    const auto* const field = state().order_by ? state().type.find(*state().order_by) : nullptr;
    source.read(source.entry_->offset + row * state().row_bytes() + (field == nullptr ? 0 : field->offset),
                std::span(bytes).first(static_cast<std::size_t>(type.size())));
    return detail::number_at({type, bytes.data(), bytes.size(), 1}, 0);
}

}  // namespace core

}  // namespace ndkeep
