// SPDX-License-Identifier: BSD-3-Clause
// Dictionaries of many keys: they are found whatever their hashes are.
#include "support/temp_dir.hpp"

#include <ndkeep/tree.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace key_index_tests {

namespace nk = ndkeep;

namespace {

/// Adds all keys, erases every third, adds some again, and looks for all.
void check_keys(const std::vector<std::string>& keys) {
    nk::tree data = nk::tree::dictionary();
    for (std::size_t i = 0; i < keys.size(); ++i)
        data[keys[i]] = i;
    for (std::size_t i = 0; i < keys.size(); i += 3)
        CHECK(data.erase(keys[i]));
    for (std::size_t i = 0; i < keys.size(); i += 6)
        data[keys[i]] = i + 1'000'000;
    const nk::tree copy = data;

    std::size_t wrong = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto* const found = copy.find(keys[i]);
        const bool is_erased = i % 3 == 0 && i % 6 != 0;
        const auto expected = i % 6 == 0 ? i + 1'000'000 : i;
        wrong += is_erased ? found != nullptr : found == nullptr || found->get<std::size_t>() != expected;
    }
    CHECK(wrong == 0);
    CHECK(copy.size() == keys.size() - (keys.size() + 2) / 3 + (keys.size() + 5) / 6);
    CHECK(copy.find("absent") == nullptr);
}

}  // namespace

TEST_CASE("a dictionary of many keys finds each after others are erased and added", "[tree][value]") {
    for (const std::size_t count : std::vector<std::size_t>{15, 16, 17, 18, 31, 32, 33, 100, 3000}) {
        std::vector<std::string> keys;
        for (std::size_t i = 0; i < count; ++i)
            keys.push_back("key " + std::to_string(i * i));
        check_keys(keys);
    }
}

TEST_CASE("a dictionary whose keys have hashes of nearly one value finds each", "[tree][value]") {
    // The places in the table, whatever its size up to 65,536, are then the first ones.
    std::vector<std::string> keys;
    for (std::size_t i = 0; keys.size() < 900; ++i) {
        auto key = std::to_string(i);
        const auto hash = std::uint64_t{std::hash<std::string_view>()(key)} * 0x9e3779b97f4a7c15U;
        if ((hash >> 32 & 0xffff) < 128)
            keys.push_back(std::move(key));
    }

    check_keys(keys);
}

TEST_CASE("text keeps its value at the length from which it has memory of its own", "[tree][value]") {
    for (std::size_t length = 0; length < 40; ++length) {
        const std::string text(length, 'x');
        nk::tree value = text;
        const nk::tree copy = value;
        nk::tree moved = std::move(value);

        CHECK(value.is_null());
        CHECK(copy.get<std::string>() == text);
        CHECK(moved == copy);
        moved = text + "y";
        CHECK(moved.get<std::string>() == text + "y");
        CHECK(copy == nk::tree(text.c_str()));
    }
    CHECK(nk::tree(std::string("a\0b", 3)).get<std::string>().size() == 3);
}

}  // namespace key_index_tests
