// SPDX-License-Identifier: BSD-3-Clause
// The tool on bfloat16, whose name a chunked array keeps and an npy file does not.
#include "tool/run_tool.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/npy.hpp>

#include <string>
#include <vector>

namespace tool_bfloat16_tests {

namespace nk = ndkeep;
using nk::bfloat16;

TEST_CASE("show and info know bfloat16 as a number", "[tool][bfloat16]") {
    const temp_dir dir;
    nk::save_chunked(dir / "data", std::vector<bfloat16>{1.5F, -2, 384});

    CHECK(output_of("show", {(dir / "data").string()}) == "[  1.5  -2.  384. ]\n");
    CHECK(output_of("info", {(dir / "data").string()}).find("bfloat16") != std::string::npos);
}

TEST_CASE("convert rounds to bfloat16, and takes it for a number", "[tool][bfloat16]") {
    const temp_dir dir;
    const auto in = [&](const char* name) { return (dir / name).string(); };
    nk::save_chunked(dir / "data", std::vector<bfloat16>{1.5F, -2, 0.1});
    nk::save(dir / "float.npy", std::vector<float>{257, 259, 1e-3F});

    REQUIRE(run_tool({"convert", in("data"), in("wide.npy"), "--dtype", "f4"}).status == 0);
    REQUIRE(run_tool({"convert", in("data"), in("text.csv")}).status == 0);
    REQUIRE(run_tool({"convert", in("text.csv"), in("back.npy"), "--dtype", "bfloat16"}).status == 0);
    REQUIRE(run_tool({"convert", in("float.npy"), in("small.npy"), "--dtype", "bfloat16"}).status == 0);

    CHECK((nk::load<float, 1>(dir / "wide.npy") == xt::xtensor<float, 1>{1.5F, -2, bfloat16(0.1)}));
    CHECK((nk::load<bfloat16, 1>(dir / "back.npy") == xt::xtensor<bfloat16, 1>{1.5F, -2, 0.1}));
    CHECK((nk::load<bfloat16, 1>(dir / "small.npy") == xt::xtensor<bfloat16, 1>{256, 260, 1e-3F}));
}

}  // namespace tool_bfloat16_tests
