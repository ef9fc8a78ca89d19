// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: a commit record with the states of a loop, one table and one chunk of a chunked array, in memory.
//
// The three parts of the input are separated by lines of "====". The target adds the checksums, which a fuzzer cannot
// find: it seals the record, which the input leaves open at its end, and replaces %table% and %chunk% in it.
#include "fuzz/fuzz.hpp"

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/chunks/core/version.hpp>
#include <ndkeep/chunks/detail/session.hpp>
#include <ndkeep/chunks/memory_place.hpp>
#include <ndkeep/chunks/reader.hpp>
#include <ndkeep/chunks/save.hpp>
#include <ndkeep/chunks/verify.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/loop/detail/sink.hpp>
#include <ndkeep/loop/detail/state/codec.hpp>
#include <ndkeep/store/log.hpp>
#include <ndkeep/store/record/record.hpp>
#include <ndkeep/text/json/print.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace {

using fuzz::demand;
using fuzz::succeeds;
namespace nk = ndkeep;

constexpr std::string_view table_name = "7ab1e.npy", chunk_name = "c0de.npy";

// Zeros need no file, so a short record may have any number of bytes.
constexpr std::uint64_t most_bytes = 1 << 20;

[[nodiscard]] std::string sum_of(std::span<const std::byte> bytes) { return nk::detail::hex_text(nk::crc32c(bytes)); }

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
}

void put(nk::place& where, const std::string& name, std::string_view content) {
    const auto bytes = fuzz::bytes_of(content);
    demand(where.put(name, {&bytes, 1}, nk::durability::when_convenient));
}

/// The rows in the file of a chunk; all of it if it has no header.
[[nodiscard]] std::string_view rows_in(std::string_view chunk) {
    try {
        const auto info = nk::parse_header(fuzz::bytes_of(chunk), "fuzz.npy");
        return chunk.substr(static_cast<std::size_t>(info.data_offset));
    } catch (const nk::error&) {
        return chunk;
    }
}

/// The record of this state must read back as the same state.
void check_record(nk::detail::commit_log& log, const nk::detail::chunk_state& state) {
    const auto text = nk::detail::record_text(state);
    nk::memory_place second;
    put(second, "commits/" + nk::detail::record_name(state.number), text);
    for (const auto& item : state.items)
        if (item.table != nullptr && !second.size("chunks/" + item.table->file)) {
            const auto table = log.where().get("chunks/" + item.table->file, most_bytes);
            put(second, "chunks/" + item.table->file, nk::detail::as_text(table.value()));
        }
    nk::detail::commit_log again(second);
    const auto same = again.read(state.number);
    demand(same.has_value() && nk::detail::record_text(*same) == text && same->entries() == state.entries());
}

/// The rows, if they are few and complete.
[[nodiscard]] std::optional<nk::any_array> rows_of(const std::shared_ptr<nk::place>& where) {
    std::optional<nk::any_array> rows;
    if (succeeds([&] { rows.emplace(nk::load_chunked_any(where, {.max_bytes = most_bytes, .run = {.threads = 1}})); }))
        return rows;
    return std::nullopt;
}

void check_same(const std::optional<nk::any_array>& rows, const std::shared_ptr<nk::place>& where) {
    const auto again = rows_of(where);
    demand(again && again->shape() == rows->shape() && std::ranges::equal(again->bytes(), rows->bytes()));
}

constexpr nk::commit_rules quick{.sync = false, .keep = nk::everything};

/// The states that a loop keeps in the record are read, committed, and read again.
void check_loop(const std::shared_ptr<nk::place>& where) {
    nk::detail::chunk_session session(where, {.commit = quick, .run = {.threads = 1}});
    nk::detail::sink_memory memory(session, "fuzz", std::nullopt);
    const auto snapshot = memory.newest();
    if (snapshot == nullptr)
        return;
    for (const auto& form : snapshot->forms()) {
        (void)succeeds([&] { (void)snapshot->reader().get<double>(form.first); });
        (void)succeeds([&] { (void)snapshot->reader().get<std::vector<double>>(form.first); });
    }
    demand(memory.commit({.forms = snapshot->forms()}, snapshot->position()));
    const auto again = memory.newest();
    const auto text = [](const auto& of) { return nk::detail::json_text(nk::json(of.forms())); };
    demand(text(*again) == text(*snapshot));
    demand(again->generation() == snapshot->generation() + 1);
}

void check_dataset(const std::shared_ptr<nk::place>& where) {
    nk::detail::commit_log log(*where);
    std::optional<nk::detail::chunk_state> state;
    if (!succeeds([&] { state = log.read(1); }))
        return;
    demand(state.has_value());
    check_record(log, *state);

    const nk::core::chunk_version version(where, {.run = {.threads = 1}});
    const auto [first, last] = version.find(0.0, 100.0);
    demand(first <= last && last <= state->rows);

    const auto rows = rows_of(where);
    const std::uint64_t bytes = state->rows * state->row_bytes();  // a record with more than 63 bits is refused
    if (rows)
        demand(rows->bytes().size() == bytes);
    if (bytes <= most_bytes) {
        std::vector<nk::finding> findings;
        demand(succeeds([&] { findings = nk::findings_chunked(where, {.run = {.threads = 1}}); }));
        demand(rows || !findings.empty());
    }

    (void)succeeds([&] { check_loop(where); });

    // The next commits, by a writer that keeps what it found.
    if (succeeds([&] { nk::describe_chunked(where, {.meta = {{"a", 1}}, .commit = quick}); })) {
        const auto info = nk::inspect_chunked(where);
        demand(info.commit >= 2 && info.type == state->type && info.chunks == state->entries());
        if (rows)
            check_same(rows, where);
    }
    if (rows && succeeds([&] { nk::compact_chunked(where, {.rows_per_chunk = 1000, .commit = quick}); }))
        check_same(rows, where);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto rest = fuzz::text_of(data, size);
    std::string record(fuzz::take_part(rest));
    const auto table = fuzz::take_part(rest), chunk = rest;
    replace_all(record, "%table%", sum_of(fuzz::bytes_of(table)));
    replace_all(record, "%chunk%", sum_of(fuzz::bytes_of(rows_in(chunk))));
    record += ",\"crc32c\":\"" + sum_of(fuzz::bytes_of(record)) + "\"}";

    const auto where = std::make_shared<nk::memory_place>();
    put(*where, "commits/" + nk::detail::record_name(1), record);
    put(*where, "chunks/" + std::string(table_name), table);
    put(*where, "chunks/" + std::string(chunk_name), chunk);
    (void)succeeds([&] { check_dataset(where); });
    return 0;
}
