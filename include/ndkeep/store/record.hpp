// SPDX-License-Identifier: BSD-3-Clause
// A state as the text of its record, and back.
//
//     {"ndkeep": "chunks/1", "id": "…", "parent": "…", …, "rows": 120000, "chunks": [items], …,"crc32c":"9ae0daaf"}
//
// The sum is over all bytes before `,"crc32c"`, which ends the file. An item is an entry, rows of zeros, or a range of
// a table's entries.
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

inline constexpr std::uint64_t longest_record = std::uint64_t{16} << 20;

[[nodiscard]] std::string record_text(const chunk_state& state);

/// The files that states of loops lie in.
[[nodiscard]] std::vector<std::string> loop_files(const json& loops);

/// Gives tables by their file; throws whatever keeps it from that.
using table_loader = std::function<std::shared_ptr<const chunk_table>(const std::string& file, const std::string& sum,
                                                                      const chunk_state&)>;

/// Reads a record.
class record_reader {
  public:
    record_reader(std::span<const std::byte> bytes, const std::filesystem::path& file, const table_loader& tables)
        : file_(file), tables_(tables), text_(as_text(bytes)) {}

    /// @throws checksum_error  not the bytes that were written
    /// @throws format_error    not a record, of a version that is not known here, or one that lies
    [[nodiscard]] chunk_state read(std::uint64_t number);

  private:
    [[noreturn]] void refuse(std::string field, std::string expected, std::string found) const;

    void check_sum() const;

    void check_version(const object_reader& object) const;

    [[nodiscard]] std::string identity(const object_reader& object, const std::string& key) const;

    [[nodiscard]] static std::uint64_t count(const object_reader& object, const std::string& key, const json& value);

    [[nodiscard]] std::optional<statistics::number> number(const object_reader& object, const char* key,
                                                           char form) const;

    void read_items(const object_reader& object, chunk_state& state) const;

    const std::filesystem::path& file_;
    const table_loader& tables_;
    std::string_view text_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/store/record.ipp>
#endif
