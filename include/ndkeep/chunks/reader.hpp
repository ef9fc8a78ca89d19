// SPDX-License-Identifier: BSD-3-Clause
// Reading one version of a chunked array: all of it, a range of rows, or chunk by chunk.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/in_place.hpp>
#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/chunks/core/gather.hpp>
#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/chunks/detail/access.hpp>
#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/chunks/key.hpp>
#include <ndkeep/chunks/location.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/text/json/parser.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Rows from `first` up to `last`, without `last`.
struct row_range {
    std::uint64_t first = 0, last = 0;  ///< numbers of rows, from 0
    friend bool operator==(const row_range&, const row_range&) = default;
};

namespace detail {

/// The hint of a dtype error: the call of `verb` that accepts the dtype `found`, or the one that accepts all.
[[nodiscard]] std::string chunked_hint(std::string_view verb, const dtype& found);

/// The rows with low <= key < high.
[[nodiscard]] row_range rows_between(const core::chunk_version& in, const key_bound& low, const key_bound& high);

/// The chunks of process `rank` of `size` processes: the first, and the one after the last.
[[nodiscard]] std::pair<std::size_t, std::size_t> chunks_of_rank(const core::chunk_version& in, std::uint64_t rank,
                                                                 std::uint64_t size);

/// Reads all rows as elements of dtype `wanted`, which are contiguous in this order.
void read_all_rows(const core::chunk_version& in, const dtype& wanted, order wanted_order, std::byte* out);

/// A date or duration in the unit of the field that orders the rows; nullopt if none does, or one without a unit.
[[nodiscard]] std::optional<statistics::number> key_of_field(const core::chunk_version& in, const key_bound& time);

}  // namespace detail

/// Reads one version of a chunked array of `T`, of rank N or any.
///
/// Later commits do not change what the reader sees. In a directory, a lock keeps the version from being pruned while
/// the reader lives; in a bucket, it is kept for `s3_options::keep_for` after the next commit.
///
/// Iterating maps the chunks in order: `for (auto chunk : readings)`. A chunk file is opened only when its chunk is
/// read or mapped. In a place without files, chunks are read into memory instead, one after the other; `load_chunked`,
/// `rows` and a `stateful_loop` fetch several at once.
template <element T, std::size_t N = any_rank>
class chunk_reader {
  public:
    /// What an iterator and `map` return.
    using chunk = mapped<const T, N>;
    /// The type of the elements.
    using element_type = T;
    static constexpr std::size_t rank = N;  ///< of the array; `any_rank` if known only at run time

    /// Opens the newest commit, or that of `.at_commit`.
    /// @throws io_error        the dataset does not exist, or has no commit
    /// @throws mismatch_error  the dtype or rank differs
    /// @throws checksum_error  the newest commit is damaged; recover_chunked skips it
    /// @throws conflict_error  `.at_commit` does not exist, or was pruned
    explicit chunk_reader(const dataset_location& where, const chunk_reader_options& options = {})
        : chunk_reader("chunk_reader", where, options) {}

    /// The number of chunks.
    [[nodiscard]] std::size_t size() const noexcept { return version_->entries().size(); }
    /// Whether there are no chunks.
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    /// The number of rows of all chunks.
    [[nodiscard]] std::uint64_t rows() const noexcept { return version_->state().rows; }
    /// The shape of all rows together.
    [[nodiscard]] std::vector<std::size_t> shape() const { return version_->shape(); }
    /// The metadata of the dataset; {} if it has none.
    [[nodiscard]] const json& metadata() const noexcept { return version_->state().metadata; }
    /// The number of the commit.
    [[nodiscard]] std::uint64_t commit() const noexcept { return version_->state().number; }
    /// The first row of chunk `i`; for `i == size()`, the number of rows.
    [[nodiscard]] std::uint64_t first_row(std::size_t i) const { return i == size() ? rows() : version_->first_row(i); }

    /// The same version without its C++ type.
    [[nodiscard]] const core::chunk_version& version() const noexcept { return *version_; }

    /// Maps chunk `i` from its file, read-only; without a file, reads it into memory.
    /// @throws mismatch_error  the byte order or struct layout differs; `rows` converts it
    /// @throws format_error    the file is missing or has a wrong length
    /// @throws conflict_error  the version was pruned, which is possible only without the lock
    [[nodiscard]] chunk operator[](std::size_t i) const {
        detail::check_in_place(version_->info(), version_->called(), dtype_of<T>(), order::row_major);
        auto bytes = version_->map_chunk(i, alignof(T));
        return {std::move(bytes), detail::shape_of_rows(version_->entries()[i].rows, version_->state().row_shape)};
    }

