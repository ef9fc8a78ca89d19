// SPDX-License-Identifier: BSD-3-Clause
// An array as the source of a loop, in blocks of rows.
#pragma once

#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/options.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

template <class A>
inline constexpr bool is_container = false;
template <class T, std::size_t N, xt::layout_type L>
inline constexpr bool is_container<mapped<T, N, L>> = true;
template <class S, xt::layout_type L, class Shape, class Tag>
inline constexpr bool is_container<xt::xarray_container<S, L, Shape, Tag>> = true;
template <class S, std::size_t N, xt::layout_type L, class Tag>
inline constexpr bool is_container<xt::xtensor_container<S, N, L, Tag>> = true;
template <class S, xt::layout_type L, class Shape, class Tag>
inline constexpr bool is_container<xt::xarray_adaptor<S, L, Shape, Tag>> = true;
template <class S, std::size_t N, xt::layout_type L, class Tag>
inline constexpr bool is_container<xt::xtensor_adaptor<S, N, L, Tag>> = true;

/// A container whose elements are contiguous in memory, in row-major order: a mapped array, xt::xarray, xt::xtensor, or
/// an adaptor of memory. A view is not: evaluate it into a container first.
template <class A>
concept block_array = is_container<A> && expression<A> && A::static_layout == xt::layout_type::row_major;

template <class Shape>
inline constexpr std::size_t rank_of_shape = any_rank;
template <class Extent, std::size_t N>
inline constexpr std::size_t rank_of_shape<std::array<Extent, N>> = N;

/// Shows blocks of an array without copying. Finished blocks of a mapped file are released from memory.
template <class A>
class block_feed {
    using value = typename A::value_type;
    static constexpr std::size_t rank = rank_of_shape<typename A::shape_type>;

  public:
    using item = mapped<const value, rank>;
    static constexpr std::string_view kind = "array";

    block_feed(const A& array, const block_options& options) : array_(&array) {
        if (array.dimension() == 0)
            throw mismatch_error({.file = file(), .field = "shape", .expected = "at least 1 dimension", .found = "()"});
        rows_ = array.shape()[0];
        row_ = rows_ == 0 ? 0 : array.size() / static_cast<std::size_t>(rows_);
        block_ = options.rows != 0 ? options.rows : chunk_size().rows(std::max<std::uint64_t>(1, row_ * sizeof(value)));
    }

    void start(std::uint64_t row) {
        if (row > rows_)
            throw another_source(file(), "number of rows", "at least .first_row, " + std::to_string(row),
                                 std::to_string(rows_));
        at_ = row;
    }
    void resume(const object_reader& said, std::uint64_t rows) {
        const json now = identity();
        const auto path = file();
        const object_reader here(now, "", path);
        for (const char* const what : {"dtype", "row_shape", "name"})
            if (said.text(what) != here.text(what))
                throw another_source(file(), what, ndkeep::quoted(said.text(what)), ndkeep::quoted(here.text(what)));
        if (rows > rows_)
            throw another_source(file(), "number of rows", "at least " + std::to_string(rows), std::to_string(rows_));
        at_ = rows;
    }
    [[nodiscard]] std::uint64_t back(std::uint64_t wanted) {
        const std::uint64_t gone = std::min(wanted, at_);
        at_ -= gone;
        return gone;
    }

    void return_to_begin() noexcept {}

    [[nodiscard]] bool next(std::uint64_t most, chunk_at_hand& chunk) {
        if (at_ >= rows_)
            return false;
        first_ = at_;
        at_ += std::min({block_, most, rows_ - at_});
        // The system reads the next block while the body processes this one.
        advise(advice::will_need, at_, std::min(rows_, at_ + block_));
        chunk.rows = at_ - first_;
        chunk.bytes = bytes(first_, at_).size();
        chunk.is_last = at_ == rows_;
        return true;
    }
    [[nodiscard]] item take() const {
        // Refers to the memory of the array, which must outlive the pass.
        auto shape = array_->shape();
        shape[0] = static_cast<std::size_t>(at_ - first_);
        return {mapping::of(bytes(first_, at_), file()), shape};
    }
    void done() noexcept {
        try {
            advise(advice::drop, first_, at_);
        } catch (const error&) {
            // Only advice to the system: the loop is correct without it.
        }
    }

    /// What a commit stores about the source, and `resume` compares. The number of rows is not part of it: the array
    /// may have grown.
    [[nodiscard]] json identity() const {
        json said = json::object();
        auto& members = members_of(said);
        members["kind"] = std::string(kind);
        members["dtype"] = dtype_text(dtype_of<value>());
        members["row_shape"] = shape_text(std::vector<std::size_t>(array_->shape().begin() + 1, array_->shape().end()));
        members["name"] = name_text(file().filename().string());
        return said;
    }
    [[nodiscard]] std::optional<std::uint64_t> total_rows() const { return rows_; }
    [[nodiscard]] std::function<void()> durable() const { return nullptr; }

  private:
    [[nodiscard]] std::filesystem::path file() const {
        if constexpr (requires { array_->file(); })
            return array_->file();
        else
            return {};
    }
    [[nodiscard]] std::span<const std::byte> bytes(std::uint64_t first, std::uint64_t last) const {
        return {reinterpret_cast<const std::byte*>(array_->data() + first * row_),
                static_cast<std::size_t>(last - first) * row_ * sizeof(value)};
    }
    void advise([[maybe_unused]] advice what, [[maybe_unused]] std::uint64_t first,
                [[maybe_unused]] std::uint64_t last) const {
        if constexpr (requires { array_->advise(what); })
            array_->advise(what, static_cast<std::size_t>(first) * row_, static_cast<std::size_t>(last) * row_);
    }

    const A* array_;
    std::uint64_t rows_ = 0;
    std::size_t row_ = 0;               // elements of one row
    std::uint64_t block_;               // rows of one block
    std::uint64_t first_ = 0, at_ = 0;  // first row of the current block, and of the next one
};

}  // namespace ndkeep::detail
