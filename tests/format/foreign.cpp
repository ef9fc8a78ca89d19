// SPDX-License-Identifier: BSD-3-Clause
#include <ndkeep/format/foreign.hpp>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <string>

namespace format_foreign_tests {

using namespace std::string_literals;

TEST_CASE("formats that are taken for arrays are known by their first bytes", "[format]") {
    const auto name = [](std::string_view begin) { return std::string(ndkeep::core::foreign_format_of(begin).name); };

    CHECK(name("version https://git-lfs.github.com/spec/v1\n") == "a Git LFS pointer");
    CHECK(name("\n <!DOCTYPE html><html>") == "an HTML page");
    CHECK(name("<HTML>") == "an HTML page");
    CHECK(name("\x1f\x8b\x08\0"s) == "a gzip file");
    CHECK(name("PK\x03\x04") == "a zip archive");
    CHECK(name("\x80\x04\x95") == "a pickle");
    CHECK(name("\x89HDF\r\n\x1a\n") == "an HDF5 file");
    CHECK(name("\x93NUMPY\x01\0"s) == "an npy file");
    CHECK(name("1.0,2.0\n").empty());
    CHECK(name("<h").empty());
    CHECK(name("\x80\x93").empty());
    CHECK(name("").empty());
}

TEST_CASE("a file that is something else is named where the magic of npy is expected", "[format][error]") {
    const temp_dir dir;
    write_text(dir / "t.npy", "version https://git-lfs.github.com/spec/v1\noid sha256:00\n");

    const auto e = thrown<ndkeep::format_error>([&] { (void)ndkeep::inspect(dir / "t.npy"); });
    CHECK(e.found() == "that of a Git LFS pointer");
    CHECK(e.hint() == "`git lfs pull` fetches the file itself");
}

TEST_CASE("a file that is something else is named where the end of an archive is expected", "[format][error]") {
    const temp_dir dir;
    const auto hint_for = [&](const std::string& text) {
        write_text(dir / "t.npz", text);
        return thrown<ndkeep::format_error>([&] { (void)ndkeep::npz_reader(dir / "t.npz"); }).hint();
    };

    CHECK(hint_for("\x93NUMPY\x01\0"s) == "the file is an npy file: load reads it");
    CHECK(hint_for("\x89HDF\r\n\x1a\n") == "the file is an HDF5 file: h5py reads it");
    CHECK(hint_for("PK\x03\x04 and so on") ==
          "the archive is cut short, or followed by other bytes; recover_npz saves its complete members, restore_npz "
          "cuts off what follows");
    CHECK(hint_for("PK\x05\x06" + std::string(18, '\0') + "more") ==
          "the archive is empty, and cut short or followed by other bytes");
    CHECK(hint_for("text") == "the file is not a zip archive, or it is cut short");
}

}  // namespace format_foreign_tests
