// SPDX-License-Identifier: BSD-3-Clause
// stateful_loop: a loop over chunks that resumes where it was interrupted.
#pragma once

#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/chunks/in_step.hpp>
#include <ndkeep/chunks/reader.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/loop/detail/access.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/detail/source/block_feed.hpp>
#include <ndkeep/loop/detail/source/chunks.hpp>
#include <ndkeep/loop/detail/source/feed.hpp>
#include <ndkeep/loop/detail/source/files.hpp>
#include <ndkeep/loop/detail/source/in_step.hpp>
#include <ndkeep/loop/detail/source/items.hpp>
#include <ndkeep/loop/detail/source/members.hpp>
#include <ndkeep/loop/detail/state/form.hpp>
#include <ndkeep/loop/detail/state/slots.hpp>
#include <ndkeep/loop/detail/state/snapshot.hpp>
#include <ndkeep/loop/loop_buffer.hpp>
#include <ndkeep/loop/options.hpp>
#include <ndkeep/loop/pass.hpp>
#include <ndkeep/loop/state.hpp>

#include <concepts>
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

namespace detail {

template <class Source>
inline constexpr bool is_chunk_reader = false;
template <element T, std::size_t N>
inline constexpr bool is_chunk_reader<chunk_reader<T, N>> = true;

template <class Source>
inline constexpr bool is_in_step = false;
template <class Parts>
inline constexpr bool is_in_step<steps<Parts>> = true;

/// The type that reads a source for a pass; void if the type is not a source.
template <class Source>
[[nodiscard]] consteval auto feed_for() {
    using source = std::remove_cvref_t<Source>;
    if constexpr (is_chunk_reader<source>)
        return std::type_identity<item_feed<chunk_source<typename source::element_type, source::rank>>>();
    else if constexpr (is_in_step<source>)
        return std::type_identity<step_feed<typename source::parts>>();
    else if constexpr (block_array<source>)
        return std::type_identity<block_feed<source>>();
    else if constexpr (array_function<source>)
        return std::type_identity<function_feed<source>>();
    else if constexpr (array_range<std::remove_reference_t<Source>>)
        return std::type_identity<range_feed<std::remove_reference_t<Source>>>();
    else
        return std::type_identity<void>();
}
template <class Source>
using feed_of = typename decltype(feed_for<Source>())::type;

/// A vector of strings, for example.
template <class Files>
concept range_of_paths = !std::same_as<Files, std::vector<std::filesystem::path>> &&
                         !std::convertible_to<const Files&, std::filesystem::path> && requires(const Files& files) {
    { *std::begin(files) } -> std::convertible_to<std::filesystem::path>;
    std::end(files);
};

}  // namespace detail

/// A source of a loop: a chunk_reader, several in step, an array in row-major order, a range of arrays, or a function
/// that returns the next array. Lists of npy files, and archives, need the element type in the call: `over<double,
/// 2>(files)`.
template <class Source>
concept loop_source = !std::is_void_v<detail::feed_of<Source>>;

/// A loop over chunks that survives interruption anywhere and resumes where it stopped.
///
///     ndkeep::stateful_loop loop("mean.state");
///     auto& total = loop.bind<running_mean>("mean");
///     for (auto chunk : loop.over(readings))
///         total.add(chunk);
///
/// After each body that ends normally, also by `continue`, position and states are committed together. They go to the
/// checkpoint file, which is an npz archive that NumPy reads, or to the array that the pass writes its rows `into`.
///
/// `break`, `return`, exceptions and kills leave the last commit. The next pass resumes from it, and resets bound
/// objects to it, so that each chunk counts once. Anything else that a body writes may be written again after a
/// restart: at least once, if the source can go back.
///
/// The previous checkpoint is retained as NAME.previous. It is used, and this is reported, if the newest is damaged. A
/// lock on NAME.lock is held for as long as the loop lives. If the checkpoint file is absent, a pass starts from the
/// beginning, even if NAME.previous is present. A loop must be used by one thread only.
class stateful_loop {
  public:
    /// Opens the checkpoint, which need not exist, and locks it.
    /// @param file  the checkpoint
    /// @throws conflict_error  another loop has locked the checkpoint, or NAME.previous is not a checkpoint
    /// @throws io_error        the directory is absent or not writable
    /// @throws format_error, checksum_error  the checkpoint is damaged, and the previous one is damaged or absent
    /// @throws mismatch_error  the file is of another kind, version or loop
    explicit stateful_loop(const std::filesystem::path& file, const loop_options& options = {})
        : core_(file, options) {}
    stateful_loop(const stateful_loop&) = delete;
    stateful_loop& operator=(const stateful_loop&) = delete;

