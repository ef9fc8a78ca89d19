// SPDX-License-Identifier: BSD-3-Clause
// Chunked arrays in step as the source of a loop.
#pragma once

#include <ndkeep/chunks/detail/in_step/reading.hpp>
#include <ndkeep/chunks/in_step.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/options.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A hash of the first chunks of a version: of the names and checksums of their files, which never change.
class hashed_chunks {
  public:
    explicit hashed_chunks(const core::chunk_version& of) : of_(&of) {}

    /// Adds the chunks that end at or before a row.
    void add_up_to(std::uint64_t row);

    /// The number of rows in the hashed chunks.
    [[nodiscard]] std::uint64_t rows() const { return chunks_ == 0 ? 0 : of_->first_row(chunks_ - 1) + last_rows_; }
    [[nodiscard]] std::uint64_t hash() const noexcept { return hash_; }

  private:
    const core::chunk_version* of_;
    std::size_t chunks_ = 0;
    std::uint64_t last_rows_ = 0;
    std::uint64_t hash_ = hash_of("");
};

/// The part that needs no C++ types. A position is the key at which the next item begins, and the number of rows of
/// each array below it. So a pass resumes in later versions, whatever their chunks are, if no row below the key was
/// added, removed or changed since, or `.late` accepts it. Between late items, a position is that of the mark, and
/// `late` in it has lower positions, as in `step_mark`.
class step_feed_base {
  public:
    static constexpr std::string_view kind = "in_step";

    step_feed_base(std::vector<step_participant> of, const in_step_options& options, const over_options& over);

    void start(std::uint64_t row);
    void resume(const object_reader& said, std::uint64_t rows);
    /// The warm-up is part of the first item: there are no separate chunks of it.
    [[nodiscard]] static std::uint64_t back(std::uint64_t) { return 0; }
    void return_to_begin() noexcept {}
    [[nodiscard]] bool next(std::uint64_t most, chunk_at_hand& chunk);
    void done() noexcept {}

    [[nodiscard]] json identity() const;
    [[nodiscard]] std::optional<std::uint64_t> total_rows() const { return done_ + reading_->rows_left(); }
    [[nodiscard]] std::function<void()> durable() const;

  protected:
    [[nodiscard]] step_reading& reading() const noexcept { return *reading_; }

  private:
    void begin(const step_limits& limits);
    /// The mark that a commit has stored.
    /// @throws mismatch_error  the arrays are others, or have changed below it in a way that `.late` does not accept
    [[nodiscard]] step_mark mark_in(const object_reader& said) const;
    void check(std::size_t i, const object_reader& said, const std::optional<statistics::number>& key) const;

    std::vector<step_participant> of_;
    in_step_options options_;
    bool verify_;
    std::uint64_t done_ = 0;  // rows that earlier passes have processed
    std::vector<hashed_chunks> passed_;
    std::vector<json> given_;  // what a commit stores about the mark where the pass began, and about lower marks before
    bool has_warm_up_ = false;
    std::unique_ptr<step_reading> reading_;  // from `start` or `resume` on
};

/// Shows the items of `in_step`.
template <class Parts>
class step_feed : public step_feed_base {
  public:
    using item = step<Parts>;

    step_feed(const steps<Parts>& source, const over_options& over)
        : step_feed_base(step_access::participants(source), step_access::options(source), over) {}

    [[nodiscard]] item take() const { return take_item<Parts>(reading()); }
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/source/in_step.ipp>
#endif
