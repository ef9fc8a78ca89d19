// SPDX-License-Identifier: BSD-3-Clause
// info: describes a file from its header and its sidecar.
#include "array_file.hpp"
#include "array_word.hpp"
#include "commands.hpp"
#include "each_file.hpp"
#include "nodes.hpp"
#include "output.hpp"
#include "pickle_values.hpp"
#include "subject.hpp"

#include <ndkeep/array/any.hpp>
#include <ndkeep/chunks/verify.hpp>
#include <ndkeep/database/snapshot.hpp>
#include <ndkeep/database/verify.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/npz/reader.hpp>
#include <ndkeep/npz/verify.hpp>
#include <ndkeep/pickle/load.hpp>
#include <ndkeep/tree/save.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

/// The facts about a file, with limits of its lists. Without them, a file of 1 kB could print 262,144 values of a tree.
struct info_page : sheet {
    std::size_t most_rows = 40;  ///< of members, fields, keys, checksums and tree values each
    std::size_t most_json_values = 10'000;

    /// Whether a row of a long list is printed: all rows, or the first and the last ones.
    [[nodiscard]] bool lists(std::size_t row, std::size_t rows) const {
        return rows <= most_rows || row < most_rows / 2 || row >= rows - most_rows / 2;
    }
    [[nodiscard]] std::size_t most_values(const context& with) const {
        return with.given.has("--json") ? most_json_values : most_rows;
    }
    /// Whether rows are left out before this one.
    [[nodiscard]] bool goes_on_at(std::size_t row, std::size_t rows) const {
        return rows > most_rows && row == rows - most_rows / 2;
    }
    /// The number of rows, and which of them are printed: "300, the first 20 and the last 20 are listed (--all lists
    /// all)".
    [[nodiscard]] std::string count_text(std::size_t rows) const {
        const auto part = std::to_string(most_rows / 2);
        return std::to_string(rows) +
               (rows <= most_rows ? ""
                                  : ", the first " + part + " and the last " + part + " are listed (--all lists all)");
    }
};

/// The statistics of an array, for one field or for all.
void add_statistics(info_page& page, const nk::statistics& said, const std::string& label) {
    const auto number = [](const nk::statistics::number& value) {
        const auto* const real = std::get_if<double>(&value);
        return real == nullptr ? nk::core::number_text(value) : brief(*real);
    };
    std::string text = nk::counted(said.count, "value");
    if (said.nan != 0)
        text += ", " + std::to_string(said.nan) + " NaN";
    if (said.min && said.max)
        text += ", from " + number(*said.min) + " to " + number(*said.max);
    if (said.mean)
        text += ", mean " + brief(*said.mean) + (said.mean_imaginary ? " + " + brief(*said.mean_imaginary) + "j" : "");
    if (said.std)
        text += ", std " + brief(*said.std);
    page.line(label, text);
    for (std::size_t i = 0; i < std::min(said.fields.size(), page.most_rows); ++i)
        add_statistics(page, said.fields[i].second, "  " + shortened(said.fields[i].first, 20));
}

void add_metadata(info_page& page, const nk::json& metadata) {
    const auto* const members = metadata.get_ptr<const nk::json::object_t*>();
    if (members == nullptr || members->empty())
        return;
    std::string lines;
    std::size_t count = 0;
    for (const auto& [key, value] : *members) {
        if (count++ == page.most_rows) {
            lines += nk::counted(members->size() - page.most_rows, "more key") + " (--all lists all)";
            break;
        }
        lines += shortened(key, 60) + ": " + shortened(nk::core::json_text(value), 100) + '\n';
    }
    page.line("metadata", lines);
}

