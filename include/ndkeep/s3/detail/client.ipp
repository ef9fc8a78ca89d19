// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/s3/detail/client.hpp>.
#pragma once

#include <ndkeep/s3/detail/client.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/s3/detail/retries.hpp>
#include <ndkeep/s3/detail/xml.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

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

NDKEEP_INLINE http_answer s3_client::call(const http_request& request, const std::string& key, std::string_view what,
                                          const std::function<void()>& begin) {
    retry_pause pause(transfer_.patience);
    for (;;) {
        if (begin)
            begin();
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
    const auto answer = call({.url = url_of(key),
                              .receive =
                                  [&](const http_answer& so_far, std::span<const std::byte> bytes) {
                                      length = so_far.header("content-length");
                                      if (too_long())
                                          return false;
                                      all.insert(all.end(), bytes.begin(), bytes.end());
                                      return !too_long();
                                  }},
                             key, "cannot get", [&] { all.clear(); });
    if (answer.was_refused)
        throw format_error({.file = called(key),
                            .field = "length",
                            .expected = "at most " + counted(most, "byte"),
                            .found = length.empty() ? "more" : length + " bytes"});
    if (answer.is_success())
        return all;
    if (!is_absent(answer))
        refuse(answer, key, "cannot get");
    return std::nullopt;
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
        if (is_absent(answer))
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
        const auto answer = call({.url = url_of("", wanted),
                                  .receive =
                                      [&](const http_answer&, std::span<const std::byte> bytes) {
                                          page.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                                          return page.size() < (std::size_t{16} << 20);
                                      }},
                                 prefix, "cannot list", [&] { page.clear(); });
        if (!answer.is_success())
            refuse(answer, prefix, "cannot list");
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

}  // namespace ndkeep::detail
