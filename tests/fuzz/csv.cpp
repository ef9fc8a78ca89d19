// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: a line with a dtype, then CSV text of arrays of it; after an empty line, CSV text that decides on its
// dtype. What was read is written again and reads the same.
#include "tool/csv.hpp"
#include "fuzz/fuzz.hpp"

#include <ndkeep/format/dtype.hpp>

#include <algorithm>
#include <optional>
#include <string>

namespace {

using fuzz::demand;
using fuzz::succeeds;

[[nodiscard]] std::string csv_of(const ndkeep::any_array& array) {
    std::string text;
    tool::write_csv(array, "fuzz.csv", [&](std::string_view some) { text += some; });
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz::text_of(data, size);
    const auto end = std::min(input.find('\n'), input.size());
    const auto text = input.substr(std::min(end + 1, input.size()));
    std::optional<ndkeep::dtype> type;
    ndkeep::any_array array;
    if (end != 0 && !succeeds([&] { type = ndkeep::dtype::parse(input.substr(0, end)); }))
        return 0;
    // The user names the dtype, so its size is no stranger's.
    constexpr std::uint64_t most_bytes = 512;
    if ((type && type->size() > most_bytes) || !succeeds([&] { array = tool::read_csv(text, type, "fuzz.csv"); }))
        return 0;
    demand((!type || array.type() == *type) && array.bytes().size() <= most_bytes * (text.size() + 1));

    const auto written = csv_of(array);
    const auto again = tool::read_csv(written, array.type(), "fuzz.csv");
    demand(again.shape() == array.shape() && csv_of(again) == written);
    return 0;
}
