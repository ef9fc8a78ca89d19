// SPDX-License-Identifier: BSD-3-Clause
// Records with false content.
#include "store/record.hpp"

#include <ndkeep/store/record/record.hpp>
#include <ndkeep/store/upkeep.hpp>
#include <ndkeep/text/unicode.hpp>

namespace store_rows::record_tests {

using namespace ndkeep;

TEST_CASE("names in records lead nowhere but to chunks", "[store][error]") {
    const auto all = one_chunk();
    const auto record = all->text(record_of(1));
    const auto file = *all->names_in("chunks").begin();
    REQUIRE(sealed(record) == record);
    for (const std::string name : {"../x.npy",
                                   "/etc/passwd",
                                   "/etc/x.npy",
                                   "../../x.npy",
                                   "a/b.npy",
                                   "a\\u0000.npy",
                                   "a\\u0000b.npy",
                                   "..npy",
                                   ".npy",
                                   "",
                                   "..",
                                   ".",
                                   "-1.npy",
                                   "1-.npy",
                                   "1--2.npy",
                                   "A.npy",
                                   "0.npy/",
                                   "0.json",
                                   "lock",
                                   "0.npy\\n",
                                   "0000000000000000000000000000000000000000000000000.npy",
                                   "\\ud83d\\ude00.npy",
                                   "0.npy.npz.exe"}) {
        check_refused(all, sealed(replaced(record, file, name)));
        check_refused(all,
                      with_chunks(record, R"([{"table": ")" + name + R"(", "crc32c": "0", "from": 0, "to": 1}])", "6"));
    }
}

TEST_CASE("records of numbers that cannot be are refused", "[store][error]") {
    const auto all = one_chunk();
    const auto record = all->text(record_of(1));
    const auto file = *all->names_in("chunks").begin();
    const auto zeros = [](const std::string& rows) { return "[{\"rows\": " + rows + "}]"; };
    for (const std::string rows : {"-1", "0", "1.5", "1e3", "\"6\"", "null", "18446744073709551616",
                                   "18446744073709551615", "2305843009213693952", "1152921504606846976", "[6]", "true"})
        check_refused(all, with_chunks(record, zeros(rows), rows));
    // Sums that overflow.
    const std::string most = "1152921504606846975";
    check_refused(all, with_chunks(record, "[{\"rows\": " + most + "}, {\"rows\": 1}]", "1152921504606846976"));
    check_refused(all, with_chunks(record, "[" + repeated("{\"rows\": " + most + "}, ", 16) + "{\"rows\": 22}]", "6"));
    // Numbers of rows that do not add up.
    check_refused(all, with_chunks(record, "[]", "6"));
    check_refused(all, with_chunks(record, zeros("5"), "6"));
    check_refused(all, with_chunks(record, "[" + repeated("{\"rows\": 1}, ", 5000) + "{\"rows\": 1}]", "5001"));
    // Wrong byte counts of a chunk.
    for (const std::string nbytes : {"47", "49", "0", "-48", "48.0", "18446744073709551615", "\"48\""})
        check_refused(all, sealed(replaced(record, "\"nbytes\": 48", "\"nbytes\": " + nbytes)));
    for (const std::string offset : {"-1", "16777217", "18446744073709551615", "1e2", "null"})
        check_refused(all, sealed(replaced(record, "\"offset\": 128", "\"offset\": " + offset)));
    for (const std::string sum : {"0", "000000000", "000000000000000000000000000000000000000000000000000000000000000"})
        check_refused(all, sealed(replaced(record, "\"crc32c\": \"", "\"crc32c\": \"" + sum)));
    for (const std::string number : {"\"small\"", "[]", "{}"})
        check_refused(all, sealed(replaced(record, "\"min\": 0", "\"min\": " + number)));
    for (const std::string epoch : {"-1", "0.5", "\"0\"", "99999999999999999999"}) {
        check_refused(all, sealed(replaced(record, "\"epoch\": 0", "\"epoch\": " + epoch)));
        check_refused(all, sealed(replaced(record, "\"rewritten\": 0", "\"rewritten\": " + epoch)));
        check_refused(all, sealed(replaced(record, "\"skips\": []", "\"skips\": [" + epoch + "]")));
        check_refused(all, sealed(replaced(record, "\"row_shape\": []", "\"row_shape\": [" + epoch + "]")));
    }
    check_refused(all,
                  sealed(replaced(record, "\"row_shape\": []", "\"row_shape\": [4294967296, 4294967296, 4294967296]")));
    check_refused(all, sealed(replaced(record, "\"row_shape\": []", "\"row_shape\": [18446744073709551615, 2]")));
}

TEST_CASE("a smallest number of a chunk without a largest is refused, and the reverse", "[store][error]") {
    const auto all = one_chunk();
    const auto record = all->text(record_of(1));

    check_refused(all, sealed(replaced(record, "\"min\": ", "\"least\": ")));
    check_refused(all, sealed(replaced(record, "\"max\": ", "\"most\": ")));
}

TEST_CASE("rows without bytes have no files, and nothing is divided by their size", "[store][error]") {
    const auto all = one_chunk();
    const auto record = all->text(record_of(1));
    check_refused(all, sealed(replaced(record, "\"<f8\"", "\"<U0\"")));
    for (const std::string shape : {"[0]", "[4, 0]"}) {
        const auto text = replaced(record, "\"row_shape\": []", "\"row_shape\": " + shape);
        check_refused(all, sealed(replaced(text, "\"nbytes\": 48", "\"nbytes\": 0")));
        check_refused(all, with_chunks(text, R"([{"rows": 9223372036854775807}, {"rows": 1}])", "0"));
        all->set(record_of(1), with_chunks(text, R"([{"rows": 6}])", "6"));
        CHECK(newest_state(all).rows == 6);
    }
    const auto too_large = replaced(record, "\"row_shape\": []", "\"row_shape\": [0, 18446744073709551615]");
    check_refused(all, with_chunks(too_large, R"([{"rows": 6}])", "6"));
}

TEST_CASE("records of another make are refused", "[store][error]") {
    const auto all = one_chunk();
    const auto record = all->text(record_of(1));
    for (const std::string version : {"chunks/2", "chunks/1.1", "chunks", "sidecar/1", ""})
        check_refused(all, sealed(replaced(record, "chunks/1", version)));
    for (const std::string needs : {R"(["bz2"])", R"({"a": 1})", "\"text\""})
        check_refused(all, sealed(replaced(record, "\"skips\"", "\"needs\": " + needs + ", \"skips\"")));
    for (const std::string id : {"", "1", "../../../../../../../../../../..", "0123456789ABCDEF0123456789ABCDEF"})
        check_refused(all, sealed(replaced(record, record.substr(record.find("\"id\": ") + 7, 32), id)));
    for (const std::string dtype : {"", "|O", "<f9", "<f8x", "object", "[", "[('a', '<f8')", "|V0", "|S0", ">>f8"})
        check_refused(all, sealed(replaced(record, "<f8", dtype)));
    for (const std::string sum : {"sha1", "", "crc32c, md5", "CRC32C"})
        check_refused(all, sealed(replaced(record, "\"sum\": \"crc32c\"", "\"sum\": \"" + sum + "\"")));
    for (const std::string key : {"id", "parent", "skips", "dataset", "epoch", "rewritten", "dtype", "row_shape", "sum",
                                  "chunks", "loops", "metadata", "created"})
        check_refused(all, sealed(replaced(record, '"' + key + "\": ", "\"x" + key + "\": ")));
    for (const std::string other : {"null", "[]", "1", "\"x\""}) {
        check_refused(all, sealed(replaced(record, "\"loops\": {}", "\"loops\": " + other)));
        check_refused(all, sealed(replaced(record, "\"metadata\": {}", "\"metadata\": " + other)));
    }
    check_refused(all, sealed(replaced(record, "{\"ndkeep\"", "[\"ndkeep\"")));
    check_refused(all, sealed("[],\"crc32c\":\"00000000\"}"));
    check_refused(all, sealed(",\"crc32c\":\"00000000\"}"));
}

TEST_CASE("deep, long and strange text of a record is refused", "[store][error]") {
    const auto all = one_chunk();
    const auto record = all->text(record_of(1));
    check_refused(all,
                  sealed(replaced(record, "\"metadata\": {}",
                                  "\"metadata\": " + repeated("{\"a\": ", 100'000) + "1" + repeated("}", 100'000))));
    check_refused(all, sealed(replaced(record, "\"skips\": []",
                                       "\"skips\": " + repeated("[", 100'000) + repeated("]", 100'000))));
    check_refused(all, sealed(replaced(record, "\"metadata\": {}", "\"metadata\": {\"a\": \"\xff\xfe\"}")));
    check_refused(all, sealed(replaced(record, "\"metadata\": {}", std::string("\"metadata\": {\0}", 15))));
    all->set(record_of(1), record + std::string(std::size_t{16} << 20, ' '));
    CHECK_THROWS_AS(rows_in(all), format_error);
    for (std::size_t length = 0; length < record.size(); length += 7) {
        all->set(record_of(1), record.substr(0, length));
        CHECK_THROWS_AS(rows_in(all), checksum_error);
    }
}

TEST_CASE("a chunk that is missing or cut short is an error that names it", "[store][error]") {
    const auto all = one_chunk();
    const auto name = "chunks/" + *all->names_in("chunks").begin();
    const auto text = all->text(name);
    all->set(name, text.substr(0, text.size() - 1));
    CHECK_THROWS_AS(rows_in(all), format_error);
    all->stored.remove(name);
    const auto problem = thrown<format_error>([&] { (void)rows_in(all); });
    CHECK(problem.file() == "memory/" + name);
}

TEST_CASE("no record that lies makes anything remove or keep what is not a chunk", "[store][error]") {
    // Notes have files too, and records name them as they name chunks.
    const auto all = one_chunk();
    for (const std::string note :
         {R"("states": {"file": "../commits/x"})", R"("states": {"file": "../../victim"})",
          R"("states": {"file": "/tmp/victim"})", R"("states": {"file": "lock"})", R"("states": {"file": ""})",
          R"("files": ["../commits/x"])", R"("files": ["lock"])", R"("files": ["/tmp/victim"])", R"("files": [""])"}) {
        CAPTURE(note);
        const auto here = memory::copy_of(*all);
        here->set(record_of(1), with_note(here->text(record_of(1)), "{" + note + "}"));
        const auto process = std::make_shared<memory::process>();
        try {
            detail::chunk_session session(memory::opened(here, process), {.rows_per_chunk = 4});
            session.start_anew(dtype_of<double>(), {}, std::nullopt);
            (void)session.commit();
            memory::place where(here, process);
            detail::commit_log log(where);
            process->locks = memory::lock_kind::none;
            (void)detail::prune(log, 1);
        } catch (const format_error&) {
            // An error is a correct result too.
        }
        for (const auto& made : process->calls)
            if (made.what == "remove" && made.name.starts_with("chunks/"))
                CHECK(detail::is_chunk_name(made.name.substr(7)));
    }
}

TEST_CASE("notes that cannot be are refused", "[store][error]") {
    const auto all = one_chunk();
    const auto record = all->text(record_of(1));
    for (const std::string note :
         {"null", "[]", "4", R"({"step": -1})", R"({"step": "4"})", R"({"step": 1.5})", R"({"step": 4, "files": null})",
          R"({"step": 4, "files": "0.npz"})", R"({"step": 4, "files": [0]})", R"({"files": ["0.npz", "../0.npz"]})"})
        check_refused(all, with_note(record, note));
}

TEST_CASE("a note is read back as it was written, with the names of its files", "[store]") {
    detail::chunk_state state = newest_state(one_chunk());
    state.notes["L"] = {.step = 4, .files = {"0-1.npz", "0-2.npz"}, .content = {{"position", {{"rows", 6}}}}};
    state.notes["M"] = {.step = 1};

    const auto all = memory::empty();
    all->set(record_of(1), detail::record_text(state));
    const auto notes = newest_state(all).notes;

    REQUIRE(notes.size() == 2);
    CHECK(notes.at("L").step == 4);
    CHECK(notes.at("L").files == std::vector<std::string>{"0-1.npz", "0-2.npz"});
    CHECK((notes.at("L").content == json{{"position", {{"rows", 6}}}}));
    CHECK(notes.at("M").files.empty());
    CHECK(notes.at("M").content.empty());
}

TEST_CASE("the file that version 0.1 names for a loop is neither swept nor pruned", "[store]") {
    const auto all = one_chunk();
    const auto dataset = newest_state(all).dataset;
    const auto name = "000000000006-" + detail::writer_word(3, dataset) + "-0.npz";
    all->set("chunks/" + name, "states");
    all->set(record_of(1), with_note(all->text(record_of(1)),
                                     R"({"position": {"chunks": 1, "rows": 6}, "source": {}, "states": {"crc32c": )"
                                     R"("00000000", "file": ")" +
                                         name + R"(", "nbytes": 6}, "step": 4})"));
    leave_file(all);
    const auto files = all->names_in("chunks").size();

    append_and_commit(all, 100);
    {
        memory::place where(all);
        detail::commit_log log(where);
        CHECK(detail::prune(log, 1) == 1);
    }

    CHECK(all->names_in("chunks").size() == files);  // one more chunk, and the file that was left is swept
    CHECK(all->has("chunks/" + name));
    const auto note = newest_state(all).notes.at("L");
    CHECK(note.step == 4);
    CHECK(note.files == std::vector{name});
    // Version 0.1 finds it there too.
    CHECK(json::parse(all->text(record_of(2))).at("loops").at("L").at("states").at("file") == name);
}

