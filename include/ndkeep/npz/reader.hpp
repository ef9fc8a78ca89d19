// SPDX-License-Identifier: BSD-3-Clause
// Reading an npz archive: the directory when it is opened, each member on request.
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

/// An npz archive, opened for reading. Opening reads only the directory: a member that is not used costs no more than
/// its name, also in an archive of 10,000 members.
///
/// Members are found by their name with or without ".npy". If several have the same name, the last one is used, as in
/// NumPy. Everything that is loaded is checked against the archive's CRC-32. Several threads may use one reader.
class npz_reader {
  public:
    /// Opens an archive; `options` apply to everything that is read from it.
    /// @throws io_error, format_error  no file; not a zip archive, or one with a false directory
    /// @throws mismatch_error          `.array` is not 0, also in the other constructors
    explicit npz_reader(const std::filesystem::path& file, const load_options& options = {})
        : archive_(file, options.limit), options_(checked(options)) {}
    /// Reads an archive in memory. `bytes` must outlive the reader and everything mapped from it.
    /// @throws format_error  not a zip archive, or one with a false directory
    explicit npz_reader(std::span<const std::byte> bytes, const load_options& options = {})
        : archive_(bytes, options.limit), options_(checked(options)) {}
    /// Takes over an archive in memory, as `bytes()` of another reader returns it. Nothing mapped from the reader may
    /// outlive it.
    /// @throws format_error  not a zip archive, or one with a false directory
    explicit npz_reader(std::vector<std::byte>&& bytes, const load_options& options = {})
        : kept_(std::move(bytes)), archive_(std::span<const std::byte>(kept_), options.limit),
          options_(checked(options)) {}

    /// The directory and the raw bytes of members: for authors of tools.
    [[nodiscard]] const core::archive& archive() const noexcept { return archive_; }
    /// The options that the reader was made with.
    [[nodiscard]] const load_options& options() const noexcept { return options_; }

    /// The path of the archive; empty for one in memory.
    [[nodiscard]] const std::filesystem::path& file() const noexcept { return archive_.path(); }

    /// Names of the members in the order of the archive, without ".npy". Members that are not arrays are included; the
    /// metadata member is not.
    [[nodiscard]] std::vector<std::string> names() const;

    /// Describes every member from its headers, as `inspect_npz` does.
    [[nodiscard]] std::vector<npz_member> members() const;

    /// Whether the archive has a member of this name.
    [[nodiscard]] bool contains(std::string_view name) const { return archive_.find(name) != nullptr; }

    /// Reads the header of a member. The data offset in it counts from the start of the member.
    /// @throws mismatch_error  no such member
    /// @throws format_error    not an array
    [[nodiscard]] array_info inspect(std::string_view name) const;

    /// Loads an array as an `xt::xarray<T>`, or an `xt::xtensor<T, N>`; see ndkeep::load.
    /// @throws mismatch_error  no such member, another dtype or rank
    /// @throws format_error    not an array, an unsupported compression method, or a member with false sizes
    /// @throws checksum_error  the bytes are not those that were stored
    template <element T, std::size_t N = any_rank, order_tag Order = row_major_tag>
    [[nodiscard]] auto load(std::string_view name, Order = {}) const {
        return detail::read_member(
            archive_, at(name), options_,
            [](const core::byte_source& source, const array_info& info, const run_options& run, std::uint32_t& crc) {
                return detail::read_elements<T, N, detail::chosen<Order>::order>(source, info, "load", run, &crc,
                                                                                 detail::other_time_units::cast);
            });
    }

    /// Loads an array into one of another library, `load<Eigen::MatrixXd>("name")`; see ndkeep::load.
    /// @throws mismatch_error, format_error, checksum_error  as above
    template <loadable_array A>
    [[nodiscard]] A load(std::string_view name) const {
        return detail::read_member(
            archive_, at(name), options_,
            [](const core::byte_source& source, const array_info& info, const run_options& run, std::uint32_t& crc) {
                return detail::read_array<A>(source, info, "load", run, &crc);
            });
    }

    /// Loads an array of any dtype. The elements keep the byte order of the member.
    /// @throws mismatch_error, format_error, checksum_error  as `load`
    [[nodiscard]] any_array load_any(std::string_view name) const;

    /// Maps an array that is stored without compression; see ndkeep::map. Its CRC-32 is not checked.
    ///
    /// Tags, in any order: `read_only` (the default), `copy_on_write`, `row_major` (the default), `column_major`.
    /// @throws mismatch_error  as `load`; and if the member is compressed, or not aligned for T
    /// @throws format_error    as `load`
    template <element T, std::size_t N = any_rank, map_tag... Tag>
        requires(detail::chosen<Tag...>::mode != map_mode::read_write)
    [[nodiscard]] mapped_as<T, N, Tag...> map(std::string_view name, Tag...) const {
        using tags = detail::chosen<Tag...>;
        const auto& entry = at(name);
        return core::in_member(name, [&] {
            auto [bytes, info] =
                detail::map_member(archive_, entry, options_.limit, dtype_of<T>(), alignof(T), tags::mode, tags::order);
            detail::check_rank<N>(info.shape, file(), "map");
            return mapped_as<T, N, Tag...>(std::move(bytes), info.shape);
        });
    }

    /// Reads the bytes of any member. Those of an array include its header.
    /// @throws mismatch_error, format_error, checksum_error  as `load`
    [[nodiscard]] std::vector<std::byte> bytes(std::string_view name) const;
    /// Reads the bytes of any member as text.
    /// @throws mismatch_error, format_error, checksum_error  as `load`
    [[nodiscard]] std::string text(std::string_view name) const;

    /// Returns the metadata, stored in the member `metadata.json`; {} if it is absent.
    /// @throws format_error  that member is not a JSON object
    [[nodiscard]] json metadata() const { return detail::read_npz_metadata(archive_, options_.limit).user; }

    /// Returns the stored sums of arrays by member name. The CRC-32 that every member has is not included.
    /// @throws format_error  the member `metadata.json` is not a JSON object
    [[nodiscard]] std::map<std::string, checksums> sums() const {
        return detail::read_npz_metadata(archive_, options_.limit).sums;
    }

    /// Returns every problem found in one member: its place, method, bytes, CRC-32, header, and the sums of `sums()`.
    /// Reads the complete member.
    /// @throws mismatch_error  no such member
    [[nodiscard]] std::vector<finding> findings(std::string_view name, const run_options& run = {}) const;

  private:
    [[nodiscard]] const load_options& checked(const load_options& options) const {
        core::check_first_array(options, archive_.path());
        return options;
    }
    [[nodiscard]] const core::zip_entry& at(std::string_view name) const { return archive_.at(name); }

    // Declared first, because `archive_` refers to it.
    std::vector<std::byte> kept_;
    core::archive archive_;
    load_options options_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/npz/detail/reader.ipp>
#endif
