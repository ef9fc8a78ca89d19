// SPDX-License-Identifier: BSD-3-Clause
// Rows collected over chunks until there are enough of them.
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

/// Rows of one dtype and shape that are copied in, in blocks of memory that stay where they are.
class row_store {
  public:
    explicit row_store(dtype type) : type_(std::move(type)) {}

    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::uint64_t nbytes() const noexcept { return rows_ * row_bytes_; }
    [[nodiscard]] std::vector<std::size_t> shape() const;

    /// @throws mismatch_error  other rows than before
    void check(const array_view& rows) const;

    /// @param rows  that have been checked
    void add(const array_view& rows);

    /// Copies all rows, and gives their memory back on the way.
    void take(std::byte* out);

    [[nodiscard]] std::vector<std::span<const std::byte>> pieces() const;

    void save(state_writer& out, const std::string& name) const;
    void load(const state_reader& in, const std::string& name);

  private:
    struct block {
        buffer bytes;
        std::size_t used = 0;
    };

    /// A block with room for at least one row. Small ones share one, so that rows that come singly are not many.
    [[nodiscard]] block& room_for(std::size_t rows);

    dtype type_;
    std::vector<std::size_t> row_shape_;
    std::uint64_t row_bytes_ = 0;
    std::uint64_t rows_ = 0;
    std::deque<block> blocks_;
    bool is_new_ = true;
};

/// Whether what is held is given back before more comes, which would exceed the limit but not by itself.
[[nodiscard]] constexpr bool gives_first(std::uint64_t held, std::uint64_t more, std::uint64_t limit) {
    return held != 0 && more < limit && more > limit - std::min(held, limit);
}

/// All rows as an array of its own.
template <class T, std::size_t N>
[[nodiscard]] array_of<T, N> taken(row_store& rows) {
    check_rank<N>(rows.shape(), {}, "buffer");
    auto array = uninitialised<array_of<T, N>>(rows.shape());
    rows.take(reinterpret_cast<std::byte*>(array.data()));
    make_values(array.data(), array.size());
    return array;
}

/// An error about a buffer.
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

/// Collects rows over chunks, and is part of the checkpoint; `stateful_loop::buffer` makes it.
///
/// It never holds more than `.limit_bytes`. A `push` that reaches the limit gives all rows back; one that would exceed
/// it gives those that were held, and holds the new ones; rows that exceed it by themselves are given back at once,
/// with those before them.
template <element T, std::size_t N = any_rank>
class loop_buffer {
  public:
    using array = array_of<T, N>;

    /// Copies rows in. What has been collected comes back once there are `.limit_bytes` of it, and all of it on the
    /// last chunk; nothing otherwise. Rows of a warm-up are passed over.
    /// @throws mismatch_error  another dtype, rank or row shape
    [[nodiscard]] std::optional<array> push(const array_view& rows) {
        if (loop_.chunk().is_warm_up)
            return std::nullopt;
        detail::in_buffer(loop_, name_, [&] {
            detail::check_rank<N>(rows.shape(), {}, "buffer");
            rows_.check(rows);
        });
        std::optional<array> given;
        if (detail::gives_first(rows_.nbytes(), rows.size() * sizeof(T), limit_) && !loop_.is_last())
            given = flush();
        rows_.add(rows);
        if (!given && (rows_.nbytes() >= limit_ || loop_.is_last()))
            given = flush();
        return given;
    }

    /// What has been collected, if anything has.
    [[nodiscard]] std::optional<array> flush() {
        if (rows_.rows() == 0)
            return std::nullopt;
        return detail::taken<T, N>(rows_);
    }

    /// Rows that are held, and their bytes.
    [[nodiscard]] std::uint64_t rows() const noexcept { return rows_.rows(); }
    [[nodiscard]] std::uint64_t nbytes() const noexcept { return rows_.nbytes(); }

    void save(state_writer& out) const { rows_.save(out, "rows"); }
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

/// Rows for one key of a `keyed_loop_buffer`.
struct keyed_rows {
    keyed_rows(std::string_view of, array_view elements) : key(of), rows(std::move(elements)) {}

    std::string key;
    array_view rows;
};

/// Collects rows by key, all under one limit; `stateful_loop::keyed_buffer` makes it.
template <element T, std::size_t N = any_rank>
class keyed_loop_buffer {
  public:
    using arrays = std::map<std::string, array_of<T, N>>;

    /// Copies rows in. Those of all keys come back, by key, once there are `.limit_bytes` of them together, and on the
    /// last chunk; nothing otherwise. Keys that never had a row are left out.
    [[nodiscard]] std::optional<arrays> push(std::initializer_list<keyed_rows> rows) { return push_all(rows); }
    [[nodiscard]] std::optional<arrays> push(const std::vector<keyed_rows>& rows) { return push_all(rows); }

    /// What has been collected, if anything has.
    [[nodiscard]] std::optional<arrays> flush() {
        arrays all;
        for (auto& [key, rows] : rows_)
            if (rows.rows() != 0)
                all.emplace(key, detail::taken<T, N>(rows));
        return all.empty() ? std::nullopt : std::optional(std::move(all));
    }

    [[nodiscard]] std::uint64_t nbytes() const noexcept {
        std::uint64_t bytes = 0;
        for (const auto& [key, rows] : rows_)
            bytes += rows.nbytes();
        return bytes;
    }

    void save(state_writer& out) const {
        std::vector<std::string> keys;
        for (const auto& [key, rows] : rows_) {
            rows.save(out, std::to_string(keys.size()));
            keys.push_back(key);
        }
        out.set("keys", keys);
    }
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
        std::uint64_t more = 0;
        detail::in_buffer(loop_, name_, [&] {
            for (const keyed_rows& each : items) {
                detail::check_rank<N>(each.rows.shape(), {}, "keyed_buffer");
                store_of(each.key).check(each.rows);
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
#include <ndkeep/loop/detail/buffer.ipp>
#endif
