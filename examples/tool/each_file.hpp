// SPDX-License-Identifier: BSD-3-Clause
// Runs a command on each of several files. An error in one file does not stop the others.
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

/// Calls `use` with each path, prints the errors it throws, and returns the worst outcome.
/// @param use  takes a path and returns an outcome
template <class Use>
[[nodiscard]] outcome each_file(const context& with, const std::vector<std::string>& paths, Use&& use) {
    outcome worst = outcome::fine;
    const auto say = [&](const std::string& problem) {
        with.out.flush();  // keeps both streams in order if they go to the same terminal or file
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
            say(message_of(problem));
        } catch (const usage_error&) {
            throw;
        } catch (const std::bad_alloc&) {
            say(path + ": not enough memory");
        } catch (const std::exception& problem) {
            say(path + ": " + problem.what());
        }
        worst = std::max(worst, result);
    }
    return worst;
}

}  // namespace tool
