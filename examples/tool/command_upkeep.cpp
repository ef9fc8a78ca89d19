// SPDX-License-Identifier: BSD-3-Clause
// recover, compact, prune: repair and maintain files.
#include "array_file.hpp"
#include "bucket.hpp"
#include "commands.hpp"
#include "each_file.hpp"
#include "output.hpp"

#include <ndkeep/chunks/save.hpp>
#include <ndkeep/chunks/verify.hpp>
#include <ndkeep/database/verify.hpp>
#include <ndkeep/npy/recover.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/npz/recover.hpp>
#include <ndkeep/os/names.hpp>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

/// What is complete in a file that is cut short or has lost its directory. No repair in place brings the rest back.
struct remains {
    std::size_t rows = 0, stated_rows = 0;     ///< npy
    std::vector<nk::npz_member> members = {};  ///< npz
    bool is_archive = false;
    bool may_lack_members = false;  ///< npz: there was too much damage to check every member

    [[nodiscard]] std::size_t count() const { return is_archive ? members.size() : rows; }
};

/// Damage that `recover` finds.
struct damage {
    std::uint64_t rows_behind = 0;                    ///< npy: complete rows that the header does not count
    std::vector<std::uint64_t> damaged_commits = {};  ///< chunked: newest records that cannot be read
    std::string leftover = {};                        ///< temporary file of a killed or running writer
    std::uint64_t bytes_behind = 0;                   ///< an archive
    std::optional<remains> cut = {};                  ///< only `--output` helps

    /// Whether `--fix` repairs something.
    [[nodiscard]] bool is_repairable() const {
        return rows_behind != 0 || bytes_behind != 0 || !damaged_commits.empty() || !leftover.empty();
    }
    [[nodiscard]] bool any() const { return is_repairable() || cut; }
};

/// What is complete in an archive without a readable directory.
/// @throws ndkeep::format_error  the file is no archive
void look_at_archive(const subject& what, const nk::run_options& run, damage& found) {
    try {
        found.bytes_behind = nk::bytes_behind_npz(what.path, {.run = run});
    } catch (const nk::format_error&) {
        auto searched = nk::recoverable_members(what.path, {.run = run});
        if (searched.members.empty() && what.is_named_only)
            throw;
        found.cut = {
            .members = std::move(searched.members), .is_archive = true, .may_lack_members = searched.may_lack_members};
    }
}

/// What is complete in an npy file that is cut short; nullopt if all of its data is there.
[[nodiscard]] std::optional<remains> remains_of_array(const fs::path& path) {
    const auto array = nk::core::open_header(path, any_header);
    const auto& info = array.info;
    if (array.data_in(array.source.size()) >= info.nbytes())
        return std::nullopt;
    const std::size_t axis = info.column_major ? info.shape.size() - 1 : 0;
    return remains{.rows = nk::complete_rows(path, any_header),
                   .stated_rows = info.shape.empty() ? 1 : info.shape[axis]};
}

[[nodiscard]] damage look(const subject& what, const nk::run_options& run) {
    damage found;
    if (what.kind == subject_kind::chunked) {
        found.damaged_commits = nk::damaged_commits(what.location());
        return found;
    }
    const auto target = nk::core::resolved(what.path);
    for (const auto& name : {nk::core::beside_of_user(target), nk::core::beside(target)})
        if (nk::is_file(name))
            found.leftover = name.string();
    if (what.kind == subject_kind::npz)
        look_at_archive(what, run, found);
    if (what.kind != subject_kind::npy)
        return found;
    found.cut = remains_of_array(what.path);
    if (!found.cut)
        found.rows_behind = nk::recoverable_rows(target, any_header);
    return found;
}

