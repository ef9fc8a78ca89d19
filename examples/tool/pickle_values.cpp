// SPDX-License-Identifier: BSD-3-Clause
#include "pickle_values.hpp"

#include <ndkeep/error.hpp>
#include <ndkeep/npy/inspect.hpp>

#include <algorithm>
#include <array>
#include <charconv>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

/// The child that is an index of a list in decimal digits; nullptr if there is none.
[[nodiscard]] const nk::tree* child_at(const nk::tree& list, std::string_view index) {
    std::size_t at = 0;
    const auto* const end = index.data() + index.size();
    const auto read = std::from_chars(index.data(), end, at);
    return read.ec == std::errc() && read.ptr == end && at < list.size() ? &list.at(at) : nullptr;
}

/// A key may contain slashes itself, so each of them may be the end of the key.
[[nodiscard]] const nk::tree* find_value(const nk::tree& value, std::string_view path) {
    if (!value.is_list() && !value.is_dictionary())
        return nullptr;
    for (std::size_t slash = path.find('/');; slash = path.find('/', slash + 1)) {
        const auto name = path.substr(0, slash);
        const auto* const child = value.is_list() ? child_at(value, name) : value.find(name);
        if (slash == std::string_view::npos)
            return child;
        if (const auto* const found = child == nullptr ? nullptr : find_value(*child, path.substr(slash + 1)))
            return found;
    }
}

}  // namespace

bool begins_as_pickle(std::string_view begin) {
    if (begin.starts_with(nk::core::magic))
        return begin.find("'descr': '|O'") != std::string_view::npos ||
               begin.find("'descr': 'O'") != std::string_view::npos;
    return begin.size() >= 2 && begin[0] == '\x80' && begin[1] >= 2 && begin[1] <= 5;
}

bool is_named_as_pickle(const fs::path& path) {
    constexpr std::array<std::string_view, 4> names = {".pkl", ".pickle", ".pck", ".p"};
    return std::find(names.begin(), names.end(), path.extension().native()) != names.end();
}

const nk::tree& value_at(const nk::tree& root, const fs::path& file, std::string_view path) {
    const auto* const found = path.empty() ? &root : find_value(root, path);
    if (found == nullptr)
        throw nk::mismatch_error({.file = file,
                                  .field = "value " + nk::quoted(path),
                                  .expected = "a path of keys and indexes joined by '/'",
                                  .found = "missing",
                                  .hint = "`ndkeep tree` draws all values"});
    return *found;
}

void for_each_leaf(const nk::tree& value, const std::string& path,
                   const std::function<void(const std::string& path, const nk::tree& array)>& use) {
    const auto below = [&](const std::string& name) { return path.empty() ? name : path + '/' + name; };
    if (value.is_array())
        use(path, value);
    else if (value.is_list())
        for (std::size_t i = 0; i < value.size(); ++i)
            for_each_leaf(value.at(i), below(std::to_string(i)), use);
    else if (value.is_dictionary())
        for (const auto& [key, inner] : value.items())
            for_each_leaf(inner, below(key), use);
}

std::vector<std::string> paths_of_arrays(const nk::tree& value, const std::string& path) {
    std::vector<std::string> out;
    for_each_leaf(value, path, [&](const std::string& at, const nk::tree&) { out.push_back(at); });
    return out;
}

}  // namespace tool
