// SPDX-License-Identifier: BSD-3-Clause
#include "bucket.hpp"

#if defined(NDKEEP_TOOL_HAS_S3)
#include <ndkeep/s3/bucket.hpp>
#endif

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

constexpr std::string_view scheme_of_buckets = "s3://";

/// The bucket, and the name in it without slashes at its end.
[[nodiscard]] std::pair<std::string, std::string> bucket_and_name(const fs::path& path) {
    auto rest = path.string().substr(scheme_of_buckets.size());
    while (rest.ends_with('/'))
        rest.pop_back();
    const auto slash = std::min(rest.find('/'), rest.size());
    return {rest.substr(0, slash), rest.substr(std::min(slash + 1, rest.size()))};
}

#if defined(NDKEEP_TOOL_HAS_S3)

/// One object for each bucket, so that connections and keys are used again.
[[nodiscard]] const nk::s3& bucket_named(const std::string& name) {
    static std::mutex mutex;
    static std::map<std::string, nk::s3> buckets;
    const std::lock_guard lock(mutex);
    const auto known = buckets.find(name);
    if (known != buckets.end())
        return known->second;
    // Less than the library's minute: somebody is waiting in front of a screen.
    const nk::s3_options options{.transfer = {.patience = std::chrono::seconds(15)}};
    return buckets.emplace(name, nk::s3(std::string(scheme_of_buckets) + name, options)).first->second;
}

[[nodiscard]] nk::s3_location named_in_bucket(const fs::path& path) {
    const auto [name, rest] = bucket_and_name(path);
    const auto& bucket = bucket_named(name);
    return rest.empty() ? bucket.root() : bucket / rest;
}

#else

[[nodiscard]] nk::mismatch_error no_buckets(const fs::path& path) {
    return nk::mismatch_error({.file = path,
                               .field = "location",
                               .expected = "a file",
                               .found = "in a bucket",
                               .hint = "this ndkeep was built without libcurl"});
}

#endif

}  // namespace

bool is_in_bucket(const fs::path& path) { return path.native().starts_with(scheme_of_buckets); }

bool is_whole_bucket(const fs::path& path) { return is_in_bucket(path) && bucket_and_name(path).second.empty(); }

nk::dataset_location location_of(const fs::path& path) {
    if (!is_in_bucket(path))
        return path;
#if defined(NDKEEP_TOOL_HAS_S3)
    return named_in_bucket(path);
#else
    throw no_buckets(path);
#endif
}

std::vector<std::string> folders_in_bucket(const fs::path& path) {
#if defined(NDKEEP_TOOL_HAS_S3)
    return named_in_bucket(path).folders();
#else
    throw no_buckets(path);
#endif
}

unsigned threads_for(const fs::path& path, unsigned wanted) {
    constexpr unsigned at_once = 16;
    return wanted == 0 && is_in_bucket(path) ? at_once : wanted;
}

nk::mismatch_error needs_file(const fs::path& path, const std::string& hint) {
    return nk::mismatch_error(
        {.file = path, .field = "location", .expected = "a file", .found = "in a bucket", .hint = hint});
}

}  // namespace tool
