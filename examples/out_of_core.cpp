// SPDX-License-Identifier: BSD-3-Clause
// An array larger than memory: it grows by commits and is read like an ordinary array.
#include <ndkeep/chunks.hpp>

#include <cstdio>

namespace fs = std::filesystem;
namespace nk = ndkeep;

namespace {

std::size_t count_even(const std::int64_t* values, std::size_t count) {  // an ordinary function on memory
    std::size_t even = 0;
    for (std::size_t i = 0; i < count; ++i)
        even += values[i] % 2 == 0;
    return even;
}

}  // namespace

int main() {
    fs::remove_all("signal");
    nk::chunk_writer<std::int64_t, 1> signal("signal");
    signal.append(xt::arange<std::int64_t>(10));
    signal.commit();
    signal.write(7, std::vector<std::int64_t>{22});
    signal.commit();
    auto all = nk::map_chunked<std::int64_t, 1>("signal");
    std::printf("%zu elements, element 7 is %ld\n", all.size(), static_cast<long>(all(7)));

    // An append costs time for the new rows only. A reader sees a block completely or not at all.
    for (int i = 0; i < 4; ++i) {
        signal.append(xt::arange<std::int64_t>(1024 * 1024));
        signal.commit();
    }
    std::printf("the earlier reader still has %zu elements, a new one has %zu\n", all.size(),
                nk::map_chunked<std::int64_t, 1>("signal").size());

    all = nk::map_chunked<std::int64_t, 1>("signal");
    std::printf("mean %.3f, %zu are even\n", xt::mean(all)(), count_even(all.data(), all.size()));

    // New rows of zeros use no disk space; values stored in them later do.
    signal.resize(std::uint64_t{1} << 32);
    signal.write((std::uint64_t{1} << 32) - 3, std::vector<std::int64_t>{1, 2, 3});
    signal.commit();
    const nk::chunk_reader<std::int64_t, 1> huge("signal");
    const auto end = huge.rows(huge.rows() - 4, huge.rows());
    std::printf("%zu rows of %zu GiB, the last %ld %ld %ld %ld\n", static_cast<std::size_t>(huge.rows()),
                static_cast<std::size_t>(huge.rows() >> 27), static_cast<long>(end(0)), static_cast<long>(end(1)),
                static_cast<long>(end(2)), static_cast<long>(end(3)));

    // An older version can be read until it is pruned.
    std::printf("commit 1 had %zu elements\n",
                static_cast<std::size_t>(nk::chunk_reader<std::int64_t, 1>("signal", {.at_commit = 1}).rows()));
    std::printf("%zu old commits pruned\n", nk::prune_chunked("signal", {.keep = 1}));
    nk::verify_chunked("signal");
}
