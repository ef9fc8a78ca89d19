// SPDX-License-Identifier: BSD-3-Clause
// Whoever has no ndkeep reads a chunked array with json and NumPy.
#include "chunks/dataset.hpp"
#include "support/python.hpp"

#include <ndkeep/element/float16.hpp>
#include <ndkeep/element/text.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <complex>
#include <string>
#include <thread>
#include <vector>

namespace chunks_numpy_tests {

namespace nk = ndkeep;
using namespace dataset;

namespace chunk_numpy {

struct trade {
    std::int64_t time;
    double price;
    std::int32_t size;  // followed by padding
};
NDKEEP_FIELDS(trade, time, price, size);

}  // namespace chunk_numpy

namespace {

/// What store/README.md shows to people who read with Python alone.
const std::string& snippet() {
    static const std::string lines = [] {
        const auto readme = read_text(std::filesystem::path(NDKEEP_SOURCE_DIR) / "include/ndkeep/store/README.md");
        const auto begin = readme.find("def load_chunked(path):");
        return "import ast, glob\n" + readme.substr(begin, readme.find("```", begin) - begin);
    }();
    return lines;
}

template <class T>
xt::xtensor<T, 2> numbers(std::size_t rows) {
    xt::xtensor<T, 2> array(std::array<std::size_t, 2>{rows, 3});
    for (std::size_t i = 0; i < array.size(); ++i)
        array.data()[i] = T(static_cast<float>(i % 100));
    return array;
}

}  // namespace

TEST_CASE("Python reads chunked arrays of every kind with json and NumPy alone", "[chunks][numpy]") {
    const temp_dir dir;
    const auto save = [&](const char* name, const auto& array, std::size_t per_chunk) {
        nk::save_chunked(dir / name, array, {.rows_per_chunk = per_chunk, .commit = unsynced});
        nk::save(dir / (std::string(name) + ".npy"), array);
    };
    save("double", numbers<double>(100), 7);
    save("double_mapped", numbers<double>(5000), 900);
    save("bool", xt::xtensor<bool, 1>{true, false, true}, 2);
    save("float16", numbers<nk::float16>(10), 4);
    save("complex", numbers<std::complex<double>>(10), 4);
    save("uint8", numbers<std::uint8_t>(10), 3);
    save("many", numbers<std::int32_t>(700), 1);
    save("text", xt::xtensor<nk::fixed_string<4>, 1>{"ab", "cdef", "", "x"}, 3);
    save("empty", numbers<float>(0), 3);
    using time = std::chrono::sys_seconds;
    save("dates", xt::xtensor<time, 1>{time(std::chrono::seconds(5)), time(std::chrono::seconds(70))}, 1);
    xt::xtensor<chunk_numpy::trade, 1> trades(std::array<std::size_t, 1>{50});
    for (std::size_t i = 0; i < 50; ++i)
        trades(i) = {static_cast<std::int64_t>(i), 1.5 * static_cast<double>(i), 7};
    nk::save_chunked(dir / "trades", trades, {.rows_per_chunk = 8, .order_by = "time", .commit = unsynced});
    nk::save(dir / "trades.npy", trades);

    check_in_python(dir, snippet() + R"(
names = [n[:-4] for n in os.listdir('.') if n.endswith('.npy')]
assert len(names) == 11, names
for name in names:
    expected, found = np.load(name + '.npy'), load_chunked(name)
    assert found.dtype == expected.dtype, (name, found.dtype, expected.dtype)
    assert found.shape == expected.shape, (name, found.shape)
    assert (found == expected).all(), name
)");
}

TEST_CASE("Python reads what was written, resized and folded into tables", "[chunks][numpy]") {
    const temp_dir dir;
    nk::chunk_writer<double, 2> writer(dir / "a", {.rows_per_chunk = 3, .commit = unsynced});
    writer.append(numbers<double>(400));
    writer.commit();
    writer.resize(1000);
    writer.write(700, numbers<double>(10));
    writer.write(5, numbers<double>(4));
    writer.append(numbers<double>(200));
    writer.commit();
    nk::save(dir / "a.npy", nk::load_chunked<double, 2>(dir / "a"));

    check_in_python(dir, snippet() + R"(
expected = np.load('a.npy')
assert expected.shape == (1200, 3)
assert (load_chunked('a') == expected).all()
record = json.load(open(max(os.scandir('a/commits'), key=lambda file: file.name).path))
assert any('table' in item for item in record['chunks'])
assert any('file' not in item and 'table' not in item for item in record['chunks'])
)");
}

TEST_CASE("every chunk is a file that NumPy reads and maps, and says what the record says", "[chunks][numpy]") {
    const temp_dir dir;
    nk::save_chunked(dir / "a", numbers<double>(5000),
                     {.rows_per_chunk = 901, .meta = {{"units", "K"}}, .commit = unsynced});
    nk::save_chunked(dir / "b", numbers<double>(50),
                     {.rows_per_chunk = 9, .sum = nk::checksum::crc32, .commit = unsynced});
    nk::save_chunked(dir / "c", numbers<double>(50),
                     {.rows_per_chunk = 9, .sum = nk::checksum::md5, .commit = unsynced});

    check_in_python(dir, R"(
import zlib, hashlib
for name in 'abc':
    path = max(os.scandir(name + '/commits'), key=lambda file: file.name).path
    text = open(path, 'rb').read()
    record = json.loads(text)
    assert text.endswith(b',"crc32c":"' + record['crc32c'].encode() + b'"}')
    assert record['ndkeep'] == 'chunks/1' and record['parent'] == '' and len(record['id']) == 32
    at = 0
    for item in record['chunks']:
        file = f"{name}/chunks/{item['file']}"
        rows, mapped = np.load(file), np.load(file, mmap_mode='r')
        assert (rows == mapped).all() and len(rows) == item['rows'] and rows.nbytes == item['nbytes']
        assert mapped.offset == item['offset'] == os.path.getsize(file) - item['nbytes']
        assert rows.min() == item['min'] and rows.max() == item['max']
        assert item['file'].startswith('%012d-' % at)
        if name == 'b':
            assert '%08x' % zlib.crc32(rows) == item['crc32']
        if name == 'c':
            assert hashlib.md5(rows).hexdigest() == item['md5']
        at += len(rows)
    assert at == record['rows']
assert json.load(open('a/commits/00000000000000000001.json'))['metadata'] == {'units': 'K'}
)");
}

TEST_CASE("small chunks are byte for byte what NumPy writes", "[chunks][numpy]") {
    const temp_dir dir;
    nk::save_chunked(dir / "a", numbers<double>(50), {.rows_per_chunk = 9, .commit = unsynced});

    check_in_python(dir, R"(
for name in os.listdir('a/chunks'):
    np.save('again.npy', np.load('a/chunks/' + name))
    assert open('again.npy', 'rb').read() == open('a/chunks/' + name, 'rb').read()
)");
}

TEST_CASE("Python and C++ append to one array at the same time, and no row is lost", "[chunks][numpy]") {
    if (python().empty()) {
        WARN("no Python with NumPy: nothing checked");
        return;
    }
    const temp_dir dir;
    // The rows of commit i have the value i, in Python -1 - i. Every fifth commit has a chunk with a padded header.
    const auto rows_in = [](int i) -> std::size_t { return i % 5 == 0 ? 1000 : 1; };
    const auto rows_of = [&](int i) {
        return xt::xtensor<double, 2>(std::array<std::size_t, 2>{rows_in(i), 3}, static_cast<double>(i));
    };
    nk::chunk_writer<double, 2> writer(dir / "a", {.commit = unsynced});
    writer.append(rows_of(0));
    writer.commit();

    std::atomic<bool> python_is_done = false;
    std::string problem;
    int commits = 1;
    std::thread cpp([&] {
        try {
            for (; !python_is_done; ++commits) {
                writer.append(rows_of(commits));
                writer.commit();
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
        } catch (const nk::error& failed) {
            problem = failed.what();
        }
    });
    check_in_python(dir, "sys.path.insert(0, '" NDKEEP_SOURCE_DIR "/examples/python')\n"
                         "sys.dont_write_bytecode = True\n"
                         "import ndkeep\n"
                         "for i in range(40):\n"
                         "    rows = np.full((1000 if i % 5 == 0 else 1, 3), -1.0 - i)\n"
                         "    ndkeep.append_chunked('a', rows)\n");
    python_is_done = true;
    cpp.join();

    CHECK(problem.empty());
    nk::verify_chunked(dir / "a");
    std::vector<double> expected, expected_of_python, found, found_of_python;
    for (int i = 0; i < commits; ++i)
        expected.insert(expected.end(), rows_in(i), i);
    for (int i = 0; i < 40; ++i)
        expected_of_python.insert(expected_of_python.end(), rows_in(i), -1 - i);
    const auto all = nk::load_chunked<double, 2>(dir / "a");
    for (std::size_t row = 0; row < all.shape()[0]; ++row)
        (all(row, 0) < 0 ? found_of_python : found).push_back(all(row, 0));
    CHECK(found == expected);
    CHECK(found_of_python == expected_of_python);
}

}  // namespace chunks_numpy_tests
