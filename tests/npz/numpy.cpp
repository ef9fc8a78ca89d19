// SPDX-License-Identifier: BSD-3-Clause
// Archives exchanged with NumPy, Python's zipfile and unzip, if installed.
#include "support/python.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/element/fields.hpp>
#include <ndkeep/npz.hpp>

#include <chrono>
#include <cstring>

namespace npz_numpy_tests {

namespace nk = ndkeep;

namespace {

using strings = std::vector<std::string>;

struct measured {
    std::int8_t station;
    double value;
    nk::fixed_string<3> unit;
};
NDKEEP_FIELDS(measured, station, value, unit);

/// The script that reads every archive with NumPy and with zipfile.
constexpr const char* check_functions = R"(
import io, struct, warnings, zipfile

def check(file, names, metadata=None):
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None, file
        listed = archive.namelist()
        if metadata is not None:
            assert json.loads(archive.read('metadata.json')) == metadata, archive.read('metadata.json')
            listed.remove('metadata.json')
        assert listed == names, listed
    return np.load(file)

def same(array, dtype, values, order='C'):
    values = np.array(values, dtype)
    assert array.dtype == values.dtype, array.dtype
    assert array.shape == values.shape, array.shape
    assert array.flags[order + '_CONTIGUOUS'], order
    assert array.tobytes() == values.tobytes(), array
)";

/// Runs a script that writes archives; false if no program can run it.
bool made_in_python(const temp_dir& dir, const std::string& script) {
    check_in_python(dir, check_functions + script);
    return !python().empty();
}

void check_with_unzip(const temp_dir& dir, const strings& files) {
    if (run("unzip -v").status != 0) {
        WARN("no unzip: nothing checked");
        return;
    }
    for (const auto& file : files) {
        const auto tested = run("unzip -tqq '" + (dir / file).string() + "'");
        INFO(tested.output);
        CHECK(tested.status == 0);
    }
}

nk::npz_writer& add_all_kinds(nk::npz_writer& out) {
    using namespace std::chrono;
    const xt::xtensor<double, 2> a = xt::reshape_view(xt::arange<double>(24), {4, 6});
    out.add("f8", a);
    out.add("columns", xt::xtensor<double, 2, xt::layout_type::column_major>(a));
    out.add("strided", xt::view(a, xt::range(0, 4, 2), xt::range(1, 6, 3)));
    out.add("lazy", a * 2.0 + 1.0);
    out.add("scalar", 42.5);
    out.add("empty", xt::xtensor<float, 3>(std::array<std::size_t, 3>{2, 0, 3}));
    out.add("flags", std::vector<bool>{true, false, true});
    out.add("i1", std::vector<std::int8_t>{-128, 0, 127});
    out.add("halves", std::vector<nk::float16>{1.5f, -0.0f, 65504.0f});
    out.add("complex", std::vector<std::complex<float>>{{1, -2}, {0, 3}});
    out.add("text", std::vector<nk::fixed_string<4>>{"abc", "", "four"});
    out.add("wide text", std::vector<nk::fixed_u32string<2>>{U"\u6574\u5f62", U""});
    out.add("times", std::vector{sys_days(year{2026} / 11 / 20) + 12h});
    out.add("structs", std::vector<measured>{{1, 1.5, "m"}, {2, 2.5, "km"}});
    out.add("large", xt::arange<std::int32_t>(1'000'000));
    return out;
}

constexpr const char* check_all_kinds = R"(
def check_all_kinds(file, more=()):
    names = 'f8 columns strided lazy scalar empty flags i1 halves complex text,wide text,times structs large'
    names = [name for part in names.split(',') for name in ([part] if part == 'wide text' else part.split())]
    got = check(file, [name + '.npy' for name in names + list(more)])
    a = np.arange(24.).reshape(4, 6)
    same(got['f8'], 'f8', a)
    same(got['columns'], 'f8', a, 'F')
    same(got['strided'], 'f8', a[::2, 1::3])
    same(got['lazy'], 'f8', a * 2 + 1)
    same(got['scalar'], 'f8', 42.5)
    same(got['empty'], 'f4', np.zeros((2, 0, 3)))
    same(got['flags'], '?', [True, False, True])
    same(got['i1'], 'i1', [-128, 0, 127])
    same(got['halves'], 'f2', [1.5, -0.0, 65504])
    same(got['complex'], 'c8', [1 - 2j, 3j])
    same(got['text'], 'S4', [b'abc', b'', b'four'])
    same(got['wide text'], 'U2', ['\u6574\u5f62', ''])
    assert got['times'].dtype.kind == 'M' and str(got['times'][0]).startswith('2026-11-20T12'), got['times']
    reading = np.dtype([('station', 'i1'), ('value', 'f8'), ('unit', 'S3')], align=True)
    want = np.array([(1, 1.5, b'm'), (2, 2.5, b'km')], reading)
    assert got['structs'].dtype == reading and (got['structs'] == want).all(), got['structs']
    same(got['large'], 'i4', np.arange(1000000))
)";

}  // namespace

