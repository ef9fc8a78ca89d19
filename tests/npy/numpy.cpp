// SPDX-License-Identifier: BSD-3-Clause
// Files written by ndkeep and read by NumPy, if an installed Python has it.
#include "support/python.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npy.hpp>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <numbers>

namespace npy_numpy_tests {

namespace nk = ndkeep;

struct numpy_inner {
    float x;
    std::int8_t flag;
};
NDKEEP_FIELDS(numpy_inner, x, flag);

struct numpy_outer {
    std::int8_t kind;
    numpy_inner at[2];
    double m[2][3];
    nk::fixed_string<3> name;
    std::chrono::sys_time<std::chrono::milliseconds> when;
};
NDKEEP_FIELDS(numpy_outer, kind, at, m, name, when);

namespace {

/// The properties compared for every file: dtype, shape, values and bytes.
constexpr const char* check_function = R"(
def check(name, dtype, values, order='C'):
    array = np.load(name + '.npy')
    values = np.array(values, dtype)
    assert array.dtype == values.dtype, (name, array.dtype)
    assert array.shape == values.shape, (name, array.shape)
    assert array.flags[order + '_CONTIGUOUS'], name
    assert array.tobytes() == values.tobytes(), (name, array)
    np.save('again.npy', array)
    assert open('again.npy', 'rb').read() == open(name + '.npy', 'rb').read(), (name, 'bytes')
    if array.size:
        mapped = np.load(name + '.npy', mmap_mode='r')
        assert isinstance(mapped, np.memmap) and mapped.tobytes() == values.tobytes(), (name, 'mapped')
)";

}  // namespace

