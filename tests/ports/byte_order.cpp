// SPDX-License-Identifier: BSD-3-Clause
// Files exchanged between machines of either byte order. `bash .ci/run ports` also runs these tests on a big-endian
// machine. There, the Python of the little-endian host reads what the tests write.
#include "support/python.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/element/fields.hpp>
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <bit>
#include <complex>

namespace ports_byte_order_tests {

namespace nk = ndkeep;

namespace {

constexpr bool is_big = std::endian::native == std::endian::big;

struct trade {
    std::int64_t time;
    double price;
    std::int32_t size;
};
NDKEEP_FIELDS(trade, time, price, size);

std::filesystem::path golden(const std::string& name) {
    return std::filesystem::path(NDKEEP_SOURCE_DIR) / "tests/golden/good" / (name + ".npy");
}

template <class Array>
void check_counts(const Array& array) {
    REQUIRE(array.size() != 0);
    for (std::size_t i = 0; i < array.size(); ++i)
        CHECK(array.data()[i] == typename Array::value_type(static_cast<float>(i + 1)));
}

/// A golden file with 1, 2, 3, …
template <class T>
void check_file(const std::string& name, bool is_native) {
    INFO(name);
    check_counts(nk::load<T>(golden(name)));
    if (is_native) {
        check_counts(nk::map<T>(golden(name)));
    } else {
        const auto error = thrown<nk::mismatch_error>([&] { (void)nk::map<T>(golden(name)); });
        CHECK(error.field() == "dtype");
        CHECK(error.hint() == "load swaps the bytes");
    }
}

const xt::xtensor<double, 2> doubles = {{1, -2.5, 3e300}, {4, 5, 6}};
const std::vector<trade> trades = {{1, 2.5, 3}, {std::int64_t{1} << 40, -1, -7}, {258, 0, 5}};

}  // namespace

TEST_CASE("files of either byte order are loaded, and those of this machine's are mapped", "[ports][map]") {
    check_file<std::int16_t>("plain_i2", !is_big);
    check_file<std::uint32_t>("plain_u4", !is_big);
    check_file<std::int64_t>("plain_i8", !is_big);
    check_file<float>("plain_f4", !is_big);
    check_file<std::uint16_t>("foreign_u2", is_big);
    check_file<double>("foreign_f8", is_big);
    check_file<std::complex<double>>("foreign_c16", is_big);
}

TEST_CASE("appended rows get the byte order of the file", "[ports][append]") {
    const temp_dir dir;
    for (const auto* const name : {"plain_i2", "foreign_u2"}) {
        INFO(name);
        std::filesystem::copy_file(golden(name), dir / name);
        const auto former = nk::load_any(dir / name);

        if (std::string_view(name) == "plain_i2")
            nk::append(dir / name, xt::xarray<std::int16_t>(nk::load<std::int16_t>(golden(name))));
        else
            nk::append(dir / name, xt::xarray<std::uint16_t>(nk::load<std::uint16_t>(golden(name))));

        const auto longer = nk::load_any(dir / name);
        CHECK((longer.type() == former.type()));
        const auto bytes = longer.bytes();
        const auto half = former.bytes().size();
        REQUIRE(bytes.size() == 2 * half);
        CHECK(std::equal(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(half),
                         bytes.begin() + static_cast<std::ptrdiff_t>(half)));
    }
}

TEST_CASE("NumPy on another machine reads what is saved here", "[ports][numpy]") {
    const temp_dir dir;
    nk::save(dir / "rows.npy", doubles, {.meta = {{"units", "K"}}, .sum = nk::checksum::crc32});
    nk::save(dir / "trades.npy", trades);
    {
        nk::npz_writer archive(dir / "all.npz");
        archive.add("rows", doubles);
        archive.add("trades", trades, {.compress = true});
        archive.commit();
    }
    nk::save_chunked(dir / "chunked", doubles, {.rows_per_chunk = 1});

    CHECK((nk::load<double, 2>(dir / "rows.npy") == doubles));
    CHECK((nk::load_chunked<double, 2>(dir / "chunked") == doubles));
    nk::verify(dir / "rows.npy");
    nk::verify_npz(dir / "all.npz");
    nk::verify_chunked(dir / "chunked");
    const auto readme = read_text(std::filesystem::path(NDKEEP_SOURCE_DIR) / "include/ndkeep/store/README.md");
    const auto begin = readme.find("def load_chunked(path):");
    check_in_python(dir, "import ast, glob\n" + readme.substr(begin, readme.find("```", begin) - begin) + R"(
rows = np.array([[1, -2.5, 3e300], [4, 5, 6]])
trades = [(1, 2.5, 3), (1 << 40, -1, -7), (258, 0, 5)]
archive = np.load('all.npz')
for found in np.load('rows.npy'), archive['rows'], load_chunked('chunked'):
    assert found.dtype.kind == 'f' and (found == rows).all(), found
for found in np.load('trades.npy'), archive['trades']:
    assert [tuple(t)[:3] for t in found.tolist()] == trades, found
)");
}

}  // namespace ports_byte_order_tests
