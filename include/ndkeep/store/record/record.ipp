// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/store/record/record.hpp>.
#pragma once

#include <ndkeep/store/record/record.hpp>

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/dtype_parser.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/store/layout.hpp>
#include <ndkeep/store/record/table.hpp>
#include <ndkeep/text/hex.hpp>
#include <ndkeep/text/json/nonfinite.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/scanner.hpp>

#include <algorithm>
#include <map>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

inline constexpr std::string_view record_version = "chunks/1";

// Writers fold lists of more than 128 items. The limit leaves room for other writers, and bounds the cost of a record.
inline constexpr std::size_t most_items = 4096;

[[nodiscard]] NDKEEP_INLINE object_text item_text(const chunk_item& item, checksum sum) {
    object_text out;
    if (item.table != nullptr) {
        out.add("table", json_text(item.table->file));
        out.add("crc32c", json_text(item.table->sum));
        out.add("from", std::to_string(item.from));
        out.add("to", std::to_string(item.to));
        return out;
    }
    const chunk_entry& entry = item.entry;
    // Zeros have no file: growing costs no disk space, and needs no checksum to be computed.
    if (entry.file.empty()) {
        out.add("rows", std::to_string(entry.rows));
        return out;
    }
    out.add("file", json_text(entry.file));
    out.add("rows", std::to_string(entry.rows));
    out.add("nbytes", std::to_string(entry.nbytes));
    // Stored, so that no reader depends on the padding rule of the version that wrote the file.
    out.add("offset", std::to_string(entry.offset));
    if (!entry.sum.empty())
        out.add(checksum_name(sum), json_text(entry.sum));
    if (entry.min && entry.max) {
        add_exact(out, "min", *entry.min);
        add_exact(out, "max", *entry.max);
    }
    return out;
}

template <class List, class Text>
[[nodiscard]] std::string list_text(const List& list, Text&& text) {
    std::string out = "[";
    for (const auto& each : list)
        out += (out.size() == 1 ? "" : ", ") + text(each);
    return out + ']';
}

[[nodiscard]] NDKEEP_INLINE json json_of(const std::map<std::string, dataset_note>& notes) {
    json out(json::value_t::object);
    for (const auto& [name, note] : notes) {
        json files(json::value_t::array);
        for (const auto& file : note.files)
            files.get_ptr<json::array_t*>()->emplace_back(file);
        json whole = note.content;
        auto& members = members_of(whole);
        members["step"] = note.step;
        // Also if there are none: a note without the member is of version 0.1, see `files_of_first_version`.
        members["files"] = std::move(files);
        members_of(out)[name] = std::move(whole);
    }
    return out;
}

/// The files of a note without a list of them, as version 0.1 wrote it for a loop: {"states": {"file": "…"}, …}. They
/// must not be swept while the loop can be resumed.
[[nodiscard]] NDKEEP_INLINE std::vector<std::string> files_of_first_version(const json::object_t& note) {
    std::vector<std::string> files;
    for (const auto& [key, value] : note)
        if (const auto* const inner = value.get_ptr<const json::object_t*>())
            if (const auto file = inner->find("file"); file != inner->end())
                if (const auto* const text = file->second.get_ptr<const json::string_t*>())
                    files.push_back(*text);
    return files;
}

/// What orders the rows: null, a field, or a list of two fields.
[[nodiscard]] NDKEEP_INLINE std::string order_json(const chunk_state& state) {
    if (!state.order_by)
        return "null";
    if (state.then_by.empty())
        return json_text(*state.order_by);
    return list_text(std::vector<std::string>{*state.order_by, state.then_by},
                     [](const std::string& field) { return json_text(field); });
}

/// What a record needs that says that the array was removed.
inline constexpr std::string_view removal_need = "removed";
[[nodiscard]] NDKEEP_INLINE std::string json_text_of_removal() { return '[' + json_text(removal_need) + ']'; }

NDKEEP_INLINE std::string record_text(const chunk_state& state) {
    object_text out;
    const auto count = [](std::uint64_t number) { return std::to_string(number); };
    out.add("ndkeep", json_text(record_version));
    // Readers that do not know removals must not take it for an array without rows.
    if (state.is_absent())
        out.add("needs", json_text_of_removal());
    out.add("id", json_text(state.id));
    out.add("parent", json_text(state.parent));
    out.add("skips", list_text(state.skips, count));
    out.add("dataset", json_text(state.dataset));
    out.add("epoch", count(state.epoch));
    out.add("rewritten", count(state.rewritten));
    out.add("dtype", json_text(dtype_text(state.type)));
    out.add("row_shape", list_text(state.row_shape, count));
    out.add("rows", count(state.rows));
    out.add("order_by", order_json(state));
    out.add("sum", json_text(checksum_name(state.sum)));
    std::vector<object_text> items;
    for (const chunk_item& item : state.items)
        items.push_back(item_text(item, state.sum));
    out.add_list("chunks", items);
    out.add_value("loops", json_of(state.notes));
    out.add_value("metadata", state.metadata);
    out.add("created", json_text(state.created));
    out.add_nonfinite();
    std::string text = out.str();
    text.pop_back();  // the closing bracket, which follows the checksum
    const auto sum = hex_text(crc32c(bytes_of(text)));
    return text + ",\"crc32c\":\"" + sum + "\"}";
}

