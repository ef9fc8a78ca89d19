// SPDX-License-Identifier: BSD-3-Clause
// Records: the text form of a state, written and read.
//
//     {"ndkeep": "chunks/1", "id": "…", "parent": "…", …, "rows": 120000, "chunks": [items], …,"crc32c":"9ae0daaf"}
//
// Notes are the member "loops", named so because loops use them: {NAME: {"step": 3, "files": ["…"], …}}. What else is
// in a note is left to its user. The checksum covers all bytes before `,"crc32c"`, which ends the file. An item is an
// entry, a number of rows of zeros, or a range of entries from a table. A record with a name in "needs" is rejected: a
// later version may mark records in this way that older readers would misread.
#pragma once

#include <ndkeep/format/header.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Bytes of a record. Longer ones are neither written nor read, so that a damaged file cannot exhaust the memory.
inline constexpr std::uint64_t longest_record = std::uint64_t{16} << 20;

/// The text of a record, with its checksum.
[[nodiscard]] std::string record_text(const chunk_state& state);

/// Returns the table in a file, never nullptr; `sum` is the checksum in the record. Its exceptions pass through `read`.
using table_loader = std::function<std::shared_ptr<const chunk_table>(const std::string& file, const std::string& sum,
                                                                      const chunk_state&)>;

/// Reads a record. `bytes`, `file` and `tables` must outlive it.
class record_reader {
  public:
    record_reader(std::span<const std::byte> bytes, const std::filesystem::path& file, const table_loader& tables)
        : file_(file), tables_(tables), text_(as_text(bytes)) {}

    /// Checks the record and returns its state.
    ///
    /// @param number  of the commit, from the name of the file
    /// @throws checksum_error  the bytes are not those that were written
    /// @throws format_error    not a record, an unknown version, or values that contradict each other or exceed a limit
    [[nodiscard]] chunk_state read(std::uint64_t number);

  private:
    [[noreturn]] void refuse(std::string field, std::string expected, std::string found) const;

    void check_sum() const;

    /// @returns whether the record says that the array was removed
    [[nodiscard]] bool check_version(const object_reader& object) const;

    /// Reads the fields that order the rows.
    void read_order(const object_reader& object, chunk_state& state) const;

    /// A member with 128 bits in hexadecimal.
    [[nodiscard]] std::string identity(const object_reader& object, const std::string& key) const;

    /// A count in the list of this key.
    [[nodiscard]] static std::uint64_t count(const object_reader& object, const std::string& key, const json& value);

    /// A smallest or largest number; nullopt if absent. For `form`, see number_form.
    [[nodiscard]] std::optional<statistics::number> number(const object_reader& object, const char* key,
                                                           char form) const;

    /// A note, by its name in "loops".
    [[nodiscard]] dataset_note note(const object_reader& notes, const std::string& name) const;

    void read_items(const object_reader& object, chunk_state& state) const;

    const std::filesystem::path& file_;
    const table_loader& tables_;
    std::string_view text_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/record/record.ipp>
#endif
