// SPDX-License-Identifier: BSD-3-Clause
#include "nodes.hpp"

#include "bucket.hpp"
#include "pickle_values.hpp"

#include <ndkeep/chunks/verify.hpp>
#include <ndkeep/database/snapshot.hpp>
#include <ndkeep/database/verify.hpp>
#include <ndkeep/npz/verify.hpp>
#include <ndkeep/pickle/load.hpp>
#include <ndkeep/tree/save.hpp>

#include <algorithm>
#include <map>
#include <memory>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

[[nodiscard]] node node_of_member(const nk::npz_member& member) {
    node out{.name = member.name, .kind = "member", .info = member.array};
    out.nbytes = member.array ? member.array->nbytes() : member.nbytes;
    out.stored_nbytes = member.compressed_nbytes;
    out.note = member.method + (member.shadowed ? ", shadowed by a later member" : "");
    out.problem = member.problem;
    out.unsupported = member.unsupported;
    return out;
}

[[nodiscard]] std::string tree_value_text(const nk::tree& value) {
    switch (value.kind()) {
    case nk::tree_kind::boolean:
        return value.get<bool>() ? "true" : "false";
    case nk::tree_kind::integer:
        return value.str();
    case nk::tree_kind::real_number:
        return nk::core::json_text(value.get<double>());
    case nk::tree_kind::string: {
        const auto text = value.get<std::string>();
        return nk::core::json_text(std::string_view(nk::core::is_utf8(text) ? text : shown(text)));
    }
    default:
        return "null";
    }
}

/// @param room  number of nodes that may still be listed
[[nodiscard]] node node_of_tree(std::string name, const nk::tree& value, std::size_t depth, std::size_t& room) {
    node out{
        .name = std::move(name),
    };
    if (value.is_array()) {
        out.kind = "array";
        out.info = nk::array_info{.type = value.type(), .shape = value.shape()};
        out.nbytes = out.info->nbytes();
    } else if (value.is_list() || value.is_dictionary()) {
        out.kind = value.is_list() ? "list" : "dictionary";
        out.note = nk::counted(value.size(), "value");
        const auto add = [&](std::string called, const nk::tree& inner) {
            const bool is_listed = depth != 0 && room != 0;
            room -= is_listed;
            auto child = node_of_tree(std::move(called), inner, is_listed ? depth - 1 : 0, room);
            out.nbytes += child.nbytes;
            if (is_listed)
                out.children.push_back(std::move(child));
            else
                out.left_out += depth != 0;
        };
        if (value.is_list())
            for (std::size_t i = 0; i < value.size(); ++i)
                add('[' + std::to_string(i) + ']', value[i]);
        else
            for (const auto& [key, inner] : value.items())
                add(key, inner);
    } else {
        out.kind = "scalar";
        out.value = tree_value_text(value);
    }
    return out;
}

/// Draws a value as the contents of its file.
void add_tree(node& out, const nk::tree& root, std::size_t depth, std::size_t most_values) {
    auto tree = node_of_tree({}, root, depth, most_values);
    if (tree.children.empty() && tree.kind != "dictionary" && tree.kind != "list") {
        tree.name = "(root)";
        out.children = {std::move(tree)};
    } else {
        out.children = std::move(tree.children);
        out.left_out = tree.left_out;
    }
}

/// The places of groups among the children of a node, by name.
struct group_places {
    std::size_t at = 0;  ///< of this group among the children of the node above
    std::map<std::string, std::unique_ptr<group_places>, std::less<>> inner = {};
};

/// Inserts a member into the group that its name contains: "region1/values" goes into "region1".
void add_by_name(node& root, group_places& groups, node member, std::size_t depth) {
    node* place = &root;
    group_places* known = &groups;
    std::string_view rest = member.name;
    // The depth is limited because groups are visited recursively, and a member name has room for thousands of levels.
    constexpr std::size_t deepest = 64;
    for (std::size_t level = 1; level < std::min(depth, deepest); ++level) {
        const std::size_t slash = rest.find('/');
        if (slash == std::string_view::npos || slash == 0 || slash + 1 == rest.size())
            break;
        const auto group = rest.substr(0, slash);
        auto at = known->inner.find(group);
        if (at == known->inner.end()) {
            at = known->inner.emplace(group, std::make_unique<group_places>()).first;
            at->second->at = place->children.size();
            place->children.push_back({.name = std::string(group), .kind = "group"});
        }
        known = at->second.get();
        place = &place->children[known->at];
        place->nbytes += member.nbytes;
        place->stored_nbytes += member.stored_nbytes;
        rest.remove_prefix(slash + 1);
    }
    member.name = std::string(rest);
    place->children.push_back(std::move(member));
}

