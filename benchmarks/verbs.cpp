// SPDX-License-Identifier: BSD-3-Clause
// Times one pass of each verb beside its physical floor: prints "verb bytes seconds" lines for run.sh to put together.
#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nk = ndkeep;

namespace {

/// The mean of several calls, where one is too short for the clock.
template <class Call>
double seconds(Call&& call, int times = 1) {
    ::sync();  // so that nobody's pages are still on their way to the disk meanwhile
    using clock = std::chrono::steady_clock;
    const auto begin = clock::now();
    for (int i = 0; i < times; ++i)
        call();
    return std::chrono::duration<double>(clock::now() - begin).count() / times;
}

void report(const char* verb, std::size_t bytes, double time) { std::printf("%s %zu %.9f\n", verb, bytes, time); }

void require(bool held) {
    if (!held) {
        std::perror("benchmark");
        std::exit(1);
    }
}

int create(const std::string& path, const void* data, std::size_t bytes) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0666);
    require(file >= 0);
    for (std::size_t done = 0; done < bytes;) {
        const auto some = ::write(file, static_cast<const char*>(data) + done, bytes - done);
        require(some > 0);
        done += static_cast<std::size_t>(some);
    }
    return file;
}

void raw_write(const std::string& path, const void* data, std::size_t bytes) {
    ::unlink(path.c_str());
    require(::close(create(path, data, bytes)) == 0);
}

/// Into memory that is fresh each time, as an array that is just made.
double raw_read(const std::string& path, std::size_t bytes) {
    const std::unique_ptr<double[]> memory(new double[bytes / sizeof(double)]);
    const int file = ::open(path.c_str(), O_RDONLY);
    require(file >= 0);
    for (std::size_t done = 0; done < bytes;) {
        const auto some =
            ::pread(file, reinterpret_cast<char*>(memory.get()) + done, bytes - done, static_cast<off_t>(done + 128));
        require(some > 0);
        done += static_cast<std::size_t>(some);
    }
    ::close(file);
    return memory[0];
}

/// What any mapping has to do: open, look at the size, read the header, map, touch, unmap.
double raw_map(const std::string& path, std::size_t bytes) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    require(file >= 0);
    struct stat status = {};
    require(::fstat(file, &status) == 0);
    char header[128];
    require(::pread(file, header, sizeof header, 0) == sizeof header);
    void* const at = ::mmap(nullptr, bytes + 128, PROT_READ, MAP_SHARED, file, 0);
    require(at != MAP_FAILED);
    const double first = *reinterpret_cast<const double*>(static_cast<const char*>(at) + 128);
    ::munmap(at, bytes + 128);
    ::close(file);
    return first;
}

volatile double sink = 0;

void measure(const std::string& directory, std::size_t count) {
    const std::string path = directory + "/array.npy";
    const std::string raw = directory + "/array.raw";
    const std::size_t bytes = count * sizeof(double);
    const bool small = bytes < 1'000'000;
    const int times = small ? 2000 : 1;
    const xt::xtensor<double, 1> array = xt::arange<double>(0, static_cast<double>(count));

    report("write:floor", bytes, seconds([&] { raw_write(raw, array.data(), bytes); }, times));
    ::unlink(path.c_str());
    report("save", bytes, seconds([&] { nk::save(path, array); }, times));
    report("save+crc32", bytes, seconds([&] { nk::save(path, array, {.sum = nk::checksum::crc32}); }, times));
    report("save+statistics", bytes, seconds([&] { nk::save(path, array, {.statistics = true}); }, times));
    report("save(a*1.8+32)", bytes, seconds([&] { nk::save(path, array * 1.8 + 32); }, times));
    report("read:floor", bytes, seconds([&] { sink = raw_read(path, bytes); }, times));
    report("load", bytes, seconds([&] { sink = nk::load<double, 1>(path)(0); }, times));
    report("map:floor", bytes, seconds([&] { sink = raw_map(path, bytes); }, 2000));
    report("map", bytes, seconds([&] { sink = nk::map<double, 1>(path)(0); }, 2000));
    const auto mapped = nk::map<double, 1>(path);
    report("sum:floor", bytes,
           seconds(
               [&] {
                   double sums[4] = {};
                   for (std::size_t i = 0; i + 4 <= count; i += 4)
                       for (std::size_t j = 0; j < 4; ++j)
                           sums[j] += mapped.data()[i + j];
                   sink = sums[0] + sums[1] + sums[2] + sums[3];
               },
               times));
    report("xt::mean(map)", bytes, seconds([&] { sink = xt::mean(mapped)(); }, times));
    nk::describe(path, {.sum = nk::checksum::crc32c});
    report("verify(crc32c)", bytes, seconds([&] { nk::verify(path); }, times));
    report("append(1%)", bytes / 100, seconds([&] {
               const xt::xtensor<double, 1> rows = xt::ones<double>({std::max<std::size_t>(1, count / 100)});
               nk::append(path, rows, {.sync = false});
           }));
    ::unlink(path.c_str());
    ::unlink((path + ".json").c_str());
    ::unlink(raw.c_str());
}

