// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/s3/detail/http.hpp>.
#pragma once

#include <ndkeep/s3/detail/http.hpp>

#include <ndkeep/os/process.hpp>

#if !__has_include(<curl/curl.h>)
#error                                                                                                                 \
    "ndkeep/s3.hpp needs libcurl 7.88 or later (Debian: libcurl4-openssl-dev); link the CMake target ndkeep::s3_compiled or ndkeep::s3"
#endif
#include <curl/curl.h>
#if LIBCURL_VERSION_NUM < 0x075800
#error "ndkeep/s3.hpp needs libcurl 7.88 or later: older ones sign requests in ways that services of S3 reject"
#endif

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The part of a body that was sent.
struct http_upload {
    std::span<const std::span<const std::byte>> parts;
    std::size_t part = 0, at = 0;

    [[nodiscard]] std::uint64_t size() const {
        std::uint64_t all = 0;
        for (const auto each : parts)
            all += each.size();
        return all;
    }
    std::size_t read(std::byte* out, std::size_t most) {
        std::size_t copied = 0;
        while (part < parts.size() && copied < most) {
            const auto rest = parts[part].subspan(at);
            const std::size_t some = std::min(rest.size(), most - copied);
            std::copy_n(rest.begin(), some, out + copied);
            copied += some;
            at += some;
            if (at == parts[part].size()) {
                ++part;
                at = 0;
            }
        }
        return copied;
    }
    void rewind(std::uint64_t to) {
        for (part = 0; part < parts.size() && to >= parts[part].size(); ++part)
            to -= parts[part].size();
        at = static_cast<std::size_t>(to);
    }
};

/// What the callbacks of one request know.
struct http_exchange {
    const http_request& request;
    http_answer& answer;
    CURL* of;
    http_upload upload{request.body};
    std::exception_ptr problem = nullptr;  // of a function that libcurl calls

    static std::size_t on_read(char* out, std::size_t size, std::size_t count, void* self) {
        return static_cast<http_exchange*>(self)->upload.read(reinterpret_cast<std::byte*>(out), size * count);
    }
    static int on_seek(void* self, curl_off_t offset, int origin) {
        if (origin != SEEK_SET || offset < 0)
            return CURL_SEEKFUNC_CANTSEEK;
        static_cast<http_exchange*>(self)->upload.rewind(static_cast<std::uint64_t>(offset));
        return CURL_SEEKFUNC_OK;
    }
    static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self) noexcept {
        return static_cast<http_exchange*>(self)->take_body({reinterpret_cast<const std::byte*>(bytes), size * count});
    }
    static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self) noexcept {
        return static_cast<http_exchange*>(self)->take_header({bytes, size * count});
    }

    std::size_t take_body(std::span<const std::byte> bytes) noexcept {
        long status = 0;
        curl_easy_getinfo(of, CURLINFO_RESPONSE_CODE, &status);
        try {
            answer.status = status;
            if (answer.is_success() && request.receive) {
                if (request.receive(answer, bytes))
                    return bytes.size();
                answer.was_refused = true;
                return 0;
            }
            constexpr std::size_t most = std::size_t{64} << 10;
            const std::size_t some = std::min(bytes.size(), most - std::min(most, answer.text.size()));
            answer.text.append(reinterpret_cast<const char*>(bytes.data()), some);
            return bytes.size();
        } catch (...) {
            problem = std::current_exception();
            return 0;
        }
    }
    std::size_t take_header(std::string_view line) noexcept {
        try {
            if (line.starts_with("HTTP/"))
                answer.headers.clear();  // of an answer such as "100 Continue"
            const std::size_t colon = line.find(':');
            if (colon != std::string_view::npos) {
                std::string name(line.substr(0, colon));
                for (char& each : name)
                    each = each >= 'A' && each <= 'Z' ? static_cast<char>(each - 'A' + 'a') : each;
                std::string_view value = line.substr(colon + 1);
                while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
                    value.remove_prefix(1);
                while (!value.empty() && static_cast<unsigned char>(value.back()) <= ' ')
                    value.remove_suffix(1);
                answer.headers[std::move(name)] = value;
            }
            constexpr std::size_t most = 1000;
            return answer.headers.size() > most ? 0 : line.size();
        } catch (...) {
            problem = std::current_exception();
            return 0;
        }
    }
};

struct http_client::handle {
    CURL* curl = curl_easy_init();
    owning_process owner;
    bool has_sent = false;  // a request before

    handle() = default;
    handle(const handle&) = delete;
    handle& operator=(const handle&) = delete;
    // A forked child must not end the connections that its parent uses.
    ~handle() {
        if (owner.is_this())
            curl_easy_cleanup(curl);
    }
};

/// Headers in the form of libcurl.
class http_headers {
  public:
    http_headers() = default;
    http_headers(const http_headers&) = delete;
    http_headers& operator=(const http_headers&) = delete;
    ~http_headers() { curl_slist_free_all(list_); }

    void add(const std::string& line) {
        curl_slist* const longer = curl_slist_append(list_, line.c_str());
        if (longer == nullptr)
            throw std::bad_alloc();
        list_ = longer;
    }
    [[nodiscard]] curl_slist* list() const noexcept { return list_; }

  private:
    curl_slist* list_ = nullptr;
};

NDKEEP_INLINE std::string http_answer::header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
}

NDKEEP_INLINE http_client::http_client(http_settings settings) : settings_(std::move(settings)) {
    // Once for the process, before other threads use the library.
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (ready != CURLE_OK)
        throw std::bad_alloc();
}

NDKEEP_INLINE http_client::~http_client() = default;

