// SPDX-License-Identifier: BSD-3-Clause
// Colours, pixels, and the file formats that hold them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

struct colour {
    std::uint8_t red = 0, green = 0, blue = 0;
    std::uint8_t alpha = 255;
};

/// From dark blue at 0 over green to yellow at 1, evenly bright; the map that is called viridis.
[[nodiscard]] colour colour_of(double part);

/// Where a number is between two others, from 0 to 1.
[[nodiscard]] double part_of(double number, double low, double high);

/// Pixels, transparent at first.
class picture {
  public:
    picture(std::size_t width, std::size_t height) : width_(width), height_(height), pixels_(width * height, clear) {}

    [[nodiscard]] std::size_t width() const noexcept { return width_; }
    [[nodiscard]] std::size_t height() const noexcept { return height_; }
    void set(std::size_t x, std::size_t y, colour to) { pixels_[y * width_ + x] = to; }

    /// The bytes of a PNG file.
    [[nodiscard]] std::string png() const;

  private:
    static constexpr colour clear = {0, 0, 0, 0};

    std::size_t width_, height_;
    std::vector<colour> pixels_;
};

/// RFC 4648.
[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace tool
