// SPDX-License-Identifier: BSD-3-Clause
// A database: several npy files of one directory that change together, or not at all.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/extents.hpp>
#include <ndkeep/array/in_place.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/database/array.hpp>
#include <ndkeep/database/detail/access.hpp>
#include <ndkeep/database/detail/session.hpp>
#include <ndkeep/database/options.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/text/json/parser.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// The return type of `database::open` and `create` with this order.
template <class T, std::size_t N, order_tag Order = row_major_tag>
using database_array_as = database_array<T, N, detail::chosen<Order>::layout>;

/// A state of a transaction, to return to with `database::abort`. It keeps a copy of the pages that were changed. A
/// commit and an abort of everything end it.
class database_savepoint {
  public:
    /// For `database`.
    explicit database_savepoint(std::shared_ptr<const detail::saved_transaction> state) : state_(std::move(state)) {}

  private:
    friend class database;
    std::shared_ptr<const detail::saved_transaction> state_;
};

/// A directory of npy files, open for transactions. Every `NAME.npy` in it is an array of the database, also one that
/// NumPy has put there.
///
/// Arrays, shapes, metadata, `create` and `remove` change together with `commit`, or go back with `abort`. After a kill
/// or a power cut, all files are in the state of one commit: the last one that returned, or one that was under way. The
/// files are plain npy files; while a commit is being applied, another program may see a part of it.
///
/// One object at a time may write, see `.wait` and `.optimistic`. Any number of `database_snapshot` may read meanwhile.
/// The type is move-only. The destructor drops changes that are not committed. In a forked child it is refused.
class database {
  public:
    /// Opens a directory, and creates it if absent. Completes what a killed writer has committed.
    /// @throws io_error        it cannot be opened for writing
    /// @throws conflict_error  another writer has it: the error says who, and since when; or an array was replaced by
    ///                         another program after a commit that was not applied, see `.adopt`
    /// @throws format_error    the log is damaged, and commits are lost: see `recover_database`
    explicit database(const std::filesystem::path& directory, const database_options& options = {})
        : session_(std::make_shared<detail::database_session>(directory, options)) {}
    database(database&&) noexcept = default;
    database& operator=(database&& other) noexcept {
        if (this != &other) {
            leave();
            session_ = std::move(other.session_);
        }
        return *this;
    }
    ~database() { leave(); }

    /// Creates an array of zeros. Its file appears with the commit.
    /// @param name  the file is `name.npy`; no slash, no dot at the begin
    /// @throws io_error  an array has the name
    template <element T, std::size_t N, order_tag Order = row_major_tag>
    [[nodiscard]] database_array_as<T, N, Order> create(const std::string& name, const length (&shape)[N], Order = {}) {
        return create_as<T, N, Order>(name, extents<N>(shape).values());
    }
    /// The same with a shape from a range of integers: `a.shape()`, a vector. N is the rank, if given.
    template <element T, std::size_t N = any_rank, integer_range Shape, order_tag Order = row_major_tag>
    [[nodiscard]] database_array_as<T, N, Order> create(const std::string& name, const Shape& shape, Order = {}) {
        return create_as<T, N, Order>(name, extents<N>(shape).values());
    }

    /// Opens an array. Every call for one name gives a container of the same memory.
    /// @throws io_error        no such array
    /// @throws format_error    not an npy file, or cut short
    /// @throws mismatch_error  another dtype, byte order, struct layout, order or rank
    template <element T, std::size_t N = any_rank, order_tag Order = row_major_tag>
    [[nodiscard]] database_array_as<T, N, Order> open(const std::string& name, Order = {}) {
        auto stored = session_->open(name);
        detail::check_in_place(stored->info(), stored->path(), dtype_of<T>(), detail::chosen<Order>::order);
        detail::check_rank<N>(stored->info().shape, stored->path(), "open");
        check_alignment(*stored, alignof(T));
        return {session_, std::move(stored)};
    }

    /// Removes an array with its sidecar, at the commit. Containers of it keep their elements.
    /// @throws io_error  no such array
    void remove(const std::string& name) { session_->remove(name); }

    /// The names of all arrays, sorted: those of the transaction.
    [[nodiscard]] std::vector<std::string> names() const {
        const auto all = session_->names();
        return {all.begin(), all.end()};
    }
    /// Whether the transaction has an array of this name.
    [[nodiscard]] bool contains(const std::string& name) const { return session_->names().contains(name); }

    /// The metadata of an array, to be read and changed: a JSON object, in the sidecar after the commit. The reference
    /// is valid while the array exists.
    /// @throws io_error  no such array
    [[nodiscard]] json& metadata(const std::string& name) { return session_->metadata(name); }

    /// Makes all changes durable and visible, or none. Returns the number of the commit; of the last one, if nothing
    /// has changed. Checksums and statistics in the sidecars of changed arrays are dropped, metadata is kept.
    /// @throws io_error        the disk is full: nothing is committed, all changes are still in memory, and `commit`
    /// may
    ///                         be called again. A sync failed: the database is closed, and the commit is made or not
    /// @throws conflict_error  another program has changed a file; with `.optimistic`, another writer has changed the
    ///                         same rows: abort, and try again
    std::uint64_t commit() { return session_->commit(); }

    /// Takes all changes since the last commit back, in every container. No pointer changes. Arrays that were created
    /// since are gone.
    void abort() { session_->abort(); }

    /// Moves changes from memory to a temporary file if they exceed `.spill` bytes, so that one transaction can change
    /// more than the memory holds. Call it from time to time in a long transaction. `savepoint` and `append` do.
    /// @throws io_error        the disk is full; nothing has changed
    /// @throws mismatch_error  without `.spill`, the changes need more than three quarters of the memory that this
    /// process
    ///                         may use
    void spill() { session_->spill(); }

    /// Notes the state of the transaction.
    [[nodiscard]] database_savepoint savepoint() { return database_savepoint(session_->save()); }
    /// Goes back to a savepoint. Savepoints that were made after it end.
    /// @throws conflict_error  the savepoint has ended
    void abort(const database_savepoint& mark) { session_->abort(*mark.state_); }

    /// The number of the last commit that this object has seen; 0 if none.
    [[nodiscard]] std::uint64_t last_commit() const { return session_->last_commit(); }
    /// The directory.
    [[nodiscard]] const std::filesystem::path& path() const { return session_->path(); }

    /// Drops changes that are not committed, syncs the files, and removes the log if no reader needs it.
    /// @throws io_error  the files cannot be written; all commits are in the log, and the next opening applies them
    void close() { session_->close(); }

  private:
    friend struct detail::database_access;

    template <element T, std::size_t N, order_tag Order>
    [[nodiscard]] database_array_as<T, N, Order> create_as(const std::string& name, std::vector<std::size_t> shape) {
        const array_info info{.type = dtype_of<T>(),
                              .shape = std::move(shape),
                              .column_major = detail::chosen<Order>::order == order::column_major};
        return {session_, session_->create(name, info)};
    }

    static void check_alignment(const detail::stored_array& stored, std::size_t alignment);

    // Containers keep the session, but must not keep other writers out.
    void leave() noexcept {
        if (session_ != nullptr)
            session_->leave();
    }

    std::shared_ptr<detail::database_session> session_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/database/detail/database.ipp>
#endif
