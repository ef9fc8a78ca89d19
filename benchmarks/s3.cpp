// SPDX-License-Identifier: BSD-3-Clause
// Chunked arrays in a bucket, beside curl's own parallel download of the same objects:
//
//     s3 s3://BUCKET/PREFIX [bytes of the array, 1 GiB] [bytes of the long pass, none]
//
// Endpoint and keys come from the environment: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY. Prints
// medians of three rounds in turns. On one machine, the server takes its share of the processors.
#include "timing.hpp"

#include <ndkeep/ndkeep.hpp>
#include <ndkeep/s3.hpp>

#include <filesystem>
#include <fstream>

namespace nk = ndkeep;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20, gib = std::size_t{1} << 30;

[[nodiscard]] double seconds_of(const std::function<void()>& call) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

[[nodiscard]] std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

/// A file for `curl --config` that downloads all chunks to nowhere.
void write_downloads(const std::filesystem::path& to, const std::string& base, const nk::dataset_location& where) {
    std::ofstream out(to);
    out << "silent\nfail\nparallel\nparallel-max = 8\naws-sigv4 = \"aws:amz:us-east-1:s3\"\nuser = \""
        << variable("AWS_ACCESS_KEY_ID") << ':' << variable("AWS_SECRET_ACCESS_KEY")
        << "\"\nheader = \"x-amz-content-sha256: UNSIGNED-PAYLOAD\"\n";
    for (const auto& chunk : nk::inspect_chunked(where).chunks)
        out << "url = \"" << base << "/chunks/" << chunk.file << "\"\noutput = /dev/null\n";
}

void compare(const nk::s3_location& where, const std::string& base, std::size_t bytes,
             const std::filesystem::path& folder) {
    xt::xtensor<double, 2> array = xt::xtensor<double, 2>::from_shape({bytes / 4096, 512});
    for (std::size_t i = 0; i < array.size(); ++i)
        array.data()[i] = static_cast<double>(i);
    nk::save_chunked(where, array);
    const auto config = folder / "curl";
    write_downloads(config, base, where);
    const std::string curl = "curl --config '" + config.string() + '\'';
    nk::stateful_loop loop(folder / "state.npz", {.every = nk::at_end, .sync = false});
    timing::turns turns(bytes);
    turns.add("load_s3", [&] { timing::sink = nk::load_chunked<double, 2>(where)(1, 1); });
    turns.add("load_s3:curl", [&] { timing::require(std::system(curl.c_str()) == 0); });
    turns.add("loop_s3", [&] {
        const nk::chunk_reader<double, 2> readings(where);
        for (auto chunk : readings)
            timing::sink = chunk(0, 0);
    });
    turns.add("save_s3", [&] { nk::save_chunked(where / "copy", array); });
    const nk::chunk_reader_options cached{.cache = {.path = folder / "cache", .bytes = 2 * bytes}};
    turns.add("map_s3:cached", [&] { timing::sink = nk::map_chunked<double, 2>(where, cached)(1, 1); });
    turns.run(3);
}

/// Writes and reads more than fits into memory.
void pass(const nk::s3_location& where, std::size_t bytes) {
    constexpr std::size_t rows = 16 * mib / sizeof(double);
    const std::size_t chunks = bytes / (16 * mib);
    double expected = 0;
    const double written = seconds_of([&] {
        nk::chunk_writer<double, 1> sink(where, {.rows_per_chunk = rows});
        xt::xtensor<double, 1> numbers = xt::ones<double>({8 * rows});
        for (std::size_t i = 0; i < chunks; i += 8) {
            numbers(0) = static_cast<double>(i);
            expected += static_cast<double>(i) + static_cast<double>(numbers.size() - 1);
            sink.append(numbers);
            (void)sink.commit();
        }
    });
    double sum = 0;
    const double read = seconds_of([&] {
        const nk::chunk_reader<double, 1> readings(where);
        nk::stateful_loop loop(std::filesystem::temp_directory_path() / "ndkeep-benchmark-pass.npz",
                               {.every = nk::at_end, .sync = false});
        for (auto chunk : loop.over(readings))
            sum += nk::statistics_of(chunk).mean.value() * static_cast<double>(chunk.size());
    });
    std::printf("# %zu MiB written in %.1f s, read by a loop in %.1f s, peak of memory %zu MiB, sums differ by %.3g\n",
                bytes / mib, written, read, timing::memory("VmHWM"), (sum - expected) / expected);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("usage: s3 s3://BUCKET/PREFIX [bytes] [bytes of the long pass]\n", stderr);
        return 2;
    }
    const std::string url = argv[1];
    const auto name = "benchmark-" + std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
    const auto where = nk::s3(url) / name;
    const auto base = variable("AWS_ENDPOINT_URL") + '/' + url.substr(std::string("s3://").size()) + '/' + name;
    const auto folder = std::filesystem::temp_directory_path() / name;
    std::filesystem::create_directory(folder);
    if (argc > 3)
        pass(where / "long", std::stoull(argv[3]));
    compare(where / "array", base + "/array", argc > 2 ? std::stoull(argv[2]) : gib, folder);
    std::filesystem::remove_all(folder);
}
