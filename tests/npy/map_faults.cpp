// SPDX-License-Identifier: BSD-3-Clause
// create, map, flush and inspect with a kill or failure at each of their file calls.
#include "npy/faults.hpp"

#include <algorithm>
#include <fstream>

namespace fault_scenarios::map_tests {

TEST_CASE("a kill at any call of create leaves no file, the old one or zeros", "[npy][fault]") {
    for (const auto& scene : creates())
        check_kills(scene);
}

TEST_CASE("a kill while map read_write takes claims out of the sidecar keeps the metadata", "[npy][fault]") {
    const auto make = saved(8, 0, {.meta = old_meta, .sum = checksum::crc32, .statistics = true});
    const step open = [](const fs::path& file) { (void)map<double>(file, read_write); };
    const temp_dir first;
    make(first / "t.npy");
    const auto calls = faults::calls_of([&] { open(first / "t.npy"); });
    REQUIRE(calls.size() > 2);
    for (std::size_t at = 0; at < calls.size(); ++at) {
        CAPTURE(at, calls[at].name);
        const temp_dir dir;
        make(dir / "t.npy");

        REQUIRE(faults::killed({.what = faults::effect::kill, .at = at}, [&] { open(dir / "t.npy"); }));

        CHECK(metadata(dir / "t.npy") == old_meta);
        CHECK(findings(dir / "t.npy").empty());
    }
}

TEST_CASE("a file that cannot be mapped has not replaced another", "[npy][fault][error]") {
    const std::vector<std::pair<std::string, step>> acts = {
        {"create", [](const fs::path& file) { (void)create<double>(file, {600}, {.replace = true}); }},
        {"create_raw", [](const fs::path& file) { (void)create_raw<double>(file, {600}, {.replace = true}); }},
        {"create new", [](const fs::path& file) { (void)create<double>(file.parent_path() / "new.npy", {600}); }},
    };
    for (const auto& [name, act] : acts) {
        CAPTURE(name);
        const temp_dir dir;
        const auto file = dir / "t.npy";
        save(file, some_rows(8, 0), {.meta = old_meta});
        const auto former = read_text(file);
        const temp_dir other;
        save(other / "t.npy", some_rows(8, 0), {.meta = old_meta});
        const auto calls = faults::calls_of([&act = act, &other] { act(other / "t.npy"); }, faults::kind::reads);
        const auto at = number_of(calls, "mmap", "");
        REQUIRE(at < calls.size());

        const auto problem = caught<io_error>([&act = act, &file, at] {
            const faults::session armed(
                {.what = faults::effect::fail, .at = at, .code = ENOMEM, .counted = faults::kind::reads});
            act(file);
        });

        REQUIRE(problem);
        CHECK(problem->code().value() == ENOMEM);
        CHECK(problem->file().extension() == ".npy");
        CHECK((read_text(file) == former));
        CHECK(metadata(file) == old_meta);
        CHECK(findings(file).empty());
        CHECK(dir.files() == 2);
    }
}

TEST_CASE("a header that is read torn is read again", "[npy][fault]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    save(file, xt::xtensor<std::uint8_t, 1>(xt::ones<std::uint8_t>({10'000})));
    const auto text = read_text(file);
    const auto put_shape = [&](std::string_view shape) {
        std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
        out.seekp(static_cast<std::streamoff>(text.find("(10000,)")));
        out << shape;
    };
    put_shape("(1009,) ");  // a mixture of (9999,) and (10000,), which parses

    const faults::session armed({.what = faults::effect::meanwhile,
                                 .at = 2,  // open, pread, then the second pread
                                 .counted = faults::kind::reads,
                                 .meanwhile = [&] { put_shape("(10000,)"); }});
    const auto info = inspect(file);

    CHECK(info.shape == std::vector<std::size_t>{10'000});
    CHECK((read_text(file) == text));
}

TEST_CASE("a flush that fails is an error that names the file", "[npy][fault][error]") {
    const temp_dir dir;
    auto live = create<double>(dir / "t.npy", {8});

    const auto problem = caught<io_error>([&] {
        const faults::session armed({.what = faults::effect::fail, .code = EIO});
        live.flush();
    });

    REQUIRE(problem);
    CHECK(problem->file() == dir / "t.npy");
}

TEST_CASE("where renameat2 is missing create links, and still refuses a name that is taken", "[npy][fault]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    const auto calls = faults::calls_of([&] { (void)create<double>(dir / "other.npy", {4}); });
    const auto at = static_cast<std::size_t>(
        std::find_if(calls.begin(), calls.end(), [](const auto& call) { return call.name == "renameat2"; }) -
        calls.begin());
    REQUIRE(at < calls.size());

    const faults::session armed({.what = faults::effect::fail, .at = at, .code = EINVAL});
    (void)create<double>(file, {4});

    CHECK((load<double>(file) == xt::zeros<double>({4})));
    CHECK(dir.files() == 2);
}

TEST_CASE("create is durable when it returns, since stores are flushed under its name", "[npy][fault]") {
    const temp_dir dir;

    const auto calls = faults::calls_of([&] { (void)create<double>(dir / "t.npy", {8}); });

    CHECK(call_list(dir, calls) == std::vector<std::string>{"create .t.npy.ndk", "pwrite .t.npy.ndk",
                                                            "ftruncate .t.npy.ndk", "fsync .t.npy.ndk",
                                                            "renameat2 t.npy", "fsync ."});
}

}  // namespace fault_scenarios::map_tests
