// SPDX-License-Identifier: BSD-3-Clause
// A problem found in a file, recorded instead of thrown.
#pragma once

#include <ndkeep/error.hpp>

#include <exception>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// One problem of a file, with the parts of the error that describes it.
struct finding {
    std::filesystem::path file;  ///< the file that has the problem
    std::string field;           ///< what was checked: "dtype", "shape", "crc32c", …
    std::string expected;        ///< what should be there; may be empty
    std::string found;           ///< the actual value
    std::string message;         ///< the complete sentence, `what()` of the error
    std::exception_ptr cause;    ///< the exception that `verify` throws for it
};

/// Prints the message.
std::ostream& operator<<(std::ostream& out, const finding& problem);

namespace detail {

/// Records an error.
template <class Error>
[[nodiscard]] finding found(const Error& problem) {
    return {problem.file(),  problem.field(), problem.expected(),
            problem.found(), problem.what(),  std::make_exception_ptr(problem)};
}

/// Throws the first of the problems; does nothing if there are none.
void throw_first(const std::vector<finding>& all);

}  // namespace detail

namespace core {

/// Runs a check and returns whether it passed. An ndkeep::error that it throws is added to `all`; other exceptions
/// pass through.
template <class Check>
[[nodiscard]] bool passes(std::vector<finding>& all, Check&& check) {
    try {
        check();
        return true;
    } catch (const error& problem) {
        auto noted = detail::found(problem);
        // The exception itself: a copy of `problem` would be sliced to `error`.
        noted.cause = std::current_exception();
        all.push_back(std::move(noted));
        return false;
    }
}

}  // namespace core

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/format/finding.ipp>
#endif
