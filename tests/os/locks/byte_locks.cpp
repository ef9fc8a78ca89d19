// SPDX-License-Identifier: BSD-3-Clause
// Locks of single bytes of a file: who can hold one, for how long, and who waits.
#include "support/faults.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/os/locks/byte_locks.hpp>
#include <ndkeep/store/layout.hpp>  // the number that writers share

#include <chrono>
#include <memory>
#include <thread>

namespace os_byte_locks_tests {

using namespace ndkeep;

namespace {

struct lock_dir {
    lock_dir() { write_text(dir / "lock", ""); }
    [[nodiscard]] byte_locks open(file::access wanted = file::access::read_write) const {
        return byte_locks(file::open(dir / "lock", wanted));
    }
    temp_dir dir;
};

}  // namespace

TEST_CASE("shared locks go together, exclusive ones with none", "[store]") {
    const lock_dir of;
    auto one = of.open(), other = of.open();

    CHECK(one.lock_shared(17));
    CHECK(other.lock_shared(17));
    CHECK_FALSE(other.lock(17));
    CHECK(other.lock(18));
    CHECK_FALSE(one.lock_shared(18));
    CHECK_FALSE(one.lock(0, 30));
    other.unlock(18);
    other.unlock(17);
    CHECK(one.lock(0, 30));
    CHECK_FALSE(other.lock_shared(29));
    CHECK(other.lock_shared(30));
    CHECK(one.lock_shared(detail::lock_writing));
    CHECK(other.lock(detail::lock_writing + 1));
}

TEST_CASE("a lock that cannot become exclusive stays shared", "[store]") {
    const lock_dir of;
    auto one = of.open(), other = of.open(), third = of.open();
    REQUIRE(one.lock_shared(5));
    REQUIRE(other.lock_shared(5));

    CHECK_FALSE(one.lock(5));

    other.unlock(5);
    CHECK_FALSE(third.lock(5));  // still held by `one`
    CHECK(one.lock(5));
    CHECK(one.lock_shared(5));
    CHECK(third.lock_shared(5));
}

TEST_CASE("the lowest number that somebody else holds is found", "[store]") {
    const lock_dir of;
    auto own = of.open(), one = of.open(), other = of.open(file::access::read);
    CHECK_FALSE(own.held_below(100).has_value());
    REQUIRE(own.lock_shared(3));
    REQUIRE(one.lock_shared(50));
    REQUIRE(other.lock_shared(20));
    REQUIRE(other.lock_shared(21));
    REQUIRE(one.lock_shared(20));

    CHECK(own.held_below(100) == 20);
    CHECK(own.held_below(21) == 20);
    CHECK_FALSE(own.held_below(20).has_value());
    CHECK_FALSE(own.held_below(0).has_value());
    CHECK(one.held_below(100) == 3);
    CHECK(own.lock(0, 20));
    CHECK_FALSE(own.lock(0, 21));
}

TEST_CASE("locks are released with what holds them, and by nothing else", "[store]") {
    const lock_dir of;
    auto other = of.open();
    {
        auto held = of.open();
        REQUIRE(held.lock(1));
        { const auto unrelated = file::open(of.dir / "lock"); }  // as POSIX locks would be
        CHECK_FALSE(other.lock_shared(1));
        auto moved = std::move(held);
        CHECK_FALSE(other.lock_shared(1));
    }
    CHECK(other.lock(1));
    const auto end = faults::in_child([&]() -> std::string {
        auto held = of.open();
        if (!held.lock(2) || held.lock(1))
            return "not as in another process";
        faults::session::die();
    });
    CHECK(end.killed);
    CHECK(other.lock(2));
}

TEST_CASE("who waits for a lock gets it, or hears that it was not released", "[store][threads]") {
    const lock_dir of;
    auto own = of.open();
    auto held = std::make_unique<byte_locks>(of.open());
    REQUIRE(held->lock(7));
    const auto begin = std::chrono::steady_clock::now();
    CHECK_FALSE(own.lock_within(7, std::chrono::milliseconds(30)));
    CHECK(std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(30));

    std::thread releases([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        held.reset();
    });
    CHECK(own.lock_within(7, std::chrono::seconds(20)));
    releases.join();
}

TEST_CASE("locks of nobody are always granted", "[store]") {
    byte_locks none;
    CHECK_FALSE(none.is_open());
    CHECK(none.lock(0, 100));
    CHECK(none.lock_shared(5));
    CHECK_FALSE(none.held_below(100).has_value());
    CHECK(none.lock_within(5, std::chrono::milliseconds(0)));
}

}  // namespace os_byte_locks_tests
