// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any bytes as an npy header. An accepted header is written again and must read back the same.
#include "fuzz/fuzz.hpp"

#include <ndkeep/format/header.hpp>

#include <algorithm>
#include <string>

namespace {

using fuzz::demand;

ndkeep::array_info read(std::span<const std::byte> bytes, const ndkeep::limits& limit = {}) {
    const auto first = bytes.first(std::min(bytes.size(), ndkeep::longest_preamble));
    const auto begin = ndkeep::parse_preamble(first, "fuzz.npy", bytes.size(), limit);
    demand(begin.data_offset() <= bytes.size());
    return ndkeep::parse_header(bytes.first(static_cast<std::size_t>(begin.data_offset())), "fuzz.npy", limit);
}

void check_round_trip(const ndkeep::array_info& info) {
    std::string text;
    try {
        text = ndkeep::header_bytes(info);
    } catch (const ndkeep::format_error&) {
        return;
    }
    // A header without padding may become longer than the limit.
    const auto again = read(std::as_bytes(std::span(text)), {.header_characters = ndkeep::longest_header});
    demand(again.type == info.type);
    demand(again.shape == info.shape);
    demand(again.nbytes() == info.nbytes());
    demand(again.data_offset == text.size());
    demand(ndkeep::header_bytes(again) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        const auto info = read(std::as_bytes(std::span(data, size)));
        (void)info.size();
        check_round_trip(info);
    } catch (const ndkeep::error&) {
    }
    return 0;
}
