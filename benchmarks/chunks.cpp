// SPDX-License-Identifier: BSD-3-Clause
// Benchmarks of chunked arrays against one file, and of loops over them.
#include "timing.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>
#include <ndkeep/npy.hpp>

#include <filesystem>

namespace nk = ndkeep;
using namespace timing;

namespace {

/// Compares chunks of 16 MiB with one file.
void measure_chunks(const std::string& folder, std::size_t count) {
    const std::string path = folder + "/array.npy", chunked = folder + "/chunked", small = folder + "/small";
    const std::size_t bytes = count * sizeof(double);
    const xt::xtensor<double, 1> array = xt::arange<double>(0, static_cast<double>(count));
    const auto save = [&] { nk::save(path, array); };
    const auto save_in_chunks = [&] { nk::save_chunked(chunked, array, {.commit = {.sync = false}}); };
    const auto load_chunks = [&] { sink = nk::load_chunked<double, 1>(chunked)(0); };
    const auto remove = [&] {
        ::unlink(path.c_str());
        std::filesystem::remove_all(chunked);
    };
    turns written(bytes);
    written.add("chunks save", save_in_chunks, {.before = remove, .after = remove});
    written.add("chunks save:one file", save, {.before = remove, .after = remove});
    written.run();

    save();
    save_in_chunks();
    ::sync();
    turns read(bytes);
    read.add("chunks load", load_chunks);
    read.add("chunks load:one file", [&] { sink = nk::load<double, 1>(path)(0); });
    read.add("chunks pass", [&] { sink = sum_of(nk::map_chunked<double, 1>(chunked).data(), count); });
    read.add("chunks pass:one file", [&] { sink = sum_of(nk::map<double, 1>(path).data(), count); });
    read.add("chunks verify", [&] { nk::verify_chunked(chunked); });
    read.add("chunks verify:load", load_chunks);
    read.run();
    if (bytes < 100'000'000) {
        const xt::xtensor<double, 1> rows = xt::ones<double>({10'000});
        nk::save_chunked(small, rows, {.rows_per_chunk = 1, .commit = {.sync = false}});
        turns opened(bytes);
        opened.add("open 10000 chunks", [&] { sink = static_cast<double>(nk::chunk_reader<double, 1>(small).rows()); },
                   {.times = 20});
        opened.run();
        std::filesystem::remove_all(small);
    }
    remove();
}

/// The floor for a checkpoint: write a temporary file, sync it, rename it, sync the folder.
void raw_replace(const std::string& folder, const void* data, std::size_t bytes) {
    const std::string path = folder + "/floor.state", beside = path + "~";
    const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    require(file >= 0);
    write_all(file, data, bytes);
    require(::fsync(file) == 0 && ::close(file) == 0 && ::rename(beside.c_str(), path.c_str()) == 0);
    const int names = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY);
    require(names >= 0 && ::fsync(names) == 0 && ::close(names) == 0);
}

/// Compares a pass over chunks with the sum of the mapped array, measures a step alone, and checkpoints against
/// replacements.
void measure_loop(const std::string& folder, const std::string& chunked) {
    const std::string state = folder + "/loop.state";
    const nk::chunk_reader<double, 1> reader(chunked);
    const auto count = static_cast<std::size_t>(reader.rows());
    const auto forget = [&] {
        for (const char* const ending : {"", ".previous", ".lock"})
            ::unlink((state + ending).c_str());
    };
    const auto mapped = reader.map();
    turns passes(count * sizeof(double));
    passes.add("loop pass",
               [&] {
                   nk::stateful_loop loop(state, {.every = nk::at_end, .sync = false});
                   for (const auto& chunk : loop.over(reader))
                       sink = sink + sum_of(chunk.data(), chunk.size());
               },
               {.after = forget});
    passes.add("loop pass:sum of map", [&] { sink = sum_of(mapped.data(), count); });
    passes.add("loop pass:map, sum", [&] { sink = sum_of(reader.map().data(), count); });
    passes.run();

    constexpr std::size_t steps = 100'000;
    const xt::xtensor<double, 1> small = xt::ones<double>({steps});
    turns step(sizeof(double));
    step.add("loop step",
             [&] {
                 nk::stateful_loop loop(state, {.every = nk::at_end, .sync = false});
                 for (const auto& chunk : loop.over(small, {.rows = 1}))
                     sink = chunk(0);
             },
             {.after = forget, .steps = steps});
    step.run();
    report("loop step:2 us", sizeof(double), 2e-6);

    for (const std::size_t bytes : {std::size_t{100}, std::size_t{8} << 20}) {
        constexpr int checkpoints = 10;
        const std::vector<char> raw(bytes + 1000, 'x');
        const std::string verb = bytes < 1000 ? "checkpoint 100 B" : "checkpoint 8 MiB";
        turns kept_often(bytes);
        kept_often.add(verb,
                       [&] {
                           nk::stateful_loop loop(state);
                           auto& kept =
                               loop.bind<xt::xtensor<double, 1>>("kept", xt::ones<double>({bytes / sizeof(double)}));
                           int given = 0;
                           const auto feed = [&]() -> std::optional<std::vector<double>> {
                               return given++ == checkpoints ? std::nullopt : std::optional(std::vector<double>(1));
                           };
                           for ([[maybe_unused]] const auto& chunk : loop.over(feed))
                               kept(0) += 1;
                       },
                       {.after = forget, .steps = checkpoints});
        kept_often.add(verb + ":write, sync, rename", [&] { raw_replace(folder, raw.data(), raw.size()); },
                       {.times = checkpoints});
        kept_often.run();
    }
    ::unlink((folder + "/floor.state").c_str());
}

}  // namespace

int main(int argc, char** argv) {
    const auto [folder, bytes] = task_of(argc, argv);
    const std::string chunked = folder + "/chunked";
    if (bytes < 1'000'000)
        return 0;
    measure_chunks(folder, bytes / sizeof(double));
    nk::save_chunked(chunked, xt::arange<double>(0, static_cast<double>(bytes / sizeof(double))),
                     {.commit = {.sync = false}});
    ::sync();
    measure_loop(folder, chunked);
    std::filesystem::remove_all(chunked);
}
