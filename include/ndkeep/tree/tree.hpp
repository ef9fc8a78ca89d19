// SPDX-License-Identifier: BSD-3-Clause
// The class tree: scalars, strings, lists and dictionaries, with arrays as leaves, as in a Python dict.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/array/mapped.hpp>
#include <ndkeep/array/view.hpp>
#include <ndkeep/array/xtensor.hpp>
#include <ndkeep/element/element.hpp>
#include <ndkeep/element/float16.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/tree/detail/branch.hpp>
#include <ndkeep/tree/detail/leaf.hpp>
#include <ndkeep/tree/detail/text_value.hpp>
#include <ndkeep/tree/shared_array.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

/// The kind of the value of a tree.
enum class tree_kind { null, boolean, integer, real_number, string, list, dictionary, array };

class tree;
class tree_item;

namespace detail {

struct tree_access;
struct does_not_satisfy_tree_value;

template <class T>
concept tree_text = std::convertible_to<const T&, std::string_view> && !element<T>;

template <class T>
concept tree_list = std::same_as<T, std::vector<tree>> || std::same_as<T, std::vector<std::string>>;

/// Types that become an array leaf, unless they are scalars that JSON has.
template <class T>
concept tree_array = array_like<std::remove_cvref_t<T>> || std::same_as<std::remove_cvref_t<T>, array_view> ||
    requires(T&& array) {
    std::forward<T>(array).operator array_view();
};

template <class T>
concept no_tree = !std::same_as<std::remove_cvref_t<T>, tree> && !std::same_as<std::remove_cvref_t<T>, tree_item>;

}  // namespace detail

/// Types that a tree can be made of: nullptr, bool, integers, float, double, text, a vector of trees or strings, and
/// arrays: `array_like` types, `any_array` and `array_view`.
template <class T>
concept tree_value = detail::no_tree<T> &&
    (std::same_as<std::remove_cvref_t<T>, std::nullptr_t> || detail::tree_text<std::remove_cvref_t<T>> ||
     detail::tree_list<std::remove_cvref_t<T>> || detail::tree_array<T>);

namespace detail {

/// Types of a list index. 'a' and true are not indexes.
template <class T>
concept tree_index = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char>;

}  // namespace detail

/// Types that `tree::get` returns: bool, integers, float, double, std::string.
template <class T>
concept tree_scalar = std::same_as<T, std::string> || std::same_as<T, float> || std::same_as<T, double> ||
    (std::integral<T> && sizeof(T) <= 8);

/// A value: null, bool, integer, real number, string, list, dictionary or array. Copies are deep, except that copies
/// share arrays, which are constant. A moved-from tree is null.
///
/// Braces make dictionaries and lists. They make a dictionary if every item is braces around a string and a value, else
/// a list: `{{"a", 1}, {"b", 2}}` is a dictionary, `{1, 2}` a list, and `{{{"a", 1}}, {{"b", 2}}}` a list of two
/// dictionaries. To choose explicitly, write `tree::list({{"a", 1}, {"b", 2}})`, which is a list of two lists, or
/// `tree::dictionary({...})`, which rejects an item that is not a pair. Braces around one tree copy that tree. Empty
/// braces among other values are an empty dictionary; `tree t = {}` is null. A repeated key replaces the value and
/// keeps the first position.
///
/// Dictionaries keep the order of insertion. A reference to a child is valid until the list or dictionary that holds it
/// grows or shrinks, as with std::vector.
///
/// Trees are equal if kinds and values are equal. Integers and real numbers compare by value (1 == 1.0), dictionaries
/// in any order, arrays by dtype, shape and bytes. NaN equals NaN, so that a loaded tree equals the saved one.
class tree {
  public:
    tree() noexcept = default;

