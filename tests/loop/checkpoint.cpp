// SPDX-License-Identifier: BSD-3-Clause
// Checkpoints after kills, failures and damage: a loop starts from the last commit, or reports why it cannot.
#include "support/faulty_calls.hpp"

#include "loop/loop.hpp"

#include <iostream>

namespace loop_checkpoint_tests {

namespace nk = ndkeep;
namespace fs = std::filesystem;
using namespace looptest;

namespace {

/// Observations of one run.
struct run_result {
    std::uint64_t begins_at = 0;  // first row of the pass
    std::int64_t begins_with = 0;
    std::vector<nk::finding> said;
};

/// Adds up 1, 2, 3, … in a number and in an array, one chunk per row, up to `rows` rows.
run_result add_up(const fs::path& state, std::uint64_t rows, bool sync = true) {
    run_result result;
    nk::stateful_loop loop(state,
                           {.sync = sync, .report = [&](const nk::finding& each) { result.said.push_back(each); }});
    auto& sum = loop.bind<std::int64_t>("sum");
    auto& seen = loop.bind<std::vector<std::int64_t>>("seen");
    result.begins_at = loop.rows_done();
    result.begins_with = sum;
    if (std::accumulate(seen.begin(), seen.end(), std::int64_t{0}) != sum || seen.size() != loop.rows_done())
        throw std::runtime_error("states of different times");
    const auto source = [&](std::uint64_t row) {
        return row < rows ? std::optional(counting(static_cast<std::int64_t>(row) + 1, 1)) : std::nullopt;
    };
    for (const auto& chunk : loop.over(source)) {
        sum += sum_of(chunk);
        seen.push_back(chunk(0));
    }
    return result;
}

constexpr std::int64_t sum_to(std::uint64_t rows) { return static_cast<std::int64_t>(rows * (rows + 1) / 2); }

/// The committed content as text.
std::string content(const fs::path& file) {
    const nk::npz_reader archive(file);
    std::string all;
    for (const auto& name : archive.names())
        all += name + '\n' + archive.text(name);
    return all;
}

void copy_files(const fs::path& from, const fs::path& to) {
    fs::remove_all(to);
    fs::copy(from, to, fs::copy_options::recursive);
}

/// Replaces the document of the checkpoint and keeps all other members.
void rewrite_document(const fs::path& file, const std::string& from, const std::string& to) {
    const nk::npz_reader archive(file);
    auto text = archive.text("state.json");
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    nk::npz_writer next(file, {.append = true});
    next.add_text("state.json", text);
    next.commit();
}

}  // namespace

TEST_CASE("states of version 0.1, which listed numbers under another name, are resumed", "[loop]") {
    const temp_dir dir;
    {
        nk::stateful_loop loop(dir / "a.state");
        auto& ratio = loop.bind<double>("ratio", 1.5);
        const auto source = [&]() -> std::optional<xt::xtensor<double, 1>> {
            return loop.index() == 0 ? std::optional(xt::xtensor<double, 1>{1}) : std::nullopt;
        };
        for ([[maybe_unused]] const auto& chunk : loop.over(source))
            ratio = -std::numeric_limits<double>::infinity();
    }
    rewrite_document(dir / "a.state", R"("nonfinite": ["/states/ratio/json"])", R"("non_finite": ["/ratio/json"])");

    nk::stateful_loop loop(dir / "a.state");
    CHECK(loop.bind<double>("ratio", 1.5) == -std::numeric_limits<double>::infinity());
}

TEST_CASE("a pass over files resumes from a checkpoint of version 0.1, which had one hash for all", "[loop]") {
    const temp_dir dir;
    const std::vector<fs::path> files = {dir / "a.npy", dir / "b.npy", dir / "c.npy"};
    for (const auto& file : files)
        nk::save(file, counting(1, 2));
    const auto pass = [&](const std::vector<fs::path>& list, const nk::over_options& options = {}) {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& sum = loop.bind<std::int64_t>("sum");
        for (const auto& chunk : loop.over<std::int64_t, 1>(list, options))
            sum += sum_of(chunk);
        return sum;
    };
    CHECK(pass({files[0], files[1]}) == 6);
    const std::string size = ' ' + std::to_string(fs::file_size(files[0]));
    const auto labels = std::string(R"("labels": ")");
    const auto text = nk::npz_reader(dir / "a.state").text("state.json");
    const auto begin = text.find(labels), end = text.find('"', begin + labels.size()) + 1;
    const auto before = nk::core::hexadecimal(nk::detail::hash_of("a.npy" + size + '\n'));
    rewrite_document(dir / "a.state", text.substr(begin, end - begin),
                     R"("before": ")" + before + R"(", "last": "b.npy)" + size + '"');

    SECTION("the same files") {
        CHECK(pass(files) == 9);
        CHECK(pass(files) == 9);
    }
    SECTION("others") { CHECK_THROWS_AS(pass({files[1], files[0], files[2]}), nk::mismatch_error); }
    SECTION("the same files, where others may be deleted") { CHECK(pass(files, {.allow_deleted = true}) == 9); }
    SECTION("the last one has grown") {
        nk::append(files[1], counting(3, 1));
        CHECK(pass(files) == 12);
    }
}

TEST_CASE("a loop killed at any file call of its commit begins from the old or the new one", "[loop]") {
    const temp_dir dir;
    const bool prepared_as_one = GENERATE(false, true);
    fs::create_directory(dir / "start");
    add_up(dir / "start/a.state", 2);
    if (prepared_as_one) {
        // The state after a kill between the steps of a commit: one file with three names.
        fs::remove(dir / "start/a.state.previous");
        fs::create_hard_link(dir / "start/a.state", dir / "start/a.state.previous");
        fs::create_hard_link(dir / "start/a.state", dir / "start/.a.state.prv");
    }

    std::size_t old = 0, made = 0;
    for (const auto effect : {faults::effect::kill, faults::effect::kill_halfway})
        for (std::size_t at = 0;; ++at) {
            INFO("call " << at);
            copy_files(dir / "start", dir / "now");
            // The child runs the complete pass, so every call of its commit is covered.
            const bool killed = faults::killed({.what = effect, .at = at}, [&] { add_up(dir / "now/a.state", 3); });
            REQUIRE(fs::exists(dir / "now/a.state"));
            const auto next = add_up(dir / "now/a.state", 5);
            CHECK(next.said.empty());
            CHECK((next.begins_at == 2 || next.begins_at == 3));
            CHECK(next.begins_with == sum_to(next.begins_at));
            (next.begins_at == 2 ? old : made) += 1;
            // Both generations are complete, and no other file is left.
            CHECK(add_up(dir / "now/a.state", 5).begins_with == sum_to(5));
            fs::rename(dir / "now/a.state.previous", dir / "now/a.state");
            CHECK(add_up(dir / "now/a.state", 4).begins_with == sum_to(4));
            CHECK_FALSE(fs::exists(dir / "now/.a.state.ndk"));
            CHECK_FALSE(fs::exists(dir / "now/.a.state.prv"));
            if (!killed)
                break;
        }
    CHECK(old > 5);
    CHECK(made > 1);
    std::cout << old << " kills before a checkpoint counted, " << made << " after\n";
}

TEST_CASE("a commit leaves nothing behind where its two generations were one file", "[loop]") {
    const temp_dir dir;
    add_up(dir / "a.state", 1);
    fs::create_hard_link(dir / "a.state", dir / "a.state.previous");
    add_up(dir / "a.state", 2);
    CHECK(dir.hidden_files().empty());
    fs::rename(dir / "a.state.previous", dir / "a.state");
    CHECK(add_up(dir / "a.state", 1).begins_with == sum_to(1));
}

TEST_CASE("whatever file call of a commit fails, it is an error, or the commit stands", "[loop][error]") {
    const temp_dir dir;
    fs::create_directory(dir / "start");
    add_up(dir / "start/a.state", 2);
    const int code = GENERATE(EIO, ENOSPC);

    std::size_t errors = 0;
    for (std::size_t at = 0;; ++at) {
        INFO("call " << at);
        copy_files(dir / "start", dir / "now");
        std::size_t calls = 0;
        const auto problem = caught<nk::error>([&] {
            const faults::session watch(
                {.what = faults::effect::fail, .at = at, .code = code, .disk_full = code == ENOSPC});
            struct count_at_the_end {
                ~count_at_the_end() { calls = watch.calls().size(); }
                const faults::session& watch;
                std::size_t& calls;
            };
            const count_at_the_end counted{watch, calls};
            add_up(dir / "now/a.state", 3);
        });
        if (problem) {
            ++errors;
            CHECK(std::string(problem->what()).find("now") != std::string::npos);
        }
        const auto next = add_up(dir / "now/a.state", 5);
        CHECK(next.begins_with == sum_to(next.begins_at));
        CHECK(next.begins_at >= (problem ? 2 : 3));
        CHECK(next.said.empty());
        if (calls <= at)
            break;
    }
    CHECK(errors > 5);
}

TEST_CASE("a commit that failed is made again by the next pass of the same loop", "[loop][error]") {
    const temp_dir dir;
    nk::stateful_loop loop(dir / "a.state");
    auto& sum = loop.bind<std::int64_t>("sum");
    std::optional<faults::session> full;
    const auto pass = [&](bool fails) {
        // The commit of a chunk ends before the feed is asked for the next chunk.
        for (const auto& chunk : loop.over([&](std::uint64_t row) {
                 full.reset();
                 return row < 3 ? std::optional(counting(static_cast<std::int64_t>(row) + 1, 1)) : std::nullopt;
             })) {
            sum += sum_of(chunk);
            if (fails && loop.index() == 1)
                full.emplace(faults::plan{.what = faults::effect::fail, .code = ENOSPC, .disk_full = true});
        }
    };
    CHECK_THROWS_AS(pass(true), nk::io_error);
    full.reset();
    CHECK(sum == 3);
    CHECK(dir.hidden_files().empty());

    pass(false);
    CHECK(sum == 6);
    CHECK(loop.index() == 3);
}

TEST_CASE("a checkpoint is on the disk before it counts, and what it relies on before that", "[loop]") {
    const temp_dir dir;
    save_chunks(dir / "rows", chunks_of({1}));
    const nk::chunk_reader<std::int64_t, 1> reader(dir / "rows");
    add_up(dir / "a.state", 1);
    fs::remove(dir / "a.state.previous");
    const auto calls = faults::calls_of([&] {
        nk::stateful_loop loop(dir / "b.state");
        for ([[maybe_unused]] const auto& chunk : loop.over(reader)) {
        }
    });

    std::vector<std::string> order;
    for (const auto& call : calls) {
        const auto name = fs::path(call.path).filename().string();
        if (call.name == "fsync" || call.name == "rename" || call.name == "link")
            order.push_back(call.name + ' ' + (name == dir.path().filename() ? "directory" : name));
    }
    CHECK(order ==
          std::vector<std::string>{"fsync commits", "fsync .b.state.ndk", "rename b.state", "fsync directory"});
    CHECK(faults::calls_of([&] { add_up(dir / "a.state", 2, false); }).size() != 0);
    for (const auto& call : faults::calls_of([&] { add_up(dir / "a.state", 3, false); }))
        CHECK(call.name != "fsync");
}

TEST_CASE("where files cannot have two names, the one before is a copy", "[loop]") {
    const temp_dir dir;
    add_up(dir / "a.state", 1);
    const auto calls = faults::calls_of([&] { add_up(dir / "a.state", 2); });
    const auto link = std::find_if(calls.begin(), calls.end(), [](const auto& call) { return call.name == "link"; });
    REQUIRE(link != calls.end());
    {
        const faults::session without(
            {.what = faults::effect::fail, .at = static_cast<std::size_t>(link - calls.begin()), .code = EPERM});
        add_up(dir / "a.state", 3);
    }
    CHECK(add_up(dir / "a.state", 3).begins_with == sum_to(3));
    fs::rename(dir / "a.state.previous", dir / "a.state");
    CHECK(add_up(dir / "a.state", 2).begins_with == sum_to(2));
    CHECK(dir.hidden_files().empty());
}

TEST_CASE("a checkpoint cut or flipped anywhere is said, and the one before is taken", "[loop][error]") {
    const temp_dir dir;
    fs::create_directory(dir / "start");
    add_up(dir / "start/a.state", 2);
    const auto whole = read_text(dir / "start/a.state");
    const auto right = content(dir / "start/a.state");
    copy_files(dir / "start", dir / "now");
    const auto file = dir / "now/a.state";

    std::size_t said = 0;
    const auto check = [&](const std::string& text) {
        write_text(file, text);
        const auto next = add_up(file, 0);
        if (next.said.empty()) {
            // The changed byte has no meaning for the content, such as a date.
            CHECK(next.begins_at == 2);
            CHECK(content(file) == right);
        } else {
            ++said;
            CHECK(next.said.size() == 1);
            CHECK(next.said[0].file == file);
            CHECK(next.begins_at == 1);
        }
        CHECK(next.begins_with == sum_to(next.begins_at));
        CHECK(read_text(file) == text);  // a damaged file is not repaired before the next commit
    };
    for (std::size_t length = 0; length < whole.size(); ++length)
        check(whole.substr(0, length));
    CHECK(said == whole.size());
    for (std::size_t at = 0; at < whole.size(); ++at) {
        auto flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
        check(flipped);
    }
    CHECK(said > whole.size() + whole.size() / 2);
}

TEST_CASE("the commit after a damaged one keeps the one before it", "[loop]") {
    const temp_dir dir;
    add_up(dir / "a.state", 2);
    const auto former = read_text(dir / "a.state.previous");
    write_text(dir / "a.state", read_text(dir / "a.state").substr(1));

    const auto next = add_up(dir / "a.state", 2);
    CHECK(next.begins_at == 1);
    CHECK(next.said.size() == 1);
    CHECK(read_text(dir / "a.state.previous") == former);
    CHECK(add_up(dir / "a.state", 2).begins_with == sum_to(2));
    fs::resize_file(dir / "a.state", 0);
    CHECK(add_up(dir / "a.state", 0).begins_at == 1);
}

TEST_CASE("two damaged checkpoints are an error, and none is a fresh start", "[loop][error]") {
    const temp_dir dir;
    add_up(dir / "a.state", 2);
    fs::resize_file(dir / "a.state", 100);
    fs::resize_file(dir / "a.state.previous", 100);
    CHECK(thrown<nk::format_error>([&] { add_up(dir / "a.state", 3); }).file() == dir / "a.state");
    fs::remove(dir / "a.state.previous");
    CHECK_THROWS_AS(add_up(dir / "a.state", 3), nk::format_error);
    CHECK(fs::file_size(dir / "a.state") == 100);

    add_up(dir / "b.state", 2);
    fs::remove(dir / "b.state");
    CHECK(add_up(dir / "b.state", 1).begins_at == 0);
}

TEST_CASE("a state that JSON cannot hold is an error that names the checkpoint", "[loop][error]") {
    const temp_dir dir;
    const auto row = [](std::uint64_t at) { return at == 0 ? std::optional(counting(1, 1)) : std::nullopt; };
    nk::stateful_loop loop(dir / "a.state", quick());
    auto& text = loop.bind<nk::json>("text");

    const auto e = thrown<nk::mismatch_error>([&] {
        for ([[maybe_unused]] const auto& chunk : loop.over(row))
            text = {{"\xff", 1}};
    });

    CHECK(e.file() == dir / "a.state");
    CHECK(e.field() == "state 'text': text");
    const auto named = thrown<nk::mismatch_error>([&] { (void)loop.bind<int>("a\xff"); });
    CHECK(named.file() == dir / "a.state");
    CHECK(named.field() == "name of a state");
}

TEST_CASE("a checkpoint of more JSON values than other documents may hold comes back", "[loop]") {
    const temp_dir dir;
    const nk::json many = std::vector<int>(300'000, 1);
    const auto row = [](std::uint64_t at) { return at == 0 ? std::optional(counting(1, 1)) : std::nullopt; };
    {
        nk::stateful_loop loop(dir / "a.state", quick());
        auto& kept = loop.bind<nk::json>("kept");
        for ([[maybe_unused]] const auto& chunk : loop.over(row))
            kept = many;
    }

    nk::stateful_loop loop(dir / "a.state", quick());

    CHECK((loop.bind<nk::json>("kept") == many));
}

TEST_CASE("another version, another loop and another kind of file are never stepped over", "[loop][error]") {
    const temp_dir dir;
    add_up(dir / "a.state", 2);
    const auto refused = [&] { return thrown<nk::mismatch_error>([&] { add_up(dir / "a.state", 3); }); };

    SECTION("version") {
        rewrite_document(dir / "a.state", "loop/1", "loop/2");
        CHECK(refused().field() == "version");
        CHECK(refused().found() == "'loop/2'");
    }
    SECTION("loop") {
        fs::rename(dir / "a.state", dir / "b.state");
        fs::rename(dir / "a.state.previous", dir / "b.state.previous");
        const auto other = thrown<nk::mismatch_error>([&] { add_up(dir / "b.state", 3); });
        CHECK(other.field() == "name of the loop");
        CHECK(other.expected() == "'b.state'");
        CHECK(other.found() == "'a.state'");
        CHECK(nk::stateful_loop(dir / "b.state", {.name = "a.state"}).rows_done() == 2);
    }
    SECTION("kind") {
        rewrite_document(dir / "a.state", "loop/1", "tree/1");
        CHECK(refused().field() == "ndkeep");
    }
    SECTION("archive") {
        nk::save_npz(dir / "a.state", {{"x", counting(1, 3)}});
        CHECK(refused().field() == "file");
        CHECK(nk::npz_reader(dir / "a.state").contains("x"));
    }
    SECTION("position in no source, or in one that ends elsewhere") {
        for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
                 {"\"rows\": 2", "\"rows\": -1"},
                 {"\"chunks\": 2", "\"chunks\": 0"},
                 {"\"source\": {\"kind\": \"function of a row\"}", "\"source\": null"},
                 {"\"generation\": 2", "\"generation\": 0"},
                 {"\"generation\": 2", "\"generation\": 18446744073709551615"},
                 {"\"states\": {", "\"states\": 7, \"other\": {"}}) {
            INFO(to);
            add_up(dir / "c.state", 2);
            rewrite_document(dir / "c.state", from, to);
            // The same damage as flipped bits would cause.
            CHECK(add_up(dir / "c.state", 0).said.size() == 1);
            fs::remove(dir / "c.state");
        }
        SUCCEED();
    }
    SECTION("state") {
        nk::stateful_loop loop(dir / "a.state");
        CHECK(thrown<nk::mismatch_error>([&] { (void)loop.bind<double>("sum"); }).field() == "state 'sum'");
    }
}

TEST_CASE("a checkpoint goes through a symbolic link, and keeps the mode of the one before", "[loop]") {
    const temp_dir dir;
    fs::create_directory(dir / "real");
    fs::create_symlink(dir / "real/a.state", dir / "a.state");
    add_up(dir / "a.state", 1);
    fs::permissions(dir / "real/a.state", fs::perms::owner_read | fs::perms::owner_write);
    {
        nk::stateful_loop loop(dir / "real/a.state", {.name = "a.state"});
        CHECK_THROWS_AS(nk::stateful_loop(dir / "a.state"), nk::conflict_error);
    }
    add_up(dir / "a.state", 2);
    CHECK(fs::is_symlink(dir / "a.state"));
    CHECK(fs::status(dir / "real/a.state").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
    CHECK(fs::exists(dir / "real/a.state.previous"));
}

}  // namespace loop_checkpoint_tests
