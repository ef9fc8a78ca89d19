// SPDX-License-Identifier: BSD-3-Clause
// Chunked arrays beside one file, and loops over them.
#include "timing.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>
#include <ndkeep/npy.hpp>

#include <filesystem>

namespace nk = ndkeep;
using namespace timing;

namespace {

/// Chunks of 16 MiB beside one file.
void measure_chunks(const std::string& directory, std::size_t count) {
    const std::string path = directory + "/array.npy", chunked = directory + "/chunked", small = directory + "/small";
    const std::size_t bytes = count * sizeof(double);
    const xt::xtensor<double, 1> array = xt::arange<double>(0, static_cast<double>(count));
    report("chunks save:one file", bytes, seconds([&] { nk::save(path, array); }));
    report("chunks save", bytes, seconds([&] { nk::save_chunked(chunked, array, {.commit = {.sync = false}}); }));
    report("chunks load:one file", bytes, seconds([&] { sink = nk::load<double, 1>(path)(0); }));
    report("chunks load", bytes, seconds([&] { sink = nk::load_chunked<double, 1>(chunked)(0); }));
    report("chunks pass:one file", bytes, seconds([&] { sink = sum_of(nk::map<double, 1>(path).data(), count); }));
    report("chunks pass", bytes, seconds([&] { sink = sum_of(nk::map_chunked<double, 1>(chunked).data(), count); }));
    report("chunks verify:load", bytes, seconds([&] { sink = nk::load_chunked<double, 1>(chunked)(0); }));
    report("chunks verify", bytes, seconds([&] { nk::verify_chunked(chunked); }));
    if (bytes < 100'000'000) {
        const xt::xtensor<double, 1> rows = xt::ones<double>({10'000});
        nk::save_chunked(small, rows, {.rows_per_chunk = 1, .commit = {.sync = false}});
        report("open 10000 chunks", bytes,
               seconds([&] { sink = static_cast<double>(nk::chunk_reader<double, 1>(small).rows()); }, 20));
        std::filesystem::remove_all(small);
    }
    std::filesystem::remove_all(chunked);
    ::unlink(path.c_str());
}

/// What any checkpoint has to do: write beside, wait for the disk, rename, wait for the name.
void raw_replace(const std::string& directory, const void* data, std::size_t bytes) {
    const std::string path = directory + "/floor.state", beside = path + "~";
    const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    require(file >= 0);
    write_all(file, data, bytes);
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
    report("loop pass:sum of map", count * sizeof(double), seconds([&] { sink = sum_of(mapped.data(), count); }));
    report("loop pass", count * sizeof(double), seconds([&] {
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
    report("loop step", sizeof(double), time / steps);
    forget();

    for (const std::size_t bytes : {std::size_t{100}, std::size_t{8} << 20}) {
        constexpr int checkpoints = 20;
        const std::vector<char> raw(bytes + 1000, 'x');
        const std::string verb = bytes < 1000 ? "checkpoint 100 B" : "checkpoint 8 MiB";
        report(verb + ":write, sync, rename", bytes,
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
        report(verb, bytes, time / checkpoints);
        forget();
    }
    ::unlink((directory + "/floor.state").c_str());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: chunks DIRECTORY BYTES\n");
        return 2;
    }
    const std::string directory = argv[1], chunked = directory + "/chunked";
    const auto bytes = static_cast<std::size_t>(std::strtoull(argv[2], nullptr, 10));
    if (bytes < 1'000'000)
        return 0;
    measure_chunks(directory, bytes / sizeof(double));
    nk::save_chunked(chunked, xt::arange<double>(0, static_cast<double>(bytes / sizeof(double))),
                     {.commit = {.sync = false}});
    measure_loop(directory, chunked);
    std::filesystem::remove_all(chunked);
}