    /// Makes a tree of a value, or of braces: `tree t = {{"n", 3}, {"values", array}}`. Text must be UTF-8 to be saved.
    /// An rvalue `any_array` is moved; other arrays are copied.
    template <tree_value T>
    tree(T&& value);  // NOLINT: implicit
    /// Rejects other types at compile time, with an error that names `tree_value`.
    template <class T,
              class Because = detail::why_no_array<std::remove_cvref_t<T>, detail::does_not_satisfy_tree_value>>
        requires(detail::no_tree<T> && !tree_value<T>)
    tree(T&&)
    = delete;  // NOLINT: implicit
    tree(std::initializer_list<tree_item> items);

    tree(const tree& other);
    tree(tree&& other) noexcept;
    /// Takes its argument by value: in `t["a"] = t["b"]` the copy is complete before `t["a"]` is added, which may move
    /// `t["b"]`.
    tree& operator=(tree other) noexcept;
    ~tree();

    /// Makes a list of the items, also if each is a pair.
    [[nodiscard]] static tree list(std::initializer_list<tree_item> items = {});
    /// Makes a dictionary of pairs: `tree::dictionary({{"a", 1}, {"b", 2}})`.
    /// @throws mismatch_error  an item is not a pair of a string and a value
    [[nodiscard]] static tree dictionary(std::initializer_list<tree_item> items = {});

    /// What the value is.
    [[nodiscard]] tree_kind kind() const noexcept;
    /// Whether it is null, as a default-constructed tree is.
    [[nodiscard]] bool is_null() const noexcept { return kind() == tree_kind::null; }
    /// Whether it is a boolean.
    [[nodiscard]] bool is_boolean() const noexcept { return kind() == tree_kind::boolean; }
    /// Whether it is an integer.
    [[nodiscard]] bool is_integer() const noexcept { return kind() == tree_kind::integer; }
    /// Whether it is a real number, which an integer is not.
    [[nodiscard]] bool is_real() const noexcept { return kind() == tree_kind::real_number; }
    /// Whether it is an integer or a real number.
    [[nodiscard]] bool is_number() const noexcept { return is_integer() || is_real(); }
    /// Whether it is a string.
    [[nodiscard]] bool is_string() const noexcept { return kind() == tree_kind::string; }
    /// Whether it is a list.
    [[nodiscard]] bool is_list() const noexcept { return kind() == tree_kind::list; }
    /// Whether it is a dictionary.
    [[nodiscard]] bool is_dictionary() const noexcept { return kind() == tree_kind::dictionary; }
    /// Whether it is an array.
    [[nodiscard]] bool is_array() const noexcept { return kind() == tree_kind::array; }

    /// Returns the scalar: `t["a"].get<double>()`. An integer can be read as a real number, but not a real number as an
    /// integer.
    /// @throws mismatch_error  another kind, or a number that T cannot hold
    template <tree_scalar T>
    [[nodiscard]] T get() const;

    // Children of a list or a dictionary. Null has none. The other kinds throw mismatch_error.

    /// The number of children.
    /// @throws mismatch_error  neither a list, a dictionary nor null
    [[nodiscard]] std::size_t size() const { return values().size(); }
    /// Whether there are no children.
    /// @throws mismatch_error  neither a list, a dictionary nor null
    [[nodiscard]] bool empty() const { return size() == 0; }
    /// The first value of a list or a dictionary: `for (const auto& value : t)`.
    /// @throws mismatch_error  neither a list, a dictionary nor null
    [[nodiscard]] const tree* begin() const { return values().data(); }
    [[nodiscard]] const tree* end() const { return begin() + size(); }
    [[nodiscard]] tree* begin() { return const_cast<tree*>(std::as_const(*this).begin()); }
    [[nodiscard]] tree* end() { return begin() + size(); }
    /// Keys and values of a dictionary: `for (const auto& [key, value] : t.items())`.
    [[nodiscard]] tree_items<const tree> items() const&;
    [[nodiscard]] tree_items<tree> items() &;
    void items() && = delete;  // the tree would be destroyed before the loop begins

