// SPDX-License-Identifier: BSD-3-Clause
// Requests over HTTP by libcurl: one answer for each, or the reason that there is none.
#pragma once

#include <ndkeep/version.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// How a client connects.
struct http_settings {
    std::chrono::milliseconds connect = std::chrono::seconds(10);  // limit of the time to connect
    std::chrono::seconds stall = std::chrono::seconds(30);         // limit of the time in which no byte moves
    std::string ca_file = {};                                      // empty: that of libcurl
};

/// The keys that sign a request, by AWS Signature Version 4.
struct http_signer {
    std::string key, secret, token;  // token: empty without
    std::string scheme;              // "aws:amz:REGION:SERVICE"
};

struct http_answer {
    long status = 0;                                  // 0: there is none
    bool was_sent = true;                             // whether the server may have acted on the request
    bool was_refused = false;                         // by `receive`
    bool is_final = false;                            // there is no answer, and the same request will not get one
    std::string failure = {};                         // why there is no answer
    std::error_code failure_code = {};                // the same
    std::string text = {};                            // the body of an answer that is no success, 64 KiB at most
    std::map<std::string, std::string> headers = {};  // names in lower case

    [[nodiscard]] bool is_success() const noexcept { return status >= 200 && status < 300; }
    /// The value of a header; "" if absent.
    [[nodiscard]] std::string header(const std::string& name) const;
};

struct http_request {
    std::string method = "GET";
    std::string url = {};                                   // of percent-encoded text
    std::vector<std::string> headers = {};                  // "name: value"
    std::span<const std::span<const std::byte>> body = {};  // of PUT and POST
    std::string body_sha256 = {};                           // if it is signed; empty: of no bytes
    const http_signer* signer = nullptr;                    // without, it is not signed
    /// Takes the body of a success in pieces, with the headers; false: no more.
    std::function<bool(const http_answer&, std::span<const std::byte>)> receive = {};
    std::chrono::milliseconds patience = {};  // limit of the whole request; 0: none
};

/// Sends requests, from several threads at once. Connections are used again.
class http_client {
  public:
    explicit http_client(http_settings settings);
    ~http_client();
    http_client(const http_client&) = delete;
    http_client& operator=(const http_client&) = delete;

    /// Sends a request once.
    [[nodiscard]] http_answer send(const http_request& request);
    /// The number of requests so far.
    [[nodiscard]] std::uint64_t sent() const;

  private:
    struct handle;  // of libcurl
    [[nodiscard]] std::unique_ptr<handle> take();
    void give_back(std::unique_ptr<handle> used);

    http_settings settings_;
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<handle>> idle_;
    std::uint64_t sent_ = 0;
};

/// The time of a header, as in "Mon, 30 Nov 2026 12:00:00 GMT"; nullopt if it is none.
[[nodiscard]] std::optional<std::chrono::sys_seconds> http_time(const std::string& text);

/// A time as in "2026-11-30T12:00:00.000Z"; nullopt if it is none.
[[nodiscard]] std::optional<std::chrono::sys_seconds> iso_time(const std::string& text);

/// Percent-encodes all bytes but letters, digits and "-._~", and keeps "/" on request.
[[nodiscard]] std::string percent_encoded(const std::string& text, bool keep_slashes);

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/s3/detail/http.ipp>
#endif
