// SPDX-License-Identifier: BSD-3-Clause
// Runs other programs, mainly a Python with NumPy.
#pragma once

#include "support/temp_dir.hpp"

#include <cstdio>
#include <string>

struct command_result {
    int status = -1;
    std::string output;
};

[[nodiscard]] inline command_result run(const std::string& command) {
    command_result done;
    std::FILE* const pipe = ::popen((command + " 2>&1").c_str(), "r");
    if (pipe == nullptr)
        return done;
    for (int c; (c = std::fgetc(pipe)) != EOF;)
        done.output += static_cast<char>(c);
    done.status = ::pclose(pipe);
    return done;
}

/// The first Python with NumPy; empty if there is none.
[[nodiscard]] inline const std::string& python() {
    static const std::string found = [] {
        for (const std::string each : {"python3", "/usr/bin/python3"})
            if (run(each + " -c 'import numpy'").status == 0)
                return each;
        return std::string();
    }();
    return found;
}

/// Runs a script with the directory as its argument. It fails at the first `assert` that does not hold.
inline void check_in_python(const temp_dir& dir, const std::string& script) {
    if (python().empty()) {
        WARN("no Python with NumPy: nothing checked");
        return;
    }
    write_text(dir / "check.py", "import sys, os, json\nimport numpy as np\nos.chdir(sys.argv[1])\n" + script);
    const auto done = run(python() + " '" + (dir / "check.py").string() + "' '" + dir.path().string() + "'");
    INFO(done.output);
    CHECK(done.status == 0);
}
