// SPDX-License-Identifier: BSD-3-Clause
// Entry point of the command-line tool ndkeep.
#include "tool.hpp"

#include <csignal>
#include <iostream>

#include <signal.h>  // sigaction: std::signal does not specify whether the handler stays installed after a signal

int main(int argc, char** argv) {
    std::ios::sync_with_stdio(false);
    static_assert(std::atomic<bool>::is_always_lock_free);
    struct sigaction action = {};
    action.sa_handler = [](int) { tool::interrupted().store(true); };
    action.sa_flags = static_cast<int>(SA_RESETHAND);  // a second Ctrl-C kills code that does not poll the flag
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
    std::signal(SIGPIPE, SIG_DFL);  // `| head` ends silently, even if the parent process ignores the signal
    return tool::run({argv + (argc > 0 ? 1 : 0), argv + argc}, std::cout, std::cerr);
}
