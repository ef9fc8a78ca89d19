// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/s3/detail/client.hpp>: puts, whole and in parts, and what became of them.
#pragma once

#include <ndkeep/s3/detail/client.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/s3/detail/retries.hpp>
#include <ndkeep/s3/detail/sha256.hpp>
#include <ndkeep/s3/detail/xml.hpp>
#include <ndkeep/text/hex.hpp>

#include <algorithm>
#include <cstring>
#include <system_error>

namespace ndkeep::inline NDKEEP_ABI::detail {

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
    std::uint64_t seen = 0;
    const auto answer = call({.url = url_of(key),
                              .receive =
                                  [&](const http_answer&, std::span<const std::byte> found) {
                                      seen += found.size();
                                      return is_equal = compare(found);
                                  }},
                             key, "cannot check whether the last request stored", [&] { seen = part = at = 0; });
    if (!is_equal)
        return false;
    if (answer.is_success())
        return seen == count;
    if (!is_absent(answer))
        refuse(answer, key, "cannot check whether the last request stored");
    return std::nullopt;
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