void add_type(info_page& page, const nk::dtype& type) {
    page.json.add_text("dtype", dtype_text(type));
    page.json.add_text("name", dtype_name(type));
    page.json.add_text("descr", type.descr());
    page.json.add("itemsize", type.size());
    page.json.add_text("byte_order", byte_order_name(type));
    const auto order = byte_order_name(type);
    page.line("dtype", dtype_name(type) + "  " + shortened(type.descr(), 200));
    page.line("byte order", order == "none" ? "not applicable" : order + (type.is_native() ? "" : ", not native"));
    if (!type.is_struct())
        return;
    using enum table::side;
    table rows({{"field", left}, {"dtype", left}, {"shape", left}, {"offset", right}});
    json_list fields;
    const std::size_t count = type.fields().size();
    for (std::size_t i = 0; i < count; ++i) {
        const auto& field = type.fields()[i];
        json_object one;
        one.add_text("name", field.name);
        one.add_text("dtype", dtype_text(field.type));
        one.add_json("shape", json_shape(field.shape));
        one.add("offset", field.offset);
        fields.add_json(one.str());
        if (page.goes_on_at(i, count))
            rows.add({"..."});
        if (page.lists(i, count))
            rows.add({shown(field.name), shortened(dtype_text(field.type), 60), nk::shape_text(field.shape),
                      std::to_string(field.offset)});
    }
    page.json.add("fields", fields);
    page.line("fields",
              page.count_text(count) + (count <= page.most_rows ? " in " : "; ") + nk::counted(type.size(), "byte"));
    page.block(rows.text({}, "    "));
}

void add_shape(info_page& page, const nk::array_info& info) {
    page.json.add_json("shape", json_shape(info.shape));
    page.json.add_text("order", nk::written_column_major(info) ? "F" : "C");
    page.json.add("fortran_order", info.column_major);
    page.json.add("size", info.size());
    page.line("shape", nk::shape_text(info.shape) + "  " + nk::counted(info.size(), "element"));
    page.line("order", nk::written_column_major(info) ? "Fortran, column-major" : "C, row-major");
}

void add_bytes(info_page& page, std::uint64_t data, std::uint64_t stored) {
    page.json.add("nbytes", data);
    page.json.add("stored_nbytes", stored);
    if (stored == 0)
        page.json.add_null("ratio");
    else
        page.json.add("ratio", static_cast<double>(data) / static_cast<double>(stored));
    page.line("data", full_bytes(data));
    page.line("stored",
              full_bytes(stored) +
                  (stored == 0 ? "" : ", ratio " + brief(static_cast<double>(data) / static_cast<double>(stored), 4)));
}

/// Whether the data can be used in place, and by which call.
void add_mapping(info_page& page, const nk::array_info& info, bool is_raw, bool is_whole) {
    const bool aligned = info.nbytes() == 0 || info.data_offset % nk::core::element_alignment(info.type) == 0;
    const bool native = info.type.is_native();
    page.json.add("maps", native && aligned && is_whole);
    if (!is_whole)
        return page.line("maps", "no: the file is truncated");
    if (!native)
        return page.line("maps", "no: the byte order is not native (load converts it)");
    if (!aligned)
        return page.line("maps", "read-only, as a copy: the data is not aligned");
    const auto element = info.type.cpp_name();
    if (element.empty())
        return page.line("maps", info.type.is_struct() ? "yes, as a struct with these fields" : "yes");
    page.line("maps", std::string("yes: ") + (is_raw ? "map_raw<" : "map<") + element + ", " +
                          std::to_string(info.shape.size()) + '>' +
                          (nk::written_column_major(info) ? " with the tag column_major" : ""));
}

void add_description(info_page& page, json_object& out, const nk::description& said, bool is_believed) {
    if (!said.created.empty())
        out.add_text("created", said.created);
    json_object sums;
    std::string lines;
    for (const auto& [name, sum] : said.sums) {
        sums.add_text(name, sum);
        lines += shown(name) + ' ' + shown(sum) + '\n';
    }
    out.add("checksums", sums);
    if (said.statistics)
        out.add_json("statistics", nk::core::statistics_text(*said.statistics));
    else
        out.add_null("statistics");
    out.add_json("metadata", nk::core::json_text(said.metadata));
    if (!is_believed)
        return;
    page.line("checksums", lines.empty() ? "none" : lines);
    if (said.statistics)
        add_statistics(page, *said.statistics, "statistics");
    add_metadata(page, said.metadata);
}

void add_sidecar(info_page& page, const nk::core::opened_array& array) {
    const auto look = look_at_sidecar(array);
    json_object out;
    out.add_text("state", state_name(look.state));
    if (look.state != sidecar_state::none)
        out.add_text("file", look.path.string());
    const std::string name = shown(look.path.filename().native());
    switch (look.state) {
    case sidecar_state::none:
        page.line("sidecar", "none");
        break;
    case sidecar_state::current:
        page.line("sidecar",
                  name + ", current" + (look.said->created.empty() ? "" : ", written " + shown(look.said->created)));
        break;
    case sidecar_state::unconfirmed:
        page.line("sidecar", name + ", unconfirmed: dtype and shape match, `ndkeep verify` checks the data");
        break;
    case sidecar_state::stale:
        page.line("sidecar", name + ", stale: describes " + shortened(look.said->type, 40) + ' ' +
                                 nk::shape_text(look.said->shape) +
                                 (look.said->fits(array.info) ? " with other data" : ""));
        page.problem("the sidecar is stale: it describes another array");
        break;
    case sidecar_state::damaged:
        page.problem(look.problem);
        break;
    }
    if (look.said)
        add_description(page, out, *look.said, look.state != sidecar_state::stale);
    page.json.add("sidecar", out);
}

