// SPDX-License-Identifier: BSD-3-Clause
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/element/bfloat16.hpp>
#include <ndkeep/element/fields.hpp>
#include <ndkeep/npy/append.hpp>
#include <ndkeep/npy/describe.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/npy/load.hpp>
#include <ndkeep/npy/map.hpp>
#include <ndkeep/npy/save.hpp>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <variant>
#include <vector>

namespace npy_bfloat16_tests {

namespace nk = ndkeep;
using nk::bfloat16;
using row = xt::xtensor<bfloat16, 1>;

namespace {

struct sample {
    std::int32_t id;
    bfloat16 weight;
};
NDKEEP_FIELDS(sample, id, weight);

constexpr bool is_little = std::endian::native == std::endian::little;

/// A file with a header of version 1.0 and 64 bytes aligned data, byte by byte as the npy format describes it.
std::string file_of(const std::string& descr, const std::string& shape, const std::string& data) {
    std::string text = "{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + ", }";
    text.resize((10 + text.size() + 1 + 63) / 64 * 64 - 11, ' ');
    text += '\n';
    return std::string("\x93NUMPY\1\0", 8) + static_cast<char>(text.size()) + '\0' + text + data;
}

/// 1, -2.5, the float next below 1/3, and infinity: the upper halves of 0x3f800000, 0xc0200000, 0x3eaa0000 and
/// 0x7f800000, as float32 has them, in this machine's order.
std::string four_numbers() {
    const std::vector<std::uint16_t> halves = {0x3f80, 0xc020, 0x3eaa, 0x7f80};
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), halves.data(), bytes.size());
    return bytes;
}

void check_four_numbers(const auto& numbers) {
    REQUIRE(numbers.size() == 4);
    CHECK(numbers(0) == 1);
    CHECK(numbers(1) == -2.5F);
    CHECK(numbers(2) == std::bit_cast<float>(0x3eaa'0000U));
    CHECK(numbers(3) == std::numeric_limits<float>::infinity());
}

}  // namespace

TEST_CASE("save writes bfloat16 as np.save does for ml_dtypes", "[npy][bfloat16]") {
    const temp_dir dir;

    nk::save(dir / "t.npy", std::vector<bfloat16>{1, -2.5, 1.0 / 3 - 0x1p-10, 1e300});
    nk::save(dir / "s.npy", std::vector<sample>{{7, 1}});

    // np.dtype(ml_dtypes.bfloat16).str is '<V2' on a little-endian machine.
    const std::string descr = is_little ? "'<V2'" : "'>V2'";
    CHECK((read_text(dir / "t.npy") == file_of(descr, "(4,)", four_numbers())));
    CHECK(nk::inspect(dir / "s.npy").type.find("weight")->type == nk::dtype::parse("V2"));
}

TEST_CASE("bfloat16 is loaded and mapped from bytes, whatever order they claim", "[npy][bfloat16]") {
    const temp_dir dir;

    for (const char* const descr : {"'<V2'", "'|V2'", "'>V2'", "'bfloat16'"}) {
        CAPTURE(descr);
        write_text(dir / "t.npy", file_of(descr, "(4,)", four_numbers()));
        check_four_numbers(nk::load<bfloat16, 1>(dir / "t.npy"));
        check_four_numbers(nk::map<bfloat16, 1>(dir / "t.npy"));
    }
}

TEST_CASE("load_any knows bfloat16 by its name, and takes V2 for bytes", "[npy][bfloat16]") {
    const temp_dir dir;
    write_text(dir / "named.npy", file_of("'bfloat16'", "(4,)", four_numbers()));
    write_text(dir / "bytes.npy", file_of("'<V2'", "(4,)", four_numbers()));

    const auto named = nk::load_any(dir / "named.npy");
    const auto bytes = nk::load_any(dir / "bytes.npy");

    CHECK(named.type() == nk::dtype_of<bfloat16>());
    CHECK(nk::visit<nk::real>([](const auto& a) { return static_cast<double>(a(1)); }, named) == -2.5);
    CHECK(bytes.type() == nk::dtype::parse("V2"));
    check_four_numbers(bytes.as<bfloat16, 1>());
    CHECK(nk::inspect(dir / "named.npy").type.str() == "bfloat16");
    CHECK(nk::inspect(dir / "bytes.npy").type.str() == "|V2");
}

TEST_CASE("bfloat16 is not loaded as another number", "[npy][bfloat16]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    write_text(file, file_of("'bfloat16'", "(4,)", four_numbers()));

    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::load<float>(file); });

    CHECK(e.found() == "'bfloat16'");
    CHECK(e.hint() == "load<ndkeep::bfloat16> or load_any");
    CHECK_THROWS_AS(nk::load<nk::float16>(file), nk::mismatch_error);
    CHECK_THROWS_AS(nk::load<std::uint16_t>(file), nk::mismatch_error);
}