    /// Whether the key is present; false if this is not a dictionary.
    [[nodiscard]] bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }
    /// Finds a value by its key; nullptr if it is absent, or if this is not a dictionary.
    [[nodiscard]] const tree* find(std::string_view key) const noexcept;
    [[nodiscard]] tree* find(std::string_view key) noexcept;

    /// The value of a key.
    /// @throws mismatch_error  no such key, or not a dictionary
    [[nodiscard]] const tree& at(std::string_view key) const&;
    [[nodiscard]] tree& at(std::string_view key) & { return const_cast<tree&>(std::as_const(*this).at(key)); }
    [[nodiscard]] tree at(std::string_view key) && { return std::move(at(key)); }
    /// The value at an index of a list, from 0.
    /// @throws mismatch_error  no such index, or not a list
    template <detail::tree_index Index>
    [[nodiscard]] const tree& at(Index index) const& {
        return at_index(static_cast<std::uint64_t>(index), std::is_signed_v<Index>);
    }
    template <detail::tree_index Index>
    [[nodiscard]] tree& at(Index index) & {
        return const_cast<tree&>(std::as_const(*this).at(index));
    }
    template <detail::tree_index Index>
    [[nodiscard]] tree at(Index index) && {
        return std::move(at(index));
    }

    /// Returns the value of a key, which is added with null if it is missing; a null tree becomes a dictionary first. A
    /// constant tree throws as `at` does.
    /// @throws mismatch_error  neither a dictionary nor null
    [[nodiscard]] tree& operator[](std::string_view key) &;
    [[nodiscard]] const tree& operator[](std::string_view key) const& { return at(key); }
    [[nodiscard]] tree operator[](std::string_view key) && { return std::move(at(key)); }
    template <detail::tree_index Index>
    [[nodiscard]] tree& operator[](Index index) & {
        return at(index);
    }
    template <detail::tree_index Index>
    [[nodiscard]] const tree& operator[](Index index) const& {
        return at(index);
    }
    template <detail::tree_index Index>
    [[nodiscard]] tree operator[](Index index) && {
        return std::move(at(index));
    }

    /// Appends a value. A null tree becomes a list first.
    /// @throws mismatch_error  neither a list nor null
    void push_back(tree value);
    /// Removes a key and its value. Linear in the size of the dictionary.
    /// @return whether the key was present
    /// @throws mismatch_error  neither a dictionary nor null
    bool erase(std::string_view key);

    // Arrays. The other kinds throw mismatch_error.

    /// The dtype of an array.
    /// @throws mismatch_error  not an array
    [[nodiscard]] const dtype& type() const& { return leaf()->type(); }
    [[nodiscard]] dtype type() && { return leaf()->type(); }
    /// The shape of an array.
    /// @throws mismatch_error  not an array
    [[nodiscard]] const std::vector<std::size_t>& shape() const& { return leaf()->shape(); }
    [[nodiscard]] std::vector<std::size_t> shape() && { return leaf()->shape(); }
    /// Copies the array into an `xt::xarray<T>`, or an `xt::xtensor<T, N>`.
    /// @throws mismatch_error  another dtype or rank
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] auto as() const;
    /// Copies the array into an array of another library: `as<Eigen::MatrixXd>()`.
    /// @throws mismatch_error  another dtype, or a shape that A cannot have
    template <loadable_array A>
    [[nodiscard]] A as() const;
    /// Returns the array with its dtype, for `visit` and for writers. Not copied if it is in memory.
    [[nodiscard]] shared_array array() const { return shared_array(leaf()->array()); }
    /// Maps the array in place, if it is in an archive.
    /// @throws mismatch_error  another dtype or rank, an array in memory, or one that cannot be mapped
    template <element T, std::size_t N = any_rank>
    [[nodiscard]] mapped<const T, N> map() const;

    /// Text for people: JSON, indented by two spaces a level, with arrays as dtype and shape.
    [[nodiscard]] std::string str() const;
    friend std::ostream& operator<<(std::ostream& out, const tree& value) { return out << value.str(); }

    friend bool operator==(const tree& a, const tree& b) { return a.equals(b); }

  private:
    friend struct detail::tree_access;

    using branch = detail::tree_branch<tree>;
    using branch_pointer = std::unique_ptr<branch>;
    using leaf_pointer = std::shared_ptr<const detail::tree_leaf>;

    [[nodiscard]] const branch* as_branch() const noexcept;
    [[nodiscard]] branch* as_branch() noexcept { return const_cast<branch*>(std::as_const(*this).as_branch()); }
    branch& make_branch(bool is_dictionary);

    [[noreturn]] void refuse(std::string expected, std::string hint) const;
    [[noreturn]] void refuse_scalar(std::string expected) const;
    [[nodiscard]] const std::vector<tree>& values() const;
    [[nodiscard]] const std::string* keys() const;
    [[nodiscard]] const tree& at_index(std::uint64_t index, bool is_signed) const;
    [[nodiscard]] const leaf_pointer& leaf() const;
    /// The bits of an integer from `least` to `most`.
    /// @throws mismatch_error  not an integer, or beyond these
    [[nodiscard]] std::uint64_t integer_between(std::int64_t least, std::uint64_t most) const;
    [[nodiscard]] double double_number() const;
    [[nodiscard]] float float_number() const;
    /// Copies all but a list or dictionary, whose children the caller copies without recursion.
    void copy_but_children(const tree& other);
    [[nodiscard]] bool equals(const tree& other) const;
    /// Compares all but lists and dictionaries.
    [[nodiscard]] bool equals_but_children(const tree& other) const;

    // An integer is unsigned only if it exceeds the largest std::int64_t, so that equal integers have one form.
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, detail::text_value, branch_pointer,
                 leaf_pointer>
        content_;
};

