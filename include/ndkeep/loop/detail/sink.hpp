// SPDX-License-Identifier: BSD-3-Clause
// A loop whose output are rows of a chunked array: its position and states are in the same commits.
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

/// The record of a chunked array as the memory of a loop.
class sink_memory final : public loop_memory {
  public:
    /// @param row_type  of rows without a shape, which are known before the first one is there
    /// @throws mismatch_error  rows are waiting that no body has put out
    sink_memory(chunk_session& sink, std::string loop, std::optional<dtype> row_type);
    ~sink_memory() override { sink_.give_back(); }

    [[nodiscard]] std::shared_ptr<const loop_snapshot> newest() override;

    [[nodiscard]] bool commit(packed_states&& states, const loop_position& at) override;

    void discard() noexcept override { sink_.discard(); }
    [[nodiscard]] bool syncs() const noexcept override { return sink_.syncs(); }

  private:
    [[nodiscard]] std::shared_ptr<const loop_snapshot> stored_in(const object_reader& said,
                                                                 const std::filesystem::path& record);

    /// Small states without arrays stand in the record itself.
    /// @param files  receives the name of the file that larger states are put into
    [[nodiscard]] json kept(packed_states&& states, const loop_position& at, std::vector<std::string>& files);

    chunk_session& sink_;
    std::string loop_;
    std::optional<dtype> row_type_;
    std::uint64_t step_ = 0;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/sink.ipp>
#endif
