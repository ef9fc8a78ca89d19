// SPDX-License-Identifier: BSD-3-Clause
// Forks during writing: the child's copies of objects do not affect what the parent still uses.
#include "users/users.hpp"

namespace users::forks_tests {

namespace {

/// In a forked child: calls `act` with the copy, which must be rejected, and destroys the copy.
template <class Object, class Act>
[[nodiscard]] std::string used_and_destroyed_in_child(std::optional<Object>& object, Act&& act) {
    return faults::in_child([&]() -> std::string {
               std::string said;
               try {
                   act(*object);
                   said = "used by the child";
               } catch (const nk::conflict_error& refused) {
                   if (refused.found() != "used by a forked child")
                       said = refused.what();
               }
               object.reset();
               return said;
           })
        .said;
}

}  // namespace

TEST_CASE("a forked child does not release the lock of its parent's replacement", "[users][fork]") {
    const temp_dir dir;
    const auto file = dir / "t";
    for (const bool commits : {true, false}) {
        std::optional<nk::replacement> next(std::in_place, file);
        next->content().write(0, nk::detail::bytes_of("from the parent"));

        CHECK(used_and_destroyed_in_child(
                  next, [](auto& copy) { (void)copy.commit(ndkeep::durability::when_convenient); }) == "");
        CHECK(used_and_destroyed_in_child(
                  next, [](auto& copy) { (void)copy.commit_new(ndkeep::durability::when_convenient); }) == "");
        CHECK(used_and_destroyed_in_child(
                  next, [](auto& copy) { (void)copy.seal(ndkeep::durability::when_convenient); }) == "");

        CHECK(fs::exists(dir / ".t.ndk"));
        if (commits)
            (void)next->commit(ndkeep::durability::when_convenient);
        next.reset();
        CHECK(read_text(file) == "from the parent");
        CHECK(dir.files() == 1);
    }
}

TEST_CASE("a child that lives on keeps nobody from writing once its parent is done", "[users][fork]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    nk::save(file, numbers(0, 1));
    std::optional<nk::npz_writer> archive(std::in_place, dir / "a.npz");
    std::optional<nk::stateful_loop> loop(std::in_place, dir / "l.state");
    std::optional<nk::chunk_writer<double, 1>> sink(std::in_place, dir / "a",
                                                    nk::chunk_writer_options{.commit = {.sync = false}});
    sink->append(numbers(0, 4));
    std::optional<nk::replacement> next(std::in_place, file);
    next->content().write(0, nk::detail::bytes_of(read_text(file)));
    const pid_t child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }

    archive->add("x", numbers(0, 3));
    archive->commit();
    archive.reset();
    (void)next->commit(ndkeep::durability::when_convenient);
    next.reset();
    loop.reset();
    (void)sink->commit();
    sink->write(0, numbers(9, 4));
    (void)sink->commit();
    sink.reset();
    const auto end = faults::in_child([&]() -> std::string {
        ::alarm(60);
        const nk::stateful_loop again(dir / "l.state");
        if (nk::prune_chunked(dir / "a") != 1)
            return "not pruned";
        nk::append(file, numbers(1, 1));
        nk::npz_writer more(dir / "a.npz", {.append = true});
        more.add("y", numbers(3, 3));
        more.commit();
        return {};
    });
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);

    CHECK(end.said == "");
    CHECK((nk::load<double, 1>(file) == numbers(0, 2)));
    CHECK(nk::npz_reader(dir / "a.npz").names().size() == 2);
}

