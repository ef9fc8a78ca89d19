// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/pickle/detail/objects.hpp>.
#pragma once

#include <ndkeep/pickle/detail/objects.hpp>

#include <ndkeep/element/element.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/pickle/detail/labels.hpp>
#include <ndkeep/text/unicode.hpp>
#include <ndkeep/tree/detail/access.hpp>
#include <ndkeep/tree/detail/braces.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The elements of an object array, and the array that they become.
class value_collector {
  public:
    value_collector(const std::vector<std::size_t>& shape, const std::filesystem::path& file, std::uint64_t most)
        : shape_(shape), file_(file), most_(most) {}

    [[nodiscard]] any_array array_of(const tree& values) {
        collect(values, 0);
        if (all_.empty())
            return {dtype_of<double>(), shape_};
        if (is_stack())
            return stacked();
        take_scalars();
        switch (all_.front()->kind()) {
        case tree_kind::string:
            return texts();
        case tree_kind::boolean:
        case tree_kind::integer:
        case tree_kind::real_number:
            return numbers();
        default:
            refuse(0);
        }
    }

  private:
    void collect(const tree& values, std::size_t axis) {
        if (axis == shape_.size()) {
            all_.push_back(&values);
            return;
        }
        for (const auto& each : values)
            collect(each, axis + 1);
    }

    [[noreturn]] void refuse(std::size_t at) const {
        const auto& value = *all_[at];
        throw mismatched(file_, "element " + std::to_string(at),
                         at == 0 ? "a number, text, a date or an array"
                                 : "a value that has a dtype with those before it",
                         value.is_array() ? "an array " + value.type().str() + ' ' + shape_text(value.shape())
                                          : std::string(kind_text(value.kind())),
                         "load_pickle reads it as a tree");
    }

    [[nodiscard]] any_array made(const dtype& type, const std::vector<std::size_t>& shape) const {
        const auto bytes = checked_nbytes(type, shape, file_);
        if (bytes > most_)
            throw mismatched(file_, "array", "at most " + counted(most_, "byte"), counted(bytes, "byte"),
                             "load_pickle reads it as a tree");
        return {type, shape};
    }

    /// Whether all are arrays of one dtype and shape.
    [[nodiscard]] bool is_stack() const {
        const auto& first = *all_.front();
        return first.is_array() && std::all_of(all_.begin(), all_.end(), [&](const tree* each) {
                   return each->is_array() && each->type() == first.type() && each->shape() == first.shape();
               });
    }

    /// Makes plain values of NumPy's scalars: they may be beside others, or have another dtype.
    void take_scalars() {
        for (const tree*& each : all_) {
            if (!each->is_array() || !each->shape().empty())
                continue;
            const auto array = each->array();
            const auto kind = array->type().kind();
            if (kind == 'U') {
                scalars_.push_back(std::make_unique<tree>(*label_text(*array, 0)));
            } else if (kind == 'b' || kind == 'i' || kind == 'u' || kind == 'f') {
                tree value;
                visit<numeric>(
                    [&](const auto& one) {
                        using type = typename std::decay_t<decltype(one)>::value_type;
                        if constexpr (std::is_integral_v<type>)
                            value = tree(type(one()));
                        else if constexpr (std::is_floating_point_v<type>)
                            value = tree(static_cast<double>(one()));
                    },
                    *array);
                scalars_.push_back(std::make_unique<tree>(std::move(value)));
            } else {
                continue;
            }
            each = scalars_.back().get();
        }
    }

    template <class T>
    [[nodiscard]] any_array numbers(bool are_real = false) const {
        auto array = made(dtype_of<T>(), shape_);
        auto* out = array.bytes().data();
        for (std::size_t i = 0; i < all_.size(); ++i, out += sizeof(T)) {
            const auto& value = *all_[i];
            T number{};
            if (value.is_boolean())
                number = static_cast<T>(value.get<bool>());
            else if (value.is_integer() || (are_real && value.is_real()))
                number = value.get<T>();
            else
                refuse(i);
            std::memcpy(out, &number, sizeof(T));
        }
        return array;
    }

    [[nodiscard]] any_array numbers() const {
        const auto any = [this](auto is) {
            return std::any_of(all_.begin(), all_.end(), [is](const tree* each) { return is(*each); });
        };
        if (any([](const tree& each) { return each.is_real(); }))
            return numbers<double>(true);
        if (!any([](const tree& each) { return !each.is_boolean(); }))
            return numbers<bool>();
        if (!any([](const tree& each) { return each.is_integer() && tree_access::is_unsigned(each); }))
            return numbers<std::int64_t>();
        // Negative integers beside some that only uint64 holds.
        return any([](const tree& each) {
            return each.is_integer() && !tree_access::is_unsigned(each) && each.get<std::int64_t>() < 0;
        })
                   ? numbers<double>(true)
                   : numbers<std::uint64_t>();
    }

    [[nodiscard]] any_array texts() const {
        std::size_t longest = 1;
        for (std::size_t i = 0; i < all_.size(); ++i) {
            if (!all_[i]->is_string())
                refuse(i);
            longest = std::max(longest, core::character_count(tree_access::text(*all_[i])));
        }
        auto array = made(dtype::plain('U', 4 * longest), shape_);
        std::memset(array.bytes().data(), 0, array.bytes().size());
        auto* out = array.bytes().data();
        for (const tree* each : all_) {
            const auto text = tree_access::text(*each);
            std::size_t at = 0;
            for (auto* next = out; at < text.size(); next += sizeof(char32_t)) {
                const auto one = core::decode_utf8(text, at);
                std::memcpy(next, &one.character, sizeof(char32_t));
                at += std::max<std::size_t>(one.length, 1);
            }
            out += 4 * longest;
        }
        return array;
    }

    [[nodiscard]] any_array stacked() const {
        const auto& type = all_.front()->type();
        const auto& inner = all_.front()->shape();
        auto shape = shape_;
        shape.insert(shape.end(), inner.begin(), inner.end());
        auto array = made(type, shape);
        auto* out = array.bytes().data();
        for (const tree* each : all_) {
            const auto one = each->array();
            const auto bytes = one->bytes();
            if (!bytes.empty())
                std::memcpy(out, bytes.data(), bytes.size());
            out += bytes.size();
        }
        return array;
    }

    const std::vector<std::size_t>& shape_;
    const std::filesystem::path& file_;
    std::uint64_t most_;
    std::vector<const tree*> all_;
    std::vector<std::unique_ptr<tree>> scalars_;
};

NDKEEP_INLINE any_array array_of_values(const tree& values, const std::vector<std::size_t>& shape,
                                        const std::filesystem::path& file, std::uint64_t most) {
    return value_collector(shape, file, most).array_of(values);
}

}  // namespace ndkeep::detail