// Written by ndkeep, read by others ----------------------------------------------------------------------------------

TEST_CASE("NumPy, zipfile and unzip read members of every kind, stored and compressed", "[npz][numpy]") {
    const temp_dir dir;
    for (const bool compress : {false, true}) {
        nk::npz_writer out(dir / (compress ? "c.npz" : "s.npz"), {.compress = compress});
        add_all_kinds(out).commit();
    }

    check_in_python(dir, std::string(check_functions) + check_all_kinds + R"(
check_all_kinds('s.npz')
check_all_kinds('c.npz')
methods = lambda file: {info.compress_type for info in zipfile.ZipFile(file).infolist()}
assert methods('s.npz') == {zipfile.ZIP_STORED} and methods('c.npz') == {zipfile.ZIP_DEFLATED}
)");
    check_with_unzip(dir, {"s.npz", "c.npz"});
}

TEST_CASE("a member has the bytes that np.save writes", "[npz][numpy]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    add_all_kinds(out).commit();

    check_in_python(dir, std::string(check_functions) + R"(
with zipfile.ZipFile('a.npz') as archive:
    for name in archive.namelist():
        # Out of a file: what NumPy reads out of an archive has anything for padding.
        array = np.load(archive.extract(name))
        again = io.BytesIO()
        np.save(again, array)
        assert again.getvalue() == archive.read(name), name
)");
}

