// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/tree/detail/document.hpp>.
#pragma once

#include <ndkeep/tree/detail/document.hpp>

#include <ndkeep/bytes/float_bits.hpp>
#include <ndkeep/element/float16.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/text/json/nonfinite.hpp>
#include <ndkeep/text/json/parser.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/text/json/scanner.hpp>
#include <ndkeep/text/unicode.hpp>
#include <ndkeep/tree/detail/access.hpp>
#include <ndkeep/tree/detail/braces.hpp>
#include <ndkeep/tree/detail/branch.hpp>
#include <ndkeep/tree/detail/print.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

// Stored under "ndkeep". Another version is rejected, and not guessed at.
inline constexpr std::string_view tree_version = "tree/1";

/// Makes the names of arrays unique.
class array_names {
  public:
    /// Returns the name, with "#2", "#3", … appended if it is taken.
    [[nodiscard]] std::string take(std::string name) {
        // Zip allows 65,535 bytes: APPNOTE 4.4.10. The rest is room for "#2" and ".npy".
        constexpr std::size_t longest = 60'000;
        if (name.size() > longest || name.find('\0') != std::string::npos)
            name = "array";
        if (taken_.insert(name).second)
            return name;
        // The last number of each name is kept: a search from 2 would make many equal names quadratic.
        std::size_t& last = last_.try_emplace(name, 1).first->second;
        for (;;) {
            std::string numbered = name + '#' + std::to_string(++last);
            if (taken_.insert(numbered).second)
                return numbered;
        }
    }

  private:
    std::set<std::string> taken_;
    std::map<std::string, std::size_t> last_;
};

/// Writes the text of a tree, and lists its arrays.
class tree_writer {
  public:
    [[nodiscard]] tree_document write(const tree& root) {
        std::string text;
        append(text, root);
        object_text members;
        members.add("ndkeep", json_text(tree_version));
        members.add("tree", text);
        members.add("arrays", '[' + arrays_ + ']');
        if (!nonfinite_.empty())
            members.add(nonfinite_key, '[' + nonfinite_ + ']');
        document_.text = members.lines();
        return std::move(document_);
    }

  private:
    struct step {
        const std::string* key;  // nullptr in a list
        std::size_t index;
    };

    void append(std::string& out, const tree& value) {
        switch (value.kind()) {
        case tree_kind::array:
            out += "null";
            document_.arrays.emplace_back(names_.take(name()), value);
            return list_path(arrays_, json_text(document_.arrays.back().first + ".npy"));
        case tree_kind::string:
            check_text(tree_access::text(value), "");
            return append_json_text(out, tree_access::text(value));
        case tree_kind::list:
        case tree_kind::dictionary:
            return append_children(out, value);
        case tree_kind::real_number:
            // JSON has no such numbers. They are written as strings, and the list tells them from real strings.
            if (!is_finite(value.get<double>()))
                list_pointer(nonfinite_);
            [[fallthrough]];
        default:
            append_scalar(out, value);
        }
    }

    void append_children(std::string& out, const tree& value) {
        // Rejected here, because a deeper tree could be written but not read back.
        if (path_.size() == deepest_tree)
            throw mismatch_error(
                {.field = "tree", .expected = "at most " + counted(deepest_tree, "level"), .found = "nested deeper"});
        const std::string* const keys = value.is_list() ? nullptr : tree_access::keys(value);
        out += value.is_list() ? '[' : '{';
        for (std::size_t i = 0; i < value.size(); ++i) {
            if (i != 0)
                out += ", ";
            path_.push_back({value.is_list() ? nullptr : keys + i, i});
            if (!value.is_list()) {
                check_text(keys[i], "key of ");
                append_json_text(out, keys[i]);
                out += ": ";
            }
            append(out, value.begin()[i]);
            path_.pop_back();
        }
        out += value.is_list() ? ']' : '}';
    }

    void check_text(std::string_view text, std::string_view what) const {
        if (is_utf8(text))
            return;
        std::string field = std::string(what) + "tree";
        for (const auto& [key, index] : path_)
            field += '[' + (key != nullptr ? ndkeep::quoted(*key) : std::to_string(index)) + ']';
        throw mismatch_error({.field = std::move(field), .expected = "UTF-8", .found = ndkeep::quoted(text)});
    }