TEST_CASE("a child that is forked within an append does not release its lock", "[users][fork]") {
    const temp_dir dir;
    const auto file = dir / "t.npy", other_name = dir / "u.npy";
    nk::save(file, numbers(0, 2));
    fs::create_hard_link(file, other_name);
    pid_t third = -1;
    const auto forks = [&](double value) {
        if (value != 3)
            return value;
        const pid_t child = ::fork();
        if (child == 0)
            throw std::runtime_error("the child leaves");
        ::waitpid(child, nullptr, 0);
        third = ::fork();
        if (third == 0) {
            nk::append(other_name, numbers(77, 1));
            ::_exit(0);
        }
        ::usleep(20'000);
        return value;
    };
    const auto rows = xt::make_lambda_xfunction(forks, numbers(2, 3));
    const pid_t self = ::getpid();
    try {
        nk::append(file, rows);
    } catch (const std::runtime_error&) {
        if (::getpid() != self)
            ::_exit(0);
        throw;
    }
    ::waitpid(third, nullptr, 0);

    const vector expected{0, 1, 2, 3, 4, 77};
    CHECK((nk::load<double, 1>(file) == expected));
}

TEST_CASE("an archive is its parent's, whatever a forked child and a third process do", "[users][fork]") {
    for (const std::size_t members : {0U, 1U}) {
        const temp_dir dir;
        const auto file = dir / "a.npz";
        std::optional<nk::npz_writer> archive(std::in_place, file);
        if (members != 0)
            archive->add("x", numbers(0, 3));

        CHECK(used_and_destroyed_in_child(archive, [](auto& copy) { copy.add("z", numbers(7, 1)); }) == "");
        CHECK(used_and_destroyed_in_child(archive, [](auto& copy) { copy.commit(); }) == "");

        // A third process must wait for the parent: otherwise it would rename the parent's half-written file.
        int ends[2] = {};
        REQUIRE(::pipe(ends) == 0);
        const pid_t third = ::fork();
        if (third == 0) {
            archive.reset();
            (void)!::write(ends[1], "w", 1);
            nk::npz_writer other(file, {.append = true});
            other.add("third", numbers(5, 2));
            other.commit();
            ::_exit(0);
        }
        char waits = ' ';
        CHECK(::read(ends[0], &waits, 1) == 1);
        ::close(ends[0]);
        ::close(ends[1]);
        archive->add("y", numbers(3, 3));
        ::usleep(20'000);
        archive->commit();
        archive.reset();
        ::waitpid(third, nullptr, 0);

        const nk::npz_reader from(file);
        CHECK(from.names().size() == members + 2);
        CHECK((from.load<double, 1>("y") == numbers(3, 3)));
        CHECK((from.load<double, 1>("third") == numbers(5, 2)));
    }
}

TEST_CASE("staged chunks are their parent's", "[users][fork]") {
    for (const bool is_new : {true, false})
        for (const bool syncs : {true, false}) {
            const temp_dir dir;
            const auto path = dir / "a";
            if (!is_new)
                nk::save_chunked(path, numbers(0, 4), {.commit = {.sync = false}});
            std::optional<nk::chunk_writer<double, 1>> writer(
                std::in_place, path, nk::chunk_writer_options{.rows_per_chunk = 4, .commit = {.sync = syncs}});
            const double first = is_new ? 0 : 4;
            writer->append(numbers(first, 10));

            CHECK(used_and_destroyed_in_child(writer, [](auto& copy) { copy.append(numbers(100, 10)); }) == "");
            CHECK(used_and_destroyed_in_child(writer, [](auto& copy) { (void)copy.commit(); }) == "");
            CHECK(faults::in_child([&]() -> std::string {
                      writer->discard();
                      writer.reset();
                      return {};
                  }).said == "");

            (void)writer->commit();
            writer->append(numbers(first + 10, 3));
            (void)writer->commit();
            writer.reset();
            CHECK((nk::load_chunked<double, 1>(path) == numbers(0, static_cast<std::size_t>(first) + 13)));
            nk::verify_chunked(path);
        }
}

TEST_CASE("a commit whose staged files are gone is refused, with sync and without", "[users][error]") {
    for (const bool syncs : {true, false}) {
        const temp_dir dir;
        const auto path = dir / "a";
        nk::chunk_writer<double, 1> writer(path, {.rows_per_chunk = 4, .commit = {.sync = syncs}});
        writer.append(numbers(0, 10));
        for (const auto& entry : fs::directory_iterator(path / "chunks"))
            fs::remove(entry.path());

        CHECK(thrown<nk::conflict_error>([&] { (void)writer.commit(); }).field() == "staged file");
        writer.discard();
        writer.append(numbers(0, 10));
        CHECK(writer.commit() == 1);
    }
}

TEST_CASE("a pass is its parent's: a forked child commits no position", "[users][fork]") {
    const temp_dir dir;
    nk::save_chunked(dir / "a", numbers(0, 12), {.rows_per_chunk = 4, .commit = {.sync = false}});
    for (const bool into_sink : {false, true}) {
        const auto state = dir / (into_sink ? "sink.state" : "file.state");
        const nk::chunk_reader<double, 1> from(dir / "a");
        std::optional<nk::chunk_writer<double, 1>> sink;
        if (into_sink)
            sink.emplace(dir / "out", nk::chunk_writer_options{.commit = {.sync = false}});
        double sum = 0;
        int bodies = 0;
        const auto pass = [&](nk::stateful_loop& loop, auto&& items) {
            auto& total = loop.bind<double>("total");
            for (auto chunk : items) {
                if (bodies++ == 1) {
                    const pid_t child = ::fork();
                    if (child == 0) {
                        total += 1000;
                        continue;  // the child leaves the body normally, which would commit
                    }
                    int status = 0;
                    ::waitpid(child, &status, 0);
                    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
                }
                total += xt::sum(chunk)();
                if (sink)
                    sink->append(chunk);
            }
            sum = total;
        };
        const pid_t self = ::getpid();
        try {
            nk::stateful_loop loop(state, {.sync = false});
            if (into_sink)
                pass(loop, loop.over(from).into(*sink));
            else
                pass(loop, loop.over(from));
        } catch (const nk::conflict_error& refused) {
            if (::getpid() != self)
                ::_exit(refused.found() == "used by a forked child" ? 0 : 2);
            throw;
        }
        if (::getpid() != self)
            ::_exit(3);
        CHECK(sum == 66);
        if (into_sink)
            CHECK((nk::load_chunked<double, 1>(dir / "out") == numbers(0, 12)));
    }
}

}  // namespace users::forks_tests