void tell_single(info_page& page, const subject& what, const nk::core::opened_array& array) {
    const auto& info = array.info;
    const bool is_raw = what.kind == subject_kind::raw;
    page.json.add_text("format", format_name(what.kind));
    if (is_raw) {
        page.line("format", "raw: no header, described by its sidecar");
    } else {
        const std::string version = std::to_string(info.version) + ".0";
        page.json.add_text("version", version);
        page.line("format", "npy " + version);
    }
    add_type(page, info.type);
    add_shape(page, info);
    const auto status = array.source.status();
    const auto size = static_cast<std::uint64_t>(status.st_size);
    add_bytes(page, info.nbytes(), size);
    const auto on_disk = static_cast<std::uint64_t>(status.st_blocks) * 512;
    page.json.add("disk_nbytes", on_disk);
    if (on_disk < size)
        page.line("on disk", full_bytes(on_disk) + ", the rest is sparse or compressed");
    page.json.add("header_nbytes", array.header.size());
    page.json.add("data_offset", info.data_offset);
    if (!is_raw)
        page.line("header",
                  nk::counted(array.header.size(), "byte") + ", data at byte " + std::to_string(info.data_offset));
    std::string missing;
    try {
        nk::core::check_data(array);
    } catch (const nk::format_error& problem) {
        missing = problem.what();
    }
    add_mapping(page, info, is_raw, missing.empty());
    if (const std::uint64_t end = info.data_offset + info.nbytes(); size > end) {
        page.json.add("trailing_nbytes", size - end);
        page.line("trailing", full_bytes(size - end) + " after the last element");
    }
    if (!missing.empty())
        page.problem(missing);
    add_sidecar(page, array);
}

/// How to get at the elements of a dtype that is not supported.
/// @param problem  the error about the dtype
[[nodiscard]] std::string access_text(const nk::core::header_facts& facts, std::uint64_t nbytes,
                                      const nk::error& problem) {
    if (problem.expected() == "a type without objects")
        return "numpy.load(file, allow_pickle=True) in Python, which runs code from the file";
    // One number for each element if its size is that of a number; otherwise one for each byte.
    std::uint64_t width = 1;
    std::vector<std::size_t> shape = {static_cast<std::size_t>(nbytes)};
    if (nk::core::fits(facts.shape, 1, nbytes)) {
        const std::uint64_t count = nk::checked_nbytes(nk::dtype::plain('u', 1), facts.shape);
        for (const std::uint64_t each : {1U, 2U, 4U, 8U})
            if (count != 0 && count * each == nbytes) {
                width = each;
                shape = facts.shape;
            }
    }
    std::string extents;
    for (const std::size_t extent : shape)
        extents += (extents.empty() ? "" : ", ") + std::to_string(extent);
    const bool has_tag = facts.column_major && shape.size() > 1;
    return "map_raw<std::uint" + std::to_string(8 * width) + "_t, " + std::to_string(shape.size()) + ">(file, " +
           (has_tag ? "column_major, " : "") + "{.shape = {" + extents +
           "}, .offset = " + std::to_string(facts.data_offset) + "}) has the bytes";
}