    /// Copies rows `first` to `last`, without `last`, into a new `array_of<T, N>`. Only the chunks that hold them are
    /// read. The checksum is checked for chunks of which all rows are read.
    /// @throws mismatch_error  the range exceeds the rows, or its bytes exceed `.max_bytes`
    /// @throws checksum_error  a chunk has changed
    /// @throws format_error    a chunk file is missing or has a wrong length
    [[nodiscard]] auto rows(std::uint64_t first, std::uint64_t last) const {
        const auto& state = version_->state();
        if (first > last || last > state.rows)
            throw mismatch_error({.file = version_->called(),
                                  .field = "range of rows",
                                  .expected = "within 0 to " + std::to_string(state.rows),
                                  .found = std::to_string(first) + " to " + std::to_string(last)});
        const conversion convert(state.type, dtype_of<T>(), version_->called());
        version_->check_room(last - first);
        const auto shape = detail::shape_of_rows(last - first, state.row_shape);
        auto array = detail::allocated_for(version_->called(), detail::product(shape) * sizeof(T),
                                           [&] { return detail::uninitialised<array_of<T, N>>(shape); });
        version_->read(first, last, convert, reinterpret_cast<std::byte*>(array.data()));
        detail::make_values(array.data(), array.size());
        return array;
    }
    [[nodiscard]] auto rows(const row_range& range) const { return rows(range.first, range.last); }

    /// Maps all rows as one contiguous array, as `map_chunked` does.
    [[nodiscard]] chunk map() const {
        detail::check_in_place(version_->info(), version_->called(), dtype_of<T>(), order::row_major);
        return {core::gather(*version_), version_->shape()};
    }

    /// The range of rows that contains every number from `low` to `high`, rounded to chunks.
    ///
    /// It is found from the stored minimum and maximum of each chunk: of the field that orders the rows, or otherwise
    /// of all numbers. Only chunks without them are read: those of other writers, and those with nothing but NaN. Rows
    /// in the range may hold other numbers too.
    template <class Number>
    [[nodiscard]] row_range find(const Number& low, const Number& high) const {
        const auto [first, last] = version_->find(as_key(low, false), as_key(high, true));
        return {first, last};
    }

    /// The range of the rows with low <= key < high, exactly. The rows must be ordered; if two fields order them, the
    /// key is the first.
    ///
    /// Only the chunks in which the range begins and ends are opened, and only a few of their keys are read.
    /// @throws mismatch_error  the rows have no order, or a bound does not fit the keys
    [[nodiscard]] row_range find_between(const key_bound& low, const key_bound& high) const {
        return detail::rows_between(*version_, low, high);
    }
    /// Copies these rows into a new `array_of<T, N>`, as `rows` does.
    ///
    ///     auto may = readings.rows_between(sys_days(2024y/May/1), sys_days(2024y/June/1));
    ///
    /// @throws mismatch_error  as `find_between`, or the bytes exceed `.max_bytes`
    [[nodiscard]] auto rows_between(const key_bound& low, const key_bound& high) const {
        return rows(find_between(low, high));
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
    /// The chunks in order, each mapped when the loop reaches it.
    [[nodiscard]] iterator begin() const { return {this, 0}; }
    [[nodiscard]] iterator end() const { return {this, size()}; }

  private:
    friend struct detail::chunk_access;

    /// @param verb  the function or class that was called, for hints
    chunk_reader(std::string_view verb, const dataset_location& where, const chunk_reader_options& options)
        : version_(std::make_unique<const core::chunk_version>(where, options)) {
        const auto& type = version_->state().type;
        const conversion fits(type, dtype_of<T>(), version_->called(),
                              type == dtype_of<T>() ? std::string() : detail::chunked_hint(verb, type));
        detail::check_rank<N>(version_->shape(), version_->called(), verb);
    }

    /// A key as records store it: a date in the unit of T, or of the field that orders the rows.
    template <class Number>
    [[nodiscard]] statistics::number as_key(const Number& number, [[maybe_unused]] bool is_high) const {
        if constexpr (std::is_floating_point_v<Number>)
            return static_cast<double>(number);
        else if constexpr (std::is_integral_v<Number> && std::is_unsigned_v<Number>)
            return static_cast<std::uint64_t>(number);
        else if constexpr (std::is_integral_v<Number>)
            return static_cast<std::int64_t>(number);
        else {
            if constexpr (std::convertible_to<const Number&, key_bound>)
                if (const auto key = detail::key_of_field(*version_, number))
                    return *key;
            if constexpr (requires { number.time_since_epoch(); })
                return in_unit<T>(number.time_since_epoch(), is_high);
            else
                return in_unit<T>(number, is_high);
        }
    }

    /// Converts to a coarser unit: `low` is rounded down and `high` up, so that no row is missed.
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

    // On the heap, so that references to it stay valid when the reader is moved.
    std::unique_ptr<const core::chunk_version> version_;
};

/// The chunks of one of several processes that share the work on a version: consecutive ones of a reader.
template <element T, std::size_t N = any_rank>
class chunk_partition {
  public:
    using chunk = typename chunk_reader<T, N>::chunk;
    using iterator = typename chunk_reader<T, N>::iterator;

    /// For `partition`.
    chunk_partition(const chunk_reader<T, N>& of, std::pair<std::size_t, std::size_t> chunks)
        : of_(&of), first_(chunks.first), last_(chunks.second) {}

