// SPDX-License-Identifier: BSD-3-Clause
// verify: reports all problems in files, writes and updates sidecars, and prints checksums of files for md5sum.
#include "array_word.hpp"
#include "bucket.hpp"
#include "commands.hpp"
#include "each_file.hpp"
#include "given_name.hpp"
#include "output.hpp"
#include "pickle_values.hpp"
#include "sidecars.hpp"
#include "subject.hpp"

#include <ndkeep/chunks/verify.hpp>
#include <ndkeep/database/verify.hpp>
#include <ndkeep/npy/describe.hpp>
#include <ndkeep/npz/reader.hpp>
#include <ndkeep/npz/verify.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/pickle/load.hpp>

#include <algorithm>
#include <array>
#include <map>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

/// What was checked, and the problems found.
struct verdict {
    std::vector<nk::finding> findings = {};
    std::string looked_at = {};  ///< "crc32c of 3 chunks", or that no checksum is stored
    bool has_sums = false;
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> rows = {};  ///< row ranges of chunks, by file
};

/// The checks that a sidecar makes possible.
[[nodiscard]] std::string claims_of(const sidecar_look& look) {
    if (!look.said)
        return "";
    std::string text;
    for (const auto& [name, sum] : look.said->sums)
        text += (text.empty() ? "" : ", ") + shown(name);
    if (look.said->statistics)
        text += (text.empty() ? "" : ", ") + std::string("statistics");
    return text;
}

[[nodiscard]] verdict judge_single(const context& with, const subject& what) {
    verdict out;
    if (what.kind == subject_kind::npy) {
        out.findings = nk::findings(what.path, {.limit = any_header, .run = with.run});
    } else {
        (void)nk::core::passes(out.findings, [&] {
            const auto array = open_single(what);
            nk::core::check_data(array);
            const auto target = nk::core::resolved(what.path);
            if (const auto both = nk::core::read_sidecar(target))
                nk::core::find_in_data(array, target, *both, with.run, out.findings);
        });
    }
    if (!out.findings.empty())
        return out;
    const auto claims = claims_of(look_at_sidecar(open_single(what)));
    out.has_sums = !claims.empty();
    out.looked_at = claims.empty() ? "header and length; no checksum stored" : claims;
    return out;
}

[[nodiscard]] verdict judge_archive(const context& with, const fs::path& path) {
    verdict out;
    out.findings = nk::findings_npz(path, {.run = with.run});
    if (out.findings.empty())
        out.looked_at = "crc32 of " + nk::counted(nk::inspect_npz(path).size(), "member");
    out.has_sums = true;
    return out;
}

/// Verifies one member with the checksums in the archive's metadata.
[[nodiscard]] verdict judge_member(const context& with, const fs::path& path, const std::string& name) {
    verdict out;
    out.findings = nk::npz_reader(path).findings(name, with.run);
    out.looked_at = "crc32 of " + shown(nk::core::member_field(name));
    out.has_sums = true;
    return out;
}

[[nodiscard]] verdict judge_chunks(const context& with, const subject& what) {
    verdict out;
    const auto where = what.location();
    out.findings = nk::findings_chunked(where, {.run = with.run});
    (void)nk::core::passes(out.findings, [&] {
        const auto info = nk::inspect_chunked(where);
        out.has_sums = info.sum != nk::checksum::none;
        const auto chunks = nk::counted(info.chunks.size(), "chunk");
        out.looked_at = out.has_sums ? std::string(nk::checksum_name(info.sum)) + " of " + chunks
                                     : "headers and lengths of " + chunks + "; no checksums stored";
        std::uint64_t row = 0;
        for (const auto& chunk : info.chunks) {
            if (!chunk.file.empty())
                out.rows[chunk.file] = {row, row + chunk.rows};
            row += chunk.rows;
        }
    });
    // A file that cannot be opened is reported by two checks; one message is enough.
    if (out.findings.size() == 2 && out.findings[0].message == out.findings[1].message)
        out.findings.pop_back();
    return out;
}

[[nodiscard]] verdict judge_database(const context& with, const fs::path& path) {
    verdict out;
    out.findings = nk::findings_database(path, {.limit = any_header, .run = with.run});
    if (!out.findings.empty())
        return out;
    std::size_t arrays = 0, with_sums = 0;
    for (const auto& name : nk::names_in(path))
        if (name.ends_with(".npy") && !name.starts_with('.')) {
            ++arrays;
            const auto look = look_at_sidecar(open_single({subject_kind::npy, path / name}));
            with_sums += look.said && !look.said->sums.empty();
        }
    out.has_sums = with_sums != 0;
    out.looked_at = "log; headers and lengths of " + nk::counted(arrays, "array") + "; checksums of " +
                    (with_sums == 0 ? "none" : std::to_string(with_sums));
    return out;
}

