// SPDX-License-Identifier: BSD-3-Clause
#include "comparison.hpp"

#include "elements.hpp"
#include "time_text.hpp"
#include "value_text.hpp"
#include "values.hpp"

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/element/time_cast.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>

namespace tool {

namespace {

namespace nk = ndkeep;

struct leaf_pair {
    enum class way { numbers, wide_numbers, times, text, bytes };
    leaf a, b;
    way how = way::bytes;
    std::optional<nk::core::time_cast> to_b = {}, to_a = {};  // times of different units
};

[[nodiscard]] std::optional<leaf_pair::way> way_of(const nk::dtype& a, const nk::dtype& b) {
    using enum leaf_pair::way;
    if (a.is_number() && b.is_number())
        return is_wide(a) || is_wide(b) ? wide_numbers : numbers;
    if (a.is_text() && a.kind() == b.kind())
        return text;
    const auto cast = nk::core::time_cast::between(a, b);
    const bool is_same_unit = (a.unit() == b.unit() && a.multiple() == b.multiple()) || nk::core::same_time_unit(a, b);
    if (a.is_time() && a.kind() == b.kind() && (cast ? !cast->uses_average_lengths() : is_same_unit))
        return times;
    if (a.kind() == 'V' && b.kind() == 'V' && a.size() == b.size())
        return bytes;
    return std::nullopt;
}

/// Pairs of leaves to compare, and the names of leaves that cannot be compared.
struct leaf_pairs {
    leaf_pairs(const nk::dtype& a, const nk::dtype& b) {
        auto left = leaves_of(a), right = leaves_of(b);
        for (auto& each : left) {
            const auto at =
                std::find_if(right.begin(), right.end(), [&](const leaf& other) { return other.path == each.path; });
            if (at == right.end() || at->shape != each.shape) {
                missing.push_back(each.path);
                continue;
            }
            if (const auto how = way_of(each.type, at->type))
                all.push_back({each, *at, *how, nk::core::time_cast::between(each.type, at->type),
                               nk::core::time_cast::between(at->type, each.type)});
            else
                missing.push_back(each.path);
        }
        for (const auto& each : right)
            if (std::none_of(left.begin(), left.end(), [&](const leaf& other) { return other.path == each.path; }))
                missing.push_back(each.path);
        if (!a.is_struct() || !b.is_struct())
            missing.clear();  // without fields, the dtypes themselves are the message
    }

    std::vector<leaf_pair> all;
    std::vector<std::string> missing;
};

/// The same range of elements in both arrays.
struct block {
    const std::byte* a = nullptr;
    const std::byte* b = nullptr;
    std::size_t count = 0;
    std::size_t a_size = 0, b_size = 0;
};

/// Compares the elements of one block and counts the differences. One object per block, so threads share nothing.
class block_comparison {
  public:
    /// @param place  gives the row-major index of an element of the block
    template <class Place>
    block_comparison(const block& elements, const leaf_pairs& pairs, const comparison_rules& rules, const Place& place)
        : elements_(elements), rules_(rules), place_(place), differs_(elements.count, 0) {
        for (const auto& pair : pairs.all)
            seen.fields.push_back({pair.a.path, 0});
        for (std::size_t i = 0; i < pairs.all.size(); ++i)
            look_at(pairs.all[i], i);
        seen.differing = static_cast<std::uint64_t>(std::count(differs_.begin(), differs_.end(), 1));
    }

    array_comparison seen;

  private:
    void look_at(const leaf_pair& pair, std::size_t field) {
        const std::size_t count = pair.a.count();
        for (std::size_t k = 0; k < count; ++k) {
            const std::byte* const a = elements_.a + pair.a.offset_of(k);
            const std::byte* const b = elements_.b + pair.b.offset_of(k);
            switch (pair.how) {
            case leaf_pair::way::numbers:
                look_at_numbers<double>(pair, field, a, b);
                break;
            case leaf_pair::way::wide_numbers:
                look_at_numbers<long double>(pair, field, a, b);
                break;
            default:
                look_at_others(pair, field, a, b);
            }
        }
    }

