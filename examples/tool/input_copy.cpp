// SPDX-License-Identifier: BSD-3-Clause
#include "input_copy.hpp"

#include "given_name.hpp"
#include "tool.hpp"

#include <ndkeep/error.hpp>
#include <ndkeep/os/file.hpp>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <system_error>
#include <vector>

#include <signal.h>  // sigaction: std::signal does not tell what ends the process and what is ignored
#include <unistd.h>  // read: unlike a C++ stream, it returns when Ctrl-C interrupts it

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

[[nodiscard]] fs::path new_folder() {
    std::error_code problem;
    const fs::path where = fs::temp_directory_path(problem);
    if (problem)
        throw nk::io_error("TMPDIR", "names no folder for temporary files", problem);
    auto name = (where / "ndkeep-input-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        throw nk::io_error(where, "cannot create a folder in", nk::core::last_error());
    return name;
}

// What the signal handler removes.
std::atomic<const char*> removed_file = nullptr, removed_folder = nullptr;
static_assert(std::atomic<const char*>::is_always_lock_free);

/// Removes the copy, and ends the process as the signal does without a handler. Makes only calls that POSIX permits in
/// handlers.
extern "C" void remove_copy(int number) {
    if (const char* const name = removed_file)
        ::unlink(name);
    if (const char* const name = removed_folder)
        ::rmdir(name);
    ::raise(number);  // SA_RESETHAND has restored the default
}

}  // namespace

std::size_t read_input(std::span<std::byte> out) {
    for (;;) {
        const auto count = ::read(STDIN_FILENO, out.data(), out.size());
        check_interrupted("-");
        if (count >= 0)
            return static_cast<std::size_t>(count);
        if (errno != EINTR)
            throw nk::io_error("-", "cannot read", nk::core::last_error());
    }
}

/// Removes a copy of standard input: at destruction, and if a signal ends the process.
class input_copy::removal {
  public:
    explicit removal(const fs::path& file) : file_(file.string()), folder_(file.parent_path().string()) {
        removed_file = file_.c_str();
        removed_folder = folder_.c_str();
        struct sigaction action = {};
        action.sa_handler = remove_copy;
        action.sa_flags = static_cast<int>(SA_RESETHAND);
        sigemptyset(&action.sa_mask);
        for (std::size_t i = 0; i < signals.size(); ++i) {
            sigaction(signals[i], nullptr, &former_[i]);
            if (former_[i].sa_handler == SIG_DFL)  // nohup ignores SIGHUP, and it stays ignored
                sigaction(signals[i], &action, nullptr);
        }
    }
    removal(const removal&) = delete;
    removal& operator=(const removal&) = delete;
    ~removal() {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
        for (std::size_t i = 0; i < signals.size(); ++i)
            sigaction(signals[i], &former_[i], nullptr);
        removed_file = removed_folder = nullptr;
    }

  private:
    static constexpr std::array signals = {SIGPIPE, SIGTERM, SIGHUP};

    std::string file_, folder_;
    std::array<struct sigaction, signals.size()> former_ = {};
};

input_copy::input_copy(std::span<const std::byte> begin)
    : path_(new_folder() / "input"), removal_(std::make_unique<removal>(path_)) {
    set_copy_of_input(path_);
    read(begin);
}

input_copy::~input_copy() = default;

void input_copy::read(std::span<const std::byte> begin) {
    auto out = nk::file::create_exclusive(path_, path_);
    if (!out)
        throw nk::io_error(path_, "cannot create", nk::core::last_error());
    out->write(0, begin);
    std::uint64_t length = begin.size();
    std::vector<std::byte> block(std::size_t{1} << 20);
    while (const std::size_t count = read_input(block)) {
        out->write(length, std::span(block).first(count));
        length += count;
    }
    out->close();
}

}  // namespace tool
