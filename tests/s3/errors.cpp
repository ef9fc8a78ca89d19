// SPDX-License-Identifier: BSD-3-Clause
// Errors of a bucket name what failed, where, and what the service said, and never a secret.
#include "s3/bucket.hpp"
#include "s3/services.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/chunks/memory_place.hpp>
#include <ndkeep/s3/detail/client.hpp>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace s3_error_tests {

namespace nk = ndkeep;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;
using s3test::counting;
using s3test::same;

[[nodiscard]] bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// A bucket of another service, with its own keys and little patience.
[[nodiscard]] nk::s3 bucket_of(const std::string& url, nk::s3_options options = {}) {
    options.endpoint = url;
    options.transfer.patience = 2s;
    return nk::s3("s3://bucket", options);
}

TEST_CASE("the error of an absent bucket names the bucket, the status and the service's code", "[s3][error]") {
    nk::s3_options options;
    options.endpoint = s3test::variable("NDKEEP_S3_ENDPOINT");
    const nk::s3 absent("s3://ndkeep-absent", options);

    const auto e = thrown<nk::io_error>([&] { (void)nk::load_chunked<double, 1>(absent / "readings"); });
    CHECK(e.code() == std::errc::no_such_file_or_directory);
    CHECK(e.file() == "s3://ndkeep-absent/readings/commits/");
    CHECK(has(e.what(), "cannot list: HTTP status 404 (NoSuchBucket"));
    CHECK_THROWS_AS(nk::save_chunked(absent / "readings", counting(0, 3)), nk::io_error);
}

TEST_CASE("the error of a wrong secret names the status and the service's message, and not the secret", "[s3][error]") {
    nk::s3_options options;
    options.endpoint = s3test::variable("NDKEEP_S3_ENDPOINT");
    options.login = {.key = "test", .secret = "hidden-secret", .token = {}};
    const auto where = s3test::bucket(options) / "readings";

    for (const auto& act : std::initializer_list<std::function<void()>>{
             [&] { (void)nk::load_chunked<double, 1>(where); }, [&] { nk::save_chunked(where, counting(0, 3)); },
             [&] { (void)where.place()->get("chunks/a", 10); }, [&] { (void)where.place()->size("chunks/a"); },
             [&] { where.place()->remove("chunks/a"); }}) {
        const auto e = thrown<nk::io_error>(act);
        const std::string text = e.what();
        CAPTURE(text);
        CHECK(e.code() == std::errc::permission_denied);
        CHECK(has(text, "s3://" + s3test::bucket_name() + "/readings"));
        CHECK(has(text, "HTTP status 403"));
        CHECK_FALSE(has(text, "hidden"));
        CHECK_FALSE(has(text, "Signature="));
        CHECK_FALSE(has(text, "Credential"));
    }
    const auto e = thrown<nk::io_error>([&] { (void)where.place()->get("chunks/a", 10); });
    CHECK(has(e.what(), "chunks/a: cannot get: HTTP status 403 (SignatureDoesNotMatch"));
}

TEST_CASE("the service's own message is part of the error", "[s3][error]") {
    const s3test::server server;
    const auto where =
        bucket_of(server.url(), {.login = {.key = "test", .secret = "hidden", .token = "hidden-too"}}) / "a";

    const auto e = thrown<nk::io_error>([&] { (void)where.place()->get("chunks/a", 10); });
    CHECK(std::string(e.what()) == "s3://bucket/a/chunks/a: cannot get: HTTP status 403 "
                                   "(SignatureDoesNotMatch: The request signature does not match.)");
}

TEST_CASE("an absent array in a bucket is reported as in a directory", "[s3][error]") {
    const auto where = s3test::folder();

    const auto e = thrown<nk::io_error>([&] { (void)nk::load_chunked<double, 1>(where); });
    CHECK(e.code() == std::errc::no_such_file_or_directory);
    CHECK(e.file() == where.path() / "commits");
    CHECK(where.place()->get("chunks/absent", 10) == std::nullopt);
}

TEST_CASE("without a server the error comes within the patience, and says why", "[s3][error]") {
    const auto url = "http://127.0.0.1:" + s3test::free_port();
    const auto where = bucket_of(url) / "readings";
    const auto from = clock::now();

    const auto e = thrown<nk::io_error>([&] { nk::save_chunked(where, counting(0, 3)); });

    CHECK(clock::now() - from < 6s);
    CHECK(has(e.what(), "Failed to connect"));
    CHECK(has(e.what(), "s3://bucket/readings"));
}

