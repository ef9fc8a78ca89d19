// SPDX-License-Identifier: BSD-3-Clause
// The bucket of the tests: that of NDKEEP_S3_ENDPOINT and NDKEEP_S3_BUCKET, with the keys of the environment.
#pragma once

#include "support/catch.hpp"

#include <ndkeep/s3.hpp>

#include <chrono>
#include <cstdlib>
#include <string>

#include <unistd.h>

namespace s3test {

[[nodiscard]] inline std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

[[nodiscard]] inline std::string bucket_name() {
    const auto given = variable("NDKEEP_S3_BUCKET");
    return given.empty() ? "ndkeep-test" : given;
}

[[nodiscard]] inline ndkeep::s3 bucket(ndkeep::s3_options options = {}) {
    if (options.endpoint.empty())
        options.endpoint = variable("NDKEEP_S3_ENDPOINT");
    REQUIRE(!options.endpoint.empty());
    return ndkeep::s3("s3://" + bucket_name(), options);
}

/// Another name in the bucket for each call.
[[nodiscard]] inline std::string new_name() {
    static int number = 0;
    static const auto begun = std::chrono::system_clock::now().time_since_epoch().count();
    return "run-" + std::to_string(begun) + '-' + std::to_string(::getpid()) + '/' + std::to_string(number++);
}

/// Commits can be pruned at once.
[[nodiscard]] inline ndkeep::s3_options without_keeping() { return {.keep_for = std::chrono::seconds(0)}; }

/// Another folder of the bucket for each call.
[[nodiscard]] inline ndkeep::s3_location folder(const ndkeep::s3_options& options = without_keeping()) {
    return bucket(options) / new_name();
}

}  // namespace s3test
