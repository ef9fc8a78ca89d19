// SPDX-License-Identifier: BSD-3-Clause
// save and describe with a kill or failure at each of their file calls.
#include "npy/faults.hpp"

namespace fault_scenarios::save_tests {

TEST_CASE("a kill at any call of save over a file leaves the old array or the new one", "[npy][fault]") {
    for (const auto& scene : saves_over())
        check_kills(scene);
}

TEST_CASE("a kill at any call of save with a sidecar leaves the metadata that belongs to the array", "[npy][fault]") {
    for (const auto& scene : saves_with_sidecar())
        check_kills(scene);
}

TEST_CASE("a kill at any call of a first save leaves no file or a whole one", "[npy][fault]") {
    for (const auto& scene : saves_new())
        check_kills(scene);
}

TEST_CASE("a kill at any call of describe leaves the old sidecar or the new one", "[npy][fault]") {
    for (const auto& scene : describes())
        check_kills(scene);
}

TEST_CASE("a call that fails makes save throw and leaves the old array", "[npy][fault][error]") {
    for (const auto& scene : saves_over())
        check_failures(scene);
    for (const auto& scene : saves_new())
        check_failures(scene);
}

TEST_CASE("a call that fails makes save with a sidecar throw and leaves array and metadata", "[npy][fault][error]") {
    for (const auto& scene : saves_with_sidecar())
        check_failures(scene);
}

TEST_CASE("an error that only close reports makes save throw and leaves the old array", "[npy][fault][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, some_rows(8, 0));
    const auto former = read_text(file);
    const auto act = saved(8, 100);

    const auto problem = caught<io_error>([&] {
        const faults::session armed({.what = faults::effect::fail, .code = EDQUOT, .counted = faults::kind::closes});
        act(file);
    });

    REQUIRE(problem);
    CHECK(problem->code().value() == EDQUOT);
    CHECK(problem->file() == file);
    CHECK((read_text(file) == former));
    CHECK(dir.files() == 1);
}

TEST_CASE("without locks save works and leaves nothing", "[npy][fault]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    for (int times = 0; times < 2; ++times) {
        const faults::session armed({.what = faults::effect::fail, .code = ENOLCK, .counted = faults::kind::reads});
        save(file, some_rows(8, times));
    }

    CHECK((load<double, 2>(file) == some_rows(8, 1)));
    CHECK(dir.files() == 1);
}

TEST_CASE("save syncs data, sidecar and directory in the order that a power cut demands", "[npy][fault]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";

    const auto calls = faults::calls_of([&] { save(file, some_rows(8, 0), {.meta = old_meta, .sync = true}); });

    CHECK(call_list(dir, calls) == std::vector<std::string>{"create .t.npy.ndk", "pwrite .t.npy.ndk",
                                                            "fsync .t.npy.ndk", "create .t.npy.json.ndk",
                                                            "pwrite .t.npy.json.ndk", "fsync .t.npy.json.ndk",
                                                            "rename t.npy.json", "fsync .", "rename t.npy", "fsync ."});
}

}  // namespace fault_scenarios::save_tests