/// Checks that everything complete can be written to the file of `--output`, before anything is changed.
void check_output(const context& with, const subject& what, const damage& found) {
    const fs::path to = *with.given.value("--output");
    if (what.kind != subject_kind::npy && what.kind != subject_kind::npz)
        throw nk::format_error({.file = what.path,
                                .field = "format",
                                .expected = "npy or npz for --output",
                                .found = std::string(kind_name(what.kind))});
    if (is_in_bucket(to))
        throw needs_file(to, "--output writes a file");
    if (is_there(to) && !with.given.has("--force"))
        throw nk::conflict_error({.file = to,
                                  .field = "target",
                                  .expected = "a new name",
                                  .found = "already present",
                                  .hint = "--force replaces it"});
    if (std::error_code ignored; fs::equivalent(what.path, to, ignored))
        throw nk::conflict_error(
            {.file = to, .field = "target", .expected = "another file than the source", .found = "the same file"});
    (void)nk::writer_lock(to);  // fails in a folder that is absent or write-protected
    if (found.rows_behind != 0 && !with.given.has("--fix"))
        throw nk::format_error({.file = what.path,
                                .field = "number of rows after the end of the data",
                                .expected = "0",
                                .found = std::to_string(found.rows_behind),
                                .hint = "--fix includes them"});
}

/// Writes what is complete to the file of `--output`. Returns the number of rows or members.
[[nodiscard]] std::size_t write_remains(const context& with, const subject& what, const damage& found) {
    const fs::path to = *with.given.value("--output");
    if (found.cut && found.cut->count() == 0)
        return 0;
    return what.kind == subject_kind::npz ? nk::recover_npz(what.path, to, {.run = with.run}).members
                                          : nk::recover_rows(what.path, to, {.limit = any_header, .run = with.run});
}

/// The sentence about a file that is cut short.
[[nodiscard]] std::string remains_text(const remains& cut) {
    if (!cut.is_archive)
        return "the data is cut short: " + std::to_string(cut.rows) + " of " + nk::counted(cut.stated_rows, "row") +
               (cut.rows == 1 ? " is" : " are") + " complete";
    std::string text = "the directory is missing or damaged: " + nk::counted(cut.members.size(), "member") +
                       (cut.members.size() == 1 ? " is" : " are") + " complete";
    constexpr std::size_t most = 40;
    for (std::size_t i = 0; i < std::min(most, cut.members.size()); ++i) {
        const auto& member = cut.members[i];
        text += "\n    " + shown(member.name) + "  " +
                (member.array ? dtype_label(member.array->type) + ' ' + nk::shape_text(member.array->shape)
                              : human_bytes(member.nbytes));
    }
    text += cut.members.size() > most ? "\n    ..." : "";
    return text + (cut.may_lack_members ? "\n    too much is damaged to check every member: there may be more" : "");
}

[[nodiscard]] std::string listed(const std::vector<std::uint64_t>& numbers) {
    std::string text;
    for (const auto number : numbers)
        text += (text.empty() ? "" : ", ") + std::to_string(number);
    return text;
}

