// SPDX-License-Identifier: BSD-3-Clause
#include "summary_of.hpp"

#include "bucket.hpp"
#include "values.hpp"

#include <ndkeep/bytes/buffer.hpp>
#include <ndkeep/element/strided.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace tool {

namespace {

namespace nk = ndkeep;

/// Number of histogram bins per leaf, so that a struct with many fields does not use more memory in total.
[[nodiscard]] std::size_t bins_for(std::size_t leaves) {
    constexpr std::size_t most = 4096, least = 256, together = 65536;
    return std::clamp(together / std::max<std::size_t>(leaves, 1), least, most);
}

/// @param number_of  gives the i-th value as a double; NaN is not counted
template <class Number>
void add_numbers(leaf_summary& into, std::size_t count, Number&& number_of) {
    for (std::size_t i = 0; i < count; ++i) {
        const double number = number_of(i);
        into.zeros += number == 0 ? 1 : 0;
        if (std::isfinite(number))
            into.histogram.add(number);
        else if (std::isinf(number))
            ++into.infinite;
    }
}

void add_column(leaf_summary& into, const column& values) {
    const auto& type = values.type;
    if (type.is_complex()) {
        for (std::size_t i = 0; i < values.count; ++i) {
            const auto real = real_at(type, values.at(i)), imaginary = imaginary_at(type, values.at(i));
            into.zeros += real == 0 && imaginary == 0 ? 1 : 0;
            into.infinite += std::isinf(real) || std::isinf(imaginary) ? 1 : 0;
        }
        return;
    }
    if (type.is_time() || type.kind() == 'b')  // NaT is not a number, and any byte can be a bool
        return add_numbers(into, values.count, [&](std::size_t i) { return number_at(type, values.at(i)); });
    // A loop for each C++ type, without a branch on the dtype for each value.
    with_part_type(type, [&]<class T>(std::type_identity<T>) {
        add_numbers(into, values.count, [bytes = values.bytes.data()](std::size_t i) {
            T value;
            std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
            return static_cast<double>(value);
        });
    });
}

/// The summary of one or more blocks.
struct part_summary {
    nk::statistics values;
    std::vector<leaf_summary> summaries;
};

[[nodiscard]] part_summary summary_of_part(const nk::dtype& type, const std::vector<leaf>& leaves,
                                           const std::byte* elements, std::size_t count) {
    nk::running_statistics running(type);
    running.update(elements, count);
    part_summary out{running.values(), {}};
    for (const auto& part : leaves) {
        auto& into = out.summaries.emplace_back(leaf_summary{0, 0, growing_histogram(bins_for(leaves.size()))});
        if (has_magnitude(part.type) && count != 0 && type.size() != 0)
            add_column(into, column_of(part, elements, static_cast<std::size_t>(type.size()), count));
    }
    return out;
}

void merge(array_summary& into, const part_summary& part, bool is_first) {
    into.values = is_first ? part.values : nk::core::merged(into.values, part.values);
    for (std::size_t i = 0; i < part.summaries.size(); ++i) {
        into.summaries[i].zeros += part.summaries[i].zeros;
        into.summaries[i].infinite += part.summaries[i].infinite;
        into.summaries[i].histogram.merge(part.summaries[i].histogram);
    }
}

void collect(const nk::dtype& type, const nk::statistics& values, std::vector<nk::statistics>& out) {
    if (!type.is_struct())
        return out.push_back(values);
    for (std::size_t i = 0; i < type.fields().size(); ++i)
        collect(type.fields()[i].type, i < values.fields.size() ? values.fields[i].second : nk::statistics(), out);
}

}  // namespace

