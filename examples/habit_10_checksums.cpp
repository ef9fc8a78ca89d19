// SPDX-License-Identifier: BSD-3-Clause
// Habit 10: a checksum detects a single wrong bit in a large file.
#include <ndkeep/npy.hpp>

#include <fstream>
#include <iostream>

namespace nk = ndkeep;

namespace {

/// Flips one bit, as a failing disk may do; size and time of the file stay the same.
void flip_a_bit(const std::filesystem::path& file, std::streamoff at) {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekg(at);
    const int byte = bytes.get();
    bytes.seekp(at);
    bytes.put(static_cast<char>(byte ^ 1));
}

}  // namespace

int main() {
    // In Python, zlib.crc32(np.load("big.npy")) and hashlib.md5(np.load("big.npy")) give the same sums.
    nk::save("big.npy", xt::arange<double>(1'000'000), {.sum = nk::checksum::crc32 | nk::checksum::md5});
    nk::verify("big.npy");
    std::cout << "big.npy: verified\n";

    flip_a_bit("big.npy", 4'000'000);
    try {
        nk::verify("big.npy");
    } catch (const nk::checksum_error& problem) {
        std::cout << problem.what() << '\n';
    }
    std::cout << nk::findings("big.npy").size() << " findings\n";

    flip_a_bit("big.npy", 4'000'000);
    nk::verify("big.npy");
    std::cout << "big.npy: restored and verified\n";
}
