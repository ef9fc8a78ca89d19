// SPDX-License-Identifier: BSD-3-Clause
// One pass of a loop over a source, for a range-based for: each body that ends normally is counted.
#pragma once

#include <ndkeep/chunks/detail/access.hpp>
#include <ndkeep/chunks/writer.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/float16.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/loop/detail/access.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/detail/database_memory.hpp>
#include <ndkeep/loop/detail/npy_output.hpp>
#include <ndkeep/loop/detail/sink.hpp>
#include <ndkeep/loop/detail/state/snapshot.hpp>
#include <ndkeep/loop/options.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/work/progress.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

/// The range that `stateful_loop::over` returns, for a range-based for.
///
/// The pass begins when the for statement begins: position and states become those of the last commit. If the body is
/// left by `break`, `return` or an exception, all changes since the last commit are discarded.
template <class Feed>
class [[nodiscard]] loop_pass {
  public:
    loop_pass& operator=(loop_pass&&) = delete;
    ~loop_pass() {
        // A pass that ended normally is not active any more: this one was left by `break`, `return` or an exception.
        if (is_under_way_)
            loop_->abandon();
    }

    /// Commits the rows that the body appends to `sink` together with position and states:
    /// `for (auto chunk : loop.over(readings).into(sink))`. Both are in one record of `sink`, so every row is written
    /// exactly once, even after a crash. No checkpoint file is written.
    ///
    /// Bound states get the values of the last commit when the pass begins, not before. If the sink is created again,
    /// for example by `save_chunked`, the pass starts from the beginning. A new sink of more than one axis is committed
    /// to only after the first append, which sets the shape of a row.
    /// @param sink  must outlive the pass; during the pass only the loop may commit with it
    /// @throws conflict_error  the pass has begun already
    template <element T, std::size_t N>
    [[nodiscard]] loop_pass into(chunk_writer<T, N>& sink) && {
        if (is_under_way_)
            loop_->check_free();
        sink_ = [&sink](const std::string& name) -> std::unique_ptr<detail::loop_memory> {
            return std::make_unique<detail::sink_memory>(detail::chunk_access::session(sink), name,
                                                         N == 1 ? std::optional(dtype_of<T>()) : std::nullopt);
        };
        return std::move(*this);
    }

    /// Appends the rows that the body gives to `loop.append(rows)` to one plain npy file, which is created if absent:
    /// `for (auto chunk : loop.over(readings).into("out.npy"))`. Every row is written exactly once, even after a crash.
    ///
    /// The checkpoint file has the number of rows besides position and states, and replacing it is the one commit
    /// point. The rows of a commit are in memory until then. Directly after it the npy file gets them; after a kill
    /// between the two, when the next pass begins.
    /// @throws conflict_error  the pass has begun already
    [[nodiscard]] loop_pass into(std::filesystem::path file) && {
        if (is_under_way_)
            loop_->check_free();
        sink_ = [loop = loop_, file = std::move(file)](const std::string&) -> std::unique_ptr<detail::loop_memory> {
            return std::make_unique<detail::npy_memory>(loop->checkpoint(), file);
        };
        return std::move(*this);
    }

    /// Commits what the body changes in the arrays of a database together with position and states:
    /// `for (auto chunk : loop.over(readings).into(lab))`. So every chunk changes the plain npy files exactly once,
    /// even after a crash. No checkpoint file is written.
    ///
    /// A body that is left before its end is undone in every array. During the pass, only the loop may commit.
    /// @param output  must outlive the pass
    /// @throws conflict_error  the pass has begun already
    [[nodiscard]] loop_pass into(database& output) && {
        if (is_under_way_)
            loop_->check_free();
        sink_ = [&output](const std::string& name) { return detail::memory_in(output, name); };
        return std::move(*this);
    }

    /// An input iterator: dereference it once per chunk, because a chunk is moved out.
    class iterator {
      public:
        using iterator_category = std::input_iterator_tag;
        using iterator_concept = std::input_iterator_tag;
        using value_type = std::remove_cvref_t<typename Feed::item>;
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = typename Feed::item;

        iterator() = default;
        explicit iterator(loop_pass* of) : of_(of) {}
        [[nodiscard]] reference operator*() const { return of_->feed_.take(); }
        iterator& operator++() {
            of_->advance();
            return *this;
        }
        void operator++(int) { of_->advance(); }
        friend bool operator==(const iterator& at, std::default_sentinel_t) { return at.is_at_end(); }

      private:
        [[nodiscard]] bool is_at_end() const { return !of_->is_under_way_; }

        loop_pass* of_ = nullptr;
    };

