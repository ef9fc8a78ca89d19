// SPDX-License-Identifier: BSD-3-Clause
// What a pass over a list has processed, and whether a later pass finds it unchanged.
#pragma once

#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/detail/source/items.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// What was processed of a list of files or members: a hash of all labels but the last, the last label, and how many
/// of its rows. The last one is separate because it may be incomplete, and a file may have grown since.
class list_identity {
  public:
    /// Counts all items before a position as processed.
    /// @param label_of  returns the present label of an item
    template <class Label>
    void start(const item_place& at, Label&& label_of) {
        *this = list_identity();
        for (std::size_t i = 0; i < at.index; ++i)
            pass(i, label_of(i), 0, 0);
    }

    /// Item `index` is processed up to its row `rows`. It may be the last item again.
    /// @param first_row  of the item in the source
    void pass(std::size_t index, std::string&& label, std::uint64_t first_row, std::uint64_t rows);

    /// What a commit stores.
    [[nodiscard]] json said(std::string_view kind) const;

    /// The position to resume from, and whether the last item has the label that was committed.
    struct resumed {
        std::size_t last = 0;
        std::uint64_t rows = 0;  // of the last item that were processed
        bool is_same = true;
    };
    /// Compares the present items with those of the last commit.
    /// @throws mismatch_error  there are fewer items, or one before the last has another label
    /// @throws format_error    the committed numbers contradict each other
    template <class Label>
    [[nodiscard]] resumed resume(const object_reader& said, std::uint64_t rows, const std::filesystem::path& file,
                                 std::size_t size, Label&& label_of) {
        const std::uint64_t items = said.count("items"), first_row = said.count("last_first_row"),
                            last_rows = said.count("last_rows");
        if (items == 0 || first_row > rows || last_rows != rows - first_row)
            throw malformed(file, "source of the loop", "at row " + std::to_string(rows), "elsewhere");
        if (items > size)
            throw another_source(file, "items", "at least " + std::to_string(items), std::to_string(size));
        const std::size_t last = static_cast<std::size_t>(items) - 1;
        start({items, 0}, label_of);
        if (hexadecimal(hash_) != said.text("before"))
            throw another_source(file, "items", "the " + std::to_string(items) + " that were passed over",
                                 "others among them", "names, sizes and order are compared");
        first_row_ = first_row;
        rows_ = last_rows;
        return {last, last_rows, label_ == said.text("last")};
    }

  private:
    std::size_t items_ = 0;
    std::uint64_t hash_ = hash_of("");
    std::string label_;
    std::uint64_t first_row_ = 0, rows_ = 0;  // of the last item
};

/// The number of rows of an item.
/// @throws mismatch_error  it has no axis
[[nodiscard]] std::uint64_t rows_of_item(const array_info& info, const std::filesystem::path& file,
                                         std::string field = {});

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/source/passed.ipp>
#endif
