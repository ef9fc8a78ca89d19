// SPDX-License-Identifier: BSD-3-Clause
// Runs the tool within the test, and makes files for it to read.
#pragma once

#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "tool/tool.hpp"

#include <ndkeep/format/header.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/text/json/print.hpp>

#include <cstring>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include <fcntl.h>   // open
#include <unistd.h>  // dup2: replaces standard input

/// Output and status of a run of the tool.
struct tool_run {
    int status = -1;
    std::string out, err;

    [[nodiscard]] bool has(const std::string& text) const { return out.find(text) != std::string::npos; }
    [[nodiscard]] bool warns(const std::string& text) const { return err.find(text) != std::string::npos; }
    [[nodiscard]] ndkeep::json object() const { return ndkeep::json::parse(out); }
};

[[nodiscard]] inline tool_run run_tool(const std::vector<std::string>& args) {
    std::ostringstream out, err;
    const int status = tool::run(args, out, err);
    return {status, out.str(), err.str()};
}

/// Makes this file standard input as long as it exists.
class input_from {
  public:
    explicit input_from(const std::filesystem::path& file) : former_(::dup(STDIN_FILENO)) {
        const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
        REQUIRE(descriptor >= 0);
        ::dup2(descriptor, STDIN_FILENO);
        ::close(descriptor);
    }
    input_from(const input_from&) = delete;
    input_from& operator=(const input_from&) = delete;
    ~input_from() {
        ::dup2(former_, STDIN_FILENO);
        ::close(former_);
    }

  private:
    int former_;
};

/// The output of a command that succeeds.
[[nodiscard]] inline std::string output_of(const std::string& command, std::vector<std::string> args) {
    args.insert(args.begin(), command);
    const auto said = run_tool(args);
    INFO(said.err);
    CHECK(said.status == 0);
    return said.out;
}

/// Writes an npy file with the bytes of these numbers.
/// @param descr  must match the type of the numbers
template <class T>
std::string write_npy(const std::filesystem::path& path, std::string_view descr, std::vector<std::size_t> shape,
                      const std::vector<T>& values, ndkeep::order file_order = ndkeep::order::row_major) {
    const ndkeep::array_info info{.type = ndkeep::dtype::parse(descr),
                                  .shape = std::move(shape),
                                  .column_major = file_order == ndkeep::order::column_major};
    std::string bytes = ndkeep::header_bytes(info);
    const std::size_t begin = bytes.size();
    bytes.resize(begin + values.size() * sizeof(T));
    if (!values.empty())
        std::memcpy(bytes.data() + begin, values.data(), values.size() * sizeof(T));
    write_text(path, bytes);
    return path.string();
}

/// The numbers 0 to 11 in 3 rows.
[[nodiscard]] inline xt::xtensor<double, 2> twelve() { return xt::reshape_view(xt::arange<double>(12), {3, 4}); }

[[nodiscard]] inline std::string example_data(const char* name) {
    return (std::filesystem::path(NDKEEP_SOURCE_DIR) / "examples/data" / name).string();
}
