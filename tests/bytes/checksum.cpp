// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bytes_checksum_tests {

using namespace ndkeep;

namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::vector<std::byte> random_bytes(std::size_t count, std::uint32_t seed) {
    std::mt19937 random(seed);
    std::vector<std::byte> bytes(count);
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<std::byte>(random() & 0xff); });
    return bytes;
}

/// The definition of the CRC, computed one bit at a time.
std::uint32_t crc_by_bits(std::span<const std::byte> bytes, std::uint32_t polynomial) {
    std::uint32_t sum = 0xffffffff;
    for (const std::byte byte : bytes) {
        sum ^= std::to_integer<std::uint32_t>(byte);
        for (int bit = 0; bit < 8; ++bit)
            sum = (sum >> 1) ^ ((sum & 1) != 0 ? polynomial : 0);
    }
    return ~sum;
}

std::string md5_text(std::string_view text) { return checksums_of(bytes_of(text), checksum::md5).at("md5"); }

}  // namespace

TEST_CASE("crc32c gives the sums of RFC 3720 B.4", "[bytes][checksum]") {
    std::vector<std::byte> zeros(32, std::byte{0}), ones(32, std::byte{0xff}), up, down;
    for (unsigned i = 0; i < 32; ++i) {
        up.push_back(static_cast<std::byte>(i));
        down.push_back(static_cast<std::byte>(31 - i));
    }
    const unsigned char read_command[48] = {0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0,    0, 0, 0, 0,
                                            0x14, 0,    0, 0, 0, 0, 4, 0, 0,    0, 0, 0x14, 0, 0, 0, 0x18,
                                            0x28, 0,    0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0,    0, 0, 0, 0};

    for (const auto sum : {crc32c, detail::crc32c_plain}) {
        CHECK(sum(zeros, 0) == 0x8a9136aa);
        CHECK(sum(ones, 0) == 0x62a8ab43);
        CHECK(sum(up, 0) == 0x46dd794e);
        CHECK(sum(down, 0) == 0x113fdb5c);
        CHECK(sum(std::as_bytes(std::span(read_command)), 0) == 0xd9963a56);
    }
}

TEST_CASE("md5 gives the digests of RFC 1321 A.5", "[bytes][checksum]") {
    CHECK(md5_text("") == "d41d8cd98f00b204e9800998ecf8427e");
    CHECK(md5_text("a") == "0cc175b9c0f1b6a831c399e269772661");
    CHECK(md5_text("abc") == "900150983cd24fb0d6963f7d28e17f72");
    CHECK(md5_text("message digest") == "f96b697d7cb7938d525a2f31aaf161d0");
    CHECK(md5_text("abcdefghijklmnopqrstuvwxyz") == "c3fcd3d76192e4007dfb496cca67e13b");
    CHECK(md5_text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") ==
          "d174ab98d277d9f5a5611c2c9f419d9f");
    CHECK(md5_text("12345678901234567890123456789012345678901234567890123456789012345678901234567890") ==
          "57edf4a22be3c955ac49da2e2107b67a");
}

TEST_CASE("md5 pads every length around a block as hashlib does", "[bytes][checksum]") {
    const std::string xs(120, 'x');

    CHECK(md5_text(xs.substr(0, 55)) == "04364420e25c512fd958a70738aa8f72");
    CHECK(md5_text(xs.substr(0, 56)) == "668a72d5ba17f08e62dabcafad6db14b");
    CHECK(md5_text(xs.substr(0, 63)) == "7dc2ca208106a2f703567bdff99d8981");
    CHECK(md5_text(xs.substr(0, 64)) == "c1bb4f81d892b2d57947682aeb252456");
    CHECK(md5_text(xs.substr(0, 65)) == "1bc932052302d074bdec39795fe00cf6");
    CHECK(md5_text(xs.substr(0, 119)) == "ab347a5f68c8a443cfcddc633f12c24f");
    CHECK(md5_text(xs) == "fb98667f98096de92620b64f46e1c5b5");
}

TEST_CASE("crc32 and crc32c are their definitions at every length and alignment", "[bytes][checksum]") {
    const auto bytes = random_bytes(400, 1);

    CHECK(crc32(bytes_of("123456789")) == 0xcbf43926);
    CHECK(crc32c(bytes_of("123456789")) == 0xe3069283);
    bool same = true;
    for (std::size_t start = 0; start < 17; ++start) {
        for (std::size_t size = 0; size <= 300; ++size) {
            const auto part = std::span(bytes).subspan(start, size);
            const std::uint32_t sum = crc_by_bits(part, 0xedb88320), sum_c = crc_by_bits(part, 0x82f63b78);
            same = same && crc32(part) == sum && detail::crc32_plain(part, 0) == sum;
            same = same && crc32c(part) == sum_c && detail::crc32c_plain(part, 0) == sum_c;
        }
    }
    CHECK(same);
}

TEST_CASE("long sums agree with the plain way at every length and alignment", "[bytes][checksum]") {
    const auto bytes = random_bytes(2500, 2);

    bool same = true;
    for (std::size_t start = 0; start < 33; ++start) {
        for (std::size_t size = 900; size <= 1400; ++size) {
            const auto part = std::span(bytes).subspan(start, size);
            same = same && crc32(part, 0xdeadbeef) == detail::crc32_plain(part, 0xdeadbeef);
            same = same && crc32c(part, 0xdeadbeef) == detail::crc32c_plain(part, 0xdeadbeef);
        }
    }
    CHECK(same);
}

