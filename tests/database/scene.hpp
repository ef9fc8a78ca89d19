// SPDX-License-Identifier: BSD-3-Clause
// A database whose commits change arrays, shapes, rows, metadata and names, and what a reader finds after each of them.
#pragma once

#include "support/faults.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/database.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/text/hex.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace database_scene {

using namespace ndkeep;

namespace fs = std::filesystem;

/// What a program that knows npy files only finds: for each array its shape, its metadata, and a sum of its bytes.
using state = std::map<std::string, std::string>;

inline state found_in(const fs::path& lab) {
    state found;
    if (!fs::exists(lab))
        return found;
    for (const auto& entry : fs::directory_iterator(lab)) {
        const auto& file = entry.path();
        if (file.extension() != ".npy")
            continue;
        try {
            const auto array = load_any(file);
            found[file.stem()] = shape_text(array.shape()) + ' ' + metadata(file).dump() + ' ' +
                                 detail::hexadecimal(crc32c(array.bytes()));
        } catch (const error& problem) {
            found[file.stem()] = problem.what();
        }
    }
    return found;
}

inline std::string text_of(const state& is) {
    std::string text;
    for (const auto& [name, each] : is)
        text += name + ": " + each + "; ";
    return text;
}

inline constexpr std::uint64_t commits = 6;

/// Makes the changes of a commit, counted from 1.
inline void change(database& lab, std::uint64_t number) {
    const auto x = static_cast<std::int64_t>(number);
    auto a = number == 1 ? lab.create<std::int64_t>("A", {3000}) : lab.open<std::int64_t, 1>("A");
    auto b = number == 1 ? lab.create<double>("B", {10, 8}) : lab.open<double, 2>("B");
    const auto append = [&](std::size_t rows) {
        b.append(xt::xtensor<double, 2>(xt::ones<double>({rows, std::size_t{8}}) * static_cast<double>(x)));
    };
    if (number == 2) {
        append(100);
        auto c = lab.create<float>("C", {5000});  // its last pages stay zeros, and only its file says that they exist
        c(0) = 2;
        lab.metadata("C")["x"] = x;
    } else if (number == 3) {
        a.resize({2000});
        append(3);
    } else if (number == 4) {
        lab.remove("C");
        auto d = lab.create<std::int16_t>("D", {50, 4});
        d(49, 3) = 4;
        lab.metadata("D")["x"] = x;
    } else if (number == 5) {
        a.resize({2500});
        append(90);
        auto c = lab.create<double>("C", {700});
        c(699) = 5;
    } else if (number == 6) {
        lab.remove("D");
        append(1);
    }
    for (const std::size_t at : {std::size_t{0}, a.size() / 2, a.size() - 1})
        a(at) = x;
    b(b.shape()[0] / 2, 0) = static_cast<double>(x);
    lab.metadata("A")["x"] = x;
    lab.metadata("B")["x"] = x;
}

inline void commit(database& lab, std::uint64_t number) {
    change(lab, number);
    (void)lab.commit();
}

/// The states after each number of commits, from a run without faults.
inline const std::vector<state>& states() {
    static const auto all = [] {
        const auto dir = temp_dir::in_memory();
        database lab(dir / "lab");
        std::vector<state> made = {found_in(dir / "lab")};
        for (std::uint64_t number = 1; number <= commits; ++number) {
            commit(lab, number);
            made.push_back(found_in(dir / "lab"));
        }
        return made;
    }();
    return all;
}

/// A directory with a closed database after some commits.
class prepared {
  public:
    explicit prepared(std::uint64_t number) {
        database made(lab());
        for (std::uint64_t next = 1; next <= number; ++next)
            commit(made, next);
        made.close();
    }
    [[nodiscard]] fs::path lab() const { return dir_ / "lab"; }

  private:
    temp_dir dir_ = temp_dir::in_memory();
};

/// Opens a database, which recovers it, and closes it. Returns what is wrong if the state is not that of a commit
/// between `least` and `most`; empty if all is well.
inline std::string wrong_after_opening(const fs::path& lab, std::uint64_t least, std::uint64_t most) {
    try {
        database opened(lab);
        const std::uint64_t number = opened.last_commit();
        const auto names = opened.names();
        opened.close();
        if (number < least || number > most)
            return "commit " + std::to_string(number) + " instead of " + std::to_string(least) + " to " +
                   std::to_string(most);
        const auto found = found_in(lab);
        if (found != states()[number])
            return "not the state of commit " + std::to_string(number) + ": " + text_of(found);
        std::vector<std::string> expected;
        for (const auto& each : found)
            expected.push_back(each.first);
        if (names != expected)
            return "the names are not those of the files";
        for (const auto& entry : fs::directory_iterator(lab / ".ndkeep"))
            if (const auto name = entry.path().filename().string(); name != "control" && name != "lock")
                return name + " is left";
        return {};
    } catch (const error& problem) {
        return problem.what();
    }
}

}  // namespace database_scene
