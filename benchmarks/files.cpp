// SPDX-License-Identifier: BSD-3-Clause
// One array in one file: each verb beside its physical floor and beside xtensor's own.
#include "timing.hpp"

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

void raw_write(const std::string& path, const void* data, std::size_t bytes, int flags) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | flags, 0666);
    require(file >= 0);
    write_all(file, data, bytes);
    require(::close(file) == 0);
}

/// As fast as a file can be made: its room is taken first.
void raw_write_reserved(const std::string& path, const void* data, std::size_t bytes) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    require(file >= 0 && ::posix_fallocate(file, 0, static_cast<off_t>(bytes)) == 0);
    write_all(file, data, bytes);
    require(::close(file) == 0);
}

void raw_replace(const std::string& path, const void* data, std::size_t bytes) {
    const std::string beside = path + "~";
    raw_write(beside, data, bytes, O_EXCL);
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

/// What any mapping has to do: open, look at the size, map, touch, unmap.
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

void saves(const std::string& path, const array1& array, int times) {
    const std::size_t bytes = array.size() * sizeof(double);
    const std::string raw = path + ".raw";
    const auto fresh = [&](const std::string& file, auto&& call) {
        return seconds_after([&] { ::unlink(file.c_str()); }, call, times);
    };
    report("save:reserved write", bytes, fresh(raw, [&] { raw_write_reserved(raw, array.data(), bytes); }));
    report("save", bytes, fresh(path, [&] { nk::save(path, array); }));
    report("save:write", bytes, fresh(raw, [&] { raw_write(raw, array.data(), bytes, O_TRUNC); }));
    report("save:xtensor", bytes, fresh(raw, [&] { xt::dump_npy(raw, array); }));
    report("save+crc32", bytes, fresh(path, [&] { nk::save(path, array, {.sum = nk::checksum::crc32}); }));
    report("save+crc32:save", bytes, fresh(path, [&] { nk::save(path, array); }));
    report("save+statistics", bytes, fresh(path, [&] { nk::save(path, array, {.statistics = true}); }));
    report("save a*1.8+32", bytes, fresh(path, [&] { nk::save(path, array * 1.8 + 32); }));
    ::unlink((path + ".json").c_str());
    report("replace:write, rename", bytes, seconds([&] { raw_replace(raw, array.data(), bytes); }, times));
    report("replace", bytes, seconds([&] { nk::save(path, array); }, times));
    ::unlink(raw.c_str());
}

void loads(const std::string& path, std::size_t count, int times) {
    const std::size_t bytes = count * sizeof(double);
    const auto read = [&](unsigned threads, bool huge) {
        return [&path, bytes, threads, huge] {
            const fresh_memory memory(bytes, huge);
            raw_read(path, memory.data(), bytes, threads);
            sink = memory.data()[0];
        };
    };
    std::vector<double> warm(count, 1.0);
    if (bytes > 1'000'000) {
        report("load:pread by 2 threads", bytes, seconds(read(2, true), times));
        report("load", bytes, seconds([&] { sink = nk::load<double, 1>(path)(0); }, times));
        report("load:pread", bytes, seconds(read(1, false), times));
    } else {
        report("load", bytes, seconds([&] { sink = nk::load<double, 1>(path)(0); }, times));
    }
    report("load:pread, warm memory", bytes, seconds([&] { raw_read(path, warm.data(), bytes, 1); }, times));
    report("load:xtensor", bytes, seconds([&] { sink = xt::load_npy<double>(path)(0); }, times));
    report("map:mmap", bytes, seconds([&] { sink = raw_map(path, bytes); }, 2000));
    report("map", bytes, seconds([&] { sink = nk::map<double, 1>(path)(0); }, 2000));
}

/// Passes over what is there: sums, statistics, checks.
void passes(const std::string& path, std::size_t count, int times) {
    const std::size_t bytes = count * sizeof(double);
    const auto mapped = nk::map<double, 1>(path);
    sink = sum_of(mapped.data(), count);  // its pages are mapped from now on
    report("xt::mean of map:sum", bytes, seconds([&] { sink = sum_of(mapped.data(), count); }, times));
    report("xt::mean of map", bytes, seconds([&] { sink = xt::mean(mapped)(); }, times));
    nk::describe(path, {.sum = nk::checksum::crc32c});
    std::vector<char> block(std::size_t{1} << 20);
    report("verify:read", bytes,
           seconds(
               [&] {
                   const int file = ::open(path.c_str(), O_RDONLY);
                   require(file >= 0);
                   for (std::size_t at = 0; at < bytes; at += block.size())
                       read_all(file, block.data(), std::min(block.size(), bytes - at), at);
                   ::close(file);
               },
               times));
    report("verify", bytes, seconds([&] { nk::verify(path); }, times));
    report("statistics:sum", bytes, seconds([&] { sink = sum_of(mapped.data(), count); }, times));
    report("statistics", bytes,
           seconds([&] { nk::describe(path, {.sum = nk::checksum::none, .statistics = true}); }, times));
    ::unlink((path + ".json").c_str());
    const array1 rows = xt::ones<double>({std::max<std::size_t>(1, count / 100)});
    report("append 1 %", rows.size() * sizeof(double), seconds([&] { nk::append(path, rows, {.sync = false}); }));
}

/// Elements that are not as the array is to be.
void conversions(const std::string& path, const array1& array, int times) {
    const std::size_t bytes = array.size() * sizeof(double);
    nk::any_array big(nk::dtype::parse(">f8"), {array.size()});
    nk::conversion(nk::dtype_of<double>(), big.type())
        .run(big.bytes().data(), reinterpret_cast<const std::byte*>(array.data()), array.size());
    nk::save(path, array);
    report("load big-endian:load", bytes, seconds([&] { sink = nk::load<double, 1>(path)(0); }, times));
    nk::save(path, big);
    report("load big-endian", bytes, seconds([&] { sink = nk::load<double, 1>(path)(0); }, times));
    const auto side = static_cast<std::size_t>(std::sqrt(static_cast<double>(array.size())));
    const auto flat = xt::adapt(array.data(), side * side, xt::no_ownership(), std::vector<std::size_t>{side, side});
    const xt::xtensor<double, 2, xt::layout_type::column_major> square = flat;
    nk::save(path, square);
    report("load columns as rows", bytes, seconds([&] { sink = nk::load<double, 2>(path)(0, 0); }, times));
    ::unlink(path.c_str());
}

/// Sums over memory, without a file.
void checksums() {
    constexpr std::size_t bytes = std::size_t{64} << 20;
    const std::vector<char> memory(bytes, 'x');
    const std::span<const std::byte> all(reinterpret_cast<const std::byte*>(memory.data()), bytes);
    const auto* const raw = reinterpret_cast<const Bytef*>(memory.data());
    report("crc32:zlib", bytes, seconds([&] { sink = static_cast<double>(::crc32_z(0, raw, bytes)); }));
    report("crc32", bytes, seconds([&] { sink = static_cast<double>(nk::crc32(all)); }));
    report("crc32:15 GB/s", bytes, bytes / 15e9);
    report("crc32c", bytes, seconds([&] { sink = static_cast<double>(nk::crc32c(all)); }));
    report("crc32c:15 GB/s", bytes, bytes / 15e9);
    report("md5", bytes, seconds([&] {
               nk::running_checksums sums(nk::checksum::md5);
               sums.update(all);
               sink = static_cast<double>(sums.values().size());
           }));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: files DIRECTORY BYTES\n");
        return 2;
    }
    const std::string path = std::string(argv[1]) + "/array.npy";
    const auto count = static_cast<std::size_t>(std::strtoull(argv[2], nullptr, 10)) / sizeof(double);
    const std::size_t bytes = count * sizeof(double);
    const int times = bytes < 10'000 ? 2000 : bytes < 1'000'000 ? 500 : 1;
    const array1 array = xt::arange<double>(0, static_cast<double>(count));
    saves(path, array, times);
    loads(path, count, times);
    passes(path, count, times);
    if (bytes > 1'000'000)
        conversions(path, array, times);
    if (bytes > 1'000'000 && bytes < 100'000'000)
        checksums();
    ::unlink(path.c_str());
}
