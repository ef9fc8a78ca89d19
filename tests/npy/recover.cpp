// SPDX-License-Identifier: BSD-3-Clause
// recover: rows after the data that the header does not count, and rows of files that are cut short.
#include "npy/rows.hpp"

namespace added_rows::recover_tests {

TEST_CASE("recover counts whole rows behind the data and no part of one", "[npy][append]") {
    const temp_dir dir;
    const auto more = counted_up(2, 4, 12);
    save(dir / "t.npy", counted_up(3, 4));
    add_bytes(dir / "t.npy", bytes_of(more.data(), 64) + std::string(31, 'x'));

    CHECK(recoverable_rows(dir / "t.npy") == 2);
    CHECK(recover(dir / "t.npy") == 2);

    CHECK((load<double, 2>(dir / "t.npy") == counted_up(5, 4)));
    CHECK(recoverable_rows(dir / "t.npy") == 0);
    CHECK(recover(dir / "t.npy") == 0);
    CHECK(dir.files() == 1);
}

TEST_CASE("recover counts columns of a column-major file", "[npy][append]") {
    const temp_dir dir;
    const column_matrix whole = counted_up(3, 6);
    save(dir / "t.npy", column_matrix(xt::view(whole, xt::all(), xt::range(0, 5))));
    add_bytes(dir / "t.npy", bytes_of(whole.data() + 15, 24) + "part");

    CHECK(recover(dir / "t.npy") == 1);

    CHECK((load<double, 2>(dir / "t.npy") == whole));
}

TEST_CASE("recover keeps the metadata and claims nothing of the rows", "[npy][append]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(3, 4), {.meta = {{"a", 1}}, .statistics = true});
    add_bytes(dir / "t.npy", std::string(32, '\0'));

    CHECK(recover(dir / "t.npy") == 1);

    CHECK(metadata(dir / "t.npy") == json{{"a", 1}});
    CHECK_FALSE(said_in(dir / "t.npy").contains("checksums"));
    CHECK_FALSE(said_in(dir / "t.npy").contains("statistics"));
    verify(dir / "t.npy");
}

TEST_CASE("recover rewrites a header without room", "[npy][append]") {
    const temp_dir dir;
    const array_info info{.type = dtype::plain('f', 8), .shape = {9}};
    write_with_header(dir / "t.npy", info, {.version = 1, .length = least_header_length(info, 1)},
                      std::string(9 * 8 + 8 + 3, '\0'));

    CHECK(recover(dir / "t.npy") == 1);

    save(dir / "zeros.npy", xt::xtensor<double, 1>(xt::zeros<double>({10})));
    CHECK((read_text(dir / "t.npy") == read_text(dir / "zeros.npy")));
}

TEST_CASE("recover refuses a second array and a file that is cut short", "[npy][append][error]") {
    const temp_dir dir;
    save(dir / "two.npy", counted_up(3, 4));
    add_bytes(dir / "two.npy", read_text(dir / "two.npy"));
    save(dir / "short.npy", counted_up(3, 4));
    fs::resize_file(dir / "short.npy", 200);

    CHECK_THROWS_AS((void)recoverable_rows(dir / "two.npy"), mismatch_error);
    CHECK_THROWS_AS((void)recoverable_rows(dir / "short.npy"), format_error);
    CHECK_THROWS_AS((void)recover(dir / "two.npy"), mismatch_error);
    CHECK_THROWS_AS((void)recover(dir / "short.npy"), format_error);
    CHECK(fs::file_size(dir / "two.npy") == 2 * 224);
    CHECK(fs::file_size(dir / "short.npy") == 200);
}

TEST_CASE("recover leaves a scalar and rows of no bytes alone", "[npy][append]") {
    const temp_dir dir;
    save(dir / "scalar.npy", 1.5);
    save(dir / "empty.npy", matrix::from_shape({3, 0}));
    add_bytes(dir / "scalar.npy", "behind");
    add_bytes(dir / "empty.npy", "behind");

    CHECK(recover(dir / "scalar.npy") == 0);
    CHECK(recover(dir / "empty.npy") == 0);
}

TEST_CASE("the complete rows of a file that is cut short are counted and written to another", "[npy][recover]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(50, 2));
    const auto cut = read_text(dir / "t.npy").substr(0, 128 + 16 * 20 + 5);
    write_text(dir / "t.npy", cut);

    CHECK(complete_rows(dir / "t.npy") == 20);
    CHECK(recover_rows(dir / "t.npy", dir / "new.npy") == 20);

    CHECK((load<double, 2>(dir / "new.npy") == counted_up(20, 2)));
    CHECK((read_text(dir / "t.npy") == cut));
}

TEST_CASE("complete columns of a column-major file are recovered", "[npy][recover]") {
    const temp_dir dir;
    const column_matrix whole = counted_up(3, 6);
    save(dir / "t.npy", whole);
    fs::resize_file(dir / "t.npy", 128 + 24 * 4 + 23);

    CHECK(recover_rows(dir / "t.npy", dir / "new.npy") == 4);

    CHECK((load<double, 2>(dir / "new.npy") == xt::view(whole, xt::all(), xt::range(0, 4))));
}

TEST_CASE("a file with its header only has no complete rows, and an unharmed one all", "[npy][recover]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(50, 2));
    CHECK(complete_rows(dir / "t.npy") == 50);
    fs::resize_file(dir / "t.npy", 128);

    CHECK(complete_rows(dir / "t.npy") == 0);
    CHECK(recover_rows(dir / "t.npy", dir / "new.npy") == 0);
    CHECK(inspect(dir / "new.npy").shape == std::vector<std::size_t>{0, 2});
}

TEST_CASE("recover_rows refuses a scalar and the damaged file itself", "[npy][recover][error]") {
    const temp_dir dir;
    save(dir / "scalar.npy", 1.5);
    save(dir / "t.npy", counted_up(5, 2));

    CHECK(complete_rows(dir / "scalar.npy") == 0);
    CHECK_THROWS_AS((void)recover_rows(dir / "scalar.npy", dir / "new.npy"), mismatch_error);
    CHECK_THROWS_AS((void)recover_rows(dir / "t.npy", dir / "t.npy"), conflict_error);
    CHECK_FALSE(fs::exists(dir / "new.npy"));
}

TEST_CASE("recover_rows reports its progress and can be stopped", "[npy][recover]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(50, 2));
    progress last;
    const run_options reported{.progress = [&](const progress& now) {
        last = now;
        return flow::go;
    }};
    const run_options stopped{.progress = [](const progress&) { return flow::stop; }};

    CHECK(recover_rows(dir / "t.npy", dir / "new.npy", {.run = reported}) == 50);
    CHECK_THROWS_AS((void)recover_rows(dir / "t.npy", dir / "other.npy", {.run = stopped}), io_error);

    CHECK(last.phase == "recover");
    CHECK(last.bytes == 800);
    CHECK(last.bytes_total == 800);
    CHECK_FALSE(fs::exists(dir / "other.npy"));
}

TEST_CASE("recover_rows leaves no sidecar that describes another array", "[npy][recover]") {
    const temp_dir dir;
    save(dir / "t.npy", counted_up(5, 2));
    save(dir / "new.npy", counted_up(9, 2), {.sum = checksum::crc32});

    CHECK(recover_rows(dir / "t.npy", dir / "new.npy") == 5);

    CHECK_FALSE(fs::exists(sidecar_path(dir / "new.npy")));
}

}  // namespace added_rows::recover_tests
