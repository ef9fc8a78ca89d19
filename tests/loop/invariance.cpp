// SPDX-License-Identifier: BSD-3-Clause
// The result of a pass does not depend on how the input is cut, where the pass is interrupted, or how often it commits.
#include "chunks/dataset.hpp"
#include "loop/loop.hpp"

#include <random>

namespace loop_invariance_tests {

namespace nk = ndkeep;
using namespace looptest;

namespace {

using doubles = xt::xtensor<double, 1>;

struct extremes {
    double least = std::numeric_limits<double>::infinity();
    double most = -std::numeric_limits<double>::infinity();
    std::uint64_t count = 0;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(extremes, least, most, count)
    friend bool operator==(const extremes&, const extremes&) = default;
};

/// A study with every kind of state. Its results do not depend on how rows are cut.
class study {
  public:
    explicit study(nk::stateful_loop& loop)
        : ends_(loop.bind<extremes>("ends")), sum_(loop.bind<double>("sum")),
          histogram_(loop.bind<xt::xtensor<std::int64_t, 1>>("histogram", xt::zeros<std::int64_t>({16}))),
          window_(loop.bind<std::deque<double>>("window")), maxima_(loop.bind<std::vector<double>>("maxima")),
          held_(loop.buffer<double, 1>("held", {.limit_bytes = 400})) {}

    template <class Chunk>
    void add(const Chunk& chunk) {
        for (const double value : chunk) {
            ends_.least = std::min(ends_.least, value);
            ends_.most = std::max(ends_.most, value);
            ++ends_.count;
            sum_ += value;
            histogram_(static_cast<std::size_t>(std::clamp(value + 8, 0.0, 15.0))) += 1;
            window_.push_back(value);
            if (window_.size() > 5)
                window_.pop_front();
            maxima_.push_back(*std::max_element(window_.begin(), window_.end()));
        }
        if (const auto batch = held_.push(chunk))
            for (const double value : *batch)
                maxima_.push_back(value);  // positions depend on the cuts, so values are sorted before comparison
    }

    [[nodiscard]] auto results() const {
        auto sorted = maxima_;
        std::sort(sorted.begin(), sorted.end());
        return std::tuple(ends_, sum_, std::vector<std::int64_t>(histogram_.begin(), histogram_.end()), window_,
                          sorted);
    }

  private:
    extremes& ends_;
    double& sum_;
    xt::xtensor<std::int64_t, 1>& histogram_;
    std::deque<double>& window_;
    std::vector<double>& maxima_;
    nk::loop_buffer<double, 1>& held_;
};

using results = decltype(std::declval<study>().results());

/// One source of the rows, cut at random positions.
struct cut_source {
    temp_dir dir;
    doubles all;
    int kind = 0;
    std::vector<std::filesystem::path> files;
    std::vector<std::uint64_t> ends;  // end rows of the chunks

    cut_source(const doubles& rows, std::minstd_rand& random) : all(rows), kind(static_cast<int>(random() % 5)) {
        const std::uint64_t count = all.size();
        for (std::uint64_t row = 0; row < count;)
            ends.push_back(row = std::min<std::uint64_t>(count, row + 1 + random() % (1 + random() % 60)));
        std::vector<nk::npz_item> members;
        nk::chunk_writer<double, 1> writer(dir / "rows", {.commit = unsynced});
        std::uint64_t begin = 0;
        for (const std::uint64_t end : ends) {
            const doubles part = xt::view(all, xt::range(begin, end));
            if (kind == 0) {
                writer.append(part);
                writer.commit();
            } else if (kind == 1) {
                nk::save(files.emplace_back(dir / (std::to_string(begin) + ".npy")), part);
            } else if (kind == 2) {
                members.push_back({std::to_string(begin), doubles(part), {.compress = random() % 2 == 0}});
            }
            begin = end;
        }
        if (kind == 2)
            nk::save_npz(dir / "rows.npz", members);
    }

    /// Calls `use` with a pass over the source.
    template <class Use>
    void pass(nk::stateful_loop& loop, std::minstd_rand& random, Use&& use) {
        const std::uint64_t warm_up = random() % 3 == 0 ? random() % 50 : 0;
        if (kind == 0) {
            const nk::chunk_reader<double, 1> reader(dir / "rows");
            use(loop.over(reader, {.warm_up = warm_up}));
        } else if (kind == 1) {
            use(loop.over<double, 1>(files, {.warm_up = warm_up}));
        } else if (kind == 2) {
            const nk::npz_reader archive(dir / "rows.npz");
            use(loop.over<double, 1>(archive, {.warm_up = warm_up}));
        } else if (kind == 3) {
            use(loop.over(all, {.rows = 1 + random() % 70, .warm_up = warm_up}));
        } else {
            use(loop.over([&](std::uint64_t row) -> std::optional<doubles> {
                const auto end = std::upper_bound(ends.begin(), ends.end(), row);
                if (end == ends.end())
                    return std::nullopt;
                if (*end == all.size())
                    loop.finish();
                return doubles(xt::view(all, xt::range(row, *end)));
            }));
        }
    }
};

}  // namespace

TEST_CASE("any cut of the input, any interruption and any cadence give the same results", "[loop][slow]") {
    std::minstd_rand random(GENERATE(range(1U, 61U)));
    std::normal_distribution<double> normal(0, 3);
    doubles all(std::array<std::size_t, 1>{1 + random() % 800});
    for (double& value : all)
        value = normal(random);
    const temp_dir dir;
    const results expected = [&] {
        nk::stateful_loop loop(dir / "one.state", quick());
        study whole(loop);
        for (const auto& block : loop.over(all, {.rows = all.size()}))
            whole.add(block);
        return whole.results();
    }();

    cut_source source(all, random);
    INFO("source " << source.kind);
    const auto cadence_now = [&]() -> nk::cadence {
        switch (random() % 4) {
        case 0:
            return nk::at_end;
        case 1:
            return std::chrono::microseconds(random() % 300);
        default:
            return 1 + random() % 7;
        }
    };
    bool done = false;
    for (int runs = 0; !done; ++runs) {
        nk::stateful_loop loop(dir / "a.state", quick(runs > 30 ? nk::cadence(1) : cadence_now()));
        study parts(loop);
        // The interruption can also happen in one loop object with several passes, not only in several objects.
        for (int passes = static_cast<int>(random() % 3); passes >= 0 && !done; --passes) {
            const std::size_t bodies = runs > 30 ? 1000 : random() % 12;
            const int how = static_cast<int>(random() % 3);
            try {
                source.pass(loop, random, [&](auto&& pass) {
                    std::size_t body = 0;
                    for (const auto& chunk : pass) {
                        parts.add(chunk);
                        if (body++ != bodies)
                            continue;
                        if (how == 0)
                            break;
                        if (how == 1)
                            throw std::runtime_error("interrupted");
                        loop.stop();
                    }
                    done = loop.is_complete();
                });
            } catch (const std::runtime_error&) {
            }
        }
        if (done)
            CHECK((parts.results() == expected));
    }
}

}  // namespace loop_invariance_tests
