// SPDX-License-Identifier: BSD-3-Clause
// Pickles put together operation by operation, for what no pickler writes. Each function returns the operations that
// push one value.
#pragma once

#include <ndkeep/pickle.hpp>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace pickle_program {

namespace nk = ndkeep;

/// A number of `bytes` bytes, the lowest first.
[[nodiscard]] inline std::string number(std::uint64_t value, unsigned bytes) {
    std::string out;
    for (unsigned i = 0; i < bytes; ++i)
        out += static_cast<char>(value >> (8 * i));
    return out;
}

[[nodiscard]] inline std::string repeated(const std::string& part, std::size_t times) {
    std::string out;
    out.reserve(part.size() * times);
    for (std::size_t i = 0; i < times; ++i)
        out += part;
    return out;
}

[[nodiscard]] inline std::string text(std::string_view value) {
    return 'X' + number(value.size(), 4) + std::string(value);
}
[[nodiscard]] inline std::string bytes(std::string_view value) {
    return 'B' + number(value.size(), 4) + std::string(value);
}
[[nodiscard]] inline std::string integer(std::int64_t value) {
    return "\x8a\x08" + number(static_cast<std::uint64_t>(value), 8);
}
[[nodiscard]] inline std::string global(const std::string& module, const std::string& name) {
    return 'c' + module + '\n' + name + '\n';
}
[[nodiscard]] inline std::string put(std::uint64_t index) { return 'r' + number(index, 4); }
[[nodiscard]] inline std::string recall(std::uint64_t index) {
    return index < 256 ? 'h' + number(index, 1) : 'j' + number(index, 4);
}

[[nodiscard]] inline std::string joined(std::initializer_list<std::string> parts) {
    std::string out;
    for (const auto& part : parts)
        out += part;
    return out;
}
[[nodiscard]] inline std::string tuple(std::initializer_list<std::string> items) { return '(' + joined(items) + 't'; }
[[nodiscard]] inline std::string list(std::initializer_list<std::string> items) { return '(' + joined(items) + 'l'; }
[[nodiscard]] inline std::string dictionary(std::initializer_list<std::string> pairs) {
    return '(' + joined(pairs) + 'd';
}
[[nodiscard]] inline std::string call(const std::string& callable, std::initializer_list<std::string> arguments) {
    return callable + tuple(arguments) + 'R';
}

[[nodiscard]] inline std::string dtype(std::string_view word) {
    return call(global("numpy", "dtype"), {text(word), "\x89", "\x88"});
}
/// As dtype.__reduce__ gives a struct or a sub-array.
[[nodiscard]] inline std::string dtype_with_state(std::initializer_list<std::string> state) {
    return dtype("V8") + tuple(state) + 'b';
}
[[nodiscard]] inline std::string array(const std::string& type, const std::string& shape, const std::string& data,
                                       bool is_column_major = false) {
    return call(global("numpy.core.multiarray", "_reconstruct"),
                {global("numpy", "ndarray"), tuple({integer(0)}), bytes("b")}) +
           tuple({integer(1), shape, type, is_column_major ? "\x88" : "\x89", data}) + 'b';
}

/// A complete pickle.
[[nodiscard]] inline std::string pickle(const std::string& operations) { return "\x80\x04" + operations + '.'; }

[[nodiscard]] inline nk::tree loaded(const std::string& whole, const nk::pickle_options& options = {}) {
    return nk::load_pickle(std::as_bytes(std::span(whole)), options);
}
/// The tree of the value that operations push.
[[nodiscard]] inline nk::tree value_of(const std::string& operations, const nk::pickle_options& options = {}) {
    return loaded(pickle(operations), options);
}

}  // namespace pickle_program
