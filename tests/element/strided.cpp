// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/element/strided.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <random>
#include <vector>

namespace array_strided_tests {

using ndkeep::order;
using ndkeep::detail::copy_strided;
using ndkeep::detail::gather;
using ndkeep::detail::is_contiguous;
using ndkeep::detail::product;
using ndkeep::detail::strides_of;
using shape_type = std::vector<std::size_t>;
using strides_type = std::vector<std::ptrdiff_t>;

namespace {

/// A block of memory, and the position of the first element of an array with these strides.
struct memory {
    std::vector<std::byte> bytes;
    strides_type strides;
    std::size_t begin = 0;

    [[nodiscard]] std::byte* first() { return bytes.data() + begin; }
};

/// The byte offset of the element with this row-major index.
std::ptrdiff_t offset_of(std::size_t number, const shape_type& shape, const strides_type& strides) {
    std::ptrdiff_t offset = 0;
    for (std::size_t axis = shape.size(); axis-- > 0; number /= shape[axis])
        offset += static_cast<std::ptrdiff_t>(number % shape[axis]) * strides[axis];
    return offset;
}

class random_layouts {
  public:
    [[nodiscard]] std::size_t below(std::size_t end) { return engine_() % end; }

    /// Sometimes long enough for more than one tile.
    [[nodiscard]] shape_type shape() {
        shape_type extents(below(6));
        const std::size_t longest = extents.size() < 3 ? 70 : 6;
        for (auto& extent : extents)
            extent = below(10) == 0 ? 0 : 1 + below(longest);
        return extents;
    }

    /// Random strides: axes in any order, with gaps, some reversed; for reading also some with stride 0.
    [[nodiscard]] memory layout(const shape_type& shape, std::size_t item, bool for_reading) {
        memory out;
        out.strides.resize(shape.size());
        shape_type order(shape.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::shuffle(order.begin(), order.end(), engine_);
        std::size_t step = item + below(2) * below(5);
        std::size_t needed = item;
        for (const std::size_t axis : order) {
            if (for_reading && below(6) == 0)
                continue;
            const std::size_t length = step * (std::max<std::size_t>(shape[axis], 1) - 1);
            const bool backwards = below(3) == 0;
            out.strides[axis] = backwards ? -static_cast<std::ptrdiff_t>(step) : static_cast<std::ptrdiff_t>(step);
            if (backwards)
                out.begin += length;
            needed += length;
            step += length + below(2) * below(5);
        }
        out.bytes.resize(needed);
        for (auto& byte : out.bytes)
            byte = static_cast<std::byte>(below(256));
        return out;
    }

  private:
    std::mt19937_64 engine_{42};
};

}  // namespace

TEST_CASE("copy_strided is a plain loop over all elements, whatever the layouts", "[array][strided]") {
    random_layouts random;
    std::size_t wrong = 0;
    std::size_t copied = 0;
    for (int round = 0; round < 600; ++round) {
        const auto shape = random.shape();
        const std::size_t item = std::vector<std::size_t>{1, 2, 4, 8, 16, 3, 24}[random.below(7)];
        auto from = random.layout(shape, item, true);
        auto to = random.layout(shape, item, false);
        auto expected = to;
        for (std::size_t i = 0; i < product(shape); ++i)
            std::copy_n(from.first() + offset_of(i, shape, from.strides), item,
                        expected.first() + offset_of(i, shape, to.strides));

        copy_strided(to.first(), to.strides, from.first(), from.strides, shape, item);

        wrong += to.bytes != expected.bytes;
        copied += product(shape);
    }

    CHECK(wrong == 0);
    CHECK(copied > 100'000);
}

TEST_CASE("gather takes any run of elements in row-major order", "[array][strided]") {
    random_layouts random;
    std::size_t wrong = 0;
    for (int round = 0; round < 600; ++round) {
        const auto shape = random.shape();
        const std::size_t item = std::vector<std::size_t>{1, 2, 4, 8, 16, 3, 24}[random.below(7)];
        auto from = random.layout(shape, item, true);
        const std::size_t first = random.below(product(shape) + 1);
        const std::size_t count = random.below(product(shape) - first + 1);
        std::vector<std::byte> expected(count * item + 1);
        for (std::size_t i = 0; i < count; ++i)
            std::copy_n(from.first() + offset_of(first + i, shape, from.strides), item, expected.data() + i * item);
        std::vector<std::byte> out(count * item + 1);

        gather(out.data(), first, count, from.first(), from.strides, shape, item);

        wrong += out != expected;
    }

    CHECK(wrong == 0);
}

TEST_CASE("copy_strided copies large arrays across their axes", "[array][strided]") {
    const shape_type shape = {67, 3, 129};
    std::vector<int> from(product(shape));
    std::iota(from.begin(), from.end(), 0);
    std::vector<int> to(from.size(), -1);

    copy_strided(reinterpret_cast<std::byte*>(to.data()), strides_of(shape, 4, order::column_major),
                 reinterpret_cast<const std::byte*>(from.data()), strides_of(shape, 4, order::row_major), shape, 4);

    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 67; ++i)
        for (std::size_t j = 0; j < 3; ++j)
            for (std::size_t k = 0; k < 129; ++k)
                wrong += to[i + 67 * (j + 3 * k)] != from[(i * 3 + j) * 129 + k];
    CHECK(wrong == 0);
}

TEST_CASE("arrays without elements or bytes are copied without touching memory", "[array][strided]") {
    copy_strided(nullptr, strides_type{8, 8}, nullptr, strides_type{8, 8}, shape_type{3, 0}, 8);
    copy_strided(nullptr, strides_type{0}, nullptr, strides_type{0}, shape_type{3}, 0);
    gather(nullptr, 0, 0, nullptr, strides_type{8}, shape_type{0}, 8);
    SUCCEED();
}

TEST_CASE("strides count bytes, in either order", "[array][strided]") {
    CHECK(strides_of(shape_type{2, 3, 4}, 8, order::row_major) == strides_type{96, 32, 8});
    CHECK(strides_of(shape_type{2, 3, 4}, 8, order::column_major) == strides_type{8, 16, 48});
    CHECK(strides_of(shape_type{}, 8, order::column_major).empty());
}

TEST_CASE("an array is contiguous whatever the strides of axes of one element", "[array][strided]") {
    CHECK(is_contiguous(shape_type{2, 3}, strides_type{24, 8}, 8, order::row_major));
    CHECK(!is_contiguous(shape_type{2, 3}, strides_type{24, 8}, 8, order::column_major));
    CHECK(is_contiguous(shape_type{2, 3}, strides_type{8, 16}, 8, order::column_major));
    CHECK(is_contiguous(shape_type{1, 3}, strides_type{999, 8}, 8, order::row_major));
    CHECK(is_contiguous(shape_type{1, 3}, strides_type{0, 8}, 8, order::column_major));
    CHECK(is_contiguous(shape_type{}, strides_type{}, 8, order::column_major));
    CHECK(is_contiguous(shape_type{5, 0}, strides_type{1, 2}, 8, order::row_major));
    CHECK(!is_contiguous(shape_type{3}, strides_type{-8}, 8, order::row_major));
    CHECK(!is_contiguous(shape_type{2}, strides_type{0}, 8, order::row_major));
}

}  // namespace array_strided_tests
