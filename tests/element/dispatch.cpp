// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"

#include <ndkeep/element/dispatch.hpp>
#include <ndkeep/element/element.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

namespace element_dispatch_tests {

namespace nk = ndkeep;

namespace {

/// The dtype of the C++ type that a dtype is read as; nullopt if it has none.
std::optional<nk::dtype> read_as(const nk::dtype& type) {
    std::optional<nk::dtype> found;
    const bool is_called =
        nk::core::with_element_type(type, [&found]<class T>(std::type_identity<T>) { found = nk::dtype_of<T>(); });
    REQUIRE(is_called == found.has_value());
    return found;
}

}  // namespace

TEST_CASE("every number of NumPy is read as the C++ type that has its dtype", "[element][dispatch]") {
    int numbers = 0;
    for (const char kind : std::string_view("biufcE"))
        for (std::uint64_t size = 1; size <= 32; ++size)
            if (nk::detail::has_size(kind, size)) {
                CAPTURE(kind, size);
                CHECK(read_as(nk::dtype::plain(kind, size)) == nk::dtype::plain(kind, size));
                ++numbers;
            }

    CHECK(numbers == 17);
}

TEST_CASE("a number of the other byte order is read as the same C++ type", "[element][dispatch]") {
    CHECK(read_as(nk::dtype::plain('f', 8, nk::byte_order::big)) == nk::dtype_of<double>());
    CHECK(read_as(nk::dtype::plain('f', 8, nk::byte_order::little)) == nk::dtype_of<double>());
}

TEST_CASE("dates and durations are read as counts of 64 bits", "[element][dispatch]") {
    CHECK(read_as(nk::dtype::time('M', "ns")) == nk::dtype_of<std::int64_t>());
    CHECK(read_as(nk::dtype::time('m', "")) == nk::dtype_of<std::int64_t>());
}

TEST_CASE("text, bytes and structs are read as no C++ number", "[element][dispatch]") {
    CHECK(!read_as(nk::dtype::plain('S', 8)));
    CHECK(!read_as(nk::dtype::plain('U', 8)));
    CHECK(!read_as(nk::dtype::plain('V', 8)));
    CHECK(!read_as(nk::dtype::structure({{.name = "x", .type = nk::dtype_of<double>()}}, 8)));
}

}  // namespace element_dispatch_tests
