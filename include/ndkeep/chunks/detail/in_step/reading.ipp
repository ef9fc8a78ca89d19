// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/detail/in_step/reading.hpp>.
#pragma once

#include <ndkeep/chunks/detail/in_step/reading.hpp>

#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/work/alongside.hpp>
#include <ndkeep/work/progress.hpp>

#include <exception>
#include <functional>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A chunk that is mapped, or read in a thread, before it is asked for.
struct chunk_window::coming_chunk {
    std::size_t index = 0;
    mapping bytes = {};
    std::exception_ptr problem = nullptr;
    std::optional<alongside> work = std::nullopt;  // last: its thread fills the members above
};

NDKEEP_INLINE chunk_window::chunk_window(const step_participant& of, bool verify)
    : version_(of.version), convert_(of.version->state().type, of.type, of.version->called()), alignment_(of.alignment),
      verify_(verify && !of.version->options().verify) {}
NDKEEP_INLINE chunk_window::chunk_window(chunk_window&&) noexcept = default;
NDKEEP_INLINE chunk_window& chunk_window::operator=(chunk_window&&) noexcept = default;
NDKEEP_INLINE chunk_window::~chunk_window() = default;

NDKEEP_INLINE mapping chunk_window::rows(std::uint64_t first, std::uint64_t last, std::uint64_t end) {
    if (first == last)
        return {};
    const std::size_t begin_chunk = version_->chunk_of(first), last_chunk = version_->chunk_of(last - 1);
    mapping out;
    if (begin_chunk != last_chunk || !convert_.is_identity()) {
        version_->check_room(last - first);
        std::size_t elements = static_cast<std::size_t>(last - first);
        for (const std::size_t extent : version_->state().row_shape)
            elements *= extent;
        out = mapping::zeros(elements * convert_.to_size(), version_->called());
        version_->read(first, last, convert_, out.data());
        out.protect();
    } else {
        const auto owner = chunk(begin_chunk);
        const auto row_bytes = version_->state().row_bytes();
        const std::uint64_t at = (first - version_->first_row(begin_chunk)) * row_bytes;
        out = mapping::of({owner->data() + at, static_cast<std::size_t>((last - first) * row_bytes)}, owner->path());
        out.keep(owner);
    }
    // The caller has the chunk now, if it refers to it.
    if (last == end || version_->chunk_of(last) != index_)
        chunk_ = nullptr;
    if (last != end && convert_.is_identity())
        begin_ahead(version_->chunk_of(last));
    return out;
}

NDKEEP_INLINE mapping chunk_window::map(const core::chunk_version& version, std::size_t i, std::size_t alignment,
                                        bool verify) {
    auto bytes = version.map_chunk(i, alignment);
    if (verify)
        version.verify(i, {bytes.data(), bytes.size()});
    return bytes;
}

NDKEEP_INLINE const std::shared_ptr<const mapping>& chunk_window::chunk(std::size_t i) {
    if (chunk_ != nullptr && index_ == i)
        return chunk_;
    chunk_ = nullptr;
    index_ = i;
    const auto ahead = std::exchange(ahead_, nullptr);
    if (ahead == nullptr || ahead->index != i)
        return chunk_ = std::make_shared<const mapping>(map(*version_, i, alignment_, verify_));
    if (ahead->work) {
        const run_options silent;
        progress_meter quiet(silent);
        ahead->work->finish(quiet);
    }
    if (ahead->problem)
        std::rethrow_exception(ahead->problem);
    return chunk_ = std::make_shared<const mapping>(std::move(ahead->bytes));
}

NDKEEP_INLINE void chunk_window::begin_ahead(std::size_t i) {
    if ((chunk_ != nullptr && index_ == i) || (ahead_ != nullptr && ahead_->index == i))
        return;
    ahead_ = std::make_unique<coming_chunk>();
    ahead_->index = i;
    // The thread refers to the version and to the chunk on the heap: a window may move meanwhile.
    const auto fetch = [version = version_, alignment = alignment_, verify = verify_, to = ahead_.get()] {
        to->bytes = map(*version, to->index, alignment, verify);
    };
    if (verify_ || version_->options().verify || version_->reads_into_memory()) {
        ahead_->work.emplace(fetch);
        return;
    }
    try {
        fetch();
        ahead_->bytes.advise(advice::will_need);
    } catch (...) {
        ahead_->problem = std::current_exception();  // thrown when the rows are needed: the ones before are still given
    }
}

NDKEEP_INLINE step_reading::step_reading(std::vector<step_participant> of, const step_limits& limits, bool verify)
    : of_(std::move(of)), plan_(versions_of(of_), limits) {
    for (const auto& participant : of_)
        windows_.emplace_back(participant, verify);
}

NDKEEP_INLINE mapping step_reading::rows(std::size_t i) {
    const auto& part = plan_.part(i);
    return windows_[i].rows(part.first, part.last, plan_.end_row(i));
}

NDKEEP_INLINE std::vector<std::size_t> step_reading::shape(std::size_t i) const {
    const auto& part = plan_.part(i);
    return shape_of_rows(part.last - part.first, of_[i].version->state().row_shape);
}

}  // namespace ndkeep::detail
