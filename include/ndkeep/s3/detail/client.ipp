// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/s3/detail/client.hpp>.
#pragma once

#include <ndkeep/s3/detail/client.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/s3/detail/sha256.hpp>
#include <ndkeep/s3/detail/xml.hpp>
#include <ndkeep/text/hex.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

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

[[nodiscard]] inline std::uint64_t bytes_in(s3_client::parts bytes) {
    std::uint64_t all = 0;
    for (const auto each : bytes)
        all += each.size();
    return all;
}

[[nodiscard]] inline std::string sha256_of(s3_client::parts bytes) {
    sha256 sum;
    for (const auto each : bytes)
        sum.update(each);
    return sum.digest();
}

/// The bytes from `offset` on, `count` of them, as parts.
[[nodiscard]] inline std::vector<std::span<const std::byte>> section_of(s3_client::parts bytes, std::uint64_t offset,
                                                                        std::uint64_t count) {
    std::vector<std::span<const std::byte>> out;
    for (const auto each : bytes) {
        if (offset >= each.size()) {
            offset -= each.size();
            continue;
        }
        const auto rest = each.subspan(static_cast<std::size_t>(offset));
        const auto some = rest.first(static_cast<std::size_t>(std::min<std::uint64_t>(rest.size(), count)));
        offset = 0;
        count -= some.size();
        if (!some.empty())
            out.push_back(some);
        if (count == 0)
            break;
    }
    return out;
}

