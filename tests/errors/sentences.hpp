// SPDX-License-Identifier: BSD-3-Clause
// Collects the sentences of errors, and compares them with those in tests/data/errors.
#pragma once

#include "support/temp_dir.hpp"

#include <ndkeep/error.hpp>
#include <ndkeep/text/hex.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <typeinfo>

namespace sentences_tests {

namespace nk = ndkeep;

/// The sentences of one file in tests/data/errors. Each call is a line, and the error that it throws is the next line.
///
/// If the environment variable NDKEEP_WRITE_ERRORS is set, the file is written instead of compared.
class sentences {
  public:
    explicit sentences(const std::string& name)
        : file_(std::filesystem::path(NDKEEP_TEST_DATA) / "errors" / (name + ".txt")) {}

    [[nodiscard]] const temp_dir& dir() const noexcept { return dir_; }
    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return dir_ / name; }

    /// Adds the error that `act` throws.
    template <class Act>
    void operator()(std::string_view call, Act&& act) {
        try {
            act();
            FAIL_CHECK("nothing was thrown: " << call);
        } catch (const nk::error& problem) {
            text_ += std::string(call) + "\n    " + kind(problem) + ": " +
                     fixed(problem.what(), dynamic_cast<const nk::checksum_error*>(&problem) != nullptr) + "\n";
        }
    }

    void check() const {
        if (std::getenv("NDKEEP_WRITE_ERRORS") != nullptr)
            write_text(file_, text_);
        CHECK(text_ == read_text(file_));
    }

  private:
    [[nodiscard]] static std::string kind(const nk::error& problem) {
        return dynamic_cast<const nk::io_error*>(&problem) != nullptr         ? "io_error"
               : dynamic_cast<const nk::format_error*>(&problem) != nullptr   ? "format_error"
               : dynamic_cast<const nk::mismatch_error*>(&problem) != nullptr ? "mismatch_error"
               : dynamic_cast<const nk::checksum_error*>(&problem) != nullptr ? "checksum_error"
               : dynamic_cast<const nk::conflict_error*>(&problem) != nullptr ? "conflict_error"
                                                                              : "error";
    }

    /// The sentence without what differs from run to run: the directory, ids, and sums.
    [[nodiscard]] std::string fixed(std::string text, bool is_sum) const {
        const auto path = dir_.path().string();
        for (auto at = text.find(path); at != std::string::npos; at = text.find(path))
            if (text.substr(at + path.size()).starts_with('/'))
                text.erase(at, path.size() + 1);
            else
                text.replace(at, path.size(), "DIRECTORY");
        for (std::size_t at = 0; at < text.size();) {
            std::size_t end = at;
            while (end < text.size() && nk::detail::is_hex_digit(text[end]))
                ++end;
            const std::size_t digits = end - at;
            // Ids have 32 digits, names of chunks 16 and a number that depends on which thread was first, CRCs 8. The
            // CRC of a record with an id is random too.
            if (digits == 16 || digits >= 32 || (digits == 8 && is_sum)) {
                if (digits == 16 && end + 1 < text.size() && text[end] == '-' &&
                    nk::detail::is_hex_digit(text[end + 1]))
                    end += 2;
                text.replace(at, end - at, "RANDOM");
                end = at + std::string_view("RANDOM").size();
            }
            at = std::max(end, at + 1);
        }
        return text;
    }

    temp_dir dir_;
    std::filesystem::path file_;
    std::string text_;
};

}  // namespace sentences_tests
