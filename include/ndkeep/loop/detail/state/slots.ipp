// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/state/slots.hpp>.
#pragma once

#include <ndkeep/loop/detail/state/slots.hpp>

#include <ndkeep/npz/detail/packed.hpp>
#include <ndkeep/text/json/print.hpp>

#include <algorithm>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE void bound_states::restore() {
    check_all_bound();
    for (const auto& slot : slots_)
        slot->read(is_stored(slot->name()) ? stored_->reader() : initials_.at(slot->name())->reader());
}

NDKEEP_INLINE void bound_states::check_all_bound() const {
    if (stored_ == nullptr)
        return;
    for (const auto& [name, form] : stored_->forms())
        if (is_stored(name) && !is_bound(name))
            throw mismatch_error({.file = stored_file_,
                                  .field = "state " + ndkeep::quoted(name),
                                  .found = "stored but not bound",
                                  .hint = "bind it, or forget it"});
}

NDKEEP_INLINE void bound_states::forget(const std::string& name) {
    if (is_bound(name))
        throw mismatch_error({.file = stored_file_,
                              .field = "state " + ndkeep::quoted(name),
                              .expected = "not bound",
                              .found = "bound"});
    forgotten_.insert(name);
}

NDKEEP_INLINE void bound_states::committed() {
    stored_ = nullptr;  // older than the commit just made
    forgotten_.clear();
}

NDKEEP_INLINE packed_states bound_states::pack() const {
    packed_states all;
    for (const auto& slot : slots_)
        write(*slot, all);
    return all;
}

NDKEEP_INLINE bool bound_states::is_bound(const std::string& name) const {
    return std::any_of(slots_.begin(), slots_.end(), [&](const auto& each) { return each->name() == name; });
}

NDKEEP_INLINE bool bound_states::is_stored(const std::string& name) const {
    return stored_ != nullptr && stored_->forms().count(name) != 0 && forgotten_.count(name) == 0;
}

NDKEEP_INLINE void bound_states::write(const state_slot& slot, packed_states& to) const {
    auto out = loop_access::make<state_writer>(to.forms, std::string(loop_snapshot::states_folder), to.arrays);
    in_document(stored_file_, [&] { slot.write(out); });
}

NDKEEP_INLINE std::shared_ptr<const loop_snapshot> bound_states::frozen(packed_states&& states) {
    // The archive that a checkpoint would be, so that restoring initial values and committed ones is the same code.
    add_state_member(states, "", 1, {});
    std::vector<std::byte> bytes;
    bytes.reserve(static_cast<std::size_t>(states.arrays.size()));
    for (const auto& piece : states.arrays.finish())
        bytes.insert(bytes.end(), piece.begin(), piece.end());
    return std::make_shared<const loop_snapshot>(std::move(bytes), "", "");
}

}  // namespace ndkeep::detail
