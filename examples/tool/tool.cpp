// SPDX-License-Identifier: BSD-3-Clause
// Command dispatch: finds the command, reads its options, runs it and reports errors.
#include "tool.hpp"

#include "array_word.hpp"
#include "commands.hpp"
#include "input_copy.hpp"
#include "output.hpp"
#include "subject.hpp"

#include <ndkeep/error.hpp>
#include <ndkeep/work/progress_bar.hpp>

#include <algorithm>
#include <array>
#include <new>
#include <optional>

namespace tool {

namespace {

constexpr std::string_view name_of_tool = "ndkeep";

[[nodiscard]] const command* find_command(std::string_view name) {
    for (const command& each : commands())
        if (each.name == name)
            return &each;
    return nullptr;
}

void print_options(std::ostream& out, std::span<const option> options) {
    for (const option& each : options) {
        std::string line = each.letter == '\0' ? "      " : std::string("  -") + each.letter + ", ";
        line += each.name;
        if (!each.value.empty())
            line += ' ' + std::string(each.value);
        constexpr std::size_t column = 28;
        line.resize(std::max(line.size() + 2, column), ' ');
        out << line << each.summary << '\n';
    }
}

void print_help(std::ostream& out) {
    out << "Inspect, check, compare and convert array files: npy, npz, pickles, chunked arrays, databases, and raw "
           "files\n"
           "with a sidecar.\n\n"
           "usage: ndkeep FILE...             same as ndkeep info FILE...\n"
           "       ndkeep COMMAND [OPTION]... [FILE]...\n\n"
           "commands:\n";
    for (const command& each : commands()) {
        std::string line = "  " + std::string(each.name);
        constexpr std::size_t column = 14;
        line.resize(std::max(line.size() + 2, column), ' ');
        out << line << each.summary << '\n';
    }
    out << "\noptions of every command (`ndkeep COMMAND --help` lists all options of one):\n";
    print_options(out, common_options());
    out << "\nbuckets: s3://BUCKET/NAME is a chunked array in a bucket, for every command but bench, if the tool was\n"
           "built with libcurl. ls and tree list the chunked arrays below s3://BUCKET and s3://BUCKET/PREFIX. The\n"
           "server, the region and the keys are those of other programs for S3: AWS_ENDPOINT_URL (without it, AWS),\n"
           "AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile AWS_PROFILE in ~/.aws, or the\n"
           "role of the machine. Proxies are those of curl (https_proxy).\n"
           "\nexit status: 0 success, 1 differences or findings, 2 error, 130 interrupted by Ctrl-C.\n\n"
           "example:\n  ndkeep info examples/data/seattle_hourly.npy\n";
}

void print_help(std::ostream& out, const command& of) {
    out << of.summary << ".\n\nusage: " << name_of_tool << ' ' << of.name << ' ' << of.usage << '\n';
    if (!of.details.empty())
        out << '\n' << of.details << '\n';
    if (of.reads_input)
        out << "\n\"-\" is standard input (npy, npz or a pickle). It is copied to the folder for temporary files "
               "(TMPDIR), which "
               "must\nhave room for it.\n";
    out << "\noptions:\n";
    print_options(out, of.options);
    print_options(out, common_options());
    out << "\nexample:\n";
    for (std::string_view rest = of.example; !rest.empty();) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        out << "  " << rest.substr(0, end) << '\n';
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
}

[[nodiscard]] usage_error unknown_command(const std::string& word, std::string_view expected) {
    std::vector<std::string_view> names = {"help"};
    for (const command& each : commands())
        names.push_back(each.name);
    return usage_error(ndkeep::quoted(word) + " is not " + std::string(expected) + suggestion(word, names));
}

/// Whether an unknown first word is probably a file: it exists, names a member of a file, or looks like a path.
[[nodiscard]] bool is_meant_as_file(const std::string& word) {
    return is_there(word) || word_of(word).member || word.find_first_of("./") != std::string::npos;
}

[[nodiscard]] outcome run_command(const command& chosen, std::span<const std::string> rest, std::ostream& out,
                                  std::ostream& err) {
    std::vector<option> known = chosen.options;
    known.insert(known.end(), common_options().begin(), common_options().end());
    arguments given(rest, known);
    if (given.has("--help")) {
        print_help(out, chosen);
        return outcome::fine;
    }
    const std::size_t words = given.words().size();
    const auto usage = [&] {
        return " (usage: ndkeep " + std::string(chosen.name) + ' ' + std::string(chosen.usage) + ')';
    };
    if (words < chosen.least_words)
        throw usage_error(std::string(chosen.name) + ": found " + ndkeep::counted(words, "argument") + ", expected " +
                          (chosen.most_words == chosen.least_words ? "" : "at least ") +
                          std::to_string(chosen.least_words) + usage());
    if (words > chosen.most_words)
        throw usage_error(std::string(chosen.name) + ": unexpected argument " +
                          ndkeep::quoted(given.words()[chosen.most_words]) + usage());
    constexpr std::array<std::string_view, 3> colours = {"auto", "always", "never"};
    context with{given, out, err, terminal_of(out, given.choice("--color", colours)), given.has("--quiet"), {}};
    with.run.threads = given.number("--threads", 0U);
    with.run.stop = &interrupted();
    with.run.replace_read_only = given.has(replace_read_only_option.name);
    if (!with.quiet && &err == &std::cerr && ndkeep::errors_go_to_terminal())
        with.run.progress = ndkeep::progress_bar(true);
    std::optional<input_copy> input;
    if (chosen.reads_input && std::find(given.words().begin(), given.words().end(), "-") != given.words().end())
        given.replace("-", input.emplace().path().string());
    return chosen.run(with);
}

[[nodiscard]] outcome run_line(const std::vector<std::string>& args, std::ostream& out, std::ostream& err) {
    const std::span<const std::string> all(args);
    if (args.empty()) {
        print_help(err);
        return outcome::failure;
    }
    const std::string& first = args.front();
    if (first == "--version") {
        out << name_of_tool << ' ' << NDKEEP_VERSION_MAJOR << '.' << NDKEEP_VERSION_MINOR << '.' << NDKEEP_VERSION_PATCH
            << '\n';
        return outcome::fine;
    }
    if (first == "--help" || first == "-h" || first == "help") {
        if (args.size() == 1) {
            print_help(out);
            return outcome::fine;
        }
        const command* const wanted = find_command(args[1]);
        if (wanted == nullptr)
            throw unknown_command(args[1], "a command");
        print_help(out, *wanted);
        return outcome::fine;
    }
    if (const command* const chosen = find_command(first))
        return run_command(*chosen, all.subspan(1), out, err);
    if (first.starts_with('-') || is_meant_as_file(first))
        return run_command(*find_command("info"), all, out, err);
    throw unknown_command(first, "a command or an existing file");
}

[[nodiscard]] outcome run_caught(const std::vector<std::string>& args, std::ostream& out, std::ostream& err) {
    const auto say = [&err](std::string_view message) {
        err << name_of_tool << ": " << shown(message) << '\n';
        return outcome::failure;
    };
    try {
        return run_line(args, out, err);
    } catch (const ndkeep::io_error& problem) {
        if (interrupted() && problem.code() == std::errc::operation_canceled)
            return outcome::interrupted;
        return say(message_of(problem));
    } catch (const usage_error& problem) {
        (void)say(problem.what());
        const command* const chosen = find_command(args.front());
        err << "Try `" << name_of_tool << ' ' << (chosen == nullptr ? "" : std::string(chosen->name) + ' ')
            << "--help`.\n";
        return outcome::failure;
    } catch (const std::bad_alloc&) {
        return say("not enough memory");
    } catch (const std::exception& problem) {
        return say(problem.what());
    }
}

}  // namespace

const std::vector<command>& commands() {
    static const std::vector<command> all = {
        info_command(),  ls_command(),      tree_command(),    show_command(),    stats_command(),
        heat_command(),  diff_command(),    verify_command(),  convert_command(), meta_command(),
        bench_command(), recover_command(), compact_command(), prune_command(),   completion_command(),
    };
    return all;
}

std::span<const option> common_options() {
    static constexpr std::array<option, 4> all = {{
        {"--color", "WHEN", "auto, always or never (default: auto, on a terminal unless NO_COLOR is set)"},
        {"--threads", "N", "maximum number of threads (default: number of processors)"},
        {"--quiet", "", "no progress bar, no notes", 'q'},
        {"--help", "", "print this help", 'h'},
    }};
    return all;
}

int run(const std::vector<std::string>& args, std::ostream& out, std::ostream& err) {
    try {
        const auto result = run_caught(args, out, err);
        if (!out.flush()) {
            err << name_of_tool << ": cannot write the output\n";
            return static_cast<int>(outcome::failure);
        }
        return static_cast<int>(result);
    } catch (...) {
        return static_cast<int>(outcome::failure);
    }
}

std::string message_of(const ndkeep::error& problem) {
    // Hints for programs, about options that the tool gives other names or does not have.
    const bool is_protected = problem.hint().find("replace_read_only") != std::string::npos;
    if (!is_protected && problem.hint().find(".opaque") == std::string::npos)
        return problem.what();
    auto parts = problem.parts();
    parts.hint = is_protected ? "make it writable, or use the option " + std::string(replace_read_only_option.name)
                              : "nothing of a pickle is run, so that only plain values can be read";
    return ndkeep::error(std::move(parts)).what();
}

std::atomic<bool>& interrupted() noexcept {
    static std::atomic<bool> flag = false;
    return flag;
}

void check_interrupted(const std::filesystem::path& file) {
    if (interrupted())
        throw ndkeep::io_error(file, "stopped", std::make_error_code(std::errc::operation_canceled));
}

}  // namespace tool
