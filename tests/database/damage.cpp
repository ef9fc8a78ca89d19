// SPDX-License-Identifier: BSD-3-Clause
// Damaged, missing and foreign files in the hidden folder of a database.
#include "database/scene.hpp"

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace database_scene::damage_tests {

/// A database whose commits after 3 are in the log only, because a reader held commit 3.
class held_back {
  public:
    explicit held_back(std::uint64_t last) : before_(3) {
        const database_snapshot now(lab());
        REQUIRE(now.commit() == 3);
        database opened(lab());
        for (std::uint64_t number = 4; number <= last; ++number) {
            commit(opened, number);
            ends_.push_back(end_of_records(read_text(log())));
        }
        opened.close();
        REQUIRE(found_in(lab()) == states()[3]);
    }

    [[nodiscard]] fs::path lab() const { return before_.lab(); }
    [[nodiscard]] fs::path log() const { return lab() / ".ndkeep/log-0000000000000004"; }
    [[nodiscard]] fs::path control() const { return lab() / ".ndkeep/control"; }
    /// Where the record of a commit begins in the log.
    [[nodiscard]] std::size_t begin_of(std::uint64_t number) const { return number == 4 ? 512 : ends_.at(number - 5); }
    [[nodiscard]] std::size_t end_of(std::uint64_t number) const { return ends_.at(number - 4); }

    /// Changes a file in place, so that it keeps its inode.
    static void change_file(const fs::path& file, std::size_t at, const std::string& bytes) {
        std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
        out.seekp(static_cast<std::streamoff>(at));
        out << bytes;
    }
    void flip(std::size_t at) const {
        change_file(log(), at, std::string(1, static_cast<char>(read_text(log()).at(at) ^ 1)));
    }

  private:
    /// The log is filled with zeros behind its records.
    static std::size_t end_of_records(const std::string& text) {
        const auto last = text.find_last_not_of('\0');
        return (last / 512 + 1) * 512;
    }

    prepared before_;
    std::vector<std::size_t> ends_;
};

TEST_CASE("a damaged byte in the last record leaves the commit before", "[database][fault]") {
    for (const std::size_t at :
         std::initializer_list<std::size_t>{0, 9, 20, 33, 37, 43, 44, 60, 400, 700, 3000, 5000}) {
        CAPTURE(at);
        const held_back all(5);
        REQUIRE(all.begin_of(5) + at < all.end_of(5));
        all.flip(all.begin_of(5) + at);

        CHECK(wrong_after_opening(all.lab(), 4, 4) == "");
    }
}

TEST_CASE("a damaged byte in an earlier record is an error that names the lost commits", "[database][error]") {
    for (const std::size_t at : std::initializer_list<std::size_t>{0, 20, 44, 700}) {
        CAPTURE(at);
        const held_back all(6);
        all.flip(all.begin_of(4) + at);

        auto e = thrown<format_error>([&] { const database opened(all.lab()); });

        CHECK(e.file() == all.lab() / ".ndkeep");
        CHECK(e.field() == "log");
        CHECK(e.expected() == "commits up to 6");
        CHECK(e.found() == "commits 4 to 6 damaged or lost");
        CHECK(found_in(all.lab()) == states()[3]);
    }
}

TEST_CASE("a log that is cut short within its last record leaves the commit before", "[database][fault]") {
    for (const std::size_t kept : std::initializer_list<std::size_t>{0, 10, 44, 100, 1000}) {
        CAPTURE(kept);
        const held_back all(5);
        fs::resize_file(all.log(), all.begin_of(5) + kept);

        CHECK(wrong_after_opening(all.lab(), 4, 4) == "");
    }
}

TEST_CASE("a log that has lost two commits is an error that names them", "[database][error]") {
    const std::map<std::string, std::function<void(const held_back&)>> all_damages = {
        {"cut short", [](const held_back& of) { fs::resize_file(of.log(), of.begin_of(4) + 100); }},
        {"empty", [](const held_back& of) { fs::resize_file(of.log(), 0); }},
        {"zeros",
         [](const held_back& of) {
             held_back::change_file(of.log(), 0, std::string(static_cast<std::size_t>(fs::file_size(of.log())), '\0'));
         }},
        {"other magic", [](const held_back& of) { held_back::change_file(of.log(), 0, "X"); }},
        {"absent", [](const held_back& of) { fs::remove(of.log()); }}};
    for (const auto& [what, damage] : all_damages) {
        CAPTURE(what);
        const held_back all(5);
        damage(all);

        auto e = thrown<format_error>([&] { const database opened(all.lab()); });

        CHECK(e.found() == "commits 4 to 5 damaged or lost");
        CHECK(found_in(all.lab()) == states()[3]);
    }
}

TEST_CASE("an empty file for the next log is no commit", "[database][fault]") {
    for (const std::size_t size : std::initializer_list<std::size_t>{0, 100, 512, 5000}) {
        CAPTURE(size);
        const prepared before(5);
        write_text(before.lab() / ".ndkeep/log-0000000000000006", std::string(size, '\0'));

        CHECK(wrong_after_opening(before.lab(), 5, 5) == "");
    }
}

TEST_CASE("the log of another database is never applied", "[database][error]") {
    const held_back other(5);
    const prepared before(3);
    fs::copy(other.log(), before.lab() / ".ndkeep/log-0000000000000004");

    auto e = thrown<conflict_error>([&] { const database opened(before.lab()); });

    CHECK(e.expected() == "the one that commit 4 of the log changes");
    CHECK(found_in(before.lab()) == states()[3]);
}

TEST_CASE("without a sound control file, the log has all that is needed", "[database][fault]") {
    const std::map<std::string, std::function<void(const fs::path&)>> all_damages = {
        {"absent", [](const fs::path& file) { fs::remove(file); }},
        {"empty", [](const fs::path& file) { fs::resize_file(file, 0); }},
        {"short", [](const fs::path& file) { fs::resize_file(file, 40); }},
        {"zeros", [](const fs::path& file) { held_back::change_file(file, 0, std::string(4096, '\0')); }},
        {"other magic", [](const fs::path& file) { held_back::change_file(file, 0, "X"); }},
        {"text", [](const fs::path& file) { held_back::change_file(file, 0, std::string(4096, 'x')); }}};
    for (const auto& [what, damage] : all_damages) {
        CAPTURE(what);
        const held_back all(5);
        damage(all.control());

        CHECK(wrong_after_opening(all.lab(), 5, 5) == "");
    }
}

TEST_CASE("a damaged number in the control file is an error or harmless", "[database][fault]") {
    for (std::size_t number = 0; number < 9; ++number)
        for (const auto& [byte, flipped] : {std::pair{0, '\x01'}, {0, '\x80'}}) {
            CAPTURE(number, byte);
            const std::size_t at = 8 * number + static_cast<std::size_t>(byte);
            const held_back all(5);
            const auto former = read_text(all.control());
            held_back::change_file(all.control(), at, std::string(1, static_cast<char>(former[at] ^ flipped)));

            std::string problem;
            try {
                const database opened(all.lab());
            } catch (const format_error& error) {
                problem = error.what();
            }

            if (problem.empty())
                CHECK(found_in(all.lab()) == states()[5]);
            else
                CHECK(found_in(all.lab()) == states()[3]);
        }
}

}  // namespace database_scene::damage_tests
