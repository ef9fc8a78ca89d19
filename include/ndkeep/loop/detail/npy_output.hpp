// SPDX-License-Identifier: BSD-3-Clause
// A loop whose output is one plain npy file: rows are appended exactly once, with position and states in the
// checkpoint.
#pragma once

#include <ndkeep/array/view.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/loop/detail/checkpoint.hpp>
#include <ndkeep/loop/detail/state/snapshot.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The npy file that a pass appends to, and the rows that no commit contains yet.
class npy_output {
  public:
    npy_output(std::filesystem::path file, bool sync) : file_(std::move(file)), sync_(sync) {}

    /// Makes the file contain exactly the rows of the last commit: adds those that a killed pass has written and
    /// committed, but not counted in the header.
    /// @param committed  the member "output" of the checkpoint; nullptr before the first commit
    /// @throws mismatch_error  the file has other rows than the loop has committed, or is column-major
    void restore(const json* committed, const std::filesystem::path& checkpoint);

    /// Holds rows in memory until the commit. The first rows of a new file decide its dtype and the shape of a row.
    /// @throws mismatch_error  they do not fit the file
    void append(const array_view& rows);
    void discard() noexcept;

    /// The member "output" of the next checkpoint.
    [[nodiscard]] json next() const;

    /// Writes the rows behind the data of the file, where no header counts them (step 1).
    /// @throws conflict_error  another program has changed the number of rows
    void stage();
    /// Counts them (step 3).
    void publish();

  private:
    /// Takes dtype, shape of a row and number of rows from the file; nullopt if it is absent.
    [[nodiscard]] std::optional<std::uint64_t> rows_in_file();

    /// Appends rows whose bytes are those of the file.
    void add(const std::vector<std::byte>& bytes, std::uint64_t count) const;

    [[nodiscard]] std::uint64_t row_bytes() const;

    std::filesystem::path file_;
    bool sync_;
    std::optional<dtype> type_;  // nullopt before the first rows of a new file
    std::vector<std::size_t> row_shape_;
    std::uint64_t rows_ = 0;  // in the last commit
    std::vector<std::byte> pending_;
    std::uint64_t pending_rows_ = 0;
};

/// Stores position and states in the checkpoint of the loop, together with the number of rows of its output.
class npy_memory final : public loop_memory {
  public:
    /// @param checkpoint  outlives this object
    npy_memory(checkpoint_file& checkpoint, std::filesystem::path file)
        : checkpoint_(checkpoint), output_(std::move(file), checkpoint.syncs()) {}

    /// @throws mismatch_error  the checkpoint is that of a loop without this output
    [[nodiscard]] std::shared_ptr<const loop_snapshot> newest() override;
    [[nodiscard]] bool commit(packed_states&& states, const loop_position& at) override;
    void append(const array_view& rows) override { output_.append(rows); }
    void discard() noexcept override { output_.discard(); }
    [[nodiscard]] bool syncs() const noexcept override { return checkpoint_.syncs(); }
    [[nodiscard]] output_kind output() const noexcept override { return output_kind::beside_checkpoint; }

  private:
    checkpoint_file& checkpoint_;
    npy_output output_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/npy_output.ipp>
#endif
