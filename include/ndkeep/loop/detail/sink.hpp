// SPDX-License-Identifier: BSD-3-Clause
// A loop whose output is a chunked array: rows, position and states are in the same commits.
#pragma once

#include <ndkeep/chunks/detail/session.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/loop/detail/state/snapshot.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Stores position and states of a loop in the records of the chunked array that it writes.
///
/// Each commit requires that the loop is still at the step from which this pass started. If two processes run the same
/// loop into one sink, the second one gets a conflict_error instead of writing the same rows again.
class sink_memory final : public loop_memory {
  public:
    /// @param row_type  dtype of the rows of a 1-d sink: it can be committed to before its first row is written
    /// @throws mismatch_error  the writer has rows that are not committed, and that no body has written
    /// @throws conflict_error  the writer is the output of another pass
    sink_memory(chunk_session& sink, std::string loop, std::optional<dtype> row_type);
    ~sink_memory() override { sink_.give_back(); }

    /// @throws format_error, checksum_error  the states in the record or their file are missing or damaged
    [[nodiscard]] std::shared_ptr<const loop_snapshot> newest() override;

    /// Commits rows, position and states together. False if the sink has no dtype and row shape yet.
    /// @throws conflict_error  another process has moved the loop
    [[nodiscard]] bool commit(packed_states&& states, const loop_position& at) override;

    void discard() noexcept override { sink_.discard(); }
    [[nodiscard]] bool syncs() const noexcept override { return sink_.syncs(); }
    [[nodiscard]] output_kind output() const noexcept override { return output_kind::with_position; }

  private:
    /// The states that a record names, from the record or from their file.
    /// @throws format_error, checksum_error  they are missing or damaged
    [[nodiscard]] std::shared_ptr<const loop_snapshot> stored_in(const object_reader& said,
                                                                 const std::filesystem::path& record);

    /// The states as a record stores them: in the record if they are small and have no arrays, otherwise in a file that
    /// the record names. Every later commit copies them forward, so that records must stay short.
    /// @param files  receives the name of that file
    [[nodiscard]] json kept(packed_states&& states, const loop_position& at, std::vector<std::string>& files);

    chunk_session& sink_;
    std::string loop_;
    std::optional<dtype> row_type_;
    std::uint64_t step_ = 0;  // of the loop in the newest commit; 0 before the first
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/sink.ipp>
#endif
