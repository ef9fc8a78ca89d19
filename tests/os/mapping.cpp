// SPDX-License-Identifier: BSD-3-Clause
#include "support/temp_dir.hpp"

#include <ndkeep/os/mapping.hpp>

namespace bytes_mapping_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

/// A file of several pages; the byte at offset i depends on i.
class paged_file {
  public:
    paged_file() {
        std::string text(3 * mapping::page_size() + 100, '\0');
        for (std::size_t i = 0; i < text.size(); ++i)
            text[i] = static_cast<char>(i * 7 + i / 256);
        write_text(path(), text);
        text_ = text;
    }
    [[nodiscard]] fs::path path() const { return dir_ / "t"; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    [[nodiscard]] file open() const { return file::open(path(), file::access::read_write); }

  private:
    temp_dir dir_;
    std::string text_;
};

std::string text_of(const mapping& range) {
    return range.size() == 0 ? "" : std::string(reinterpret_cast<const char*>(range.data()), range.size());
}

std::size_t mapped_ranges(const fs::path& path) {
    std::ifstream maps("/proc/self/maps");
    std::size_t count = 0;
    for (std::string line; std::getline(maps, line);)
        count += line.ends_with(path.string());
    return count;
}

}  // namespace

TEST_CASE("a mapping may begin and end at any byte", "[bytes][mapping]") {
    const paged_file paged;
    const std::size_t page = mapping::page_size();
    for (const std::size_t offset : {std::size_t{0}, std::size_t{1}, page - 1, page, page + 1, 3 * page, 3 * page + 99})
        for (const std::size_t length : {std::size_t{1}, std::size_t{100}, page, 2 * page}) {
            if (offset + length > paged.text().size())
                continue;
            CAPTURE(offset, length);

            const auto range = mapping::open(paged.open(), offset, length, map_mode::read_only);

            CHECK(range.size() == length);
            CHECK((text_of(range) == paged.text().substr(offset, length)));
        }
}

TEST_CASE("a mapping of no bytes is empty and can be used", "[bytes][mapping]") {
    const paged_file paged;

    const auto range = mapping::open(paged.open(), paged.text().size(), 0, map_mode::read_write);

    CHECK(range.size() == 0);
    CHECK(range.data() == nullptr);
    CHECK_NOTHROW(range.flush());
    CHECK_NOTHROW(range.advise(advice::sequential));
    CHECK(mapping().size() == 0);
}

TEST_CASE("a mapping beyond the end of the file is refused before it could crash", "[bytes][mapping][error]") {
    const paged_file paged;
    const auto source = paged.open();
    const auto size = paged.text().size();

    const auto e = thrown<format_error>([&] { (void)mapping::open(source, 0, size + 1, map_mode::read_only); });

    CHECK(e.file() == paged.path());
    CHECK(e.expected() == "at least " + std::to_string(size + 1) + " bytes");
    CHECK(e.found() == std::to_string(size) + " bytes");
    CHECK_THROWS_AS((void)mapping::open(source, size + 1, 0, map_mode::read_only), format_error);
    CHECK_THROWS_AS((void)mapping::open(source, 1, ~std::uint64_t{0}, map_mode::read_only), format_error);
    CHECK_THROWS_AS((void)mapping::open(source, ~std::uint64_t{0}, 1, map_mode::read_only), format_error);
}

TEST_CASE("a file that has shrunk since it was opened is measured again", "[bytes][mapping][error]") {
    const paged_file paged;
    const auto source = paged.open();
    fs::resize_file(paged.path(), 10);

    CHECK_THROWS_AS((void)mapping::open(source, 0, 11, map_mode::read_only), format_error);
    CHECK_THROWS_AS((void)mapping::copy(source, 0, 11, map_mode::read_only), format_error);
}

TEST_CASE("stores into a read_write mapping reach the file", "[bytes][mapping]") {
    const paged_file paged;
    {
        const auto range = mapping::open(paged.open(), 5, 10, map_mode::read_write);
        range.data()[0] = std::byte{'x'};
        range.flush();
        CHECK(read_text(paged.path())[5] == 'x');
        range.data()[9] = std::byte{'y'};
    }

    CHECK(read_text(paged.path())[14] == 'y');
}

TEST_CASE("stores into a copy_on_write mapping stay in it", "[bytes][mapping]") {
    const paged_file paged;
    const auto range = mapping::open(file::open(paged.path()), 5, 10, map_mode::copy_on_write);

    range.data()[0] = std::byte{'x'};

    CHECK((text_of(range).substr(1) == paged.text().substr(6, 9)));
    CHECK(range.data()[0] == std::byte{'x'});
    CHECK((read_text(paged.path()) == paged.text()));
}

TEST_CASE("flush is an error where stores reach no file", "[bytes][mapping][error]") {
    const paged_file paged;

    for (const auto mode : {map_mode::read_only, map_mode::copy_on_write}) {
        const auto range = mapping::open(paged.open(), 0, 10, mode);
        const auto copied = mapping::copy(paged.open(), 0, 10, mode);
        CHECK(thrown<mismatch_error>([&] { range.flush(); }).file() == paged.path());
        CHECK_THROWS_AS(copied.flush(), mismatch_error);
    }
}

