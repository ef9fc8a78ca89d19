// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/database_memory.hpp>.
#pragma once

#include <ndkeep/loop/detail/database_memory.hpp>

#include <ndkeep/database/database.hpp>
#include <ndkeep/database/detail/access.hpp>
#include <ndkeep/database/detail/layout.hpp>
#include <ndkeep/database/detail/session.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/text/hex.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

class database_memory final : public loop_memory {
  public:
    database_memory(std::shared_ptr<database_session> output, std::string loop)
        : output_(std::move(output)), loop_(std::move(loop)),
          // Any text can be the name of a loop, but not of a file.
          document_("loop-" + (is_array_name(loop_) && loop_.size() < 200 ? loop_ : hexadecimal(hash_of(loop_))) +
                    std::string(document_ending)) {
        if (output_->has_changes())
            throw mismatched(output_->path(), "output", "one without them", "a database with uncommitted changes");
    }

    [[nodiscard]] std::shared_ptr<const loop_snapshot> newest() override {
        generation_ = 0;
        const auto text = output_->document(document_);
        if (!text)
            return nullptr;
        const auto bytes = bytes_of(*text);
        auto stored =
            std::make_shared<const loop_snapshot>(std::vector<std::byte>(bytes.begin(), bytes.end()), called(), loop_);
        stored->check_committed();
        generation_ = stored->generation();
        return stored;
    }

    [[nodiscard]] bool commit(packed_states&& states, const loop_position& at) override {
        add_state_member(states, loop_, generation_ + 1, at);
        std::string text;
        for (const auto& piece : states.arrays.finish())
            text += as_text(piece);
        output_->set_document(document_, std::move(text));
        (void)output_->commit();
        ++generation_;
        return true;
    }

    void discard() noexcept override {
        try {
            output_->abort();
        } catch (const error&) {
            // A database that a failed sync has closed: its next opening shows the last commit.
        }
    }

    [[nodiscard]] bool syncs() const noexcept override { return output_->is_durable(); }
    [[nodiscard]] output_kind output() const noexcept override { return output_kind::with_position; }

  private:
    [[nodiscard]] std::filesystem::path called() const { return output_->path() / database_folder / document_; }

    std::shared_ptr<database_session> output_;
    std::string loop_;
    std::string document_;
    std::uint64_t generation_ = 0;  // of the loop in the last commit; 0 before the first
};

NDKEEP_INLINE std::unique_ptr<loop_memory> memory_in(database& output, const std::string& loop) {
    return std::make_unique<database_memory>(database_access::session(output), loop);
}

}  // namespace ndkeep::detail
