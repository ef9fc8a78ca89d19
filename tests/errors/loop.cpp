// SPDX-License-Identifier: BSD-3-Clause
// The sentences of errors about loops and their checkpoints.
#include "errors/sentences.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/loop.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sentences_tests::loops {

namespace {

using vector = xt::xtensor<double, 1>;

const vector three = {1, 2, 3};
const nk::loop_options quick{.sync = false, .report = [](const nk::finding&) {}};

/// Passes over a source, and leaves after `bodies` complete bodies.
void run(const std::filesystem::path& file, auto&& source, const nk::over_options& options = {}, int bodies = 1) {
    nk::stateful_loop loop(file, quick);
    for ([[maybe_unused]] auto&& chunk : loop.over(source, options))
        if (bodies-- == 0)
            break;
}

}  // namespace

TEST_CASE("errors of sources of loops are sentences", "[errors]") {
    sentences says("loop_source");
    const auto state = says / "t.state";
    const auto d = says / "d";
    nk::save_chunked(d, three, {.rows_per_chunk = 1});
    const auto again = [&] { std::filesystem::remove(state); };
    std::vector<vector> list = {three, three};
    auto by_row = [](std::uint64_t row) { return row < 9 ? std::optional(three) : std::nullopt; };
    auto next = [n = 0]() mutable { return n++ < 3 ? std::optional(three) : std::nullopt; };

    says("warm-up of a range", [&] { run(state, list, {.warm_up = 2}); });
    says("first row of a range", [&] { run(state, list, {.first_row = 2}); });
    says("verify a range", [&] { run(state, list, {.verify = true}); });
    says("warm-up of a function without rows", [&] { run(state, next, {.warm_up = 2}); });
    says("first row of a function without rows", [&] { run(state, next, {.first_row = 2}); });
    says("verify a function", [&] { run(state, by_row, {.verify = true}); });
    says("first row beyond the end", [&] { run(state, nk::chunk_reader<double, 1>(d), {.first_row = 7}); });
    says("blocks of a scalar", [&] {
        const xt::xarray<double> scalar = 1.5;
        nk::stateful_loop loop(state, quick);
        for ([[maybe_unused]] auto&& block : loop.over(scalar)) {
        }
    });
    again();
    says("resume with another kind of source", [&] {
        const nk::chunk_reader<double, 1> reader(d);
        run(state, reader);
        run(state, by_row);
    });
    says("resume with another dataset", [&] {
        nk::save_chunked(says / "e", three);
        run(state, nk::chunk_reader<double, 1>(says / "e"));
    });
    says("resume with rewritten rows", [&] {
        nk::chunk_writer<double, 1>(d).discard();
        nk::chunk_writer<double, 1> writer(d);
        writer.write(0, vector{9});
        writer.commit();
        run(state, nk::chunk_reader<double, 1>(d));
    });
    says("resume at an older commit", [&] {
        again();
        run(state, nk::chunk_reader<double, 1>(d));
        run(state, nk::chunk_reader<double, 1>(d, {.at_commit = 1}));
    });
    says("resume with too few rows", [&] {
        again();
        nk::chunk_writer<double, 1> writer(d);
        run(state, nk::chunk_reader<double, 1>(d), {}, 2);
        writer.resize(1);
        writer.commit();
        run(state, nk::chunk_reader<double, 1>(d));
    });
    again();
    nk::save(says / "1.npy", three);
    nk::save(says / "2.npy", three);
    const auto over_files = [&](const std::vector<std::filesystem::path>& files) {
        nk::stateful_loop loop(state, quick);
        int bodies = 2;
        for ([[maybe_unused]] auto&& chunk : loop.over<double, 1>(files))
            if (--bodies == 0)
                break;
    };
    says("resume with other files", [&] {
        nk::save(says / "3.npy", three);
        nk::stateful_loop(state, quick);
        over_files({says / "1.npy", says / "2.npy"});
        over_files({says / "3.npy", says / "2.npy"});
    });
    says("resume with fewer files", [&] { over_files({}); });
    says("files of another dtype", [&] {
        again();
        nk::save(says / "f.npy", std::vector<float>{1});
        over_files({says / "f.npy"});
    });
    says("a file with a scalar", [&] {
        nk::save(says / "s.npy", 1.5);
        nk::stateful_loop loop(state, quick);
        for ([[maybe_unused]] auto&& chunk : loop.over<double>(std::vector{says / "s.npy"})) {
        }
    });
    again();
    says("resume with another array", [&] {
        nk::stateful_loop loop(state, quick);
        const vector a = three;
        for ([[maybe_unused]] auto&& block : loop.over(a, {.rows = 1}))
            if (loop.index() == 1)
                break;
        const xt::xtensor<float, 1> b = {1, 2, 3};
        for ([[maybe_unused]] auto&& block : loop.over(b, {.rows = 1})) {
        }
    });
    says("resume with a shorter array", [&] {
        nk::stateful_loop loop(state, quick);
        const vector a = vector(xt::view(three, xt::range(0, 0)));
        for ([[maybe_unused]] auto&& block : loop.over(a, {.rows = 1})) {
        }
    });
    again();
    says("resume with another member", [&] {
        nk::save_npz(says / "1.npz", {{"a", three}, {"b", three}});
        nk::save_npz(says / "2.npz", {{"x", three}, {"b", three}});
        for (const std::string name : {"1.npz", "2.npz"}) {
            const nk::npz_reader archive(says / name);
            nk::stateful_loop loop(state, quick);
            for ([[maybe_unused]] auto&& chunk : loop.over<double, 1>(archive))
                if (loop.index() == 1)
                    break;
        }
    });
    says("every 0 chunks", [&] { (void)nk::cadence(0); });
    says("every -1 seconds", [&] { (void)nk::cadence(std::chrono::seconds(-1)); });
    says.check();
}

