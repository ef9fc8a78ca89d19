// SPDX-License-Identifier: BSD-3-Clause
// Every way to find changed pages finds exactly those that were stored into.
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/os/mapping.hpp>
#include <ndkeep/os/page_tracker.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace page_tracker_tests {

namespace nk = ndkeep;
using method = nk::page_tracker::method;
using runs = std::vector<nk::page_run>;

namespace {

constexpr std::uint64_t pages = 1000;

/// A private mapping of a file of many pages, none of them zeros.
class private_pages {
  public:
    private_pages() {
        write_text(dir_ / "t", std::string(static_cast<std::size_t>(size()), 'x'));
        source_ = nk::file::open(dir_ / "t", nk::file::access::read_write);
        range_ = nk::address_range(size(), size(), source_.path());
        range_.place(source_, 0, size());
    }
    [[nodiscard]] static std::uint64_t page() { return nk::mapping::page_size(); }
    [[nodiscard]] static std::uint64_t size() { return pages * page(); }
    [[nodiscard]] std::byte* at(std::uint64_t number) const { return range_.data() + number * page(); }
    void store(std::uint64_t number, char value = 'y') const { *at(number) = static_cast<std::byte>(value); }
    [[nodiscard]] const nk::file& source() const { return source_; }

    [[nodiscard]] runs found(method how) const {
        return nk::page_tracker(how).stored_into({range_.data(), static_cast<std::size_t>(size())}, source_, 0);
    }
    [[nodiscard]] static runs numbered(const std::vector<nk::page_run>& wanted) {
        runs made;
        for (const auto& run : wanted)
            made.push_back({run.first * page(), run.last * page()});
        return made;
    }

