// SPDX-License-Identifier: BSD-3-Clause
// Permissions, attributes and links of files that are replaced.
#include "users/users.hpp"

#include <ndkeep/tree.hpp>

#include <set>
#include <string>
#include <vector>

#include <sys/mount.h>
#include <sys/xattr.h>

namespace users::protection_tests {

namespace {

[[nodiscard]] mode_t mode_of(const fs::path& path) {
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0)
        throw std::runtime_error("no " + path.string());
    return status.st_mode & 07777;
}

[[nodiscard]] std::set<std::string> names_in(const fs::path& directory) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory))
        names.insert(entry.path().filename().string());
    return names;
}

/// A call that replaces `file`.
struct replacing_act {
    std::string name;
    std::function<void(const fs::path& file, bool replace_read_only)> act;
};

[[nodiscard]] std::vector<replacing_act> replacing_acts() {
    const auto run = [](bool force) { return nk::run_options{.replace_read_only = force}; };
    return {
        {"save", [=](const fs::path& file, bool force) { nk::save(file, numbers(7, 2), {.run = run(force)}); }},
        {"save with a sidecar",
         [=](const fs::path& file, bool force) {
             nk::save(file, numbers(7, 2), {.sum = nk::checksum::crc32, .run = run(force)});
         }},
        {"create",
         [=](const fs::path& file, bool force) {
             (void)nk::create<double>(file, {2}, {.replace = true, .replace_read_only = force});
         }},
        {"create_raw",
         [=](const fs::path& file, bool force) {
             (void)nk::create_raw<double>(file, {2}, {.replace = true, .replace_read_only = force});
         }},
        {"save_npz",
         [=](const fs::path& file, bool force) {
             nk::save_npz(file, {{"a", numbers(7, 2)}}, {.run = run(force)});
         }},
        {"an npz_writer",
         [=](const fs::path& file, bool force) {
             nk::npz_writer writer(file, {.run = run(force)});
             writer.add("a", numbers(7, 2));
             writer.commit();
         }},
        {"save_tree",
         [=](const fs::path& file, bool force) {
             nk::save_tree(file, nk::tree{{"a", 1}}, {.run = run(force)});
         }},
    };
}

}  // namespace

TEST_CASE("a write-protected file is refused before anything is created, and replaced when asked to",
          "[users][error]") {
    for (const auto& each : replacing_acts()) {
        CAPTURE(each.name);
        const auto& act = each.act;
        const shared_dir dir;
        const auto file = dir / "t";
        nk::save(file, numbers(0, 3));
        const auto former = read_text(file);
        ::chmod(file.c_str(), 0444);
        const bool is_superuser = ::geteuid() == superuser;
        if (is_superuser && !dir.is_open_to(nobody))
            return;
        if (is_superuser)
            REQUIRE(::chown(file.c_str(), nobody, nobody) == 0);
        const auto refused = [&]() -> std::string {
            const auto e = thrown<nk::io_error>([&] { act(file, false); });
            return e.file() == file && e.code() == std::errc::permission_denied ? "" : e.what();
        };
        CHECK((is_superuser ? as_user(nobody, refused) : refused()) == "");
        CHECK(read_text(file) == former);
        CHECK(names_in(dir.path()) == std::set<std::string>{"t"});

        const auto replaced = [&]() -> std::string {
            act(file, true);
            return "";
        };
        CHECK((is_superuser ? as_user(nobody, replaced) : replaced()) == "");
        CHECK(read_text(file) != former);
        CHECK(mode_of(file) == 0444);
    }
}