/// Reads all values. A pickle has no checksums that would reveal another damage.
[[nodiscard]] verdict judge_pickle(const context& with, const fs::path& path,
                                   const std::optional<std::string>& member) {
    verdict out;
    (void)nk::core::passes(out.findings, [&] {
        const auto root = nk::load_pickle(path, {.run = with.run});
        const auto name = member.value_or("");
        std::size_t count = 0;
        for_each_leaf(value_at(root, path, name), name, [&](const std::string&, const nk::tree& array) {
            (void)array.array();
            check_interrupted(path);
            ++count;
        });
        out.looked_at = "all values and " + nk::counted(count, "array") + "; a pickle has no checksums";
    });
    return out;
}

[[nodiscard]] verdict judge(const context& with, const subject& what, const std::optional<std::string>& member) {
    if (what.kind == subject_kind::pickle)
        return judge_pickle(with, what.path, member);
    if (member && what.kind != subject_kind::npz)
        throw no_archive(what.path, *member);
    if (member)
        return judge_member(with, what.path, *member);
    switch (what.kind) {
    case subject_kind::npz:
        return judge_archive(with, what.path);
    case subject_kind::chunked:
        return judge_chunks(with, what);
    case subject_kind::database:
        return judge_database(with, what.path);
    default:
        return judge_single(with, what);
    }
}

[[nodiscard]] std::string verdict_json(const array_word& word, const subject& what, const verdict& found) {
    json_object out;
    out.add_text("file", word.file.string());
    if (word.member)
        out.add_text("member", *word.member);
    out.add_text("format", format_name(what.kind));
    out.add("ok", found.findings.empty());
    out.add("has_checksums", found.has_sums);
    out.add_text("looked_at", found.looked_at);
    json_list list;
    for (const auto& each : found.findings) {
        json_object one;
        one.add_text("file", each.file.string());
        one.add_text("field", each.field);
        one.add_text("expected", each.expected);
        one.add_text("found", each.found);
        one.add_text("message", each.message);
        if (const auto at = found.rows.find(each.file.filename().string()); at != found.rows.end())
            one.add_json("rows",
                         '[' + std::to_string(at->second.first) + ", " + std::to_string(at->second.second) + ']');
        list.add_json(one.str());
    }
    out.add("findings", list);
    return out.str() + '\n';
}

void print_verdict(const context& with, const fs::path& path, const verdict& found) {
    if (found.findings.empty()) {
        if (!with.quiet)
            with.out << shown_path(path) << ": " << styled(with.screen, "32", "OK") << " (" << found.looked_at << ")\n";
        return;
    }
    with.out << shown_path(path) << ": " << styled(with.screen, "31", nk::counted(found.findings.size(), "finding"))
             << '\n';
    for (const auto& each : found.findings) {
        const auto at = found.rows.find(each.file.filename().string());
        const bool tells_rows = each.field.find(" of rows ") != std::string::npos;
        with.out << "  " << shown(each.message);
        if (at != found.rows.end() && !tells_rows)
            with.out << " [rows " << at->second.first << " to " << at->second.second << ']';
        with.out << '\n';
    }
}

/// A line in the format of md5sum. If the name contains a backslash or newline, it is escaped and the line starts with
/// a backslash.
[[nodiscard]] std::string md5_line(const std::string& sum, const std::string& name) {
    std::string escaped;
    for (const char c : name)
        escaped += c == '\\' ? "\\\\" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : std::string(1, c);
    return (escaped == name ? "" : "\\") + sum + "  " + escaped;
}

[[nodiscard]] std::string md5_of(const context& with, const fs::path& path) {
    const nk::file source = nk::file::open(path);
    nk::running_checksums sums(nk::checksum::md5);
    constexpr std::size_t most = std::size_t{1} << 20;
    std::vector<std::byte> block(most);
    nk::progress_meter meter(with.run, {.phase = "md5", .bytes_total = source.size(), .file = path});
    std::uint64_t at = 0;
    for (std::size_t length = most; length == most; at += length) {
        length = source.read_some(at, block);
        sums.update({block.data(), length});
        meter.add(0, length);
        meter.report();
    }
    meter.finish();
    return sums.values().begin()->second;
}

/// Visits a file, or all files in a folder in the order of their names.
[[nodiscard]] outcome sum_up(const context& with) {
    return each_file(with, with.given.words(), [&](const fs::path& path) {
        if (is_in_bucket(path))
            throw needs_file(path, "--md5 reads files");
        std::vector<fs::path> files;
        std::error_code failed;
        if (fs::is_directory(path, failed)) {
            for (fs::recursive_directory_iterator each(path, failed), end; !failed && each != end;
                 each.increment(failed))
                if (std::error_code ignored; each->is_regular_file(ignored))
                    files.push_back(each->path());
            if (failed)
                throw nk::io_error(path, "cannot list", failed);
            std::sort(files.begin(), files.end());
        } else {
            if (!is_there(path))
                reject_member(path.string());
            files.push_back(path);
        }
        for (const auto& file : files) {
            const auto sum = md5_of(with, file);
            json_object one;
            one.add_text("file", file.string());
            one.add_text("md5", sum);
            const auto line = md5_line(sum, named_as_given(file.string()));
            if (with.given.has("--json"))
                with.out << one.str() << '\n';
            else
                with.out << (with.screen.is_terminal ? shown(line) : line) << '\n';
        }
        return outcome::fine;
    });
}

