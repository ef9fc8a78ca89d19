// SPDX-License-Identifier: BSD-3-Clause
// What is wrong with a file, noted instead of thrown.
#pragma once

#include <ndkeep/error.hpp>

#include <exception>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// Something that is not as it should be.
struct finding {
    std::filesystem::path file;
    std::string field;
    std::string expected;
    std::string found;
    std::string message;       ///< the whole sentence
    std::exception_ptr cause;  ///< what `verify` throws for it
};

namespace detail {

template <class Error>
[[nodiscard]] finding found(const Error& problem) {
    return {problem.file(),  problem.field(), problem.expected(),
            problem.found(), problem.what(),  std::make_exception_ptr(problem)};
}

/// Throws the first thing wrong, if anything is.
void throw_first(const std::vector<finding>& all);

}  // namespace detail

namespace core {

/// Runs a check and notes what it throws.
template <class Check>
[[nodiscard]] bool passes(std::vector<finding>& all, Check&& check) {
    try {
        check();
        return true;
    } catch (const error& problem) {
        auto noted = detail::found(problem);
        noted.cause = std::current_exception();  // of its own kind, not sliced
        all.push_back(std::move(noted));
        return false;
    }
}

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/finding.ipp>
#endif