/// Describes an npy file whose dtype is not supported, as far as its header does.
/// @param problem  the error about its dtype
void tell_unsupported(info_page& page, const fs::path& path, const nk::error& problem) {
    const nk::file source = nk::file::open(path);
    std::array<std::byte, nk::longest_preamble> begin = {};
    const auto length = source.read_some(0, begin);
    const auto start = nk::parse_preamble(std::span(begin).first(length), path, source.size(), any_header);
    std::vector<std::byte> header(static_cast<std::size_t>(start.data_offset()));
    source.read(0, header);
    const auto facts = nk::core::parse_header_facts(header, path, any_header);
    const std::uint64_t nbytes = source.size() - std::min(source.size(), facts.data_offset);
    const std::string version = std::to_string(facts.version) + ".0";
    page.json.add_text("format", "npy");
    page.json.add_text("version", version);
    page.json.add_text("descr", facts.descr);
    page.json.add_json("shape", json_shape(facts.shape));
    page.json.add("fortran_order", facts.column_major);
    page.json.add("nbytes", nbytes);
    page.json.add("data_offset", facts.data_offset);
    page.line("format", "npy " + version);
    page.line("dtype", shortened(facts.descr, 200) + ", not supported");
    page.line("shape", nk::shape_text(facts.shape));
    page.line("order", facts.column_major ? "Fortran, column-major" : "C, row-major");
    page.line("data", full_bytes(nbytes) + " up to the end of the file");
    page.line("header", nk::counted(header.size(), "byte") + ", data at byte " + std::to_string(facts.data_offset));
    page.line("access", access_text(facts, nbytes, problem));
    page.problem(problem.what());
}

void tell_npy(info_page& page, const subject& what) {
    std::optional<nk::core::opened_array> array;
    try {
        array.emplace(open_single(what));
    } catch (const nk::format_error& problem) {
        if (problem.field() != "descr")
            throw;
        return tell_unsupported(page, what.path, problem);
    }
    tell_single(page, what, *array);
}

void tell_sidecar(info_page& page, const subject& what) {
    auto file = what.path;
    file.replace_extension();
    page.json.add_text("format", format_name(what.kind));
    page.json.add_text("describes", file.string());
    page.line("format", "sidecar of " + shown(file.filename().native()));
    const auto text = nk::core::sidecar_on_disk(what.path);
    const auto both = nk::parse_sidecar(text.value_or(""), what.path);
    const auto& said = both.current;
    page.json.add_text("dtype", said.type);
    page.json.add_json("shape", json_shape(said.shape));
    page.json.add_text("order", said.column_major ? "F" : "C");
    page.json.add("nbytes", said.nbytes);
    page.line("dtype", shortened(said.type, 200));
    page.line("shape", nk::shape_text(said.shape));
    page.line("order", said.column_major ? "Fortran, column-major" : "C, row-major");
    page.line("data", full_bytes(said.nbytes));
    sidecar_look look;
    if (nk::is_file(file))
        look = look_at_sidecar(open_single(subject_of(file)));
    page.json.add_text("state", state_name(look.state));
    if (look.state == sidecar_state::none)
        page.problem("the described file is missing");
    else
        page.line("state", state_name(look.state));
    json_object rest;
    add_description(page, rest, said, true);
    page.json.add("sidecar", rest);
}

void add_members(info_page& page, const std::vector<nk::npz_member>& members) {
    using enum table::side;
    table rows({{"member", left}, {"dtype", left}, {"shape", left}, {"bytes", right}, {"stored", right}, {"", left}});
    json_list list;
    for (std::size_t i = 0; i < members.size(); ++i) {
        const auto& member = members[i];
        json_object one;
        one.add_text("name", member.name);
        one.add_text("member", member.stored_name);
        if (member.array) {
            one.add_text("dtype", dtype_text(member.array->type));
            one.add_json("shape", json_shape(member.array->shape));
            one.add_text("order", nk::written_column_major(*member.array) ? "F" : "C");
        } else if (member.unsupported) {
            one.add_text("descr", member.unsupported->descr);
            one.add_json("shape", json_shape(member.unsupported->shape));
        }
        const std::uint64_t nbytes = member.array ? member.array->nbytes() : member.nbytes;
        one.add("nbytes", nbytes);
        one.add("stored_nbytes", member.compressed_nbytes);
        one.add_text("method", member.method);
        one.add("offset", member.offset);
        one.add("maps", member.mappable);
        one.add("shadowed", member.shadowed);
        if (!member.problem.empty())
            one.add_text("problem", member.problem);
        list.add_json(one.str());
        if (page.goes_on_at(i, members.size()))
            rows.add({"..."});
        if (page.lists(i, members.size()))
            rows.add({shown(member.name),
                      member.array         ? dtype_label(member.array->type)
                      : member.unsupported ? shortened(member.unsupported->descr, 40)
                                           : "-",
                      member.array         ? nk::shape_text(member.array->shape)
                      : member.unsupported ? nk::shape_text(member.unsupported->shape)
                                           : "-",
                      human_bytes(nbytes), human_bytes(member.compressed_nbytes),
                      shown(member.method) + (member.mappable ? ", maps" : "") +
                          (member.shadowed ? ", shadowed by a later member" : "")});
    }
    page.json.add("members", list);
    page.line("members", page.count_text(members.size()));
    if (!rows.empty())
        page.block(rows.text({}, "    "));
    for (const auto& member : members)
        if (!member.problem.empty())
            page.problem(member.problem);
}