TEST_CASE("a write-protected sidecar is refused", "[users][error]") {
    if (!are_here())
        return;
    const shared_dir dir;
    if (!dir.is_open_to(nobody))
        return;
    const auto file = dir / "t.npy", sidecar = dir / "t.npy.json";
    CHECK(as_user(nobody, [&]() -> std::string {
              nk::save(file, numbers(0, 3), {.meta = {{"unit", "K"}}});
              ::chmod(sidecar.c_str(), 0444);
              const auto former = read_text(file) + read_text(sidecar);
              for (const auto& act : std::vector<std::function<void()>>{
                       [&] { nk::describe(file, {.statistics = true}); },
                       [&] { nk::save(file, numbers(1, 3)); },
                       [&] { nk::save(file, numbers(1, 3), {.statistics = true}); },
                       [&] { nk::append(file, numbers(1, 3)); },
                       [&] { (void)nk::create<double>(file, {3}, {.replace = true}); },
                   })
                  if (thrown<nk::io_error>(act).file() != sidecar)
                      return "another file is named";
              if (read_text(file) + read_text(sidecar) != former)
                  return "changed";
              nk::describe(file, {.statistics = true, .run = {.replace_read_only = true}});
              return read_text(file) + read_text(sidecar) != former ? "" : "not changed";
          }) == "");
}

TEST_CASE("a write-protected sidecar is replaced when asked to", "[users]") {
    if (!are_here())
        return;
    const shared_dir dir;
    if (!dir.is_open_to(nobody))
        return;
    const auto file = dir / "t.npy", sidecar = dir / "t.npy.json";
    const auto run = nk::run_options{.replace_read_only = true};
    CHECK(as_user(nobody, [&]() -> std::string {
              nk::save(file, numbers(0, 3), {.meta = {{"unit", "K"}}});
              ::chmod(sidecar.c_str(), 0444);
              nk::append(file, numbers(3, 1), {.run = run});
              return nk::metadata(file).empty() ? "no metadata after an append in place" : "";
          }) == "");
    CHECK(as_user(nobody, [&]() -> std::string {
              const nk::array_info info{.type = nk::dtype_of<double>(), .shape = {9}};
              write_text(file, nk::header_bytes(info, {.version = 1, .length = nk::least_header_length(info, 1)}) +
                                   std::string(72, 'x'));
              nk::describe(file, {.meta = {{"unit", "K"}}, .run = run});
              ::chmod(sidecar.c_str(), 0444);
              nk::append(file, numbers(3, 1), {.run = run});
              return nk::metadata(file).empty() ? "no metadata after an append to a new file" : "";
          }) == "");
    CHECK(as_user(nobody, [&]() -> std::string {
              (void)nk::map<double>(file, nk::read_write);  // takes the sums away
              ::chmod(sidecar.c_str(), 0444);
              nk::save(file, numbers(0, 10), {.run = run});
              return fs::exists(sidecar) ? "the former sidecar is present" : "";
          }) == "");
}

TEST_CASE("the data of a write-protected array can be described, and its sidecar is protected too", "[users]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", numbers(0, 3));
    ::chmod((dir / "t.npy").c_str(), 0440);

    nk::describe(dir / "t.npy");

    CHECK(mode_of(dir / "t.npy.json") == 0440);
}

TEST_CASE("a sidecar has mode and owner of its array", "[users]") {
    const temp_dir dir;
    const mode_t former = ::umask(022);
    nk::save(dir / "t.npy", numbers(0, 3));
    ::chmod((dir / "t.npy").c_str(), 0600);
    const bool is_superuser = ::geteuid() == superuser;
    if (is_superuser)
        REQUIRE(::chown((dir / "t.npy").c_str(), somebody, somebody) == 0);

    SECTION("made by describe") { nk::describe(dir / "t.npy"); }
    SECTION("made by save") { nk::save(dir / "t.npy", numbers(1, 3), {.sum = nk::checksum::crc32}); }
    SECTION("made before the array became private") {
        nk::describe(dir / "t.npy");
        ::chmod((dir / "t.npy.json").c_str(), 0644);
        nk::append(dir / "t.npy", numbers(1, 1));
    }
    ::umask(former);

    CHECK(mode_of(dir / "t.npy.json") == 0600);
    struct stat status = {};
    REQUIRE(::stat((dir / "t.npy.json").c_str(), &status) == 0);
    CHECK(status.st_uid == (is_superuser ? somebody : ::geteuid()));
}

