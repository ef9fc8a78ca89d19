// SPDX-License-Identifier: BSD-3-Clause
// Where keys come from: options, the environment, files of profiles, and roles, which are renewed.
#include "s3/bucket.hpp"
#include "s3/services.hpp"

#include <ndkeep/chunks.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace s3_login_tests {

namespace nk = ndkeep;
using namespace std::chrono_literals;
using s3test::counting;
using s3test::same;

/// An environment without keys, with these variables.
class with_environment {
  public:
    explicit with_environment(const std::vector<std::pair<std::string, std::string>>& values) {
        set("AWS_EC2_METADATA_DISABLED", "true");
        set("HOME", "/nonexistent");
        for (const char* const name :
             {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION",
              "AWS_DEFAULT_REGION", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_ENDPOINT_URL",
              "AWS_ENDPOINT_URL_S3", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
              "AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_EC2_METADATA_SERVICE_ENDPOINT"})
            set(name, std::nullopt);
        for (const auto& [name, value] : values)
            set(name, value);
    }

    with_environment(const with_environment&) = delete;
    with_environment& operator=(const with_environment&) = delete;
    ~with_environment() {
        // The last one first, because a name may have been set twice.
        while (!set_.empty())
            set_.pop_back();
    }

  private:
    void set(const std::string& name, const std::optional<std::string>& value) {
        set_.push_back(std::make_unique<s3test::with_variable>(name, value));
    }

    std::vector<std::unique_ptr<s3test::with_variable>> set_;
};

/// Whether rows can be put and read with what is found.
[[nodiscard]] bool works(const std::string& url, nk::s3_options options = {}) {
    options.endpoint = url;
    options.transfer.patience = 2s;
    const auto where = nk::s3("s3://bucket", options) / s3test::new_name();
    nk::save_chunked(where, counting(0, 5));
    return nk::load_chunked<double, 1>(where) == counting(0, 5);
}

TEST_CASE("keys are taken from options, and else from the environment", "[s3][login]") {
    const s3test::server server;
    {
        const with_environment wrong({{"AWS_ACCESS_KEY_ID", "test"}, {"AWS_SECRET_ACCESS_KEY", "wrong"}});
        CHECK(works(server.url(), {.login = {.key = "test", .secret = "secret"}}));
        CHECK_THROWS_AS(works(server.url()), nk::io_error);
    }
    const with_environment right({{"AWS_ACCESS_KEY_ID", "test"},
                                  {"AWS_SECRET_ACCESS_KEY", "secret"},
                                  {"AWS_ENDPOINT_URL", "http://127.0.0.1:1"},
                                  {"AWS_ENDPOINT_URL_S3", server.url()}});
    CHECK(works({}));
}

TEST_CASE("keys and regions are taken from files of profiles", "[s3][login]") {
    const s3test::server server("--region eu-central-1");
    const temp_dir dir;
    write_text(dir / "credentials", "# comment\n[default]\naws_access_key_id = test\naws_secret_access_key = wrong\n"
                                    "[work]\r\n aws_access_key_id=test\r\naws_secret_access_key = secret\r\n"
                                    "[other]\naws_access_key_id = nobody\n");
    write_text(dir / "config", "[default]\nregion = us-west-2\n[profile work]\nregion = eu-central-1\n"
                               "[profile all]\nregion = eu-central-1\naws_access_key_id = test\n"
                               "aws_secret_access_key = secret\n");
    const std::pair<std::string, std::string> credentials = {"AWS_SHARED_CREDENTIALS_FILE", dir / "credentials"};
    const std::pair<std::string, std::string> config = {"AWS_CONFIG_FILE", dir / "config"};
    {
        const with_environment here({credentials, config, {"AWS_PROFILE", "work"}});
        CHECK(works(server.url()));
    }
    {
        const with_environment here({credentials, config});
        CHECK_THROWS_AS(works(server.url()), nk::io_error);  // the secret of "default" is wrong
        CHECK(works(server.url(), {.login = {.profile = "work"}}));
        CHECK(works(server.url(), {.login = {.profile = "all"}}));
        const auto e = thrown<nk::io_error>([&] { (void)works(server.url(), {.login = {.profile = "other"}}); });
        CHECK(e.code() == std::errc::permission_denied);
    }
    std::filesystem::create_directory(dir / ".aws");
    write_text(dir / ".aws/credentials", "[default]\naws_access_key_id = test\naws_secret_access_key = secret\n");
    write_text(dir / ".aws/config", "[default]\nregion=eu-central-1\n");
    const with_environment at_home({{"HOME", dir.path()}});
    CHECK(works(server.url()));
}

