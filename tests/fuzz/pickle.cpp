// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any bytes as a pickle. A tree that can be written is read again, and is equal.
#include "fuzz/fuzz.hpp"

#include <ndkeep/pickle.hpp>

namespace {

using fuzz::demand;
using fuzz::succeeds;

[[nodiscard]] const fuzz::folder& where() {
    static const fuzz::folder made;
    return made;
}

void check(const ndkeep::tree& made, int protocol) {
    const auto file = where() / "again.pkl";
    // Text that is not UTF-8 cannot be written.
    if (!succeeds([&] { ndkeep::save_pickle(file, made, {.protocol = protocol}); }))
        return;
    demand(ndkeep::load_pickle(file) == made);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto input = fuzz::bytes_of(fuzz::text_of(data, size));
    ndkeep::tree made, opaque;
    const bool is_plain = succeeds([&] { made = ndkeep::load_pickle(input); });
    const bool is_opaque = succeeds([&] { opaque = ndkeep::load_pickle(input, {.opaque = true}); });
    demand(is_opaque || !is_plain);
    if (is_plain) {
        demand(made == opaque);
        check(made, 4);
    } else if (is_opaque) {
        check(opaque, 2);
    }
    return 0;
}