TEST_CASE("a replaced file keeps its extended attributes", "[users]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", numbers(0, 3));
    if (::setxattr((dir / "t.npy").c_str(), "user.origin", "buoy 7", 6, 0) != 0) {
        WARN("the file system has no extended attributes: not tried");
        return;
    }
    REQUIRE(::setxattr((dir / "t.npy").c_str(), "user.empty", "", 0, 0) == 0);

    nk::save(dir / "t.npy", numbers(1, 3));

    char value[16] = {};
    CHECK(::getxattr((dir / "t.npy").c_str(), "user.origin", value, sizeof value) == 6);
    CHECK(std::string(value) == "buoy 7");
    CHECK(::getxattr((dir / "t.npy").c_str(), "user.empty", value, sizeof value) == 0);
}

TEST_CASE("access control lists are those of the replaced file, and of the array for its sidecar", "[users]") {
    const shared_dir dir;
    // Version 2; user::rw-, user:12345:r--, group::---, mask::r--, other::---; the format of Linux.
    const std::string list = []() {
        std::string text("\x02\0\0\0", 4);
        const auto add = [&](int tag, int permissions, std::uint32_t user) {
            text += {static_cast<char>(tag), 0, static_cast<char>(permissions), 0};
            for (int byte = 0; byte < 4; ++byte)
                text += static_cast<char>(user >> (8 * byte));
        };
        constexpr std::uint32_t none = 0xffff'ffff;
        add(0x01, 6, none);
        add(0x02, 4, somebody);
        add(0x04, 0, none);
        add(0x10, 4, none);
        add(0x20, 0, none);
        return text;
    }();
    const auto give = [&](const fs::path& path, const char* name) {
        return ::setxattr(path.c_str(), name, list.data(), list.size(), 0) == 0;
    };
    const auto has_list = [](const fs::path& path) {
        return ::getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
    };
    nk::save(dir / "shared.npy", numbers(0, 3));
    nk::save(dir / "private.npy", numbers(0, 3), {.sum = nk::checksum::crc32});
    ::chmod((dir / "private.npy").c_str(), 0600);
    if (!give(dir / "shared.npy", "system.posix_acl_access") ||
        !give(dir / "private.npy.json", "system.posix_acl_access") || !give(dir.path(), "system.posix_acl_default")) {
        WARN("the file system has no access control lists: not tried");
        return;
    }

    nk::save(dir / "shared.npy", numbers(1, 3), {.sum = nk::checksum::crc32});
    nk::save(dir / "private.npy", numbers(1, 3), {.sum = nk::checksum::crc32});

    CHECK(has_list(dir / "shared.npy"));
    CHECK(has_list(dir / "shared.npy.json"));
    CHECK(mode_of(dir / "shared.npy") == 0640);
    CHECK_FALSE(has_list(dir / "private.npy"));
    CHECK_FALSE(has_list(dir / "private.npy.json"));
    CHECK(mode_of(dir / "private.npy.json") == 0600);

    // The lock file has the list of the directory: the content must not be in it.
    ::chmod((dir / "private.npy").c_str(), 0640);
    nk::replacement next(dir / "private.npy");
    next.content().write(0, nk::core::bytes_of("new"));
    CHECK(read_text(dir / ".private.npy.ndk").empty());
}

