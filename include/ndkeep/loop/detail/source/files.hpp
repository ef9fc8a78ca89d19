// SPDX-License-Identifier: BSD-3-Clause
// A list of npy files as a source of a loop.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/in_place.hpp>
#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/reader.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/detail/source/items.hpp>
#include <ndkeep/loop/detail/source/passed.hpp>
#include <ndkeep/loop/options.hpp>
#include <ndkeep/npy/describe.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/text/unicode.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// npy files, each of which is a chunk.
template <element T, std::size_t N>
class file_source {
  public:
    using item = mapped<const T, N>;
    static constexpr std::string_view kind = "files";

    file_source(std::vector<std::filesystem::path> files, const over_options& options)
        : files_(std::move(files)), verify_(options.verify), threads_(options.run.threads) {}

    [[nodiscard]] std::filesystem::path file() const { return files_.empty() ? "" : files_.front(); }
    [[nodiscard]] std::size_t size() const noexcept { return files_.size(); }
    [[nodiscard]] std::uint64_t rows_of(std::size_t i) const {
        return rows_of_item(open_header(files_[i], {}).info, files_[i]);
    }
    [[nodiscard]] std::optional<std::uint64_t> total_rows() const { return std::nullopt; }
    [[nodiscard]] bool is_slow(std::size_t) const noexcept { return verify_ || *copies_; }

    [[nodiscard]] fetched_item<item> fetch(std::size_t i) const {
        if (verify_)
            ndkeep::verify(files_[i], {.run = {.threads = 1}});
        const auto opened = open_array(files_[i], {});
        const array_info& info = opened.info;
        (void)rows_of_item(info, files_[i]);
        check_rank<N>(info.shape, files_[i], "over");
        // The size is that of the open file, so that label and data agree even if another file gets the name.
        std::string label = label_of(i, opened.source);
        if (fits_in_place<T>(info, files_[i], info.data_offset)) {
            auto bytes = map_data(opened.source, info, alignof(T), map_mode::read_only, advice::will_need);
            return {item(std::move(bytes), info.shape), std::move(label)};
        }
        *copies_ = true;
        return {read_into_memory<T, N>(byte_source(opened.source), info, {.threads = threads_}), std::move(label)};
    }

    void start(const item_place& at) { passed_.start(at, label()); }
    void pass(std::size_t i, std::string&& label, std::uint64_t first_row, std::uint64_t rows) {
        passed_.pass(i, std::move(label), first_row, rows);
    }
    [[nodiscard]] json identity() const { return passed_.said(kind); }
    [[nodiscard]] std::optional<item_place> resume(const object_reader& said, std::uint64_t rows) {
        const auto at = passed_.resume(said, rows, file(), size(), label());
        const std::uint64_t there = rows_of(at.last);
        // A file to which rows were appended is resumed at its first new row. Its size differs, but its name does not.
        const bool has_grown = there > at.rows && said.text("last").starts_with(name_of(at.last) + ' ');
        if (!at.is_same && !has_grown)
            throw another_source(files_[at.last], "file", ndkeep::quoted(said.text("last")),
                                 ndkeep::quoted(label()(at.last)), "names and sizes are compared");
        return there > at.rows ? item_place{at.last, at.rows} : item_place{at.last + 1, 0};
    }
    [[nodiscard]] std::function<void()> durable() const { return nullptr; }

  private:
    /// The file name without its directory: the files may have been moved together.
    [[nodiscard]] std::string name_of(std::size_t i) const { return name_text(files_[i].filename().string()); }
    [[nodiscard]] std::string label_of(std::size_t i, const ndkeep::file& opened) const {
        return name_of(i) + ' ' + std::to_string(opened.size());
    }
    [[nodiscard]] auto label() const {
        return [this](std::size_t i) { return label_of(i, ndkeep::file::open(files_[i])); };
    }

    std::vector<std::filesystem::path> files_;
    bool verify_;
    unsigned threads_;
    // Set once a file needed copying, so that later files are fetched in a thread, which may set it too. On the heap,
    // because an atomic cannot be moved, and a source is moved before its pass begins.
    std::shared_ptr<std::atomic<bool>> copies_ = std::make_shared<std::atomic<bool>>(false);
    list_identity passed_;
};

}  // namespace ndkeep::detail
