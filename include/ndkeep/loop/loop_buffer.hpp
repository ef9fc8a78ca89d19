// SPDX-License-Identifier: BSD-3-Clause
// Buffers that collect rows over several chunks, up to a limit of bytes.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/loop/detail/access.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/detail/state/codec.hpp>
#include <ndkeep/loop/options.hpp>
#include <ndkeep/loop/state.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Copies of rows of one dtype and shape, in blocks of memory. Blocks never move: growing copies no row again.
class row_store {
  public:
    explicit row_store(dtype type) : type_(std::move(type)) {}

    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::uint64_t nbytes() const noexcept { return rows_ * row_bytes_; }
    [[nodiscard]] std::vector<std::size_t> shape() const;

    /// @throws mismatch_error  another row shape than before, or a dtype that does not convert
    void check(const array_view& rows) const;
    /// @throws mismatch_error  the rows have another shape than the first ones
    static void check_alike(const array_view& first, const array_view& rows);

    /// Copies rows that `check` has accepted.
    void add(const array_view& rows);

    /// Copies all rows to `out`, and removes them. Each block is released as soon as it is copied, so that the peak of
    /// memory is less than twice the rows.
    void take(std::byte* out);

    /// The bytes of all rows, block by block.
    [[nodiscard]] std::vector<std::span<const std::byte>> pieces() const;

    void save(state_writer& out, const std::string& name) const;
    void load(const state_reader& in, const std::string& name);

  private:
    struct block {
        buffer bytes;
        std::size_t used = 0;
    };

    /// A block with room for at least one row. It has at least 64 KiB, so that rows that are added one by one share it.
    [[nodiscard]] block& room_for(std::size_t rows);

    dtype type_;
    std::vector<std::size_t> row_shape_;
    std::uint64_t row_bytes_ = 0;
    std::uint64_t rows_ = 0;
    std::deque<block> blocks_;
    bool is_new_ = true;  // the row shape is not known yet
};

/// Whether the held rows are returned before `more` bytes are added: together they would exceed the limit, and the new
/// ones alone would not.
[[nodiscard]] constexpr bool gives_first(std::uint64_t held, std::uint64_t more, std::uint64_t limit) {
    // Subtracted, because the sum of `held` and `more` could overflow.
    return held != 0 && more < limit && more > limit - std::min(held, limit);
}

/// Moves all rows out of the store into a new array.
template <class T, std::size_t N>
[[nodiscard]] array_of<T, N> taken(row_store& rows) {
    check_rank<N>(rows.shape(), {}, "buffer");
    auto array = uninitialised<array_of<T, N>>(rows.shape());
    rows.take(reinterpret_cast<std::byte*>(array.data()));
    make_values(array.data(), array.size());
    return array;
}

/// Calls `act`, and adds the checkpoint file and the name of the buffer to its mismatch_error.
template <class Act>
decltype(auto) in_buffer(const loop_core& core, const std::string& name, Act&& act) {
    try {
        return act();
    } catch (const mismatch_error& problem) {
        error_parts parts = problem.parts();
        parts.file = core.path();
        parts.field = "buffer " + ndkeep::quoted(name) + ": " + parts.field;
        throw mismatch_error(std::move(parts));
    }
}

}  // namespace detail

/// Collects rows over several chunks. It is part of the checkpoint, and `stateful_loop::buffer` makes it.
///
/// After a `push` it never holds `.limit_bytes` or more:
/// - a push that reaches the limit exactly returns all rows;
/// - a push that would exceed the limit returns the rows held so far, and holds the new ones;
/// - a push whose rows reach or exceed the limit alone returns all rows, the held ones first.
template <element T, std::size_t N = any_rank>
class loop_buffer {
  public:
    /// What `push` and `flush` return.
    using array = array_of<T, N>;

    /// Copies rows into the buffer, and returns the collected rows if they reach `.limit_bytes`, and on the last chunk;
    /// otherwise nullopt.
    ///
    /// Rows
    /// of a warm-up chunk are ignored.
    /// @throws mismatch_error  the dtype, rank or row shape differs
    [[nodiscard]] std::optional<array> push(const array_view& rows) {
        // Warm-up rows lie before the first new row: they are context, not input.
        if (loop_.chunk().is_warm_up)
            return std::nullopt;
        detail::in_buffer(loop_, name_, [&] {
            detail::check_rank<N>(rows.shape(), {}, "buffer");
            rows_.check(rows);
        });
        std::optional<array> given;
        // On the last chunk no row may remain: old and new rows are returned together below, even beyond the limit.
        if (detail::gives_first(rows_.nbytes(), rows.size() * sizeof(T), limit_) && !loop_.is_last())
            given = flush();
        rows_.add(rows);
        if (!given && (rows_.nbytes() >= limit_ || loop_.is_last()))
            given = flush();
        return given;
    }

    /// Removes and returns all collected rows; nullopt if there are none.
    [[nodiscard]] std::optional<array> flush() {
        if (rows_.rows() == 0)
            return std::nullopt;
        return detail::taken<T, N>(rows_);
    }

