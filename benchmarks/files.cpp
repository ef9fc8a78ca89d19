// SPDX-License-Identifier: BSD-3-Clause
// Benchmarks of single npy files: each verb against its physical floor and xtensor's implementation.
#include "timing.hpp"

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/npy.hpp>

#if __has_include(<xtensor/io/xnpy.hpp>)
#include <xtensor/io/xnpy.hpp>
#else
#include <xtensor/xnpy.hpp>
#endif

#include <cmath>
#include <cstring>

#include <zlib.h>

namespace nk = ndkeep;
using namespace timing;

namespace {

constexpr std::size_t header_bytes = 128;
using array1 = xt::xtensor<double, 1>;

/// The fastest way to create a file: its space is allocated first.
void write_reserved(const std::string& path, const void* data, std::size_t bytes) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    require(file >= 0 && ::posix_fallocate(file, 0, static_cast<off_t>(bytes)) == 0);
    write_all(file, data, bytes);
    require(::close(file) == 0);
}

void write_and_rename(const std::string& path, const void* data, std::size_t bytes) {
    const std::string beside = path + "~";
    write_file(beside, data, bytes, O_EXCL);
    require(::rename(beside.c_str(), path.c_str()) == 0);
}

void raw_read(const std::string& path, void* out, std::size_t bytes, unsigned threads) {
    const int file = ::open(path.c_str(), O_RDONLY);
    require(file >= 0);
    std::vector<std::thread> helpers;
    const std::size_t part = bytes / threads;
    for (unsigned i = 1; i < threads; ++i)
        helpers.emplace_back([=] {
            read_all(file, static_cast<char*>(out) + i * part, i + 1 == threads ? bytes - i * part : part,
                     header_bytes + i * part);
        });
    read_all(file, out, threads == 1 ? bytes : part, header_bytes);
    for (auto& helper : helpers)
        helper.join();
    ::close(file);
}

/// The floor for mapping a file: open, get the size, map, touch, unmap.
double raw_map(const std::string& path, std::size_t bytes) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status = {};
    require(file >= 0 && ::fstat(file, &status) == 0);
    void* const at = ::mmap(nullptr, bytes + header_bytes, PROT_READ, MAP_SHARED, file, 0);
    require(at != MAP_FAILED);
    const double first = *reinterpret_cast<const double*>(static_cast<const char*>(at) + header_bytes);
    ::munmap(at, bytes + header_bytes);
    ::close(file);
    return first;
}

/// Each benchmark has its own file, which is removed before the system writes it to disk.
void saves(const std::string& folder, const array1& array, int times) {
    const std::size_t bytes = array.size() * sizeof(double);
    const void* const data = array.data();
    turns all(bytes);
    int files = 0;
    const auto add = [&](const std::string& verb, auto&& call, bool is_there = false) {
        const std::string path = folder + "/" + std::to_string(++files) + ".npy";
        const auto remove = [path] {
            ::unlink(path.c_str());
            ::unlink((path + ".json").c_str());
        };
        const auto make = [path, data, bytes] { write_file(path, data, bytes); };
        all.add(verb, [path, call] { call(path); },
                {.before = is_there ? std::function<void()>(make) : remove, .after = remove, .times = times});
    };
    const auto save = [&](const std::string& path) { nk::save(path, array); };
    const auto write = [&](const std::string& path) { write_file(path, data, bytes); };
    add("save", save);
    add("save:reserved write", [&](const std::string& path) { write_reserved(path, data, bytes); });
    add("save:write", write);
    add("save:xtensor", [&](const std::string& path) { xt::dump_npy(path, array); });
    add("save+crc32", [&](const std::string& path) { nk::save(path, array, {.sum = nk::checksum::crc32}); });
    add("save+crc32:save", save);
    add("save+statistics", [&](const std::string& path) { nk::save(path, array, {.statistics = true}); });
    add("save a*1.8+32", [&](const std::string& path) { nk::save(path, array * 1.8 + 32); });
    add("replace", save, true);
    add(
        "replace:write, rename", [&](const std::string& path) { write_and_rename(path, data, bytes); }, true);
    add(
        "replace:write over", [&](const std::string& path) { write_file(path, data, bytes, 0); }, true);
    all.run();
}

void loads(const std::string& path, const array1& array, int times) {
    const std::size_t count = array.size(), bytes = count * sizeof(double);
    const bool is_large = bytes > 1'000'000;
    const auto load = [&] { sink = nk::load<double, 1>(path)(0); };
    const auto load_by_xtensor = [&] { sink = xt::load_npy<double>(path)(0); };
    const auto read = [&](unsigned threads) {
        return [&path, bytes, threads] {
            const fresh_memory memory(bytes);
            raw_read(path, memory.data(), bytes, threads);
            sink = memory.data()[0];
        };
    };
    turns warm(bytes);
    std::vector<double> touched(count, 1.0);
    warm.add("load", load, {.times = times});
    if (is_large) {
        warm.add("load:pread by 2 threads", read(2));
        warm.add("load:pread", read(1));
    }
    warm.add("load:pread, warm memory", [&] { raw_read(path, touched.data(), bytes, 1); }, {.times = times});
    warm.add("load:memcpy, warm memory", [&] { std::memcpy(touched.data(), array.data(), bytes); }, {.times = times});
    warm.add("load:xtensor", load_by_xtensor, {.times = times});
    warm.add("map", [&] { sink = nk::map<double, 1>(path)(0); }, {.times = 2000});
    warm.add("map:mmap", [&] { sink = raw_map(path, bytes); }, {.times = 2000});
    warm.run();
    if (!is_large)
        return;
    turns cold(bytes);
    const around forgotten{.before = [&] {
        const int file = ::open(path.c_str(), O_RDONLY);
        require(file >= 0 && ::fdatasync(file) == 0 && ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0);
        ::close(file);
    }};
    cold.add("load, cold", load, forgotten);
    cold.add("load, cold:pread by 2 threads", read(2), forgotten);
    cold.add("load, cold:pread", read(1), forgotten);
    cold.add("load, cold:xtensor", load_by_xtensor, forgotten);
    cold.run(2);
}

