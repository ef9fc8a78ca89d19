// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/tree/detail/print.hpp>.
#pragma once

#include <ndkeep/tree/detail/print.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/text/json/nonfinite.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/text/unicode.hpp>
#include <ndkeep/tree/detail/access.hpp>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

NDKEEP_INLINE void append_scalar(std::string& out, const tree& value) {
    switch (value.kind()) {
    case tree_kind::boolean:
        out += value.get<bool>() ? "true" : "false";
        return;
    case tree_kind::integer:
        out += tree_access::is_unsigned(value) ? std::to_string(value.get<std::uint64_t>())
                                               : std::to_string(value.get<std::int64_t>());
        return;
    case tree_kind::real_number:
        return append_json_number(out, value.get<double>());
    default:
        out += "null";
    }
}

/// Writes a tree without recursion, so that no depth overflows the stack.
class tree_printer {
  public:
    [[nodiscard]] std::string print(const tree& root) {
        open(root);
        while (!open_.empty()) {
            level& inner = open_.back();
            if (inner.next == inner.of->size()) {
                close();
                continue;
            }
            const std::size_t at = inner.next++;
            out_ += at == 0 ? "\n" : ",\n";
            indent();
            if (inner.keys != nullptr) {
                append_text(inner.keys[at]);
                out_ += ": ";
            }
            open(inner.of->begin()[at]);
        }
        return std::move(out_);
    }

  private:
    struct level {
        const tree* of;
        const std::string* keys;  // nullptr for a list
        std::size_t next = 0;
    };

    void indent() { out_.append(2 * open_.size(), ' '); }

    /// Writes a leaf, or the opening bracket of a list or dictionary.
    void open(const tree& value) {
        if (value.is_list() || value.is_dictionary()) {
            out_ += value.is_list() ? '[' : '{';
            open_.push_back({&value, value.is_list() ? nullptr : tree_access::keys(value)});
        } else if (value.is_string()) {
            append_text(tree_access::text(value));
        } else if (value.is_array()) {
            const dtype& type = value.type();
            out_ += "array " + (type.is_struct() ? type.descr() : ndkeep::quoted(type.str())) + ' ';
            out_ += shape_text(value.shape());
        } else if (value.is_real() && !is_finite(value.get<double>())) {
            out_ += nonfinite_text(value.get<double>());
        } else {
            append_scalar(out_, value);
        }
    }

    void close() {
        const tree& value = *open_.back().of;
        open_.pop_back();
        if (!value.empty()) {
            out_ += '\n';
            indent();
        }
        out_ += value.is_list() ? ']' : '}';
    }

    void append_text(std::string_view text) {
        if (is_utf8(text))
            append_json_text(out_, text);
        else
            out_ += python_repr(text);  // text that cannot be saved is still shown
    }

    std::string out_;
    std::vector<level> open_;
};

}  // namespace detail

NDKEEP_INLINE std::string tree::str() const { return detail::tree_printer().print(*this); }

}  // namespace ndkeep
