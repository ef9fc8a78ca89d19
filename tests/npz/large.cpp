// SPDX-License-Identifier: BSD-3-Clause
// Archives that need zip64 records for sizes, offsets or the number of members.
#include "support/python.hpp"
#include "support/sanitized.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npz.hpp>

#include <chrono>
#include <cstdio>
#include <cstring>

namespace npz_large_tests {

namespace nk = ndkeep;

namespace {

/// Prints the duration of a part of a test.
template <class Act>
decltype(auto) timed(const char* what, Act&& act) {
    struct clock {
        ~clock() {
            const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
            std::printf("%6.2f s  %s\n", passed.count(), what);
        }
        const char* what;
        std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
    };
    const clock running{.what = what};
    return act();
}

bool is_worth_it() {
    constexpr std::uintmax_t for_two_tests_at_once = std::uintmax_t{14} << 30;
    if (is_sanitized)
        WARN("too slow with a sanitizer: not tried");
    else if (std::filesystem::space(std::filesystem::temp_directory_path()).available < for_two_tests_at_once)
        WARN("less than 14 GB free: not tried");
    else
        return true;
    return false;
}

constexpr std::size_t four_gib = std::size_t{1} << 32;
constexpr std::size_t large_size = four_gib + 1000;
constexpr std::size_t marks[] = {0, 12'345, four_gib - 1, four_gib, large_size - 1};

/// Zeros, except for the marks, which hold 1, 2, 3, …
nk::array_view large_array() {
    return {nk::dtype_of<std::uint8_t>(), {large_size}, [](std::size_t first, std::size_t count, std::byte* out) {
                std::memset(out, 0, count);
                std::uint8_t value = 0;
                for (const std::size_t mark : marks) {
                    ++value;
                    if (mark >= first && mark - first < count)
                        out[mark - first] = std::byte{value};
                }
            }};
}

void check_marks(const nk::npz_reader& in) {
    const auto large = in.map<std::uint8_t, 1>("large");
    REQUIRE(large.size() == large_size);
    std::uint8_t value = 0;
    for (const std::size_t mark : marks)
        CHECK(large(mark) == ++value);
    CHECK(large(1) == 0);
    CHECK(large(four_gib + 1) == 0);
}

}  // namespace

TEST_CASE("a member of more than 4 GiB, and one that lies behind it", "[npz][large][long]") {
    if (!is_worth_it())
        return;
    const temp_dir dir;
    const auto file = dir / "a.npz";
    const std::vector<double> small = {1.5, 2.5};

    timed("saving 4 GiB", [&] { nk::save_npz(file, {{"large", large_array()}, {"small", small}}); });

    const auto members = nk::inspect_npz(file);
    REQUIRE(members.size() == 2);
    CHECK(members[0].nbytes == large_size + 128);
    CHECK(members[0].offset % 64 == 0);
    CHECK(members[1].offset > four_gib);
    CHECK(members[1].offset % 64 == 0);
    const nk::npz_reader in(file);
    check_marks(in);
    CHECK(in.load<double, 1>("small")(1) == 2.5);
    CHECK(in.map<double, 1>("small")(0) == 1.5);
    timed("Python's zipfile", [&] {
        check_in_python(dir, R"(
import zipfile
with zipfile.ZipFile('a.npz') as archive:
    assert archive.namelist() == ['large.npy', 'small.npy']
    assert archive.infolist()[0].file_size == 2 ** 32 + 1000 + 128
    with archive.open('large.npy') as member:
        assert np.lib.format.read_magic(member) == (1, 0)
        assert np.lib.format.read_array_header_1_0(member)[0] == (2 ** 32 + 1000,)
        assert member.read(3) == b'\1\0\0'
assert (np.load('a.npz')['small'] == [1.5, 2.5]).all()
)");
    });
}

TEST_CASE("an append to a member of more than 4 GiB keeps it", "[npz][append][large][long]") {
    if (!is_worth_it())
        return;
    const temp_dir dir;
    const auto file = dir / "a.npz";
    timed("saving 4 GiB", [&] { nk::save_npz(file, {{"large", large_array()}}); });

    timed("appending to 4 GiB", [&] {
        nk::npz_writer out(file, {.append = true});
        out.add("small", 1.5);
        out.commit();
    });

    const nk::npz_reader in(file);
    check_marks(in);
    CHECK(in.load<double, 0>("small")() == 1.5);
    CHECK(in.names() == std::vector<std::string>{"large", "small"});
}

TEST_CASE("an archive of 70,000 members", "[npz][large]") {
    if (!is_worth_it())
        return;
    constexpr int count = 70'000;
    const temp_dir dir;
    const auto file = dir / "a.npz";
    timed("saving 70,000 members", [&] {
        nk::npz_writer out(file);
        for (int i = 0; i < count; ++i)
            out.add("m" + std::to_string(i), static_cast<std::int32_t>(i));
        out.commit();
    });

    const auto in = timed("opening them", [&] { return std::make_unique<nk::npz_reader>(file); });
    const auto names = in->names();
    REQUIRE(names.size() == count);
    CHECK(names[0] == "m0");
    CHECK(names[count - 1] == "m69999");
    for (const int i : {0, 65'534, 65'535, 65'536, count - 1})
        CHECK(in->load<std::int32_t, 0>("m" + std::to_string(i))() == i);
    timed("NumPy", [&] {
        check_in_python(dir, R"(
got = np.load('a.npz')
assert len(got.files) == 70000 and got.files[-1] == 'm69999'
assert got['m65535'] == 65535 and got['m69999'] == 69999
)");
    });
    timed("appending one", [&] {
        nk::npz_writer out(file, {.append = true});
        out.add("last", 1.5);
        out.commit();
    });
    CHECK(nk::npz_reader(file).names().size() == count + 1);
    CHECK(nk::npz_reader(file).load<std::int32_t, 0>("m65535")() == 65'535);
}

}  // namespace npz_large_tests