TEST_CASE("keys of a profile that is named are preferred to those of the environment", "[s3][login]") {
    const s3test::server server;
    const temp_dir dir;
    write_text(dir / "credentials", "[work]\naws_access_key_id = test\naws_secret_access_key = secret\n");
    const with_environment here({{"AWS_SHARED_CREDENTIALS_FILE", dir / "credentials"},
                                 {"AWS_ACCESS_KEY_ID", "test"},
                                 {"AWS_SECRET_ACCESS_KEY", "wrong"}});

    CHECK(works(server.url(), {.login = {.profile = "work"}}));
}

TEST_CASE("the error without keys says how to give them", "[s3][login][error]") {
    const s3test::server server;
    const with_environment nothing({});

    const auto e = thrown<nk::io_error>([&] { (void)works(server.url()); });
    CHECK(e.code() == std::errc::permission_denied);
    CHECK(e.hint().find("AWS_ACCESS_KEY_ID") != std::string::npos);
}

TEST_CASE("keys of a container's role are taken, with the token of the session", "[s3][login]") {
    const s3test::server server;
    {
        const with_environment here({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url() + "/container"},
                                     {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "permit"}});
        CHECK(works(server.url()));
        CHECK(server.roles() == 1);
    }
    const with_environment here({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url() + "/container"},
                                 {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "hidden"}});
    const auto e = thrown<nk::io_error>([&] { (void)works(server.url()); });
    CHECK(std::string(e.what()).find("hidden") == std::string::npos);
}

TEST_CASE("keys of a machine's role are taken from its metadata service", "[s3][login]") {
    const s3test::server server;
    const std::pair<std::string, std::string> service = {"AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url()};
    {
        const with_environment here({service, {"AWS_EC2_METADATA_DISABLED", "false"}});
        CHECK(works(server.url()));
        CHECK(server.roles() == 1);
    }
    const with_environment here({service});
    CHECK_THROWS_AS(works(server.url()), nk::io_error);
    CHECK(server.roles() == 1);
}

TEST_CASE("keys of a role are renewed before they expire", "[s3][login]") {
    const s3test::server server("--role-seconds 200");  // less than five minutes
    const with_environment here({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url() + "/container"},
                                 {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "permit"}});

    CHECK(works(server.url()));
    CHECK(server.roles() > 2);
}

TEST_CASE("keys of a role that are refused as expired are renewed, and the request is made again", "[s3][login]") {
    const s3test::server server("--role-requests 4");
    const with_environment here({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url() + "/container"},
                                 {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "permit"}});
    const auto where = nk::s3("s3://bucket", {.endpoint = server.url()}) / "readings";

    nk::save_chunked(where, counting(0, 5));
    for (std::size_t row = 5; row < 10; ++row) {
        nk::chunk_writer<double, 1> sink(where);
        sink.append(counting(row, row + 1));
        (void)sink.commit();
    }

    CHECK(same(nk::load_chunked<double, 1>(where), counting(0, 10)));
    CHECK(server.roles() > 2);
}

TEST_CASE("keys that expire while nobody gives new ones are an error without the token", "[s3][login][error]") {
    const s3test::server server("--role-requests 1");
    const with_environment here({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", server.url() + "/container"},
                                 {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "permit"}});
    const auto where = nk::s3("s3://bucket", {.endpoint = server.url()}) / "readings";
    CHECK(where.place()->get("chunks/a", 10) == std::nullopt);
    const s3test::with_variable gone("AWS_CONTAINER_AUTHORIZATION_TOKEN", "other");

    const auto e = thrown<nk::io_error>([&] { (void)where.place()->get("chunks/a", 10); });

    CHECK(e.code() == std::errc::permission_denied);
    CHECK(std::string(e.what()).find("role-") == std::string::npos);
}

}  // namespace s3_login_tests