void look_into_archive(node& out, const fs::path& path, std::size_t depth, bool in_full, std::size_t most_values) {
    const auto members = nk::inspect_npz(path);
    const bool is_tree = std::any_of(members.begin(), members.end(), [](const nk::npz_member& member) {
        return member.stored_name == nk::core::tree_member;
    });
    group_places groups;
    for (const auto& member : members) {
        auto one = node_of_member(member);
        out.nbytes += one.nbytes;
        if (depth == 0)
            continue;
        if (!in_full)
            out.children.push_back(std::move(one));
        else if (!is_tree)
            add_by_name(out, groups, std::move(one), depth);
        else if (!one.problem.empty())
            out.problem += (out.problem.empty() ? "" : "; ") + one.problem;
    }
    if (in_full && is_tree && depth != 0)
        add_tree(out, nk::open_tree(path), depth, most_values);
}

/// A pickle has no directory: it is read, except where only the file itself is listed.
void look_into_pickle(node& out, const fs::path& path, std::size_t depth, bool in_full, std::size_t most_values) {
    out.nbytes = out.stored_nbytes;
    if (depth == 0)
        return;
    const auto root = nk::load_pickle(path);
    out.nbytes = 0;
    for_each_leaf(root, "", [&](const std::string& name, const nk::tree& array) {
        std::size_t no_room = 0;
        auto one = node_of_tree(name.empty() ? "(root)" : name, array, 0, no_room);
        out.nbytes += one.nbytes;
        if (!in_full)
            out.children.push_back(std::move(one));
    });
    if (in_full)
        add_tree(out, root, depth, most_values);
}

void look_into_chunks(node& out, const subject& what, std::size_t depth) {
    const auto said = nk::inspect_chunked(what.location());
    out.info = nk::array_info{.type = said.type, .shape = said.shape};
    out.nbytes = out.info->nbytes();
    std::uint64_t row = 0;
    for (const auto& chunk : said.chunks) {
        const std::uint64_t stored = chunk.file.empty() ? 0 : chunk.offset + chunk.nbytes;
        out.stored_nbytes += stored;
        if (depth != 0) {
            auto shape = said.shape;
            shape.front() = static_cast<std::size_t>(chunk.rows);
            node one{.name = chunk.file.empty() ? "(zeros)" : chunk.file, .kind = "chunk"};
            one.info = nk::array_info{.type = said.type, .shape = std::move(shape), .data_offset = chunk.offset};
            one.nbytes = chunk.nbytes;
            one.stored_nbytes = stored;
            one.note = "rows " + std::to_string(row) + " to " + std::to_string(row + chunk.rows);
            out.children.push_back(std::move(one));
        }
        row += chunk.rows;
    }
}

/// The kind of a folder entry; nullopt if it is not an array file.
[[nodiscard]] std::optional<subject> listed_subject(const fs::path& path, bool in_full) {
    std::error_code ignored;
    const auto status = fs::status(path, ignored);
    if (!is_in_bucket(path) && !fs::is_regular_file(status) && !fs::is_directory(status))
        return std::nullopt;
    try {
        auto what = subject_of(path);
        const bool wanted = what.kind != subject_kind::sidecar && (in_full || what.kind != subject_kind::folder);
        return wanted ? std::optional(std::move(what)) : std::nullopt;
    } catch (const nk::format_error&) {
        return std::nullopt;
    } catch (const nk::io_error&) {
        const auto extension = path.extension();
        if (extension != ".npy" && extension != ".npz")
            return std::nullopt;
        return subject{extension == ".npy" ? subject_kind::npy : subject_kind::npz, path};
    }
}

void look_into_folder(node& out, const fs::path& path, std::size_t depth, bool in_full) {
    for (const auto& name : names_in_folder(path)) {
        if (name.starts_with('.'))
            continue;
        const auto what = listed_subject(path / name, in_full);
        std::error_code ignored;
        const bool is_link = fs::is_symlink(path / name, ignored);  // links to folders can form cycles
        if (!what || (what->kind == subject_kind::folder && is_link))
            continue;
        node inner;
        try {
            inner = node_of(*what, in_full && depth != 0 ? depth - 1 : 0, in_full);
        } catch (const nk::error& problem) {
            // Programs give the extensions of pickles to other files, too.
            if (what->kind == subject_kind::pickle && what->is_named_only)
                continue;
            inner = {.name = name, .kind = std::string(kind_name(what->kind)), .problem = problem.what()};
        }
        if (what->kind == subject_kind::folder && inner.children.empty() && inner.nbytes == 0 && inner.problem.empty())
            continue;
        out.nbytes += inner.nbytes;
        out.stored_nbytes += inner.stored_nbytes;
        if (depth != 0)
            out.children.push_back(std::move(inner));
    }
}

/// Lists the arrays of the last commit, which the files may not have yet.
void look_into_database(node& out, const fs::path& path, std::size_t depth, bool in_full) {
    std::optional<nk::database_snapshot> now;
    try {
        const auto said = nk::inspect_database(path);
        out.note = "commit " + commit_text(said.committed, said.applied);
        now.emplace(path);
    } catch (const nk::io_error& problem) {
        // Only who may write to the folder .ndkeep can hold a commit. Others see the files as they are.
        look_into_folder(out, path, depth, in_full);
        out.note = "files as they are, the last commit is unknown: " + std::string(problem.what());
        return;
    }
    for (const auto& name : now->names()) {
        node one{.name = name, .kind = "npy"};
        try {
            one.info = now->inspect(name);
            one.nbytes = one.info->nbytes();
        } catch (const nk::error& problem) {
            one.problem = problem.what();
        }
        std::error_code absent;
        if (const auto size = fs::file_size(path / (name + ".npy"), absent); !absent)
            one.stored_nbytes = size;
        out.nbytes += one.nbytes;
        out.stored_nbytes += one.stored_nbytes;
        if (depth != 0)
            out.children.push_back(std::move(one));
    }
}

}  // namespace

