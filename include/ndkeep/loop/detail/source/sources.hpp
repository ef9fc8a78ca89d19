// SPDX-License-Identifier: BSD-3-Clause
// Chunked arrays, lists of npy files and npz archives as sources of a loop.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/in_place.hpp>
#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/reader.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/chunks/reader.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/finding.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/zip/directory.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/detail/source/items.hpp>
#include <ndkeep/loop/options.hpp>
#include <ndkeep/npy/describe.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/npz/core/member.hpp>
#include <ndkeep/npz/reader.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/text/hex.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/text/unicode.hpp>
#include <ndkeep/work/progress.hpp>

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

/// One version of a chunked array. A pass can resume in a later version if no commit since has changed or removed rows.
/// Positions are rows, not chunks, because merges change chunks without changing a row.
template <element T, std::size_t N>
class chunk_source {
  public:
    using item = mapped<const T, N>;
    static constexpr std::string_view kind = "chunks";

    chunk_source(const chunk_reader<T, N>& from, const over_options& options)
        : from_(&from), verify_(options.verify && !from.version().options().verify) {}

    [[nodiscard]] std::filesystem::path file() const { return version().called(); }
    [[nodiscard]] std::size_t size() const noexcept { return from_->size(); }
    [[nodiscard]] std::uint64_t rows_of(std::size_t i) const { return version().entries()[i].rows; }
    [[nodiscard]] std::optional<std::uint64_t> total_rows() const { return from_->rows(); }
    [[nodiscard]] bool is_slow(std::size_t) const noexcept {
        return verify_ || version().options().verify || version().reads_into_memory();
    }

    [[nodiscard]] fetched_item<item> fetch(std::size_t i) const {
        const conversion convert(version().state().type, dtype_of<T>(), version().called());
        // Other byte orders and struct layouts cannot be mapped: the rows are read and converted.
        if (!convert.is_identity()) {
            auto shape = version().shape();
            shape[0] = static_cast<std::size_t>(rows_of(i));
            auto bytes = mapping::zeros(product(shape) * sizeof(T), version().called());
            version().read(version().first_row(i), version().first_row(i) + rows_of(i), convert, bytes.data());
            bytes.protect();
            return {item(std::move(bytes), shape)};
        }
        item chunk = (*from_)[i];
        if (verify_)
            version().verify(i, {reinterpret_cast<const std::byte*>(chunk.data()), chunk.size() * sizeof(T)});
        if (chunk.size() * sizeof(T) >= worth_reading_ahead)
            chunk.advise(advice::will_need);
        return {std::move(chunk)};
    }

    void start(const item_place&) {}
    void pass(std::size_t, std::string&&, std::uint64_t, std::uint64_t) {}
    [[nodiscard]] json identity() const {
        json said = json::object();
        auto& members = members_of(said);
        members["kind"] = std::string(kind);
        members["dataset"] = version().state().dataset;
        members["commit"] = version().state().number;
        members["id"] = version().state().id;
        return said;
    }

    [[nodiscard]] std::optional<item_place> resume(const object_reader& said, std::uint64_t rows) const {
        const auto& state = version().state();
        const std::uint64_t commit = said.count("commit");
        const auto refuse = [&](const char* field, std::string expected, std::string found) {
            throw another_source(file(), field, std::move(expected), std::move(found));
        };
        if (said.text("dataset") != state.dataset)
            refuse("dataset", ndkeep::quoted(said.text("dataset")), ndkeep::quoted(state.dataset));
        if (commit > state.number)
            refuse("commit", "at least " + std::to_string(commit), std::to_string(state.number));
        // The number alone does not identify a commit: after a power cut another one may have it. If the commit is
        // pruned, its id cannot be compared, and the checks below must do.
        if (const auto id = version().identity_of(commit); id && *id != said.text("id"))
            refuse("id of a commit", ndkeep::quoted(said.text("id")), ndkeep::quoted(*id));
        // Appends and merges do not count as rewriting.
        if (state.rewritten > commit)
            refuse("content of the rows", "unchanged since commit " + std::to_string(commit),
                   "rewritten in commit " + std::to_string(state.rewritten));
        if (state.rows < rows)
            refuse("number of rows", "at least " + std::to_string(rows), std::to_string(state.rows));
        return std::nullopt;
    }

    [[nodiscard]] std::function<void()> durable() const {
        return [from = from_] { from->version().make_durable(); };
    }

  private:
    [[nodiscard]] const chunk_version& version() const noexcept { return from_->version(); }

    const chunk_reader<T, N>* from_;
    bool verify_;
};

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
            throw malformed(file, "position in the source of the loop", "row " + std::to_string(rows), "another row");
        if (items > size)
            throw another_source(file, "number of items", "at least " + std::to_string(items), std::to_string(size));
        const std::size_t last = static_cast<std::size_t>(items) - 1;
        start({items, 0}, label_of);
        if (hexadecimal(hash_) != said.text("before"))
            throw another_source(file, "list of items", "unchanged in the first " + std::to_string(items), "changed",
                                 "names, sizes and order are compared");
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
                    return {item(std::move(bytes), info.shape), label()(i)};
                }
            }
            const auto read = [&](const byte_source& source, const array_info& info, const run_options& run,
                                  std::uint32_t& crc) {
                (void)checked_rows(info, i);
                return read_into_memory<T, N>(source, info, run, &crc);
            };
            return {read_member(archive, entry, options_, read), label()(i)};
        });
    }

    void start(const item_place& at) { passed_.start(at, label()); }
    void pass(std::size_t i, std::string&& label, std::uint64_t first_row, std::uint64_t rows) {
        passed_.pass(i, std::move(label), first_row, rows);
    }
    [[nodiscard]] json identity() const { return passed_.said(kind); }
    [[nodiscard]] std::optional<item_place> resume(const object_reader& said, std::uint64_t rows) {
        const auto at = passed_.resume(said, rows, file(), size(), label());
        if (!at.is_same)
            throw another_source(file(), "member", ndkeep::quoted(said.text("last")), ndkeep::quoted(label()(at.last)),
                                 "names, sizes and checksums are compared");
        return rows_of(at.last) > at.rows ? item_place{at.last, at.rows} : item_place{at.last + 1, 0};
    }
    [[nodiscard]] std::function<void()> durable() const { return nullptr; }

  private:
    [[nodiscard]] std::uint64_t checked_rows(const array_info& info, std::size_t i) const {
        const std::uint64_t rows = rows_of_item(info, file(), member_field(without_npy(members_[i]->name)));
        check_rank<N>(info.shape, file(), "over");
        return rows;
    }
    [[nodiscard]] auto label() const {
        return [this](std::size_t i) {
            return members_[i]->name + ' ' + std::to_string(members_[i]->size) + ' ' + hex_text(members_[i]->crc32);
        };
    }

    const npz_reader* from_;
    bool verify_;
    load_options options_;
    std::vector<const zip_entry*> members_;
    list_identity passed_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/loop/detail/source/sources.ipp>
#endif