NDKEEP_INLINE chunk_state record_reader::read(std::uint64_t number) {
    // The checksum comes first: a damaged record must be reported as damage, which can be recovered from, and not as a
    // malformed one.
    check_sum();
    json_document document(parsed_json(text_, file_, {.values = most_document_values}));
    json& whole = document.whole;
    const object_reader object(whole, "", file_);
    // Before any other member, whose meaning depends on the version.
    const bool is_removal = check_version(object);
    restore_nonfinite(whole, file_);
    chunk_state state;
    state.number = number;
    state.id = identity(object, "id");
    state.parent = object.text("parent").empty() ? "" : identity(object, "parent");
    for (const json& skipped : object.list("skips"))
        state.skips.push_back(count(object, "skips", skipped));
    state.dataset = identity(object, "dataset");
    state.epoch = object.count("epoch");
    state.rewritten = object.count("rewritten");
    if (is_removal)
        return state;
    state.type = dtype::parse(object.text("dtype"), file_);
    for (const json& extent : object.list("row_shape"))
        state.row_shape.push_back(static_cast<std::size_t>(count(object, "row_shape", extent)));
    // Rejects an overflow of the product, which `row_bytes` does not check.
    (void)checked_nbytes(state.type, state.row_shape, file_);
    if (state.type.size() == 0)
        refuse("size of an element", "at least 1 byte", "0 bytes");
    read_order(object, state);
    const auto& sum = object.text("sum");
    if (sum != checksum_name(checksum::none) && !checksum_from_name(sum))
        refuse("sum", "a known checksum", ndkeep::quoted(sum));
    state.sum = checksum_from_name(sum).value_or(checksum::none);
    read_items(object, state);
    const auto notes = object.object("loops");
    for (const auto& [name, value] : notes.members())
        state.notes[name] = note(notes, name);
    (void)object.object("metadata");
    state.metadata = *object.find("metadata");
    state.created = object.text("created");
    return state;
}

NDKEEP_INLINE void record_reader::read_order(const object_reader& object, chunk_state& state) const {
    const json* const order = object.find("order_by");
    if (order == nullptr || order->is_null())
        return;
    if (!order->is_array()) {
        state.order_by = object.text("order_by");
        return;
    }
    if (order->size() != 2 || !(*order)[0].is_string() || !(*order)[1].is_string() ||
        (*order)[1].get_ref<const std::string&>().empty())
        refuse("order_by", "a field or two", json_text(*order));
    state.order_by = (*order)[0].get<std::string>();
    state.then_by = (*order)[1].get<std::string>();
}

NDKEEP_INLINE void record_reader::refuse(std::string field, std::string expected, std::string found) const {
    throw malformed(file_, std::move(field), std::move(expected), std::move(found));
}

NDKEEP_INLINE void record_reader::check_sum() const {
    constexpr std::string_view key = ",\"crc32c\":\"";
    constexpr std::size_t digits = 8, behind = 2;  // the closing quote and bracket
    const std::size_t tail = key.size() + digits + behind;
    const auto at = text_.size() - std::min(text_.size(), tail);
    // A record without the ending was cut short. This is damage too, as a put makes all bytes visible or none.
    if (text_.size() < tail || text_.substr(at, key.size()) != key || !text_.ends_with("\"}"))
        throw checksum_error({.file = file_,
                              .field = "crc32c",
                              .expected = "a sum at the end of the record",
                              .found = "missing",
                              .hint = "recover_chunked skips damaged records"});
    const auto stored = text_.substr(at + key.size(), digits);
    const auto found = hex_text(crc32c(bytes_of(text_.substr(0, at))));
    if (stored != found)
        throw checksum_error({.file = file_,
                              .field = "crc32c",
                              .expected = std::string(stored),
                              .found = found,
                              .hint = "recover_chunked skips damaged records"});
}

NDKEEP_INLINE bool record_reader::check_version(const object_reader& object) const {
    const auto& version = object.text("ndkeep");
    if (version != record_version)
        refuse("ndkeep", ndkeep::quoted(record_version), ndkeep::quoted(version));
    const json* const needs = object.find("needs");
    if (needs == nullptr || needs->empty())
        return false;
    if (!needs->is_array() || needs->size() != 1 || (*needs)[0] != removal_need)
        refuse("needs", "no features that this version does not know", json_text(*needs));
    return true;
}

NDKEEP_INLINE std::string record_reader::identity(const object_reader& object, const std::string& key) const {
    const auto& text = object.text(key);
    constexpr std::size_t digits = 32;
    if (text.size() != digits || !are_hex_digits(text))
        refuse(key, "128 bits in hexadecimal", ndkeep::quoted(text));
    return text;
}

