// SPDX-License-Identifier: BSD-3-Clause
// Helpers for tests of trees: a struct to store, and a tree of any depth.
#pragma once

#include <ndkeep/element/fields.hpp>
#include <ndkeep/tree/tree.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace trees {

namespace nk = ndkeep;
using nk::tree;

struct reading {
    std::int16_t id;
    double value;
};
NDKEEP_FIELDS(reading, id, value);

inline tree deep(std::size_t levels) {
    tree out = 1;
    for (std::size_t i = 0; i < levels; ++i) {
        tree outer;
        if (i % 2 == 0)
            outer.push_back(std::move(out));
        else
            outer["a"] = std::move(out);
        out = std::move(outer);
    }
    return out;
}

}  // namespace trees
