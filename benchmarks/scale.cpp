// SPDX-License-Identifier: BSD-3-Clause
// How costs grow with size: passes over more data than memory, many chunk files, many members, repeated appends.
#include "timing.hpp"

#include <ndkeep/ndkeep.hpp>

#include <cinttypes>
#include <filesystem>

namespace nk = ndkeep;
using namespace timing;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20, gib = std::size_t{1} << 30;

class stopwatch {
  public:
    [[nodiscard]] double seconds() const { return std::chrono::duration<double>(clock::now() - begin_).count(); }

  private:
    using clock = std::chrono::steady_clock;
    clock::time_point begin_ = clock::now();
};

/// Disk space to use: half of the free space, so that other programs do not run out.
bool has_room(const std::string& folder, std::size_t bytes) {
    return std::filesystem::space(folder).available / 2 > bytes;
}

void pass(const std::string& folder, std::size_t bytes) {
    const std::string path = folder + "/large", state = folder + "/large.state";
    constexpr std::size_t block = 64 * mib / sizeof(double);
    const std::size_t blocks = bytes / sizeof(double) / block, told = std::max<std::size_t>(1, blocks / 10);
    std::printf("\nA pass over %zu GiB in chunks of 64 MiB that were just written\n", bytes / gib);
    std::printf("%8s %12s %12s %16s %16s\n", "GiB", "write GB/s", "pass GB/s", "anonymous MiB", "mapped MiB");
    std::vector<double> written;
    {
        nk::chunk_writer<double, 1> writer(path, {.rows_per_chunk = block, .commit = {.sync = false}});
        xt::xtensor<double, 1> numbers = xt::arange<double>(0, block);
        stopwatch watch;
        for (std::size_t i = 0; i < blocks; ++i) {
            numbers(0) = static_cast<double>(i);
            writer.append(numbers);
            writer.commit();
            if ((i + 1) % told == 0)
                written.push_back(static_cast<double>((i + 1) * block * sizeof(double)) / watch.seconds() / 1e9);
        }
    }
    const nk::chunk_reader<double, 1> reader(path);
    nk::stateful_loop loop(state, {.every = nk::at_end, .sync = false});
    stopwatch watch;
    std::size_t done = 0;
    for (const auto& chunk : loop.over(reader)) {
        sink = sink + sum_of(chunk.data(), chunk.size());
        if (++done % told == 0) {
            const std::size_t seen = done * block * sizeof(double);
            std::printf("%8.1f %12.2f %12.2f %16zu %16zu\n", static_cast<double>(seen) / gib, written[done / told - 1],
                        static_cast<double>(seen) / watch.seconds() / 1e9, memory("RssAnon"), memory("RssFile"));
            std::fflush(stdout);
        }
    }
    std::filesystem::remove_all(path);
    ::unlink(state.c_str());
}

void chunk_files(const std::string& folder, std::size_t most) {
    const std::string path = folder + "/many";
    std::printf("\nChunked arrays of many chunks, each a file with one row of 1 KiB\n");
    std::printf("%8s %14s %12s %12s %14s %14s\n", "chunks", "save us/chunk", "open ms", "load ms", "load us/chunk",
                "append one ms");
    for (std::size_t count = 100; count <= most; count *= 10) {
        const xt::xtensor<double, 2> rows = xt::ones<double>({count, std::size_t{128}});
        stopwatch save;
        nk::save_chunked(path, rows, {.rows_per_chunk = 1, .commit = {.sync = false}});
        const double saved = save.seconds();
        stopwatch open;
        sink = static_cast<double>(nk::chunk_reader<double, 2>(path).rows());
        const double opened = open.seconds();
        stopwatch load;
        sink = nk::load_chunked<double, 2>(path)(0, 0);
        const double loaded = load.seconds();
        stopwatch append;
        {
            nk::chunk_writer<double, 2> writer(path, {.rows_per_chunk = 1, .commit = {.sync = false}});
            writer.append(xt::view(rows, xt::range(0, 1)));
            writer.commit();
        }
        const double appended = append.seconds(), n = static_cast<double>(count);
        std::printf("%8zu %14.1f %12.2f %12.2f %14.1f %14.2f\n", count, saved / n * 1e6, opened * 1e3, loaded * 1e3,
                    loaded / n * 1e6, appended * 1e3);
        std::fflush(stdout);
        std::filesystem::remove_all(path);
    }
}

void members(const std::string& folder, std::size_t most) {
    const std::string path = folder + "/many.npz";
    std::printf("\nArchives with many members of 1 KiB\n");
    std::printf("%8s %15s %12s %16s %14s\n", "members", "save us/member", "open us", "load us/member", "append one us");
    for (std::size_t count = 10; count <= most; count *= 10) {
        const xt::xtensor<double, 1> row = xt::ones<double>({128});
        stopwatch save;
        {
            nk::npz_writer out(path);
            for (std::size_t i = 0; i < count; ++i)
                out.add("member" + std::to_string(i), row);
            out.commit();
        }
        const double saved = save.seconds();
        stopwatch open;
        const nk::npz_reader reader(path);
        const double opened = open.seconds();
        stopwatch load;
        for (std::size_t i = 0; i < count; ++i)
            sink = reader.load<double, 1>("member" + std::to_string(i))(0);
        const double loaded = load.seconds();
        stopwatch append;
        {
            nk::npz_writer out(path, {.append = true});
            out.add("one more", row);
            out.commit();
        }
        const double n = static_cast<double>(count);
        std::printf("%8zu %15.1f %12.1f %16.1f %14.1f\n", count, saved / n * 1e6, opened * 1e6, loaded / n * 1e6,
                    append.seconds() * 1e6);
        std::fflush(stdout);
        ::unlink(path.c_str());
    }
}

void growing_file(const std::string& folder, std::size_t bytes) {
    const std::string path = folder + "/growing.npy";
    const xt::xtensor<double, 2> rows = xt::ones<double>({std::size_t{128}, std::size_t{1024}});
    std::printf("\nOne npy file that grows by 1 MiB at a time, and by one row of 8 KiB at each size\n");
    std::printf("%10s %22s %20s\n", "MiB", "us per append of 1 MiB", "us per row appended");
    nk::save(path, rows);
    std::size_t size = 1;
    for (std::size_t next = 2; size < bytes / mib; next = std::min(2 * next, bytes / mib)) {
        const std::size_t from = size;
        stopwatch watch;
        for (; size < next; ++size)
            nk::append(path, rows, {.sync = false});
        const double large = watch.seconds() / static_cast<double>(size - from);
        constexpr int some = 50;
        stopwatch small;
        for (int i = 0; i < some; ++i)
            nk::append(path, xt::view(rows, xt::range(0, 1)), {.sync = false});
        std::printf("%10zu %22.1f %20.1f\n", size, large * 1e6, small.seconds() / some * 1e6);
        std::fflush(stdout);
    }
    ::unlink(path.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    const auto [folder, largest] = task_of(argc, argv);
    const auto with_room = [&, &place = folder](const char* what, std::size_t bytes, auto&& call) {
        if (has_room(place, bytes))
            call(place, bytes);
        else
            std::printf("\n%s: not measured, the disk has less than twice %zu GiB free\n", what, bytes / gib);
    };
    chunk_files(folder, largest < gib ? 1'000 : 100'000);
    members(folder, largest < gib ? 1'000 : 10'000);
    with_room("A growing file", largest / 3 * 2, growing_file);
    with_room("A pass", largest, pass);
}
