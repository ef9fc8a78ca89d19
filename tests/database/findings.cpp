// SPDX-License-Identifier: BSD-3-Clause
// Description and verification of databases with unusual files.
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/database.hpp>
#include <ndkeep/npy.hpp>

#include <atomic>
#include <chrono>
#include <string>
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
