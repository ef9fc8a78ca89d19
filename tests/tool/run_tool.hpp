// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool, run within the test.
#pragma once

#include "support/temp_dir.hpp"
#include "tool/tool.hpp"

#include <ndkeep/format/json.hpp>

#include <sstream>
#include <string>
#include <vector>

struct said {
    int status = -1;
    std::string out, err;

    [[nodiscard]] bool has(const std::string& text) const { return out.find(text) != std::string::npos; }
    [[nodiscard]] bool warns(const std::string& text) const { return err.find(text) != std::string::npos; }
    [[nodiscard]] ndkeep::json object() const { return ndkeep::json::parse(out); }
};

[[nodiscard]] inline said run_tool(const std::vector<std::string>& args) {
    std::ostringstream out, err;
    const int status = tool::run(args, out, err);
    return {status, out.str(), err.str()};
}
