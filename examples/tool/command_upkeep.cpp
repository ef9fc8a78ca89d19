// SPDX-License-Identifier: BSD-3-Clause
// recover, compact, prune: repair and maintain files.
#include "array_file.hpp"
#include "commands.hpp"
#include "each_file.hpp"
#include "output.hpp"

#include <ndkeep/chunks/save.hpp>
#include <ndkeep/chunks/verify.hpp>
#include <ndkeep/npy/append.hpp>
#include <ndkeep/os/names.hpp>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

/// Damage that `recover` can repair.
struct damage {
    std::uint64_t rows_behind = 0;                    ///< npy: complete rows that the header does not count
    std::vector<std::uint64_t> damaged_commits = {};  ///< chunked: newest records that cannot be read
    std::string leftover = {};                        ///< temporary file of a killed or running writer
    bool is_npy = false;

    [[nodiscard]] bool any() const { return rows_behind != 0 || !damaged_commits.empty() || !leftover.empty(); }
};

[[nodiscard]] damage look(const subject& what) {
    damage found;
    if (what.kind == subject_kind::chunked) {
        found.damaged_commits = nk::damaged_commits(what.path);
        return found;
    }
    const auto target = nk::core::resolved(what.path);
    for (const auto& name : {nk::core::beside_of_user(target), nk::core::beside(target)})
        if (nk::is_file(name))
            found.leftover = name.string();
    if (what.kind != subject_kind::npy)
        return found;
    found.is_npy = true;
    found.rows_behind = nk::recoverable_rows(target, {.header_characters = nk::longest_header});
    return found;
}

[[nodiscard]] std::string listed(const std::vector<std::uint64_t>& numbers) {
    std::string text;
    for (const auto number : numbers)
        text += (text.empty() ? "" : ", ") + std::to_string(number);
    return text;
}

void mend(const subject& what, const damage& found) {
    if (!found.damaged_commits.empty())
        (void)nk::recover_chunked(what.path);
    if (found.rows_behind != 0)
        (void)nk::recover(what.path, {.header_characters = nk::longest_header});
    if (found.leftover.empty())
        return;
    {
        const nk::writer_lock swept(what.path);
        if (const auto own = nk::core::beside_of_user(swept.target()); nk::core::is_own_file(own))
            nk::remove_file(own);
    }
    if (nk::is_file(found.leftover))
        throw nk::io_error(found.leftover, "cannot remove a file of another user",
                           std::make_error_code(std::errc::operation_not_permitted));
}

[[nodiscard]] outcome recover(const context& with) {
    const bool fix = with.given.has("--fix");
    return each_file(with, with.given.words(), [&](const fs::path& path) {
        const auto what = array_subject_of(path);
        const auto found = look(what);
        if (fix && found.any())
            mend(what, found);
        if (with.given.has("--json")) {
            json_object out;
            out.add_text("file", path.string());
            out.add("rows_behind", found.rows_behind);
            out.add_json("damaged_commits", '[' + listed(found.damaged_commits) + ']');
            if (found.leftover.empty())
                out.add_null("leftover");
            else
                out.add_text("leftover", found.leftover);
            out.add("fixed", fix && found.any());
            with.out << out.str() << '\n';
            return found.any() && !fix ? outcome::findings : outcome::fine;
        }
        const auto say = [&](const std::string& sentence) { with.out << shown_path(path) << ": " << sentence << '\n'; };
        if (!found.any() && !with.quiet)
            say("nothing to recover");
        if (found.rows_behind != 0)
            say(nk::counted(found.rows_behind, "row") +
                (fix ? " recovered after the end of the data"
                     : " after the end of the data, not counted in the header"));
        if (!found.damaged_commits.empty())
            say("damaged commits " + listed(found.damaged_commits) +
                (fix ? " skipped from now on" : ", the commit before them is readable"));
        if (!found.leftover.empty())
            say(shown(found.leftover) + (fix ? " removed" : " is a temporary file of a killed or running writer"));
        if (found.any() && !fix && !with.quiet)
            with.err << "ndkeep: --fix repairs this\n";
        return found.any() && !fix ? outcome::findings : outcome::fine;
    });
}

