// SPDX-License-Identifier: BSD-3-Clause
// The arrays of an npz archive as a source of a loop.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/in_place.hpp>
#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/reader.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/finding.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/zip/directory.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/detail/source/items.hpp>
#include <ndkeep/loop/detail/source/passed.hpp>
#include <ndkeep/loop/options.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/npz/core/member.hpp>
#include <ndkeep/npz/reader.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/text/unicode.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The arrays of an archive, each of which is a chunk.
template <element T, std::size_t N>
class member_source {
  public:
    using item = mapped<const T, N>;
    static constexpr std::string_view kind = "archive";

    member_source(const npz_reader& from, const over_options& options)
        : from_(&from),
          verify_(options.verify), options_{.limit = from.options().limit, .run = {.threads = options.run.threads}} {
        for (const auto& entry : from.archive().entries())
            if (entry.name.ends_with(npy_suffix) && !from.archive().is_shadowed(entry))
                members_.push_back(&entry);
    }

    [[nodiscard]] std::filesystem::path file() const { return from_->file(); }
    [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
    [[nodiscard]] std::uint64_t rows_of(std::size_t i) const {
        return checked_rows(from_->inspect(members_[i]->name), i);
    }
    [[nodiscard]] std::optional<std::uint64_t> total_rows() const { return std::nullopt; }
    [[nodiscard]] bool is_slow(std::size_t i) const noexcept { return members_[i]->method != zip_stored || verify_; }

    [[nodiscard]] fetched_item<item> fetch(std::size_t i) const {
        const zip_entry& entry = *members_[i];
        const auto& archive = from_->archive();
        return in_member(without_npy(entry.name), [&]() -> fetched_item<item> {
            member_bytes member(archive, entry, 0);
            if (member.is_stored() && !verify_) {
                const auto info = read_member_header(member.source(), member.size(), options_.limit).info;
                (void)checked_rows(info, i);
                const std::uint64_t begin = member.begin() + info.data_offset;
                if (fits_in_place<T>(info, file(), archive.address(begin))) {
                    auto bytes = archive.map(begin, info.nbytes(), map_mode::read_only);
                    bytes.advise(advice::will_need);
                    return {item(std::move(bytes), info.shape), label_of(i)};
                }
            }
            const auto read = [&](const byte_source& source, const array_info& info, const run_options& run,
                                  std::uint32_t& crc) {
                (void)checked_rows(info, i);
                return read_into_memory<T, N>(source, info, run, &crc);
            };
            return {read_member(archive, entry, options_, read), label_of(i)};
        });
    }

    void start(const item_place& at) {
        passed_.clear();
        for (std::size_t i = 0; i < at.index; ++i)
            passed_.pass(i, label_of(i), 0, 0);
    }
    void pass(std::size_t i, const item_label& label, std::uint64_t first_row, std::uint64_t rows) {
        passed_.pass(i, label, first_row, rows);
    }
    [[nodiscard]] json identity() const { return passed_.said(kind); }
    [[nodiscard]] std::optional<item_place> resume(const object_reader& said, std::uint64_t rows) {
        passed_.read(said, rows, file());
        return passed_.resume(file(), {.size = members_.size(),
                                       .label = [this](std::size_t i, std::uint64_t) { return label_of(i); },
                                       .rows = [this](std::size_t i) { return rows_of(i); },
                                       .old_label = [this](std::size_t i) { return text_of(i); },
                                       .error =
                                           [this](std::size_t i, std::string expected, std::string found) {
                                               return another_source(file(),
                                                                     member_field(without_npy(members_[i]->name)),
                                                                     std::move(expected), std::move(found),
                                                                     "names, sizes and checksums are compared");
                                           }});
    }
    [[nodiscard]] std::function<void()> durable() const { return nullptr; }

  private:
    [[nodiscard]] std::uint64_t checked_rows(const array_info& info, std::size_t i) const {
        const std::uint64_t rows = rows_of_item(info, file(), member_field(without_npy(members_[i]->name)));
        check_rank<N>(info.shape, file(), "over");
        return rows;
    }
    [[nodiscard]] std::string text_of(std::size_t i) const {
        return members_[i]->name + ' ' + std::to_string(members_[i]->size) + ' ' + hex_text(members_[i]->crc32);
    }
    [[nodiscard]] item_label label_of(std::size_t i) const { return label_of_text(text_of(i)); }

    const npz_reader* from_;
    bool verify_;
    load_options options_;
    std::vector<const zip_entry*> members_;
    passed_items passed_;
};

}  // namespace ndkeep::detail