void mend(const subject& what, const damage& found) {
    if (!found.damaged_commits.empty())
        (void)nk::recover_chunked(what.location());
    if (found.rows_behind != 0)
        (void)nk::recover(what.path, any_header);
    if (found.bytes_behind != 0)
        (void)nk::restore_npz(what.path, {.sync = true});
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

[[nodiscard]] std::string json_of_damage(const fs::path& path, const damage& found, bool is_fixed,
                                         std::optional<std::size_t> written) {
    json_object out;
    out.add_text("file", path.string());
    out.add("rows_behind", found.rows_behind);
    out.add("bytes_behind", found.bytes_behind);
    out.add_json("damaged_commits", '[' + listed(found.damaged_commits) + ']');
    if (found.leftover.empty())
        out.add_null("leftover");
    else
        out.add_text("leftover", found.leftover);
    out.add("cut_short", found.cut.has_value());
    if (found.cut && found.cut->is_archive) {
        json_list names;
        for (const auto& member : found.cut->members)
            names.add_text(member.name);
        out.add("complete_members", names);
        out.add("may_lack_members", found.cut->may_lack_members);
    } else if (found.cut) {
        out.add("complete_rows", found.cut->rows);
        out.add("stated_rows", found.cut->stated_rows);
    }
    if (written)
        out.add("written", *written);
    out.add("fixed", is_fixed);
    return out.str();
}

/// Finds lost commits of a database, and a log that a killed writer has left; completes the database if asked.
[[nodiscard]] outcome recover_files_of_database(const context& with, const fs::path& path) {
    const bool fix = with.given.has("--fix");
    const auto hidden = path / ".ndkeep";
    const auto names = nk::names_in(hidden);
    const bool has_log =
        std::any_of(names.begin(), names.end(), [](const auto& name) { return name.starts_with("log-"); });
    auto problems = nk::findings_database(path, {.limit = any_header, .run = with.run});
    std::erase_if(problems,
                  [&](const nk::finding& each) { return each.file != hidden && each.file.parent_path() != hidden; });
    for (const auto& each : problems)
        if (each.field.empty())
            std::rethrow_exception(each.cause);  // the log cannot be read, which is no damage
    const bool is_damaged = has_log || !problems.empty();
    nk::database_recovery done;
    if (fix && is_damaged)
        done = nk::recover_database(path);
    const outcome result = is_damaged && !fix ? outcome::findings : outcome::fine;
    if (with.given.has("--json")) {
        json_object out;
        out.add_text("file", path.string());
        out.add("log_left", has_log);
        json_list lost;
        for (const auto& each : problems)
            lost.add_text(each.message);
        out.add("problems", lost);
        if (fix && is_damaged) {
            json_list sentences;
            for (const auto& each : done.lost)
                sentences.add_text(each);
            out.add("commit", done.commit);
            out.add("lost", sentences);
        }
        out.add("fixed", fix && is_damaged);
        with.out << out.str() << '\n';
        return result;
    }
    const auto say = [&](const std::string& sentence) { with.out << shown_path(path) << ": " << sentence << '\n'; };
    if (!is_damaged && !with.quiet)
        say("nothing to recover");
    for (const auto& each : problems)
        say(shown(each.message));
    if (has_log && !fix && problems.empty())
        say("the log holds commits of a killed or running writer");
    if (fix && is_damaged)
        say("the files are at commit " + std::to_string(done.commit));
    for (const auto& each : done.lost)
        say(shown(each));
    if (is_damaged && !fix && !with.quiet)
        with.err << "ndkeep: --fix repairs this\n";
    return result;
}

[[nodiscard]] outcome recover(const context& with) {
    const bool fix = with.given.has("--fix");
    const auto output = with.given.value("--output");
    if (output && with.given.words().size() != 1)
        throw usage_error("--output is given with several files, expected one");
    return each_file(with, with.given.words(), [&](const fs::path& path) {
        if (!output && is_database(path))
            return recover_files_of_database(with, path);
        const auto what = array_subject_of(path);
        const auto found = look(what, with.run);
        if (output)
            check_output(with, what, found);
        if (fix && found.is_repairable())
            mend(what, found);
        std::optional<std::size_t> written;
        if (output)
            written = write_remains(with, what, found);
        const bool is_open = (found.is_repairable() && !fix) || (found.cut && written.value_or(0) == 0);
        const outcome result = is_open ? outcome::findings : outcome::fine;
        if (with.given.has("--json")) {
            with.out << json_of_damage(path, found, fix && found.is_repairable(), written) << '\n';
            return result;
        }
        const auto say = [&](const std::string& sentence) { with.out << shown_path(path) << ": " << sentence << '\n'; };
        if (!found.any() && !with.quiet)
            say("nothing to recover");
        if (found.cut)
            say(remains_text(*found.cut));
        if (found.rows_behind != 0)
            say(nk::counted(found.rows_behind, "row") +
                (fix ? " recovered after the end of the data"
                     : " after the end of the data, not counted in the header"));
        if (found.bytes_behind != 0)
            say(nk::counted(found.bytes_behind, "byte") +
                (fix ? " cut off behind the end of the archive" : " behind the end of the archive"));
        if (!found.damaged_commits.empty())
            say("damaged commits " + listed(found.damaged_commits) +
                (fix ? " skipped from now on" : ", the commit before them is readable"));
        if (!found.leftover.empty())
            say(shown(found.leftover) + (fix ? " removed" : " is a temporary file of a killed or running writer"));
        if (written && *written != 0 && !with.quiet)
            say(nk::counted(*written, what.kind == subject_kind::npz ? "member" : "row") + " written to " +
                shown(*output));
        if (found.is_repairable() && !fix && !with.quiet)
            with.err << "ndkeep: --fix repairs this\n";
        if (found.cut && !output && found.cut->count() != 0 && !with.quiet)
            with.err << "ndkeep: --output FILE writes what is complete to a new file\n";
        return result;
    });
}

[[nodiscard]] subject chunked_subject(const context& with) {
    auto what = array_subject_of(with.given.words()[0]);
    if (what.kind != subject_kind::chunked)
        throw nk::format_error({.file = what.path,
                                .field = "format",
                                .expected = "a chunked array",
                                .found = std::string(kind_name(what.kind))});
    return what;
}

struct extent {
    std::uint64_t chunks = 0, commits = 0, bytes = 0;
};
[[nodiscard]] extent extent_of(const subject& what) {
    const auto info = nk::inspect_chunked(what.location());
    return {info.chunks.size(), info.commits, stored_bytes(what.path)};
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
    const auto what = chunked_subject(with);
    nk::compact_options options{.run = with.run};
    if (with.given.has("--rows-per-chunk"))
        options.rows_per_chunk = with.given.number("--rows-per-chunk", std::uint64_t{0}, std::uint64_t{1});
    const auto before = extent_of(what);
    nk::compact_chunked(what.location(), options);
    tell_change(with, what.path, before, extent_of(what));
    return outcome::fine;
}

[[nodiscard]] outcome prune(const context& with) {
    const auto what = chunked_subject(with);
    if (!with.given.has("--keep"))
        throw usage_error(
            "prune: the option --keep is missing, expected --keep N, the number of newest commits to keep");
    const auto keep = with.given.number("--keep", std::uint64_t{0}, std::uint64_t{1});
    const auto before = extent_of(what);
    (void)nk::prune_chunked(what.location(), {.keep = keep});
    tell_change(with, what.path, before, extent_of(what));
    return outcome::fine;
}

}  // namespace