[[nodiscard]] fs::path chunked_path(const context& with) {
    const fs::path path = with.given.words()[0];
    if (const auto what = array_subject_of(path); what.kind != subject_kind::chunked)
        throw nk::format_error({.file = path,
                                .field = "format",
                                .expected = "a chunked array",
                                .found = std::string(kind_name(what.kind))});
    return path;
}

struct extent {
    std::uint64_t chunks = 0, commits = 0, bytes = 0;
};
[[nodiscard]] extent extent_of(const fs::path& path) {
    const auto info = nk::inspect_chunked(path);
    return {info.chunks.size(), info.commits, stored_bytes(path)};
}

void tell_change(const context& with, const fs::path& path, const extent& before, const extent& after) {
    if (with.given.has("--json")) {
        json_object out;
        out.add_text("file", path.string());
        const auto add = [&](const std::string& name, std::uint64_t then, std::uint64_t now) {
            out.add(name + "_before", then);
            out.add(name + "_after", now);
        };
        add("chunks", before.chunks, after.chunks);
        add("commits", before.commits, after.commits);
        add("stored_nbytes", before.bytes, after.bytes);
        with.out << out.str() << '\n';
    } else if (!with.quiet) {
        const auto text = [](const extent& each) {
            return nk::counted(each.chunks, "chunk") + ", " + nk::counted(each.commits, "commit") + ", " +
                   human_bytes(each.bytes);
        };
        with.out << shown_path(path) << ": " << text(before) << " -> " << text(after) << '\n';
    }
}

[[nodiscard]] outcome compact(const context& with) {
    const auto path = chunked_path(with);
    nk::compact_options options{.run = with.run};
    if (with.given.has("--rows-per-chunk"))
        options.rows_per_chunk = with.given.number("--rows-per-chunk", std::uint64_t{0}, std::uint64_t{1});
    const auto before = extent_of(path);
    nk::compact_chunked(path, options);
    tell_change(with, path, before, extent_of(path));
    return outcome::fine;
}

[[nodiscard]] outcome prune(const context& with) {
    const auto path = chunked_path(with);
    if (!with.given.has("--keep"))
        throw usage_error(
            "prune: the option --keep is missing, expected --keep N, the number of newest commits to keep");
    const auto keep = with.given.number("--keep", std::uint64_t{0}, std::uint64_t{1});
    const auto before = extent_of(path);
    (void)nk::prune_chunked(path, {.keep = keep});
    tell_change(with, path, before, extent_of(path));
    return outcome::fine;
}

}  // namespace

command recover_command() {
    return {
        .name = "recover",
        .summary = "Find damage left by a killed writer or a damaged commit, and repair it with --fix",
        .usage = "[OPTION]... FILE...",
        .details =
            "npy files: finds complete rows after the end of the data, which the header does not count; the repair\n"
            "counts them. Chunked arrays: finds damaged records of the newest commits; the repair discards these\n"
            "commits. npy, raw and npz files: finds the temporary file of a killed writer; the repair removes it.\n"
            "Without --fix nothing is changed.\n"
            "Exit status: 0 nothing to repair or repaired, 1 something to repair, 2 error.",
        .options = {{"--fix", "", "repair what is found"}, json_option},
        .example = "ndkeep recover readings\n"
                   "ndkeep recover --fix readings",
        .least_words = 1,
        .most_words = any_number,
        .run = recover};
}

command compact_command() {
    return {
        .name = "compact",
        .summary = "Merge small chunks of a chunked array",
        .usage = "[OPTION]... PATH",
        .details =
            "Writes one commit that changes no row. The old chunks stay until `ndkeep prune` removes their commits.",
        .options = {{"--rows-per-chunk", "N", "number of rows (default: as many as fit in 16 MiB)"}, json_option},
        .example = "ndkeep compact readings",
        .least_words = 1,
        .most_words = 1,
        .run = compact};
}

command prune_command() {
    return {.name = "prune",
            .summary = "Remove old commits of a chunked array, and the files that only they use",
            .usage = "--keep N [OPTION]... PATH",
            .details = "A commit that is being read is kept, and so are all newer commits.",
            .options = {{"--keep", "N", "number of newest commits to keep, at least 1 (required)"}, json_option},
            .example = "ndkeep prune --keep 5 readings",
            .least_words = 1,
            .most_words = 1,
            .run = prune};
}

}  // namespace tool