TEST_CASE("bfloat16 files are created, written in place and appended to", "[npy][bfloat16]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    {
        auto live = nk::create<bfloat16>(file, {2});
        live(0) = 1.5F;
        live.flush();
    }

    nk::append(file, std::vector<bfloat16>{-4});

    CHECK((nk::load<bfloat16, 1>(file) == row{1.5F, 0, -4}));
}

TEST_CASE("structs with a bfloat16 field come back from bytes and from its name", "[npy][bfloat16]") {
    const temp_dir dir;
    nk::save(dir / "t.npy", std::vector<sample>{{7, 1.5F}, {8, -3}});
    auto text = read_text(dir / "t.npy");
    const std::string bytes = is_little ? "'<V2'), ('', '|V2')]" : "'>V2'), ('', '|V2')]";
    const auto at = text.find(bytes);
    REQUIRE(at != std::string::npos);
    // The longer name takes the place of blanks at the end of the header.
    text.replace(at, 5, "'bfloat16'");
    text.erase(text.find('\n') - 5, 5);
    write_text(dir / "named.npy", text);

    for (const char* const name : {"t.npy", "named.npy"}) {
        const auto back = nk::load<sample, 1>(dir / name);
        CHECK(back(0).id == 7);
        CHECK(back(0).weight == 1.5F);
        CHECK(back(1).weight == -3);
    }
}

TEST_CASE("a sidecar knows that bytes are bfloat16, and has their statistics", "[npy][bfloat16]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    const auto fields = dir / "s.npy";

    nk::save(file, std::vector<bfloat16>{1, 2, 3}, {.statistics = true});
    nk::save(fields, std::vector<sample>{{7, 1.5F}, {8, -3}}, {.statistics = true});

    const auto stored = nk::description_of(file);
    REQUIRE(stored);
    CHECK(stored->state == nk::sidecar_state::current);
    CHECK(stored->type == "bfloat16");
    REQUIRE(stored->statistics);
    CHECK(std::get<double>(stored->statistics->max.value()) == 3);
    CHECK(nk::findings(file).empty());
    CHECK(nk::findings(fields).empty());
    nk::describe(file, {.statistics = true});
    CHECK(nk::description_of(file)->statistics->mean == 2);
}

TEST_CASE("verify notices wrong statistics of bfloat16", "[npy][bfloat16]") {
    const temp_dir dir;
    const auto file = dir / "t.npy";
    nk::save(file, std::vector<bfloat16>{1, 2, 3}, {.statistics = true});
    const auto sidecar = dir / "t.npy.json";
    auto text = read_text(sidecar);
    const auto at = text.find("\"max\": 3");
    REQUIRE(at != std::string::npos);
    text[at + 7] = '9';
    write_text(sidecar, text);

    const auto e = thrown<nk::checksum_error>([&] { nk::verify(file); });

    CHECK(e.field() == "statistics.max");
}

}  // namespace npy_bfloat16_tests
