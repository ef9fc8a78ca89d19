// SPDX-License-Identifier: BSD-3-Clause
// The kinds of error, and the one sentence they print.
#pragma once

#include <ndkeep/version.hpp>

#include <concepts>
#include <cstddef>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

/// What an error is about. Every part may be empty except `field` or `found`.
///
/// The sentence is `file: field is found, expected expected (hint)`, with what is empty left out and what a terminal
/// would obey as \xNN. The parts themselves stay as they are.
struct error_parts {
    std::filesystem::path file = {};
    std::string field = {};     ///< what was looked at: "dtype", "shape", "data", "member 'x'", …
    std::string expected = {};  ///< quoted if it is text of the file
    std::string found = {};
    std::string hint = {};  ///< what the caller can do about it
};

namespace core {

/// `text` with what a terminal would obey as \xNN, so that a file cannot write to the reader's terminal. What is
/// escaped already stays as it is.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace core

namespace detail {

[[nodiscard]] std::string sentence(const error_parts& parts);

}  // namespace detail

/// Base of everything ndkeep throws on its own account.
class error : public std::runtime_error {
  public:
    explicit error(error_parts parts) : std::runtime_error(detail::sentence(parts)), parts_(std::move(parts)) {}

    [[nodiscard]] const std::filesystem::path& file() const noexcept { return parts_.file; }
    [[nodiscard]] const std::string& field() const noexcept { return parts_.field; }
    [[nodiscard]] const std::string& expected() const noexcept { return parts_.expected; }
    [[nodiscard]] const std::string& found() const noexcept { return parts_.found; }
    [[nodiscard]] const std::string& hint() const noexcept { return parts_.hint; }
    [[nodiscard]] const error_parts& parts() const noexcept { return parts_; }

  private:
    error_parts parts_;
};

/// The operating system refused: no such file, no permission, disk full. `code()` is its reason.
class io_error : public error {
  public:
    /// @param what  what was tried, as in "cannot open"
    io_error(std::filesystem::path file, std::string_view what, std::error_code code, std::string hint = {})
        : error({.file = std::move(file), .found = std::string(what) + ": " + code.message(), .hint = std::move(hint)}),
          code_(code) {}

    [[nodiscard]] const std::error_code& code() const noexcept { return code_; }

  private:
    std::error_code code_;
};

/// The bytes are not what their format demands: wrong magic, a header that lies, a file cut short.
class format_error : public error {
    using error::error;
};

namespace detail {

[[nodiscard]] format_error malformed(const std::filesystem::path& file, std::string field, std::string expected,
                                     std::string found, std::string hint = {});

}  // namespace detail

/// The bytes are fine, and not what was asked for: another dtype, rank, shape, order.
class mismatch_error : public error {
    using error::error;
};

/// The bytes are not the ones that were written.
class checksum_error : public error {
    using error::error;
};

/// Somebody else was first: a concurrent writer, a file that is already there.
class conflict_error : public error {
    using error::error;
};

/// `text` in single quotes, as Python prints it when it holds no quote itself; what a terminal would obey as \xNN. Cut
/// after 200 bytes.
[[nodiscard]] std::string quoted(std::string_view text);

/// Preferred to std::quoted, which argument-dependent lookup finds too.
[[nodiscard]] std::string quoted(const std::string& text);

/// "1 byte", "80 bytes", "3 dimensions".
[[nodiscard]] inline std::string counted(std::unsigned_integral auto count, std::string_view noun) {
    return std::to_string(count) + ' ' + std::string(noun) + (count == 1 ? "" : "s");
}

/// A shape as NumPy writes it: "()", "(3,)", "(3, 4)".
template <class Range>
[[nodiscard]] std::string shape_text(const Range& shape) {
    std::string out = "(";
    std::size_t rank = 0;
    for (const auto& extent : shape) {
        if (rank++ != 0)
            out += ", ";
        out += std::to_string(extent);
    }
    return out + (rank == 1 ? ",)" : ")");
}

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/error.ipp>
#endif
