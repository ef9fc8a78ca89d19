// SPDX-License-Identifier: BSD-3-Clause
// Peak memory of calls, which must not depend on the size of the arrays.
#include "npz/archives.hpp"
#include "support/peak_memory.hpp"

#include <cstring>

namespace npz_archives::memory_tests {

TEST_CASE("a lazy expression is written without a temporary of the whole", "[npz]") {
    const temp_dir dir;
    const matrix rows = xt::ones<double>({2000, 2000});  // 32 MB
    const auto lazy = rows * 1.8 + 32.0;
    constexpr std::size_t mib = std::size_t{1} << 20;

    CHECK(peak_of([&] { nk::save_npz(dir / "s.npz", {{"a", lazy}}); }) < 2 * mib);
    CHECK(peak_of([&] {
              nk::save_npz(dir / "c.npz", {{"a", lazy}}, {.compress = true, .run = {.threads = 1}});
          }) < 14 * mib);
    CHECK((nk::npz_reader(dir / "c.npz").load<double, 2>("a") == lazy));
}

TEST_CASE("an array in memory is written without a copy of the whole", "[npz]") {
    const temp_dir dir;
    const matrix rows = xt::ones<double>({1000, 2000});
    constexpr std::size_t mib = std::size_t{1} << 20;

    CHECK(peak_of([&] { nk::save_npz(dir / "s.npz", {{"a", rows}}); }) < mib);
    CHECK(peak_of([&] {
              nk::save_npz(dir / "c.npz", {{"a", rows}}, {.compress = true, .run = {.threads = 1}});
          }) < 8 * mib);
}

TEST_CASE("a stored array is loaded into its place", "[npz]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", xt::ones<double>({1000, 2000})}});
    const nk::npz_reader in(dir / "a.npz");
    constexpr std::size_t mib = std::size_t{1} << 20;

    CHECK(peak_of([&] { (void)in.load<double, 2>("a"); }) < 21 * mib);
}

TEST_CASE("a large compressed member is verified without being expanded as a whole", "[npz][verify]") {
    const temp_dir dir;
    constexpr std::size_t mib = std::size_t{1} << 20;
    const nk::array_view zeros(nk::dtype_of<std::uint8_t>(), {70 * mib},
                               [](std::size_t, std::size_t count, std::byte* out) { std::memset(out, 0, count); });
    nk::save_npz(dir / "a.npz", {{"a", zeros}}, {.compress = true});

    CHECK(peak_of([&] { CHECK(nk::findings_npz(dir / "a.npz", {.run = {.threads = 1}}).empty()); }) < 4 * mib);
    auto text = read_text(dir / "a.npz");
    text[text.find("PK\1\2") + 16] ^= 1;  // a bit of the CRC-32 in the central directory
    write_text(dir / "a.npz", text);
    CHECK_THROWS_AS(nk::verify_npz(dir / "a.npz"), nk::checksum_error);
}

}  // namespace npz_archives::memory_tests