/// The certificates to trust; "" for those of libcurl.
[[nodiscard]] inline std::string ca_file_of(const s3_transfer& options) {
    std::string file = options.ca_file;
    for (const char* const name : {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE"})
        if (file.empty())
            file = environment(name);
    return file;
}

NDKEEP_INLINE s3_client::s3_client(std::string bucket, const s3_options& options)
    : bucket_(std::move(bucket)), transfer_(options.transfer), keep_for_(options.keep_for), region_(options.region),
      http_(std::make_shared<http_client>(
          http_settings{options.transfer.connect, options.transfer.stall, ca_file_of(options.transfer)})),
      keys_(
          options.login,
          [&] {
              for (const char* const name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
                  if (region_.empty())
                      region_ = environment(name);
              if (region_.empty())
                  region_ = profile_value(profile_of(options.login), "region").value_or("us-east-1");
              return region_;
          }(),
          http_) {
    const bool is_name = !bucket_.empty() && std::all_of(bucket_.begin(), bucket_.end(), [](unsigned char each) {
        return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
               each == '.' || each == '-' || each == '_';
    });
    if (!is_name)
        throw mismatch_error({.file = "s3://" + bucket_, .field = "bucket", .expected = "a name", .found = bucket_});
    std::string endpoint = options.endpoint;
    for (const char* const name : {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"})
        if (endpoint.empty())
            endpoint = environment(name);
    const bool in_path = options.path_style.value_or(!endpoint.empty());
    if (endpoint.empty())
        endpoint = "https://s3." + region_ + ".amazonaws.com";
    const std::size_t host = endpoint.find("://");
    const auto scheme = endpoint.substr(0, host);
    if (host == std::string::npos || (scheme != "http" && scheme != "https"))
        throw mismatch_error({.file = "s3://" + bucket_,
                              .field = "endpoint",
                              .expected = "https://HOST or http://HOST",
                              .found = endpoint});
    while (endpoint.ends_with('/'))
        endpoint.pop_back();
    base_ = in_path ? endpoint + '/' + bucket_ : scheme + "://" + bucket_ + '.' + endpoint.substr(host + 3);
}

NDKEEP_INLINE std::filesystem::path s3_client::called(const std::string& key) const {
    return "s3://" + bucket_ + (key.empty() ? "" : '/' + key);
}

NDKEEP_INLINE std::string s3_client::url_of(const std::string& key, const query& wanted) const {
    std::string url = base_ + '/' + percent_encoded(key, true);
    char between = '?';
    for (const auto& [name, value] : wanted) {
        url += between + name + '=' + percent_encoded(value, false);
        between = '&';
    }
    return url;
}

NDKEEP_INLINE void s3_client::refuse(const http_answer& answer, const std::string& key, std::string_view what) const {
    if (answer.status == 0)
        throw io_error(called(key), what, answer.failure_code, answer.failure);
    std::string said = xml_text(xml_element(answer.text, "Code"));
    if (const auto message = xml_text(xml_element(answer.text, "Message")); !message.empty())
        said += (said.empty() ? "" : ": ") + message;
    if (const auto elsewhere = answer.header("x-amz-bucket-region"); !elsewhere.empty() && elsewhere != region_)
        said += (said.empty() ? "" : "; ") + ("the bucket is in the region " + elsewhere);
    throw io_error(called(key), what, http_category::code(answer.status), said);
}

NDKEEP_INLINE http_answer s3_client::send(http_request request) {
    const auto signed_and_sent = [&] {
        const auto signer = keys_.signer();
        request.signer = signer.get();
        return http_->send(request);
    };
    auto answer = signed_and_sent();
    // The answer to HEAD has no text.
    const bool may_be_expired =
        (answer.status == 400 && request.method == "HEAD") ||
        ((answer.status == 400 || answer.status == 403) && xml_element(answer.text, "Code") == "ExpiredToken");
    if (may_be_expired && keys_.forget())
        answer = signed_and_sent();  // the first one was not carried out
    return answer;
}

NDKEEP_INLINE http_answer s3_client::call(const http_request& request, const std::string& key, std::string_view what) {
    retry_pause pause(transfer_.patience);
    for (;;) {
        auto answer = send(request);
        if (!may_succeed_later(answer))
            return answer;
        if (!pause.wait())
            refuse(answer, key, what);
    }
}

NDKEEP_INLINE std::optional<std::vector<std::byte>> s3_client::get(const std::string& key, std::uint64_t most) {
    std::vector<std::byte> all;
    std::string length;
    const auto too_long = [&] {
        std::uint64_t number = 0;
        const auto [end, problem] = std::from_chars(length.data(), length.data() + length.size(), number);
        return (problem == std::errc() && number > most) || all.size() > most;
    };
    retry_pause pause(transfer_.patience);
    for (;;) {
        all.clear();
        const auto answer =
            send({.url = url_of(key), .receive = [&](const http_answer& so_far, std::span<const std::byte> bytes) {
                      length = so_far.header("content-length");
                      if (too_long())
                          return false;
                      all.insert(all.end(), bytes.begin(), bytes.end());
                      return !too_long();
                  }});
        if (answer.was_refused)
            throw format_error({.file = called(key),
                                .field = "length",
                                .expected = "at most " + counted(most, "byte"),
                                .found = length.empty() ? "more" : length + " bytes"});
        if (answer.is_success())
            return all;
        if (answer.status == 404 && xml_element(answer.text, "Code") != "NoSuchBucket")
            return std::nullopt;
        if (!may_succeed_later(answer) || !pause.wait())
            refuse(answer, key, "cannot get");
    }
}

NDKEEP_INLINE bool s3_client::get_range(const std::string& key, std::uint64_t offset, std::span<std::byte> out) {
    if (out.empty())
        return size(key).has_value();
    std::size_t done = 0;
    retry_pause pause(transfer_.patience);
    const auto ended = [&] {
        return format_error({.file = called(key),
                             .field = "length",
                             .expected = counted(out.size(), "byte") + " from byte " + std::to_string(offset),
                             .found = "fewer"});
    };
    for (;;) {
        // Names are immutable, so a transfer that was cut goes on where it ended.
        const auto first = offset + done, last = offset + out.size() - 1;
        const std::size_t before = done;
        const auto answer = send({.url = url_of(key),
                                  .headers = {"Range: bytes=" + std::to_string(first) + '-' + std::to_string(last)},
                                  .receive = [&](const http_answer& so_far, std::span<const std::byte> bytes) {
                                      if (so_far.status != 206 || bytes.size() > out.size() - done)
                                          return false;
                                      std::memcpy(out.data() + done, bytes.data(), bytes.size());
                                      done += bytes.size();
                                      return true;
                                  }});
        if (answer.is_success() && done == out.size())
            return true;
        if (answer.is_success() || answer.status == 416)
            throw ended();
        if (answer.was_refused)
            throw io_error(called(key), "cannot get a range", std::make_error_code(std::errc::not_supported),
                           "the service ignores ranges");
        if (answer.status == 404 && xml_element(answer.text, "Code") != "NoSuchBucket")
            return false;
        if (!may_succeed_later(answer))
            refuse(answer, key, "cannot get");
        // A connection that ends early again and again must not be asked without end.
        constexpr std::size_t progress = std::size_t{1} << 20;
        if (done - before < progress && !pause.wait())
            refuse(answer, key, "cannot get");
    }
}

NDKEEP_INLINE std::optional<std::uint64_t> s3_client::size(const std::string& key) {
    const auto answer = call({.method = "HEAD", .url = url_of(key)}, key, "cannot ask for");
    if (answer.status == 404)
        return std::nullopt;
    const auto text = answer.header("content-length");
    std::uint64_t size = 0;
    if (!answer.is_success() || std::from_chars(text.data(), text.data() + text.size(), size).ec != std::errc())
        refuse(answer, key, "cannot ask for");
    return size;
}

NDKEEP_INLINE std::optional<std::chrono::seconds> s3_client::age(const std::string& key) {
    const auto answer = call({.method = "HEAD", .url = url_of(key)}, key, "cannot ask for");
    if (answer.status == 404)
        return std::nullopt;
    if (!answer.is_success())
        refuse(answer, key, "cannot ask for");
    const auto now = http_time(answer.header("date")), then = http_time(answer.header("last-modified"));
    if (!now || !then)
        throw io_error(called(key), "cannot tell its age", std::make_error_code(std::errc::not_supported),
                       "the service sends no Date or Last-Modified");
    return *now - *then;
}

NDKEEP_INLINE std::optional<bool> s3_client::holds(const std::string& key, parts bytes) {
    std::size_t part = 0, at = 0;
    bool is_equal = true;
    const auto compare = [&](std::span<const std::byte> found) {
        while (!found.empty()) {
            while (part < bytes.size() && at == bytes[part].size()) {
                ++part;
                at = 0;
            }
            if (part == bytes.size())
                return false;
            const std::size_t some = std::min(found.size(), bytes[part].size() - at);
            if (std::memcmp(found.data(), bytes[part].data() + at, some) != 0)
                return false;
            found = found.subspan(some);
            at += some;
        }
        return true;
    };
    const auto count = bytes_in(bytes);
    retry_pause pause(transfer_.patience);
    for (;;) {
        std::uint64_t seen = 0;
        part = at = 0;
        const auto answer =
            send({.url = url_of(key), .receive = [&](const http_answer&, std::span<const std::byte> found) {
                      seen += found.size();
                      return is_equal = compare(found);
                  }});
        if (!is_equal)
            return false;
        if (answer.is_success())
            return seen == count;
        if (answer.status == 404)
            return std::nullopt;
        if (!may_succeed_later(answer) || !pause.wait())
            refuse(answer, key, "cannot check whether the last request stored");
    }
}

NDKEEP_INLINE bool s3_client::put_new(const std::string& key, parts bytes, bool may_be_in_parts) {
    if (may_be_in_parts && bytes_in(bytes) > transfer_.part_bytes)
        return put_in_parts(key, bytes);
    const http_request request{.method = "PUT",
                               .url = url_of(key),
                               .headers = {"If-None-Match: *", "Content-Type: application/octet-stream"},
                               .body = bytes,
                               .body_sha256 = sha256_of(bytes)};
    retry_pause pause(transfer_.patience);
    bool may_be_ours = false;  // an attempt has no known outcome
    for (;;) {
        const auto answer = send(request);
        if (answer.is_success())
            return true;
        // The key is taken. If an attempt may have succeeded, the bytes tell whether it did: no other writer puts them.
        if (answer.status == 412)
            return may_be_ours && holds(key, bytes).value_or(false);
        if (!may_succeed_later(answer))
            refuse(answer, key, "cannot put");
        may_be_ours = may_be_ours || (answer.status != 409 && answer.was_sent);
        if (!pause.wait())
            refuse(answer, key, may_be_ours ? "it is unknown whether this was stored" : "cannot put");
        // Never put again without a look.
        if (may_be_ours)
            if (const auto found = holds(key, bytes))
                return *found;
    }
}

NDKEEP_INLINE bool s3_client::put_in_parts(const std::string& key, parts bytes, int tries) {
    // Some services do not know the condition for parts. Keys of this size are random, so this look is enough for them.
    if (size(key))
        return false;
    const auto begun = call({.method = "POST",
                             .url = url_of(key, {{"uploads", ""}}),
                             .headers = {"Content-Type: application/octet-stream"}},
                            key, "cannot start the upload of");
    const auto upload = xml_text(xml_element(begun.text, "UploadId"));
    if (!begun.is_success() || upload.empty())
        refuse(begun, key, "cannot start the upload of");
    const auto abandon = [&]() noexcept {
        try {
            (void)send({.method = "DELETE", .url = url_of(key, {{"uploadId", upload}})});
        } catch (...) {
            // The service removes it later, if a rule of the bucket says so.
        }
    };
    try {
        std::string list = "<CompleteMultipartUpload>";
        const std::uint64_t count = bytes_in(bytes);
        // At most 10,000 parts.
        const std::uint64_t each = std::max(transfer_.part_bytes, count / 9'999 + 1);
        unsigned number = 1;
        for (std::uint64_t at = 0; at < count; at += each, ++number) {
            const auto section = section_of(bytes, at, std::min(each, count - at));
            const auto answer =
                call({.method = "PUT",
                      .url = url_of(key, {{"partNumber", std::to_string(number)}, {"uploadId", upload}}),
                      .body = section,
                      .body_sha256 = sha256_of(section)},
                     key, "cannot put a part of");
            if (!answer.is_success())
                refuse(answer, key, "cannot put a part of");
            list += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + answer.header("etag") +
                    "</ETag></Part>";
        }
        list += "</CompleteMultipartUpload>";
        const std::span<const std::byte> body(reinterpret_cast<const std::byte*>(list.data()), list.size());
        retry_pause pause(transfer_.patience);
        bool may_be_ours = false;
        for (;;) {
            std::string text;
            const auto answer = send({.method = "POST",
                                      .url = url_of(key, {{"uploadId", upload}}),
                                      .headers = {"If-None-Match: *", "Content-Type: application/xml"},
                                      .body = {&body, 1},
                                      .body_sha256 = sha256_of({&body, 1}),
                                      .receive = [&](const http_answer&, std::span<const std::byte> some) {
                                          text.append(reinterpret_cast<const char*>(some.data()), some.size());
                                          return text.size() < (std::size_t{1} << 20);
                                      }});
            // An error may follow the status 200, because it is sent while the parts are joined.
            const bool failed_late = answer.is_success() && xml_element(text, "Error") != "";
            if (answer.is_success() && !failed_late)
                return true;
            if (answer.status == 412) {
                if (may_be_ours && holds(key, bytes).value_or(false))
                    return true;
                abandon();
                return false;
            }
            // Another operation on the key was under way, and the upload is void.
            if (answer.status == 409 && tries > 1 && pause.wait()) {
                abandon();
                return put_in_parts(key, bytes, tries - 1);
            }
            const bool is_gone = answer.status == 404;
            if (!failed_late && !is_gone && !may_succeed_later(answer))
                refuse(answer, key, "cannot complete the upload of");
            may_be_ours = may_be_ours || answer.status != 409;
            if (const auto found = holds(key, bytes))
                return *found;
            if (is_gone || !pause.wait())
                refuse(answer, key, "it is unknown whether this was stored");
        }
    } catch (...) {
        abandon();
        throw;
    }
}

NDKEEP_INLINE void s3_client::remove(const std::string& key) {
    const auto answer = call({.method = "DELETE", .url = url_of(key)}, key, "cannot remove");
    if (!answer.is_success() && answer.status != 404)
        refuse(answer, key, "cannot remove");
}

NDKEEP_INLINE void s3_client::list(const std::string& prefix, const std::string& delimiter,
                                   const std::function<void(s3_object)>& object,
                                   const std::function<void(std::string)>& folder) {
    const auto refuse_list = [&](const char* found) {
        throw io_error(called(prefix), "cannot list", std::make_error_code(std::errc::protocol_error),
                       std::string("the service has sent ") + found);
    };
    std::string next, highest;
    int idle = 0;
    do {
        std::string last;
        query wanted;
        if (!next.empty())
            wanted.emplace_back("continuation-token", next);
        if (!delimiter.empty())
            wanted.emplace_back("delimiter", delimiter);
        wanted.emplace_back("list-type", "2");
        wanted.emplace_back("prefix", prefix);
        std::string page;
        http_answer answer;
        retry_pause pause(transfer_.patience);
        for (;;) {
            page.clear();
            answer =
                send({.url = url_of("", wanted), .receive = [&](const http_answer&, std::span<const std::byte> bytes) {
                          page.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                          return page.size() < (std::size_t{16} << 20);
                      }});
            if (answer.is_success())
                break;
            if (!may_succeed_later(answer) || !pause.wait())
                refuse(answer, prefix, "cannot list");
        }
        if (page.find("<ListBucketResult") == std::string::npos)
            refuse_list("an answer that is no list");
        const auto now = http_time(answer.header("date"));
        for (const auto each : xml_elements(page, "Contents")) {
            s3_object found{xml_text(xml_element(each, "Key"))};
            if (const auto then = iso_time(std::string(xml_element(each, "LastModified"))); now && then)
                found.age = *now - *then;
            last = std::max(last, found.key);
            object(std::move(found));
        }
        for (const auto each : xml_elements(page, "CommonPrefixes")) {
            auto found = xml_text(xml_element(each, "Prefix"));
            last = std::max(last, found);
            if (folder)
                folder(std::move(found));
        }
        const bool goes_on = xml_element(page, "IsTruncated") == "true";
        next = goes_on ? xml_text(xml_element(page, "NextContinuationToken")) : "";
        if (goes_on && next.empty())
            refuse_list("a part of the list, without saying how it continues");
        // Names ascend, so that a service that gives pages again and again is found out.
        constexpr int most_idle = 100;
        idle = last > highest ? 0 : idle + 1;
        highest = std::max(highest, last);
        if (goes_on && idle > most_idle)
            refuse_list("pages without new names");
    } while (!next.empty());
}

NDKEEP_INLINE bool s3_client::refuses_to_replace(const std::string& key) {
    const std::byte mark{'2'};
    const std::span<const std::byte> one(&mark, 1);
    const http_request request{.method = "PUT",
                               .url = url_of(key),
                               .headers = {"If-None-Match: *"},
                               .body = {&one, 1},
                               .body_sha256 = sha256_of({&one, 1})};
    retry_pause pause(transfer_.patience);
    for (;;) {
        const auto answer = send(request);
        // Nothing but this answer tells that the service knows the condition. 501: it says itself that it does not.
        if (answer.status == 412)
            return true;
        if (answer.is_success() || answer.status == 501)
            return false;
        if (!may_succeed_later(answer) || !pause.wait())
            refuse(answer, key, "cannot put");
        // The answer may be lost, and the object replaced.
        if (holds(key, {&one, 1}).value_or(false))
            return false;
    }
}

NDKEEP_INLINE bool s3_client::puts_conditionally(const std::string& prefix) {
    const std::lock_guard<std::mutex> alone(asked_mutex_);
    if (is_conditional_)
        return *is_conditional_;
    const std::string key = prefix + std::string(probe_prefix) + core::hexadecimal(random_bits());
    const std::byte mark{'1'};
    const std::span<const std::byte> one(&mark, 1);
    bool is_refused = false;
    try {
        // False: libcurl has sent it twice, over a connection that had ended.
        if (!put_new(key, {&one, 1}) && !holds(key, {&one, 1}).value_or(false))
            throw io_error(called(key), "cannot put", std::make_error_code(std::errc::file_exists));
        is_refused = refuses_to_replace(key);
    } catch (const io_error& problem) {
        // A service may refuse the condition as unknown. After any other error the service is asked again.
        if (problem.code() != http_category::code(501))
            throw;
    }
    remove(key);
    is_conditional_ = is_refused;
    return is_refused;
}

}  // namespace ndkeep::detail
