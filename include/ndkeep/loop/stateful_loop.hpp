// SPDX-License-Identifier: BSD-3-Clause
// A loop over chunks that remembers where it was.
#pragma once

#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/chunks/reader.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/loop/buffer.hpp>
#include <ndkeep/loop/detail/access.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/detail/source/blocks.hpp>
#include <ndkeep/loop/detail/source/feed.hpp>
#include <ndkeep/loop/detail/source/items.hpp>
#include <ndkeep/loop/detail/source/sources.hpp>
#include <ndkeep/loop/detail/state/form.hpp>
#include <ndkeep/loop/detail/state/slots.hpp>
#include <ndkeep/loop/detail/state/snapshot.hpp>
#include <ndkeep/loop/options.hpp>
#include <ndkeep/loop/pass.hpp>
#include <ndkeep/loop/state.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
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

/// What `over` makes of a source; void of what is none.
template <class Source>
[[nodiscard]] consteval auto feed_for() {
    using source = std::remove_cvref_t<Source>;
    if constexpr (is_chunk_reader<source>)
        return std::type_identity<item_feed<chunk_source<typename source::element_type, source::rank>>>();
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

}  // namespace detail

/// What a loop can pass over: a chunk_reader, an array in row-major order, a range of arrays, or a function that gives
/// the next array. Lists of npy files and archives take the element type too: `over<double, 2>(files)`.
template <class Source>
concept loop_source = !std::is_void_v<detail::feed_of<Source>>;

/// A pass over chunks that can be interrupted anywhere, and goes on where it was.
///
///     ndkeep::stateful_loop loop("mean.state");
///     auto& total = loop.bind<running_mean>("mean");
///     for (auto chunk : loop.over(readings))
///         total.add(chunk);
///
/// When the body has come to its end, also by `continue`, position and states are committed together: to the file, an
/// npz archive that NumPy reads, or to the array that the pass puts its rows `into`. `break`, `return`, exceptions and
/// kills leave the last commit, and the next pass goes on from there: bound objects are then put back to what they
/// were, so that nothing counts twice. What bodies put out elsewhere is put out again by those that run again: at least
/// once, from sources that can go back.
///
/// The commit before is kept beside the file as NAME.previous, and taken, which is said, if the newest is damaged.
/// NAME.lock is held for as long as the loop lives. Without the file, a pass begins anew, whatever NAME.previous holds.
/// A loop is for one thread.
class stateful_loop {
  public:
    /// @throws conflict_error  another loop has the file
    /// @throws io_error        its directory is not there, or cannot be written
    /// @throws format_error, checksum_error  the checkpoint is damaged, and so is the one before
    /// @throws mismatch_error  it is another kind of file, of another version, or another loop's
    explicit stateful_loop(const std::filesystem::path& file, const loop_options& options = {})
        : core_(file, options) {}
    stateful_loop(const stateful_loop&) = delete;
    stateful_loop& operator=(const stateful_loop&) = delete;

    /// Something that the loop remembers under a name. Refers to an object of the loop's: `auto&`, as `auto` would be a
    /// copy that is not remembered. A body that is left before its end leaves it as it is then, until the next pass
    /// puts it back; what is assigned before the first pass, or after one that came to its end, counts from the next
    /// commit.
    ///
    /// @param initial  what it is at first; what was committed wins
    /// @throws mismatch_error  the name is taken; what was committed is of another type, or was begun with another
    /// shape
    template <loop_state T>
    [[nodiscard]] T& bind(const std::string& name, T initial = T()) & {
        return bind_slot<T>(name, std::move(initial));
    }

    /// Drops a state that was committed and is bound no more; without that, a pass does not begin.
    void forget(const std::string& name) { core_.states().forget(name); }