array_summary summary_of(const stored_array& array, const nk::run_options& given) {
    auto run = given;
    run.threads = threads_for(array.file, given.threads);
    const auto& type = array.info.type;
    array_summary out{.type = type, .leaves = leaves_of(type), .values = {}, .summaries = {}};
    const auto item = static_cast<std::size_t>(type.size());
    const auto count = static_cast<std::size_t>(array.info.size());
    for (std::size_t i = 0; i < out.leaves.size(); ++i)
        out.summaries.push_back({0, 0, growing_histogram(bins_for(out.leaves.size()))});
    nk::progress_meter meter(run, {.phase = "stats", .bytes_total = std::uint64_t{count} * item, .file = array.file});
    if (item == 0 || count == 0) {
        merge(out, summary_of_part(type, out.leaves, nullptr, count), true);
        meter.finish();
        return out;
    }
    constexpr std::size_t block = std::size_t{1} << 20, together = 32;
    const std::size_t most = std::max<std::size_t>(1, block / item);
    const std::size_t blocks = count / most + (count % most == 0 ? 0 : 1);
    nk::run_options one_thread{.threads = 1, .progress = run.progress, .stop = run.stop};
    nk::progress_meter in_order(one_thread, {.phase = "stats", .file = array.file},
                                nk::progress_meter::first_report::later);
    for (std::size_t first = 0; first < blocks; first += together) {
        const std::size_t some = std::min(together, blocks - first);
        std::vector<part_summary> parts(some);
        nk::parallel_for(some, array.is_in_order ? in_order : meter, [&](std::size_t i) {
            const std::size_t begin = (first + i) * most, length = std::min(most, count - begin);
            const nk::core::buffer bytes(length * item);
            array.read(std::uint64_t{begin} * item, bytes.bytes());
            parts[i] = summary_of_part(type, out.leaves, bytes.data(), length);
            meter.add(0, bytes.size());
        });
        for (std::size_t i = 0; i < some; ++i)
            merge(out, parts[i], first + i == 0);
    }
    meter.finish();
    return out;
}

std::vector<nk::statistics> statistics_along(const stored_array& array, std::size_t axis, const nk::run_options& run) {
    const auto& type = array.info.type;
    const auto item = static_cast<std::size_t>(type.size());
    auto shape = array.info.shape;  // in file order, the last axis is contiguous
    if (array.info.column_major) {
        std::reverse(shape.begin(), shape.end());
        axis = shape.size() - 1 - axis;
    }
    const std::size_t length = std::exchange(shape[axis], 1);
    if (is_without_elements(shape))
        return {};
    const std::size_t lines = nk::core::product(shape);
    constexpr std::size_t most_lines = std::size_t{1} << 16;
    if (lines > most_lines)
        throw nk::mismatch_error({.file = array.file,
                                  .field = "number of lines along the axis",
                                  .expected = "at most " + std::to_string(most_lines),
                                  .found = std::to_string(lines)});
    std::vector<nk::running_statistics> running(lines, nk::running_statistics(type));
    const std::size_t inner =
        nk::core::product(std::vector(shape.begin() + static_cast<std::ptrdiff_t>(axis), shape.end()));
    nk::progress_meter meter(run, {.phase = "stats", .bytes_total = array.info.nbytes(), .file = array.file});
    // A block of a wide table has many rows too: each line of elements gets a call of its own for each block.
    constexpr std::size_t block = std::size_t{1} << 20, largest_block = std::size_t{1} << 26, least_rows = 64;
    const std::size_t row = std::max<std::size_t>(1, inner * item);
    const std::size_t most = std::max({std::size_t{1}, block / row, std::min(least_rows, largest_block / row)});
    const auto allocated = [&](std::size_t size) {
        return nk::core::allocated_for(array.file, size, [size] { return nk::core::buffer(size); });
    };
    const auto bytes = allocated(std::min(most, length) * inner * item);
    const auto line = allocated(std::min(most, length) * item);
    std::uint64_t at = 0;
    for (std::size_t outer = 0; outer < lines; outer += inner)
        for (std::size_t first = 0; first < length; first += most) {
            const std::size_t some = std::min(most, length - first);
            const auto part = bytes.bytes().first(some * inner * item);
            array.read(at, part);
            at += part.size();
            for (std::size_t i = 0; i < inner; ++i) {
                nk::core::copy_strided(line.data(), {static_cast<std::ptrdiff_t>(item)}, bytes.data() + i * item,
                                       {static_cast<std::ptrdiff_t>(inner * item)}, {some}, item);
                running[outer + i].update(line.data(), some);
            }
            meter.add(0, part.size());
            meter.report();
        }
    meter.finish();
    std::vector<nk::statistics> out(lines);
    for (std::size_t i = 0; i < lines; ++i) {
        std::size_t place = i;
        if (array.info.column_major) {
            place = 0;
            std::size_t rest = i, stride = lines;
            // In file order the last axis moves fastest, and it is the first of the array.
            for (std::size_t k = shape.size(); k-- > 0; rest /= shape[k]) {
                stride /= shape[k];
                place += rest % shape[k] * stride;
            }
        }
        out[place] = running[i].values();
    }
    return out;
}

std::vector<nk::statistics> array_summary::by_leaf() const {
    std::vector<nk::statistics> out;
    collect(type, values, out);
    return out;
}

}  // namespace tool
