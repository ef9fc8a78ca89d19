// SPDX-License-Identifier: BSD-3-Clause
// Reading a chunked array: one version of it, whole, by rows, or chunk by chunk.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/in_place.hpp>
#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/chunks/core/gather.hpp>
#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/store/place.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/text/json/parser.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Rows from `first` up to `last`.
struct row_range {
    std::uint64_t first = 0, last = 0;
    friend bool operator==(const row_range&, const row_range&) = default;
};

/// One version of a chunked array of `T`, of rank N or any. Others may commit meanwhile: this one stays as it is, and
/// is not pruned before the reader is gone.
///
/// Iterating gives the chunks in order, each mapped: `for (auto chunk : readings)`. No files are opened before.
template <element T, std::size_t N = any_rank>
class chunk_reader {
  public:
    using chunk = mapped<const T, N>;
    using element_type = T;
    static constexpr std::size_t rank = N;  ///< or any_rank

    /// @throws io_error        no such dataset, or nothing committed yet
    /// @throws mismatch_error  another dtype or rank
    /// @throws checksum_error  the newest commit is damaged; recover_chunked steps over it
    /// @throws conflict_error  `.at_commit` is no commit, or was pruned
    explicit chunk_reader(const std::filesystem::path& path, const chunk_reader_options& options = {})
        : chunk_reader(std::make_unique<local_place>(path, local_place::access::read), options) {}
    /// The same wherever the bytes live.
    explicit chunk_reader(std::unique_ptr<place> where, const chunk_reader_options& options = {})
        : version_(std::make_unique<const core::chunk_version>(std::move(where), options)) {
        const conversion fits(version_->state().type, dtype_of<T>(), version_->called(), "load_chunked_any");
        detail::check_rank<N>(version_->shape(), version_->called(), "chunk_reader");
    }

    /// The number of chunks.
    [[nodiscard]] std::size_t size() const noexcept { return version_->entries().size(); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] std::uint64_t rows() const noexcept { return version_->state().rows; }
    [[nodiscard]] std::vector<std::size_t> shape() const { return version_->shape(); }
    [[nodiscard]] const json& metadata() const noexcept { return version_->state().metadata; }
    /// The number of the commit.
    [[nodiscard]] std::uint64_t commit() const noexcept { return version_->state().number; }
    /// The row at which chunk `i` begins; for `size()`, the number of rows.
    [[nodiscard]] std::uint64_t first_row(std::size_t i) const { return i == size() ? rows() : version_->first_row(i); }

    /// What the chunks are without their C++ type.
    [[nodiscard]] const core::chunk_version& version() const noexcept { return *version_; }

    /// A chunk, mapped from its file.
    /// @throws mismatch_error  another byte order or struct layout: `rows` converts
    /// @throws format_error    its file is gone or cut short
    [[nodiscard]] chunk operator[](std::size_t i) const {
        detail::check_in_place(version_->info(), version_->called(), dtype_of<T>(), false);
        auto bytes = version_->map_chunk(i, alignof(T));
        return {std::move(bytes), detail::shape_of_rows(version_->entries()[i].rows, version_->state().row_shape)};
    }

    /// Rows from `first` up to `last` as an array of its own; only the chunks that hold them are read. Sums are checked
    /// of chunks that are read whole.
    [[nodiscard]] auto rows(std::uint64_t first, std::uint64_t last) const {
        const auto& state = version_->state();
        if (first > last || last > state.rows)
            throw mismatch_error({.file = version_->called(),
                                  .field = "rows",
                                  .expected = "a range within " + std::to_string(state.rows),
                                  .found = std::to_string(first) + " to " + std::to_string(last)});
        const conversion convert(state.type, dtype_of<T>(), version_->called(), "load_chunked_any");
        version_->check_room(last - first);
        auto array = detail::uninitialised<array_of<T, N>>(detail::shape_of_rows(last - first, state.row_shape));
        version_->read(first, last, convert, reinterpret_cast<std::byte*>(array.data()));
        detail::make_values(array.data(), array.size());
        return array;
    }
    [[nodiscard]] auto rows(const row_range& range) const { return rows(range.first, range.last); }