NDKEEP_INLINE std::uint64_t record_reader::count(const object_reader& object, const std::string& key,
                                                 const json& value) {
    const auto* const number = value.get_ptr<const json::number_unsigned_t*>();
    if (number == nullptr)
        object.refuse(key, "a list of counts", "a list with " + ndkeep::quoted(json_text(value)));
    return *number;
}

NDKEEP_INLINE std::optional<statistics::number> record_reader::number(const object_reader& object, const char* key,
                                                                      char form) const {
    const json* const value = object.find(key);
    if (value == nullptr)
        return std::nullopt;
    if (form == 'u')
        return object.count(key);
    if (form == 'i')
        return object.integer(key);
    const auto real = json_number(*value);
    if (form != 'f' || !real)
        object.refuse(key, "a number of the kind of the keys", value);
    return *real;
}

NDKEEP_INLINE dataset_note record_reader::note(const object_reader& notes, const std::string& name) const {
    const auto members = notes.object(name);
    dataset_note out;
    if (members.find("step") != nullptr)
        out.step = members.count("step");
    if (members.find("files") == nullptr) {
        out.files = files_of_first_version(members.members());
    } else {
        for (const json& each : members.list("files")) {
            const auto* const text = each.get_ptr<const json::string_t*>();
            if (text == nullptr)
                members.refuse("files", "a list of names", &each);
            out.files.push_back(*text);
        }
    }
    // These names are opened and removed like those of chunks, so they must not lead out of the folder either.
    for (const auto& file : out.files)
        if (!is_chunk_name(file))
            refuse("file of a note", "a name of hexadecimal words", ndkeep::quoted(file));
    out.content = *notes.find(name);
    for (const char* const own : {"step", "files"})
        members_of(out.content).erase(own);
    return out;
}

NDKEEP_INLINE void record_reader::read_items(const object_reader& object, chunk_state& state) const {
    const auto& list = object.list("chunks");
    if (list.size() > most_items)
        refuse("chunks", "at most " + counted(most_items, "item"), counted(list.size(), "item"));
    const char form = number_form(key_type(state));
    // The end of the last range of each table. Ranges must ascend, so each entry is used at most once. Otherwise a
    // short record could name one long table thousands of times, and exhaust the memory of its reader.
    std::map<std::string, std::size_t> used;
    for (const json& each : list) {
        const object_reader item(each, "chunks", file_);
        if (item.find("table") != nullptr) {
            const auto& name = item.text("table");
            if (!is_chunk_name(name))
                refuse("table", "a name of hexadecimal words", ndkeep::quoted(name));
            // Dtype, order and checksum of the state are set by now; the columns of a table depend on them.
            chunk_item slice{.table = tables_(name, item.text("crc32c"), state)};
            slice.from = static_cast<std::size_t>(item.count("from"));
            slice.to = static_cast<std::size_t>(item.count("to"));
            std::size_t& end = used[name];
            if (slice.from < end || slice.from >= slice.to || slice.to > slice.table->entries.size())
                refuse("chunks", "a range of " + counted(slice.table->entries.size(), "entry"),
                       std::to_string(slice.from) + " to " + std::to_string(slice.to));
            end = slice.to;
            state.items.push_back(std::move(slice));
        } else {
            chunk_entry entry;
            entry.rows = item.count("rows");
            if (item.find("file") != nullptr) {
                entry.file = item.text("file");
                if (entry.file.empty())
                    refuse("chunk file", "a name", "an empty name");
                entry.nbytes = item.count("nbytes");
                entry.offset = item.count("offset");
                // Other writers may leave it out: then it is unknown.
                const std::string sum(checksum_name(state.sum));
                if (state.sum != checksum::none && item.find(sum) != nullptr)
                    entry.sum = item.text(sum);
                entry.min = number(item, "min", form);
                entry.max = number(item, "max", form);
                // Searches take the one as a sign that the other is present.
                if (entry.min.has_value() != entry.max.has_value())
                    refuse("min and max of a chunk", "both or neither", entry.min ? "no max" : "no min");
                // Without the bound, the product could overflow; `check_entry` rejects the entry in that case.
            } else if (entry.rows <= largest_offset / std::max<std::uint64_t>(1, state.row_bytes())) {
                entry.nbytes = entry.rows * state.row_bytes();
            }
            check_entry(entry, state, file_);
            state.items.push_back({.entry = std::move(entry)});
        }
    }
    std::uint64_t rows = 0;
    // Compared before the addition, which could overflow. The total in bytes fits a file offset then.
    const std::uint64_t most = largest_offset / std::max<std::uint64_t>(1, state.row_bytes());
    for (const auto& item : state.items) {
        const std::uint64_t more = item.rows();
        if (more > most - rows)
            refuse("rows", "at most " + std::to_string(most), "more");
        rows += more;
    }
    // Readers take the total from here and the chunks from the items, so the two must agree.
    state.rows = object.count("rows");
    if (rows != state.rows)
        refuse("rows", std::to_string(rows) + ", the sum over the chunks", std::to_string(state.rows));
}

}  // namespace ndkeep::detail