[[nodiscard]] nk::checksum wanted_sums(const context& with) {
    auto all = nk::checksum::none;
    for (const auto& name : with.given.values("--sum")) {
        const auto one = nk::checksum_from_name(name);
        if (!one)
            throw usage_error("--sum is '" + name + "', expected one of crc32, crc32c, md5");
        all |= *one;
    }
    return all;
}

/// Writes sidecars with checksums of the present data, which is thereby declared correct.
[[nodiscard]] outcome write_sidecars(const context& with) {
    const auto sums = wanted_sums(with);
    return each_file(with, with.given.words(), [&](const fs::path& path) {
        const auto what = array_subject_of(path);
        if (!what.is_single_array())
            throw nk::mismatch_error(
                {.file = path,
                 .field = "format",
                 .expected = "npy or raw",
                 .found = std::string(kind_name(what.kind)),
                 .hint = "only these have a sidecar; archives and chunked arrays store their own checksums"});
        // Requests the former kinds of checksums explicitly. Otherwise old values could be kept without being computed
        // from the data.
        const auto former = look_at_sidecar(open_single(what)).said;
        auto kinds = sums;
        if (kinds == nk::checksum::none && former)
            kinds = nk::kinds_of(former->sums);
        describe_single(what, {.meta = nullptr,
                               .sum = kinds == nk::checksum::none ? nk::checksum::crc32c : kinds,
                               .statistics = with.given.has("--statistics") || (former && former->statistics),
                               .run = with.run});
        const auto look = look_at_sidecar(open_single(what));
        if (!look.said)
            throw no_sidecar(path);
        if (with.given.has("--json")) {
            json_object one;
            one.add_text("file", path.string());
            one.add_text("sidecar", look.path.string());
            json_object kept;
            for (const auto& [name, sum] : look.said->sums)
                kept.add_text(name, sum);
            one.add("checksums", kept);
            with.out << one.str() << '\n';
        } else if (!with.quiet) {
            with.out << shown_path(path) << ": wrote " << shown(look.path.filename().native()) << " ("
                     << claims_of(look) << ")\n";
        }
        return outcome::fine;
    });
}

[[nodiscard]] bool names_input(const context& with) {
    const auto& words = with.given.words();
    return std::any_of(words.begin(), words.end(), [](const auto& word) { return named_as_given(word) == "-"; });
}

[[nodiscard]] outcome verify(const context& with) {
    if (with.given.has("--member") && (with.given.has("--md5") || with.given.has("--write")))
        throw usage_error("--member cannot be combined with --md5 or --write, which process complete files");
    if (with.given.has("--md5")) {
        if (with.given.has("--write"))
            throw usage_error("--md5 and --write cannot be combined");
        return sum_up(with);
    }
    if (with.given.has("--write") && names_input(with))
        throw usage_error("--write needs a file, and '-' is standard input");
    if (with.given.has("--write"))
        return write_sidecars(with);
    if (with.given.has("--sum") || with.given.has("--statistics"))
        throw usage_error("--sum and --statistics need the option --write");
    return each_file(with, with.given.words(), [&](const fs::path& path) {
        const auto word = word_of(path.string(), with.given);
        const auto what = is_database(word.file) ? subject_of(word.file) : described_subject_of(word.file);
        const auto found = judge(with, what, word.member);
        check_interrupted(path);
        if (with.given.has("--json"))
            with.out << verdict_json(word, what, found);
        else
            print_verdict(with, path, found);
        return found.findings.empty() ? outcome::fine : outcome::findings;
    });
}

}  // namespace

command verify_command() {
    return {
        .name = "verify",
        .summary = "Check headers, lengths, checksums and statistics, and report every problem",
        .usage = "[OPTION]... FILE[:MEMBER]...",
        .details =
            "Reads all data. Checks an npy or raw file against its sidecar, every member of an archive or the named\n"
            "one, and every chunk of a chunked array; a finding names the rows of the chunk. Checks the log of a\n"
            "database, and each of its files. With -q, prints findings only.\n"
            "--write creates or renews the sidecar from the current data, even if a stored checksum does not match;\n"
            "metadata and kinds of checksums are kept. --md5 prints the MD5 of each file, and of all files in a\n"
            "folder, in the format of md5sum.\n"
            "Exit status: 0 no findings, 1 findings, 2 error.",
        .options = {{"--write", "", "create or renew the sidecar"},
                    {"--sum", "KIND",
                     "with --write: crc32, crc32c or md5; can be repeated (default: present kinds, else crc32c)"},
                    {"--statistics", "", "with --write: also store count, min, max, mean and std"},
                    {"--md5", "", "print lines for `md5sum -c`"},
                    replace_read_only_option,
                    member_option,
                    json_option},
        .example = "ndkeep verify examples/data/*.np[yz]\n"
                   "ndkeep verify --write --sum md5 f.npy\n"
                   "ndkeep verify --md5 readings | md5sum -c --quiet",
        .least_words = 1,
        .most_words = any_number,
        .run = verify,
        .reads_input = true};
}

}  // namespace tool
