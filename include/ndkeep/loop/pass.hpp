// SPDX-License-Identifier: BSD-3-Clause
// One pass over a source, for a range-for: each time the body comes to its end, that counts.
#pragma once

#include <ndkeep/chunks/detail/access.hpp>
#include <ndkeep/chunks/writer.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/float16.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/loop/detail/access.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/detail/sink.hpp>
#include <ndkeep/loop/detail/state/snapshot.hpp>
#include <ndkeep/loop/options.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/work/progress.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

/// What `stateful_loop::over` gives a range-for. It begins when the loop does: position and states are then what they
/// were at the last commit. Left by `break`, `return` or an exception, everything since then will not have been.
template <class Feed>
class [[nodiscard]] loop_pass {
  public:
    loop_pass& operator=(loop_pass&&) = delete;
    ~loop_pass() {
        if (is_under_way_)
            loop_->abandon();
    }

    /// Commits the rows that the body appends to `sink` together with position and states, in one record of `sink`:
    /// what a body puts out is there exactly once, whatever happens. There is no checkpoint beside it.
    ///
    /// What is bound has the values of the last commit from the beginning of the pass on, not before. A pass begins
    /// anew where the sink is made anew. A dataset of more than one axis is committed to once its first block has said
    /// what a row is.
    /// @param sink  must outlive the pass; nobody else commits with it meanwhile
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

    /// Gives each chunk once, when it is looked at.
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

    /// @throws mismatch_error  another source than the one that was committed, or states that are not bound
    [[nodiscard]] iterator begin() {
        loop_->check_free();
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
    /// For `into`: iterators refer to the pass, so that one that has begun stays where it is.
    loop_pass(loop_pass&& other)
        : loop_(other.loop_), feed_(std::move(other.feed_)), options_(std::move(other.options_)),
          sink_(std::move(other.sink_)) {}

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
        detail::chunk_at_hand chunk{.first_row = row_, .is_warm_up = warm_up_ != 0};
        const bool is_there = feed_.next(warm_up_ != 0 ? warm_up_ : std::numeric_limits<std::uint64_t>::max(), chunk);
        if (!is_there && chunk.is_warm_up)
            throw detail::another_source(loop_->path(), "rows", "there before row " + std::to_string(row_ + warm_up_),
                                         "gone");
        chunk.is_last = chunk.is_last && !chunk.is_warm_up;
        if (is_there)
            return loop_->show(chunk);
        loop_->end_of_source([this] { return feed_.identity(); });
        end(true);
    }

    /// What throws on the way from one body to the next leaves the pass, as a body that throws does.
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

    void go_on() {
        const auto chunk = loop_->chunk();
        feed_.done();
        row_ += chunk.rows;
        if (chunk.is_warm_up) {
            warm_up_ -= chunk.rows;
            const bool goes_on = meter_->goes_on();
            if (warm_up_ == 0 || !goes_on) {
                loop_->end_warm_up();
                feed_.return_to_begin();
            }
            return goes_on ? show_next() : end(false);
        }
        meter_->add(chunk.rows, chunk.bytes);
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
    std::uint64_t row_ = 0;      // at which the chunk at hand begins
    std::uint64_t warm_up_ = 0;  // rows of it that are to come
    bool is_under_way_ = false;
};

}  // namespace ndkeep