    template <class Real>
    void look_at_numbers(const leaf_pair& pair, std::size_t field, const std::byte* a, const std::byte* b) {
        const std::size_t a_parts = number_parts(pair.a.type), b_parts = number_parts(pair.b.type);
        std::vector<Real> left(elements_.count * a_parts), right(elements_.count * b_parts);
        read_numbers(pair.a.type, a, elements_.a_size, elements_.count, left.data());
        read_numbers(pair.b.type, b, elements_.b_size, elements_.count, right.data());
        for (std::size_t i = 0; i < elements_.count; ++i) {
            const Real x = left[i * a_parts], y = right[i * b_parts];
            const Real x_imaginary = a_parts == 2 ? left[i * 2 + 1] : 0,
                       y_imaginary = b_parts == 2 ? right[i * 2 + 1] : 0;
            if (x == y && x_imaginary == y_imaginary)
                continue;
            const bool x_nan = std::isnan(x) || std::isnan(x_imaginary);
            const bool y_nan = std::isnan(y) || std::isnan(y_imaginary);
            if (x_nan && y_nan) {
                if (rules_.equal_nan)
                    continue;
                ++seen.nan_in_both;
            } else if (!x_nan && !y_nan) {
                const bool is_complex = a_parts == 2 || b_parts == 2;
                const Real error = is_complex ? std::hypot(x - y, x_imaginary - y_imaginary) : std::abs(x - y);
                const Real size = is_complex ? std::hypot(y, y_imaginary) : std::abs(y);
                if (std::isfinite(error)) {
                    note(seen.absolute, error, i);
                    if (size != 0)
                        note(seen.relative, error / size, i);
                    if (error <= static_cast<Real>(rules_.atol) + static_cast<Real>(rules_.rtol) * size)
                        continue;
                }
            }
            tell(pair, field, i, a, b);
        }
    }

    void look_at_others(const leaf_pair& pair, std::size_t field, const std::byte* a, const std::byte* b) {
        for (std::size_t i = 0; i < elements_.count; ++i) {
            const std::byte* const x = a + i * elements_.a_size;
            const std::byte* const y = b + i * elements_.b_size;
            bool same = false;
            if (pair.how == leaf_pair::way::times) {
                const auto left = integer_at(pair.a.type, x), right = integer_at(pair.b.type, y);
                const bool both = left == not_a_time && right == not_a_time;
                same = is_same_time(pair, left, right) && (!both || rules_.equal_nan);
                if (both && !same)
                    ++seen.nan_in_both;
            } else if (pair.how == leaf_pair::way::text) {
                same = text_at(pair.a.type, x) == text_at(pair.b.type, y);
            } else {
                const auto bytes = static_cast<std::size_t>(pair.a.type.size());
                same = bytes == 0 || std::memcmp(x, y, bytes) == 0;
            }
            if (!same)
                tell(pair, field, i, a, b);
        }
    }

    /// Whether two counts are the same time. Each cast rounds down, so two that agree in both directions are exact.
    [[nodiscard]] static bool is_same_time(const leaf_pair& pair, std::int64_t a, std::int64_t b) {
        if (!pair.to_a || !pair.to_b)
            return a == b;
        return (*pair.to_b)(a) == b && (*pair.to_a)(b) == a;
    }

    void note(std::optional<largest_error>& largest, long double error, std::size_t i) {
        if (largest && error < largest->error)
            return;
        const std::uint64_t at = place_(i);
        if (!largest || error > largest->error || at < largest->at)
            largest = {error, at};
    }

    void tell(const leaf_pair& pair, std::size_t field, std::size_t i, const std::byte* a, const std::byte* b) {
        differs_[i] = 1;
        ++seen.fields[field].differing;
        auto& first = seen.first;
        if (rules_.most_told == 0)
            return;
        const std::uint64_t at = place_(i);
        if (first.size() == rules_.most_told && first.back().at <= at)
            return;
        const auto behind = std::upper_bound(first.begin(), first.end(), at,
                                             [](std::uint64_t wanted, const auto& each) { return wanted < each.at; });
        first.insert(behind, {at, field, value_text(pair.a.type, a + i * elements_.a_size),
                              value_text(pair.b.type, b + i * elements_.b_size)});
        if (first.size() > rules_.most_told)
            first.pop_back();
    }