TEST_CASE("errors of states and checkpoints are sentences", "[errors]") {
    sentences says("loop_state");
    const auto state = says / "t.state";
    const auto again = [&] { std::filesystem::remove(state); };
    const auto keep = [&](const std::string& name, auto value) {
        again();
        nk::stateful_loop loop(state, quick);
        auto& kept = loop.bind<decltype(value)>(name, value);
        for ([[maybe_unused]] auto&& block : loop.over(three))
            kept = value;
    };

    says("bind a name twice", [&] {
        nk::stateful_loop loop(state, quick);
        (void)loop.bind<double>("a");
        (void)loop.bind<double>("a");
    });
    says("bind a name with a slash", [&] { keep("a/b", 1.5); });
    says("bind another type", [&] {
        keep("a", 1.5);
        nk::stateful_loop loop(state, quick);
        (void)loop.bind<std::int32_t>("a");
    });
    says("bind an array where a number was", [&] {
        nk::stateful_loop loop(state, quick);
        (void)loop.bind<vector>("a");
    });
    says("bind text where a number was", [&] {
        nk::stateful_loop loop(state, quick);
        (void)loop.bind<std::string>("a");
    });
    says("bind a list where a number was", [&] {
        nk::stateful_loop loop(state, quick);
        (void)loop.bind<std::vector<std::string>>("a");
    });
    says("bind an array of another shape", [&] {
        keep("m", xt::xtensor<double, 1>{1, 2});
        nk::stateful_loop loop(state, quick);
        (void)loop.bind<vector>("m", vector{1, 2, 3});
    });
    says("a stored state that is not bound", [&] {
        nk::stateful_loop loop(state, quick);
        for ([[maybe_unused]] auto&& block : loop.over(three)) {
        }
    });
    says("forget a bound state", [&] {
        nk::stateful_loop loop(state, quick);
        (void)loop.bind<vector>("m", vector{1, 2});
        loop.forget("m");
    });
    again();
    says("push rows of another shape", [&] {
        nk::stateful_loop loop(state, quick);
        auto& rows = loop.buffer<double>("b");
        (void)rows.push(xt::xtensor<double, 2>{{1, 2}});
        (void)rows.push(xt::xtensor<double, 2>{{1, 2, 3}});
    });
    says("push rows of another rank", [&] {
        nk::stateful_loop loop(state, quick);
        (void)loop.buffer<double, 2>("b").push(three);
    });
    says("push a scalar", [&] {
        nk::stateful_loop loop(state, quick);
        (void)loop.buffer<double>("b").push(1.5);
    });
    says("two loops with one checkpoint", [&] {
        const nk::stateful_loop first(state, quick);
        const nk::stateful_loop second(state, quick);
    });
    says("two passes at once", [&] {
        nk::stateful_loop loop(state, quick);
        for ([[maybe_unused]] auto&& block : loop.over(three))
            for ([[maybe_unused]] auto&& other : loop.over(three)) {
            }
    });
    says("a checkpoint under the name of a directory", [&] { nk::stateful_loop loop(says / "x/..", quick); });
    says("a checkpoint that is another archive", [&] {
        nk::save_npz(says / "a.npz", {{"x", three}});
        const nk::stateful_loop loop(says / "a.npz", quick);
    });
    says("a checkpoint that is not an archive", [&] {
        write_text(says / "text", "what else");
        const nk::stateful_loop loop(says / "text", quick);
    });
    says("a checkpoint of another loop", [&] {
        keep("a", 1.5);
        std::filesystem::rename(state, says / "u.state");
        const nk::stateful_loop loop(says / "u.state", quick);
    });
    const auto document = [&](const std::string& text) {
        return [&says, text] {
            nk::npz_writer out(says / "v.state");
            out.add_text("state.json", text);
            out.commit();
            const nk::stateful_loop loop(says / "v.state", quick);
        };
    };
    says("a checkpoint of another version", document(R"({"ndkeep": "loop/9"})"));
    says("a checkpoint of another format", document(R"({"ndkeep": "sidecar/1"})"));
    says("a checkpoint without a position",
         document(R"({"ndkeep": "loop/1", "loop": "v.state", "generation": 1, "states": {}})"));
    says("a checkpoint without a generation", document(R"({"ndkeep": "loop/1", "loop": "v.state"})"));
    says("a previous checkpoint that is another file", [&] {
        keep("a", 1.5);
        write_text(says / "t.state.previous", "mine");
        const nk::stateful_loop loop(state, quick);
    });
    std::filesystem::remove(says / "t.state.previous");

    says("commit the output of a pass", [&] {
        nk::chunk_writer<double, 1> output(says / "d");
        nk::stateful_loop loop(says / "o.state", quick);
        for (auto&& block : loop.over(three).into(output)) {
            output.append(block);
            output.commit();
        }
    });
    says("an output with rows that are not committed", [&] {
        nk::chunk_writer<double, 1> output(says / "d");
        output.append(three);
        nk::stateful_loop loop(says / "o.state", quick);
        for ([[maybe_unused]] auto&& block : loop.over(three).into(output)) {
        }
    });
    says("an output of two passes", [&] {
        nk::chunk_writer<double, 1> output(says / "d");
        nk::stateful_loop loop(says / "o.state", quick), other(says / "p.state", quick);
        for ([[maybe_unused]] auto&& block : loop.over(three).into(output))
            for ([[maybe_unused]] auto&& inner : other.over(three).into(output)) {
            }
    });
    says("a pass into an array after one with a file", [&] {
        keep("a", 1.5);
        nk::chunk_writer<double, 1> output(says / "d");
        nk::stateful_loop loop(state, quick);
        (void)loop.bind<double>("a");
        for ([[maybe_unused]] auto&& block : loop.over(three).into(output)) {
        }
    });
    says.check();
}

}  // namespace sentences_tests::loops
