// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/bytes/deflate.hpp>
#include <ndkeep/error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bytes_deflate_tests {

using namespace ndkeep;

namespace {

using bytes = std::vector<std::byte>;

bytes bytes_of(std::string_view text) {
    const auto view = std::as_bytes(std::span(text));
    return {view.begin(), view.end()};
}

/// Bytes that compress to about half their size.
bytes some_bytes(std::size_t count, std::uint32_t seed = 1) {
    std::mt19937 random(seed);
    bytes out(count);
    std::generate(out.begin(), out.end(), [&] { return static_cast<std::byte>(random() & random() & 0x1f); });
    return out;
}

bytes expanded(std::span<const std::byte> compressed, std::size_t size) {
    bytes out(size);
    expand(compressed, out);
    return out;
}

/// The message of the format_error for the field "deflate stream"; empty if nothing is thrown.
std::string refusal(std::span<const std::byte> compressed, std::size_t size) {
    bytes out(size);
    try {
        expand(compressed, out, "run.npz");
    } catch (const format_error& e) {
        CHECK(e.field() == "deflate stream");
        CHECK(e.file() == "run.npz");
        return e.what();
    }
    return "";
}

}  // namespace

TEST_CASE("expand reads what Python's zlib wrote", "[bytes][deflate]") {
    // zlib.compressobj(6, zlib.DEFLATED, -15)
    const unsigned char foxes[] = {0x2b, 0xc9, 0x48, 0x55, 0x28, 0x2c, 0xcd, 0x4c, 0xce, 0x56, 0x48, 0x2a, 0xca, 0x2f,
                                   0xcf, 0x53, 0x48, 0xcb, 0xaf, 0x50, 0xc8, 0x2a, 0xcd, 0x2d, 0x28, 0x56, 0xc8, 0x2f,
                                   0x4b, 0x2d, 0x52, 0x28, 0x01, 0x4a, 0xe7, 0x24, 0x56, 0x55, 0x2a, 0xa4, 0xe4, 0xa7,
                                   0xeb, 0x80, 0x79, 0xa3, 0x8a, 0x47, 0x15, 0x8f, 0x2a, 0xa6, 0xaa, 0x62, 0x00};
    const unsigned char nothing[] = {0x03, 0x00};
    const unsigned char stored[] = {0x01, 0x06, 0x00, 0xf9, 0xff, 'n', 'd', 'k', 'e', 'e', 'p'};
    std::string text;
    for (int i = 0; i < 20; ++i)
        text += "the quick brown fox jumps over the lazy dog, ";

    CHECK(expanded(std::as_bytes(std::span(foxes)), 900) == bytes_of(text));
    CHECK(expanded(std::as_bytes(std::span(nothing)), 0).empty());
    CHECK(expanded(std::as_bytes(std::span(stored)), 6) == bytes_of("ndkeep"));
}