    [[nodiscard]] std::string name() const {
        if (path_.empty())
            return "arr_0";
        std::string out;
        for (std::size_t i = 0; i < path_.size(); ++i)
            out += (i == 0 ? "" : "/") + (path_[i].key != nullptr ? *path_[i].key : std::to_string(path_[i].index));
        return out;
    }

    void list_path(std::string& list, const std::string& what) const {
        std::string_view between;
        list += list.empty() ? "[[" : ", [[";
        for (const auto& [key, index] : path_) {
            list += std::exchange(between, ", ");
            list += key != nullptr ? json_text(*key) : std::to_string(index);
        }
        list += "], " + what + ']';
    }

    void list_pointer(std::string& list) const {
        std::string pointer = "/tree";
        for (const auto& [key, index] : path_)
            append_step(pointer, key != nullptr ? *key : std::to_string(index));
        list += (list.empty() ? "" : ", ") + json_text(pointer);
    }

    std::vector<step> path_;
    array_names names_;
    std::string arrays_;
    std::string nonfinite_;
    tree_document document_;
};

/// The callbacks of the JSON parser that make trees.
struct tree_builder {
    using value = tree;

    [[nodiscard]] static tree null() { return {}; }
    [[nodiscard]] static tree boolean(bool flag) { return flag; }
    [[nodiscard]] static tree count(std::uint64_t number) { return number; }
    [[nodiscard]] static tree negative(std::int64_t number) { return number; }
    [[nodiscard]] static tree real(double number) { return number; }
    [[nodiscard]] static tree string(std::string&& text) { return std::move(text); }
    [[nodiscard]] static tree list() { return tree::list(); }
    [[nodiscard]] static tree dictionary() { return tree::dictionary(); }
    static void add(tree& list, tree&& item) { list.push_back(std::move(item)); }
    static void add(tree& dictionary, const std::string& name, tree&& member) { dictionary[name] = std::move(member); }
    static void discard(tree&) noexcept {}  // its destructor allocates nothing
};

/// Reads the text of a tree, and puts its arrays and numbers in place.
class tree_reader {
  public:
    tree_reader(std::string_view text, const std::filesystem::path& file, const limits& limit)
        : file_(file), document_(json_parser<tree_builder>(text, file, bound_of(limit)).read()) {}

    [[nodiscard]] tree read(const std::function<tree(const std::string& member)>& leaf) {
        check_members();
        root_ = std::move(document_["tree"]);
        // Numbers first: so their paths are checked against the tree as it is in the text, before arrays replace null.
        restore_numbers();
        std::set<std::string> members;
        for_each("arrays", [&](tree& place, const std::string& member, const std::string& field) {
            // An array is null in the text. Any other value there would be lost.
            if (!place.is_null())
                refuse(field, "the path of null", found_at(place));
            if (!members.insert(member).second)
                refuse(field, "another member", ndkeep::quoted(member) + " a second time");
            place = leaf(member);
        });
        return std::move(root_);
    }

  private:
    [[noreturn]] void refuse(std::string field, std::string expected, std::string found) const {
        throw malformed(file_, std::move(field), std::move(expected), std::move(found));
    }

    void check_members() {
        if (!document_.is_dictionary())
            refuse("JSON text", "a dictionary", std::string(kind_text(document_.kind())));
        const tree& version = member("ndkeep", tree_kind::string);
        if (tree_access::text(version) != tree_version)
            refuse("ndkeep", ndkeep::quoted(tree_version), ndkeep::quoted(tree_access::text(version)));
        (void)member("arrays", tree_kind::list);
        if (document_.contains(nonfinite_key))
            (void)member(nonfinite_key, tree_kind::list);
        if (!document_.contains("tree"))
            refuse("tree", "a value", "missing");
        for (const auto& [key, value] : document_.items())
            if (key != "ndkeep" && key != "tree" && key != "arrays" && key != nonfinite_key)
                refuse("key " + ndkeep::quoted(key), "absent", "present");
    }

    [[nodiscard]] const tree& member(std::string_view key, tree_kind kind) const {
        const tree* const value = document_.find(key);
        if (value == nullptr || value->kind() != kind)
            refuse(std::string(key), std::string(kind_text(kind)),
                   value == nullptr ? "missing" : std::string(kind_text(value->kind())));
        return *value;
    }

