// SPDX-License-Identifier: BSD-3-Clause
// Archives with every kind of member, and helpers to check them.
#pragma once

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/element/fields.hpp>
#include <ndkeep/npz.hpp>

#include <chrono>
#include <complex>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace npz_archives {

namespace nk = ndkeep;

namespace fs = std::filesystem;
using strings = std::vector<std::string>;
using shape = std::vector<std::size_t>;
using matrix = xt::xtensor<double, 2>;
using column_matrix = xt::xtensor<double, 2, xt::layout_type::column_major>;
using milliseconds_since_1970 = std::chrono::sys_time<std::chrono::milliseconds>;

struct reading {
    std::int8_t station;
    double value;
    nk::fixed_string<3> unit;
};
NDKEEP_FIELDS(reading, station, value, unit);

inline const matrix six = {{1, 2, 3}, {4, 5, 6}};
inline const std::vector<std::int32_t> three = {7, 8, 9};

inline std::vector<std::byte> bytes_in(const fs::path& file) {
    const auto text = read_text(file);
    const auto all = std::as_bytes(std::span(text));
    return {all.begin(), all.end()};
}

inline nk::npz_member member_of(const fs::path& file, std::string_view name) {
    for (const auto& each : nk::inspect_npz(file))
        if (each.name == name)
            return each;
    throw std::runtime_error("no member " + std::string(name));
}

inline strings names_of(const fs::path& file) { return nk::npz_reader(file).names(); }

/// The error that `act` throws, as "field: found, expected expected".
template <class Act>
std::string refusal(Act&& act) {
    const auto e = thrown<nk::mismatch_error>(act);
    return e.field() + ": " + e.found() + ", expected " + e.expected();
}

inline void flip_byte(const fs::path& file, std::uint64_t offset) {
    auto text = read_text(file);
    text.at(static_cast<std::size_t>(offset)) = static_cast<char>(~text.at(static_cast<std::size_t>(offset)));
    write_text(file, text);
}

/// Members of every kind, small ones and some larger than 3 MiB.
inline void save_all_kinds(const fs::path& file, const nk::npz_options& options) {
    const xt::xtensor<double, 1> large = xt::arange<double>(420'000);
    const column_matrix columns = xt::reshape_view(large, {600, 700});
    const matrix rows = columns;
    nk::npz_writer out(file, {.compress = options.compress, .sum = options.sum, .run = options.run});
    out.add("lazy", large * 2.0 + 1.0);
    out.add("in memory", large);
    out.add("columns", columns);
    out.add("strided", xt::view(rows, xt::all(), xt::range(0, 700, 2)));
    out.add("scalar", 42.5);
    out.add("empty", xt::xtensor<float, 3>(std::array<std::size_t, 3>{2, 0, 3}));
    out.add("structs", std::vector<reading>{{1, 1.5, "m"}, {2, 2.5, "km"}});
    out.add("text", std::vector<nk::fixed_string<4>>{"abc", "", "four"});
    out.add("flags", std::vector<bool>{true, false, true});
    out.add("times", std::vector{milliseconds_since_1970(std::chrono::milliseconds(1234))});
    out.add("halves", std::vector<nk::float16>{1.5f, -0.0f});
    out.add("upper halves", std::vector<nk::bfloat16>{1.5f, -0.0f});
    out.add("complex", std::vector<std::complex<float>>{{1, -2}});
    out.add_bytes("raw", std::as_bytes(std::span(three)));
    out.add_text("notes.txt", "as measured");
    out.set_metadata(options.meta);
    out.commit();
}

inline void check_all_kinds(const nk::npz_reader& in) {
    const auto large = xt::arange<double>(420'000);
    CHECK((in.load<double, 1>("lazy") == large * 2.0 + 1.0));
    CHECK((in.load<double, 1>("in memory") == large));
    CHECK((in.load<double, 2>("columns") == xt::reshape_view(large, {600, 700})));
    CHECK(in.inspect("columns").column_major);
    const matrix rows = xt::reshape_view(large, {600, 700});
    CHECK((in.load<double, 2>("strided") == xt::view(rows, xt::all(), xt::range(0, 700, 2))));
    CHECK(in.load<double, 0>("scalar")() == 42.5);
    CHECK(in.load_any("empty").shape() == shape{2, 0, 3});
    const auto structs = in.load<reading, 1>("structs");
    CHECK(structs(1).value == 2.5);
    CHECK(structs(1).unit == "km");
    const auto text = in.load<nk::fixed_string<4>, 1>("text");
    CHECK(text(0) == "abc");
    CHECK(text(1) == "");
    CHECK(text(2) == "four");
    CHECK((in.load<bool, 1>("flags") == xt::xtensor<bool, 1>{true, false, true}));
    CHECK((in.load<milliseconds_since_1970, 1>("times")(0).time_since_epoch().count() == 1234));
    CHECK(static_cast<float>(in.load<nk::float16, 1>("halves")(0)) == 1.5f);
    CHECK(static_cast<float>(in.load<nk::bfloat16, 1>("upper halves")(0)) == 1.5f);
    CHECK((in.load<std::complex<float>, 1>("complex")(0) == std::complex<float>(1, -2)));
    const auto raw = std::as_bytes(std::span(three));
    CHECK(in.bytes("raw") == std::vector<std::byte>(raw.begin(), raw.end()));
    CHECK(in.text("notes.txt") == "as measured");
}

}  // namespace npz_archives
