// SPDX-License-Identifier: BSD-3-Clause
// One output field of segments without the types of its rows: what is reduced, of which field, and under which name.
#pragma once

#include <ndkeep/element/element.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

enum class reduction { first, last, min, max, sum, rows, count, mean, variance, quantile, own };

/// The word for it in names and errors.
[[nodiscard]] const char* word_of(reduction kind);

/// A reduction of the user. Its state is a block of bytes that need no alignment.
struct own_reduction {
    std::vector<std::byte> initial;
    /// Reduces `count` rows; the field of the first is at `at`, that of the next `step` bytes after it.
    std::function<void(std::byte* state, const std::byte* at, std::ptrdiff_t step, std::size_t count)> run;
    std::function<void(const std::byte* state, std::byte* out)> finish;
    dtype type;  // of the result
};

struct reducer {
    reduction kind = reduction::rows;
    dtype type = {};          // of the field
    std::size_t offset = 0;   // of the field in a row, in bytes
    std::string field = {};   // its name
    std::string output = {};  // name of the output field
    double parameter = 0;     // at of a quantile, ddof of a variance
    std::shared_ptr<const own_reduction> own = nullptr;
};

/// Bytes from the start of a struct to a member.
template <class Struct, class Member>
[[nodiscard]] std::size_t offset_of(Member Struct::*member) {
    // Only addresses are computed. Memory is enough for that: no struct need be constructed in it.
    alignas(Struct) static std::byte memory[sizeof(Struct)] = {};
    const auto* const row = reinterpret_cast<const Struct*>(memory);
    return static_cast<std::size_t>(reinterpret_cast<const std::byte*>(&(row->*member)) - memory);
}

/// The name of the field of a struct at this offset.
/// @throws mismatch_error  NDKEEP_FIELDS does not list the member
[[nodiscard]] const std::string& field_name_at(const dtype& row, std::size_t offset);

/// @throws mismatch_error  the field has no such reduction, or the parameter is out of range
[[nodiscard]] reducer reducer_of(reduction kind, const dtype& row, std::size_t offset, const dtype& type,
                                 std::string name, double parameter);

/// The dtype of the result.
[[nodiscard]] dtype result_of(const reducer& of);

/// The bytes of null in an array of this dtype.
[[nodiscard]] std::vector<std::byte> null_of(const dtype& type);

template <class Value, class State, class Step, class Finish>
[[nodiscard]] std::shared_ptr<const own_reduction> own_reduction_of(const State& initial, Step step, Finish finish) {
    using result = std::remove_cvref_t<std::invoke_result_t<const Finish&, const State&>>;
    own_reduction own;
    own.initial.resize(sizeof(State));
    std::memcpy(own.initial.data(), &initial, sizeof(State));
    own.type = dtype_of<result>();
    own.run = [initial, step = std::move(step)](std::byte* bytes, const std::byte* at, std::ptrdiff_t apart,
                                                std::size_t count) {
        State state = initial;
        std::memcpy(&state, bytes, sizeof(State));
        for (std::size_t i = 0; i < count; ++i, at += apart)
            step(state, *reinterpret_cast<const Value*>(at));
        std::memcpy(bytes, &state, sizeof(State));
    };
    own.finish = [initial, finish = std::move(finish)](const std::byte* bytes, std::byte* out) {
        State state = initial;
        std::memcpy(&state, bytes, sizeof(State));
        const result value = finish(std::as_const(state));
        std::memcpy(out, &value, sizeof value);
    };
    return std::make_shared<const own_reduction>(std::move(own));
}

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/operators/detail/segments/reducer.ipp>
#endif
