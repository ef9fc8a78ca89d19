// SPDX-License-Identifier: BSD-3-Clause
// Sources whose chunks are counted: the next one is fetched while the body has the one before.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/reader.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/version.hpp>
#include <ndkeep/work/progress.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// An item of a source, and rows of it that are behind.
struct item_place {
    std::size_t index = 0;
    std::uint64_t rows = 0;
};

/// Bytes from which on it is worth asking the system to read them: less is what it reads at the first look anyway.
inline constexpr std::size_t worth_reading_ahead = std::size_t{128} << 10;

/// Copies elements that cannot be used where they lie, into memory that is mapped all the same.
template <element T, std::size_t N>
[[nodiscard]] mapped<const T, N> read_into_memory(const byte_source& source, const array_info& info,
                                                  const run_options& run, std::uint32_t* crc = nullptr) {
    const conversion convert(info.type, dtype_of<T>(), source.path());
    auto bytes = mapping::zeros(info.size() * sizeof(T), source.path());
    element_reader(source, info, convert, bytes.data()).run(false, run, crc);
    make_values(reinterpret_cast<T*>(bytes.data()), static_cast<std::size_t>(info.size()));
    bytes.protect();
    return {std::move(bytes), info.shape};
}

/// Whether elements can be used where they lie.
/// @throws mismatch_error  they are no T
template <element T>
[[nodiscard]] bool fits_in_place(const array_info& info, const std::filesystem::path& file, std::uint64_t address) {
    const conversion convert(info.type, dtype_of<T>(), file);
    return info.type.is_native() && convert.is_identity() && address % alignof(T) == 0 && !std::is_same_v<T, bool> &&
           !(info.column_major && element_reader::has_order(info));
}

/// An item of a source as it was when it was fetched, and what tells it apart from others.
template <class Item>
struct fetched_item {
    Item item;
    std::string label = {};
};

/// Shows the items of a Source one after the other. It has
///
///     item                            a mapped array of which axis 0 counts rows
///     size(), rows_of(i)              how many, and how many rows each has
///     fetch(i), is_slow(i)            a fetched_item; whether a thread is worth it
///     start(place)                    what is shown begins there; the items before count as passed over
///     resume(said, rows)              the same as it was committed; nothing where rows alone say where that is
///     pass(i, label, first, last)     an item is shown up to these rows, of the whole source and of its own
///     identity(), total_rows(), durable()
template <class Source>
class item_feed {
  public:
    using item = typename Source::item;
    static constexpr std::string_view kind = Source::kind;

    explicit item_feed(Source source) : source_(std::move(source)) {}

    void start(std::uint64_t row) {
        item_place at;
        while (row != 0 && at.index < source_.size()) {
            const std::uint64_t rows = source_.rows_of(at.index);
            if (row < rows) {
                at.rows = row;
                row = 0;
            } else {
                row -= rows;
                ++at.index;
            }
        }
        if (row != 0)
            throw another_source(source_.file(), "rows", "at least .first_row", "fewer");
        source_.start(at);
        at_ = begin_ = at;
    }
    void resume(const object_reader& said, std::uint64_t rows) {
        if (const auto at = source_.resume(said, rows))
            at_ = begin_ = *at;
        else
            start(rows);
    }
    /// After going back: what comes next is what would have come without it.
    void return_to_begin() { at_ = begin_; }
    /// Goes back, and says how far.
    [[nodiscard]] std::uint64_t back(std::uint64_t wanted) {
        std::uint64_t gone = 0;
        while (gone < wanted && (at_.rows != 0 || at_.index != 0)) {
            if (at_.rows == 0) {
                --at_.index;
                at_.rows = source_.rows_of(at_.index);
            }
            const std::uint64_t some = std::min(at_.rows, wanted - gone);
            at_.rows -= some;
            gone += some;
        }
        if (gone == 0)
            return_to_begin();  // from items without rows
        return gone;
    }

    /// False at the end.
    [[nodiscard]] bool next(std::uint64_t most, chunk_at_hand& chunk) {
        if (at_.index >= source_.size())
            return false;
        const std::size_t index = at_.index;
        auto [all, label] = take_ahead(index);
        const std::uint64_t rows = all.shape()[0];
        if (at_.rows > rows)
            throw another_source(source_.file(), "rows", "at least " + std::to_string(at_.rows), std::to_string(rows));
        const std::uint64_t first = at_.rows, last = first + std::min(most, rows - first);
        if (!chunk.is_warm_up)
            source_.pass(index, std::move(label), chunk.first_row - first, last);
        at_ = last == rows ? item_place{at_.index + 1, 0} : item_place{at_.index, last};
        begin_ahead(at_.index);
        current_ = first == 0 && last == rows
                       ? std::move(all)
                       : std::move(all).rows(static_cast<std::size_t>(first), static_cast<std::size_t>(last));
        chunk.rows = last - first;
        chunk.bytes = current_.size() * sizeof(typename item::value_type);
        chunk.is_last = at_.index >= source_.size();
        return true;
    }
    [[nodiscard]] item take() { return std::move(current_); }

    [[nodiscard]] json identity() const { return source_.identity(); }
    [[nodiscard]] std::optional<std::uint64_t> total_rows() const { return source_.total_rows(); }
    [[nodiscard]] std::function<void()> durable() const { return source_.durable(); }
    void done() noexcept {}

  private:
    /// An item on its way, or what came of it.
    struct fetched {
        std::size_t index = 0;
        std::optional<fetched_item<item>> there = std::nullopt;
        std::exception_ptr problem = nullptr;
        std::future<fetched_item<item>> coming = {};
    };

    void begin_ahead(std::size_t index) {
        ahead_.reset();
        if (index >= source_.size())
            return;
        fetched next{.index = index};
        try {
            if (source_.is_slow(index))
                next.coming = std::async(std::launch::async, [this, index] { return source_.fetch(index); });
            else
                next.there = source_.fetch(index);
        } catch (...) {
            next.problem = std::current_exception();  // for when it is asked for
        }
        ahead_ = std::move(next);
    }

    [[nodiscard]] fetched_item<item> take_ahead(std::size_t index) {
        if (!ahead_ || ahead_->index != index)
            return source_.fetch(index);
        fetched there = std::move(*ahead_);
        ahead_.reset();
        if (there.problem)
            std::rethrow_exception(there.problem);
        return there.coming.valid() ? there.coming.get() : *std::move(there.there);
    }

    Source source_;
    item_place begin_;  // of the pass
    item_place at_;     // of what comes next
    item current_;
    std::optional<fetched> ahead_;  // last, as its thread uses the source
};

}  // namespace ndkeep::detail
