// SPDX-License-Identifier: BSD-3-Clause
// The command-line tool: write-protected files are replaced only when asked to.
#include "tool/run_tool.hpp"
#include "users/users.hpp"

namespace tool_protection_tests {

using namespace ndkeep;

namespace {

namespace fs = std::filesystem;

/// Runs `act`, which returns a text, as a user whom the mode of a file stops.
template <class Act>
[[nodiscard]] std::string as_ordinary_user(const users::shared_dir& dir, Act&& act) {
    if (::geteuid() != users::superuser)
        return act();
    return dir.is_open_to(users::nobody) ? users::as_user(users::nobody, act) : "";
}

}  // namespace

TEST_CASE("commands replace a write-protected file with --replace-read-only only", "[tool][error]") {
    const users::shared_dir dir;
    const auto in = [&](const char* name) { return (dir / name).string(); };
    save(dir / "a.npy", twelve(), {.meta = {{"units", "kelvin"}}});
    save_npz(dir / "a.npz", {{"x", twelve()}});
    const std::vector<std::vector<std::string>> commands = {
        {"convert", "-f", in("a.npz"), in("t.npy")}, {"convert", "-f", in("a.npz"), in("t.npz")},
        {"convert", "-f", in("a.npz"), in("t.csv")}, {"convert", "-f", in("a.npz"), in("t.raw")},
        {"meta", in("m.npz"), "set", "/a", "1"},     {"meta", in("m.npy"), "set", "/a", "1"},
        {"meta", in("m.raw"), "set", "/a", "1"},     {"verify", "--write", "--statistics", in("m.npy")},
        {"heat", in("a.npy"), "--svg", in("t.svg")},
    };
    const std::vector<std::string> files = {"t.npy", "t.npz", "t.csv",      "t.raw",      "t.raw.json",
                                            "m.npz", "t.svg", "m.npy.json", "m.raw.json", "m.npy"};

    CHECK(as_ordinary_user(dir, [&]() -> std::string {
              for (const char* const name : {"m.npy", "m.npz", "m.raw", "t.raw"})
                  if (run_tool({"convert", "-f", in("a.npy"), in(name)}).status != 0)
                      return std::string(name) + " was not written";
              for (const auto& name : files)
                  if (!fs::exists(dir / name))
                      write_text(dir / name, "former");
              for (auto words : commands) {
                  const auto line = words[0] + ' ' + words.back();
                  for (const auto& name : files)
                      ::chmod((dir / name).c_str(), 0444);
                  const auto refused = run_tool(words);
                  if (refused.status != 2 || !refused.warns("or use the option --replace-read-only"))
                      return line + " was not refused: " + refused.err;
                  words.emplace_back("--replace-read-only");
                  if (const auto done = run_tool(words); done.status != 0)
                      return line + ": " + done.err;
              }
              return "";
          }) == "");
}

TEST_CASE("metadata of write-protected data can be set, because the data stays", "[tool]") {
    const users::shared_dir dir;
    save(dir / "a.npy", twelve());

    CHECK(as_ordinary_user(dir, [&]() -> std::string {
              for (const char* const name : {"t.npy", "t.raw"}) {
                  const auto file = (dir / name).string();
                  if (run_tool({"convert", (dir / "a.npy").string(), file}).status != 0)
                      return "not written";
                  ::chmod(file.c_str(), 0444);
                  if (const auto done = run_tool({"meta", file, "set", "/a", "1"}); done.status != 0)
                      return done.err;
              }
              return "";
          }) == "");
}

}  // namespace tool_protection_tests