TEST_CASE("what compress makes, expand gives back, at every level and size", "[bytes][deflate]") {
    for (const std::size_t size : {0U, 1U, 100U, 65'535U, 65'536U, 400'000U}) {
        const auto original = some_bytes(size);
        for (int level = -1; level <= 10; ++level) {
            CAPTURE(size, level);
            CHECK(expanded(compress(original, level), size) == original);
        }
    }
}

TEST_CASE("compress makes numbers smaller and level 0 stores them", "[bytes][deflate]") {
    const auto original = some_bytes(100'000);

    CHECK(compress(original, 1).size() < 70'000);
    CHECK(compress(original, 0).size() > 100'000);
    CHECK(compress(bytes(100'000)).size() < 1000);
}

TEST_CASE("random bytes grow by little and come back", "[bytes][deflate]") {
    std::mt19937 random(7);
    bytes original(300'000);
    std::generate(original.begin(), original.end(), [&] { return static_cast<std::byte>(random() & 0xff); });

    const auto compressed = compress(original);

    CHECK(compressed.size() < 300'500);
    CHECK(expanded(compressed, original.size()) == original);
}

TEST_CASE("a stream cut short is refused, wherever it is cut", "[bytes][deflate][error]") {
    const auto compressed = compress(some_bytes(1000));

    CHECK(refusal({}, 1000) == "run.npz: deflate stream is cut short after 0 bytes, expected 1000 bytes");
    for (std::size_t size = 0; size < compressed.size(); ++size) {
        CAPTURE(size);
        CHECK(refusal(std::span(compressed).first(size), 1000).find("cut short after ") != std::string::npos);
    }
}

TEST_CASE("a stream of another size than announced is refused", "[bytes][deflate][error]") {
    const auto compressed = compress(some_bytes(1000));

    CHECK(refusal(compressed, 1001) == "run.npz: deflate stream is 1000 bytes, expected 1001 bytes");
    CHECK(refusal(compressed, 999) == "run.npz: deflate stream is more than 999 bytes, expected 999 bytes");
    CHECK(refusal(compressed, 0) == "run.npz: deflate stream is more than 0 bytes, expected 0 bytes");
    CHECK(refusal(compressed, 1000).empty());
}

TEST_CASE("expanding stops at the announced size, however much there would be", "[bytes][deflate][error]") {
    const auto bomb = compress(bytes(50'000'000), 9);

    CHECK(refusal(bomb, 100) == "run.npz: deflate stream is more than 100 bytes, expected 100 bytes");
}

TEST_CASE("bytes after the end of the stream are refused", "[bytes][deflate][error]") {
    auto compressed = compress(some_bytes(1000));
    compressed.resize(compressed.size() + 3);

    CHECK(refusal(compressed, 1000) == "run.npz: deflate stream is followed by 3 bytes, expected the end");
}

TEST_CASE("a corrupt stream is refused with the reason", "[bytes][deflate][error]") {
    const auto reserved_block_type = bytes_of("\x07 and more");

    CHECK(refusal(reserved_block_type, 1000) == "run.npz: deflate stream is corrupt (invalid block type)");
}

TEST_CASE("damage is an error or other bytes, never a crash", "[bytes][deflate][error]") {
    const auto original = some_bytes(3000);
    const auto compressed = compress(original);
    std::mt19937 random(11);

    for (int time = 0; time < 2000; ++time) {
        auto damaged = compressed;
        for (int flips = 0; flips < 3; ++flips)
            damaged[random() % damaged.size()] ^= static_cast<std::byte>(1U << (random() % 8));
        (void)refusal(damaged, original.size());
    }
    SUCCEED();
}

TEST_CASE("inflater takes pieces of any size on both sides", "[bytes][deflate]") {
    const auto original = some_bytes(2000);
    const auto compressed = compress(original);

    for (const std::size_t in_piece : {1U, 7U, 1000U, 100'000U}) {
        for (const std::size_t out_piece : {1U, 13U, 1999U, 2000U, 2001U}) {
            CAPTURE(in_piece, out_piece);
            inflater stream;
            bytes out;
            std::span<const std::byte> rest = compressed;
            std::span<const std::byte> piece;
            while (!stream.is_finished()) {
                if (piece.empty()) {
                    piece = rest.first(std::min(in_piece, rest.size()));
                    rest = rest.subspan(piece.size());
                }
                bytes part(out_piece);
                const std::size_t written = stream.expand(piece, part);
                out.insert(out.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(written));
            }

            CHECK(out == original);
            CHECK_NOTHROW(stream.expect_end(rest, original.size()));
        }
    }
}

TEST_CASE("an inflater can be moved in the middle of a stream", "[bytes][deflate]") {
    const auto original = some_bytes(2000);
    const auto compressed = compress(original);
    std::span<const std::byte> rest = compressed;
    bytes out(2000);

    inflater first;
    std::size_t written = first.expand(rest, std::span(out).first(900));
    inflater second = std::move(first);
    written += second.expand(rest, std::span(out).subspan(written));

    CHECK(written == 2000);
    CHECK(out == original);
    CHECK_NOTHROW(second.expect_end(rest, 2000));
}

TEST_CASE("pieces compressed apart are one stream", "[bytes][deflate]") {
    std::mt19937 random(3);
    for (const int level : {0, 1, 6, 9}) {
        for (const std::size_t piece_size : {0U, 1U, 5U, 97U, 5000U, 300'000U}) {
            CAPTURE(level, piece_size);
            bytes original, compressed;
            for (int i = 0; i < 20; ++i) {
                // Mixes repetitive, random and constant pieces, each with a different length.
                const auto seed = static_cast<std::uint32_t>(random());
                auto part = some_bytes(piece_size == 0 ? 0 : piece_size + seed % piece_size, seed);
                if (i % 3 == 0)
                    std::generate(part.begin(), part.end(), [&] { return static_cast<std::byte>(random() & 0xff); });
                if (i % 3 == 1)
                    std::fill(part.begin(), part.end(), std::byte{7});
                const auto made = compress(part, level, i == 19 ? deflate_piece::last : deflate_piece::inner);
                original.insert(original.end(), part.begin(), part.end());
                compressed.insert(compressed.end(), made.begin(), made.end());
            }

            bytes by_zlib(original.size());
            inflater stream;
            std::span<const std::byte> rest = compressed;
            CHECK(stream.expand(rest, by_zlib) == original.size());
            CHECK_NOTHROW(stream.expect_end(rest, original.size()));
            CHECK(by_zlib == original);
            CHECK(expanded(compressed, original.size()) == original);
        }
    }
}

TEST_CASE("noise is coded without looking for repetitions, and hardly larger", "[bytes][deflate]") {
    std::mt19937_64 random(5);
    std::normal_distribution<double> normal;
    bytes noise;
    for (int i = 0; i < 60'000; ++i) {
        const double value = normal(random);
        const auto part = std::as_bytes(std::span(&value, 1));
        noise.insert(noise.end(), part.begin(), part.end());
    }

    const auto is_noise = [](const bytes& all) { return !detail::quickest_way(all, 6).repetitions; };
    CHECK(is_noise(noise));
    const auto otherwise = detail::compressed_at(noise, 6, deflate_piece::last).size();
    CHECK(compress(noise, 6).size() <= otherwise + otherwise / 400);
    CHECK(expanded(compress(noise, 6), noise.size()) == noise);
    CHECK(!is_noise(some_bytes(100)));
    CHECK(!is_noise(bytes(1'000'000)));
}

TEST_CASE("an inner piece with an end behind it is a stream", "[bytes][deflate]") {
    for (const std::size_t size : {0U, 5U, 400'000U}) {
        const auto original = some_bytes(size);
        auto piece = compress(original, 6, deflate_piece::inner);
        piece.insert(piece.end(), deflate_end.begin(), deflate_end.end());

        CHECK(expanded(piece, size) == original);
    }
}

}  // namespace bytes_deflate_tests