TEST_CASE("another user's link in a shared directory is not followed", "[users][error]") {
    if (!are_here())
        return;
    const shared_dir sticky(true), plain;
    if (!sticky.is_open_to(nobody))
        return;
    const temp_dir home;
    nk::save(home / "precious.npy", numbers(0, 3));
    const auto link = [&](const fs::path& name, uid_t user) {
        fs::create_symlink(home / "precious.npy", name);
        REQUIRE(::lchown(name.c_str(), user, user) == 0);
        return name;
    };
    const auto theirs = link(sticky / "theirs.npy", nobody), mine = link(sticky / "mine.npy", superuser);
    const auto elsewhere = link(plain / "theirs.npy", nobody);

    for (const auto& act : std::vector<std::function<void()>>{
             [&] { nk::save(theirs, numbers(1, 3)); },
             [&] { nk::append(theirs, numbers(1, 3)); },
             [&] { nk::describe(theirs); },
             [&] { (void)nk::create<double>(theirs, {3}, {.replace = true}); },
             [&] {
                 nk::save_npz(theirs, {{"a", numbers(1, 3)}});
             },
             [&] { const nk::stateful_loop loop(theirs); },
         }) {
        const auto e = thrown<nk::io_error>(act);
        CHECK(e.file() == theirs);
        CHECK(e.code() == std::errc::permission_denied);
    }
    CHECK((nk::load<double, 1>(home / "precious.npy") == numbers(0, 3)));
    CHECK(names_in(home.path()) == std::set<std::string>{"precious.npy"});

    // One's own links, and links in directories that others cannot write to or that are not sticky, as Linux does.
    nk::save(mine, numbers(2, 3));
    CHECK((nk::load<double, 1>(home / "precious.npy") == numbers(2, 3)));
    nk::save(elsewhere, numbers(3, 3));
    CHECK((nk::load<double, 1>(home / "precious.npy") == numbers(3, 3)));
}

TEST_CASE("a file that is a mount point is an error that says so", "[users][error]") {
    const temp_dir dir;
    nk::save(dir / "source.npy", numbers(0, 3));
    nk::save(dir / "t.npy", numbers(0, 3));
    if (::mount((dir / "source.npy").c_str(), (dir / "t.npy").c_str(), nullptr, MS_BIND, nullptr) != 0) {
        WARN("nothing can be mounted here: not tried");
        return;
    }
    const auto e = caught<nk::io_error>([&] { nk::save(dir / "t.npy", numbers(1, 3)); });
    // Rows are added in place.
    const auto appended = caught<nk::error>([&] { nk::append(dir / "t.npy", numbers(3, 1)); });
    REQUIRE(::umount((dir / "t.npy").c_str()) == 0);

    REQUIRE(e);
    CHECK(e->found().find("mount point") != std::string::npos);
    CHECK_FALSE(appended);
    CHECK((nk::load<double, 1>(dir / "source.npy") == numbers(0, 4)));
    CHECK(names_in(dir.path()) == std::set<std::string>{"source.npy", "t.npy"});
}

TEST_CASE("where only the file is writable, rows are appended, and a replacement says what it lacks",
          "[users][error]") {
    if (!are_here())
        return;
    const shared_dir dir;
    if (!dir.is_open_to(nobody))
        return;
    const auto file = dir / "t.npy", described = dir / "described.npy";
    nk::save(file, numbers(0, 3));
    nk::save(described, numbers(0, 3), {.sum = nk::checksum::crc32});
    ::chmod(file.c_str(), 0666);
    ::chmod(described.c_str(), 0666);
    ::chmod(dir.path().c_str(), 0755);

    CHECK(as_user(nobody, [&]() -> std::string {
              nk::append(file, numbers(3, 2));
              const auto e = thrown<nk::io_error>([&] { nk::save(file, numbers(1, 3)); });
              if (e.found().find("beside it") == std::string::npos)
                  return e.what();
              const auto sidecar = thrown<nk::io_error>([&] { nk::append(described, numbers(3, 2)); });
              return sidecar.file() == dir / "described.npy.json" ? "" : sidecar.what();
          }) == "");

    CHECK((nk::load<double, 1>(file) == numbers(0, 5)));
    CHECK((nk::load<double, 1>(described) == numbers(0, 3)));
    nk::verify(described);
}

}  // namespace users::protection_tests
