// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any text as the member tree.json of an archive. An accepted tree is written again and must be equal.
#include "fuzz/fuzz.hpp"

#include <ndkeep/array/any.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/tree/detail/document.hpp>
#include <ndkeep/tree/tree.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ndkeep::tree all;
    if (!fuzz::succeeds([&] {
            all = ndkeep::tree_of(fuzz::text_of(data, size), "fuzz.npz", [](const std::string& member) {
                // The array of a member holds its name.
                ndkeep::any_array name(ndkeep::dtype_of<std::uint8_t>(), {member.size()});
                std::ranges::copy(fuzz::bytes_of(member), name.bytes().begin());
                return ndkeep::tree(std::move(name));
            });
        }))
        return 0;
    (void)all.str();

    ndkeep::tree_document document;
    if (!fuzz::succeeds([&] { document = ndkeep::document_of(all); }))
        return 0;  // nested a little deeper than writers nest
    std::map<std::string, ndkeep::tree> arrays;
    for (const auto& [name, array] : document.arrays)
        fuzz::demand(arrays.emplace(name + ".npy", array).second);
    const auto again =
        ndkeep::tree_of(document.text, "fuzz.npz", [&](const std::string& member) { return arrays.at(member); });
    fuzz::demand(again == all);
    return 0;
}