command recover_command() {
    return {
        .name = "recover",
        .summary = "Find damage left by a killed writer or a broken download, and repair it or save what is complete",
        .usage = "[OPTION]... FILE...",
        .details =
            "npy files: finds complete rows after the end of the data, which the header does not count; the repair\n"
            "counts them. Chunked arrays: finds damaged records of the newest commits; the repair discards these\n"
            "commits. npz files: finds bytes behind the end of the archive, which a killed writer that works in\n"
            "place leaves; the repair cuts them off. npy, raw and npz files: finds the temporary file of a killed\n"
            "writer; the repair removes it. Databases: finds damaged commits in the log, and a log that a killed\n"
            "writer has left; the repair applies the commits before the damage to the files.\n"
            "Without --fix nothing is changed.\n"
            "npy files that are cut short, and npz archives without their directory: tells which rows or members\n"
            "are complete. --output writes them to a new file, and never changes the damaged one. Rows after the\n"
            "end of the data are written with --fix only.\n"
            "Exit status: 0 nothing to repair, or repaired or saved, 1 damage found, 2 error.",
        .options = {{"--fix", "", "repair what is found"},
                    {"--output", "FILE", "write the complete rows or members of an npy or npz file to FILE"},
                    {"--force", "", "replace FILE of --output if it exists", 'f'},
                    json_option},
        .example = "ndkeep recover readings\n"
                   "ndkeep recover --fix readings\n"
                   "ndkeep recover --output complete.npz download.npz",
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
            .details =
                "A commit that is being read is kept, and so are all newer commits. In a bucket, where readers are\n"
                "not seen, a commit is kept for 24 hours after the next one.",
            .options = {{"--keep", "N", "number of newest commits to keep, at least 1 (required)"}, json_option},
            .example = "ndkeep prune --keep 5 readings",
            .least_words = 1,
            .most_words = 1,
            .run = prune};
}

}  // namespace tool
