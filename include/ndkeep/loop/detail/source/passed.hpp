// SPDX-License-Identifier: BSD-3-Clause
// What a pass over a list has processed, and whether a later pass finds it unchanged.
#pragma once

#include <ndkeep/format/header.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/detail/source/items.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The label of an npy file of which `rows` rows are processed, or all if it has fewer.
///
/// Of data beyond 192 KiB, only the first, middle and last 64 KiB are hashed: a pass must not read whole files that its
/// body maps and hardly reads. The time of modification decides about the rest.
/// @throws mismatch_error  the file is a scalar
[[nodiscard]] item_label label_of_file(const file& opened, const array_info& info, std::uint64_t rows);

/// The label of a member of an archive, whose directory stores a checksum of its content.
[[nodiscard]] item_label label_of_text(std::string_view text);

/// The items of a source as they are now, for comparison with those that were processed.
struct present_items {
    std::size_t size = 0;
    bool can_grow = false;  ///< rows may be added to an item
    /// The label of an item of which so many rows are processed; nullopt if it is deleted, and may be.
    std::function<std::optional<item_label>(std::size_t item, std::uint64_t rows)> label;
    std::function<std::uint64_t(std::size_t item)> rows;
    /// The text by which version 0.1 recognised an item.
    std::function<std::string(std::size_t item)> old_label;
    /// An error about an item.
    std::function<mismatch_error(std::size_t item, std::string expected, std::string found)> error;
};

/// The labels of all items that were processed, and how many rows of the last one: it may be incomplete, and a file may
/// have grown since.
class passed_items {
  public:
    static constexpr std::uint64_t all_rows = ~std::uint64_t{0};

    [[nodiscard]] std::size_t size() const noexcept { return labels_.size() / digits; }
    void clear() { *this = passed_items(); }

    /// Item `index` is processed up to its row `rows`. It may be the last item again.
    /// @param first_row  of the item in the source
    void pass(std::size_t index, const item_label& label, std::uint64_t first_row, std::uint64_t rows);

    /// What a commit stores.
    [[nodiscard]] json said(std::string_view kind) const;

    /// Takes over what a commit stored.
    /// @param rows  of the source that are processed
    /// @throws format_error  the committed numbers contradict each other
    void read(const object_reader& said, std::uint64_t rows, const std::filesystem::path& file);

    /// Compares the present items with those that were processed, and returns the position to resume from.
    /// @throws mismatch_error  there are fewer items, or one of them has changed
    [[nodiscard]] item_place resume(const std::filesystem::path& file, const present_items& present);

    /// Finds the processed files in a list from which some may be deleted. Returns a path for each processed file,
    /// empty if it is deleted, and then the paths of the new files.
    /// @throws mismatch_error  a processed file has changed, or is listed out of order
    [[nodiscard]] std::vector<std::filesystem::path> matched(const std::vector<std::filesystem::path>& files,
                                                             const present_items& present) const;

  private:
    // The labels are kept as the text that a commit stores, so that a commit copies one text and formats nothing.
    static constexpr std::size_t digits_of_hash = 16, digits = 3 * digits_of_hash;
    enum class part { content, stamp, name };
    [[nodiscard]] std::string_view hash(std::size_t item, part wanted) const noexcept;

    /// Whether a label proves that the item is the one that was processed.
    [[nodiscard]] bool is_same(std::size_t item, const item_label& present) const;
    void resume_from_old(const std::filesystem::path& file, const present_items& present);

    /// What version 0.1 stored: a hash of all labels but the last, and the last.
    struct old_labels {
        std::size_t items = 0;
        std::string before, last;
    };

    std::string labels_;
    std::uint64_t first_row_ = 0, rows_ = 0;  // of the last item
    std::optional<old_labels> old_;
};

/// The number of rows of an item.
/// @throws mismatch_error  it has no axis
[[nodiscard]] std::uint64_t rows_of_item(const array_info& info, const std::filesystem::path& file,
                                         std::string field = {});

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/source/passed.ipp>
#endif
