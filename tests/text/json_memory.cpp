// SPDX-License-Identifier: BSD-3-Clause
// Parsing JSON with too little memory: an error at every allocation, and no end of the process.
#include "support/catch.hpp"
#include "support/replaced_new.hpp"

#include <ndkeep/error.hpp>
#include <ndkeep/text/json/parser.hpp>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <new>
#include <string>
#include <system_error>

namespace {

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
std::atomic<std::size_t> allocations_left = unlimited;
std::atomic<bool> fails_once = false;

}  // namespace

/// Fails once the allocations are used up: for good, like a process at its limit of memory, or once.
void* replaced_new::allocate(std::size_t size) noexcept {
    std::size_t left = allocations_left;
    while (left != unlimited && left != 0 && !allocations_left.compare_exchange_weak(left, left - 1)) {
    }
    if (left != 0)
        return std::malloc(size != 0 ? size : 1);
    if (fails_once)
        allocations_left = unlimited;
    return nullptr;
}
void replaced_new::release(void* memory) noexcept { std::free(memory); }

namespace text_json_memory_tests {

namespace nk = ndkeep;

/// Whether the document could be parsed, and freed, with so many allocations.
bool is_parsed_with(std::size_t allocations, const std::string& text, const std::filesystem::path& file) {
    allocations_left = allocations;
    bool parsed = false;
    try {
        const nk::detail::json_document document(nk::core::parsed_json(text, file));
        parsed = true;
    } catch (const std::bad_alloc&) {
        // Not even the error could be made.
    } catch (const nk::io_error& problem) {
        allocations_left = unlimited;
        if (problem.code() != std::errc::not_enough_memory)
            throw;
    }
    allocations_left = unlimited;
    return parsed;
}

TEST_CASE("parsing with too little memory is an error, at whichever allocation it ends", "[text][error]") {
    const std::string text = R"({"a": [[1, 2], {"b": {"c": ["text that is too long for a string without memory"]}}, []],
        "a key that is too long for a string without memory": {"d": [[[[]]], null, 2.5, {"e": {}}]}})";
    const std::filesystem::path file = "t.npy.json";
    std::size_t most = 0;
    while (!is_parsed_with(most, text, file))
        ++most;
    CHECK(most > 30);
}

TEST_CASE("too little memory for a document names the file", "[text][error]") {
    const std::string text = "[\"" + std::string(1000, 'x') + "\"]";
    fails_once = true;
    allocations_left = 0;
    std::string found;
    try {
        (void)nk::core::parsed_json(text, "t.npy.json");
    } catch (const nk::io_error& problem) {
        found = problem.what();
    }
    fails_once = false;
    CHECK(found == "t.npy.json: cannot allocate memory for the values of 1004 bytes of JSON: Cannot allocate memory");
}

}  // namespace text_json_memory_tests
