// SPDX-License-Identifier: BSD-3-Clause
// A chunked array as a source of a loop.
#pragma once

#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/tags.hpp>
#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/chunks/reader.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/loop/detail/core.hpp>
#include <ndkeep/loop/detail/source/items.hpp>
#include <ndkeep/loop/options.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/text/unicode.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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
        return verify_ || version().options().verify || version().is_slow();
    }
    [[nodiscard]] std::size_t ahead(std::size_t i) const { return version().ahead(i); }

    [[nodiscard]] fetched_item<item> fetch(std::size_t i) const {
        const conversion convert(version().state().type, dtype_of<T>(), version().called());
        // Other byte orders and struct layouts cannot be mapped: the rows are read and converted.
        if (!convert.is_identity()) {
            auto shape = version().shape();
            shape[0] = static_cast<std::size_t>(rows_of(i));
            auto bytes = mapping::zeros(product(shape) * sizeof(T), version().called());
            // Not `version().read`, which reports progress: several chunks may be fetched at once.
            const std::uint64_t first = version().first_row(i);
            const buffer raw(product(shape) * convert.from_size());
            version().read_chunk(i, first, first + rows_of(i), raw.data());
            convert.run(bytes.data(), raw.data(), product(shape));
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
    void pass(std::size_t, const item_label&, std::uint64_t, std::uint64_t) {}
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

}  // namespace ndkeep::detail
