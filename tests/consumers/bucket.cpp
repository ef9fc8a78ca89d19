// SPDX-License-Identifier: BSD-3-Clause
// A program that uses S3. Its request reaches no server.
#include <ndkeep/chunks.hpp>
#include <ndkeep/s3.hpp>

#include <cstdio>
#include <string>

int main() {
    const ndkeep::s3 bucket("s3://measurements", {.endpoint = "http://127.0.0.1:1",
                                                  .login = {.key = "a", .secret = "not-to-be-seen"},
                                                  .transfer = {.patience = std::chrono::milliseconds(10)}});
    try {
        (void)ndkeep::load_chunked<double, 2>(bucket / "readings");
    } catch (const ndkeep::io_error& problem) {
        const std::string said = problem.what();
        std::puts(said.c_str());
        return said.find("s3://measurements/readings") != std::string::npos && said.find("seen") == std::string::npos
                   ? 0
                   : 1;
    }
    return 1;
}
