// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/s3/detail/credentials.hpp>.
#pragma once

#include <ndkeep/s3/detail/credentials.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

NDKEEP_INLINE std::string profile_of(const s3_login& login) {
    if (!login.profile.empty())
        return login.profile;
    const auto given = environment("AWS_PROFILE");
    return given.empty() ? "default" : given;
}

[[nodiscard]] inline std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r"), last = text.find_last_not_of(" \t\r");
    return first == std::string::npos ? std::string() : text.substr(first, last - first + 1);
}

/// The text of a short file; nullopt if it is absent, or not for this user.
[[nodiscard]] inline std::optional<std::string> text_of_file(const std::string& name) {
    try {
        const auto source = file::open(name);
        std::vector<std::byte> bytes(std::size_t{1} << 20);
        bytes.resize(source.read_some(0, bytes));
        return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    } catch (const io_error&) {
        return std::nullopt;
    }
}

/// The value of a name in one section of a file of profiles.
[[nodiscard]] inline std::optional<std::string> value_in(const std::string& file, const std::string& section,
                                                         const std::string& name) {
    const auto text = text_of_file(file).value_or("");
    bool is_here = false;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = trimmed(text.substr(at, end - at));
        at = end + 1;
        if (line.empty() || line[0] == '#' || line[0] == ';')
            continue;
        if (line[0] == '[') {
            is_here = trimmed(line.substr(1, line.find(']') - 1)) == section;
            continue;
        }
        const auto equals = line.find('=');
        if (is_here && equals != std::string::npos && trimmed(line.substr(0, equals)) == name)
            return trimmed(line.substr(equals + 1));
    }
    return std::nullopt;
}

NDKEEP_INLINE std::optional<std::string> profile_value(const std::string& profile, const std::string& name) {
    const auto file_of = [](const char* variable, const char* usual) {
        const auto given = environment(variable);
        return given.empty() ? environment("HOME") + "/.aws/" + usual : given;
    };
    if (auto value = value_in(file_of("AWS_SHARED_CREDENTIALS_FILE", "credentials"), profile, name))
        return value;
    const std::string section = profile == "default" ? profile : "profile " + profile;
    return value_in(file_of("AWS_CONFIG_FILE", "config"), section, name);
}

NDKEEP_INLINE s3_keys::s3_keys(const s3_login& login, std::string region, std::shared_ptr<http_client> http)
    : login_(login), scheme_("aws:amz:" + std::move(region) + ":s3"), http_(std::move(http)) {}

NDKEEP_INLINE std::optional<std::string> s3_keys::fetched(const std::string& method, const std::string& url,
                                                          std::vector<std::string> headers) {
    std::string text;
    const auto answer = http_->send({.method = method,
                                     .url = url,
                                     .headers = std::move(headers),
                                     .receive =
                                         [&](const http_answer&, std::span<const std::byte> bytes) {
                                             text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                                             return text.size() < (std::size_t{1} << 20);
                                         },
                                     .patience = std::chrono::seconds(2)});
    return answer.is_success() ? std::optional(text) : std::nullopt;
}

NDKEEP_INLINE bool s3_keys::take(const std::string& document) {
    const auto keys = nlohmann::json::parse(document, nullptr, false);
    const auto text = [&](const char* name) {
        const auto found = keys.find(name);
        return found != keys.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    if (!keys.is_object() || text("AccessKeyId").empty() || text("SecretAccessKey").empty())
        return false;
    signer_ = std::make_shared<const http_signer>(
        http_signer{text("AccessKeyId"), text("SecretAccessKey"), text("Token"), scheme_});
    expires_ = iso_time(text("Expiration"));
    return true;
}

NDKEEP_INLINE bool s3_keys::look_in_files() {
    const auto profile = profile_of(login_);
    const auto key = profile_value(profile, "aws_access_key_id"),
               secret = profile_value(profile, "aws_secret_access_key");
    if (!key || !secret)
        return false;
    signer_ = std::make_shared<const http_signer>(
        http_signer{*key, *secret, profile_value(profile, "aws_session_token").value_or(""), scheme_});
    return true;
}

NDKEEP_INLINE bool s3_keys::look_in_container() {
    const auto relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const auto full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (relative.empty() && full.empty())
        return false;
    std::vector<std::string> headers;
    auto token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (const auto from = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); token.empty() && !from.empty())
        token = trimmed(text_of_file(from).value_or(""));
    if (!token.empty())
        headers.push_back("Authorization: " + token);
    const auto document =
        fetched("GET", relative.empty() ? full : "http://169.254.170.2" + relative, std::move(headers));
    return document && take(*document);
}

NDKEEP_INLINE bool s3_keys::look_in_machine() {
    if (environment("AWS_EC2_METADATA_DISABLED") == "true")
        return false;
    const auto given = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    const std::string service = given.empty() ? "http://169.254.169.254" : given;
    const auto token = fetched("PUT", service + "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds: 21600"});
    if (!token)
        return false;
    const std::vector<std::string> header = {"X-aws-ec2-metadata-token: " + *token};
    const std::string roles = service + "/latest/meta-data/iam/security-credentials/";
    const auto names = fetched("GET", roles, header);
    if (!names || names->empty())
        return false;
    const auto document = fetched("GET", roles + names->substr(0, names->find('\n')), header);
    return document && take(*document);
}

NDKEEP_INLINE std::shared_ptr<const http_signer> s3_keys::signer() {
    if (login_.anonymous)
        return nullptr;
    const std::lock_guard<std::mutex> alone(mutex_);
    if (signer_ != nullptr && (!expires_ || std::chrono::system_clock::now() + std::chrono::minutes(5) < *expires_))
        return signer_;
    const auto former = std::exchange(signer_, nullptr);
    const auto former_end = std::exchange(expires_, std::nullopt);
    if (!login_.key.empty()) {
        signer_ = std::make_shared<const http_signer>(http_signer{login_.key, login_.secret, login_.token, scheme_});
        return signer_;
    }
    const auto key = environment("AWS_ACCESS_KEY_ID"), secret = environment("AWS_SECRET_ACCESS_KEY");
    if (login_.profile.empty() && !key.empty() && !secret.empty()) {
        signer_ =
            std::make_shared<const http_signer>(http_signer{key, secret, environment("AWS_SESSION_TOKEN"), scheme_});
        return signer_;
    }
    if (look_in_files() || look_in_container() || look_in_machine())
        return signer_;
    if (former != nullptr && former_end && std::chrono::system_clock::now() < *former_end) {
        // The service of keys does not answer, but the former ones are still valid.
        signer_ = former;
        expires_ = former_end;
        return signer_;
    }
    throw io_error("~/.aws/credentials", "no keys for S3", std::make_error_code(std::errc::permission_denied),
                   "set .login = {.key, .secret}, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile; public "
                   "buckets need .login = {.anonymous = true}");
}

NDKEEP_INLINE bool s3_keys::forget() {
    const std::lock_guard<std::mutex> alone(mutex_);
    if (expires_)
        expires_ = std::chrono::system_clock::time_point();
    return expires_.has_value();
}

}  // namespace ndkeep::detail