TEST_CASE("NumPy reads and writes alike the numbers that save writes", "[npy][numpy]") {
    const temp_dir dir;
    nk::save(dir / "b1.npy", xt::xtensor<bool, 1>{true, false, true});
    nk::save(dir / "i1.npy", xt::xtensor<std::int8_t, 1>{-128, 0, 127});
    nk::save(dir / "i2.npy", xt::xtensor<std::int16_t, 1>{-32768, 0, 32767});
    nk::save(dir / "i4.npy", xt::xtensor<std::int32_t, 1>{-7, 0, 2147483647});
    nk::save(dir / "i8.npy", xt::xtensor<std::int64_t, 1>{-7, 0, std::numeric_limits<std::int64_t>::max()});
    nk::save(dir / "u1.npy", xt::xtensor<std::uint8_t, 1>{0, 7, 255});
    nk::save(dir / "u2.npy", xt::xtensor<std::uint16_t, 1>{0, 7, 65535});
    nk::save(dir / "u4.npy", xt::xtensor<std::uint32_t, 1>{0, 7, 4294967295});
    nk::save(dir / "u8.npy", xt::xtensor<std::uint64_t, 1>{0, 7, std::numeric_limits<std::uint64_t>::max()});
    nk::save(dir / "f2.npy", std::vector<nk::float16>{1.5f, -0.0f, 65504.0f});
    nk::save(dir / "f4.npy", xt::xtensor<float, 1>{1.5f, -0.0f, 0.1f});
    nk::save(dir / "f8.npy", xt::xtensor<double, 1>{1.5, -0.0, 0.1});
    nk::save(dir / "c8.npy", std::vector<std::complex<float>>{{1, -2}, {0.1f, 3}});
    nk::save(dir / "c16.npy", std::vector<std::complex<double>>{{1, -2}, {0.1, 3}});
    // The padding bytes of a long double are undefined in NumPy; here they are zeros.
    xt::xtensor<long double, 1> wide = {0.0L, 0.0L};
    xt::xtensor<std::complex<long double>, 1> wide_complex = {{0.0L, 0.0L}};
    std::memset(static_cast<void*>(wide.data()), 0, wide.size() * sizeof(long double));
    std::memset(static_cast<void*>(wide_complex.data()), 0, wide_complex.size() * 2 * sizeof(long double));
    wide(0) = 1.0L / 3;
    wide(1) = -2.5L;
    nk::save(dir / "wide.npy", wide);
    nk::save(dir / "wide_complex.npy", wide_complex);

    check_in_python(dir, std::string(check_function) + R"(
check('b1', '?', [True, False, True])
for bits in (8, 16, 32, 64):
    top = 2 ** (bits - 1) - 1
    low = -top - 1 if bits < 32 else -7
    check('i%d' % (bits // 8), 'i%d' % (bits // 8), [low, 0, top])
    check('u%d' % (bits // 8), 'u%d' % (bits // 8), [0, 7, 2 * top + 1])
check('f2', 'f2', [1.5, -0.0, 65504])
check('f4', 'f4', [1.5, -0.0, 0.1])
check('f8', 'f8', [1.5, -0.0, 0.1])
check('c8', 'c8', [1 - 2j, np.float32(0.1) + 3j])
check('c16', 'c16', [1 - 2j, 0.1 + 3j])
wide = np.load('wide.npy')
assert wide.dtype == np.longdouble and wide[0] == np.longdouble(1) / 3 and wide[1] == -2.5, wide
assert np.load('wide_complex.npy').dtype == np.clongdouble
)");
}

TEST_CASE("NumPy reads and writes alike the text, bytes and dates that save writes", "[npy][numpy]") {
    using namespace std::chrono;
    const temp_dir dir;
    const sys_days noon_day = year{2026} / 11 / 20;
    nk::save(dir / "s.npy", std::vector<nk::fixed_string<4>>{"abc", "", std::string("a\0b", 3), "four"});
    nk::save(dir / "u.npy", std::vector<nk::fixed_u32string<3>>{U"\u6574\u5f62", U"", U"\U0001f600"});
    nk::save(dir / "v.npy", std::vector<nk::fixed_bytes<2>>{{{std::byte{1}, std::byte{0}}}, {{std::byte{255}}}});
    nk::save(dir / "times.npy", std::vector<sys_time<nanoseconds>>{noon_day + 12h + 1ns, sys_time<nanoseconds>()});
    nk::save(dir / "missing.npy", std::vector{nk::not_a_time<sys_time<microseconds>>});
    nk::save(dir / "days.npy", std::vector<sys_time<duration<std::int64_t, std::ratio<86'400>>>>{noon_day});
    nk::save(dir / "spans.npy", std::vector<seconds>{90s, -1s});
    nk::save(dir / "quarters.npy", std::vector{duration<std::int64_t, std::ratio<900>>(2)});

    check_in_python(dir, std::string(check_function) + R"(
check('s', 'S4', [b'abc', b'', b'a\0b', b'four'])
check('u', 'U3', ['\u6574\u5f62', '', '\U0001f600'])
check('v', 'V2', np.frombuffer(b'\1\0\xff\0', 'V2'))
check('times', 'M8[ns]', np.array(['2026-11-20T12:00:00.000000001', '1970-01-01'], 'M8[ns]'))
check('missing', 'M8[us]', np.array(['NaT'], 'M8[us]'))
check('days', 'M8[D]', np.array(['2026-11-20'], 'M8[D]'))
check('spans', 'm8[s]', [90, -1])
check('quarters', 'm8[15m]', [2])
)");
}

TEST_CASE("NumPy reads and writes alike the structs that save writes, padding and all", "[npy][numpy]") {
    const temp_dir dir;
    xt::xtensor<numpy_outer, 1> outer(std::array<std::size_t, 1>{3});
    std::memset(static_cast<void*>(outer.data()), 0xee, outer.size() * sizeof(numpy_outer));
    for (std::size_t i = 0; i < outer.size(); ++i) {
        auto& row = outer(i);
        const auto n = static_cast<float>(i);
        row.kind = static_cast<std::int8_t>(i);
        for (auto& each : row.at) {
            each.x = n + 0.5f;
            each.flag = static_cast<std::int8_t>(-n);
        }
        for (auto& line : row.m)
            for (auto& value : line)
                value = static_cast<double>(n * 10);
        row.m[1][2] = 99;
        row.name = nk::fixed_string<3>("n" + std::to_string(i));
        row.when = std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(1000 + i));
    }
    nk::save(dir / "structs.npy", outer);

    check_in_python(dir, std::string(check_function) + R"(
inner = np.dtype([('x', 'f4'), ('flag', 'i1')], align=True)
outer = np.dtype([('kind', 'i1'), ('at', inner, 2), ('m', 'f8', (2, 3)), ('name', 'S3'), ('when', 'M8[ms]')], align=True)
want = np.zeros(3, outer)
want['kind'] = [0, 1, 2]
want['at']['x'] = np.array([[0.5], [1.5], [2.5]])
want['at']['flag'] = np.array([[0], [-1], [-2]])
want['m'] = np.array([0, 10, 20]).reshape(3, 1, 1)
want['m'][:, 1, 2] = 99
want['name'] = [b'n0', b'n1', b'n2']
want['when'] = np.array([1000, 1001, 1002], 'M8[ms]')
got = np.load('structs.npy')
assert got.dtype.itemsize == outer.itemsize and (got == want).all(), got
for name in outer.names:
    assert got.dtype.fields[name][1] == outer.fields[name][1], name
saved = open('structs.npy', 'rb').read()
np.save('again.npy', got)
assert open('again.npy', 'rb').read() == saved
assert saved.count(b'\xee') == 0, 'padding'
assert np.load('structs.npy', mmap_mode='r')['m'][2, 1, 2] == 99
)");
}

TEST_CASE("NumPy reads and writes alike the shapes, orders, views and expressions that save writes", "[npy][numpy]") {
    const temp_dir dir;
    const xt::xtensor<double, 2> a = xt::reshape_view(xt::arange<double>(24), {4, 6});
    nk::save(dir / "scalar.npy", 42.5);
    nk::save(dir / "empty.npy", xt::xtensor<float, 3>(std::array<std::size_t, 3>{2, 0, 3}));
    nk::save(dir / "columns.npy", xt::xtensor<double, 2, xt::layout_type::column_major>(a));
    nk::save(dir / "one_column.npy",
             xt::xtensor<double, 2, xt::layout_type::column_major>(xt::view(a, xt::all(), xt::range(0, 1))));
    nk::save(dir / "four.npy",
             xt::xtensor<std::int32_t, 4>(xt::reshape_view(xt::arange<std::int32_t>(48), {2, 3, 4, 2})));
    nk::save(dir / "strided.npy", xt::view(a, xt::range(0, 4, 2), xt::range(1, 6, 3)));
    nk::save(dir / "transposed.npy", xt::transpose(a));
    nk::save(dir / "lazy.npy", a * 2 + 1);
    nk::save(dir / "compared.npy", a > 11.0);
    nk::append(dir / "grown.npy", a);
    nk::append(dir / "grown.npy", a + 24.0);
    nk::create<double>(dir / "made.npy", {2, 3})(1, 2) = 7;

    check_in_python(dir, std::string(check_function) + R"(
a = np.arange(24.).reshape(4, 6)
check('scalar', 'f8', 42.5)
check('empty', 'f4', np.zeros((2, 0, 3)))
check('columns', 'f8', a, 'F')
check('one_column', 'f8', a[:, :1])
check('four', 'i4', np.arange(48).reshape(2, 3, 4, 2))
check('strided', 'f8', a[::2, 1::3])
check('transposed', 'f8', a.T, 'F')
check('lazy', 'f8', a * 2 + 1)
check('compared', '?', a > 11)
check('grown', 'f8', np.arange(48.).reshape(8, 6))
check('made', 'f8', [[0, 0, 0], [0, 0, 7]])
)");
}

TEST_CASE("the sums and statistics of a sidecar are NumPy's", "[npy][sidecar][numpy]") {
    const temp_dir dir;
    const nk::save_options all = {.sum = nk::checksum::crc32 | nk::checksum::md5, .statistics = true};
    const xt::xtensor<double, 1> waves = xt::sin(xt::arange<double>(100'000)) * 1e3 + std::numbers::pi;
    nk::save(dir / "f8.npy", waves, all);
    nk::save(dir / "f4.npy", xt::cast<float>(xt::reshape_view(waves, {100, 1000})), all);
    nk::save(dir / "i8.npy", xt::cast<std::int64_t>(waves), all);
    nk::save(dir / "u1.npy", xt::xtensor<std::uint8_t, 1>{0, 255, 7}, all);
    nk::save(dir / "bool.npy", waves > 0.0, all);
    nk::save(dir / "nan.npy", std::vector<double>{1, std::nan(""), 5, std::nan(""), -3}, all);
    nk::save(dir / "columns.npy", xt::xtensor<double, 2, xt::layout_type::column_major>{{1, 2, 3}, {4, 5, 60}}, all);

    check_in_python(dir, R"(
import hashlib, zlib
for name in ('f8', 'f4', 'i8', 'u1', 'bool', 'nan', 'columns'):
    array = np.load(name + '.npy')
    said = json.load(open(name + '.npy.json'))
    raw = array.tobytes('A')
    assert said['array'] == {'dtype': array.dtype.str, 'shape': list(array.shape), 'nbytes': array.nbytes,
                             'order': 'C' if array.flags.c_contiguous else 'F'}, said
    assert said['checksums'] == {'crc32': '%08x' % zlib.crc32(raw), 'md5': hashlib.md5(raw).hexdigest()}, name
    if array.flags.c_contiguous:
        assert said['checksums']['crc32'] == '%08x' % zlib.crc32(array), name
    wide = array.astype('f8')
    have = said['statistics']
    assert have['count'] == array.size and have['nan'] == np.isnan(wide).sum(), have
    assert have['min'] == np.nanmin(wide) and have['max'] == np.nanmax(wide), have
    assert np.isclose(have['mean'], np.nanmean(wide), rtol=1e-12, atol=1e-12), have
    assert np.isclose(have['std'], np.nanstd(wide), rtol=1e-12, atol=0), have
)");
}

TEST_CASE("the golden files are the ones that make_golden.py makes", "[npy][golden][numpy]") {
    const temp_dir dir;
    const auto golden = std::filesystem::path(NDKEEP_SOURCE_DIR) / "tests/golden";

    check_in_python(dir, "golden = " + nk::detail::python_repr(golden.string()) + R"(
import filecmp, subprocess
if tuple(int(n) for n in np.__version__.split('.')[:2]) >= (1, 24):
    subprocess.run([sys.executable, os.path.join(golden, 'make_golden.py'), 'made'], check=True)
    names = [os.path.join(folder, name) for folder in ('good', 'bad') for name in os.listdir('made/' + folder)]
    assert len(names) > 50
    for name in names + ['golden.json']:
        assert filecmp.cmp(os.path.join('made', name), os.path.join(golden, name), False), name
)");
}

}  // namespace npy_numpy_tests
