// SPDX-License-Identifier: BSD-3-Clause
// Reading a database while others write: one commit, for as long as it is held.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/in_place.hpp>
#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/database/detail/control.hpp>
#include <ndkeep/database/detail/log.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/os/directory.hpp>
#include <ndkeep/text/json/parser.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// One commit of a database, for reading. Any number of snapshots and writers work at the same time, in any process.
///
/// The arrays of a snapshot keep its bytes as long as they live, also after the snapshot itself is gone or refreshed.
/// Writers never wait for a snapshot: they keep later commits in the log until no reader needs the older bytes. So a
/// snapshot that is held for long makes the log long. A killed reader holds nothing back.
class database_snapshot {
  public:
    /// Takes the last commit. If a writer was killed, its commit is completed first.
    /// @throws io_error      no such database, or no permission to register as a reader in its folder `.ndkeep`
    /// @throws format_error  commits are lost: see `recover_database`
    explicit database_snapshot(const std::filesystem::path& directory);

    /// Takes the last commit. Arrays that are mapped already stay as they are.
    void refresh();

    /// Maps an array: `mapped<const T, N>`, as `map` does for a file.
    /// @throws io_error        the commit has no such array
    /// @throws format_error    not an npy file, or cut short
    /// @throws mismatch_error  another dtype, byte order, struct layout, order or rank
    template <element T, std::size_t N = any_rank, order_tag Order = row_major_tag>
    [[nodiscard]] mapped<const T, N, detail::chosen<Order>::layout> map(const std::string& name, Order = {}) const {
        auto found = find(name);
        detail::check_in_place(found.info, file_of(name), dtype_of<T>(), detail::chosen<Order>::order);
        detail::check_rank<N>(found.info.shape, file_of(name), "map");
        return {data_of(std::move(found), alignof(T)), found.info.shape};
    }

    /// What the header of an array says at this commit.
    /// @throws io_error  the commit has no such array
    [[nodiscard]] array_info inspect(const std::string& name) const { return find(name).info; }

    /// The metadata of an array at this commit; {} if it has none.
    /// @throws io_error  the commit has no such array
    [[nodiscard]] json metadata(const std::string& name) const;

    /// The names of all arrays, sorted.
    [[nodiscard]] std::vector<std::string> names() const;

    /// The number of the commit; 0 if nothing is committed.
    [[nodiscard]] std::uint64_t commit() const { return hold_->commit(); }

  private:
    struct found_array {
        file source;
        array_info info;
        mapping memory;  // all of the file with the commits that it does not have; empty if it has all
    };
    [[nodiscard]] std::filesystem::path file_of(const std::string& name) const;
    [[nodiscard]] found_array find(const std::string& name) const;
    [[nodiscard]] mapping data_of(found_array&& found, std::size_t alignment) const;

    directory root_, hidden_;
    std::shared_ptr<detail::control_file> control_;
    std::shared_ptr<detail::reader_hold> hold_;
    std::vector<detail::logged_commit> unapplied_;  // that the files may not have
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/database/detail/snapshot.ipp>
#endif