[[nodiscard]] bool is_cut(const node& of) {
    return of.left_out != 0 || std::any_of(of.children.begin(), of.children.end(), is_cut);
}

/// The outline of a tree.
void add_tree(info_page& page, const node& root, const context& with) {
    json_list values;
    for (const node& each : root.children)
        values.add_json(json_of(each).str());
    page.json.add("tree", values);
    if (root.left_out != 0)
        page.json.add("tree_left_out", root.left_out);
    page.line("tree", nk::counted(root.children.size() + root.left_out, "value"));
    page.block(drawn(root, with.screen, "    "));
    if (is_cut(root))
        page.block("    (--all draws all values, as `ndkeep tree` does)\n");
}

/// Contents of an archive besides arrays: user metadata, checksums, and the outline of a tree.
void add_documents(info_page& page, const fs::path& path, const context& with) {
    const nk::npz_reader from(path);
    try {
        const auto metadata = from.metadata();
        json_object sums;
        std::string lines;
        std::size_t count = 0;
        for (const auto& [name, kinds] : from.sums()) {
            json_object one;
            for (const auto& [kind, sum] : kinds) {
                one.add_text(kind, sum);
                if (count++ < page.most_rows)
                    lines += shortened(name, 40) + ": " + shortened(kind, 40) + ' ' + shortened(sum, 40) + '\n';
            }
            sums.add(shown(name), one);
        }
        if (count > page.most_rows)
            lines += "and " + std::to_string(count - page.most_rows) + " more (--all lists all)\n";
        page.json.add("checksums", sums);
        page.json.add_json("metadata", nk::core::json_text(metadata));
        page.line("checksums", "crc32 of every member" + (lines.empty() ? "" : "\n" + lines));
        add_metadata(page, metadata);
    } catch (const nk::error& problem) {
        page.problem(problem.what());
    }
    if (from.archive().find_exact(nk::core::tree_member) == nullptr)
        return;
    try {
        add_tree(page, node_of({subject_kind::npz, path}, full_depth, true, page.most_values(with)), with);
    } catch (const nk::error& problem) {
        page.problem(problem.what());
    }
}

void tell_archive(info_page& page, const subject& what, const context& with) {
    const auto members = nk::inspect_npz(what.path);
    std::uint64_t nbytes = 0;
    for (const auto& member : members)
        nbytes += member.array ? member.array->nbytes() : member.nbytes;
    page.json.add_text("format", "npz");
    page.line("format", "npz, a zip archive");
    add_bytes(page, nbytes, nk::file::open(what.path).size());
    add_members(page, members);
    add_documents(page, what.path, with);
}

/// Describes one member of an archive.
void tell_member(info_page& page, const fs::path& path, const std::string& name) {
    const nk::core::archive from(path, {});
    const auto at = static_cast<std::size_t>(&from.at(name) - from.entries().data());
    const auto member = nk::inspect_npz(path).at(at);
    page.json.add_text("member", member.name);
    if (member.array) {
        page.json.add_text("format", "npy");
        page.line("format", "npy " + std::to_string(member.array->version) + ".0, a member of an archive");
        add_type(page, member.array->type);
        add_shape(page, *member.array);
    } else if (member.unsupported) {
        page.json.add_text("format", "npy");
        page.json.add_text("descr", member.unsupported->descr);
        page.json.add_json("shape", json_shape(member.unsupported->shape));
        page.line("format", "npy " + std::to_string(member.unsupported->version) + ".0, a member of an archive");
        page.line("dtype", shortened(member.unsupported->descr, 200) + ", not supported");
        page.line("shape", nk::shape_text(member.unsupported->shape));
    } else {
        page.json.add_null("format");
        page.line("format", "not an array, a member of an archive");
    }
    add_bytes(page, member.array ? member.array->nbytes() : member.nbytes, member.compressed_nbytes);
    page.json.add_text("method", member.method);
    page.json.add("offset", member.offset);
    page.json.add("maps", member.mappable);
    page.line("method", shown(member.method));
    page.line("maps", member.mappable ? "yes" : "no");
    if (!member.problem.empty())
        page.problem(member.problem);
}

