// SPDX-License-Identifier: BSD-3-Clause
// completion: prints a script with which the shell completes commands, options and files.
#include "commands.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace tool {

namespace {

constexpr std::string_view shells = "bash zsh fish";

/// Text in single quotes, in which zsh and fish change nothing but what is replaced here.
/// @param quote      what stands for a single quote
/// @param backslash  what stands for a backslash
[[nodiscard]] std::string in_quotes(std::string_view text, std::string_view quote, std::string_view backslash) {
    std::string out = "'";
    for (const char c : text)
        out += c == '\'' ? quote : c == '\\' ? backslash : std::string_view(&c, 1);
    return out + '\'';
}

[[nodiscard]] std::vector<option> all_options(const command& of) {
    auto all = of.options;
    all.insert(all.end(), common_options().begin(), common_options().end());
    return all;
}

[[nodiscard]] std::string option_words(const command& of) {
    std::string words;
    for (const option& each : all_options(of))
        words.append(words.empty() ? "" : " ").append(each.name);
    return words;
}

/// The command of a line whose first word is a file.
[[nodiscard]] const command& default_command() { return commands().front(); }

[[nodiscard]] std::string zsh_word(std::string_view text) { return in_quotes(text, R"('\'')", R"(\)"); }
[[nodiscard]] std::string fish_word(std::string_view text) { return in_quotes(text, R"(\')", R"(\\)"); }

/// The arguments of zsh's `_arguments` for an option, one a line.
[[nodiscard]] std::string zsh_option(const option& of) {
    std::string summary;
    for (const char c : of.summary) {
        if (std::string_view("[]:\\").find(c) != std::string_view::npos)
            summary += '\\';
        summary += c;
    }
    const std::string name(of.name), value(of.value);
    std::string action;  // one for each value
    for (std::size_t begin = 0; begin < value.size();) {
        const std::size_t end = std::min(value.find(' ', begin), value.size());
        const auto word = value.substr(begin, end - begin);
        action += ':' + word + (word == "FILE" ? ":_files" : ": ");
        begin = end + 1;
    }
    const auto line = [&](const std::string& begin, const std::string& form) {
        return "            " + zsh_word(begin + form + '[' + summary + ']' + action) + '\n';
    };
    const std::string equals = value.empty() ? "" : "=";
    if (of.letter == '\0')
        return line("", name + equals);
    const auto letter = std::string("-") + of.letter;
    const auto either = '(' + letter + ' ' + name + ')';
    return line(either, letter) + line(either, name + equals);
}

[[nodiscard]] std::string zsh_case(const std::string& word, const command& of) {
    std::string out = "        " + word + ") options=(\n";
    for (const option& each : all_options(of))
        out += zsh_option(each);
    return out + "        ) ;;\n";
}

void print_zsh(std::ostream& out) {
    std::string names, cases;
    for (const command& each : commands()) {
        names += "        " + zsh_word(std::string(each.name) + ':' + std::string(each.summary)) + '\n';
        if (each.name != "completion")
            cases += zsh_case(std::string(each.name), each);
    }
    cases += zsh_case("*", default_command());
    out << "#compdef ndkeep\n"
           "# zsh completion of ndkeep, printed by `ndkeep completion zsh`\n"
           "_ndkeep() {\n"
           "    local name\n"
           "    local -a commands options\n"
           "    commands=(\n"
        << names
        << "        'help:Print the help of a command'\n"
           "    )\n"
           "    if (( CURRENT == 2 )); then\n"
           "        _describe -t commands command commands\n"
           "        _files\n"
           "        return\n"
           "    fi\n"
           "    name=$words[2]\n"
           "    shift words\n"
           "    (( CURRENT-- ))\n"
           "    case $name in\n"
           "        help) _describe -t commands command commands; return ;;\n"
           "        completion) _values shell "
        << shells << "; return ;;\n"
        << cases
        << "    esac\n"
           "    _arguments -s $options '*:file:_files'\n"
           "}\n"
           "# As a file in $fpath this is the body of the function; otherwise the function is registered.\n"
           "if [[ $funcstack[1] == _ndkeep ]]; then\n"
           "    _ndkeep \"$@\"\n"
           "else\n"
           "    compdef _ndkeep ndkeep\n"
           "fi\n";
}

void print_fish(std::ostream& out) {
    std::string names;
    out << "# fish completion of ndkeep, printed by `ndkeep completion fish`\n";
    const auto option_line = [&](const std::string& condition, const option& of) {
        out << "complete -c ndkeep" << condition << " -l " << of.name.substr(2);
        if (of.letter != '\0')
            out << " -s " << of.letter;
        if (!of.value.empty())
            out << (of.value == "FILE" ? " -r" : " -x");  // followed by a file, or by another value
        out << " -d " << fish_word(of.summary) << '\n';
    };
    for (const command& each : commands()) {
        const std::string name(each.name);
        names += name + ' ';
        out << "complete -c ndkeep -n __fish_use_subcommand -a " << name << " -d " << fish_word(each.summary) << '\n';
        for (const option& one : each.options)
            option_line(" -n '__fish_seen_subcommand_from " + name + "'", one);
    }
    for (const option& one : common_options())
        option_line("", one);
    out << "complete -c ndkeep -n __fish_use_subcommand -a help -d 'Print the help of a command'\n"
           "complete -c ndkeep -n '__fish_seen_subcommand_from help' -f -a '"
        << names
        << "'\n"
           "complete -c ndkeep -n '__fish_seen_subcommand_from completion' -f -a '"
        << shells << "'\n";
}

void print_bash(std::ostream& out) {
    std::string names, cases;
    for (const command& each : commands()) {
        if (each.name == "completion") {
            names += "completion ";
            continue;
        }
        names += std::string(each.name) + ' ';
        cases += "        " + std::string(each.name) + ") options='" + option_words(each) + "' ;;\n";
    }
    out << "# bash completion of ndkeep, printed by `ndkeep completion bash`\n"
           "_ndkeep() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} options='' commands='"
        << names
        << "help'\n"
           "    COMPREPLY=()\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
           "        case $word in\n"
           "            -*) COMPREPLY=($(compgen -W '--help --version' -- \"$word\")) ;;\n"
           "            *) mapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$word\"; compgen -f -- \"$word\") "
           ";;\n"
           "        esac\n"
           "        return\n"
           "    fi\n"
           "    case ${COMP_WORDS[1]} in\n"
        << cases
        << "        help) COMPREPLY=($(compgen -W \"$commands\" -- \"$word\")); return ;;\n"
           "        completion) COMPREPLY=($(compgen -W '"
        << shells
        << "' -- \"$word\")); return ;;\n"
           "        *) options='"
        << option_words(default_command())
        << "' ;;\n"
           "    esac\n"
           "    case $word in\n"
           "        -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
           "        *) mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
           "    esac\n"
           "}\n"
           "complete -o filenames -F _ndkeep ndkeep\n";
}

[[nodiscard]] outcome completion(const context& with) {
    const auto& shell = with.given.words()[0];
    if (shell == "bash")
        print_bash(with.out);
    else if (shell == "zsh")
        print_zsh(with.out);
    else if (shell == "fish")
        print_fish(with.out);
    else
        throw usage_error("completion: the shell is '" + shell + "', expected one of bash, zsh, fish");
    return outcome::fine;
}

}  // namespace

command completion_command() {
    return {.name = "completion",
            .summary = "Print a shell script that completes commands, options and files",
            .usage = "bash|zsh|fish",
            .details =
                "bash: in ~/.bashrc, eval \"$(ndkeep completion bash)\".\n"
                "zsh:  in ~/.zshrc after compinit, eval \"$(ndkeep completion zsh)\", or as the file _ndkeep in a\n"
                "      folder of $fpath.\n"
                "fish: as the file ~/.config/fish/completions/ndkeep.fish.",
            .options = {},
            .example = "ndkeep completion bash > ~/.local/share/bash-completion/completions/ndkeep",
            .least_words = 1,
            .most_words = 1,
            .run = completion};
}

}  // namespace tool