std::string commit_text(std::uint64_t committed, std::uint64_t applied) {
    return std::to_string(committed) + (applied < committed ? ", the files still at " + std::to_string(applied) : "");
}

node node_of_value(std::string name, const nk::tree& value, std::size_t most_values) {
    return node_of_tree(std::move(name), value, full_depth, most_values);
}

node node_of(const subject& what, std::size_t depth, bool in_full, std::size_t most_values) {
    const auto last = what.path.filename();
    node out{.name = last.empty() ? what.path.string() : last.string(), .kind = std::string(kind_name(what.kind))};
    switch (what.kind) {
    case subject_kind::npy:
    case subject_kind::raw: {
        const auto array = open_single(what);
        out.info = array.info;
        out.nbytes = array.info.nbytes();
        out.stored_nbytes = array.source.size();
        try {
            nk::core::check_data(array);
        } catch (const nk::format_error& problem) {
            out.problem = problem.what();
        }
        break;
    }
    case subject_kind::npz:
        look_into_archive(out, what.path, depth, in_full, most_values);
        out.stored_nbytes = nk::file::open(what.path).size();
        break;
    case subject_kind::pickle:
        out.stored_nbytes = nk::file::open(what.path).size();
        look_into_pickle(out, what.path, depth, in_full, most_values);
        break;
    case subject_kind::chunked:
        look_into_chunks(out, what, depth);
        break;
    case subject_kind::database:
        look_into_database(out, what.path, depth, in_full);
        break;
    case subject_kind::sidecar:
        out.stored_nbytes = nk::file::open(what.path).size();
        break;
    case subject_kind::folder:
        look_into_folder(out, what.path, depth, in_full);
        break;
    }
    return out;
}

bool has_problem(const node& of) {
    return !of.problem.empty() || std::any_of(of.children.begin(), of.children.end(), has_problem);
}

std::string described(const node& of) {
    if (!of.value.empty())
        return shortened(of.value, 60);
    std::string out = of.info ? "" : of.kind == "member" ? "not an array" : of.kind;
    if (of.info)
        out = (of.info->type.is_struct() ? dtype_label(of.info->type) : dtype_name(of.info->type)) + ' ' +
              nk::shape_text(of.info->shape);
    if (of.info || of.nbytes != 0)
        out += (out.empty() ? "" : ", ") + human_bytes(of.nbytes);
    if (!of.note.empty())
        out += ", " + shown(of.note);
    if (!of.problem.empty())
        out += "  <- " + shown(of.problem);
    return out;
}

std::string drawn(const node& root, const terminal& screen, std::string_view indent) {
    std::string out;
    const auto& children = root.children;
    const auto branch_of = [&](bool is_last) -> std::string_view {
        return screen.has_unicode ? (is_last ? "└── " : "├── ") : (is_last ? "`-- " : "|-- ");
    };
    for (std::size_t i = 0; i < children.size(); ++i) {
        const bool is_last = i + 1 == children.size() && root.left_out == 0;
        const std::string_view beside = is_last ? "    " : screen.has_unicode ? "│   " : "|   ";
        out += std::string(indent) + std::string(branch_of(is_last)) +
               styled(screen, children[i].problem.empty() ? "1" : "31", shown(children[i].name)) + "  " +
               described(children[i]) + '\n';
        out += drawn(children[i], screen, std::string(indent) + std::string(beside));
    }
    if (root.left_out != 0)
        out += std::string(indent) + std::string(branch_of(true)) + std::to_string(root.left_out) + " more\n";
    return out;
}

json_object json_of(const node& of) {
    json_object out;
    out.add_text("name", of.name);
    out.add_text("kind", of.kind);
    if (of.info) {
        out.add_text("dtype", dtype_text(of.info->type));
        out.add_json("shape", json_shape(of.info->shape));
    } else if (of.unsupported) {
        out.add_text("descr", of.unsupported->descr);
        out.add_json("shape", json_shape(of.unsupported->shape));
    }
    if (!of.value.empty())
        out.add_json("value", of.value);
    out.add("nbytes", of.nbytes);
    out.add("stored_nbytes", of.stored_nbytes);
    if (!of.note.empty())
        out.add_text("note", of.note);
    if (!of.problem.empty())
        out.add_text("problem", of.problem);
    if (!of.children.empty()) {
        json_list children;
        for (const node& child : of.children)
            children.add_json(json_of(child).str());
        out.add("children", children);
    }
    if (of.left_out != 0)
        out.add("left_out", of.left_out);
    return out;
}

}  // namespace tool