    /// Begins the pass.
    /// @throws mismatch_error  the source is not the one of the last commit, or committed states are not bound
    /// @throws conflict_error  another pass of the loop is active, or another pass writes to the sink
    [[nodiscard]] iterator begin() {
        loop_->check_free();
        // The sink is reserved here and not in `into`, so that a pass that never begins does not block the writer.
        loop_->begin(sink_ ? sink_(loop_->name()) : nullptr, feed_.durable());
        is_under_way_ = true;
        or_abandon([this] {
            seek();
            show_first();
        });
        return iterator(this);
    }
    [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

  private:
    friend struct detail::loop_access;

    loop_pass(detail::loop_core& loop, Feed feed, const over_options& options)
        : loop_(&loop), feed_(std::move(feed)), options_(options) {}
    /// Private, for `into`: iterators and threads refer to a pass, so that one that has begun must not move.
    loop_pass(loop_pass&& other)
        : loop_(other.loop_), feed_(std::move(other.feed_)), options_(std::move(other.options_)),
          sink_(std::move(other.sink_)) {}

    /// Moves the source to the first row of this pass: `.first_row` before the first commit, else the committed
    /// position, and back by the warm-up.
    void seek() {
        const auto& at = loop_->position();
        if (at.source.is_null()) {
            feed_.start(options_.first_row);
            loop_->begin_at(options_.first_row);
            if constexpr (requires { feed_.identifies(); })
                (void)loop_->was_left_in(feed_.identifies());
        } else {
            const detail::object_reader said(at.source, "source", loop_->path());
            if (said.text("kind") != Feed::kind)
                throw detail::another_source(loop_->path(), "kind", ndkeep::quoted(said.text("kind")),
                                             ndkeep::quoted(Feed::kind));
            feed_.resume(said, at.rows);
            // Only the range in which this loop object was left contains the committed items. Any other range has only
            // new items, as far as the loop can know.
            if constexpr (requires { feed_.identifies(); })
                if (loop_->was_left_in(feed_.identifies()))
                    feed_.skip(said);
        }
        warm_up_ = feed_.back(options_.warm_up);
        row_ = at.rows - warm_up_;
    }

    void show_first() {
        progress totals{.phase = "loop", .file = loop_->path()};
        if (const auto rows = feed_.total_rows())
            totals.items_total = *rows - std::min(*rows, loop_->position().rows);
        meter_.emplace(options_.run, totals, progress_meter::first_report::later);
        if (meter_->stopped() || !meter_->is_told())
            end(false);
        else
            show_next();
    }

    void show_next() {
        // A chunk of the warm-up must not contain rows that count, so that it is cut at the committed position.
        detail::chunk_at_hand chunk{.first_row = row_, .is_warm_up = warm_up_ != 0};
        const bool is_there = feed_.next(warm_up_ != 0 ? warm_up_ : std::numeric_limits<std::uint64_t>::max(), chunk);
        if (!is_there && chunk.is_warm_up)
            throw detail::another_source(loop_->path(), "warm-up before row " + std::to_string(row_ + warm_up_), "",
                                         "missing");
        chunk.is_last = chunk.is_last && !chunk.is_warm_up;
        if (is_there)
            return loop_->show(chunk);
        loop_->end_of_source([this] { return feed_.identity(); });
        end(true);
    }

    /// An exception between two bodies, for example from the source or a commit, abandons the pass like one in a body.
    template <class Step>
    void or_abandon(Step&& step) {
        try {
            step();
        } catch (...) {
            if (std::exchange(is_under_way_, false))
                loop_->abandon();
            throw;
        }
    }

    void advance() {
        or_abandon([this] { go_on(); });
    }

    /// The body has ended normally: counts its chunk, commits if it is time, and fetches the next chunk.
    void go_on() {
        const auto chunk = loop_->chunk();
        feed_.done();
        row_ += chunk.rows;
        if (chunk.is_warm_up) {
            warm_up_ -= chunk.rows;
            const bool goes_on = meter_->goes_on();
            // Also if the pass is stopped in its warm-up: what these bodies did must not remain.
            if (warm_up_ == 0 || !goes_on) {
                loop_->end_warm_up();
                feed_.return_to_begin();
            }
            return goes_on ? show_next() : end(false);
        }
        meter_->add(chunk.rows, chunk.bytes);
        // The chunk is also the last one if its body has called `finish`.
        const bool is_last = loop_->is_last();
        const bool goes_on = meter_->goes_on() && !loop_->is_stopping();
        loop_->step([this] { return feed_.identity(); }, is_last || !goes_on);
        if (is_last || !goes_on)
            return end(is_last);
        show_next();
    }

    void end(bool complete) {
        is_under_way_ = false;
        loop_->end(complete);
        if (complete)
            (void)meter_->is_told();
    }

    detail::loop_core* loop_;
    Feed feed_;
    over_options options_;
    std::function<std::unique_ptr<detail::loop_memory>(const std::string&)> sink_;
    std::optional<progress_meter> meter_;
    std::uint64_t row_ = 0;      // first row of the current chunk
    std::uint64_t warm_up_ = 0;  // rows of the warm-up that are still to be shown
    bool is_under_way_ = false;
};

}  // namespace ndkeep
