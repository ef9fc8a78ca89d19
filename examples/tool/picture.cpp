// SPDX-License-Identifier: BSD-3-Clause
#include "picture.hpp"

#include <ndkeep/bytes/crc.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>

#include <zlib.h>

namespace tool {

namespace {

void append_number(std::string& out, std::uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8)
        out += static_cast<char>(static_cast<unsigned char>(number >> shift & 0xff));
}

/// A PNG chunk (PNG 1.2, section 3.2): length, name, data, and the CRC-32 of name and data.
void append_chunk(std::string& out, std::string_view name, std::string_view data) {
    append_number(out, static_cast<std::uint32_t>(data.size()));
    const auto whole = std::string(name) + std::string(data);
    out += whole;
    append_number(out, ndkeep::crc32(std::as_bytes(std::span(whole))));
}

}  // namespace

colour colour_of(double part) {
    static constexpr std::array<colour, 9> steps = {{{68, 1, 84},
                                                     {71, 44, 122},
                                                     {59, 81, 139},
                                                     {44, 113, 142},
                                                     {33, 144, 141},
                                                     {39, 173, 129},
                                                     {92, 200, 99},
                                                     {170, 220, 50},
                                                     {253, 231, 37}}};
    const double place = std::clamp(part, 0.0, 1.0) * static_cast<double>(steps.size() - 1);
    const auto at = std::min(static_cast<std::size_t>(place), steps.size() - 2);
    const double rest = place - static_cast<double>(at);
    const auto between = [rest](std::uint8_t from, std::uint8_t to) {
        return static_cast<std::uint8_t>(std::lround(from + rest * (to - from)));
    };
    const colour &a = steps[at], &b = steps[at + 1];
    return {between(a.red, b.red), between(a.green, b.green), between(a.blue, b.blue)};
}

double part_of(double number, double low, double high) {
    // Halves avoid overflow: the difference of two doubles can exceed the largest double.
    const double range = high / 2 - low / 2;
    if (!(range > 0))
        return number > high ? 1 : number < low ? 0 : 0.5;
    return std::clamp((number / 2 - low / 2) / range, 0.0, 1.0);
}

std::string picture::png() const {
    std::string lines;
    lines.reserve(height_ * (4 * width_ + 1));
    for (std::size_t y = 0; y < height_; ++y) {
        lines += '\0';  // filter type 0: none
        for (std::size_t x = 0; x < width_; ++x) {
            const colour& pixel = pixels_[y * width_ + x];
            for (const std::uint8_t value : {pixel.red, pixel.green, pixel.blue, pixel.alpha})
                lines += static_cast<char>(value);
        }
    }
    uLongf length = compressBound(static_cast<uLong>(lines.size()));
    std::string data(length, '\0');
    constexpr int level = 6;
    if (compress2(reinterpret_cast<Bytef*>(data.data()), &length, reinterpret_cast<const Bytef*>(lines.data()),
                  static_cast<uLong>(lines.size()), level) != Z_OK)
        throw std::runtime_error("cannot compress the picture with zlib");
    data.resize(length);

    std::string out = "\x89PNG\r\n\x1a\n";
    std::string header;
    append_number(header, static_cast<std::uint32_t>(width_));
    append_number(header, static_cast<std::uint32_t>(height_));
    header += std::string("\x08\x06\x00\x00\x00", 5);  // 8 bits each of red, green, blue and alpha
    append_chunk(out, "IHDR", header);
    append_chunk(out, "IDAT", data);
    append_chunk(out, "IEND", "");
    return out;
}

std::string base64(std::string_view bytes) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto byte = [&](std::size_t at) -> unsigned {
            return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0;
        };
        const unsigned three = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        for (std::size_t j = 0; j < 4; ++j)
            out += i + j > bytes.size() ? '=' : letters[three >> (18 - 6 * j) & 63];
    }
    return out;
}

}  // namespace tool