NDKEEP_INLINE std::uint64_t http_client::sent() const {
    const std::lock_guard<std::mutex> alone(mutex_);
    return sent_;
}

NDKEEP_INLINE std::unique_ptr<http_client::handle> http_client::take() {
    {
        const std::lock_guard<std::mutex> alone(mutex_);
        ++sent_;
        while (!idle_.empty()) {
            auto used = std::move(idle_.back());
            idle_.pop_back();
            if (used->owner.is_this())
                return used;
        }
    }
    auto made = std::make_unique<handle>();
    if (made->curl == nullptr)
        throw std::bad_alloc();
    return made;
}

NDKEEP_INLINE void http_client::give_back(std::unique_ptr<handle> used) {
    // This keeps the connections.
    curl_easy_reset(used->curl);
    const std::lock_guard<std::mutex> alone(mutex_);
    idle_.push_back(std::move(used));
}

/// Whether a request that failed with this code was surely not carried out.
[[nodiscard]] inline bool was_never_sent(CURLcode code) noexcept {
    switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return true;
    default:
        return false;
    }
}

/// Whether a request that failed with this code fails again, until somebody changes its options or the server's.
[[nodiscard]] inline bool fails_again(CURLcode code) noexcept {
    switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
        return true;
    default:
        return false;
    }
}

/// A code of libcurl as one of the system.
[[nodiscard]] inline std::error_code failure_code(CURLcode code) {
    const auto meant = [&] {
        switch (code) {
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_RESOLVE_HOST:
            return std::errc::host_unreachable;
        case CURLE_COULDNT_CONNECT:
            return std::errc::connection_refused;
        case CURLE_OPERATION_TIMEDOUT:
            return std::errc::timed_out;
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_URL_MALFORMAT:
            return std::errc::protocol_error;
        default:
            return std::errc::connection_reset;
        }
    };
    return std::make_error_code(meant());
}

NDKEEP_INLINE http_answer http_client::send(const http_request& request) {
    http_answer answer;
    auto used = take();
    CURL* const curl = used->curl;
    http_exchange exchange{request, answer, curl};
    http_headers headers;
    for (const auto& line : request.headers)
        headers.add(line);
    curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.connect.count()));
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings_.stall.count()));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.patience.count()));
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 512L << 10);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    // No round trip before the body. "Expect:" without a value would be signed by libcurl 7.88, but not sent.
    curl_easy_setopt(curl, CURLOPT_EXPECT_100_TIMEOUT_MS, 1L);
    if (!settings_.ca_file.empty())
        curl_easy_setopt(curl, CURLOPT_CAINFO, settings_.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &http_exchange::on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &http_exchange::on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &exchange);
    if (request.method == "HEAD") {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (request.method == "PUT" || request.method == "POST") {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(exchange.upload.size()));
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, &http_exchange::on_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, &exchange);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, &http_exchange::on_seek);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, &exchange);
    }
    if (request.method != "GET" && request.method != "HEAD" && request.method != "PUT")
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    std::string login;
    if (request.signer != nullptr) {
        constexpr const char* sum_of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        login = request.signer->key + ':' + request.signer->secret;
        headers.add("x-amz-content-sha256: " + (request.body_sha256.empty() ? sum_of_nothing : request.body_sha256));
        if (!request.signer->token.empty())
            headers.add("x-amz-security-token: " + request.signer->token);
        curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, request.signer->scheme.c_str());
        curl_easy_setopt(curl, CURLOPT_USERPWD, login.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.list());
    std::array<char, CURL_ERROR_SIZE> reason = {};
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason.data());

    const CURLcode code = curl_easy_perform(curl);
    if (exchange.problem)
        std::rethrow_exception(exchange.problem);
    if (code == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer.status);
    } else {
        answer.status = 0;
        answer.failure = reason[0] != '\0' ? reason.data() : curl_easy_strerror(code);
        // libcurl sends a request again by itself if a connection that was used before has ended.
        answer.was_sent = used->has_sent || !was_never_sent(code);
        answer.is_final = fails_again(code);
        answer.failure_code = failure_code(code);
    }
    used->has_sent = true;
    give_back(std::move(used));
    return answer;
}

NDKEEP_INLINE std::optional<std::chrono::sys_seconds> http_time(const std::string& text) {
    const auto seconds = curl_getdate(text.c_str(), nullptr);
    return seconds < 0 ? std::nullopt : std::optional(std::chrono::sys_seconds(std::chrono::seconds(seconds)));
}

NDKEEP_INLINE std::optional<std::chrono::sys_seconds> iso_time(const std::string& text) {
    // Six numbers, with one byte between them.
    std::array<int, 6> numbers = {};
    const char *at = text.data(), *const end = at + text.size();
    for (auto& number : numbers) {
        const auto [behind, problem] = std::from_chars(at, end, number);
        if (problem != std::errc())
            return std::nullopt;
        at = behind == end ? end : behind + 1;
    }
    const auto [year, month, day, hour, minute, second] = numbers;
    const auto date = std::chrono::year(year) / month / day;
    if (!date.ok())
        return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
           std::chrono::seconds(second);
}

NDKEEP_INLINE std::string percent_encoded(const std::string& text, bool keep_slashes) {
    std::string out;
    for (const char each : text) {
        const bool is_plain =
            (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
            std::string_view("-._~").find(each) != std::string_view::npos || (keep_slashes && each == '/');
        if (is_plain) {
            out += each;
            continue;
        }
        const auto byte = static_cast<unsigned char>(each);
        out += '%';
        out += "0123456789ABCDEF"[byte >> 4];
        out += "0123456789ABCDEF"[byte & 15];
    }
    return out;
}

}  // namespace ndkeep::detail