/// Benchmarks of passes over existing files: sums, statistics, checks.
void passes(const std::string& path, std::size_t count, int times) {
    const std::size_t bytes = count * sizeof(double);
    nk::describe(path, {.sum = nk::checksum::crc32c});
    const auto mapped = nk::map<double, 1>(path);
    sink = sum_of(mapped.data(), count);  // maps all pages before the measurement
    std::vector<char> block(std::size_t{1} << 20);
    turns all(bytes);
    const auto add = [&](const std::string& verb, std::function<void()> call) {
        all.add(verb, std::move(call), {.times = times});
    };
    const auto read_whole = [&] {
        const int file = ::open(path.c_str(), O_RDONLY);
        require(file >= 0);
        for (std::size_t at = 0; at < bytes; at += block.size())
            read_all(file, block.data(), std::min(block.size(), bytes - at), at);
        ::close(file);
    };
    add("statistics of map", [&] { sink = *nk::statistics_of(mapped).mean; });
    add("statistics of map:sum", [&] { sink = sum_of(mapped.data(), count); });
    add("statistics of map:xt::mean alone", [&] { sink = xt::mean(mapped)(); });
    // Uses another file, so that the verified file has only a checksum and no statistics.
    const std::string second = path + ".second.npy";
    require(::link(path.c_str(), second.c_str()) == 0);
    add("describe, statistics", [&] { nk::describe(second, {.sum = nk::checksum::crc32c, .statistics = true}); });
    add("describe, statistics:read", read_whole);
    add("verify", [&] { nk::verify(path); });
    add("verify:read", read_whole);
    all.run();
    for (const auto& name : {path + ".json", second, second + ".json"})
        ::unlink(name.c_str());
    const array1 rows = xt::ones<double>({std::max<std::size_t>(1, count / 100)});
    turns append(rows.size() * sizeof(double));
    append.add("append 1 %", [&] { nk::append(path, rows, {.sync = false}); });
    append.run();
}

/// Benchmarks of conversions: elements of another dtype, byte order or element order.
void conversions(const std::string& folder, const array1& array) {
    const std::string native = folder + "/native.npy", swapped = folder + "/swapped.npy",
                      columns = folder + "/columns.npy";
    nk::any_array big(nk::dtype::parse(">f8"), {array.size()});
    nk::conversion(nk::dtype_of<double>(), big.type())
        .run(big.bytes().data(), reinterpret_cast<const std::byte*>(array.data()), array.size());
    nk::save(native, array);
    nk::save(swapped, big);
    big = {};
    const auto side = static_cast<std::size_t>(std::sqrt(static_cast<double>(array.size())));
    const auto flat = xt::adapt(array.data(), side * side, xt::no_ownership(), std::vector<std::size_t>{side, side});
    nk::save(columns, xt::xtensor<double, 2, xt::layout_type::column_major>(flat));
    for (const auto& path : {native, swapped, columns})
        settle(path);
    turns all(array.size() * sizeof(double));
    all.add("load big-endian", [&] { sink = nk::load<double, 1>(swapped)(0); });
    all.add("load big-endian:load", [&] { sink = nk::load<double, 1>(native)(0); });
    all.add("load columns as rows", [&] { sink = nk::load<double, 2>(columns)(0, 0); });
    all.add("load columns as rows:load", [&] { sink = nk::load<double, 1>(native)(0); });
    all.run();
    for (const auto& path : {native, swapped, columns})
        ::unlink(path.c_str());
}

/// Benchmarks of sums over memory, without a file.
void checksums() {
    constexpr std::size_t bytes = std::size_t{64} << 20;
    const std::vector<char> memory(bytes, 'x');
    const std::span<const std::byte> all(reinterpret_cast<const std::byte*>(memory.data()), bytes);
    const auto* const raw = reinterpret_cast<const Bytef*>(memory.data());
    turns sums(bytes);
    sums.add("crc32", [&] { sink = static_cast<double>(nk::crc32(all)); });
    sums.add("crc32:zlib", [&] { sink = static_cast<double>(::crc32_z(0, raw, bytes)); });
    sums.add("crc32c", [&] { sink = static_cast<double>(nk::crc32c(all)); });
    sums.add("md5", [&] { sink = static_cast<double>(nk::checksums_of(all, nk::checksum::md5).size()); });
    sums.run();
    for (const char* const verb : {"crc32:15 GB/s", "crc32c:15 GB/s"})
        report(verb, bytes, bytes / 15e9);
}

}  // namespace

int main(int argc, char** argv) {
    const auto [folder, wanted] = task_of(argc, argv);
    const std::size_t count = wanted / sizeof(double), bytes = count * sizeof(double);
    const std::string path = folder + "/array.npy";
    const int times = bytes < 10'000 ? 2000 : bytes < 1'000'000 ? 300 : 1;
    const array1 array = xt::arange<double>(0, static_cast<double>(count));
    saves(folder, array, times);
    nk::save(path, array);
    settle(path);
    loads(path, array, times);
    passes(path, count, times);
    ::unlink(path.c_str());
    if (bytes > 1'000'000)
        conversions(folder, array);
    if (bytes > 1'000'000 && bytes < 100'000'000)
        checksums();
}
