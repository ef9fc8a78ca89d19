// SPDX-License-Identifier: BSD-3-Clause
// Sources with a known number of items: the next item is fetched while the body processes the current one.
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
#include <deque>
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

/// A position in a source: an item, and how many of its rows are processed.
struct item_place {
    std::size_t index = 0;
    std::uint64_t rows = 0;
};

/// The least bytes of a chunk for which read-ahead is requested. Smaller chunks are read at the first access anyway.
inline constexpr std::size_t worth_reading_ahead = std::size_t{128} << 10;

/// Reads elements that cannot be mapped, because they need conversion or are compressed, into anonymous memory.
template <element T, std::size_t N>
[[nodiscard]] mapped<const T, N> read_into_memory(const byte_source& source, const array_info& info,
                                                  const run_options& run, std::uint32_t* crc = nullptr) {
    const conversion convert(info.type, dtype_of<T>(), source.path());
    auto bytes = mapping::zeros(info.size() * sizeof(T), source.path());
    element_reader(source, info, convert, bytes.data()).run(order::row_major, run, crc);
    make_values(reinterpret_cast<T*>(bytes.data()), static_cast<std::size_t>(info.size()));
    bytes.protect();
    return {std::move(bytes), info.shape};
}

/// Whether elements can be used in the mapped file: no conversion, aligned, and in row-major order. `bool` cannot,
/// because a file may contain bytes other than 0 and 1.
/// @throws mismatch_error  the dtype does not convert to T
template <element T>
[[nodiscard]] bool fits_in_place(const array_info& info, const std::filesystem::path& file, std::uint64_t address) {
    const conversion convert(info.type, dtype_of<T>(), file);
    return info.type.is_native() && convert.is_identity() && address % alignof(T) == 0 && !std::is_same_v<T, bool> &&
           !(info.column_major && element_reader::has_order(info));
}

/// Hashes that recognise an item of a list.
struct item_label {
    std::uint64_t content = 0;  ///< file name, dtype, shape of what was processed, and its content, or part of it
    std::uint64_t stamp = 0;    ///< `content` and the time of modification
    std::uint64_t name = 0;     ///< names of the file and its directory
    bool is_whole = false;      ///< `content` covers all of the content, and proves equality without `stamp`
};

/// An item of a source and its label, both as they were when the item was fetched.
template <class Item>
struct fetched_item {
    Item item;
    item_label label = {};
};

/// Shows the items of a Source in order. A Source has
///
///     item                            type of a mapped array; axis 0 counts rows
///     size(), rows_of(i)              number of items, and rows of each
///     fetch(i), is_slow(i)            a fetched_item; whether to fetch it in a thread
///     ahead(i)                        how many items from i on to fetch at once, each in a thread; may be left out: 1
///     start(place)                    begins at this position; the items before it count as processed
///     resume(stored, rows)            checks the source, and returns the committed position; nullopt: `rows` is it
///     pass(i, label, first, last)     item i, which begins at row `first` of the source, is shown up to its row `last`
///     identity()                      what a commit stores about the source
///     total_rows()                    nullopt if unknown
///     durable()                       a function that syncs the source; may be empty
template <class Source>
class item_feed {
  public:
    using item = typename Source::item;
    static constexpr std::string_view kind = Source::kind;

    explicit item_feed(Source source) : source_(std::move(source)) {}

    void start(std::uint64_t row) {
        const std::uint64_t wanted = row;
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
            throw another_source(source_.file(), "number of rows", "at least .first_row, " + std::to_string(wanted),
                                 std::to_string(wanted - row));
        source_.start(at);
        at_ = begin_ = at;
    }
    void resume(const object_reader& said, std::uint64_t rows) {
        if (const auto at = source_.resume(said, rows))
            at_ = begin_ = *at;
        else
            start(rows);
    }
    /// After a warm-up, or if it is stopped: continues at the first row of the pass.
    void return_to_begin() { at_ = begin_; }
    /// Goes back for a warm-up. Returns by how many rows, at most `wanted`.
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
            return_to_begin();  // only items without rows were stepped over
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
            throw another_source(source_.file(), "number of rows", "at least " + std::to_string(at_.rows),
                                 std::to_string(rows));
        const std::uint64_t first = at_.rows, last = first + std::min(most, rows - first);
        // Chunks of a warm-up were counted as processed before.
        if (!chunk.is_warm_up)
            source_.pass(index, label, chunk.first_row - first, last);
        at_ = last == rows ? item_place{at_.index + 1, 0} : item_place{at_.index, last};
        // Before the body runs. If the item continues, it is fetched again: `all` is given away below.
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
    /// An item that is fetched ahead: in a thread, already present, or failed.
    struct fetched {
        std::size_t index = 0;
        std::optional<fetched_item<item>> there = std::nullopt;
        std::exception_ptr problem = nullptr;
        std::future<fetched_item<item>> coming = {};
    };

    /// Begins to fetch this item, and those behind it that the source wants.
    void begin_ahead(std::size_t index) {
        while (!ahead_.empty() && ahead_.front().index < index)
            ahead_.pop_front();
        // The rest of an item comes before the items that are fetched already.
        if (index < source_.size() && (ahead_.empty() || ahead_.front().index != index))
            ahead_.push_front(begun(index));
        std::size_t count = 1;
        if constexpr (requires { source_.ahead(index); })
            count = source_.ahead(index);
        while (!ahead_.empty() && ahead_.size() < count && ahead_.back().index + 1 < source_.size())
            ahead_.push_back(begun(ahead_.back().index + 1));
    }

    [[nodiscard]] fetched begun(std::size_t index) {
        fetched next{.index = index};
        try {
            // The thread refers to this object, which does not move once the pass has begun.
            if (source_.is_slow(index))
                next.coming = std::async(std::launch::async, [this, index] { return source_.fetch(index); });
            else
                next.there = source_.fetch(index);
        } catch (...) {
            next.problem = std::current_exception();  // thrown when the item is needed: the body before it still runs
        }
        return next;
    }

    [[nodiscard]] fetched_item<item> take_ahead(std::size_t index) {
        if (ahead_.empty() || ahead_.front().index != index)
            return source_.fetch(index);
        fetched there = std::move(ahead_.front());
        ahead_.pop_front();
        if (there.problem)
            std::rethrow_exception(there.problem);
        return there.coming.valid() ? there.coming.get() : *std::move(there.there);
    }

    Source source_;
    item_place begin_;  // first position of the pass
    item_place at_;     // position of the next chunk
    item current_;
    // Of consecutive items. Declared last and so destroyed first: the futures wait for the threads, which use source_.
    std::deque<fetched> ahead_;
};

}  // namespace ndkeep::detail
