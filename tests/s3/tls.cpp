// SPDX-License-Identifier: BSD-3-Clause
// Encrypted connections: certificates are checked against those that are trusted.
#include "s3/bucket.hpp"
#include "s3/services.hpp"
#include "support/python.hpp"

#include <ndkeep/chunks.hpp>

#include <chrono>
#include <string>

namespace s3_tls_tests {

namespace nk = ndkeep;
using namespace std::chrono_literals;
using s3test::counting;
using s3test::same;

/// Makes a certificate for 127.0.0.1 and its key, in one file. False without openssl.
[[nodiscard]] bool make_certificate(const std::string& file) {
    return run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ndkeep -addext subjectAltName=IP:127.0.0.1 "
               "-keyout '" +
               file + "' -out '" + file + ".crt' && cat '" + file + ".crt' >>'" + file + "'")
               .status == 0;
}

TEST_CASE("a certificate that is named as trusted is accepted, and any other is an error at once", "[s3][tls][error]") {
    const temp_dir dir;
    const std::string own = dir / "own.pem", other = dir / "other.pem";
    if (!make_certificate(own) || !make_certificate(other)) {
        WARN("no openssl: nothing checked");
        return;
    }
    const s3test::server server("--certificate '" + own + "'");
    const auto with = [&](const std::string& ca_file) {
        nk::s3_options options;
        options.endpoint = "https://127.0.0.1:" + server.port();
        options.transfer = {.patience = 20s, .ca_file = ca_file};
        return nk::s3("s3://bucket", options) / "readings";
    };

    nk::save_chunked(with(own + ".crt"), counting(0, 5));
    CHECK(same(nk::load_chunked<double, 1>(with(own + ".crt")), counting(0, 5)));

    const auto from = std::chrono::steady_clock::now();
    for (const auto& ca_file : {std::string(), other + ".crt"}) {
        const auto e = thrown<nk::io_error>([&] { (void)nk::load_chunked<double, 1>(with(ca_file)); });
        const std::string text = e.what();
        CAPTURE(text);
        CHECK(text.find("s3://bucket/readings") == 0);
        CHECK(text.find("certificate") != std::string::npos);
    }
    const auto e = thrown<nk::io_error>([&] { (void)nk::load_chunked<double, 1>(with(dir / "absent.crt")); });
    CHECK(std::string(e.what()).find("absent.crt") != std::string::npos);
    CHECK(std::chrono::steady_clock::now() - from < 10s);
}

}  // namespace s3_tls_tests