double sum_of(const double* values, std::size_t count) {
    double sums[8] = {};
    for (std::size_t i = 0; i + 8 <= count; i += 8)
        for (std::size_t j = 0; j < 8; ++j)
            sums[j] += values[i + j];
    double sum = 0;
    for (const double part : sums)
        sum += part;
    return sum;
}

/// What any checkpoint has to do: write beside, wait for the disk, rename, wait for the name.
void raw_replace(const std::string& directory, const void* data, std::size_t bytes) {
    const std::string path = directory + "/floor.state", beside = path + "~";
    const int file = create(beside, data, bytes);
    require(::fsync(file) == 0 && ::close(file) == 0 && ::rename(beside.c_str(), path.c_str()) == 0);
    const int names = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY);
    require(names >= 0 && ::fsync(names) == 0 && ::close(names) == 0);
}

/// A pass over chunks beside the sum of the mapped array, a step by itself, and checkpoints beside bare replacements.
void measure_loop(const std::string& directory, const std::string& chunked) {
    const std::string state = directory + "/loop.state";
    const nk::chunk_reader<double, 1> reader(chunked);
    const std::size_t count = static_cast<std::size_t>(reader.rows());
    const auto forget = [&] {
        for (const char* const ending : {"", ".previous", ".lock"})
            ::unlink((state + ending).c_str());
    };
    const auto mapped = reader.map();
    report("loop-pass:floor", count * sizeof(double), seconds([&] { sink = sum_of(mapped.data(), count); }));
    report("loop-pass", count * sizeof(double), seconds([&] {
               nk::stateful_loop loop(state, {.every = nk::at_end, .sync = false});
               for (const auto& chunk : loop.over(reader))
                   sink = sink + sum_of(chunk.data(), chunk.size());
           }));
    forget();

    constexpr std::size_t steps = 100'000;
    const xt::xtensor<double, 1> small = xt::ones<double>({steps});
    double time = seconds([&] {
        nk::stateful_loop loop(state, {.every = nk::at_end, .sync = false});
        for (const auto& chunk : loop.over(small, {.rows = 1}))
            sink = chunk(0);
    });
    report("loop-step", sizeof(double), time / steps);
    forget();

    for (const std::size_t bytes : {std::size_t{100}, std::size_t{8} << 20}) {
        constexpr int checkpoints = 20;
        const std::vector<char> raw(bytes + 1000, 'x');
        const std::string verb = bytes < 1000 ? "loop-checkpoint-100B" : "loop-checkpoint-8MiB";
        report((verb + ":floor").c_str(), bytes,
               seconds([&] { raw_replace(directory, raw.data(), raw.size()); }, checkpoints));
        nk::stateful_loop loop(state);
        auto& kept = loop.bind<xt::xtensor<double, 1>>("kept", xt::ones<double>({bytes / sizeof(double)}));
        int given = 0;
        const auto feed = [&]() -> std::optional<std::vector<double>> {
            return given++ == checkpoints ? std::nullopt : std::optional(std::vector<double>(1));
        };
        time = seconds([&] {
            for ([[maybe_unused]] const auto& chunk : loop.over(feed))
                kept(0) += 1;
        });
        report(verb.c_str(), bytes, time / checkpoints);
        forget();
    }
    ::unlink((directory + "/floor.state").c_str());
}