    /// The number of chunks; there may be none.
    [[nodiscard]] std::size_t size() const noexcept { return last_ - first_; }
    /// Whether there are no chunks.
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    /// The rows of all its chunks, as numbers of rows in the whole array.
    [[nodiscard]] row_range rows() const { return {of_->first_row(first_), of_->first_row(last_)}; }
    /// The row in the whole array at which chunk `i` of the partition begins; for `i == size()`, where the last ends.
    [[nodiscard]] std::uint64_t first_row(std::size_t i) const { return of_->first_row(first_ + i); }

    /// Chunk `i` of the partition, as `chunk_reader` maps or reads it.
    [[nodiscard]] chunk operator[](std::size_t i) const { return (*of_)[first_ + i]; }
    /// The chunks in order, each mapped when the loop reaches it.
    [[nodiscard]] iterator begin() const { return {of_, first_}; }
    [[nodiscard]] iterator end() const { return {of_, last_}; }

  private:
    const chunk_reader<T, N>* of_;
    std::size_t first_, last_;
};

/// The chunks of process `rank`, from 0, of `size` processes, such as the ranks of MPI or the jobs of a batch array.
///
///     chunk_reader<double, 2> readings(where, {.at_commit = n});
///     for (auto chunk : partition(readings, rank, size))
///
/// Every chunk belongs to one process, in the order of the ranks; with more processes than chunks, some have none. The
/// rows of a process exceed its share by one chunk at most. All processes must read the same commit: one tells the
/// others its number, `readings.commit()`. The reader must outlive the result, and must not be moved.
/// @throws mismatch_error  `size` is 0 or above 2^32, or `rank` is not below it
template <element T, std::size_t N>
[[nodiscard]] chunk_partition<T, N> partition(const chunk_reader<T, N>& of, std::uint64_t rank, std::uint64_t size) {
    return {of, detail::chunks_of_rank(of.version(), rank, size)};
}
template <element T, std::size_t N>
void partition(const chunk_reader<T, N>&&, std::uint64_t, std::uint64_t) = delete;  // it refers to the reader

/// Reads all rows of a chunked array into an `xt::xarray<T>`, or an `xt::xtensor<T, N>`, in parallel, and checks the
/// checksum of every chunk.
/// @throws io_error        the dataset does not exist, or has no commit
/// @throws mismatch_error  the dtype or rank differs, or the bytes exceed `.max_bytes`
/// @throws checksum_error, format_error  the newest commit or a chunk is damaged
template <element T, std::size_t N = any_rank>
[[nodiscard]] auto load_chunked(const dataset_location& where, const chunk_reader_options& options = {}) {
    const auto from = detail::chunk_access::reader<chunk_reader<T, N>>("load_chunked", where, options);
    return from.rows(0, from.rows());
}

/// Reads all rows of a chunked array into an array of another library, `load_chunked<Eigen::MatrixXd>(where)`, or into
/// a vector. If that is column-major, some chunks at a time are read and transposed.
/// @throws io_error, mismatch_error, checksum_error, format_error  as above; a shape that A cannot have is a mismatch
template <loadable_array A>
[[nodiscard]] A load_chunked(const dataset_location& where, const chunk_reader_options& options = {}) {
    using adapter = array_adapter<A>;
    using T = typename adapter::element_type;
    const auto from = detail::chunk_access::reader<chunk_reader<T>>("load_chunked", where, options);
    const auto& version = from.version();
    version.check_room(from.rows());
    auto array = detail::made_array<A>(version.shape(), version.called(), "load_chunked");
    detail::read_all_rows(version, dtype_of<T>(), adapter::stored_order,
                          reinterpret_cast<std::byte*>(adapter::elements(array)));
    detail::make_values(adapter::elements(array), detail::product(version.shape()));
    return array;
}

/// Reads all rows of a chunked array of any dtype, and retains the byte order.
/// @throws io_error, mismatch_error, checksum_error, format_error  as `load_chunked`
[[nodiscard]] any_array load_chunked_any(const dataset_location& where, const chunk_reader_options& options = {});

/// Maps a chunked array as one contiguous, read-only `mapped<const T, N>`, with any number of rows per chunk.
///
/// Pages are mapped from the chunk files, except where two chunks meet, and where a chunk cannot be mapped at its
/// address or has no file: these bytes are read into memory. The mapping stays valid if the version is pruned; its
/// files use disk space until it is released.
/// @throws io_error        the process would exceed its limit of mappings: about one per chunk
/// @throws mismatch_error  the array is in a bucket, and `.cache` is not set
template <element T, std::size_t N = any_rank>
[[nodiscard]] mapped<const T, N> map_chunked(const dataset_location& where, const chunk_reader_options& options = {}) {
    return detail::chunk_access::reader<chunk_reader<T, N>>("map_chunked", where, options).map();
}

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/chunks/detail/reader.ipp>
#endif