    /// All rows as one contiguous array over the files of all chunks: nothing is read but where two chunks meet.
    [[nodiscard]] chunk map() const {
        detail::check_in_place(version_->info(), version_->called(), dtype_of<T>(), false);
        return {core::gather(*version_), version_->shape()};
    }

    /// The rows that hold every number from `low` to `high`, as far as the smallest and largest of each chunk tell: of
    /// the field that rows are ordered by, or of all numbers. No chunk is opened.
    template <class Number>
    [[nodiscard]] row_range find(const Number& low, const Number& high) const {
        const auto [first, last] = version_->find(as_key(low, false), as_key(high, true));
        return {first, last};
    }

    class iterator {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = chunk;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = chunk;

        iterator() = default;
        iterator(const chunk_reader* of, std::size_t at) : of_(of), at_(at) {}
        [[nodiscard]] chunk operator*() const { return (*of_)[at_]; }
        iterator& operator++() {
            ++at_;
            return *this;
        }
        iterator operator++(int) {
            auto before = *this;
            ++at_;
            return before;
        }
        friend bool operator==(const iterator&, const iterator&) = default;

      private:
        const chunk_reader* of_ = nullptr;
        std::size_t at_ = 0;
    };
    [[nodiscard]] iterator begin() const { return {this, 0}; }
    [[nodiscard]] iterator end() const { return {this, size()}; }

  private:
    /// A key as the records keep it: a date in the unit of T, or, of a field, in its own.
    template <class Number>
    [[nodiscard]] static statistics::number as_key(const Number& number, [[maybe_unused]] bool is_high) {
        if constexpr (std::is_floating_point_v<Number>)
            return static_cast<double>(number);
        else if constexpr (std::is_integral_v<Number> && std::is_unsigned_v<Number>)
            return static_cast<std::uint64_t>(number);
        else if constexpr (std::is_integral_v<Number>)
            return static_cast<std::int64_t>(number);
        else if constexpr (requires { number.time_since_epoch(); })
            return in_unit<T>(number.time_since_epoch(), is_high);
        else
            return in_unit<T>(number, is_high);
    }

    /// A fine unit is rounded so that nothing is left out.
    template <class Unit, class Duration>
    [[nodiscard]] static statistics::number in_unit(const Duration& time, bool is_high) {
        if constexpr (requires { typename Unit::clock; })
            return in_unit<typename Unit::duration>(time, is_high);
        else if constexpr (requires { typename Unit::period; })
            return static_cast<std::int64_t>(
                (is_high ? std::chrono::ceil<Unit>(time) : std::chrono::floor<Unit>(time)).count());
        else
            return static_cast<std::int64_t>(time.count());
    }

    // In a place of its own, so that what refers to it may be moved along.
    std::unique_ptr<const core::chunk_version> version_;
};

/// Reads a chunked array whole, in parallel and straight into its place, every chunk checked against its sum.
template <element T, std::size_t N = any_rank>
[[nodiscard]] auto load_chunked(const std::filesystem::path& path, const chunk_reader_options& options = {}) {
    const chunk_reader<T, N> from(path, options);
    return from.rows(0, from.rows());
}

/// The same for any dtype, byte order kept.
[[nodiscard]] any_array load_chunked_any(const std::filesystem::path& path, const chunk_reader_options& options = {});

/// Maps a chunked array as one contiguous `mapped<const T, N>`, whatever the rows per chunk: every page is a file's
/// own, but for those in which two chunks meet. The version stays on the disk for as long as its files are mapped.
/// @throws io_error  the process may not have as many mappings as there are chunks
template <element T, std::size_t N = any_rank>
[[nodiscard]] mapped<const T, N> map_chunked(const std::filesystem::path& path,
                                             const chunk_reader_options& options = {}) {
    return chunk_reader<T, N>(path, options).map();
}

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/reader.ipp>
#endif