    /// The number of collected rows.
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_.rows(); }
    /// The bytes of all collected rows.
    [[nodiscard]] std::uint64_t nbytes() const noexcept { return rows_.nbytes(); }

    /// For the loop: the buffer is part of its checkpoint.
    void save(state_writer& out) const { rows_.save(out, "rows"); }
    /// For the loop, which restores the buffer from its checkpoint.
    void load(const state_reader& in) {
        detail::in_buffer(loop_, name_, [&] { rows_.load(in, "rows"); });
    }

  private:
    friend struct detail::loop_access;

    loop_buffer(const detail::loop_core& loop, std::string name, const loop_buffer_options& options)
        : loop_(loop), name_(std::move(name)), limit_(options.limit_bytes), rows_(dtype_of<T>()) {}

    const detail::loop_core& loop_;
    std::string name_;
    std::uint64_t limit_;
    detail::row_store rows_;
};

/// Rows to add under one key of a `keyed_loop_buffer`.
struct keyed_rows {
    /// `{"key", rows}`.
    keyed_rows(std::string_view of, array_view elements) : key(of), rows(std::move(elements)) {}

    std::string key;  ///< any text
    array_view rows;  ///< with one axis more than a row
};

/// Collects rows by key, with one limit for all keys together. It is part of the checkpoint, and
/// `stateful_loop::keyed_buffer` makes it.
template <element T, std::size_t N = any_rank>
class keyed_loop_buffer {
  public:
    /// What `push` and `flush` return: rows by key.
    using arrays = std::map<std::string, array_of<T, N>>;

    /// Copies rows into the buffer, and returns the rows of all keys if together they reach `.limit_bytes`, and on the
    /// last chunk; otherwise nullopt.
    ///
    /// Keys without rows are left out. Rows of a warm-up chunk are ignored.
    /// @throws mismatch_error  the dtype, rank or row shape differs; no rows are added then
    [[nodiscard]] std::optional<arrays> push(std::initializer_list<keyed_rows> rows) { return push_all(rows); }
    [[nodiscard]] std::optional<arrays> push(const std::vector<keyed_rows>& rows) { return push_all(rows); }

    /// Removes and returns all collected rows; nullopt if there are none.
    [[nodiscard]] std::optional<arrays> flush() {
        arrays all;
        for (auto& [key, rows] : rows_)
            if (rows.rows() != 0)
                all.emplace(key, detail::taken<T, N>(rows));
        return all.empty() ? std::nullopt : std::optional(std::move(all));
    }

    /// The bytes of all collected rows.
    [[nodiscard]] std::uint64_t nbytes() const noexcept {
        std::uint64_t bytes = 0;
        for (const auto& [key, rows] : rows_)
            bytes += rows.nbytes();
        return bytes;
    }

    /// For the loop: the buffer is part of its checkpoint.
    void save(state_writer& out) const {
        // The rows are stored under numbers: a key may be any text, the name of a state may not.
        std::vector<std::string> keys;
        for (const auto& [key, rows] : rows_) {
            rows.save(out, std::to_string(keys.size()));
            keys.push_back(key);
        }
        out.set("keys", keys);
    }
    /// For the loop, which restores the buffer from its checkpoint.
    void load(const state_reader& in) {
        rows_.clear();
        const auto keys = in.get<std::vector<std::string>>("keys");
        for (std::size_t i = 0; i < keys.size(); ++i)
            detail::in_buffer(loop_, name_, [&] { store_of(keys[i]).load(in, std::to_string(i)); });
    }

  private:
    friend struct detail::loop_access;

    keyed_loop_buffer(const detail::loop_core& loop, std::string name, const loop_buffer_options& options)
        : loop_(loop), name_(std::move(name)), limit_(options.limit_bytes) {}

    template <class Items>
    [[nodiscard]] std::optional<arrays> push_all(const Items& items) {
        if (loop_.chunk().is_warm_up)
            return std::nullopt;
        // All rows are checked before any is added, so that an error changes nothing.
        std::uint64_t more = 0;
        std::map<std::string_view, const array_view*> firsts;  // a key may occur twice
        detail::in_buffer(loop_, name_, [&] {
            for (const keyed_rows& each : items) {
                detail::check_rank<N>(each.rows.shape(), {}, "keyed_buffer");
                store_of(each.key).check(each.rows);
                detail::row_store::check_alike(*firsts.try_emplace(each.key, &each.rows).first->second, each.rows);
                more += each.rows.size() * sizeof(T);
            }
        });
        std::optional<arrays> given;
        if (detail::gives_first(nbytes(), more, limit_) && !loop_.is_last())
            given = flush();
        for (const keyed_rows& each : items)
            store_of(each.key).add(each.rows);
        if (!given && (nbytes() >= limit_ || loop_.is_last()))
            given = flush();
        return given;
    }

    [[nodiscard]] detail::row_store& store_of(const std::string& key) {
        return rows_.emplace(key, detail::row_store(dtype_of<T>())).first->second;
    }

    const detail::loop_core& loop_;
    std::string name_;
    std::uint64_t limit_;
    std::map<std::string, detail::row_store> rows_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/loop_buffer.ipp>
#endif
