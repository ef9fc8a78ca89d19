// SPDX-License-Identifier: BSD-3-Clause
// Which answers are worth another attempt, when, and what they are as error codes.
#pragma once

#include <ndkeep/os/names.hpp>
#include <ndkeep/s3/detail/http.hpp>
#include <ndkeep/s3/detail/xml.hpp>
#include <ndkeep/version.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <system_error>
#include <thread>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// Statuses of HTTP as error codes. `std::errc::no_such_file_or_directory` and `permission_denied` are recognised.
class http_category final : public std::error_category {
  public:
    [[nodiscard]] const char* name() const noexcept override { return "http"; }
    [[nodiscard]] std::string message(int status) const override { return "HTTP status " + std::to_string(status); }
    [[nodiscard]] std::error_condition default_error_condition(int status) const noexcept override {
        switch (status) {
        case 401:
        case 403:
            return std::errc::permission_denied;
        case 404:
            return std::errc::no_such_file_or_directory;
        case 503:
            return std::errc::resource_unavailable_try_again;
        default:
            return {status, *this};
        }
    }
    [[nodiscard]] static std::error_code code(long status) {
        static const http_category category;
        return {static_cast<int>(status), category};
    }
};

/// Waits between attempts: random times, whose limit doubles.
class retry_pause {
  public:
    explicit retry_pause(std::chrono::milliseconds patience) : end_(clock::now() + patience) {}

    /// Whether there is time for another attempt. If so, waits.
    [[nodiscard]] bool wait() {
        // Random, so that clients that failed together do not come back together.
        const auto pause = std::chrono::milliseconds(random_bits() % static_cast<std::uint64_t>(limit_.count() + 1));
        if (clock::now() + pause >= end_)
            return false;
        std::this_thread::sleep_for(pause);
        limit_ = std::min(2 * limit_, std::chrono::milliseconds(5000));
        return true;
    }

  private:
    using clock = std::chrono::steady_clock;
    clock::time_point end_;
    std::chrono::milliseconds limit_{100};
};

/// Whether the same request may succeed later.
[[nodiscard]] inline bool may_succeed_later(const http_answer& answer) {
    // 409: another operation on the same key is under way. 501: the service does not know what the request asks for.
    if (answer.status == 408 || (answer.status == 400 && xml_element(answer.text, "Code") == "RequestTimeout"))
        return true;
    return answer.status == 0
               ? !answer.was_refused && !answer.is_final
               : answer.status == 409 || answer.status == 429 || (answer.status >= 500 && answer.status != 501);
}

/// Whether an object is absent, and its bucket is not.
[[nodiscard]] inline bool is_absent(const http_answer& answer) {
    return answer.status == 404 && xml_element(answer.text, "Code") != "NoSuchBucket";
}

}  // namespace ndkeep::detail
