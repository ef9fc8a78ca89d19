// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/bridges/arrow.hpp>, except for the export.
#pragma once

#include <ndkeep/bridges/arrow.hpp>

#include <ndkeep/error.hpp>

#include <algorithm>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE xt::xarray<bool> arrow_column::validity() const {
    xt::xarray<bool> flags = xt::xarray<bool>::from_shape(values_->shape);
    if (values_->valid.empty())
        flags.fill(true);
    else
        std::copy(values_->valid.begin(), values_->valid.end(), flags.storage().begin());
    return flags;
}

NDKEEP_INLINE std::vector<arrow_column> arrow_column::children() const {
    std::vector<arrow_column> out;
    for (const auto& child : values_->children)
        out.emplace_back(std::shared_ptr<const detail::arrow_values>(values_, &child));
    return out;
}

NDKEEP_INLINE arrow_column arrow_column::child(std::string_view name) const {
    std::string names;
    for (const auto& child : values_->children) {
        if (child.name == name)
            return arrow_column(std::shared_ptr<const detail::arrow_values>(values_, &child));
        names += (names.empty() ? "" : ", ") + quoted(child.name);
    }
    throw mismatch_error({.field = "child " + quoted(name),
                          .expected = names.empty() ? "a struct array" : "one of " + names,
                          .found = "missing"});
}

NDKEEP_INLINE arrow_column from_arrow(ArrowSchema* schema, ArrowArray* array, const from_arrow_options& options) {
    // Both are moved before anything is checked, so that an error releases them.
    arrow_owner<ArrowSchema> type;
    if (schema != nullptr)
        type = arrow_owner<ArrowSchema>(schema);
    arrow_owner<ArrowArray> taken;
    if (array != nullptr)
        taken = arrow_owner<ArrowArray>(array);
    const auto buffers = std::make_shared<arrow_owner<ArrowArray>>(std::move(taken));
    if (type->release == nullptr || buffers->get()->release == nullptr)
        throw detail::malformed({}, type->release == nullptr ? "ArrowSchema" : "ArrowArray", "a struct of its producer",
                                "released, moved or nullptr");
    return arrow_column(std::make_shared<const detail::arrow_values>(
        detail::import_arrow(*type.get(), *buffers->get(), options.nulls, buffers)));
}

}  // namespace ndkeep