TEST_CASE("rows of a damaged chunk are not made good by writing them again", "[store][error]") {
    const auto all = memory::empty();
    {
        writer to(memory::opened(all), {.rows_per_chunk = 4});
        to.append(rows_from(0, 3));
        (void)to.commit();
        to.append(rows_from(3, 3));
        (void)to.commit();
    }
    const auto name = "chunks/" + *all->names_in("chunks").begin();
    auto text = all->text(name);
    text.back() = static_cast<char>(text.back() ^ 1);
    all->set(name, text);
    REQUIRE_THROWS_AS(rows_in(all), checksum_error);

    try {
        detail::chunk_session session(memory::opened(all), {.rows_per_chunk = 100});
        const run_options run;
        progress_meter quiet(run, {.phase = "compact"});
        session.compact(quiet);
        (void)session.commit();
    } catch (const checksum_error&) {
        // The damage is detected, as required.
    }
    CHECK_THROWS_AS(rows_in(all), checksum_error);

    try {
        writer to(memory::opened(all), {.rows_per_chunk = 4});
        to.write(0, rows_from(70, 1));
        to.write(3, rows_from(70, 1));
        (void)to.commit();
    } catch (const checksum_error&) {
        // The damage is detected, as required.
    }
    CHECK_THROWS_AS(rows_in(all), checksum_error);
}

}  // namespace store_rows::record_tests