TEST_CASE("a file open for reading cannot be mapped read_write", "[bytes][mapping][error]") {
    const paged_file paged;

    const auto e =
        thrown<io_error>([&] { (void)mapping::open(file::open(paged.path()), 0, 10, map_mode::read_write); });

    CHECK(e.file() == paged.path());
    CHECK(e.code() == std::errc::permission_denied);
}

TEST_CASE("a copy holds the bytes and no file", "[bytes][mapping]") {
    const paged_file paged;

    const auto copied = mapping::copy(paged.open(), 3, 5000, map_mode::copy_on_write);
    fs::resize_file(paged.path(), 0);
    copied.data()[0] = std::byte{'x'};

    CHECK((text_of(copied).substr(1) == paged.text().substr(4, 4999)));
    CHECK(mapped_ranges(paged.path()) == 0);
}

TEST_CASE("a mapping outlives its file's name and descriptor", "[bytes][mapping]") {
    const paged_file paged;
    auto source = paged.open();
    const auto range = mapping::open(source, 0, paged.text().size(), map_mode::read_only);

    source.close();
    fs::remove(paged.path());

    CHECK((text_of(range) == paged.text()));
}

TEST_CASE("advice changes no byte", "[bytes][mapping]") {
    const paged_file paged;
    const auto size = paged.text().size();
    for (const auto mode : {map_mode::read_only, map_mode::read_write, map_mode::copy_on_write}) {
        const auto range = mapping::open(paged.open(), 1, size - 1, mode);
        if (mode != map_mode::read_only)
            range.data()[0] = std::byte{'x'};
        const auto before = text_of(range);
        for (const auto what : {advice::normal, advice::sequential, advice::random, advice::will_need, advice::drop}) {
            CAPTURE(static_cast<int>(mode), static_cast<int>(what));
            CHECK_NOTHROW(range.advise(what));
            CHECK_NOTHROW(range.advise(what, 10, 5000));
            CHECK_NOTHROW(range.advise(what, size, 10));
            CHECK_NOTHROW(range.advise(what, 0, ~std::size_t{0}));
            CHECK((text_of(range) == before));
        }
    }
}

TEST_CASE("dropping the pages of a copy keeps its stores", "[bytes][mapping]") {
    const paged_file paged;
    for (const auto& range : {mapping::open(paged.open(), 0, 5000, map_mode::copy_on_write),
                              mapping::copy(paged.open(), 0, 5000, map_mode::copy_on_write)}) {
        range.data()[4999] = std::byte{'x'};

        range.advise(advice::drop);

        CHECK(range.data()[4999] == std::byte{'x'});
    }
}

TEST_CASE("a mapping moved from is empty, one moved to gives its former range back", "[bytes][mapping]") {
    const paged_file paged;
    {
        auto a = mapping::open(paged.open(), 0, 10, map_mode::read_only);
        auto b = mapping::open(paged.open(), 5, 10, map_mode::read_write);
        CHECK(mapped_ranges(paged.path()) == 2);

        a = std::move(b);

        CHECK(mapped_ranges(paged.path()) == 1);
        CHECK(b.size() == 0);
        CHECK(b.data() == nullptr);
        CHECK((text_of(a) == paged.text().substr(5, 10)));
        CHECK(a.mode() == map_mode::read_write);
        CHECK_NOTHROW(a.flush());
    }
    CHECK(mapped_ranges(paged.path()) == 0);
}

TEST_CASE("thousands of mappings, good and bad, are all given back", "[bytes][mapping]") {
    const paged_file paged;
    const auto open_descriptors = [] {
        const fs::directory_iterator entries("/proc/self/fd");
        return std::distance(begin(entries), end(entries));
    };
    const auto before = open_descriptors();

    for (int i = 0; i < 1100; ++i) {
        (void)mapping::open(paged.open(), 1, 10, map_mode::read_only);
        CHECK_THROWS_AS((void)mapping::open(paged.open(), 1, 1 << 30, map_mode::read_only), format_error);
    }

    CHECK(open_descriptors() == before);
    CHECK(mapped_ranges(paged.path()) == 0);
}

TEST_CASE("more than the address space holds is an error, not a crash", "[bytes][mapping][error]") {
    const temp_dir dir;
    auto made = file::create_exclusive(dir / "t");
    REQUIRE(made);
    try {
        made->resize(std::uint64_t{1} << 62);
    } catch (const io_error&) {
        return;  // no such file system is available
    }

    const auto e =
        thrown<io_error>([&] { (void)mapping::open(*made, 0, std::uint64_t{1} << 62, map_mode::read_only); });

    CHECK(e.file() == dir / "t");
    CHECK(e.code() == std::errc::not_enough_memory);
}

TEST_CASE("asking for huge pages is harmless, whatever the memory", "[bytes][mapping]") {
    std::vector<std::byte> memory(std::size_t{9} << 20, std::byte{1});

    prefer_huge_pages(std::span(memory).subspan(3));
    prefer_huge_pages({});

    CHECK(std::all_of(memory.begin(), memory.end(), [](std::byte each) { return each == std::byte{1}; }));
}

}  // namespace bytes_mapping_tests
