// SPDX-License-Identifier: BSD-3-Clause
// How requests find the bucket: in the path of URLs or in the name of the host, directly or through a proxy.
#include "s3/bucket.hpp"
#include "s3/services.hpp"

#include <ndkeep/chunks.hpp>

#include <chrono>
#include <cstdlib>
#include <string>

namespace s3_urls_tests {

namespace nk = ndkeep;
using s3test::counting;
using s3test::same;

TEST_CASE("a bucket stands in the path of URLs, or in the name of the host", "[s3]") {
    const s3test::server server;
    const auto with = [&](bool in_path) {
        nk::s3_options options;
        options.endpoint = "http://localhost:" + server.port();
        options.path_style = in_path;
        // The resolver may not know names below localhost.
        options.transfer.patience = std::chrono::seconds(5);
        return nk::s3("s3://bucket/folder", options) / "readings";
    };
    nk::save_chunked(with(true), counting(0, 5));
    CHECK(same(nk::load_chunked<double, 1>(with(true)), counting(0, 5)));
    // libcurl takes every name below localhost for this machine.
    nk::save_chunked(with(false), counting(0, 7));
    CHECK(same(nk::load_chunked<double, 1>(with(false)), counting(0, 7)));
}

TEST_CASE("requests go through the proxy that the environment names", "[s3]") {
    const s3test::server server;
    nk::s3_options options;
    options.endpoint = "http://store.example";
    ::setenv("http_proxy", server.url().c_str(), 1);
    const auto where = nk::s3("s3://bucket", options) / "readings";
    nk::save_chunked(where, counting(0, 5));
    const auto found = nk::load_chunked<double, 1>(where);
    ::unsetenv("http_proxy");
    CHECK(same(found, counting(0, 5)));
}

}  // namespace s3_urls_tests
