// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any text as the sidecar of an npy file. An accepted sidecar is written again and must read back the
// same.
#include "fuzz/fuzz.hpp"

#include <ndkeep/format/sidecar.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    ndkeep::sidecar found;
    if (!fuzz::succeeds([&] { found = ndkeep::parse_sidecar(text, "fuzz.npy.json"); }))
        return 0;
    const auto written = ndkeep::sidecar_text(found);
    fuzz::demand(ndkeep::detail::begins_sidecar(written));
    const auto again = ndkeep::parse_sidecar(written, "fuzz.npy.json");
    fuzz::demand(ndkeep::sidecar_text(again) == written);
    fuzz::demand(again.current.type == found.current.type && again.current.shape == found.current.shape);
    fuzz::demand(again.current.nbytes == found.current.nbytes && again.current.sums == found.current.sums);
    fuzz::demand(again.previous.has_value() == found.previous.has_value());

    // The type of a sidecar is only text until it is compared with a header.
    const ndkeep::array_info info{.type = ndkeep::dtype::plain('V', 2, ndkeep::byte_order::none), .shape = {3}};
    (void)found.current.fits(info);
    (void)found.current.known_type(info.type);
    return 0;
}
