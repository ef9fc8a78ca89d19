// SPDX-License-Identifier: BSD-3-Clause
// Description and verification of databases with unusual files.
#include "support/catch.hpp"
#include "support/faults.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/database.hpp>
#include <ndkeep/npy.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace database_findings_tests {

using namespace ndkeep;

TEST_CASE("a file that is no array does not hide the others from inspect_database", "[database]") {
    const temp_dir dir;
    database lab(dir / "lab");
    (void)lab.create<double>("A", {2, 3});
    lab.commit();
    lab.close();
    write_text(dir / "lab/notes.npy", "no array");

    const auto info = inspect_database(dir / "lab");

    REQUIRE(info.arrays.size() == 1);
    CHECK(info.arrays[0].first == "A");
    CHECK(info.arrays[0].second.shape == std::vector<std::size_t>{2, 3});
    CHECK(findings_database(dir / "lab").size() == 1);
}

TEST_CASE("arrays that a writer removes meanwhile are no findings", "[database]") {
    const temp_dir dir;
    database lab(dir / "lab", {.durability = database_durability::none});
    lab.commit();
    std::atomic<bool> stop = false;
    std::thread writer([&] {
        while (!stop)
            for (int i = 0; i < 5; ++i) {
                const auto name = "T" + std::to_string(i);
                if (lab.contains(name))
                    lab.remove(name);
                else
                    lab.metadata(lab.create<double>(name, {3}).name())["i"] = i;
                lab.commit();
                // Otherwise the log becomes long, because it is kept while the files are checked.
                std::this_thread::sleep_for(std::chrono::microseconds(100));
            }
    });

    std::vector<std::string> found;
    for (int i = 0; i < 100; ++i)
        for (const auto& each : findings_database(dir / "lab"))
            found.push_back(each.message);
    stop = true;
    writer.join();

    CHECK(found == std::vector<std::string>());
}

TEST_CASE("commits that are made while the log is read are no findings", "[database][fault]") {
    const auto opened = [](const faults::session& of, std::string_view name) {
        return std::any_of(of.calls().begin(), of.calls().end(),
                           [&](const faults::call& each) { return each.path.find(name) != std::string::npos; });
    };
    std::vector<std::string> found;
    std::size_t tried = 0;
    for (std::size_t at = 0; at < 50; ++at) {
        const temp_dir dir;
        const auto path = dir / "lab";
        database lab(path, {.durability = database_durability::none});
        auto a = lab.create<double>("A", {3});
        lab.commit();
        const database_snapshot held(path);  // keeps the commits after it in the log
        const auto commit = [&] {
            a(0) += 1;
            lab.commit();
        };
        commit();
        faults::session reading(
            {.what = faults::effect::meanwhile, .at = at, .counted = faults::kind::reads, .meanwhile = [&] {
                 if (!opened(reading, "log-") || opened(reading, "A.npy"))
                     return;
                 ++tried;
                 commit();
                 commit();
             }});
        for (const auto& each : findings_database(path))
            found.push_back(each.message);
    }

    CHECK(found == std::vector<std::string>());
    CHECK(tried > 5);
}

TEST_CASE("rows that a commit has cut off are no finding", "[database]") {
    const temp_dir dir;
    database lab(dir / "lab");
    auto a = lab.create<std::int64_t>("A", {1000});
    lab.commit();
    a.resize({3});
    lab.commit();

    CHECK(findings_database(dir / "lab").empty());
    lab.close();
    CHECK(findings_database(dir / "lab").empty());
}

TEST_CASE("a second array behind the data is a finding", "[database][error]") {
    const temp_dir dir;
    save(dir / "one.npy", xt::xtensor<double, 1>{1, 2});
    const auto one = read_text(dir / "one.npy");
    database(dir / "lab").close();
    write_text(dir / "lab/A.npy", one + one);

    const auto found = findings_database(dir / "lab");

    REQUIRE(found.size() == 1);
    CHECK(found[0].found == "followed by another array");
}

}  // namespace database_findings_tests
