// SPDX-License-Identifier: BSD-3-Clause
// Names of chunked arrays in buckets: "s3://BUCKET/NAME".
#pragma once

#include <ndkeep/chunks/location.hpp>
#include <ndkeep/error.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace tool {

/// Whether this names a bucket or something in one: it begins with "s3://". A file of this name is "./s3://NAME".
[[nodiscard]] bool is_in_bucket(const std::filesystem::path& path);

/// Whether this names a bucket, and nothing in it.
[[nodiscard]] bool is_whole_bucket(const std::filesystem::path& path);

/// The location of a chunked array: a directory, or a name in a bucket, whose endpoint, region and keys the environment
/// tells. Nothing is sent.
/// @throws ndkeep::mismatch_error  the name cannot be one, or the tool was built without libcurl
[[nodiscard]] ndkeep::dataset_location location_of(const std::filesystem::path& path);

/// The folders directly below a bucket or a name in one: what their keys have in common up to the next slash.
/// @throws ndkeep::io_error  the bucket cannot be listed
[[nodiscard]] std::vector<std::string> folders_in_bucket(const std::filesystem::path& path);

/// The number of threads for a path, where `wanted` is 0 if the user gave none: those that ask a bucket wait for most
/// of the time, so they are more than the processors.
[[nodiscard]] unsigned threads_for(const std::filesystem::path& path, unsigned wanted);

/// The error for a name in a bucket where a file is needed.
/// @param hint  why
[[nodiscard]] ndkeep::mismatch_error needs_file(const std::filesystem::path& path, const std::string& hint);

}  // namespace tool