    const block& elements_;
    const comparison_rules& rules_;
    std::function<std::uint64_t(std::size_t)> place_;
    std::vector<unsigned char> differs_;
};

void merge(std::optional<largest_error>& into, const std::optional<largest_error>& more) {
    if (more && (!into || more->error > into->error || (more->error == into->error && more->at < into->at)))
        into = more;
}

void merge(array_comparison& into, array_comparison&& more, std::size_t most_told) {
    into.differing += more.differing;
    into.nan_in_both += more.nan_in_both;
    merge(into.absolute, more.absolute);
    merge(into.relative, more.relative);
    for (std::size_t i = 0; i < into.fields.size(); ++i)
        into.fields[i].differing += more.fields[i].differing;
    into.first.insert(into.first.end(), more.first.begin(), more.first.end());
    std::sort(into.first.begin(), into.first.end(), [](const value_difference& a, const value_difference& b) {
        return a.at != b.at ? a.at < b.at : a.field < b.field;
    });
    into.first.resize(std::min(into.first.size(), most_told));
}

/// Whether values with equal bytes can compare as unequal (NaN and NaT).
[[nodiscard]] bool may_hold_nan(const nk::dtype& type) {
    const auto all = leaves_of(type);
    return std::any_of(all.begin(), all.end(),
                       [](const leaf& each) { return each.type.is_inexact() || each.type.is_time(); });
}

/// Converts a column-major index to the row-major index of the same element.
[[nodiscard]] std::uint64_t row_major_number(std::uint64_t at, const std::vector<std::size_t>& shape) {
    std::uint64_t out = 0;
    std::vector<std::size_t> index(shape.size());
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        index[axis] = static_cast<std::size_t>(at % shape[axis]);
        at /= shape[axis];
    }
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
        out = out * shape[axis] + index[axis];
    return out;
}

}  // namespace

dtype_comparison compare_dtypes(const nk::dtype& a, const nk::dtype& b) {
    dtype_comparison out;
    if (a == b)
        return out;
    out.has_note = true;
    try {
        const nk::conversion possible(a, b);
    } catch (const nk::mismatch_error&) {
        out.equal = false;
        out.missing = leaf_pairs(a, b).missing;
    }
    return out;
}

array_comparison compare_values(const nk::array_view& a, const nk::array_view& b, const comparison_rules& rules,
                                const nk::run_options& run, const std::filesystem::path& called) {
    array_comparison out;
    const leaf_pairs pairs(a.type(), b.type());
    const std::size_t count = a.size();
    out.elements = count;
    if (pairs.all.empty() && !(leaves_of(a.type()).empty() && leaves_of(b.type()).empty()))
        return out;
    out.compared = true;
    for (const auto& pair : pairs.all)
        out.fields.push_back({pair.a.path, 0});
    // If both files are column-major, elements are compared in that order; otherwise in row-major order.
    const auto visited = a.column_major() && b.column_major() ? nk::order::column_major : nk::order::row_major;
    const auto left = a.in_order(visited), right = b.in_order(visited);
    const auto a_size = static_cast<std::size_t>(a.type().size()), b_size = static_cast<std::size_t>(b.type().size());
    const bool bytes_tell = a.type() == b.type() && (rules.equal_nan || !may_hold_nan(a.type()));
    constexpr std::size_t block_bytes = std::size_t{1} << 19;
    const std::size_t most = std::max<std::size_t>(1, block_bytes / std::max<std::size_t>({1, a_size, b_size}));
    const std::size_t blocks = count / most + (count % most != 0 ? 1 : 0);
    std::mutex merging;
    nk::progress_meter meter(
        run, {.phase = "compare", .items_total = blocks, .bytes_total = a.nbytes() + b.nbytes(), .file = called});
    nk::parallel_for(blocks, meter, [&](std::size_t number) {
        const std::size_t first = number * most, some = std::min(most, count - first);
        const auto bytes_of = [&](const nk::array_view& view, std::size_t size, nk::core::buffer& made) {
            if (view.contiguous() != nullptr)
                return view.contiguous() + first * size;
            made = nk::core::buffer(std::max<std::size_t>(1, some * size));
            view.fill(first, some, made.data());
            return static_cast<const std::byte*>(made.data());
        };
        nk::core::buffer a_made, b_made;
        const block elements{bytes_of(left, a_size, a_made), bytes_of(right, b_size, b_made), some, a_size, b_size};
        meter.add(0, some * (a_size + b_size));
        if (bytes_tell && (a_size == 0 || std::memcmp(elements.a, elements.b, some * a_size) == 0))
            return;
        block_comparison compared(elements, pairs, rules, [&](std::size_t i) {
            return visited == nk::order::column_major ? row_major_number(first + i, a.shape()) : first + i;
        });
        const std::scoped_lock lock(merging);
        merge(out, std::move(compared.seen), rules.most_told);
    });
    meter.finish();
    return out;
}

std::vector<std::size_t> index_of(std::uint64_t at, const std::vector<std::size_t>& shape) {
    std::vector<std::size_t> index(shape.size());
    for (std::size_t axis = shape.size(); axis-- > 0;) {
        index[axis] = static_cast<std::size_t>(at % shape[axis]);
        at /= shape[axis];
    }
    return index;
}

std::string index_text(std::uint64_t at, const std::vector<std::size_t>& shape) {
    std::string text;
    for (const std::size_t each : index_of(at, shape))
        text += (text.empty() ? "" : ", ") + std::to_string(each);
    return '[' + text + ']';
}

}  // namespace tool