TEST_CASE("a server that fails again and again is given up within the patience", "[s3][error]") {
    const s3test::server server("--fails 503");
    const auto where = bucket_of(server.url()) / "readings";
    const auto from = clock::now();

    const auto e = thrown<nk::io_error>([&] { (void)nk::load_chunked<double, 1>(where); });

    CHECK(clock::now() - from < 6s);
    CHECK(e.code() == std::errc::resource_unavailable_try_again);
    CHECK(has(e.what(), "s3://bucket/readings/commits/: cannot list: HTTP status 503 (Fails: as it was told)"));
    CHECK(std::stoi(s3test::ask("GET", server.url() + "/.requests").value()) > 2);  // it was tried again
}

TEST_CASE("a service that does not know the condition of a put is refused for writers at once", "[s3][error]") {
    const s3test::server server("--refuses-conditions");
    const auto where = bucket_of(server.url()) / "readings";

    const auto e = thrown<nk::mismatch_error>([&] { nk::save_chunked(where, counting(0, 3)); });
    CHECK(e.field() == "service");
    CHECK(has(e.what(), "If-None-Match"));
}

TEST_CASE("a service that ignores the condition of a put is refused for writers, and can be read", "[s3][error]") {
    const s3test::server server("--unconditional");
    const auto bucket = bucket_of(server.url());
    // What another program has put there.
    const auto source = std::make_shared<nk::memory_place>("source");
    nk::save_chunked(source, counting(0, 5));
    nk::detail::s3_client client("bucket", {.endpoint = server.url()});
    for (const std::string folder : {"commits", "chunks"})
        for (const auto& name : source->list(folder)) {
            const auto all = source->get(folder + '/' + name, 1 << 20).value();
            const std::span<const std::byte> one(all);
            REQUIRE(client.put_new("readings/" + folder + '/' + name, {&one, 1}));
        }

    const auto e = thrown<nk::mismatch_error>([&] {
        nk::chunk_writer<double, 1> sink(bucket / "readings");
        sink.append(counting(5, 6));
        (void)sink.commit();
    });
    CHECK(e.file() == "s3://bucket/readings");
    CHECK(e.field() == "service");
    CHECK(has(e.what(), "If-None-Match"));
    CHECK_THROWS_AS(nk::save_chunked(bucket / "other", counting(0, 3)), nk::mismatch_error);
    CHECK(same(nk::load_chunked<double, 1>(bucket / "readings"), counting(0, 5)));
}

TEST_CASE("the error of a bucket in another region names its region", "[s3][error]") {
    const s3test::server server("--region eu-central-1");
    const auto where = bucket_of(server.url()) / "readings";

    const auto e = thrown<nk::io_error>([&] { (void)nk::load_chunked<double, 1>(where); });
    CHECK(has(e.what(), "HTTP status 301"));
    CHECK(has(e.what(), "the bucket is in the region eu-central-1"));
    const auto right = bucket_of(server.url(), {.region = "eu-central-1"}) / "readings";
    nk::save_chunked(right, counting(0, 3));
    CHECK(same(nk::load_chunked<double, 1>(right), counting(0, 3)));
}

TEST_CASE("names and endpoints that cannot be ones are refused before anything is sent", "[s3][error]") {
    CHECK(thrown<nk::mismatch_error>([] { nk::s3("bucket"); }).field() == "URL");
    CHECK(thrown<nk::mismatch_error>([] { nk::s3("s3://"); }).field() == "bucket");
    CHECK(thrown<nk::mismatch_error>([] { nk::s3("s3://a b"); }).field() == "bucket");
    CHECK(thrown<nk::mismatch_error>([] { nk::s3("s3://b", {.endpoint = "example.org"}); }).field() == "endpoint");
    CHECK(thrown<nk::mismatch_error>([] { nk::s3("s3://b", {.endpoint = "ftp://a"}); }).field() == "endpoint");
    const nk::s3 bucket("s3://b/prefix/", {.endpoint = "http://127.0.0.1:1"});
    CHECK((bucket / "a/b").path() == "s3://b/prefix/a/b");
    for (const char* const name : {"", "/a", "a/", "a//b", ".", "a/../b"}) {
        CAPTURE(name);
        CHECK(thrown<nk::mismatch_error>([&] { (void)(bucket / name); }).field() == "name");
    }
    CHECK(thrown<nk::mismatch_error>([] { (void)nk::s3("s3://b").root().place(); }).field() == "location");
}

}  // namespace s3_error_tests
