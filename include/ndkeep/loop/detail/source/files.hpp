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

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
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
        : files_(std::move(files)), verify_(options.verify), allow_deleted_(options.allow_deleted),
          threads_(options.run.threads) {}

    /// The first file that is not deleted, for errors.
    [[nodiscard]] std::filesystem::path file() const {
        const auto found = std::find_if(files_.begin(), files_.end(), [](const auto& path) { return !path.empty(); });
        return found == files_.end() ? "" : *found;
    }
    [[nodiscard]] std::size_t size() const noexcept { return files_.size(); }
    [[nodiscard]] std::uint64_t rows_of(std::size_t i) const {
        check_present(i);
        return rows_of_item(open_header(files_[i], {}).info, files_[i]);
    }
    [[nodiscard]] std::optional<std::uint64_t> total_rows() const { return std::nullopt; }
    [[nodiscard]] bool is_slow(std::size_t) const noexcept { return verify_ || *copies_; }

    [[nodiscard]] fetched_item<item> fetch(std::size_t i) const {
        check_present(i);
        if (verify_)
            ndkeep::verify(files_[i], {.run = {.threads = 1}});
        const auto opened = open_array(files_[i], {});
        const array_info& info = opened.info;
        check_rank<N>(info.shape, files_[i], "over");
        // Of the open file, so that label and data agree even if another file gets the name.
        const item_label label = label_of_file(opened.source, info, passed_items::all_rows);
        if (fits_in_place<T>(info, files_[i], info.data_offset)) {
            auto bytes = map_data(opened.source, info, alignof(T), map_mode::read_only, advice::will_need);
            return {item(std::move(bytes), info.shape), label};
        }
        *copies_ = true;
        return {read_into_memory<T, N>(byte_source(opened.source), info, {.threads = threads_}), label};
    }

    void start(const item_place& at) {
        passed_.clear();
        for (std::size_t i = 0; i < at.index; ++i) {
            const auto opened = open_header(files_[i], {});
            passed_.pass(i, label_of_file(opened.source, opened.info, passed_items::all_rows), 0, 0);
        }
    }
    void pass(std::size_t i, const item_label& label, std::uint64_t first_row, std::uint64_t rows) {
        passed_.pass(i, label, first_row, rows);
    }
    [[nodiscard]] json identity() const { return passed_.said(kind); }
    [[nodiscard]] std::optional<item_place> resume(const object_reader& said, std::uint64_t rows) {
        passed_.read(said, rows, file());
        if (allow_deleted_)
            files_ = passed_.matched(files_, present());
        return passed_.resume(file(), present());
    }
    [[nodiscard]] std::function<void()> durable() const { return nullptr; }

  private:
    void check_present(std::size_t i) const {
        if (files_[i].empty())
            throw another_source(file(), "file " + std::to_string(i + 1), "present, because a warm-up needs it",
                                 "deleted");
    }
    [[nodiscard]] std::optional<item_label> label_of(std::size_t i, std::uint64_t rows) const {
        if (files_[i].empty())
            return std::nullopt;
        try {
            const auto opened = open_header(files_[i], {});
            return label_of_file(opened.source, opened.info, rows);
        } catch (const io_error& problem) {
            if (problem.code() != std::errc::no_such_file_or_directory)
                throw;
            if (allow_deleted_)
                return std::nullopt;
            throw another_source(files_[i], "file", "item " + std::to_string(i + 1) + " of those processed before",
                                 "absent", "if processed files are deleted, .allow_deleted resumes");
        }
    }
    [[nodiscard]] present_items present() const {
        return {.size = files_.size(),
                .can_grow = true,
                .label = [this](std::size_t i, std::uint64_t rows) { return label_of(i, rows); },
                .rows = [this](std::size_t i) { return rows_of(i); },
                .old_label =
                    [this](std::size_t i) {
                        return name_text(files_[i].filename().string()) + ' ' +
                               std::to_string(ndkeep::file::open(files_[i]).size());
                    },
                .error =
                    [this](std::size_t i, std::string expected, std::string found) {
                        return another_source(files_[i], "file", std::move(expected), std::move(found),
                                              "names, sizes, times and contents are compared");
                    }};
    }

    std::vector<std::filesystem::path> files_;
    bool verify_, allow_deleted_;
    unsigned threads_;
    // Set once a file needed copying, so that later files are fetched in a thread, which may set it too. On the heap,
    // because an atomic cannot be moved, and a source is moved before its pass begins.
    std::shared_ptr<std::atomic<bool>> copies_ = std::make_shared<std::atomic<bool>>(false);
    passed_items passed_;
};

}  // namespace ndkeep::detail
