// SPDX-License-Identifier: BSD-3-Clause
// Reading an npz archive: its directory at once, its members when they are asked for.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/in_place.hpp>
#include <ndkeep/array/reader.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/finding.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/npz/core/member.hpp>
#include <ndkeep/npz/detail/metadata.hpp>
#include <ndkeep/npz/verify.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// An npz archive, opened for reading. Only the directory is read; 10,000 members cost no more than their names.
///
/// Members are found by their name with or without ".npy"; of several with the same name the last one counts, as in
/// NumPy. Whatever is loaded is checked against the archive's CRC-32. One reader may be used by several threads.
class npz_reader {
  public:
    /// @throws io_error, format_error  no file; no zip archive, or one whose directory lies
    explicit npz_reader(const std::filesystem::path& file, const load_options& options = {})
        : archive_(file, options.limit), options_(options) {}
    /// An archive in memory, which must stay there for as long as the reader and what it has mapped.
    explicit npz_reader(std::span<const std::byte> bytes, const load_options& options = {})
        : archive_(bytes, options.limit), options_(options) {}
    /// An archive in memory of its own, as `bytes` of another reader gives it. What is mapped must not outlive it.
    explicit npz_reader(std::vector<std::byte>&& bytes, const load_options& options = {})
        : kept_(std::move(bytes)), archive_(std::span<const std::byte>(kept_), options.limit), options_(options) {}

    /// The directory, and the bytes of members wherever they lie: for people who write tools.
    [[nodiscard]] const core::archive& archive() const noexcept { return archive_; }
    [[nodiscard]] const load_options& options() const noexcept { return options_; }

    /// Empty for an archive in memory.
    [[nodiscard]] const std::filesystem::path& file() const noexcept { return archive_.path(); }

    /// The members in the order of the archive, without ".npy" and without the one that holds the metadata. Members
    /// that are no arrays are among them.
    [[nodiscard]] std::vector<std::string> names() const;

    /// Every member as its headers describe it, as from `inspect_npz`.
    [[nodiscard]] std::vector<npz_member> members() const;

    [[nodiscard]] bool contains(std::string_view name) const { return archive_.find(name) != nullptr; }

    /// The header of a member, with the offset of its data counted from the member's beginning.
    /// @throws mismatch_error  no such member
    /// @throws format_error    not an array
    [[nodiscard]] array_info inspect(std::string_view name) const;

    /// An array as an `xt::xarray<T>`, or an `xt::xtensor<T, N>`; see ndkeep::load.
    /// @throws mismatch_error  no such member, another dtype or rank
    /// @throws format_error    not an array, a method of compression that is not known here, a member that lies
    /// @throws checksum_error  the bytes are not those that were put into the archive
    template <element T, std::size_t N = any_rank, order_tag Order = row_major_tag>
    [[nodiscard]] auto load(std::string_view name, Order = {}) const {
        return detail::read_member(
            archive_, at(name), options_,
            [](const core::byte_source& source, const array_info& info, const run_options& run, std::uint32_t& crc) {
                return detail::read_elements<T, N, detail::chosen<Order>::column_major>(source, info, "load", run,
                                                                                        &crc);
            });
    }

    /// An array of any dtype.
    [[nodiscard]] any_array load_any(std::string_view name) const;

    /// A stored array where it lies in the archive, without a copy and without looking at its CRC-32; see ndkeep::map.
    /// Tags, in any order: `read_only` (the default), `copy_on_write`, `row_major` (the default), `column_major`.
    /// @throws mismatch_error  as `load`; and if the member is compressed, or not aligned for T
    template <element T, std::size_t N = any_rank, map_tag... Tag>
        requires(detail::chosen<Tag...>::mode != map_mode::read_write)
    [[nodiscard]] mapped_as<T, N, Tag...> map(std::string_view name, Tag...) const {
        using tags = detail::chosen<Tag...>;
        const auto& entry = at(name);
        return core::in_member(name, [&] {
            auto [bytes, info] = detail::map_member(archive_, entry, options_.limit, dtype_of<T>(), alignof(T),
                                                    tags::mode, tags::column_major);
            detail::check_rank<N>(info.shape, file(), "map");
            return mapped_as<T, N, Tag...>(std::move(bytes), info.shape);
        });
    }

    /// The bytes of any member; of an array, with its header.
    /// @throws mismatch_error, format_error, checksum_error  as `load`
    [[nodiscard]] std::vector<std::byte> bytes(std::string_view name) const;
    [[nodiscard]] std::string text(std::string_view name) const;

    /// What was saved beside the arrays, as the member `metadata.json`: {} without one.
    /// @throws format_error  that member is no JSON object
    [[nodiscard]] json metadata() const { return detail::read_npz_metadata(archive_, options_.limit).user; }

    /// The stored sums of arrays by member name, without the CRC-32 that every member has.
    /// @throws format_error  the member `metadata.json` is no JSON object
    [[nodiscard]] std::map<std::string, checksums> sums() const {
        return detail::read_npz_metadata(archive_, options_.limit).sums;
    }

    /// Everything wrong with one member: its place, method, bytes, CRC-32, header, and the sums of `sums()`. Reads all
    /// of it.
    /// @throws mismatch_error  no such member
    [[nodiscard]] std::vector<finding> findings(std::string_view name, const run_options& run = {}) const;

  private:
    [[nodiscard]] const core::zip_entry& at(std::string_view name) const { return archive_.at(name); }

    std::vector<std::byte> kept_;
    core::archive archive_;
    load_options options_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/reader.ipp>
#endif
