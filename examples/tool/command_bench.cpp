// SPDX-License-Identifier: BSD-3-Clause
// bench: measures how fast this disk writes and reads an array.
#include "array_file.hpp"
#include "array_word.hpp"
#include "bucket.hpp"
#include "commands.hpp"
#include "output.hpp"

#include <ndkeep/npy/load.hpp>
#include <ndkeep/npy/save.hpp>
#include <ndkeep/os/names.hpp>
#include <ndkeep/text/hex.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

/// A temporary file that is removed on every exit except a kill.
class temporary_file {
  public:
    explicit temporary_file(const fs::path& beside)
        : path_(beside.parent_path() / (".ndkeep-bench-" + nk::core::hexadecimal(nk::core::random_bits()) + ".npy")) {}
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    ~temporary_file() {
        std::error_code ignored;
        fs::remove(path_, ignored);
    }
    [[nodiscard]] const fs::path& path() const noexcept { return path_; }

  private:
    fs::path path_;
};

struct timing {
    std::string name = {};
    std::string remark = {};
    double seconds = 0;
};

class benchmark {
  public:
    explicit benchmark(const context& with) : with_(with), rounds_(with.given.number("--rounds", 3U, 1U)) {
        run_.threads = with.run.threads;
        run_.stop = with.run.stop;  // no progress bar: its time would be measured too
    }

    [[nodiscard]] outcome run() {
        const auto word = word_of(with_.given.words()[0], with_.given);
        const auto& path = word.file;
        if (is_in_bucket(path))
            throw needs_file(path, "bench measures a disk");
        const array_file file(path, run_);
        const auto source = file.open(file.chosen(word.member));
        // Loads the array first, so that reading it is not part of the measured write time.
        const nk::any_array array(source.view);
        const temporary_file there(nk::core::resolved(path.has_filename() ? path : path.parent_path()));
        const auto& to = there.path();
        const auto info = nk::array_info{.type = array.type(), .shape = array.shape()};
        time("save", "into the page cache", [&] { nk::save(to, array, {.run = run_}); });
        time("save_sync", "until it is on disk", [&] { nk::save(to, array, {.sync = true, .run = run_}); });
        time("load", "into memory", [&] { (void)nk::load_any(to, {.run = run_}); });
        time("map", "and read one byte of every page", [&] { touch(to, info); });
        for (const auto kind : nk::checksum_kinds)
            time(std::string(nk::checksum_name(kind)), "of the data", [&] { sum(to, kind); });
        tell(word, info);
        return outcome::fine;
    }

  private:
    template <class Work>
    void time(std::string name, std::string remark, Work&& work) {
        std::vector<double> seconds;
        for (unsigned i = 0; i < rounds_; ++i) {
            check_interrupted(name);
            const auto begin = std::chrono::steady_clock::now();
            work();
            seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
        }
        std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2),
                         seconds.end());
        timings_.push_back({std::move(name), std::move(remark), seconds[seconds.size() / 2]});
    }

    void touch(const fs::path& path, const nk::array_info& info) {
        const auto array = nk::core::open_array(path, any_header);
        const auto bytes =
            nk::mapping::open(array.source, array.info.data_offset, info.nbytes(), nk::map_mode::read_only);
        for (std::size_t at = 0; at < bytes.size(); at += nk::mapping::page_size())
            seen_ += static_cast<std::uint64_t>(bytes.data()[at]);
    }

    void sum(const fs::path& path, nk::checksum kind) {
        const auto array = nk::core::open_array(path, any_header);
        nk::core::digest computed(array.info.type, kind, false);
        nk::core::digest_data(array, computed, "checksum", run_);
    }

    void tell(const array_word& word, const nk::array_info& info) const {
        const auto nbytes = static_cast<double>(info.nbytes());
        const auto rate = [&](const timing& each) {
            constexpr double mega = 1e6;
            return each.seconds > 0 ? nbytes / each.seconds / mega : 0;
        };
        if (with_.given.has("--json")) {
            json_object out;
            out.add_text("file", word.file.string());
            if (word.member)
                out.add_text("member", *word.member);
            out.add_text("dtype", dtype_text(info.type));
            out.add_json("shape", json_shape(info.shape));
            out.add("nbytes", info.nbytes());
            out.add("rounds", rounds_);
            for (const auto& each : timings_) {
                json_object one;
                one.add("seconds", each.seconds);
                one.add("megabytes_per_second", rate(each));
                out.add(each.name, one);
            }
            with_.out << out.str() << '\n';
            return;
        }
        with_.out << shown(with_.given.words()[0]) << ": " << dtype_label(info.type) << ' '
                  << nk::shape_text(info.shape) << ", " << full_bytes(info.nbytes()) << '\n';
        using enum table::side;
        table rows({{"", left}, {"seconds", right}, {"MB/s", right}, {"", left}});
        for (const auto& each : timings_)
            rows.add({each.name, brief(each.seconds, 3), brief(rate(each), 4), each.remark});
        with_.out << rows.text(with_.screen, "  ");
    }

    const context& with_;
    unsigned rounds_;
    nk::run_options run_;
    std::vector<timing> timings_;
    std::uint64_t seen_ = 0;
};

[[nodiscard]] outcome bench(const context& with) { return benchmark(with).run(); }

}  // namespace

command bench_command() {
    return {
        .name = "bench",
        .summary = "Measure how fast an array is saved, loaded, mapped and checksummed on this disk",
        .usage = "[OPTION]... FILE[:MEMBER]",
        .details =
            "Writes the array to a temporary npy file in the folder of FILE, and prints the median of several rounds.\n"
            "Data that was just written is read from the page cache. The array must fit in memory. MB/s: millions\n"
            "of bytes per second.",
        .options = {{"--rounds", "N", "measurements of each operation (default: 3)"}, member_option, json_option},
        .example = "ndkeep bench examples/data/seattle_hourly.npy",
        .least_words = 1,
        .most_words = 1,
        .run = bench};
}

}  // namespace tool