template <tree_scalar T>
T tree::get() const {
    if constexpr (std::same_as<T, std::string>) {
        if (!is_string())
            refuse_scalar("a string");
        return std::string(std::get<detail::text_value>(content_).view());
    } else if constexpr (std::same_as<T, bool>) {
        if (!is_boolean())
            refuse_scalar("a boolean");
        return std::get<bool>(content_);
    } else if constexpr (std::integral<T>) {
        using range = std::numeric_limits<T>;
        return static_cast<T>(
            integer_between(static_cast<std::int64_t>(range::min()), static_cast<std::uint64_t>(range::max())));
    } else if constexpr (std::same_as<T, float>) {
        return float_number();
    } else {
        return double_number();
    }
}

template <element T, std::size_t N>
auto tree::as() const {
    const auto& from = *leaf();
    detail::check_rank<N>(from.shape(), from.file(), "as");
    auto array = detail::uninitialised<array_of<T, N>>(from.shape());
    from.read(dtype_of<T>(), order::row_major, reinterpret_cast<std::byte*>(array.data()));
    detail::make_values(array.data(), array.size());
    return array;
}

template <loadable_array A>
A tree::as() const {
    using adapter = array_adapter<A>;
    const auto& from = *leaf();
    auto array = detail::made_array<A>(from.shape(), from.file(), "as");
    from.read(dtype_of<typename adapter::element_type>(), adapter::stored_order,
              reinterpret_cast<std::byte*>(adapter::elements(array)));
    detail::make_values(adapter::elements(array), detail::product(from.shape()));
    return array;
}

template <element T, std::size_t N>
mapped<const T, N> tree::map() const {
    const auto& from = *leaf();
    detail::check_rank<N>(from.shape(), from.file(), "map");
    return {from.map(dtype_of<T>(), alignof(T)), from.shape()};
}

}  // namespace ndkeep

#include <ndkeep/tree/detail/braces.hpp>  // how braces become a tree

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/tree/detail/tree.ipp>
#endif
