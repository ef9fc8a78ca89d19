// SPDX-License-Identifier: BSD-3-Clause
// The objects of one bucket: signs requests, repeats those that fail, and parses the answers.
#pragma once

#include <ndkeep/s3/detail/credentials.hpp>
#include <ndkeep/s3/detail/http.hpp>
#include <ndkeep/s3/options.hpp>
#include <ndkeep/version.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The prefix of the objects with which `puts_conditionally` tests the service. A killed client may leave one.
inline constexpr std::string_view probe_prefix = ".ndkeep-probe-";

/// An object in a listing.
struct s3_object {
    std::string key;
    std::optional<std::chrono::seconds> age = std::nullopt;  // by the clock of the server; nullopt if it does not tell
};

/// One bucket, used by several threads.
class s3_client {
  public:
    using parts = std::span<const std::span<const std::byte>>;

    /// @throws mismatch_error  a name of a bucket or an endpoint that cannot be one
    s3_client(std::string bucket, const s3_options& options);

    [[nodiscard]] std::chrono::seconds keep_for() const noexcept { return keep_for_; }
    /// "s3://BUCKET/KEY", for errors.
    [[nodiscard]] std::filesystem::path called(const std::string& key) const;

    /// All bytes of an object; nullopt if absent.
    /// @throws format_error  more than `most` bytes; checked before memory is allocated
    [[nodiscard]] std::optional<std::vector<std::byte>> get(const std::string& key, std::uint64_t most);
    /// Fills `out` with the bytes from `offset` on; false if the object is absent.
    /// @throws format_error  the object ends before
    [[nodiscard]] bool get_range(const std::string& key, std::uint64_t offset, std::span<std::byte> out);
    /// nullopt if absent.
    [[nodiscard]] std::optional<std::uint64_t> size(const std::string& key);
    /// Puts an object whose key must be free; false if it is taken.
    /// @throws io_error  also if the outcome is not known
    /// @param may_be_in_parts  an object that exceeds `s3_transfer::part_bytes` is put in parts
    [[nodiscard]] bool put_new(const std::string& key, parts bytes, bool may_be_in_parts = false);
    void remove(const std::string& key);
    /// How long ago an object was put, by the clock of the server; nullopt if it is absent.
    [[nodiscard]] std::optional<std::chrono::seconds> age(const std::string& key);
    /// The objects whose keys begin with `prefix`, in the order of their keys.
    /// @param delimiter  if not empty: keys that contain it after `prefix` are not listed; `folder` gets the part up to
    ///                   and including it, once each
    void list(const std::string& prefix, const std::string& delimiter, const std::function<void(s3_object)>& object,
              const std::function<void(std::string)>& folder = {});
    /// Whether the server refuses to put an object under a key that is taken. Asked once, with an object whose key
    /// begins with `prefix`.
    [[nodiscard]] bool puts_conditionally(const std::string& prefix);

    /// The number of requests so far.
    [[nodiscard]] std::uint64_t requests() const { return http_->sent(); }

  private:
    using query = std::vector<std::pair<std::string, std::string>>;  // in the order of the names

    [[nodiscard]] std::string url_of(const std::string& key, const query& wanted = {}) const;
    /// Sends a request once.
    [[nodiscard]] http_answer send(http_request request);
    /// Sends a request that does no harm if it is carried out twice, until there is an answer.
    /// @param what   for errors: "cannot get"
    /// @param begin  called before each attempt, to forget what the last one has received
    [[nodiscard]] http_answer call(const http_request& request, const std::string& key, std::string_view what,
                                   const std::function<void()>& begin = {});
    /// Whether the object has exactly these bytes; nullopt if absent.
    [[nodiscard]] std::optional<bool> holds(const std::string& key, parts bytes);
    [[nodiscard]] bool put_in_parts(const std::string& key, parts bytes, int tries = 3);
    /// Whether a put under a key that is taken is refused, as its condition demands.
    [[nodiscard]] bool refuses_to_replace(const std::string& key);
    [[noreturn]] void refuse(const http_answer& answer, const std::string& key, std::string_view what) const;

    std::string bucket_;
    s3_transfer transfer_;
    std::chrono::seconds keep_for_;
    std::string base_;  // of URLs, without a slash at the end
    std::string region_;
    std::shared_ptr<http_client> http_;
    s3_keys keys_;
    std::mutex asked_mutex_;
    std::optional<bool> is_conditional_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/s3/detail/client.ipp>
#include <ndkeep/s3/detail/client_puts.ipp>
#endif