    /// Binds a named value to the loop: `auto& total = loop.bind<double>("total")`. A copy of it is not saved.
    ///
    /// If a body is left before its end, the value stays as it is until the next pass resets it to the last commit. A
    /// value assigned before the first pass, or after a pass that ended normally, is part of the next commit.
    ///
    /// @param initial  value before the first commit; a committed value replaces it
    /// @throws mismatch_error  the name is bound already; or the committed value has another type, or started with
    ///                         another shape
    template <loop_state T>
    [[nodiscard]] T& bind(const std::string& name, T initial = T()) & {
        return bind_slot<T>(name, std::move(initial));
    }

    /// Removes a committed state that is not bound any more. A pass does not begin while such a state is present.
    /// @throws mismatch_error  the name is bound
    void forget(const std::string& name) { core_.states().forget(name); }

    /// Makes a buffer that collects rows over several chunks, up to `.limit_bytes`.
    ///
    /// Rows that the buffer has returned are no longer in the checkpoint once the body ends. If the body saves them to
    /// a file, it should use `.sync = true`: otherwise a power cut may lose them.
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] loop_buffer<T, N>& buffer(const std::string& name, const loop_buffer_options& options = {}) & {
        return bind_slot<loop_buffer<T, N>>(name, core_, name, options);
    }
    /// Makes a buffer that collects rows by key, with one limit for all keys together.
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] keyed_loop_buffer<T, N>& keyed_buffer(const std::string& name,
                                                        const loop_buffer_options& options = {}) & {
        return bind_slot<keyed_loop_buffer<T, N>>(name, core_, name, options);
    }

    /// A pass over all chunks that are not processed yet: `for (auto chunk : loop.over(readings))`.
    ///
    /// Each chunk is an array, mapped from its file if possible. The pass refers to the source, which must therefore be
    /// a named object; a function is copied or moved into the pass.
    ///
    /// To resume, the source must be the same, and the rows processed so far must not have changed. More rows may have
    /// been added. What is compared depends on the source:
    /// - a chunk_reader: the dataset, and that no commit has changed rows since;
    /// - `in_step(…)`: the datasets, that each has as many rows as before below the key at which the next item begins,
    ///   and that no commit has changed rows below it. Chunks may be written again with the same rows, if the commit of
    ///   the last position is retained or no row was merged or erased since. If `.late` says so, changed rows are
    ///   given, aside or again. The first item of a resumed pass has no warm-up, unless `warm_up_rows::at_each_resume`.
    ///   Rows are counted over all arrays, those that are given again too;
    /// - files: names, shapes, contents and order of the files processed; the last one may have grown. Directories are
    ///   not compared: the files may have been moved together. Of files of more than 192 KiB only parts of the content
    ///   are compared, and their times of modification must be the same;
    /// - archives: names, sizes, checksums and order of the members processed.
    ///
    /// A function `f(row)` returns the array that begins at `row`, and so can be resumed. A function `f()` returns the
    /// next array. Both return a `std::optional` of an array, or a pointer to one; an empty one ends the source. With
    /// `f()`, items handed to an abandoned body are lost, unless the function returns them again. A range that this
    /// loop object left before its end is resumed after the committed items; any other range is processed from its
    /// beginning.
    /// @throws mismatch_error  an option does not fit the source, for example `.warm_up` of a range
    template <loop_source Source>
        requires(!detail::block_array<std::remove_cvref_t<Source>>)
    [[nodiscard]] auto over(Source&& source, const over_options& options = {}) & {
        static_assert(std::is_lvalue_reference_v<Source> || detail::array_function<std::remove_cvref_t<Source>> ||
                          detail::is_in_step<std::remove_cvref_t<Source>>,
                      "a pass refers to its source: give it a name");
        using feed = detail::feed_of<Source>;
        if constexpr (detail::is_chunk_reader<std::remove_cvref_t<Source>>)
            return detail::loop_access::make<loop_pass<feed>>(core_, feed({source, options}), options);
        else
            return detail::loop_access::make<loop_pass<feed>>(core_, feed(std::forward<Source>(source), options),
                                                              options);
    }

    /// A pass over one array, in blocks of rows. To resume, the array must have the same dtype, row shape and, if it is
    /// mapped, file name, and at least the rows processed so far; its elements are not compared.
    template <loop_source Source>
        requires detail::block_array<std::remove_cvref_t<Source>>
    [[nodiscard]] auto over(Source&& source, const block_options& options = {}) & {
        static_assert(std::is_lvalue_reference_v<Source>, "a pass refers to its source: give it a name");
        using feed = detail::feed_of<Source>;
        return detail::loop_access::make<loop_pass<feed>>(
            core_, feed(source, options),
            over_options{.warm_up = options.warm_up, .first_row = options.first_row, .run = options.run});
    }

    /// A pass over npy files, each of which is a chunk: `loop.over<double, 2>(files)`.
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] auto over(std::vector<std::filesystem::path> files, const over_options& options = {}) & {
        using feed = detail::item_feed<detail::file_source<T, N>>;
        return detail::loop_access::make<loop_pass<feed>>(core_, feed({std::move(files), options}), options);
    }

    /// The same for another range of paths or strings.
    template <element T, std::size_t N = any_rank, detail::range_of_paths Files>
    [[nodiscard]] auto over(const Files& files, const over_options& options = {}) & {
        return over<T, N>(std::vector<std::filesystem::path>(std::begin(files), std::end(files)), options);
    }

    /// A pass over the arrays of an archive, in its order: `loop.over<double>(archive)`.
    template <element T, std::size_t N = any_rank, std::same_as<npz_reader> Reader>  // or braces could make a reader
    [[nodiscard]] auto over(const Reader& archive, const over_options& options = {}) & {
        using feed = detail::item_feed<detail::member_source<T, N>>;
        return detail::loop_access::make<loop_pass<feed>>(core_, feed({archive, options}), options);
    }
    template <element T, std::size_t N = any_rank, std::same_as<npz_reader> Reader>
    void over(const Reader&&, const over_options& = {}) = delete;  // a pass refers to its source

    /// The number of chunks before the current one, including those of earlier runs.
    [[nodiscard]] std::uint64_t index() const noexcept { return core_.position().chunks; }
    /// The first row of the current chunk in the source; after a pass, the row that comes next.
    [[nodiscard]] std::uint64_t first_row() const noexcept { return core_.chunk().first_row; }
    /// Whether the current chunk is known to be the last one.
    [[nodiscard]] bool is_last() const noexcept { return core_.is_last(); }
    /// Whether the current chunk belongs to the warm-up: it lies before the first new row. Its effects on bound states,
    /// buffers and the sink are undone before the first new chunk.
    [[nodiscard]] bool is_warm_up() const noexcept { return core_.chunk().is_warm_up; }
    /// Whether the newest pass has reached the end of its source.
    [[nodiscard]] bool is_complete() const noexcept { return core_.is_complete(); }
    /// The number of rows processed, counted from the first row of the source.
    [[nodiscard]] std::uint64_t rows_done() const noexcept { return core_.position().rows; }

    /// Adds rows to the npy file of a pass `.into(file)`, which has them after the next commit. The first rows of a new
    /// file decide its dtype and the shape of a row.
    /// @throws mismatch_error  the pass has no such file, or the rows do not fit it
    void append(const array_view& rows) { core_.append(rows); }

    /// Ends the pass after the current chunk, with a commit. Other threads and signal handlers set `.run.stop` instead.
    void stop() noexcept { core_.stop(); }
    /// Makes the current chunk the last one. A function that is a source may call it too: the chunk that it is about to
    /// return is then the last one.
    void finish() noexcept { core_.finish(); }

  private:
    template <class T, class... Argument>
    [[nodiscard]] T& bind_slot(const std::string& name, Argument&&... arguments) {
        return core_.states()
            .bind(std::make_unique<detail::typed_slot<T>>(name, std::forward<Argument>(arguments)...))
            .value();
    }

    detail::loop_core core_;
};

}  // namespace ndkeep
