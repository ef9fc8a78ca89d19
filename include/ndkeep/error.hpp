// SPDX-License-Identifier: BSD-3-Clause
// The error types, and the sentence that each of them prints.
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

/// The parts of an error. `field` or `found` must be given; every other part may be empty.
///
/// The sentence is `file: field is found, expected expected (hint)`, without the empty parts. It prints characters that
/// control a terminal as \xNN (see `escaped`); the parts keep them.
struct error_parts {
    std::filesystem::path file = {};  ///< empty if it is about no file
    std::string field = {};           ///< what was checked: "dtype", "shape", "data", "member 'x'", …
    std::string expected = {};        ///< quoted if it is text from the file
    std::string found = {};           ///< the actual value, or what failed
    std::string hint = {};            ///< what the caller can do about it
};

namespace core {

/// `text` with all bytes that could control a terminal as \xNN: control characters, characters that change the writing
/// direction, and bytes that are not UTF-8. Text from a file must not control the terminal of its reader. Text that is
/// already escaped does not change.
[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace core

namespace detail {

/// The sentence that `error::what` returns.
[[nodiscard]] std::string sentence(const error_parts& parts);

}  // namespace detail

/// Base class of all errors that ndkeep itself throws.
class error : public std::runtime_error {
  public:
    /// Makes an error, whose `what()` is the sentence of its parts.
    explicit error(error_parts parts) : std::runtime_error(detail::sentence(parts)), parts_(std::move(parts)) {}

    /// The file that the error is about.
    [[nodiscard]] const std::filesystem::path& file() const noexcept { return parts_.file; }
    /// What was checked: "dtype", "shape", "data", "member 'x'", or another part.
    [[nodiscard]] const std::string& field() const noexcept { return parts_.field; }
    /// What should be there.
    [[nodiscard]] const std::string& expected() const noexcept { return parts_.expected; }
    /// What is there instead, or what failed.
    [[nodiscard]] const std::string& found() const noexcept { return parts_.found; }
    /// What the caller can do about it.
    [[nodiscard]] const std::string& hint() const noexcept { return parts_.hint; }
    /// All of these.
    [[nodiscard]] const error_parts& parts() const noexcept { return parts_; }

  private:
    error_parts parts_;
};

/// The operating system reports an error: no such file, no permission, disk full. `code()` is its reason. A call that
/// is stopped throws it with std::errc::operation_canceled.
class io_error : public error {
  public:
    /// Makes the error of one call of the system.
    /// @param what  the operation that failed, as in "cannot open"
    io_error(std::filesystem::path file, std::string_view what, std::error_code code, std::string hint = {})
        : error({.file = std::move(file), .found = std::string(what) + ": " + code.message(), .hint = std::move(hint)}),
          code_(code) {}

    /// The reason that the system gives: `std::errc::no_such_file_or_directory`, `std::errc::operation_canceled`, or
    /// another.
    [[nodiscard]] const std::error_code& code() const noexcept { return code_; }

  private:
    std::error_code code_;
};

/// The bytes do not follow their format: wrong magic, a header with false sizes, a truncated file.
class format_error : public error {
    using error::error;
};

namespace detail {

/// A format_error about one field of a file.
[[nodiscard]] format_error malformed(const std::filesystem::path& file, std::string field, std::string expected,
                                     std::string found, std::string hint = {});

}  // namespace detail

/// The bytes are valid, but not what the caller asked for: another dtype, rank, shape or order.
class mismatch_error : public error {
    using error::error;
};

namespace detail {

/// A mismatch_error about one field of a file.
[[nodiscard]] mismatch_error mismatched(const std::filesystem::path& file, std::string field, std::string expected,
                                        std::string found, std::string hint = {});

}  // namespace detail

/// The bytes are not the ones that were written.
class checksum_error : public error {
    using error::error;
};

/// Another writer or program came first, and has changed or locked what the call needs.
class conflict_error : public error {
    using error::error;
};

/// `text` in single quotes, as Python prints text that contains no quote. It is escaped, and cut after 200 bytes.
[[nodiscard]] std::string quoted(std::string_view text);

/// The same for a std::string. An exact match is preferred to std::quoted, which argument-dependent lookup finds as
/// well.
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