    /// Collects rows over chunks until there are `.limit_bytes` of them. What a body then saves elsewhere should be on
    /// the disk when it ends, as by `.sync = true`: from then on the rows are not in the checkpoint.
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] loop_buffer<T, N>& buffer(const std::string& name, const loop_buffer_options& options = {}) & {
        return bind_slot<loop_buffer<T, N>>(name, core_, name, options);
    }
    /// The same by key, all under one limit.
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] keyed_loop_buffer<T, N>& keyed_buffer(const std::string& name,
                                                        const loop_buffer_options& options = {}) & {
        return bind_slot<keyed_loop_buffer<T, N>>(name, core_, name, options);
    }

    /// A pass over all chunks that were not passed over yet. Each is the array itself: mapped from its file where it is
    /// in one. The source is referred to, and must have a name; functions are kept.
    ///
    /// Going on needs the same source, of which the rows that were passed over have not changed; more rows are welcome.
    /// A function of a row gives what begins there. A function without one, and a range, give what comes next: a range
    /// that this loop was left in is gone on with behind what was committed, any other is taken whole; what a function
    /// gave to bodies that do not count is gone, unless it gives it again.
    ///
    /// Of lists, names, sizes and order of what was passed over are compared, of archives checksums too.
    template <loop_source Source>
        requires(!detail::block_array<std::remove_cvref_t<Source>>)
    [[nodiscard]] auto over(Source&& source, const over_options& options = {}) & {
        static_assert(std::is_lvalue_reference_v<Source> || detail::array_function<std::remove_cvref_t<Source>>,
                      "a pass refers to its source: give it a name");
        using feed = detail::feed_of<Source>;
        if constexpr (detail::is_chunk_reader<std::remove_cvref_t<Source>>)
            return detail::loop_access::make<loop_pass<feed>>(core_, feed({source, options}), options);
        else
            return detail::loop_access::make<loop_pass<feed>>(core_, feed(std::forward<Source>(source), options),
                                                              options);
    }

    /// The same over one array, in blocks of rows.
    template <loop_source Source>
        requires detail::block_array<std::remove_cvref_t<Source>>
    [[nodiscard]] auto over(Source&& source, const block_options& options = {}) & {
        static_assert(std::is_lvalue_reference_v<Source>, "a pass refers to its source: give it a name");
        using feed = detail::feed_of<Source>;
        return detail::loop_access::make<loop_pass<feed>>(
            core_, feed(source, options),
            over_options{.warm_up = options.warm_up, .first_row = options.first_row, .run = options.run});
    }

    /// The same over npy files, each of which is a chunk.
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] auto over(std::vector<std::filesystem::path> files, const over_options& options = {}) & {
        using feed = detail::item_feed<detail::file_source<T, N>>;
        return detail::loop_access::make<loop_pass<feed>>(core_, feed({std::move(files), options}), options);
    }

    /// The same over the arrays of an archive, in its order.
    template <element T, std::size_t N = any_rank, std::same_as<npz_reader> Reader>  // or braces might make one
    [[nodiscard]] auto over(const Reader& archive, const over_options& options = {}) & {
        using feed = detail::item_feed<detail::member_source<T, N>>;
        return detail::loop_access::make<loop_pass<feed>>(core_, feed({archive, options}), options);
    }
    template <element T, std::size_t N = any_rank, std::same_as<npz_reader> Reader>
    void over(const Reader&&, const over_options& = {}) = delete;  // a pass refers to its source

    /// How many chunks came before the one at hand, those of earlier runs included.
    [[nodiscard]] std::uint64_t index() const noexcept { return core_.position().chunks; }
    /// The row of the source at which the chunk at hand begins; between passes, the one that comes next.
    [[nodiscard]] std::uint64_t first_row() const noexcept { return core_.chunk().first_row; }
    /// Whether the chunk at hand is known to be the last one.
    [[nodiscard]] bool is_last() const noexcept { return core_.is_last(); }
    /// Whether the chunk at hand was passed over before. What its body does to bound states, buffers and the sink is
    /// undone before the first chunk that was not.
    [[nodiscard]] bool is_warm_up() const noexcept { return core_.chunk().is_warm_up; }
    /// Whether the last pass has come to the end of its source.
    [[nodiscard]] bool is_complete() const noexcept { return core_.is_complete(); }
    /// Rows that were passed over, counted from the first row of the source.
    [[nodiscard]] std::uint64_t rows_done() const noexcept { return core_.position().rows; }

    /// Ends the pass after the chunk at hand, with a commit. Other threads and signal handlers set `.run.stop` instead.
    void stop() noexcept { core_.stop(); }
    /// Says that the chunk at hand is the last one, or, in a source, the one on its way.
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
