// SPDX-License-Identifier: BSD-3-Clause
// A temporary directory for a test, and helpers to catch errors.
#pragma once

#include "support/catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>

#include <unistd.h>

/// A fresh directory, removed at the end of the test.
class temp_dir {
  public:
    temp_dir() : temp_dir(std::filesystem::temp_directory_path()) {}
    explicit temp_dir(const std::filesystem::path& parent) {
        auto pattern = (parent / "ndkeep-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr)
            throw std::runtime_error("cannot make " + pattern);
        path_ = pattern;
    }
    temp_dir(const temp_dir&) = delete;
    temp_dir& operator=(const temp_dir&) = delete;
    ~temp_dir() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    /// For thousands of files: in memory, if the system has a directory there.
    [[nodiscard]] static temp_dir in_memory() {
        const std::filesystem::path memory = "/dev/shm";
        return temp_dir(::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path());
    }

    [[nodiscard]] std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

    /// File names in it, except hidden files that a killed writer leaves.
    [[nodiscard]] std::size_t visible_files() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(path_))
            count += entry.path().filename().string().front() != '.';
        return count;
    }
    /// The hidden file names.
    [[nodiscard]] std::set<std::string> hidden_files() const {
        std::set<std::string> hidden;
        for (const auto& entry : std::filesystem::directory_iterator(path_))
            if (const auto name = entry.path().filename().string(); name.front() == '.')
                hidden.insert(name);
        return hidden;
    }
    [[nodiscard]] std::size_t files() const {
        const std::filesystem::directory_iterator entries(path_);
        return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
    }

  private:
    std::filesystem::path path_;
};

/// Makes a directory the current one as long as this object lives.
class in_directory {
  public:
    explicit in_directory(const std::filesystem::path& directory) : former_(std::filesystem::current_path()) {
        std::filesystem::current_path(directory);
    }
    in_directory(const in_directory&) = delete;
    in_directory& operator=(const in_directory&) = delete;
    ~in_directory() { std::filesystem::current_path(former_); }

  private:
    std::filesystem::path former_;
};

/// The exception that `call` throws; it must be an Error.
template <class Error, class Call>
[[nodiscard]] Error thrown(Call&& call) {
    try {
        call();
    } catch (const Error& error) {
        return error;
    }
    throw std::runtime_error("nothing was thrown");
}

/// The exception that `act` throws, if it is an Error; nullopt if `act` returns.
template <class Error, class Act>
[[nodiscard]] std::optional<Error> caught(Act&& act) {
    try {
        act();
        return std::nullopt;
    } catch (const Error& problem) {
        return problem;
    }
}

[[nodiscard]] inline std::string read_text(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_text(const std::filesystem::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
}