/// Chunks of 16 MiB beside one file.
void measure_chunks(const std::string& directory, std::size_t count) {
    const std::string path = directory + "/array.npy", chunked = directory + "/chunked", small = directory + "/small";
    const std::size_t bytes = count * sizeof(double);
    const xt::xtensor<double, 1> array = xt::arange<double>(0, static_cast<double>(count));
    report("chunks-save:file", bytes, seconds([&] { nk::save(path, array); }));
    report("chunks-save", bytes, seconds([&] { nk::save_chunked(chunked, array, {.commit = {.sync = false}}); }));
    report("chunks-load:file", bytes, seconds([&] { sink = nk::load<double, 1>(path)(0); }));
    report("chunks-load", bytes, seconds([&] { sink = nk::load_chunked<double, 1>(chunked)(0); }));
    report("chunks-pass:file", bytes, seconds([&] { sink = sum_of(nk::map<double, 1>(path).data(), count); }));
    report("chunks-pass", bytes, seconds([&] { sink = sum_of(nk::map_chunked<double, 1>(chunked).data(), count); }));
    report("chunks-verify:file", bytes, seconds([&] { sink = raw_read(path, bytes); }));
    report("chunks-verify", bytes, seconds([&] { nk::verify_chunked(chunked); }));
    measure_loop(directory, chunked);
    if (bytes < 100'000'000) {
        const xt::xtensor<double, 1> rows = xt::ones<double>({10'000});
        nk::save_chunked(small, rows, {.rows_per_chunk = 1, .commit = {.sync = false}});
        report("open-10000-chunks", bytes,
               seconds([&] { sink = static_cast<double>(nk::chunk_reader<double, 1>(small).rows()); }, 20));
        std::filesystem::remove_all(small);
    }
    std::filesystem::remove_all(chunked);
    ::unlink(path.c_str());
}

/// Deflate is as fast as the numbers let it be: noise, what noise adds up to, and readings of one decimal.
void measure_archives(const std::string& directory, std::size_t count) {
    const std::string path = directory + "/arrays.npz";
    const std::size_t bytes = count * sizeof(double);
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    xt::xtensor<double, 1> noise = xt::empty<double>({count});
    for (double& value : noise)
        value = normal(random);
    const xt::xtensor<double, 1> walk = 700 + xt::cumsum(noise) / 100;  // of one binary exponent, so that sizes agree
    const xt::xtensor<double, 1> readings =
        xt::round(10 * (15 + 8 * xt::sin(xt::arange<double>(0, static_cast<double>(count)) / 1000) + noise)) / 10;

    report("npz-save", bytes, seconds([&] { nk::save_npz(path, {{"a", noise}}); }));
    report("npz-load", bytes, seconds([&] { sink = nk::npz_reader(path).load<double, 1>("a")(0); }));
    report("npz-map", bytes, seconds([&] { sink = nk::npz_reader(path).map<double, 1>("a")(0); }, 200));
    const auto deflate = [&](const std::string& name, const xt::xtensor<double, 1>& array) {
        const double time = seconds([&] { nk::save_npz(path, {{"a", array}}, {.compress = true}); });
        report(("deflate-save-" + name).c_str(), std::filesystem::file_size(path), time);
        report(("deflate-load-" + name).c_str(), bytes,
               seconds([&] { sink = nk::npz_reader(path).load<double, 1>("a")(0); }));
    };
    deflate("noise", noise);
    deflate("walk", walk);
    deflate("readings", readings);
    ::unlink(path.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: verbs DIRECTORY BYTES\n");
        return 2;
    }
    const auto bytes = static_cast<std::size_t>(std::strtoull(argv[2], nullptr, 10));
    measure(argv[1], bytes / sizeof(double));
    if (bytes > 1'000'000)
        measure_chunks(argv[1], bytes / sizeof(double));
    if (bytes > 1'000'000 && bytes < 100'000'000)
        measure_archives(argv[1], bytes / sizeof(double));
}
