// SPDX-License-Identifier: BSD-3-Clause
// Colours, pixels and PNG encoding.
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

/// The viridis colour map: dark blue at 0, green, yellow at 1, with uniform change of brightness.
[[nodiscard]] colour colour_of(double part);

/// Position of a number between `low` and `high`, from 0 to 1.
[[nodiscard]] double part_of(double number, double low, double high);

/// A grid of pixels, initially transparent.
class picture {
  public:
    picture(std::size_t width, std::size_t height) : width_(width), height_(height), pixels_(width * height, clear) {}

    [[nodiscard]] std::size_t width() const noexcept { return width_; }
    [[nodiscard]] std::size_t height() const noexcept { return height_; }
    void set(std::size_t x, std::size_t y, colour to) { pixels_[y * width_ + x] = to; }

    /// The picture encoded as a PNG file.
    [[nodiscard]] std::string png() const;

  private:
    static constexpr colour clear = {0, 0, 0, 0};

    std::size_t width_, height_;
    std::vector<colour> pixels_;
};

/// Base64 encoding (RFC 4648).
[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace tool
