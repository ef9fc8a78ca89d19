// SPDX-License-Identifier: BSD-3-Clause
// The values of a pickle as a tree.
#pragma once

#include <ndkeep/bytes/source.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/pickle/detail/globals.hpp>
#include <ndkeep/pickle/detail/values.hpp>
#include <ndkeep/pickle/options.hpp>
#include <ndkeep/tree/tree.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

class pickle_conversion {
  public:
    /// @param kept  the open file, which leaves keep; nullptr: all arrays are copied into memory
    /// @param size  bytes of the pickle: a bound of what shared values may grow to
    pickle_conversion(pickled_values& values, const core::byte_source& from, std::shared_ptr<const file> kept,
                      std::uint64_t size, const pickle_options& options);

    [[nodiscard]] tree tree_of(pickled_id root) { return converted(root, 0); }

  private:
    [[noreturn]] void refuse(std::string field, std::string expected, std::string found, std::string hint = {}) const;
    [[nodiscard]] tree converted(pickled_id id, std::size_t depth) {
        tree made;
        convert(id, depth, made);
        return made;
    }
    void add(std::vector<tree>& to, pickled_id id, std::size_t depth);
    /// @param out  null
    void convert(pickled_id id, std::size_t depth, tree& out);
    [[nodiscard]] tree container_of(pickled_id id, std::size_t depth);
    [[nodiscard]] tree list_of(pickled_id id, std::size_t depth);
    [[nodiscard]] tree dictionary_of(pickled_id id, std::size_t depth);
    [[nodiscard]] tree object_of(pickled_id id, std::size_t depth);
    [[nodiscard]] tree array_of(pickled_id id, std::size_t depth);

    // pandas
    [[nodiscard]] tree pandas_of(pickled_id id, std::size_t depth);
    [[nodiscard]] tree index_of(pickled_id id, std::size_t depth);
    [[nodiscard]] tree frame_of(pickled_id manager, std::size_t depth);
    /// The index and the values.
    [[nodiscard]] std::pair<pickled_id, pickled_id> parts_of_series(pickled_id manager);
    /// One column of a block, whose rows are columns of the frame.
    [[nodiscard]] tree row_of(const tree& block, const any_array& whole, std::size_t row, std::size_t rows);
    /// The same of a block of objects.
    [[nodiscard]] tree item_of(const tree& block, std::size_t row, std::size_t rows) const;
    /// The columns that the rows of a block are.
    [[nodiscard]] std::vector<std::size_t> places_of(pickled_id id);
    [[nodiscard]] pickle_name class_of(pickled_id id) const;
    [[nodiscard]] pickled_id member_of(pickled_id dictionary, std::string_view name);
    [[nodiscard]] std::span<const pickled_id> arguments_of(pickled_id call, std::size_t least) const;
    [[nodiscard]] pickled_id sequence(pickled_id id) const;
    /// The array of a column or an Index; 0 if it is none whose elements are the values.
    [[nodiscard]] pickled_id plain_values(pickled_id id) const;
    [[nodiscard]] tree values_of(pickled_id id, std::size_t depth);
    /// Adds the name of an Index, unless it is None.
    void add_name(tree& to, std::string_view member, pickled_id index, std::size_t depth);
    /// The labels of an Index as keys.
    [[nodiscard]] std::vector<std::string> labels_of(pickled_id index, std::size_t depth);

    [[nodiscard]] tree elements_of(std::span<const pickled_id> items, const std::vector<std::uint64_t>& shape,
                                   std::size_t axis, std::size_t& next, std::size_t depth);
    [[nodiscard]] tree of_bytes(pickled_id id);
    void set_text(tree& out, std::string text);
    /// Text is UTF-8, in which Python may have halves of surrogate pairs.
    void require_utf8(std::string_view text) const;
    [[nodiscard]] std::string utf8_of(pickled_id id) const;
    [[nodiscard]] std::string key_of(pickled_id id, std::size_t depth);
    /// Counts what shared values grow to.
    void count(std::uint64_t bytes);
    /// The dtype, parsed once: arrays may share a long one.
    [[nodiscard]] const dtype& type_of(pickled_id id);

    pickled_values& values_;
    const core::byte_source& from_;
    std::shared_ptr<const file> kept_;
    pickle_options options_;
    pickle_globals names_;
    std::uint64_t most_;
    std::uint64_t counted_ = 0;
    std::vector<bool> is_open_;  // containers that are being converted
    std::map<pickled_id, tree> arrays_;
    std::map<std::uint64_t, dtype> types_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/pickle/detail/conversion.ipp>
#include <ndkeep/pickle/detail/pandas.ipp>
#endif
