// SPDX-License-Identifier: BSD-3-Clause
// Writers of several users at once, killed at any instant: no acknowledged row is lost.
#include "users/users.hpp"

namespace users::writers_tests {

namespace {

using rows = xt::xtensor<std::int64_t, 2>;
using occurrences = std::map<std::pair<std::int64_t, std::int64_t>, int>;

occurrences occurrences_in(const rows& all) {
    occurrences times;
    for (std::size_t i = 0; i < all.shape()[0]; ++i)
        ++times[{all(i, 0), all(i, 1)}];
    return times;
}

/// One worker per user.
template <class Act>
std::vector<worker> workers(const std::vector<uid_t>& of, mode_t mask, std::int64_t each, Act&& act) {
    std::vector<worker> all;
    for (std::size_t who = 0; who < of.size(); ++who)
        all.emplace_back(of[who], mask, each, [act, who]() -> users::numbered_act {
            return [act, who](std::int64_t number) { act(static_cast<std::int64_t>(who), number); };
        });
    return all;
}

rows row(std::int64_t who, std::int64_t number) { return rows{{who, number}}; }

void check_appends(const std::vector<uid_t>& of, bool sticky, int kills, mode_t mask = 022) {
    const shared_dir dir(sticky);
    if (!dir.is_open_to(users::nobody))
        return;
    const auto file = dir / "log.npy";
    nk::save(file, rows(std::array<std::size_t, 2>{0, 2}));
    ::chmod(file.c_str(), 0666);

    auto all =
        workers(of, mask, 150, [&](std::int64_t who, std::int64_t number) { nk::append(file, row(who, number)); });
    users::work(all, kills);

    check_done(occurrences_in(nk::load<std::int64_t, 2>(file)), all, kills);
}

}  // namespace

TEST_CASE("rows that several users append to one file are all there", "[users]") {
    if (!users::are_here())
        return;
    SECTION("the superuser and another") { check_appends({users::superuser, users::nobody}, false, 0); }
    SECTION("two others") { check_appends({users::nobody, users::somebody}, false, 0); }
    SECTION("in a sticky directory") { check_appends({users::superuser, users::nobody}, true, 0); }
    SECTION("whose locks are closed to each other") {
        check_appends({users::superuser, users::nobody, users::somebody}, false, 0, 077);
    }
    SECTION("killed at any instant") { check_appends({users::superuser, users::nobody}, false, 12); }
    SECTION("killed in a sticky directory") {
        check_appends({users::superuser, users::nobody, users::somebody}, true, 12);
    }
}

TEST_CASE("what a killed writer of a third user has left excludes the others from each other", "[users]") {
    if (!users::are_here())
        return;
    for (const bool sticky : {false, true}) {
        const shared_dir dir(sticky);
        if (!dir.is_open_to(users::nobody))
            return;
        const auto file = dir / "log.npy";
        nk::save(file, rows(std::array<std::size_t, 2>{0, 2}));
        ::chmod(file.c_str(), 0666);
        write_text(dir / ".log.npy.ndk", "half of something");
        REQUIRE(::chown((dir / ".log.npy.ndk").c_str(), users::somebody, users::somebody) == 0);

        auto all = workers({users::nobody, users::nobody, users::superuser}, 022, 100,
                           [&](std::int64_t who, std::int64_t number) { nk::append(file, row(who, number)); });
        users::work(all, 0);

        check_done(occurrences_in(nk::load<std::int64_t, 2>(file)), all, 0);
        CHECK(read_text(dir / ".log.npy.ndk") == "half of something");
    }
}

TEST_CASE("a lock of another user that cannot be opened is an error that names its owner", "[users][error]") {
    if (!users::are_here())
        return;
    const shared_dir dir;
    if (!dir.is_open_to(users::nobody))
        return;
    const auto file = dir / "t.npy";
    nk::save(file, row(1, 2));
    ::chmod(file.c_str(), 0666);
    write_text(dir / ".t.npy.ndk", "theirs");
    ::chmod((dir / ".t.npy.ndk").c_str(), 0600);

    CHECK(users::as_user(users::nobody, [&]() -> std::string {
              const auto e = thrown<nk::io_error>([&] { nk::append(file, row(3, 4)); });
              const bool says_whose = e.found().find("'.t.npy.ndk' is a file of user 0") != std::string::npos;
              return says_whose && e.file() == file && e.code() == std::errc::permission_denied ? "" : e.what();
          }) == "");
    CHECK((nk::load<std::int64_t, 2>(file) == row(1, 2)));
    CHECK(read_text(dir / ".t.npy.ndk") == "theirs");
}

TEST_CASE("a loop of another user is excluded as one of the same user is, and says whose lock it is", "[users]") {
    if (!users::are_here())
        return;
    const shared_dir dir;
    if (!dir.is_open_to(users::nobody))
        return;
    const auto state = dir / "l.state";
    const auto try_loop = [&]() -> std::string {
        try {
            const nk::stateful_loop loop(state, {.sync = false});
            return "begun";
        } catch (const nk::conflict_error& problem) {
            return problem.found();
        } catch (const nk::io_error& problem) {
            return problem.found();
        }
    };

    CHECK(try_loop() == "begun");
    CHECK(users::as_user(users::nobody, try_loop) == "begun");
    {
        const nk::stateful_loop held(state, {.sync = false});
        CHECK(users::as_user(users::nobody, try_loop) == "already open");
    }
    ::chmod((dir / "l.state.lock").c_str(), 0600);
    CHECK(users::as_user(users::nobody, try_loop) ==
          "cannot lock: 'l.state.lock' is a file of user 0: Permission denied");
}

TEST_CASE("members that several users add to one archive are all there", "[users]") {
    if (!users::are_here())
        return;
    for (const int kills : {0, 8}) {
        const shared_dir dir;
        if (!dir.is_open_to(users::nobody))
            return;
        const auto file = dir / "a.npz";
        nk::save_npz(file, {{"first", row(9, 9)}});
        ::chmod(file.c_str(), 0666);

        auto all = workers({users::superuser, users::nobody}, 022, 60, [&](std::int64_t who, std::int64_t number) {
            nk::npz_writer to(file, {.append = true});
            to.add(std::to_string(who) + '_' + std::to_string(number), row(who, number));
            to.commit();
        });
        users::work(all, kills);

        const nk::npz_reader from(file);
        CHECK((from.load<std::int64_t, 2>("first") == row(9, 9)));
        occurrences times;
        for (const auto& name : from.names())
            if (name != "first") {
                const auto found = from.load<std::int64_t, 2>(name);
                ++times[{found(0, 0), found(0, 1)}];
            }
        check_done(times, all, 0);
    }
}

TEST_CASE("rows that several users commit to one dataset are all there, while it is pruned and compacted", "[users]") {
    if (!users::are_here())
        return;
    for (const int kills : {0, 12}) {
        const shared_dir dir;
        if (!dir.is_open_to(users::nobody))
            return;
        const auto path = dir / "a";
        ::umask(0);
        nk::save_chunked(path, row(9, 9), {.commit = {.sync = false}});
        ::umask(022);

        auto all = workers({users::superuser, users::nobody}, 022, 60, [&](std::int64_t who, std::int64_t number) {
            nk::chunk_writer<std::int64_t, 2> to(path, {.rows_per_chunk = 16, .commit = {.sync = false, .keep = 5}});
            to.append(row(who, number));
            (void)to.commit();
            if (number % 7 == 3)
                (void)nk::prune_chunked(path, {.keep = 2});
            if (number % 10 == 5) {
                try {
                    nk::compact_chunked(path, {.rows_per_chunk = 16, .commit = {.sync = false}});
                } catch (const nk::conflict_error&) {
                    // Another writer has compacted it.
                }
            }
        });
        users::work(all, kills);

        nk::verify_chunked(path);
        const auto found = nk::load_chunked<std::int64_t, 2>(path);
        CHECK(found(0, 0) == 9);
        check_done(occurrences_in(found), all, kills);
    }
}

TEST_CASE("a commit that is being read is not pruned by a user who may not write the lock file", "[users]") {
    if (!users::are_here())
        return;
    const shared_dir dir;
    if (!dir.is_open_to(users::nobody))
        return;
    const auto path = dir / "a";
    ::umask(0);
    nk::save_chunked(path, row(1, 1), {.commit = {.sync = false}});
    ::umask(022);
    const auto replace = [&](std::int64_t number) {
        nk::save_chunked(path, row(number, number), {.commit = {.sync = false}});
    };
    const auto prune = [&](uid_t user) {
        return users::as_user(user, [&]() -> std::string { return std::to_string(nk::prune_chunked(path)); });
    };
    ::chmod((path / "lock").c_str(), 0644);

    {
        const nk::chunk_reader<std::int64_t, 2> reader(path);
        replace(2);
        CHECK(prune(users::nobody) == "0");
        CHECK((reader.rows(0, 1) == row(1, 1)));
    }
    CHECK(prune(users::nobody) == "1");

    // A reader that may only read the lock file, and a writer next to it.
    CHECK(users::as_user(users::nobody, [&]() -> std::string {
              const nk::chunk_reader<std::int64_t, 2> reader(path);
              const nk::chunk_writer<std::int64_t, 2> beside(path, {.commit = {.sync = false}});
              const auto here = faults::in_child([&]() -> std::string {
                  nk::chunk_writer<std::int64_t, 2> to(path, {.commit = {.sync = false}});
                  to.write(0, row(3, 3));
                  (void)to.commit();
                  return std::to_string(nk::prune_chunked(path));
              });
              if (here.said != "0")
                  return "pruned: " + here.said;
              return reader.rows(0, 1) == row(2, 2) ? "" : "other rows";
          }) == "");

    // A user who may not read the lock file cannot prune.
    ::chmod((path / "lock").c_str(), 0600);
    const auto refused = prune(users::nobody);
    CHECK(refused.find("lock: cannot see which commits are being read") != std::string::npos);
    replace(4);
    CHECK(nk::prune_chunked(path) > 0);
}

}  // namespace users::writers_tests