/// Describes a pickle, or one value in it.
/// @param path  of the value; nullopt: the complete file
void tell_pickle(info_page& page, const fs::path& file, const std::optional<std::string>& path, const context& with) {
    const auto root = nk::load_pickle(file, {.run = with.run});
    const auto& value = value_at(root, file, path.value_or(""));
    const node outline = node_of_value(path.value_or("(root)"), value, page.most_values(with));
    if (path)
        page.json.add_text("member", *path);
    page.json.add_text("format", "pickle");
    page.line("format", path ? "a value in a pickle" : "pickle, read without running anything of it");
    if (value.is_array()) {
        add_type(page, value.type());
        add_shape(page, *outline.info);
    }
    if (path && (value.is_array() || outline.nbytes != 0))
        page.line("data", full_bytes(outline.nbytes));
    if (!path)
        add_bytes(page, outline.nbytes, nk::file::open(file).size());
    if (value.is_list() || value.is_dictionary())
        add_tree(page, outline, with);
    else if (!value.is_array())
        page.line("value", shortened(outline.value, 200));
    if (!outline.value.empty())
        page.json.add_json("value", outline.value);
}

void tell_chunked(info_page& page, const subject& what) {
    const auto said = nk::inspect_chunked(what.location());
    page.json.add_text("format", "chunked");
    page.line("format", "chunked array");
    add_type(page, said.type);
    const nk::array_info info{.type = said.type, .shape = said.shape};
    add_shape(page, info);
    std::uint64_t stored = 0, least = 0, most = 0;
    for (const auto& chunk : said.chunks) {
        stored += chunk.file.empty() ? 0 : chunk.offset + chunk.nbytes;
        least = least == 0 ? chunk.rows : std::min(least, chunk.rows);
        most = std::max(most, chunk.rows);
    }
    add_bytes(page, info.nbytes(), stored);
    page.json.add("commit", said.commit);
    page.json.add("commits", said.commits);
    page.line("commits", std::to_string(said.commits) + " kept, the newest is " + std::to_string(said.commit));
    page.json.add("chunks", said.chunks.size());
    page.json.add("rows_per_chunk_least", least);
    page.json.add("rows_per_chunk_most", most);
    // Chunks count as equal if only the last one differs, because it holds the remaining rows.
    const auto uneven = std::count_if(said.chunks.begin(), said.chunks.end(),
                                      [&](const nk::chunk_entry& chunk) { return chunk.rows != most; });
    const bool regular = uneven == 0 || (uneven == 1 && said.chunks.back().rows != most);
    std::string rows;
    if (!said.chunks.empty())
        rows = regular ? " of " + nk::counted(most, "row") +
                             (uneven == 0 ? "" : ", the last of " + std::to_string(said.chunks.back().rows))
                       : " of " + std::to_string(least) + " to " + nk::counted(most, "row");
    page.line("chunks", std::to_string(said.chunks.size()) + rows);
    if (said.order_by) {
        page.json.add_text("order_by", *said.order_by);
        if (!said.then_by.empty())
            page.json.add_text("then_by", said.then_by);
        page.line("ordered by", said.order_by->empty() ? "its values"
                                : said.then_by.empty() ? shown(*said.order_by)
                                                       : shown(*said.order_by) + ", then by " + shown(said.then_by));
    } else {
        page.json.add_null("order_by");
    }
    const std::string sum(said.sum == nk::checksum::none ? "none" : nk::checksum_name(said.sum));
    page.json.add_text("checksum", sum);
    page.line("checksums", said.sum == nk::checksum::none ? sum : sum + " of every chunk");
    page.json.add_json("metadata", nk::core::json_text(said.metadata));
    add_metadata(page, said.metadata);
}

