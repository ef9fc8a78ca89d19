// SPDX-License-Identifier: BSD-3-Clause
// collection: many chunked arrays in one folder, each under a key; NDKEEP_KEY, which declares the struct of the keys.
#pragma once

#include <ndkeep/chunks/detail/collection/folders.hpp>
#include <ndkeep/chunks/detail/collection/key.hpp>
#include <ndkeep/chunks/detail/collection/places.hpp>
#include <ndkeep/chunks/detail/collection/store.hpp>
#include <ndkeep/chunks/detail/collection/upkeep.hpp>
#include <ndkeep/chunks/options.hpp>
#include <ndkeep/chunks/reader.hpp>
#include <ndkeep/chunks/save.hpp>
#include <ndkeep/chunks/verify.hpp>
#include <ndkeep/chunks/writer.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/fields.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/finding.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/work/progress.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// A struct that NDKEEP_KEY declares.
template <class Key>
concept collection_key = detail::has_key<Key>;

/// The order of keys, field by field: numbers by value, strings by bytes. For `std::map` and `std::sort`.
template <collection_key Key>
struct key_less {
    [[nodiscard]] bool operator()(const Key& a, const Key& b) const {
        const auto values = [](const Key& key) {
            return std::apply([](const auto&... member) { return std::tie(member.value...); },
                              ndkeep_key_of(detail::key_tag<Key>{}, key).members);
        };
        return values(a) < values(b);
    }
};

/// Chunked arrays in one folder, one for each key: the array of {"xnas", "AAPL", 2026} is the folder `xnas/AAPL/2026`.
///
/// The names of the folders are all that is stored about keys. A number is written in decimal. A string is not empty,
/// has at most 255 bytes of UTF-8, none of them a slash, backslash, dot or control character, and no blank at its end;
/// `commits` and `chunks` are no strings of keys. File systems that ignore case take `aapl` for `AAPL`: use one form.
/// Other files and folders are ignored. Symbolic links to folders are followed.
///
/// Every function is safe in several threads and processes at once. Nothing is kept open.
///
/// In a bucket, folders are prefixes of object keys. `keys` reads the newest record of each array, because a removed
/// array keeps one small record.
template <collection_key Key>
class collection {
  public:
    /// Names the folder, which need not exist: the first writer creates it, in a parent that exists.
    template <detail::path_like Path>
    explicit collection(const Path& folder)
        : store_(std::make_shared<const detail::key_folders>(folder, detail::key_form_of<Key>())) {}
    /// Names a location in a bucket, `bucket / "prices"`, or anything else with a member function `tree`.
    template <detail::tree_giver Location>
    explicit collection(const Location& where)
        : store_(std::make_shared<const detail::key_places>(where.tree(), detail::key_form_of<Key>())) {}

