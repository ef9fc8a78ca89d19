// SPDX-License-Identifier: BSD-3-Clause
#include "cast.hpp"

#include "comparison.hpp"
#include "elements.hpp"
#include "value_text.hpp"
#include "values.hpp"

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/time_cast.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tool {

namespace {

namespace nk = ndkeep;

void store(const nk::dtype& type, const void* value, std::size_t bytes, std::byte* to) {
    std::memcpy(to, value, bytes);
    if (type.order() != nk::byte_order::none && type.order() != nk::native_order)
        std::reverse(to, to + bytes);
}

template <class Integer>
[[nodiscard]] bool write_integer(const nk::dtype& type, long double value, std::byte* to, overflow beyond) {
    constexpr auto lowest = static_cast<long double>(std::numeric_limits<Integer>::min());
    constexpr auto highest = static_cast<long double>(std::numeric_limits<Integer>::max());
    const long double whole = std::isnan(value) ? 0 : std::trunc(value);
    const bool fits = !std::isnan(value) && whole >= lowest && whole <= highest;
    Integer stored = 0;
    if (fits) {
        stored = static_cast<Integer>(whole);
    } else if (beyond == overflow::wraps) {
        const auto bits = static_cast<std::uint64_t>(std::abs(value));
        stored = static_cast<Integer>(value < 0 ? 0 - bits : bits);
    } else {
        stored = whole < lowest    ? std::numeric_limits<Integer>::min()
                 : whole > highest ? std::numeric_limits<Integer>::max()
                                   : Integer{0};
    }
    store(type, &stored, sizeof stored, to);
    return fits && whole == value;
}

template <class Real>
[[nodiscard]] bool write_real(const nk::dtype& type, long double value, std::byte* to) {
    const Real stored = static_cast<Real>(value);
    // An x86 long double uses 10 of its 16 bytes. The other 6 are undefined, so zeros are written instead.
    constexpr std::size_t used = std::numeric_limits<Real>::digits == 64 ? 10 : sizeof(Real);
    std::array<std::byte, 16> bytes = {};
    std::memcpy(bytes.data(), &stored, used);
    store(type, bytes.data(), static_cast<std::size_t>(type.size()) / number_parts(type), to);
    return std::isfinite(static_cast<long double>(stored)) || !std::isfinite(value);
}

/// The rule of numpy.can_cast(from, to, "same_kind") for numbers and text.
[[nodiscard]] bool is_same_kind(const nk::dtype& from, const nk::dtype& to) {
    constexpr std::string_view kinds = "buifc";
    const auto rank = [&](const nk::dtype& type) { return kinds.find(type.is_floating_point() ? 'f' : type.kind()); };
    if (from.is_number() && to.is_number())
        return rank(from) <= rank(to);
    return from.is_text() && to.is_text() && (from.kind() == 'S' || to.kind() == 'U');
}

struct cast_pair {
    leaf from, to;
    std::optional<nk::conversion> moved;         // set if kind and size are the same: only byte order and place change
    std::optional<nk::core::time_cast> retimed;  // set for dates or durations of different units
};

class caster {
  public:
    caster(const nk::dtype& from, const nk::dtype& to, const cast_options& options)
        : from_(from), to_(to), unsafe_(options.unsafe), called_(options.called) {
        try {
            whole_.emplace(from, to);
            return;
        } catch (const nk::mismatch_error&) {
            if (from.is_struct() != to.is_struct())
                refuse(from, to, "dtype");
        }
        auto sources = leaves_of(from);
        for (auto& target : leaves_of(to)) {
            const auto at = std::find_if(sources.begin(), sources.end(),
                                         [&](const leaf& each) { return each.path == target.path; });
            const std::string field = target.path.empty() ? "dtype" : "field " + nk::quoted(target.path);
            if (at == sources.end() || at->shape != target.shape)
                throw nk::mismatch_error({.file = called_,
                                          .field = field,
                                          .expected = at == sources.end()
                                                          ? "the same fields in both dtypes"
                                                          : "shape " + nk::shape_text(at->shape) + " as in the source",
                                          .found = at == sources.end() ? "missing in the source"
                                                                       : "of shape " + nk::shape_text(target.shape)});
            cast_pair pair{*at, target, {}, nk::core::time_cast::between(at->type, target.type)};
            try {
                pair.moved.emplace(at->type, target.type);
            } catch (const nk::mismatch_error&) {
                const bool possible = (pair.retimed && (unsafe_ || !pair.retimed->uses_average_lengths())) ||
                                      is_same_kind(at->type, target.type) ||
                                      (unsafe_ && at->type.is_number() && target.type.is_number());
                if (!possible)
                    refuse(at->type, target.type, field);
            }
            pairs_.push_back(std::move(pair));
        }
        for (const auto& source : sources)
            if (std::none_of(pairs_.begin(), pairs_.end(),
                             [&](const cast_pair& each) { return each.from.path == source.path; }))
                throw nk::mismatch_error({.file = called_,
                                          .field = "field " + nk::quoted(source.path),
                                          .expected = "the same fields in both dtypes",
                                          .found = "missing in the new dtype"});
    }

    /// @param place  gives the index of an element as text
    template <class Place>
    void run(const std::byte* from, std::byte* to, std::size_t count, const Place& place) const {
        if (whole_)
            return whole_->run(to, from, count);
        const auto from_size = static_cast<std::size_t>(from_.size()), to_size = static_cast<std::size_t>(to_.size());
        std::memset(to, 0, count * to_size);
        for (const auto& pair : pairs_) {
            const std::size_t values = pair.from.count();
            for (std::size_t i = 0; i < count; ++i)
                for (std::size_t k = 0; k < values; ++k) {
                    const std::byte* const x = from + i * from_size + pair.from.offset_of(k);
                    std::byte* const y = to + i * to_size + pair.to.offset_of(k);
                    if (!cast_one(pair, x, y) && (!unsafe_ || pair.retimed))
                        throw nk::mismatch_error(
                            {.file = called_,
                             .field = "element " + place(i) + (pair.to.path.empty() ? "" : ", " + pair.to.path),
                             .expected = "a value that fits " + nk::quoted(pair.to.type.str()),
                             .found = value_text(pair.from.type, x),
                             .hint = pair.retimed ? "" : "--unsafe casts it anyway"});
                }
        }
    }

  private:
    [[nodiscard]] static bool cast_one(const cast_pair& pair, const std::byte* from, std::byte* to) {
        if (pair.moved) {
            pair.moved->run(to, from, 1);
            return true;
        }
        if (pair.retimed) {
            const auto count = (*pair.retimed)(integer_at(pair.from.type, from));
            if (count)
                store(pair.to.type, &*count, sizeof *count, to);
            return count.has_value();
        }
        if (!pair.from.type.is_number()) {
            const auto text = text_at(pair.from.type, from);
            const bool is_plain =
                pair.from.type.kind() == 'U' || pair.to.type.kind() == 'S' ||
                std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
            return write_text(pair.to.type, text, to) && is_plain;
        }
        std::array<long double, 2> parts = {};
        read_numbers(pair.from.type, from, 0, 1, parts.data());
        return write_number(pair.to.type, parts[0], parts[1], to,
                            pair.from.type.is_inexact() ? overflow::saturates : overflow::wraps);
    }

    [[noreturn]] void refuse(const nk::dtype& from, const nk::dtype& to, const std::string& field) const {
        const bool is_possible =
            (from.is_number() && to.is_number()) || nk::core::time_cast::between(from, to).has_value();
        const auto text = [](const nk::dtype& type) {
            return type.is_struct() ? nk::core::dtype_text(type) : nk::quoted(type.str());
        };
        throw nk::mismatch_error({.file = called_,
                                  .field = field,
                                  .expected = "a dtype that can be cast to " + text(to),
                                  .found = text(from),
                                  .hint = is_possible ? "not of the same kind; --unsafe casts it anyway"
                                                      : "--unsafe does not cast it either"});
    }

    nk::dtype from_, to_;
    bool unsafe_;
    std::filesystem::path called_;
    std::optional<nk::conversion> whole_;
    std::vector<cast_pair> pairs_;
};

[[nodiscard]] std::string place_text(std::uint64_t at, const std::vector<std::size_t>& shape, nk::order visited) {
    if (visited == nk::order::row_major)
        return index_text(at, shape);
    std::string text;
    for (const std::size_t extent : shape) {
        text += (text.empty() ? "" : ", ") + std::to_string(at % extent);
        at /= extent;
    }
    return '[' + text + ']';
}

}  // namespace

nk::dtype with_order(const nk::dtype& type, nk::byte_order order) {
    if (type.is_struct()) {
        auto fields = type.fields();
        for (auto& field : fields)
            field.type = with_order(field.type, order);
        return nk::dtype::structure(std::move(fields), type.size());
    }
    if (type.is_time())
        return nk::dtype::time(type.kind(), type.unit(), type.multiple(), order);
    return nk::dtype::plain(type.kind(), type.size(), order);
}

bool write_number(const nk::dtype& type, long double real, long double imaginary, std::byte* to, overflow beyond) {
    bool fits = false;
    with_part_type(type, [&]<class T>(std::type_identity<T>) {
        if constexpr (std::is_same_v<T, bool>) {
            *to = real != 0 || imaginary != 0 ? std::byte{1} : std::byte{0};
            fits = real == 0 || real == 1;
        } else if constexpr (std::is_integral_v<T>) {
            fits = write_integer<T>(type, real, to, beyond);
        } else {
            fits = write_real<T>(type, real, to);
            if (type.is_complex())
                fits = write_real<T>(type, imaginary, to + sizeof(T)) && fits;
        }
    });
    return fits && (type.is_complex() || imaginary == 0);
}

bool write_text(const nk::dtype& type, std::string_view utf8, std::byte* to) {
    const auto size = static_cast<std::size_t>(type.size());
    std::fill_n(to, size, std::byte{});
    if (type.kind() != 'U') {
        // Not memcpy: `to` is null if no element has a byte.
        std::copy_n(reinterpret_cast<const std::byte*>(utf8.data()), std::min(size, utf8.size()), to);
        return utf8.size() <= size;
    }
    std::size_t at = 0;
    for (std::size_t i = 0; i < utf8.size(); at += 4) {
        if (at == size)
            return false;
        const auto next = nk::core::decode_utf8(utf8, i);
        if (next.length == 0)
            return false;
        const auto character = static_cast<std::uint32_t>(next.character);
        store(type, &character, sizeof character, to + at);
        i += next.length;
    }
    return true;
}

nk::array_view cast_view(const nk::array_view& from, const nk::dtype& to, const cast_options& options) {
    if (from.type() == to)
        return from.in_order(options.order);
    const auto cast = std::make_shared<const caster>(from.type(), to, options);
    const auto source = from.in_order(options.order);
    const auto make = [cast, source, visited = options.order](std::size_t first, std::size_t count, std::byte* out) {
        const nk::core::buffer given(std::max<std::size_t>(1, count * static_cast<std::size_t>(source.type().size())));
        source.fill(first, count, given.data());
        cast->run(given.data(), out, count,
                  [&](std::size_t i) { return place_text(first + i, source.shape(), visited); });
    };
    if (options.order == nk::order::row_major)
        return {to, from.shape(), make};
    const auto all = std::make_shared<const nk::core::buffer>(from.size() * static_cast<std::size_t>(to.size()));
    constexpr std::size_t most = std::size_t{1} << 16;
    for (std::size_t first = 0; first < from.size(); first += most)
        make(first, std::min(most, from.size() - first), all->data() + first * static_cast<std::size_t>(to.size()));
    return nk::array_view(to, from.shape(), all->data(), nk::order::column_major).kept_by(all);
}

}  // namespace tool