TEST_CASE("NumPy, zipfile and unzip read members that were compressed at every level", "[npz][numpy][slow]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz");
    for (int level = 0; level <= 9; ++level)
        out.add("level" + std::to_string(level), xt::floor(xt::sin(xt::arange<double>(300'000) * 0.01) * 100.0),
                {.compress = nk::deflate_level(level)});
    out.commit();

    check_in_python(dir, std::string(check_functions) + R"(
got = check('a.npz', ['level%d.npy' % level for level in range(10)])
for name in got.files:
    assert got[name].shape == (300000,) and (got[name] == got['level0']).all(), name
)");
    check_with_unzip(dir, {"a.npz"});
}

TEST_CASE("NumPy, zipfile and unzip read an archive that was appended to, in all its parts", "[npz][append][numpy]") {
    const temp_dir dir;
    {
        nk::npz_writer out(dir / "a.npz");
        add_all_kinds(out).commit();
    }
    for (const bool compress : {false, true}) {
        nk::npz_writer out(dir / "a.npz", {.append = true, .compress = compress});
        out.add("more", xt::arange<double>(500'000) + static_cast<double>(compress));
        out.add(compress ? "second" : "first", 1.5);
        out.add("scalar", 42.5);  // a second member with this name
        out.commit();
    }

    check_in_python(dir, std::string(check_functions) + check_all_kinds + R"(
check_all_kinds('a.npz', ['more', 'first', 'second'])
same(np.load('a.npz')['more'], 'f8', np.arange(500000.) + 1)
)");
    check_with_unzip(dir, {"a.npz"});
}

TEST_CASE("NumPy and zipfile read an archive of no members", "[npz][numpy]") {
    const temp_dir dir;
    nk::npz_writer(dir / "a.npz").commit();

    check_in_python(dir, std::string(check_functions) + "assert check('a.npz', []).files == []");
}

TEST_CASE("Python reads the metadata, and verifies the sums", "[npz][metadata][numpy]") {
    const temp_dir dir;
    const xt::xtensor<double, 2, xt::layout_type::column_major> columns = {{1, 2, 3}, {4, 5, 6}};
    nk::save_npz(dir / "a.npz", {{"a", columns}},
                 {.compress = true,
                  .meta = {{"run", 7}, {"units", "größe"}, {"list", {1, 2.5, nullptr}}},
                  .sum = nk::checksum::crc32 | nk::checksum::md5});

    check_in_python(dir, std::string(check_functions) + R"(
import hashlib, zlib
with zipfile.ZipFile('a.npz') as archive:
    said = json.loads(archive.read('metadata.json'))
raw = np.load('a.npz')['a'].tobytes('A')
sums = said.pop('ndkeep')['checksums']
assert said == {'run': 7, 'units': 'größe', 'list': [1, 2.5, None]}, said
assert sums == {'a': {'crc32': '%08x' % zlib.crc32(raw), 'md5': hashlib.md5(raw).hexdigest()}}, sums
)");
    check_with_unzip(dir, {"a.npz"});
}

TEST_CASE("NumPy and zipfile read names that are not ASCII", "[npz][numpy]") {
    const temp_dir dir;
    nk::npz_writer out(dir / "a.npz", {.compress = true});
    const strings names = {"größe", "整形", "😀", "a/b", "with space"};
    for (const auto& name : names)
        out.add(name, static_cast<double>(name.size()));
    out.commit();

    check_in_python(dir, std::string(check_functions) + R"(
names = ['größe', '整形', '😀', 'a/b', 'with space']
got = check('a.npz', [name + '.npy' for name in names])
assert got.files == names, got.files
for name in names:
    assert got[name] == len(name.encode()), name
)");
    check_with_unzip(dir, {"a.npz"});
}

TEST_CASE("a comment of 65535 bytes is kept by an append, and read by zipfile", "[npz][append][numpy]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", 1.5}});
    if (!made_in_python(dir, R"(
with zipfile.ZipFile('a.npz', 'a') as archive:
    archive.comment = b'#' * 65535
)"))
        return;

    nk::npz_writer out(dir / "a.npz", {.append = true});
    out.add("b", 2.5);
    out.commit();

    check_in_python(dir, std::string(check_functions) + R"(
got = check('a.npz', ['a.npy', 'b.npy'])
assert got['b'] == 2.5 and got.zip.comment == b'#' * 65535
)");
}

TEST_CASE("zipfile appends to an archive that was written here", "[npz][numpy]") {
    const temp_dir dir;
    nk::save_npz(dir / "a.npz", {{"a", 1.5}, {"b", xt::arange<double>(1000)}}, {.meta = {{"run", 7}}});

    if (!made_in_python(dir, R"(
with zipfile.ZipFile('a.npz', 'a', zipfile.ZIP_DEFLATED) as archive:
    with archive.open('c.npy', 'w', force_zip64=True) as member:
        np.lib.format.write_array(member, np.arange(5))
)"))
        return;

    const nk::npz_reader in(dir / "a.npz");
    CHECK(in.names() == strings{"a", "b", "c"});
    CHECK(in.load<std::int64_t, 1>("c")(4) == 4);
    CHECK((in.map<double, 1>("b") == xt::arange<double>(1000)));
    CHECK(in.metadata() == nk::json{{"run", 7}});
    CHECK(nk::findings_npz(dir / "a.npz").empty());
}

TEST_CASE("NumPy and zipfile read an archive behind a prefix that was appended to", "[npz][append][numpy]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    nk::save_npz(file, {{"a", 1.5}});
    write_text(file, "#!/bin/sh\nexit\n" + read_text(file));

    nk::npz_writer out(file, {.append = true});
    out.add("b", xt::arange<double>(1000), {.compress = true});
    out.commit();

    check_in_python(dir, std::string(check_functions) + R"(
with zipfile.ZipFile('a.npz') as archive:
    assert archive.testzip() is None and archive.namelist() == ['a.npy', 'b.npy']
    same(np.lib.format.read_array(archive.open('b.npy')), 'f8', np.arange(1000.))
)");
}

TEST_CASE("an append keeps the program that Python put an archive behind", "[npz][append][numpy]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    const std::string program = "#!/bin/sh\nexit\n";
    write_text(file, program);
    if (!made_in_python(dir, R"(
with zipfile.ZipFile('a.npz', 'a') as archive:
    with archive.open('a.npy', 'w') as member:
        np.lib.format.write_array(member, np.arange(3))
)"))
        return;
    REQUIRE(read_text(file).starts_with(program));
    REQUIRE(nk::npz_reader(file).load<std::int64_t, 1>("a")(2) == 2);

    nk::npz_writer out(file, {.append = true});
    out.add("b", 1.5);
    out.commit();

    CHECK(read_text(file).starts_with(program));
    CHECK(nk::npz_reader(file).names() == strings{"a", "b"});
}

// Written by others, read by ndkeep ----------------------------------------------------------------------------------

TEST_CASE("archives of savez and savez_compressed are read, and appended to", "[npz][append][numpy]") {
    const temp_dir dir;
    if (!made_in_python(dir, R"(
a = np.arange(12.).reshape(3, 4)
arrays = {'a': a, 'columns': np.asfortranarray(a), 'big': a.astype('>f8'), 'large': np.arange(500000),
          'größe': np.float32(2.5), 'text': np.array(['abc', 'größe'])}
np.savez('s.npz', a + 100, **arrays)
np.savez_compressed('c.npz', a + 100, **arrays)
)"))
        return;

    const xt::xtensor<double, 2> a = xt::reshape_view(xt::arange<double>(12), {3, 4});
    for (const std::string name : {"s.npz", "c.npz"})
        for (const bool append : {false, true}) {
            CAPTURE(name, append);
            if (append) {
                nk::npz_writer out(dir / name, {.append = true});
                out.add("a", a);
                out.add("more", a + 1.0);
                out.commit();
            }
            const nk::npz_reader in(dir / name);
            strings names = {"a", "columns", "big", "large", "größe", "text", "arr_0"};
            if (append)
                names.emplace_back("more");
            CHECK(in.names() == names);
            CHECK((in.load<double, 2>("a") == a));
            CHECK((in.load<double, 2>("columns") == a));
            CHECK((in.load<double, 2>("big") == a));
            CHECK((in.load<double, 2>("arr_0") == a + 100.0));
            CHECK((in.load<std::int64_t, 1>("large") == xt::arange<std::int64_t>(500'000)));
            CHECK(in.load<float, 0>("größe")() == 2.5f);
            CHECK(in.load_any("text").size() == 2);
            CHECK(nk::findings_npz(dir / name).empty());
        }
    check_in_python(dir, std::string(check_functions) + R"(
for file in ('s.npz', 'c.npz'):
    got = np.load(file)
    assert got.zip.testzip() is None and (got['more'] == got['a'] + 1).all() and got['text'][1] == 'größe'
    assert got.files[-1] == 'more', got.files
)");
    check_with_unzip(dir, {"s.npz", "c.npz"});
}

TEST_CASE("what NumPy does not align is loaded and not mapped, until an append aligns it", "[npz][map][numpy]") {
    const temp_dir dir;
    if (!made_in_python(dir, "np.savez('a.npz', a=np.arange(6.))"))
        return;
    const auto file = dir / "a.npz";

    CHECK((nk::npz_reader(file).load<double, 1>("a") == xt::arange<double>(6)));
    const auto e = thrown<nk::mismatch_error>([&] { (void)nk::npz_reader(file).map<double>("a"); });
    CHECK(e.field() == "member 'a': data offset");
    CHECK(e.expected() == "a multiple of 8 bytes");
    CHECK(e.hint() == "load it; archives that ndkeep writes are aligned");
    CHECK(!nk::inspect_npz(file)[0].mappable);
    nk::npz_writer(file, {.append = true}).commit();
    CHECK((nk::npz_reader(file).map<double, 1>("a") == xt::arange<double>(6)));
}

TEST_CASE("archives that were written to a pipe are read, and appended to", "[npz][append][numpy]") {
    const temp_dir dir;
    if (!made_in_python(dir, R"(
class Pipe(io.RawIOBase):
    def __init__(self, file):
        self.file = file
    def writable(self):
        return True
    def write(self, some):
        return self.file.write(some)

for name, save in (('s.npz', np.savez), ('c.npz', np.savez_compressed)):
    with open(name, 'wb') as file:
        save(Pipe(file), a=np.arange(100000.), b=np.arange(3))
    assert zipfile.ZipFile(name).infolist()[0].flag_bits & 8, 'no data descriptor'
)"))
        return;

    for (const std::string name : {"s.npz", "c.npz"})
        for (const bool append : {false, true}) {
            CAPTURE(name, append);
            if (append)
                nk::npz_writer(dir / name, {.append = true}).commit();
            const nk::npz_reader in(dir / name);
            CHECK((in.load<double, 1>("a") == xt::arange<double>(100'000)));
            CHECK(in.load<std::int64_t, 1>("b")(2) == 2);
            CHECK(nk::findings_npz(dir / name).empty());
        }
    check_in_python(dir, std::string(check_functions) + R"(
for name in ('s.npz', 'c.npz'):
    same(check(name, ['a.npy', 'b.npy'])['a'], 'f8', np.arange(100000.))
)");
    check_with_unzip(dir, {"s.npz", "c.npz"});
}

TEST_CASE("members with sizes of 64 bits that do not need them are read, and appended to", "[npz][append][numpy]") {
    const temp_dir dir;
    if (!made_in_python(dir, R"(
for name, method in (('s.npz', zipfile.ZIP_STORED), ('c.npz', zipfile.ZIP_DEFLATED)):
    with zipfile.ZipFile(name, 'w', method) as archive:
        for i in range(3):
            with archive.open('a%d.npy' % i, 'w', force_zip64=True) as member:
                np.lib.format.write_array(member, np.arange(1000.) + i)
)"))
        return;

    for (const std::string name : {"s.npz", "c.npz"})
        for (const bool append : {false, true}) {
            CAPTURE(name, append);
            if (append)
                nk::npz_writer(dir / name, {.append = true}).commit();
            const nk::npz_reader in(dir / name);
            CHECK(in.names() == strings{"a0", "a1", "a2"});
            CHECK((in.load<double, 1>("a2") == xt::arange<double>(1000) + 2.0));
            CHECK(nk::findings_npz(dir / name).empty());
        }
}

TEST_CASE("an archive of 300 members of NumPy's is read", "[npz][numpy]") {
    const temp_dir dir;
    if (!made_in_python(dir, "np.savez('a.npz', **{'a%03d' % i: np.arange(i) for i in range(300)})"))
        return;

    const nk::npz_reader in(dir / "a.npz");
    CHECK(in.names().size() == 300);
    CHECK(in.names()[299] == "a299");
    for (std::size_t i = 0; i < 300; ++i)
        CHECK(in.load<std::int64_t, 1>(in.names()[i]).size() == i);
}

TEST_CASE("members that are bzip2 or LZMA are refused by name, and others of the archive are not",
          "[npz][numpy][error]") {
    const temp_dir dir;
    if (!made_in_python(dir, R"(
with zipfile.ZipFile('a.npz', 'w') as archive:
    for name, method in (('b', zipfile.ZIP_BZIP2), ('l', zipfile.ZIP_LZMA), ('s', zipfile.ZIP_STORED)):
        array = io.BytesIO()
        np.save(array, np.arange(5))
        archive.writestr(name + '.npy', array.getvalue(), method)
)"))
        return;
    const nk::npz_reader in(dir / "a.npz");

    CHECK(in.names() == strings{"b", "l", "s"});
    CHECK(thrown<nk::format_error>([&] { (void)in.load_any("b"); }).found() == "bzip2");
    CHECK(thrown<nk::format_error>([&] { (void)in.load_any("l"); }).found() == "LZMA");
    CHECK(thrown<nk::format_error>([&] { (void)in.map<std::int64_t>("l"); }).found() == "LZMA");
    CHECK(in.load<std::int64_t, 1>("s")(4) == 4);
    const auto members = nk::inspect_npz(dir / "a.npz");
    CHECK(members[0].method == "bzip2");
    CHECK(members[0].problem.find("bzip2") != std::string::npos);
    CHECK(members[2].problem.empty());
}

TEST_CASE("an append carries over members that cannot be read here", "[npz][append][numpy]") {
    const temp_dir dir;
    if (!made_in_python(dir, R"(
with zipfile.ZipFile('a.npz', 'w', zipfile.ZIP_LZMA) as archive:
    array = io.BytesIO()
    np.save(array, np.arange(5))
    archive.writestr('l.npy', array.getvalue())
)"))
        return;

    nk::npz_writer out(dir / "a.npz", {.append = true});
    out.add("a", 1.5);
    out.commit();

    check_in_python(dir, std::string(check_functions) + R"(
got = check('a.npz', ['l.npy', 'a.npy'])
same(got['l'], 'i8', np.arange(5))
)");
}

TEST_CASE("of members that zipfile appended twice the last one counts", "[npz][numpy]") {
    const temp_dir dir;
    if (!made_in_python(dir, R"(
np.savez('a.npz', a=np.arange(3), b=np.arange(4))
with warnings.catch_warnings(), zipfile.ZipFile('a.npz', 'a') as archive:
    warnings.simplefilter('ignore')
    with archive.open('a.npy', 'w') as member:
        np.lib.format.write_array(member, np.arange(3) + 10)
assert np.load('a.npz')['a'][0] == 10
)"))
        return;

    const nk::npz_reader in(dir / "a.npz");
    CHECK(in.names() == strings{"b", "a"});
    CHECK(in.load<std::int64_t, 1>("a")(0) == 10);
    const auto members = nk::inspect_npz(dir / "a.npz");
    REQUIRE(members.size() == 3);
    CHECK(members[0].shadowed);
    CHECK(!members[2].shadowed);
    CHECK(nk::findings_npz(dir / "a.npz").empty());
}

TEST_CASE("an object array of NumPy's is refused without a look at its pickle", "[npz][numpy][error]") {
    const temp_dir dir;
    if (!made_in_python(dir, "np.savez('a.npz', o=np.array([None, {}]), a=np.arange(3))"))
        return;
    const nk::npz_reader in(dir / "a.npz");

    CHECK_THROWS_AS(in.load_any("o"), nk::format_error);
    CHECK_THROWS_AS(in.inspect("o"), nk::format_error);
    CHECK(in.load<std::int64_t, 1>("a")(2) == 2);
    const auto members = nk::inspect_npz(dir / "a.npz");
    CHECK(members[0].problem.find("member 'o'") != std::string::npos);
    CHECK(!members[0].mappable);
}

}  // namespace npz_numpy_tests
