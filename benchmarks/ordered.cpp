// SPDX-License-Identifier: BSD-3-Clause
// Merging of rows by key, beside saving the same rows; two arrays in step, beside one after the other.
#include "timing.hpp"

#include <ndkeep/chunks.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace nk = ndkeep;
using namespace timing;

struct trade {
    std::int64_t time;
    double price;
    std::int64_t id;
};
NDKEEP_FIELDS(trade, time, price, id);

namespace {

constexpr nk::commit_rules unsynced{.sync = false, .keep = 1};

/// Rows with every `step`-th key from `first` on.
xt::xtensor<trade, 1> trades(std::size_t count, std::int64_t first, std::int64_t step) {
    xt::xtensor<trade, 1> rows(std::array<std::size_t, 1>{count});
    for (std::size_t i = 0; i < count; ++i)
        rows(i) = {first + static_cast<std::int64_t>(i) * step, 1.5, static_cast<std::int64_t>(i)};
    return rows;
}

void merges(const std::string& folder, std::size_t bytes) {
    const std::size_t count = bytes / sizeof(trade);
    const auto all = trades(count, 0, 1), even = trades(count / 2, 0, 2), odd = trades(count / 2, 1, 2);
    const std::string path = folder + "/merged", other = folder + "/saved", small = folder + "/small";
    turns times(bytes);
    const auto merge = [](const std::string& into, const xt::xtensor<trade, 1>& rows, bool unique) {
        nk::chunk_writer<trade, 1> sink(into, {.commit = unsynced});
        sink.merge(rows, unique ? nk::merge_options{.unique_by = {"id"}} : nk::merge_options{});
        sink.commit();
    };
    const auto again = [&] {
        std::filesystem::remove_all(path);
        nk::save_chunked(path, even, {.order_by = "time", .commit = unsynced});
    };
    times.add("merge of every second row", [&] { merge(path, odd, false); }, {.before = again, .times = 3});
    times.add("merge of every second row:save of all",
              [&] { nk::save_chunked(other, all, {.order_by = "time", .commit = unsynced}); },
              {.before = [&] { std::filesystem::remove_all(other); }, .times = 3});
    times.add("merge, unique", [&] { merge(path, odd, true); }, {.before = again, .times = 3});
    times.add("merge, unique:merge", [&] { merge(path, odd, false); }, {.before = again, .times = 3});
    times.run();

    // Late rows among the last ones: the cost is that of the last chunk, however long the array is.
    nk::save_chunked(other, all, {.rows_per_chunk = 10'000, .order_by = "time", .commit = unsynced});
    nk::save_chunked(small, trades(100'000, 0, 1), {.rows_per_chunk = 10'000, .order_by = "time", .commit = unsynced});
    turns late(1000 * sizeof(trade));
    const auto merge_late = [](const std::string& into, std::size_t end) {
        nk::chunk_writer<trade, 1> sink(into, {.rows_per_chunk = 10'000, .commit = unsynced});
        sink.merge(trades(1000, static_cast<std::int64_t>(end) - 2000, 1), {.unique_by = {"time"}});
        sink.commit();
    };
    late.add("late rows into " + std::to_string(count), [&] { merge_late(other, count); }, {.times = 20});
    late.add("late rows into " + std::to_string(count) + ":into 100000", [&] { merge_late(small, 100'000); },
             {.times = 20});
    late.run();
    for (const auto& each : {path, other, small})
        std::filesystem::remove_all(each);
}

void in_step(const std::string& folder, std::size_t bytes) {
    const std::size_t count = bytes / sizeof(trade) / 2;
    const std::string left = folder + "/left", right = folder + "/right";
    nk::save_chunked(left, trades(count, 0, 3), {.order_by = "time", .commit = unsynced});
    nk::save_chunked(right, trades(count, 1, 3), {.order_by = "time", .commit = unsynced});
    const nk::chunk_reader<trade, 1> a(left), b(right);
    const auto sum = [](const auto& rows) {
        double all = 0;
        for (const trade& each : rows)
            all += each.price;
        return all;
    };
    turns times(bytes);
    times.add("in step over two arrays", [&] {
        for (auto [x, y] : nk::in_step(a, b))
            sink = sink + sum(x) + sum(y);
    });
    times.add("in step over two arrays:one after the other", [&] {
        for (auto x : a)
            sink = sink + sum(x);
        for (auto y : b)
            sink = sink + sum(y);
    });
    times.run();
    for (const auto& each : {left, right})
        std::filesystem::remove_all(each);
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::fprintf(stderr, "usage: ordered FOLDER BYTES\n");
        return 2;
    }
    const std::size_t bytes = std::strtoull(arguments[2], nullptr, 10);
    if (bytes < std::size_t{4} << 20)
        return 0;  // shorter than the arrays that it compares with
    merges(arguments[1], bytes);
    in_step(arguments[1], bytes);
    return 0;
}