  private:
    temp_dir dir_;
    nk::file source_;
    nk::address_range range_;
};

/// Runs `act` in a child process, which returns whether it holds there.
template <class Act>
bool holds_in_child(Act&& act) {
    const pid_t child = ::fork();
    if (child == 0) {
        bool holds = false;
        try {
            holds = act();
        } catch (const std::exception&) {
            holds = false;
        }
        ::_exit(holds ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool works(method how) {
    const private_pages scratch;
    scratch.store(3);
    // `stored_into` compares if the system does not answer, so the environment is asked.
    ::setenv("NDKEEP_PAGE_TRACKER", std::string(nk::page_tracker::name(how)).c_str(), 1);
    bool works = true;
    try {
        (void)nk::page_tracker::for_files_like(scratch.source());
    } catch (const nk::mismatch_error&) {
        works = false;
        WARN(nk::page_tracker::name(how) << " does not work here: not tried");
    }
    ::unsetenv("NDKEEP_PAGE_TRACKER");
    return works;
}

/// Calls a test with every method that works here.
template <class Act>
void with_each(Act&& act) {
    for (const auto how : {method::scan, method::pagemap, method::compare})
        if (works(how)) {
            CAPTURE(nk::page_tracker::name(how));
            act(how);
        }
}

}  // namespace

TEST_CASE("stores are found, reads are not", "[os][page_tracker]") {
    with_each([](method how) {
        const private_pages memory;
        CHECK(memory.found(how).empty());
        volatile std::byte seen = *memory.at(5);
        (void)seen;
        memory.store(0);
        memory.store(7);
        memory.store(8);
        memory.store(999);

        CHECK(memory.found(how) == private_pages::numbered({{0, 1}, {7, 9}, {999, 1000}}));
    });
}

TEST_CASE("every other page is found", "[os][page_tracker]") {
    with_each([](method how) {
        const private_pages memory;
        runs wanted;
        for (std::uint64_t i = 1; i < pages; i += 2) {
            memory.store(i);
            wanted.push_back({i, i + 1});
        }

        CHECK((memory.found(how) == private_pages::numbered(wanted)));
    });
}

TEST_CASE("a store of the same value is a change, unless bytes are compared", "[os][page_tracker]") {
    with_each([](method how) {
        const private_pages memory;
        memory.store(4, 'x');
        memory.store(6);

        CHECK(memory.found(how) ==
              private_pages::numbered(how == method::compare ? runs{{6, 7}} : runs{{4, 5}, {6, 7}}));
    });
}

TEST_CASE("a child that stores after a fork changes nothing here", "[os][page_tracker]") {
    with_each([](method how) {
        const private_pages memory;
        memory.store(2);

        CHECK(holds_in_child([&] {
            memory.store(3);
            return memory.found(how) == private_pages::numbered({{2, 4}});
        }));

        CHECK(memory.found(how) == private_pages::numbered({{2, 3}}));
    });
}

#if defined(MADV_PAGEOUT)
TEST_CASE("pages that the system may have swapped out are found", "[os][page_tracker]") {
    with_each([](method how) {
        const private_pages memory;
        for (std::uint64_t i = 100; i < 200; ++i)
            memory.store(i);
        volatile std::byte seen = *memory.at(300);
        (void)seen;
        (void)::madvise(memory.at(0), static_cast<std::size_t>(private_pages::size()), MADV_PAGEOUT);

        CHECK(memory.found(how) == private_pages::numbered({{100, 200}}));
    });
}
#endif

TEST_CASE("bytes that the system reads into the memory are found", "[os][page_tracker]") {
    with_each([](method how) {
        const private_pages memory;
        int ends[2] = {};
        REQUIRE(::pipe(ends) == 0);
        REQUIRE(::write(ends[1], "abc", 3) == 3);

        // Across the boundary of two pages that were never touched.
        CHECK(::read(ends[0], memory.at(51) - 1, 3) == 3);

        CHECK(memory.found(how) == private_pages::numbered({{50, 52}}));
        ::close(ends[0]);
        ::close(ends[1]);
    });
}

TEST_CASE("pages whose copies were dropped are not found", "[os][page_tracker]") {
    with_each([](method how) {
        const private_pages memory;
        memory.store(1);
        memory.store(2);
        REQUIRE(::madvise(memory.at(1), private_pages::page(), MADV_DONTNEED) == 0);

        CHECK(memory.found(how) == private_pages::numbered({{2, 3}}));
    });
}

TEST_CASE("changed pages are found in a process that gave up its rights", "[os][page_tracker]") {
    with_each([](method how) {
        // Made here, because the child may not remove it once it is an ordinary user.
        const private_pages memory;
        CHECK(holds_in_child([&] {
            memory.store(9);
            // As root such a process may still ask, as an ordinary user not.
            if (::geteuid() == 0 && ::setuid(65534) != 0)
                return false;
            if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
                return false;
            return memory.found(how) == private_pages::numbered({{9, 10}});
        }));
    });
}

TEST_CASE("NDKEEP_PAGE_TRACKER selects a method, and other values are an error", "[os][page_tracker][error]") {
    const private_pages scratch;
    const auto chosen = [&](const char* name) {
        ::setenv("NDKEEP_PAGE_TRACKER", name, 1);
        try {
            const auto how = nk::page_tracker::for_files_like(scratch.source()).how();
            ::unsetenv("NDKEEP_PAGE_TRACKER");
            return how;
        } catch (...) {
            ::unsetenv("NDKEEP_PAGE_TRACKER");
            throw;
        }
    };

    CHECK((chosen("compare") == method::compare));
    CHECK((chosen("") == nk::page_tracker::for_files_like(scratch.source()).how()));
    for (const char* const wrong : {"Scan", "scan ", "msync", "0"}) {
        const auto e = thrown<nk::mismatch_error>([&] { (void)chosen(wrong); });
        CHECK(e.field() == "NDKEEP_PAGE_TRACKER");
        CHECK(e.found() == "'" + std::string(wrong) + "'");
    }
}

TEST_CASE("a scratch file that is too short leaves the comparison", "[os][page_tracker]") {
    const temp_dir dir;
    write_text(dir / "t", "short");

    CHECK((nk::page_tracker::for_files_like(nk::file::open(dir / "t")).how() == method::compare));
}

}  // namespace page_tracker_tests
