// SPDX-License-Identifier: BSD-3-Clause
// Archives used by several threads.
#include "support/threads.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npz.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace npz_threads_tests {

namespace nk = ndkeep;

namespace {

/// Catch2's assertions are not thread-safe, so each thread returns whether its result is correct.
bool begins_with(const auto& array, double first) { return array.size() == 100'000 && array(0) == first; }

}  // namespace

TEST_CASE("one reader serves several threads", "[npz][threads]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    std::vector<nk::npz_item> items;
    for (int i = 0; i < 8; ++i)
        items.emplace_back(std::to_string(i), xt::xtensor<double, 1>(xt::arange<double>(100'000) + i),
                           nk::npz_member_options{.compress = i % 2 == 0});
    nk::save_npz(file, items, {.meta = {{"run", 7}}, .sum = nk::checksum::crc32});
    const auto text = read_text(file);
    std::vector<std::max_align_t> room(text.size() / sizeof(std::max_align_t) + 1);
    std::memcpy(room.data(), text.data(), text.size());
    const nk::npz_reader on_disk(file);
    const nk::npz_reader in_memory(
        std::span<const std::byte>(reinterpret_cast<const std::byte*>(room.data()), text.size()));
    std::atomic<int> right = 0;

    in_threads(4, [&](int number) {
        for (const auto* in : {&on_disk, &in_memory})
            for (int i = 0; i < 8; ++i) {
                const int at = (i + number) % 8;
                const auto name = std::to_string(at);
                right += begins_with(in->load<double, 1>(name), at);
                right += in->load_any(name).size() == 100'000;
                right += in->inspect(name).shape[0] == 100'000;
                right += in->bytes(name).size() == 800'128;
                right += at % 2 == 0 || begins_with(in->map<double, 1>(name), at);
                right += in->metadata()["run"] == 7;
            }
    });

    CHECK(right == 4 * 2 * 8 * 6);
}

TEST_CASE("members are compressed and verified by several threads", "[npz][threads]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    const xt::xtensor<double, 1> large = xt::arange<double>(420'000);
    const nk::run_options four{.threads = 4};
    std::vector<nk::npz_item> items;
    for (int i = 0; i < 6; ++i)
        items.emplace_back(std::to_string(i), large);

    nk::save_npz(file, items, {.compress = true, .sum = nk::checksum::crc32c, .run = four});

    CHECK(nk::findings_npz(file, {.run = four}).empty());
    CHECK((nk::npz_reader(file, {.run = four}).load<double, 1>("5") == large));
}

TEST_CASE("a stop from another thread ends save_npz and findings_npz", "[npz][threads]") {
    const temp_dir dir;
    const xt::xtensor<double, 1> large = xt::arange<double>(420'000);
    const std::vector<nk::npz_item> items(1, nk::npz_item("a", large));
    nk::save_npz(dir / "a.npz", items);
    std::atomic<bool> stop = false;
    std::thread later([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        stop = true;
    });

    const nk::run_options run{.threads = 4, .stop = &stop};
    const auto saving = thrown<nk::io_error>([&] {
        for (;;)
            nk::save_npz(dir / "b.npz", items, {.compress = true, .run = run});
    });
    const auto verifying = thrown<nk::io_error>([&] {
        for (;;)
            (void)nk::findings_npz(dir / "a.npz", {.run = run});
    });
    later.join();

    CHECK(saving.code() == std::errc::operation_canceled);
    CHECK(verifying.code() == std::errc::operation_canceled);
}

TEST_CASE("threads that append to one archive lose no member", "[npz][append][threads]") {
    constexpr int threads = 4;
    constexpr int rounds = 10;
    const temp_dir dir;
    const auto file = dir / "a.npz";
    std::atomic<int> failed = 0;

    in_threads(threads, [&](int number) {
        try {
            for (int round = 0; round < rounds; ++round) {
                nk::npz_writer out(file, {.append = true, .run = {.threads = 2}});
                out.add(std::to_string(number) + '_' + std::to_string(round), static_cast<double>(round),
                        {.compress = round % 2 == 0});
                out.commit();
            }
        } catch (const std::exception&) {
            ++failed;
        }
    });

    CHECK(failed == 0);
    const nk::npz_reader in(file);
    CHECK(in.names().size() == threads * rounds);
    CHECK(in.load<double, 0>("3_9")() == 9);
    CHECK(nk::findings_npz(file).empty());
    CHECK(dir.files() == 1);
}

TEST_CASE("a second writer of a name waits until the first is done", "[npz][threads]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    std::atomic<bool> first_is_done = false;
    std::atomic<bool> second_came_later = false;
    std::thread second;
    {
        nk::npz_writer first(file);
        second = std::thread([&] {
            nk::npz_writer out(file, {.append = true});
            second_came_later = first_is_done.load();
            out.add("b", 2.5);
            out.commit();
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        first.add("a", 1.5);
        first_is_done = true;
        first.commit();
    }
    second.join();

    CHECK(second_came_later);
    CHECK(nk::npz_reader(file).names() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("readers see one archive or the next while a writer replaces them", "[npz][threads]") {
    const temp_dir dir;
    const auto file = dir / "a.npz";
    const auto save = [&](int round) {
        nk::save_npz(file, {{"a", xt::xtensor<double, 1>(xt::ones<double>({100'000}) * round)}},
                     {.meta = {{"round", round}}, .sum = nk::checksum::crc32});
    };
    save(0);
    std::atomic<bool> done = false;
    std::atomic<int> wrong = 0;

    std::thread writer([&] {
        for (int round = 1; round < 20; ++round)
            save(round);
        done = true;
    });
    in_threads(2, [&](int) {
        while (!done) {
            const nk::npz_reader in(file);
            const auto array = in.load<double, 1>("a");
            wrong += array(0) != in.metadata()["round"].get<double>() || array(99'999) != array(0);
        }
    });
    writer.join();

    CHECK(wrong == 0);
}

}  // namespace npz_threads_tests
