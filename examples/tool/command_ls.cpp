// SPDX-License-Identifier: BSD-3-Clause
// ls and tree: list the contents of archives, chunked arrays, databases and folders.
#include "collection.hpp"
#include "commands.hpp"
#include "each_file.hpp"
#include "nodes.hpp"

namespace tool {

namespace {

constexpr option bytes_option = {"--bytes", "", "print sizes in bytes, without units"};

[[nodiscard]] std::vector<std::string> paths_or_here(const context& with) {
    return with.given.words().empty() ? std::vector<std::string>{"."} : with.given.words();
}

[[nodiscard]] std::string dtype_of_node(const node& of) {
    return of.info          ? dtype_label(of.info->type)
           : of.unsupported ? shortened(of.unsupported->descr, 40)
                            : '(' + of.kind + ')';
}

[[nodiscard]] std::string shape_of_node(const node& of) {
    return of.info          ? ndkeep::shape_text(of.info->shape)
           : of.unsupported ? ndkeep::shape_text(of.unsupported->shape)
                            : "-";
}

[[nodiscard]] json_object json_of_root(const std::filesystem::path& path, const node& root) {
    json_object out;
    out.add_text("file", path.string());
    out.add_text("kind", root.kind);
    out.add("nbytes", root.nbytes);
    out.add("stored_nbytes", root.stored_nbytes);
    if (!root.note.empty())
        out.add_text("note", root.note);
    json_list entries;
    for (const node& each : root.children)
        entries.add_json(json_of(each).str());
    out.add("entries", entries);
    return out;
}

[[nodiscard]] outcome print_collection(const context& with, const std::filesystem::path& path,
                                       const collection_listing& of, bool is_one_of_many) {
    const bool is_fine = std::none_of(of.arrays.begin(), of.arrays.end(),
                                      [](const keyed_array& each) { return has_problem(each.array); });
    if (with.given.has("--json")) {
        with.out << json_of(path, of).str() << '\n';
    } else {
        if (is_one_of_many)
            with.out << shown_path(path) << ":\n";
        with.out << text_of(of, with.screen, with.given.has(bytes_option.name));
    }
    return is_fine ? outcome::fine : outcome::findings;
}

[[nodiscard]] outcome ls(const context& with) {
    const auto paths = paths_or_here(with);
    const bool exact = with.given.has("--bytes");
    return each_file(with, paths, [&](const std::filesystem::path& path) {
        const auto what = subject_of(path);
        const auto collection = what.kind == subject_kind::folder ? collection_in(path, with.run) : std::nullopt;
        if (collection)
            return print_collection(with, path, *collection, paths.size() > 1);
        node root = node_of(what, 1, false);
        if (root.children.empty() && root.info)
            root.children.push_back(node(root));
        const outcome result = has_problem(root) ? outcome::findings : outcome::fine;
        if (with.given.has("--json")) {
            with.out << json_of_root(path, root).str() << '\n';
            return result;
        }
        using enum table::side;
        table rows({{"name", left},
                    {"dtype", left},
                    {"shape", left},
                    {"bytes", right},
                    {"stored", right},
                    {"%", right},
                    {"", left}});
        const auto size = [&](std::uint64_t count) { return exact ? std::to_string(count) : human_bytes(count); };
        for (const node& each : root.children)
            rows.add({shown(each.name), dtype_of_node(each), shape_of_node(each), size(each.nbytes),
                      each.kind == "array" ? "-" : size(each.stored_nbytes), percent(each.nbytes, root.nbytes),
                      each.problem.empty() ? shown(each.note) : "<- " + shown(each.problem)});
        if (paths.size() > 1)
            with.out << shown_path(path) << ":\n";
        if (!rows.empty())
            with.out << rows.text(with.screen);
        if (!root.note.empty())
            with.out << shown(root.note) << '\n';
        if (rows.empty() && !with.quiet)
            with.err << shown_path(path) << ": no arrays found\n";
        return result;
    });
}

[[nodiscard]] outcome tree(const context& with) {
    const auto depth = with.given.number("--depth", full_depth);
    return each_file(with, paths_or_here(with), [&](const std::filesystem::path& path) {
        const node root = node_of(subject_of(path), depth, true);
        if (with.given.has("--json"))
            with.out << json_of_root(path, root).str() << '\n';
        else
            with.out << styled(with.screen, "1", shown_path(path)) << "  " << described(root) << '\n'
                     << drawn(root, with.screen);
        return has_problem(root) ? outcome::findings : outcome::fine;
    });
}

}  // namespace

command ls_command() {
    return {
        .name = "ls",
        .summary =
            "List members of an archive, chunks of a chunked array, or arrays of a database, collection or folder",
        .usage = "[OPTION]... [PATH]...",
        .details =
            "Reads headers only, and a pickle that PATH names. Without PATH, lists the current folder. The column\n"
            "`bytes` is the size of the data, `stored` is its size in the file. For a database, the last line\n"
            "names the last commit. A folder of chunked arrays, all directly in it or all deeper, is a collection:\n"
            "each array is listed under its key, the folders that lead to it, with the number of rows and, if they\n"
            "are ordered, the first and the last value of their order. s3://BUCKET and s3://BUCKET/PREFIX list all\n"
            "chunked arrays below.\n"
            "Exit status: 0 success, 1 an entry cannot be read, 2 error.",
        .options = {bytes_option, json_option},
        .example = "ndkeep ls examples/data/flights.npz",
        .most_words = any_number,
        .run = ls};
}

command tree_command() {
    return {.name = "tree",
            .summary = "Draw the nested structure of folders, archives, groups, trees and pickles",
            .usage = "[OPTION]... [PATH]...",
            .details = "Reads headers, and pickles, which never runs code. Without PATH, draws the current folder.\n"
                       "Exit status: 0 success, 1 an entry cannot be read, 2 error.",
            .options = {{"--depth", "N", "number of levels to draw below each path (default: all)"}, json_option},
            .example = "ndkeep tree --depth 2 examples",
            .most_words = any_number,
            .run = tree};
}

}  // namespace tool
