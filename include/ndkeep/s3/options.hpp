// SPDX-License-Identifier: BSD-3-Clause
// Options of a bucket: the server, the keys, and how bytes are transferred.
#pragma once

#include <ndkeep/version.hpp>

#if defined(NDKEEP_SEPARATE_COMPILATION) && defined(NDKEEP_S3_HEADER_ONLY)
#error "a program that is compiled with ndkeep::compiled links ndkeep::s3_compiled; ndkeep::s3 is header-only"
#endif

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace ndkeep::inline NDKEEP_ABI {

/// The keys to sign requests with. If `.key` is empty, they are taken from the first of these that has them:
/// 1. the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; skipped if `.profile` is set;
/// 2. the profile, in ~/.aws/credentials (AWS_SHARED_CREDENTIALS_FILE) and then ~/.aws/config (AWS_CONFIG_FILE);
/// 3. the role of a container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI;
/// 4. the role of a machine, from its metadata service, unless AWS_EC2_METADATA_DISABLED is "true".
///
/// Keys of roles are renewed five minutes before they expire. Roles that a profile names, SSO, web identities and
/// credential_process are not supported.
struct s3_login {
    std::string key = {};      ///< the id of the access key
    std::string secret = {};   ///< the secret access key; it appears in no error
    std::string token = {};    ///< of a session; empty if there is none
    std::string profile = {};  ///< in the files of profiles; empty: AWS_PROFILE, or "default"
    bool anonymous = false;    ///< requests are not signed, for public buckets
};

/// How bytes are transferred.
struct s3_transfer {
    /// How long a failing request is repeated, from its first attempt: after timeouts, lost connections and statuses
    /// 409, 429 and 5xx except 501. An attempt that has begun may take longer; `.stall` ends it.
    std::chrono::milliseconds patience = std::chrono::seconds(60);
    std::chrono::milliseconds connect = std::chrono::seconds(10);  ///< limit of the time to connect
    std::chrono::seconds stall = std::chrono::seconds(30);         ///< limit of the time in which no byte moves
    std::uint64_t part_bytes = std::uint64_t{64} << 20;            ///< larger chunks are put in parts of this size
    /// Certificates to trust. Empty: AWS_CA_BUNDLE, CURL_CA_BUNDLE, or those of libcurl. Proxies are those of curl:
    /// https_proxy, no_proxy.
    std::string ca_file = {};
};

/// Options of `s3`.
struct s3_options {
    /// "https://HOST:PORT". Empty: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or AWS in the region. "http://" is not
    /// encrypted.
    std::string endpoint = {};
    std::string region = {};  ///< empty: AWS_REGION, AWS_DEFAULT_REGION, that of the profile, or "us-east-1"
    s3_login login = {};
    s3_transfer transfer = {};
    /// True: https://HOST/BUCKET/KEY; false: https://BUCKET.HOST/KEY. nullopt: true if an endpoint is given, here or by
    /// the environment.
    std::optional<bool> path_style = {};
    /// How long a commit is kept after the next commit, because a bucket has no locks of readers. Objects that no
    /// commit names, such as those of killed writers, are kept seven times as long. Ages are by the server's clock. The
    /// value of the process that prunes counts.
    std::chrono::seconds keep_for = std::chrono::hours(24);
};

}  // namespace ndkeep
