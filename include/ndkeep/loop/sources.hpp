// SPDX-License-Identifier: BSD-3-Clause
// Chunked arrays, lists of npy files and npz archives as sources of a loop.
#pragma once

#include <ndkeep/chunks/reader.hpp>
#include <ndkeep/loop/items.hpp>
#include <ndkeep/npy/describe.hpp>
#include <ndkeep/npy/map.hpp>
#include <ndkeep/npz/reader.hpp>

namespace ndkeep::detail {

/// One version of a chunked array. Another one continues it if no row that was passed over has changed.
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
    [[nodiscard]] bool is_slow(std::size_t) const noexcept { return verify_ || version().options().verify; }

    [[nodiscard]] item fetch(std::size_t i) const {
        item chunk = (*from_)[i];
        if (verify_)
            version().verify(i, {reinterpret_cast<const std::byte*>(chunk.data()), chunk.size() * sizeof(T)});
        if (chunk.size() * sizeof(T) >= worth_reading_ahead)
            chunk.advise(advice::will_need);
        return chunk;
    }

    [[nodiscard]] json identity(const item_place&, std::uint64_t) const {
        json said = json::object();
        auto& members = *said.get_ptr<json::object_t*>();
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
        if (const auto id = version().identity_of(commit); id && *id != said.text("id"))
            refuse("id of a commit", ndkeep::quoted(said.text("id")), ndkeep::quoted(*id));
        if (state.rewritten > commit)
            refuse("rows", "those of commit " + std::to_string(commit),
                   "others since commit " + std::to_string(state.rewritten));
        if (state.rows < rows)
            refuse("rows", "at least " + std::to_string(rows), std::to_string(state.rows));
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

/// What has been passed over of a list of files or members: a hash of all but the last, and what the last one was.
class list_identity {
  public:
    /// @param text  of an item that tells it apart from any other
    template <class Text>
    [[nodiscard]] json said(std::string_view kind, const item_place& at, std::uint64_t last_rows, Text&& text) {
        const std::size_t items = at.rows != 0 ? at.index + 1 : at.index;
        json out = json::object();
        auto& members = *out.get_ptr<json::object_t*>();
        members["kind"] = std::string(kind);
        members["items"] = items;
        if (items == 0)
            return out;
        members["before"] = hexadecimal(hash_before(items - 1, text));
        members["last"] = text(items - 1);
        members["last_rows"] = last_rows;
        return out;
    }

    /// Throws where other items were passed over. True where the last one is what it was.
    template <class Text>
    [[nodiscard]] bool check(const object_reader& said, const std::filesystem::path& file, std::size_t size,
                             Text&& text) {
        const std::uint64_t items = said.count("items");
        if (items > size)
            throw another_source(file, "items", "at least " + std::to_string(items), std::to_string(size));
        if (items == 0)
            return true;
        if (hexadecimal(hash_before(static_cast<std::size_t>(items) - 1, text)) != said.text("before"))
            throw another_source(file, "items", "the " + std::to_string(items) + " that were passed over",
                                 "others among them", "names, sizes and order are compared");
        return text(static_cast<std::size_t>(items) - 1) == said.text("last");
    }

  private:
    template <class Text>
    [[nodiscard]] std::uint64_t hash_before(std::size_t count, Text&& text) {
        if (count < counted_)
            counted_ = 0;
        if (counted_ == 0)
            hash_ = hash_of("");
        for (; counted_ < count; ++counted_)
            hash_ = hash_of(text(counted_) + '\n', hash_);
        return hash_;
    }

    std::size_t counted_ = 0;
    std::uint64_t hash_ = 0;
};

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
    [[nodiscard]] std::uint64_t rows_of(std::size_t i) const { return rows_in(open_header(files_[i], {}).info, i); }
    [[nodiscard]] std::optional<std::uint64_t> total_rows() const { return std::nullopt; }
    [[nodiscard]] bool is_slow(std::size_t) const noexcept { return verify_ || *copies_; }

    [[nodiscard]] item fetch(std::size_t i) const {
        if (verify_)
            ndkeep::verify(files_[i], {.run = {.threads = 1}});
        const auto opened = open_array(files_[i], {});
        const array_info& info = opened.info;
        (void)rows_in(info, i);
        check_rank<N>(info.shape, files_[i], "over");
        if (fits_in_place<T>(info, files_[i], info.data_offset))
            return {map_data(opened.source, info, alignof(T), map_mode::read_only, advice::will_need), info.shape};
        *copies_ = true;
        return read_into_memory<T, N>(byte_source(opened.source), info, {.threads = threads_});
    }

    [[nodiscard]] json identity(const item_place& at, std::uint64_t last_rows) const {
        return passed_.said(kind, at, last_rows, text());
    }
    [[nodiscard]] std::optional<item_place> resume(const object_reader& said, std::uint64_t rows) const {
        const bool is_same = passed_.check(said, file(), size(), text());
        const auto items = static_cast<std::size_t>(said.count("items"));
        if (items == 0)
            return item_place{0, 0};
        const std::uint64_t last_rows = said.count("last_rows");
        (void)rows;
        const std::uint64_t there = rows_of(items - 1);
        // One to which rows have been appended since goes on where it ended.
        if (name_of(items - 1) != said.text("last").substr(0, said.text("last").rfind(' ')) || there < last_rows ||
            (there == last_rows && !is_same))
            throw another_source(files_[items - 1], "file", ndkeep::quoted(said.text("last")),
                                 ndkeep::quoted(text()(items - 1)), "names and sizes are compared");
        return there == last_rows ? item_place{items, 0} : item_place{items - 1, last_rows};
    }
    [[nodiscard]] std::function<void()> durable() const { return nullptr; }

  private:
    /// Where the files are does not matter.
    [[nodiscard]] std::string name_of(std::size_t i) const { return files_[i].filename().string(); }
    [[nodiscard]] auto text() const {
        return
            [this](std::size_t i) { return name_of(i) + ' ' + std::to_string(ndkeep::file::open(files_[i]).size()); };
    }
    [[nodiscard]] std::uint64_t rows_in(const array_info& info, std::size_t i) const {
        if (info.shape.empty())
            throw mismatch_error(
                {.file = files_[i], .field = "shape", .expected = "at least 1 dimension", .found = "()"});
        return info.shape[0];
    }

    std::vector<std::filesystem::path> files_;
    bool verify_;
    unsigned threads_;
    // Shared, so that a source may be moved while nothing is under way.
    std::shared_ptr<std::atomic<bool>> copies_ = std::make_shared<std::atomic<bool>>(false);
    mutable list_identity passed_;
};

/// The arrays of an archive, each of which is a chunk.
template <element T, std::size_t N>
class member_source {
  public:
    using item = mapped<const T, N>;
    static constexpr std::string_view kind = "archive";

