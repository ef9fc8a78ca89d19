// SPDX-License-Identifier: BSD-3-Clause
// s3: a bucket, and the locations of chunked arrays in it.
#pragma once

#include <ndkeep/s3/options.hpp>
#include <ndkeep/s3/place.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// A name in a bucket, for every function that takes the location of a chunked array. Copies share connections.
class s3_location {
  public:
    /// For `s3`.
    s3_location(std::shared_ptr<detail::s3_client> client, std::string prefix)
        : client_(std::move(client)), prefix_(std::move(prefix)) {}

    /// A name below this one.
    /// @throws mismatch_error  it is empty, or has an empty part, "." or ".."
    [[nodiscard]] s3_location operator/(std::string_view name) const;

    /// "s3://BUCKET/NAME".
    [[nodiscard]] std::filesystem::path path() const { return client_->called(prefix_); }
    /// The place that readers and writers use.
    [[nodiscard]] std::shared_ptr<s3_place> place() const;
    /// For collections: the places below this name.
    [[nodiscard]] std::shared_ptr<place_tree> tree() const;
    /// The names directly below this one under which there are objects, in no order. Those of a chunked array are
    /// "commits" and "chunks".
    /// @throws io_error  the bucket cannot be listed
    [[nodiscard]] std::vector<std::string> folders() const;
    /// The number of requests so far, of all locations made from the same `s3` object.
    [[nodiscard]] std::uint64_t requests() const { return client_->requests(); }

  private:
    std::shared_ptr<detail::s3_client> client_;
    std::string prefix_;
};

/// A bucket of a service that speaks S3: AWS, Ceph, MinIO and others.
///
///     s3 bucket("s3://measurements", {.endpoint = "https://ceph.example.org", .region = "eu-central-1"});
///     save_chunked(bucket / "readings", a);
class s3 {
  public:
    /// Nothing is sent yet.
    /// @param url  "s3://BUCKET", or "s3://BUCKET/PREFIX"
    /// @throws mismatch_error  the URL has another form, or the endpoint does not begin with http:// or https://
    explicit s3(std::string_view url, const s3_options& options = {});

    /// The location of a chunked array, or of a collection.
    /// @throws mismatch_error  the name is empty, or has an empty part, "." or ".."
    [[nodiscard]] s3_location operator/(std::string_view name) const { return root_ / name; }
    /// The prefix of the URL as a location.
    [[nodiscard]] const s3_location& root() const noexcept { return root_; }

  private:
    s3_location root_;
};

}  // namespace ndkeep

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/s3/detail/bucket.ipp>
#endif
