// SPDX-License-Identifier: BSD-3-Clause
// completion: prints a script with which the shell completes commands, options and files.
#include "commands.hpp"

namespace tool {

namespace {

[[nodiscard]] std::string option_words(const command& of) {
    std::string words;
    const auto add = [&](const option& each) { words.append(words.empty() ? "" : " ").append(each.name); };
    for (const option& each : of.options)
        add(each);
    for (const option& each : common_options())
        add(each);
    return words;
}

[[nodiscard]] outcome completion(const context& with) {
    const auto& shell = with.given.words()[0];
    if (shell != "bash")
        throw usage_error("completion: the shell is '" + shell + "', expected bash");
    std::string names, cases;
    for (const command& each : commands()) {
        if (each.name == "completion") {
            names += "completion ";
            continue;
        }
        names += std::string(each.name) + ' ';
        cases += "        " + std::string(each.name) + ") options='" + option_words(each) + "' ;;\n";
    }
    with.out
        << "# bash completion of ndkeep, printed by `ndkeep completion bash`\n"
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
           "        completion) COMPREPLY=($(compgen -W 'bash' -- \"$word\")); return ;;\n"
           "        *) options='--json --color --threads --quiet --help' ;;\n"
           "    esac\n"
           "    case $word in\n"
           "        -*) COMPREPLY=($(compgen -W \"$options\" -- \"$word\")) ;;\n"
           "        *) mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
           "    esac\n"
           "}\n"
           "complete -o filenames -F _ndkeep ndkeep\n";
    return outcome::fine;
}

}  // namespace

command completion_command() {
    return {.name = "completion",
            .summary = "Print a shell script that completes commands, options and files",
            .usage = "bash",
            .details = "Only bash is supported.",
            .options = {},
            .example = "ndkeep completion bash > ~/.local/share/bash-completion/completions/ndkeep",
            .least_words = 1,
            .most_words = 1,
            .run = completion};
}

}  // namespace tool
