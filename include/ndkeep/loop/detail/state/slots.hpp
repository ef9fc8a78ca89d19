// SPDX-License-Identifier: BSD-3-Clause
// The bound states of a loop, by name: present, committed and initial values.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/loop/detail/access.hpp>
#include <ndkeep/loop/detail/state/codec.hpp>
#include <ndkeep/loop/detail/state/form.hpp>
#include <ndkeep/loop/detail/state/snapshot.hpp>
#include <ndkeep/loop/state.hpp>
#include <ndkeep/text/json/parser.hpp>

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A value that is bound to a loop under a name.
class state_slot {
  public:
    explicit state_slot(std::string name) : name_(std::move(name)) {}
    state_slot(const state_slot&) = delete;
    state_slot& operator=(const state_slot&) = delete;
    virtual ~state_slot() = default;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    virtual void write(state_writer& out) const = 0;
    virtual void read(const state_reader& in) = 0;

  private:
    std::string name_;
};

template <class T>
class typed_slot final : public state_slot {
  public:
    template <class... Argument>
    explicit typed_slot(std::string name, Argument&&... initial)
        : state_slot(std::move(name)), value_(loop_access::make<T>(std::forward<Argument>(initial)...)),
          initial_shape_(shape_of(value_)) {}

    [[nodiscard]] T& value() noexcept { return value_; }

    void write(state_writer& out) const override {
        out.set(name(), value_);
        if (initial_shape_)
            out.note(name(), "initial_shape", *initial_shape_);
    }

    /// Reads the value, and checks its initial shape. The present shape may change from chunk to chunk, but another
    /// initial shape means that the program has changed.
    void read(const state_reader& in) override {
        in.get(name(), value_);
        if (initial_shape_)
            in.expect(name(), "initial_shape", *initial_shape_);
    }

  private:
    [[nodiscard]] static std::optional<json> shape_of([[maybe_unused]] const T& value) {
        if constexpr (form_of<T>() == state_form::array)
            return json(array_view(value).shape());
        else if constexpr (form_of<T>() == state_form::sequence)
            return json(std::vector<std::size_t>{value.size()});
        else
            return std::nullopt;
    }

    T value_;
    std::optional<json> initial_shape_;
};

/// All bound states of a loop, and the values of the last commit.
class bound_states {
  public:
    /// Adds a state, and sets it to its committed value, if there is one.
    /// @throws mismatch_error  the name is bound already, or the committed value has another type
    template <class Slot>
    Slot& bind(std::unique_ptr<Slot> slot) {
        if (is_bound(slot->name()))
            throw mismatch_error({.file = stored_file_,
                                  .field = "state " + ndkeep::quoted(slot->name()),
                                  .expected = "bound once",
                                  .found = "bound twice"});
        // The initial value is copied as bytes before the committed one overwrites it: a pass that begins before the
        // first commit, or anew, must restore it.
        packed_states initial;
        write(*slot, initial);
        auto kept = frozen(std::move(initial));
        if (is_stored(slot->name()))
            slot->read(stored_->reader());
        initials_[slot->name()] = std::move(kept);
        slots_.push_back(std::move(slot));
        return static_cast<Slot&>(*slots_.back());
    }

    /// Sets the last commit; nullptr if there is none, or if it has not been read.
    void store(std::shared_ptr<const loop_snapshot> stored) { stored_ = std::move(stored); }

    /// Sets all states to their committed values, and states without one to their initial values.
    /// @throws mismatch_error  the commit has states that are not bound
    void restore();

    /// @throws mismatch_error  the commit has states that are not bound: the next commit would lose them
    void check_all_bound() const;

    /// Ignores the committed value of a name, so that it need not be bound.
    /// @throws mismatch_error  it is bound
    void forget(const std::string& name);
    /// After a commit: it contains all bound states, and none that were forgotten.
    void committed();
    void call(std::filesystem::path file) { stored_file_ = std::move(file); }

    [[nodiscard]] packed_states pack() const;

  private:
    [[nodiscard]] bool is_bound(const std::string& name) const;
    [[nodiscard]] bool is_stored(const std::string& name) const;

    void write(const state_slot& slot, packed_states& to) const;

    [[nodiscard]] static std::shared_ptr<const loop_snapshot> frozen(packed_states&& states);

    std::vector<std::unique_ptr<state_slot>> slots_;
    std::map<std::string, std::shared_ptr<const loop_snapshot>> initials_;
    std::shared_ptr<const loop_snapshot> stored_;
    std::filesystem::path stored_file_;
    std::set<std::string> forgotten_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/state/slots.ipp>
#endif
