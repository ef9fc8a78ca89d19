// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/loop/detail/npy_output.hpp>.
//
// The order of a commit. A kill at any step leaves rows, position and states of one commit, at the latest when the next
// pass begins.
//
// 1. Write the rows behind the data of the npy file. No header counts them yet, so readers ignore them.
// 2. Replace the checkpoint by one that has the position, the states, and the new number of rows: the commit point.
// 3. Append the rows to the npy file, by the steps of npy/detail/append.ipp. The bytes are there already.
//
// After a kill between 2 and 3, the file has the rows of the commit before until the next pass begins, which runs step
// 3 with the bytes of step 1. After a kill between 1 and 2 the rows do not count, and the next rows overwrite them.
#pragma once

#include <ndkeep/loop/detail/npy_output.hpp>

#include <ndkeep/array/any.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/npy/append.hpp>
#include <ndkeep/npy/detail/grow.hpp>
#include <ndkeep/npy/detail/inspect.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/npy/save.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/writer_lock.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/text/json/print.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::uint64_t npy_output::row_bytes() const { return type_->size() * product(row_shape_); }

NDKEEP_INLINE std::optional<std::uint64_t> npy_output::rows_in_file() {
    if (!identity_of(resolved(file_)))
        return std::nullopt;
    const auto array = open_array(file_, {});
    const auto& shape = array.info.shape;
    if (shape.empty() || (array.info.column_major && shape.size() > 1))
        throw mismatched(file_, "output of the loop", "rows in row-major order",
                         shape.empty() ? "a scalar" : "an array in column-major order");
    check_no_second_array(array);
    type_ = array.info.type;
    row_shape_.assign(shape.begin() + 1, shape.end());
    return shape[0];
}

NDKEEP_INLINE void npy_output::restore(const json* committed, const std::filesystem::path& checkpoint) {
    discard();
    type_.reset();
    row_shape_.clear();
    rows_ = 0;
    if (committed != nullptr) {
        const object_reader said(*committed, "output", checkpoint);
        rows_ = said.count("rows");
        if (const auto& name = said.text("file"); name != name_text(file_.filename().string()))
            throw mismatched(checkpoint, "output of the loop", ndkeep::quoted(name),
                             ndkeep::quoted(name_text(file_.filename().string())));
    }
    const auto found = rows_in_file();
    const std::uint64_t rows = found.value_or(0);
    if (rows > rows_)
        throw mismatched(file_, "number of rows", std::to_string(rows_) + ", as this loop has committed",
                         std::to_string(rows), committed != nullptr ? "" : "a new loop needs a new file");
    if (rows == rows_)
        return;
    // A kill after the commit point: the rows lie behind the data.
    const auto array = found ? std::optional(open_array(file_, {})) : std::nullopt;
    const std::uint64_t bytes = found ? (rows_ - rows) * row_bytes() : 0;
    if (!found || array->source.size() - data_end(array->info) < bytes)
        throw mismatched(file_, "number of rows", std::to_string(rows_) + ", as this loop has committed",
                         found ? std::to_string(rows) : "no file");
    std::vector<std::byte> behind(static_cast<std::size_t>(bytes));
    array->source.read(data_end(array->info), behind);
    add(behind, rows_ - rows);
}

NDKEEP_INLINE void npy_output::add(const std::vector<std::byte>& bytes, std::uint64_t count) const {
    std::vector<std::size_t> shape{static_cast<std::size_t>(count)};
    shape.insert(shape.end(), row_shape_.begin(), row_shape_.end());
    ndkeep::append(file_, array_view(*type_, std::move(shape), bytes.data()), {.sync = sync_});
}

NDKEEP_INLINE void npy_output::append(const array_view& rows) {
    const auto& shape = rows.shape();
    if (shape.empty())
        throw mismatched(file_, "shape of the appended rows", "at least 1 dimension", shape_text(shape));
    const std::vector<std::size_t> row_shape(shape.begin() + 1, shape.end());
    if (!type_)
        (void)rows_in_file();
    if (!type_) {
        type_ = rows.type().native();
        row_shape_ = row_shape;
    }
    if (row_shape != row_shape_)
        throw mismatched(file_, "shape of a row", shape_text(row_shape_), shape_text(row_shape));
    const auto made = converted_rows(rows, *type_, order::row_major, file_);
    pending_.insert(pending_.end(), made.bytes().begin(), made.bytes().end());
    pending_rows_ += shape[0];
}

NDKEEP_INLINE void npy_output::discard() noexcept {
    pending_.clear();
    pending_rows_ = 0;
    // What the first rows of a new file have decided, the next ones decide again.
    if (rows_ == 0)
        type_.reset();
}

NDKEEP_INLINE json npy_output::next() const {
    json out = json::object();
    members_of(out)["file"] = name_text(file_.filename().string());
    members_of(out)["rows"] = rows_ + pending_rows_;
    return out;
}

NDKEEP_INLINE void npy_output::stage() {
    if (pending_rows_ == 0)
        return;
    if (rows_ == 0 && !identity_of(resolved(file_))) {
        std::vector<std::size_t> shape{0};
        shape.insert(shape.end(), row_shape_.begin(), row_shape_.end());
        save(file_, any_array(*type_, shape), {.sync = sync_});
    }
    opened_array array{ndkeep::file::open(file_, ndkeep::file::access::read_write), {}};
    const file_lock alone(array.source);
    read_array(array, {});
    if (array.info.shape.empty() || array.info.shape[0] != rows_)
        throw conflict_error({.file = file_,
                              .field = "shape",
                              .expected = std::to_string(rows_) + " rows, as this loop has committed",
                              .found = shape_text(array.info.shape)});
    check_no_second_array(array);
    array.source.write(data_end(array.info), pending_);
    if (sync_)
        array.source.sync();
}

NDKEEP_INLINE void npy_output::publish() {
    if (pending_rows_ != 0)
        add(pending_, pending_rows_);
    rows_ += pending_rows_;
    discard();
}

NDKEEP_INLINE std::shared_ptr<const loop_snapshot> npy_memory::newest() {
    auto stored = checkpoint_.newest();
    if (stored != nullptr && stored->position().output.is_null())
        throw mismatched(checkpoint_.path(), "output of the loop", "none, as in the passes before", "an npy file");
    output_.restore(stored == nullptr ? nullptr : &stored->position().output, checkpoint_.path());
    return stored;
}

NDKEEP_INLINE bool npy_memory::commit(packed_states&& states, const loop_position& at) {
    auto with = at;
    output_.stage();
    with.output = output_.next();
    (void)checkpoint_.commit(std::move(states), with);
    output_.publish();
    return true;
}

}  // namespace ndkeep::detail
