// SPDX-License-Identifier: BSD-3-Clause
// append and recover with a kill or failure at each of their file calls.
#include "npy/faults.hpp"

namespace fault_scenarios::append_tests {

TEST_CASE("a kill at any call of append leaves the old array or the longer one", "[npy][fault]") {
    for (const auto& scene : appends())
        check_kills(scene);
}

TEST_CASE("a kill at any call of an append that rewrites leaves the old array or the longer one", "[npy][fault]") {
    for (const auto& scene : appends_that_rewrite())
        check_kills(scene);
}

TEST_CASE("a kill at any call of recover leaves the file as it was or mended, with its metadata", "[npy][fault]") {
    for (const auto& scene : recovers())
        check_kills(scene);
}

TEST_CASE("an append that throws has added nothing", "[npy][fault][error]") {
    for (const auto& scene : appends())
        check_failures(scene);
    for (const auto& scene : appends_that_rewrite())
        check_failures(scene);
}

TEST_CASE("an append whose header cannot be put back leaves an array, and says so", "[npy][fault][error]") {
    auto scenes = appends();
    for (auto& scene : recovers())
        scenes.push_back(std::move(scene));
    for (const auto& scene : scenes) {
        const play all = played(scene);
        for (const std::size_t times : {1U, 2U, 3U, 4U, 1000U})
            for (std::size_t at = 0; at < all.calls.size(); ++at) {
                const auto& call = all.calls[at];
                CAPTURE(scene.name, at, times, call.name, call.path, call.offset);
                const temp_dir dir;
                const auto file = dir / "t.npy";
                scene.before(file);

                const auto problem = caught<io_error>([&] {
                    const faults::session armed({.what = faults::effect::fail, .at = at, .code = EIO, .times = times});
                    scene.act(file);
                });

                check_state(scene, all, file);
                const bool is_unknown =
                    problem && std::string_view(problem->what()).find("unknown") != std::string::npos;
                const bool told_late = at > all.commit && (call.name == "fsync" || call.name == "unlink");
                if (problem && !is_unknown && !told_late)
                    CHECK(found_in(file) == all.old);
                if (!problem)
                    CHECK(found_in(file) == all.made);
                check_next(scene, all, dir, file);
            }
    }
}

TEST_CASE("a header that is written in part is put back", "[npy][fault][error]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, some_rows(7, 0));
    const auto former = read_text(file);
    const auto number_of_header = [&] {
        const temp_dir other;
        save(other / "t.npy", some_rows(7, 0));
        const auto calls = faults::calls_of([&] { append(other / "t.npy", some_rows(3, 9)); });
        std::size_t number = 0;
        while (calls[number].name != "pwrite" || calls[number].offset >= 128)
            ++number;
        return number;
    }();

    const auto problem = caught<io_error>([&] {
        const faults::session armed({.what = faults::effect::halve_then_fail, .at = number_of_header, .code = EIO});
        append(file, some_rows(3, 9));
    });

    REQUIRE(problem);
    CHECK(found_in(file).shape == std::vector<std::size_t>{7, 50});
    CHECK((read_text(file) == former));
}

TEST_CASE("append puts rows on the disk before the header counts them", "[npy][fault]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, some_rows(8, 0));

    const auto calls = faults::calls_of([&] { append(file, some_rows(3, 9)); });

    CHECK(call_list(dir, calls) == std::vector<std::string>{"create .t.npy.ndk", "pwrite t.npy", "fsync t.npy",
                                                            "pwrite t.npy", "fsync t.npy", "unlink .t.npy.ndk"});
    CHECK(calls[1].offset == 128 + 8 * 400);
    CHECK(calls[3].offset < 128);
}

TEST_CASE("a growing digit is one small write within a sector", "[npy][fault]") {
    for (const std::size_t rows : {9U, 99U, 9'999U, 99'999U}) {
        CAPTURE(rows);
        const temp_dir dir;
        const auto file = dir / "t.npy";
        const auto before = xt::xtensor<std::uint8_t, 1>(xt::ones<std::uint8_t>({rows}));
        save(file, before);

        const auto calls = faults::calls_of([&] { append(file, xt::xtensor<std::uint8_t, 1>{7}); });

        std::vector<faults::call> header;
        for (const auto& call : calls)
            if (call.name == "pwrite" && call.offset < 128)
                header.push_back(call);
        REQUIRE(header.size() == 1);
        CHECK(header[0].length <= 12);
        CHECK(load<std::uint8_t, 1>(file).size() == rows + 1);
        CHECK(load<std::uint8_t, 1>(file)(rows) == 7);
    }
}

}  // namespace fault_scenarios::append_tests