TEST_CASE("the sum of nothing is the sum so far", "[bytes][checksum]") {
    CHECK(crc32({}) == 0);
    CHECK(crc32c({}) == 0);
    CHECK(crc32({}, 0x12345678) == 0x12345678);
    CHECK(crc32c({}, 0x12345678) == 0x12345678);
    CHECK(checksums_of({}, checksum::none).empty());
}

TEST_CASE("sums do not depend on how the bytes come", "[bytes][checksum]") {
    const auto kinds = checksum::crc32 | checksum::crc32c | checksum::md5;
    const auto bytes = random_bytes(100'003, 3);
    const auto expected = checksums_of(bytes, kinds);

    for (std::uint32_t seed = 0; seed < 50; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        const std::size_t longest = seed % 2 == 0 ? 200 : 40'000;
        running_checksums sums(kinds);
        for (std::span<const std::byte> rest = bytes; !rest.empty();) {
            const auto piece = rest.first(std::min<std::size_t>(random() % longest, rest.size()));
            sums.update(piece);
            rest = rest.subspan(piece.size());
        }

        CHECK(sums.values() == expected);
    }
}

TEST_CASE("sums can be read on the way", "[bytes][checksum]") {
    running_checksums sums(checksum::crc32 | checksum::md5);
    sums.update(bytes_of("message "));
    const auto half = sums.values();
    sums.update(bytes_of("digest"));

    CHECK(half == checksums_of(bytes_of("message "), checksum::crc32 | checksum::md5));
    CHECK(sums.values().at("md5") == "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST_CASE("a sum is written with all its digits, leading zeros too", "[bytes][checksum]") {
    const auto sums = checksums_of(bytes_of("row 4617"), checksum::crc32);

    CHECK(sums == checksums{{"crc32", "0000339c"}});
}

TEST_CASE("stored sums are continued without the bytes they are of", "[bytes][checksum]") {
    const auto bytes = random_bytes(5000, 4);
    const auto kinds = checksum::crc32 | checksum::crc32c;
    const auto stored = checksums_of(std::span(bytes).first(1234), kinds);

    running_checksums sums(kinds, stored);
    sums.update(std::span(bytes).subspan(1234));

    CHECK(sums.values() == checksums_of(bytes, kinds));
}

TEST_CASE("a stored sum that is missing or malformed is refused by name", "[bytes][checksum][error]") {
    const auto refused = [](const checksums& stored) -> std::string {
        try {
            const running_checksums sums(checksum::crc32, stored, "t.npy.json");
        } catch (const format_error& e) {
            return e.what();
        }
        return "";
    };

    CHECK(refused({{"md5", "00"}}) == "t.npy.json: crc32 is missing, expected 8 hexadecimal digits");
    CHECK(refused({{"crc32", "9ae0daa"}}) == "t.npy.json: crc32 is '9ae0daa', expected 8 hexadecimal digits");
    CHECK(refused({{"crc32", "9ae0daag"}}) == "t.npy.json: crc32 is '9ae0daag', expected 8 hexadecimal digits");
    CHECK(refused({{"crc32", "9AE0DAAF"}}) == "");
}

TEST_CASE("md5 is the kind that cannot be continued", "[bytes][checksum]") {
    CHECK(running_checksums::can_continue(checksum::crc32 | checksum::crc32c));
    CHECK(!running_checksums::can_continue(checksum::crc32 | checksum::md5));
}

TEST_CASE("the sums of two pieces give the sum of both", "[bytes][checksum]") {
    const auto bytes = random_bytes(3000, 5);
    const std::span<const std::byte> all(bytes);

    for (const std::size_t cut : {std::size_t{0}, std::size_t{1}, std::size_t{777}, std::size_t{2999}, bytes.size()}) {
        CAPTURE(cut);
        const auto a = all.first(cut), b = all.subspan(cut);
        CHECK(crc32_combine(crc32(a), crc32(b), b.size()) == crc32(all));
        CHECK(crc32c_combine(crc32c(a), crc32c(b), b.size()) == crc32c(all));
    }
}

TEST_CASE("pieces of more than 4 GiB are put together as well", "[bytes][checksum]") {
    const std::uint64_t size = (std::uint64_t{1} << 61) + 12345;

    // Computes the sum in three steps and in one.
    const std::uint32_t zeros = crc32(std::vector<std::byte>(1000));
    std::uint32_t half = zeros, whole = zeros;
    half = crc32_combine(half, 0, size / 2);
    half = crc32_combine(half, 0, size - size / 2);
    whole = crc32_combine(whole, 0, size);
    CHECK(half == whole);
}

TEST_CASE("checksum kinds form sets and have names", "[bytes][checksum]") {
    const auto both = checksum::crc32 | checksum::md5;

    CHECK(contains(both, checksum::crc32));
    CHECK(!contains(both, checksum::crc32c));
    CHECK(contains(both, both));
    CHECK(!contains(both, checksum::none));
    CHECK((both & checksum::md5) == checksum::md5);
    for (const checksum kind : checksum_kinds)
        CHECK(checksum_from_name(checksum_name(kind)) == kind);
    CHECK(checksum_name(checksum::none) == "none");
    CHECK(checksum_name(both).empty());
    CHECK(!checksum_from_name("sha256"));
    CHECK(!checksum_from_name("none"));
    CHECK(kinds_of({{"crc32", ""}, {"md5", ""}, {"sha256", ""}}) == both);
}

}  // namespace bytes_checksum_tests