/// The arrays of the last commit, as rows of a table.
void add_arrays(info_page& page, const nk::database_info& said) {
    using enum table::side;
    table rows({{"name", left}, {"dtype", left}, {"shape", left}, {"bytes", right}});
    json_list list;
    for (std::size_t i = 0; i < said.arrays.size(); ++i) {
        const auto& [name, info] = said.arrays[i];
        json_object one;
        one.add_text("name", name);
        one.add_text("dtype", dtype_text(info.type));
        one.add_json("shape", json_shape(info.shape));
        one.add("nbytes", info.nbytes());
        list.add_json(one.str());
        if (page.goes_on_at(i, said.arrays.size()))
            rows.add({"..."});
        if (page.lists(i, said.arrays.size()))
            rows.add({shown(name), dtype_label(info.type), nk::shape_text(info.shape), human_bytes(info.nbytes())});
    }
    page.json.add("arrays", list);
    page.line("arrays", page.count_text(said.arrays.size()));
    if (!rows.empty())
        page.block(rows.text({}, "    "));
}

void tell_database(info_page& page, const subject& what) {
    const auto said = nk::inspect_database(what.path);
    std::uint64_t nbytes = 0;
    for (const auto& [name, info] : said.arrays)
        nbytes += info.nbytes();
    page.json.add_text("format", "database");
    page.line("format", "database, a folder of npy files");
    add_bytes(page, nbytes, stored_bytes(what.path));
    page.json.add("commit", said.committed);
    page.json.add("applied", said.applied);
    page.line("commit", commit_text(said.committed, said.applied));
    page.json.add("log_nbytes", said.log_bytes);
    page.line("log", said.log_bytes == 0 ? "none" : full_bytes(said.log_bytes));
    if (said.writer.empty())
        page.json.add_null("writer");
    else
        page.json.add_text("writer", said.writer);
    page.line("writer", said.writer.empty() ? "none" : shown(said.writer));
    add_arrays(page, said);
    // Arrays that cannot be read are not among those of `inspect_database`.
    const nk::database_snapshot now(what.path);
    for (const auto& name : now.names())
        if (std::none_of(said.arrays.begin(), said.arrays.end(), [&](const auto& each) { return each.first == name; }))
            try {
                (void)now.inspect(name);
            } catch (const nk::error& problem) {
                page.problem(problem.what());
            }
}

[[nodiscard]] outcome info(const context& with) {
    return each_file(with, with.given.words(), [&](const fs::path& path) {
        const auto word = word_of(path.string());
        const auto what = is_database(word.file) ? subject_of(word.file) : array_subject_of(word.file);
        if (word.member && what.kind != subject_kind::npz && what.kind != subject_kind::pickle)
            throw no_archive(word.file, *word.member);
        info_page page;
        if (with.given.has("--all"))
            page.most_rows = page.most_json_values = no_limit;
        page.json.add_text("file", word.file.string());
        switch (what.kind) {
        case subject_kind::npz:
            if (word.member)
                tell_member(page, what.path, *word.member);
            else
                tell_archive(page, what, with);
            break;
        case subject_kind::pickle:
            tell_pickle(page, what.path, word.member, with);
            break;
        case subject_kind::chunked:
            tell_chunked(page, what);
            break;
        case subject_kind::database:
            tell_database(page, what);
            break;
        case subject_kind::sidecar:
            tell_sidecar(page, what);
            break;
        case subject_kind::npy:
            tell_npy(page, what);
            break;
        default:
            tell_single(page, what, open_single(what));
        }
        if (with.given.has("--json"))
            with.out << page.json_line();
        else
            with.out << styled(with.screen, "1", shown_path(path)) << '\n' << page.text();
        return page.has_problems() ? outcome::findings : outcome::fine;
    });
}

}  // namespace

command info_command() {
    return {
        .name = "info",
        .summary = "Describe files: format, dtype, shape, size, sidecar, members",
        .usage = "[OPTION]... FILE[:MEMBER]...",
        .details =
            "Accepts npy, npz, pickles, chunked arrays (also s3://BUCKET/NAME), databases, raw files with a sidecar,\n"
            "and sidecars. Reads headers only: the time does not depend on the size of the data. A pickle has none: "
            "its\n"
            "values are read, without running anything of it. `ndkeep verify` checks the data. If a writer of a\n"
            "database was killed, its last commit is completed.\n"
            "Exit status: 0 success, 1 a file is damaged, its dtype is not supported, or its\n"
            "sidecar is stale, 2 error.",
        .options = {{"--all", "", "list all members, fields, keys and values (default: at most 40 of each)"},
                    json_option},
        .example = "ndkeep info examples/data/seattle_hourly.npy\n"
                   "ndkeep info --json examples/data/flights.npz",
        .least_words = 1,
        .most_words = any_number,
        .run = info,
        .reads_input = true};
}

}  // namespace tool
