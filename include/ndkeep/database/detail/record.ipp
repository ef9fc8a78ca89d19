// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/detail/record.hpp>.
#pragma once

#include <ndkeep/database/detail/record.hpp>

#include <ndkeep/database/detail/layout.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>

#include <algorithm>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::uint64_t commit_record::payload_size() const {
    std::uint64_t bytes = 0;
    for (const auto& array : arrays)
        for (const auto& image : array.images)
            bytes += image.last - image.first;
    return bytes;
}

NDKEEP_INLINE void put_number(std::byte* to, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i)
        to[i] = static_cast<std::byte>(value >> 8 * i & 255);
}

NDKEEP_INLINE std::uint64_t number_at(const std::byte* from, int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i)
        value |= static_cast<std::uint64_t>(from[i]) << 8 * i;
    return value;
}

/// Writes numbers and texts one after the other, little-endian.
class table_writer {
  public:
    void number(std::uint64_t value) {
        for (int shift = 0; shift < 64; shift += 8)
            bytes_.push_back(static_cast<std::byte>(value >> shift & 255));
    }
    void text(std::string_view value) {
        number(value.size());
        const auto bytes = bytes_of(value);
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    }
    [[nodiscard]] std::vector<std::byte> take() { return std::move(bytes_); }

  private:
    std::vector<std::byte> bytes_;
};

/// Reads what `table_writer` writes.
class table_reader {
  public:
    table_reader(std::span<const std::byte> bytes, const std::filesystem::path& file) : rest_(bytes), file_(file) {}

    [[nodiscard]] std::uint64_t number() {
        std::uint64_t value = 0;
        for (int i = 0; const std::byte each : taken(8))
            value |= static_cast<std::uint64_t>(each) << 8 * i++;
        return value;
    }
    /// A number of things that take at least `each` bytes, so that a false number allocates nothing.
    [[nodiscard]] std::size_t count(std::size_t each) {
        const std::uint64_t value = number();
        if (value > rest_.size() / each)
            fail("number of entries", std::to_string(value));
        return static_cast<std::size_t>(value);
    }
    [[nodiscard]] std::string text() { return std::string(as_text(taken(count(1)))); }
    [[nodiscard]] page_run run() {
        page_run read;
        read.first = number();
        read.last = number();
        if (read.first > read.last || read.last > largest_offset)
            fail("range of bytes", std::to_string(read.first) + " to " + std::to_string(read.last));
        return read;
    }
    void finish() const {
        if (!rest_.empty())
            fail("table", counted(rest_.size(), "byte") + " behind its end");
    }
    [[noreturn]] void fail(std::string field, std::string found) const {
        throw malformed(file_, std::move(field), "a commit record", std::move(found));
    }

  private:
    [[nodiscard]] std::span<const std::byte> taken(std::size_t bytes) {
        if (bytes > rest_.size())
            fail("table", "cut short");
        const auto first = rest_.first(bytes);
        rest_ = rest_.subspan(bytes);
        return first;
    }

    std::span<const std::byte> rest_;
    const std::filesystem::path& file_;
};

NDKEEP_INLINE std::vector<std::byte> table_bytes(const commit_record& record) {
    table_writer out;
    out.number(record.number);
    out.number(record.arrays.size());
    for (const auto& array : record.arrays) {
        out.text(array.name);
        out.number(array.inode);
        out.number((array.removed ? 1u : 0u) | (array.sidecar ? 2u : 0u));
        out.text(array.made_as);
        out.number(array.end);
        out.number(array.tail.first);
        out.number(array.tail.last);
        out.number(array.tail_sum);
        out.text(array.sidecar.value_or(""));
        out.number(array.images.size());
        for (const auto& image : array.images) {
            out.number(image.first);
            out.number(image.last);
        }
    }
    out.number(record.documents.size());
    for (const auto& document : record.documents) {
        out.text(document.name);
        out.text(document.text);
    }
    return out.take();
}

NDKEEP_INLINE commit_record parse_table(std::span<const std::byte> table, const std::filesystem::path& file) {
    table_reader in(table, file);
    commit_record record;
    record.number = in.number();
    record.arrays.resize(in.count(80));
    for (auto& array : record.arrays) {
        array.name = in.text();
        if (!is_array_name(array.name))
            in.fail("name of an array", ndkeep::quoted(array.name));
        array.inode = in.number();
        const std::uint64_t flags = in.number();
        array.removed = (flags & 1) != 0;
        array.made_as = in.text();
        if (!array.made_as.empty() && (!array.made_as.starts_with(created_prefix) ||
                                       array.made_as.find_first_of(std::string_view("/\0", 2)) != std::string::npos))
            in.fail("name of a new file", ndkeep::quoted(array.made_as));
        array.end = in.number();
        array.tail = in.run();
        array.tail_sum = static_cast<std::uint32_t>(in.number());
        auto sidecar = in.text();
        if ((flags & 2) != 0)
            array.sidecar = std::move(sidecar);
        array.images.resize(in.count(16));
        std::uint64_t before = 0;
        for (auto& image : array.images) {
            image = in.run();
            if (image.first < before)
                in.fail("images", "out of order");
            before = image.last;
        }
    }
    record.documents.resize(in.count(16));
    for (auto& document : record.documents) {
        document.name = in.text();
        if (!is_array_name(document.name) || !document.name.ends_with(document_ending))
            in.fail("name of a document", ndkeep::quoted(document.name));
        document.text = in.text();
    }
    in.finish();
    return record;
}

}  // namespace ndkeep::detail