    /// Turns the texts of numbers that are not finite into these numbers.
    void restore_numbers() {
        const tree* const list = document_.find(nonfinite_key);
        for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
            const tree& entry = (*list)[i];
            const std::string field = nonfinite_key + ('[' + std::to_string(i) + ']');
            tree& place =
                entry.is_string() ? place_at(std::string(tree_access::text(entry)), field) : listed(entry, field);
            const auto number =
                place.is_string() ? nonfinite_number(tree_access::text(place)) : std::optional<double>();
            if (!number)
                refuse(field, "the path of 'NaN', 'Infinity' or '-Infinity'", found_at(place));
            place = *number;
        }
    }

    /// Calls `use` with every place that is listed under `key`, its text, and the field for errors.
    template <class Use>
    void for_each(const std::string& key, Use use) {
        const tree& list = document_.at(key);
        for (std::size_t i = 0; i < list.size(); ++i) {
            const std::string field = key + '[' + std::to_string(i) + ']';
            tree& place = listed(list[i], field);
            use(place, std::string(tree_access::text(list[i][1])), field);
        }
    }

    /// The place that an entry of a path and a text is about. Version 0.1 listed numbers like this too.
    [[nodiscard]] tree& listed(const tree& entry, const std::string& field) {
        if (!entry.is_list() || entry.size() != 2 || !entry[0].is_list() || !entry[1].is_string())
            refuse(field, "a path and a string",
                   entry.is_list() ? "a list of " + counted(entry.size(), "value")
                                   : std::string(kind_text(entry.kind())));
        return place_of(entry[0], field);
    }

    /// Follows a JSON pointer from the document, whose tree is its member "tree".
    /// @throws format_error  it leads nowhere
    [[nodiscard]] tree& place_at(const std::string& pointer, const std::string& field) {
        const auto steps = steps_of(pointer);
        tree* place = steps && !steps->empty() && steps->front() == "tree" ? &root_ : nullptr;
        for (std::size_t i = 1; place != nullptr && i < steps->size(); ++i) {
            const std::string& step = (*steps)[i];
            if (place->is_dictionary()) {
                place = place->find(step);
            } else {
                const auto index = place->is_list() ? index_of(step, place->size()) : std::nullopt;
                place = index ? &(*place)[*index] : nullptr;
            }
        }
        if (place == nullptr)
            refuse(field, "a pointer into the tree", ndkeep::quoted(pointer));
        return *place;
    }

    /// Follows a path of keys and indexes from the root.
    /// @throws format_error  it leads nowhere
    [[nodiscard]] tree& place_of(const tree& path, const std::string& field) {
        tree* place = &root_;
        for (std::size_t i = 0; i < path.size(); ++i) {
            const tree& step = path[i];
            tree* next = nullptr;
            if (place->is_dictionary() && step.is_string())
                next = place->find(tree_access::text(step));
            else if (place->is_list() && step.is_integer())
                next = child(*place, step);
            if (next == nullptr)
                refuse(field, "the path of a value in the tree",
                       "a path without a value at step " + std::to_string(i + 1));
            place = next;
        }
        return *place;
    }

    /// The element at `index`; nullptr if the index is negative or beyond the list.
    [[nodiscard]] static tree* child(tree& list, const tree& index) {
        const bool is_index = tree_access::is_unsigned(index) || index.get<std::int64_t>() >= 0;
        const auto at = is_index ? index.get<std::uint64_t>() : 0;
        return is_index && at < list.size() ? &list[at] : nullptr;
    }

    [[nodiscard]] static std::string found_at(const tree& place) {
        return "the path of " +
               (place.is_string() ? ndkeep::quoted(tree_access::text(place)) : std::string(kind_text(place.kind())));
    }

    const std::filesystem::path& file_;
    tree document_;
    tree root_;
};

}  // namespace detail

NDKEEP_INLINE tree_document document_of(const tree& value) { return detail::tree_writer().write(value); }

NDKEEP_INLINE tree tree_of(std::string_view text, const std::filesystem::path& file,
                           const std::function<tree(const std::string& member)>& leaf, const limits& limit) {
    return detail::tree_reader(text, file, limit).read(leaf);
}

}  // namespace ndkeep