    /// The folder of all arrays.
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return store_->root(); }
    /// The folder of one array, which need not exist.
    /// @throws mismatch_error  a field cannot be the name of a folder
    [[nodiscard]] std::filesystem::path path(const Key& key) const { return store_->path(detail::key_texts_of(key)); }
    /// The location of one array, for functions of chunked arrays.
    /// @throws mismatch_error  a field cannot be the name of a folder
    [[nodiscard]] dataset_location location(const Key& key) const {
        return store_->location(detail::key_texts_of(key));
    }

    /// The keys that have an array with at least one commit, in the order of `key_less`. In a directory, no array is
    /// opened.
    /// @throws io_error  a folder cannot be listed
    [[nodiscard]] std::vector<Key> keys() const { return typed(store_->keys({})); }
    /// The keys that begin as `prefix`: all of its fields up to the last that is given, which means that its value is
    /// not the one in `Key{}`, usually "" or 0. To give 0 as the last one, state the number of fields.
    ///
    ///     prices.keys({.market = "xnas"})
    ///     samples.keys({.run = 0}, 1)
    /// @throws mismatch_error  a string before the last given field is empty, or cannot be the name of a folder
    /// @throws io_error        a folder cannot be listed
    [[nodiscard]] std::vector<Key> keys(const Key& prefix) const {
        return typed(store_->keys(detail::given_texts_of(prefix)));
    }
    /// The keys whose first `fields` fields are those of `prefix`.
    /// @throws mismatch_error  Key has fewer fields; or a field cannot be the name of a folder
    /// @throws io_error        a folder cannot be listed
    [[nodiscard]] std::vector<Key> keys(const Key& prefix, std::size_t fields) const {
        auto texts = detail::key_texts_of(prefix);
        if (fields > texts.size())
            throw detail::mismatched(path(), "number of fields", "at most " + std::to_string(texts.size()),
                                     std::to_string(fields));
        texts.resize(fields);
        return typed(store_->keys(texts));
    }

    /// Whether a key has an array with at least one commit.
    /// @throws mismatch_error  a field cannot be the name of a folder
    [[nodiscard]] bool contains(const Key& key) const { return store_->contains(detail::key_texts_of(key)); }

    /// Opens the array of a key for reading.
    /// @throws mismatch_error  a field cannot be the name of a folder; or as the constructor of chunk_reader
    /// @throws io_error        the key has no array
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] chunk_reader<T, N> reader(const Key& key, const chunk_reader_options& options = {}) const {
        return chunk_reader<T, N>(location(key), options);
    }

    /// Opens the array of a key for writing, or prepares a new one: in a directory, its folders are created now. Its
    /// first commit
    /// adds the key.
    /// @throws mismatch_error  a field cannot be the name of a folder; or as the constructor of chunk_writer
    /// @throws io_error        a folder cannot be created
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] chunk_writer<T, N> writer(const Key& key, const chunk_writer_options& options = {}) const {
        // Until the writer has its own lock, nobody may remove the folder.
        const auto kept = store_->kept_for_writer(detail::key_texts_of(key), durability_of(options.commit.sync));
        return chunk_writer<T, N>(location(key), options);
    }

    /// Removes the array of a key, for all at once, and the folders above it if they are empty then.
    ///
    /// Readers that have it open go on reading; their files are deleted by the next removal of a key beside it, or by
    /// `prune`. Both delete as well what a killed removal leaves. A writer must be opened by `writer`, or it can lose a
    /// commit to a removal in the same instant.
    ///
    /// In a bucket, the removal is a commit; nothing is thrown if a writer is open: it gets a `conflict_error` when it
    /// commits. Readers continue. `prune` deletes the files once the removal is as old as `s3_options::keep_for`.
    /// @returns whether the key had an array
    /// @throws conflict_error  a writer has it open; or the folder has files that belong to no chunked array. Hidden
    ///                         files are removed too
    /// @throws io_error        the folder cannot be renamed
    bool remove(const Key& key) const { return store_->remove(detail::key_texts_of(key)); }

    /// One array, as `inspect` describes it.
    struct entry {
        Key key;              ///< its key
        chunked_info info;    ///< of the newest commit
        std::string problem;  ///< why `info` cannot be read; empty if it can
    };

    /// Describes all arrays, in the order of their keys, as `inspect_chunked` does. An array that cannot be read is
    /// listed with its problem.
    /// @throws io_error  a folder cannot be listed; or the call was stopped
    [[nodiscard]] std::vector<entry> inspect(const run_options& run = {}) const {
        std::vector<entry> all;
        for (auto& each : detail::inspect_keys(*store_, run))
            all.push_back({detail::key_from<Key>(each.key), std::move(each.info), std::move(each.problem)});
        return all;
    }

    /// Lists every problem of every array, in the order of the keys, as `findings_chunked` does.
    /// @throws io_error  a folder cannot be listed; or the call was stopped
    [[nodiscard]] std::vector<finding> findings(const run_options& run = {}) const {
        return detail::findings_of_keys(*store_, run);
    }

    /// Makes the same checks as `findings`, and throws the first problem.
    /// @throws io_error, format_error, checksum_error
    void verify(const run_options& run = {}) const { detail::throw_first(findings(run)); }

    /// Merges small chunks of all arrays, as `compact_chunked` does. If some arrays cannot be compacted, the others
    /// are, and the first error is thrown at the end.
    /// @throws io_error, format_error, checksum_error, conflict_error
    void compact(const compact_options& options = {}) const { detail::compact_keys(*store_, options); }

    /// Removes old commits of all arrays, as `prune_chunked` does, and what removed arrays have left. If some arrays
    /// cannot be pruned, the others are, and the first error is thrown at the end.
    /// @returns the number of commits removed
    /// @throws mismatch_error  `.keep` is 0
    /// @throws io_error, format_error, checksum_error
    std::size_t prune(const prune_options& options = {}, const run_options& run = {}) const {
        return detail::prune_keys(*store_, options, run);
    }

  private:
    [[nodiscard]] static std::vector<Key> typed(const std::vector<detail::key_texts>& all) {
        std::vector<Key> keys;
        keys.reserve(all.size());
        for (const auto& each : all)
            keys.push_back(detail::key_from<Key>(each));
        return keys;
    }

    std::shared_ptr<const detail::key_store> store_;
};

}  // namespace ndkeep

#define NDKEEP_DETAIL_KEY_EACH(key, member, ...)                                                                       \
    ::ndkeep::detail::declared_member(#member, key.member)                                                             \
        __VA_OPT__(, NDKEEP_DETAIL_KEY_EACH_AGAIN NDKEEP_DETAIL_PARENS(key, __VA_ARGS__))
#define NDKEEP_DETAIL_KEY_EACH_AGAIN() NDKEEP_DETAIL_KEY_EACH

/// Makes a struct the key of a collection: `NDKEEP_KEY(instrument, market, symbol, year);`
///
/// Write it at namespace scope, in the namespace of the struct, which must be default-constructible. The members that
/// are listed are std::strings or integers, and are the levels of folders, the first one on top. Give them initial
/// values, `int year = 0;`: without, g++ -Wextra warns of the members that `{.market = "xnas"}` leaves out.
#define NDKEEP_KEY(type, ...)                                                                                          \
    template <class NdkeepKey>                                                                                         \
    [[nodiscard]] auto ndkeep_key_of(::ndkeep::detail::key_tag<type>, NdkeepKey& key) {                                \
        return ::ndkeep::detail::declared_members(#type,                                                               \
                                                  NDKEEP_DETAIL_EXPAND(NDKEEP_DETAIL_KEY_EACH(key, __VA_ARGS__)));     \
    }                                                                                                                  \
    static_assert(::ndkeep::collection_key<type>, "NDKEEP_KEY must stand in the namespace of the struct")
