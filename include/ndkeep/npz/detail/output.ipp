// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/npz/detail/output.hpp>.
#pragma once

#include <ndkeep/npz/detail/output.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/names.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE limits old_limits(const file& old) {
    const limits usual;
    const std::uint64_t bytes = old.is_open() ? old.size() : 0;
    return {.members = std::numeric_limits<std::size_t>::max(),
            .json_bytes = std::max(usual.json_bytes, bytes),
            .json_values = 4 * usual.json_values};
}

NDKEEP_INLINE archive_output::archive_output(const std::filesystem::path& file, former_archive former,
                                             read_only_files wanted)
    : lock_(former == former_archive::grown ? lock_to_grow(file)
                                            : std::optional<writer_lock>(std::in_place, file, wanted)),
      target_(lock_ ? lock_->target() : resolved(file)) {
    if (lock_ && (!lock_->target_exists() || lock_->target_is_reserved()))
        former = former_archive::replaced;
    if (former == former_archive::grown) {
        grown_ = ndkeep::file::open(target_, ndkeep::file::access::read_write);
        // Before the archive is read: another writer may use another hard link of the file.
        alone_.emplace(grown_);
    }
    if (former != former_archive::replaced) {
        auto opened = ndkeep::file::open(target_);
        const auto limit = old_limits(opened);
        old_ = archive(std::move(opened), limit);
    }
    if (grows() && old_.directory().prefix == 0) {
        begin_ = grown_.size();
        return;
    }
    alone_.reset();
    grown_ = {};
    check_writable(target_, wanted);
    next_.emplace(lock_ ? *std::move(lock_) : writer_lock(file, wanted));
}

NDKEEP_INLINE archive_output::~archive_output() {
    if (!grows() || is_committed_ || !owner_.is_this())
        return;
    try {
        if (grown_.size() > begin_)
            grown_.resize(begin_);
    } catch (const io_error&) {
        // As after a kill: the old archive is complete, and bytes follow it.
    }
}

NDKEEP_INLINE void archive_output::commit(durability wanted) {
    check_process();
    if (!grows()) {
        next_->commit(wanted);
        return;
    }
    if (wanted == durability::on_disk)
        grown_.sync();
    else
        grown_.settle();
    is_committed_ = true;
    alone_.reset();
    if (lock_)
        lock_->release();
}

}  // namespace ndkeep::detail
