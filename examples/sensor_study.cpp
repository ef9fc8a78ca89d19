// SPDX-License-Identifier: BSD-3-Clause
// A study of sensor data in mapped files: only the parts in use are in memory.
//
// The data are the hourly climate normals of Seattle (data/README.md). Each hour of the day is treated as one sensor
// that is read once a day for a year. Summer is warmer at every hour, so anomalies and correlations are computed from
// the departures from the season.
#include <ndkeep/npy.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace fs = std::filesystem;
namespace nk = ndkeep;

struct summary {
    double mean, std, min, max, median;
};
NDKEEP_FIELDS(summary, mean, std, min, max, median);

namespace {

constexpr std::size_t sensors = 24, readings = 364;
constexpr std::array files = {"celsius.npy", "fahrenheit.npy", "departures.npy", "statistics.npy"};
constexpr double calibration = 1.02;  // assumes that the sensors read 2 % low

void heading(const char* text) {
    const std::string line(74, '=');
    std::printf("\n%s\n%s\n%s\n", line.c_str(), text, line.c_str());
}

/// Raw readings, one row per sensor: every 24th row of the normals, starting at the first midnight.
void collect(const fs::path& data, const fs::path& results) {
    const auto hourly = nk::map<float, 2>(data / "seattle_hourly.npy");
    const std::size_t first = sensors - 1;  // midnight of January 2: the file starts at 01:00
    auto celsius = nk::create<float>(results / "celsius.npy", {sensors, readings}, {.replace = true});
    for (std::size_t s = 0; s < sensors; ++s)
        xt::view(celsius, s) = xt::view(hourly, xt::range(first + s, hourly.shape(0), sensors), 0);
    celsius.flush();
}

/// Converts chunk by chunk, so that an array of any size needs little memory.
void convert(const fs::path& results) {
    const auto celsius = nk::map<float, 2>(results / "celsius.npy");
    auto fahrenheit = nk::create<float>(results / "fahrenheit.npy", {sensors, readings}, {.replace = true});
    constexpr std::size_t chunk = 100;
    for (std::size_t i = 0; i < readings; i += chunk) {
        auto some = xt::range(i, std::min(i + chunk, readings));
        xt::view(fahrenheit, xt::all(), some) = (xt::view(celsius, xt::all(), some) * 9 / 5 + 32) * calibration;
    }
    fahrenheit.flush();
}

double median(xt::xtensor<double, 1> values) {
    const auto middle = values.begin() + readings / 2;
    std::nth_element(values.begin(), middle, values.end());
    return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

void summarise(const fs::path& results) {
    const auto fahrenheit = nk::map<float, 2>(results / "fahrenheit.npy");
    auto statistics = nk::create<summary>(results / "statistics.npy", {sensors}, {.replace = true});
    heading("SENSOR STATISTICS (degrees Fahrenheit, calibrated)");
    std::printf("%-8s%10s%10s%10s%10s%10s\n", "Sensor", "Mean", "Std", "Min", "Max", "Median");
    for (std::size_t s = 0; s < sensors; ++s) {
        const xt::xtensor<double, 1> values = xt::view(fahrenheit, s);  // as double: the sum of floats is a float
        const summary& of = statistics(s) = {xt::mean(values)(), xt::stddev(values)(), xt::amin(values)(),
                                             xt::amax(values)(), median(values)};
        std::printf("%02zu:00   %10.2f%10.2f%10.2f%10.2f%10.2f\n", s, of.mean, of.std, of.min, of.max, of.median);
    }
    statistics.flush();
}

/// Each reading minus the mean of the 31 days around it. The year is treated as a circle: January follows December.
void depart(const fs::path& results) {
    const auto fahrenheit = nk::map<float, 2>(results / "fahrenheit.npy");
    auto departures = nk::create<double>(results / "departures.npy", {sensors, readings}, {.replace = true});
    for (std::size_t s = 0; s < sensors; ++s) {
        const xt::xtensor<double, 1> year = xt::view(fahrenheit, s);
        const xt::xtensor<double, 1> circle = xt::concatenate(
            xt::xtuple(xt::view(year, xt::range(readings - 15, readings)), year, xt::view(year, xt::range(0, 15))));
        xt::xtensor<double, 1> season = xt::zeros<double>({readings});
        for (std::size_t i = 0; i < 31; ++i)
            season += xt::view(circle, xt::range(i, i + readings)) / 31;
        xt::view(departures, s) = year - season;
    }
    departures.flush();
}

void find_anomalies(const fs::path& data, const fs::path& results) {
    using hour = std::chrono::sys_time<std::chrono::hours>;
    const auto times = nk::map<hour, 1>(data / "seattle_hourly_time.npy");
    const auto fahrenheit = nk::map<float, 2>(results / "fahrenheit.npy");
    const auto statistics = nk::map<summary, 1>(results / "statistics.npy");
    const auto departures = nk::map<double, 2>(results / "departures.npy");
    heading("ANOMALIES (beyond 3 standard deviations)");
    const auto date = [&](std::size_t day) {
        const std::chrono::year_month_day on(std::chrono::floor<std::chrono::days>(times(sensors - 1 + day * sensors)));
        return std::to_string(unsigned(on.month())) + '/' + std::to_string(unsigned(on.day()));
    };
    std::size_t from_mean = 0, from_season = 0;
    for (std::size_t s = 0; s < sensors; ++s) {
        const auto off_mean = xt::abs(xt::view(fahrenheit, s) - statistics(s).mean) > 3 * statistics(s).std;
        from_mean += xt::count_nonzero(off_mean)();

        const auto values = xt::view(departures, s);
        const double limit = 3 * xt::stddev(values)();
        std::vector<std::size_t> odd;
        for (std::size_t day = 0; day < readings; ++day)
            if (std::abs(values(day)) > limit)
                odd.push_back(day);
        from_season += odd.size();
        if (!odd.empty())
            std::printf("%02zu:00   %zu (%.2f%%), %s to %s\n", s, odd.size(), 100.0 * double(odd.size()) / readings,
                        date(odd.front()).c_str(), date(odd.back()).c_str());
    }
    std::printf("\nFrom the mean of the year: %zu. From the season: %zu (%.3f%% of all readings)\n", from_mean,
                from_season, 100.0 * double(from_season) / (sensors * readings));
}

void correlate(const fs::path& results) {
    const auto departures = nk::map<double, 2>(results / "departures.npy");
    const auto standard = [&](std::size_t s) {
        const auto values = xt::view(departures, s);
        return xt::xtensor<double, 1>((values - xt::mean(values)()) / xt::stddev(values)());
    };
    heading("CORRELATION BETWEEN SENSORS (departures from the season)");
    std::printf("%8s", "");
    for (std::size_t j = 0; j < sensors; j += 4)
        std::printf("   %02zu:00", j);
    for (std::size_t i = 0; i < sensors; i += 4) {
        std::printf("\n%02zu:00   ", i);
        for (std::size_t j = 0; j < sensors; j += 4)
            std::printf("%8.3f", xt::mean(standard(i) * standard(j))());
    }
    std::printf("\n");
}

/// Writes the metadata that a reader needs to NAME.npy.json, which Python reads with json.load.
void describe(const fs::path& results) {
    const nk::json source = "NOAA, 1981-2010 U.S. Climate Normals, Seattle";
    for (const auto* const name : files)
        nk::describe(results / name, {.meta = {{"units", "degrees Fahrenheit"}, {"source", source}},
                                      .sum = nk::checksum::crc32 | nk::checksum::md5,
                                      .statistics = true});
    nk::describe(results / "celsius.npy", {.meta = {{"units", "degrees Celsius"}, {"source", source}}});

    auto meta = nk::metadata(results / "fahrenheit.npy");
    meta["calibration"] = calibration;
    meta["axes"] = {"hour of the day", "day, from January 2"};
    nk::describe(results / "fahrenheit.npy", {.meta = meta});
}

/// Verifies and reads the files as a program on another day would.
void use_again(const fs::path& results) {
    heading("FILES");
    std::uintmax_t total = 0;
    for (const auto* const name : files) {
        nk::verify(results / name);
        const auto info = nk::inspect(results / name);
        const auto size = fs::file_size(results / name);
        total += size;
        std::printf("%-16s%10ju bytes  %-10s verified\n", name, size, nk::shape_text(info.shape).c_str());
    }
    std::printf("%-16s%10ju bytes in %s\n", "total", total, fs::canonical(results).c_str());

    const auto fahrenheit = nk::map<float, 2>(results / "fahrenheit.npy");
    const auto meta = nk::metadata(results / "fahrenheit.npy");
    const auto warmest = std::max_element(fahrenheit.begin(), fahrenheit.end());
    const auto at = std::size_t(warmest - fahrenheit.begin());
    std::printf("\nMapped again, read-only: the warmest reading is %.2f %s, at %02zu:00.\n", double(*warmest),
                meta["units"].get<std::string>().c_str(), at / readings);
}

}  // namespace

/// sensor_study [DATA] [RESULTS]
int main(int argc, char** argv) {
    const fs::path data = argc > 1 ? argv[1] : "examples/data";
    const fs::path results = argc > 2 ? argv[2] : ".";
    try {
        fs::create_directories(results);
        collect(data, results);
        convert(results);
        summarise(results);
        depart(results);
        find_anomalies(data, results);
        correlate(results);
        describe(results);
        use_again(results);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        return 1;
    }
}
