// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/core.hpp>.
#pragma once

#include <ndkeep/loop/detail/core.hpp>

#include <ndkeep/text/unicode.hpp>

#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE mismatch_error another_source(const std::filesystem::path& file, const std::string& field,
                                            std::string expected, std::string found, std::string hint) {
    return mismatch_error({.file = file,
                           .field = "source of the loop" + (field.empty() ? "" : ": " + field),
                           .expected = std::move(expected),
                           .found = std::move(found),
                           .hint = std::move(hint)});
}

NDKEEP_INLINE loop_core::loop_core(const std::filesystem::path& path, const loop_options& options)
    : options_(options), name_(name_text(options.name.empty() ? path.filename().string() : options.name)),
      file_(path, name_, durability_of(options.sync), options.report) {
    states_.call(path);
    keep(file_.newest());
    if (stored_ != nullptr)
        position_ = stored_->position();
}

NDKEEP_INLINE void loop_core::check_free() const {
    if (is_under_way_)
        throw conflict_error({.file = path(), .found = "another pass of this loop has not ended"});
}

NDKEEP_INLINE void loop_core::begin(std::unique_ptr<loop_memory> into, std::function<void()> durable) {
    check_free();
    // Two positions, one in the file and one in the sink, could differ: only one of them may exist.
    if (into != nullptr && into->output() == output_kind::with_position && file_.has_commit())
        throw mismatch_error({.file = path(),
                              .field = "checkpoint",
                              .expected = "in the output array",
                              .found = "in this file",
                              .hint = "a pass of this loop has run without `into`"});
    stopping_ = finishing_ = false;
    was_complete_ = std::exchange(complete_, false);
    chunk_ = {};
    since_ = 0;
    // The checkpoint file was read when the loop was made, and bound states have its values already. The record of a
    // sink was not read, so that the states must be restored from it; and from the file after a pass into a sink.
    const bool is_other_memory = into != nullptr || was_sink_;
    sink_ = std::move(into);
    was_sink_ = sink_ != nullptr;
    try {
        if (is_other_memory)
            stored_ = nullptr;
        if (is_other_memory || is_dirty_)
            restore();
        else
            states_.check_all_bound();
        if (!position_.output.is_null() && memory().output() != output_kind::beside_checkpoint)
            throw mismatch_error({.file = path(),
                                  .field = "output of the loop",
                                  .expected = "the npy file of the passes before",
                                  .found = "none",
                                  .hint = "`.into(file)` goes on"});
    } catch (...) {
        is_dirty_ = true;  // some states may have been restored, and others not
        release();
        throw;
    }
    durable_ = std::move(durable);
    last_commit_ = std::chrono::steady_clock::now();
    is_under_way_ = true;
}

NDKEEP_INLINE void loop_core::show(const chunk_at_hand& chunk) {
    chunk_ = chunk;
    is_dirty_ = true;
}

NDKEEP_INLINE void loop_core::end_warm_up() {
    stopping_ = finishing_ = false;
    memory().discard();
    // The position is retained: a first pass may begin at .first_row, which no commit contains yet.
    const auto at = position_;
    restore();
    position_ = at;
}

NDKEEP_INLINE void loop_core::end(bool complete) noexcept {
    complete_ = complete;
    chunk_ = {.first_row = position_.rows};
    release();
}

NDKEEP_INLINE void loop_core::abandon() noexcept {
    // Bound states keep their values. is_dirty_ makes the next pass restore them.
    memory().discard();
    chunk_ = {};
    release();
}

NDKEEP_INLINE bool loop_core::was_left_in(const void* range) noexcept {
    return std::exchange(range_, range) == range && range != nullptr && !was_complete_;
}

NDKEEP_INLINE void loop_core::release() noexcept {
    durable_ = nullptr;
    sink_ = nullptr;  // gives the writer back, which need not outlive the pass
    is_under_way_ = false;
}

NDKEEP_INLINE void loop_core::restore() {
    if (stored_ == nullptr)
        keep(memory().newest());
    states_.restore();
    position_ = stored_ == nullptr ? loop_position() : stored_->position();
    is_dirty_ = false;
}

NDKEEP_INLINE void loop_core::keep(std::shared_ptr<const loop_snapshot> stored) {
    stored_ = std::move(stored);
    states_.store(stored_);
}

NDKEEP_INLINE void loop_core::commit(json source) {
    // The source is synced before the position in it becomes durable. In the other order, a power cut could leave a
    // position in a commit of the source that no longer exists. Once per pass is enough: a pass reads one version.
    if (durable_ && memory().syncs())
        std::exchange(durable_, nullptr)();
    position_.source = std::move(source);
    if (!memory().commit(states_.pack(), position_))
        return;  // the sink has no dtype and shape of rows yet: the next chunk tries again
    since_ = 0;
    last_commit_ = std::chrono::steady_clock::now();
    is_dirty_ = false;
    stored_ = nullptr;  // older than the commit just made; restore reads the new one if it needs it
    states_.committed();
}

}  // namespace ndkeep::detail
