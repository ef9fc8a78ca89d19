// SPDX-License-Identifier: BSD-3-Clause
// Where the keys that sign requests come from.
#pragma once

#include <ndkeep/s3/detail/http.hpp>
#include <ndkeep/s3/options.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A variable of the environment; "" if it is not set.
[[nodiscard]] std::string environment(const char* name);

/// A value of a profile in ~/.aws/credentials or ~/.aws/config; nullopt if absent.
[[nodiscard]] std::optional<std::string> profile_value(const std::string& profile, const std::string& name);

/// The name of the profile that options mean.
[[nodiscard]] std::string profile_of(const s3_login& login);

/// The keys of one bucket, renewed before they expire. Used by several threads.
class s3_keys {
  public:
    s3_keys(const s3_login& login, std::string region, std::shared_ptr<http_client> http);

    /// The present signer; nullptr if requests are not signed.
    /// @throws io_error  no keys are found
    [[nodiscard]] std::shared_ptr<const http_signer> signer();
    /// Forgets keys that the server has refused as expired, so that the next call looks again. False if they do not
    /// expire.
    bool forget();

  private:
    [[nodiscard]] bool look_in_files();
    [[nodiscard]] bool look_in_container();
    [[nodiscard]] bool look_in_machine();
    /// Takes the keys of a JSON document of a role.
    [[nodiscard]] bool take(const std::string& document);
    [[nodiscard]] std::optional<std::string> fetched(const std::string& method, const std::string& url,
                                                     std::vector<std::string> headers);

    s3_login login_;
    std::string scheme_;
    std::shared_ptr<http_client> http_;
    std::mutex mutex_;
    std::shared_ptr<const http_signer> signer_;
    std::optional<std::chrono::system_clock::time_point> expires_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/s3/detail/credentials.ipp>
#endif
