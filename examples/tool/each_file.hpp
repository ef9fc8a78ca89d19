// SPDX-License-Identifier: BSD-3-Clause
// A command that does the same with each of several files: one that cannot be read does not keep it from the next.
#pragma once

#include "output.hpp"
#include "tool.hpp"

#include <ndkeep/error.hpp>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

namespace tool {

/// Calls `use` with each path, says what it throws, and returns the worst outcome of all.
/// @param use  takes a path and returns an outcome
template <class Use>
[[nodiscard]] outcome each_file(const context& with, const std::vector<std::string>& paths, Use&& use) {
    outcome worst = outcome::fine;
    const auto say = [&](const std::string& problem) {
        with.out.flush();  // so that both are in order where they go to one place
        with.err << "ndkeep: " << shown(problem) << '\n';
    };
    for (const auto& path : paths) {
        check_interrupted(path);
        outcome result = outcome::failure;
        try {
            result = use(std::filesystem::path(path));
        } catch (const ndkeep::error& problem) {
            if (interrupted())
                throw;
            say(problem.what());
        } catch (const usage_error&) {
            throw;
        } catch (const std::bad_alloc&) {
            say(path + ": there is not enough memory");
        } catch (const std::exception& problem) {
            say(path + ": " + problem.what());
        }
        worst = std::max(worst, result);
    }
    return worst;
}

}  // namespace tool
