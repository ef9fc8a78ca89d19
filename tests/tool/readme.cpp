// SPDX-License-Identifier: BSD-3-Clause
// The transcript in examples/tool/README.md is what the tool prints.
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "tool/transcript.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/pickle.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace tool_readme_tests {

namespace fs = std::filesystem;

struct closing {
    std::chrono::sys_days day;
    double price;
};
NDKEEP_FIELDS(closing, day, price);

namespace {

/// The collection that the README lists: one price a day, from 2 January on.
void make_prices(const fs::path& prices, int year, std::size_t days) {
    auto rows = xt::xtensor<closing, 1>::from_shape({days});
    for (std::size_t i = 0; i < days; ++i)
        rows(i) = {std::chrono::sys_days(std::chrono::year(year) / 1 / 2) + std::chrono::days(i),
                   200 + static_cast<double>(i) / 4};
    const auto folder = prices / "xnas/AAPL" / std::to_string(year);
    fs::create_directories(folder.parent_path());
    ndkeep::save_chunked(folder, rows, {.order_by = "day"});
}

}  // namespace

TEST_CASE("the README's transcript is what the tool prints", "[tool]") {
    const fs::path source = NDKEEP_SOURCE_DIR;
    const temp_dir dir;
    for (const auto& entry : fs::directory_iterator(source / "examples" / "data"))
        fs::copy_file(entry.path(), dir / entry.path().filename());
    make_prices(dir / "prices", 2025, 364);
    make_prices(dir / "prices", 2026, 120);
    write_text(dir / "prices/notes.txt", "closing prices");
    ndkeep::save_pickle(dir / "trial.pkl", {{"site", "Aarhus"},
                                            {"runs",
                                             {{{"name", "first"}, {"depths", xt::xtensor<double, 1>{1.5, 2, 3}}},
                                              {{"name", "second"}, {"depths", xt::xtensor<double, 1>{4.5, 5, 6}}}}},
                                            {"counts", xt::xtensor<std::int64_t, 2>{{1, 2, 3}, {4, 5, 6}}}});
    std::ifstream readme(source / "examples" / "tool" / "README.md");
    std::stringstream session;
    bool in_transcript = false;
    for (std::string line; std::getline(readme, line);) {
        if (line == "```console" || (in_transcript && line == "```"))
            in_transcript = line == "```console";
        else if (in_transcript)
            session << line << '\n';
    }
    const in_directory here(dir.path());

    const auto commands = replayed(session);

    CHECK(commands.size() >= 5);
    for (const auto& each : commands) {
        INFO(each.line);
        CHECK(each.printed == each.expected);
    }
}

}  // namespace tool_readme_tests
