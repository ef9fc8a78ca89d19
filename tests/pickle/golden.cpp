// SPDX-License-Identifier: BSD-3-Clause
// Pickles written by Python 3.11, NumPy and pandas, and in the forms of Python 2 and of NumPy 2, against what Python
// reads from them: see tests/golden/make_pickles.py.
#include "support/npy_case.hpp"

#include <ndkeep/pickle.hpp>

#include <bit>
#include <cstdint>

namespace pickle_golden_tests {

namespace nk = ndkeep;
using nlohmann::json;

namespace {

std::filesystem::path golden(const std::string& name) {
    return std::filesystem::path(NDKEEP_TEST_DATA) / "pickles" / name;
}

template <class Check>
std::size_t for_each(const std::string& member, Check&& check) {
    std::size_t count = 0;
    for (const auto& facts : json::parse(npy_case::without_lone_surrogates(read_text(golden("expected.json")))))
        if (facts.contains(member))
            for (const auto& file : facts.at("files")) {
                INFO(file.get<std::string>());
                check(golden(file.get<std::string>()), facts.at(member));
                ++count;
            }
    return count;
}

/// A tree in the form of expected.json.
json json_of(const nk::tree& value) {
    switch (value.kind()) {
    case nk::tree_kind::null:
        return nullptr;
    case nk::tree_kind::boolean:
        return value.get<bool>();
    case nk::tree_kind::integer:
        // Beyond the largest std::int64_t, the number is unsigned.
        return caught<nk::mismatch_error>([&] { (void)value.get<std::int64_t>(); }) ? json(value.get<std::uint64_t>())
                                                                                    : json(value.get<std::int64_t>());
    case nk::tree_kind::real_number: {
        const auto bits = std::bit_cast<std::uint64_t>(value.get<double>());
        std::string bytes;
        for (int shift = 56; shift >= 0; shift -= 8)
            bytes += static_cast<char>(bits >> shift);
        return {{"real", npy_case::digits_of(bytes)}};
    }
    case nk::tree_kind::string:
        return npy_case::json_text(value.get<std::string>());
    case nk::tree_kind::list: {
        auto list = json::array();
        for (const auto& each : value)
            list.push_back(json_of(each));
        return list;
    }
    case nk::tree_kind::dictionary: {
        auto items = json::array();
        for (const auto& [key, each] : value.items())
            items.push_back({npy_case::json_text(key), json_of(each)});
        return {{"items", items}};
    }
    case nk::tree_kind::array:
        break;
    }
    const auto all = value.array();
    const auto elements = all->bytes();
    const std::string raw(reinterpret_cast<const char*>(elements.data()), elements.size());
    auto descr = all->type().descr();
    if (!all->type().is_struct())
        std::replace(descr.begin(), descr.end(), '>', '<');
    return {{"descr", descr},
            {"shape", value.shape()},
            {"bytes", npy_case::digits_of(all->type().is_struct() ? raw : npy_case::packed(all->type(), elements))}};
}

/// The places where two documents differ, one a line.
std::string differences(const json& found, const json& wanted) {
    std::string text;
    for (const auto& each : json::diff(found, wanted))
        text += each.dump() + '\n';
    return text;
}

}  // namespace

TEST_CASE("pickles of Python are the trees that Python says", "[pickle][golden]") {
    const auto files = for_each("value", [](const std::filesystem::path& file, const json& wanted) {
        CHECK(differences(json_of(nk::load_pickle(file)), wanted) == "");
    });

    CHECK(files == 26);
}

TEST_CASE("pickles in memory are the same trees", "[pickle][golden]") {
    (void)for_each("value", [](const std::filesystem::path& file, const json& wanted) {
        const auto content = read_text(file);

        const auto made = nk::load_pickle(std::as_bytes(std::span(content)));

        CHECK(differences(json_of(made), wanted) == "");
    });
}

TEST_CASE("pickles of other classes are errors that name the class", "[pickle][golden][error]") {
    const auto files = for_each("error", [](const std::filesystem::path& file, const json& named) {
        const auto e = thrown<nk::format_error>([&] { (void)nk::load_pickle(file); });

        CHECK(std::string(e.what()).find(named.get<std::string>()) != std::string::npos);
        CHECK(std::string(e.what()).starts_with(file.string()));
    });

    CHECK(files == 5);
}

TEST_CASE("what was read is written, and reads the same", "[pickle][golden]") {
    const temp_dir dir;
    (void)for_each("value", [&](const std::filesystem::path& file, const json&) {
        const auto made = nk::load_pickle(file);
        for (const int protocol : {2, 3, 4, 5}) {
            CAPTURE(protocol);
            nk::save_pickle(dir / "again.pkl", made, {.protocol = protocol});

            CHECK(differences(json_of(nk::load_pickle(dir / "again.pkl")), json_of(made)) == "");
        }
    });
}

}  // namespace pickle_golden_tests