    member_source(const npz_reader& from, const over_options& options) : from_(&from), options_(options) {
        for (const auto& entry : from.archive().entries())
            if (entry.name.ends_with(npy_suffix) && !from.archive().is_shadowed(entry))
                members_.push_back(&entry);
    }

    [[nodiscard]] std::filesystem::path file() const { return from_->file(); }
    [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
    [[nodiscard]] std::uint64_t rows_of(std::size_t i) const { return rows_in(from_->inspect(members_[i]->name), i); }
    [[nodiscard]] std::optional<std::uint64_t> total_rows() const { return std::nullopt; }
    [[nodiscard]] bool is_slow(std::size_t i) const noexcept {
        return members_[i]->method != zip_stored || options_.verify;
    }

    [[nodiscard]] item fetch(std::size_t i) const {
        const zip_entry& entry = *members_[i];
        const auto& archive = from_->archive();
        return in_member(without_npy(entry.name), [&] {
            member_bytes member(archive, entry, 0);
            if (member.is_stored() && !options_.verify) {
                const auto info = read_member_header(member.source(), member.size(), from_->options().limit).info;
                check(info, i);
                const std::uint64_t begin = member.begin() + info.data_offset;
                if (fits_in_place<T>(info, file(), archive.address(begin))) {
                    auto bytes = archive.map(begin, info.nbytes(), map_mode::read_only);
                    bytes.advise(advice::will_need);
                    return item(std::move(bytes), info.shape);
                }
            }
            return read_member(
                archive, entry, {.limit = from_->options().limit, .run = {.threads = options_.run.threads}},
                [&](const byte_source& source, const array_info& info, const run_options& run, std::uint32_t& crc) {
                    check(info, i);
                    return read_into_memory<T, N>(source, info, run, &crc);
                });
        });
    }

    [[nodiscard]] json identity(const item_place& at, std::uint64_t last_rows) const {
        return passed_.said(kind, at, last_rows, text());
    }
    [[nodiscard]] std::optional<item_place> resume(const object_reader& said, std::uint64_t rows) const {
        (void)rows;
        const bool is_same = passed_.check(said, file(), size(), text());
        const auto items = static_cast<std::size_t>(said.count("items"));
        if (items == 0)
            return item_place{0, 0};
        if (!is_same)
            throw another_source(file(), "member", ndkeep::quoted(said.text("last")), ndkeep::quoted(text()(items - 1)),
                                 "names, sizes and checksums are compared");
        const std::uint64_t last_rows = said.count("last_rows");
        return last_rows == rows_of(items - 1) ? item_place{items, 0} : item_place{items - 1, last_rows};
    }
    [[nodiscard]] std::function<void()> durable() const { return nullptr; }

  private:
    void check(const array_info& info, std::size_t i) const {
        (void)rows_in(info, i);
        check_rank<N>(info.shape, file(), "over");
    }
    [[nodiscard]] std::uint64_t rows_in(const array_info& info, std::size_t i) const {
        if (info.shape.empty())
            throw mismatch_error({.file = file(),
                                  .field = member_field(without_npy(members_[i]->name)) + ": shape",
                                  .expected = "at least 1 dimension",
                                  .found = "()"});
        return info.shape[0];
    }
    [[nodiscard]] auto text() const {
        return [this](std::size_t i) {
            return members_[i]->name + ' ' + std::to_string(members_[i]->size) + ' ' + hex_text(members_[i]->crc32);
        };
    }

    const npz_reader* from_;
    over_options options_;
    std::vector<const zip_entry*> members_;
    mutable list_identity passed_;
};

}  // namespace ndkeep::detail
