// SPDX-License-Identifier: BSD-3-Clause
// Tables with long lists of chunks: damaged or false tables, and the length of records.
#include "store/record.hpp"

#include <ndkeep/bytes/crc.hpp>

#include <random>

namespace store_rows::table_tests {

using namespace ndkeep;

namespace {

/// 300 chunks of one row, most of them in a table.
struct tabled {
    tabled() {
        writer to(memory::opened(all), {.rows_per_chunk = 1});
        to.append(rows_from(0, 300));
        (void)to.commit();
        record = all->text(record_of(1));
        const auto at = record.find("\"table\": \"") + 10;
        file = record.substr(at, record.find('"', at) - at);
        table = all->text("chunks/" + file);
        sum = sum_of(table);
    }
    static std::string sum_of(const std::string& text) { return detail::hex_text(crc32c(detail::bytes_of(text))); }
    /// Replaces the table of that name, with a matching checksum in the record.
    void put(const std::string& text) {
        all->set("chunks/" + file, text);
        all->set(record_of(1), sealed(replaced(record, sum, sum_of(text))));
    }

    std::shared_ptr<memory::content> all = memory::empty();
    std::string record, file, table, sum;
};

}  // namespace

TEST_CASE("a table that is not what its sum says is damage", "[store][error]") {
    tabled is;
    REQUIRE(rows_in(is.all).size() == 300);
    for (std::size_t at = 0; at < is.table.size(); at += 97) {
        auto text = is.table;
        text[at] = static_cast<char>(text[at] ^ 4);
        is.all->set("chunks/" + is.file, text);
        const auto problem = thrown<checksum_error>([&] { (void)rows_in(is.all); });
        CHECK(problem.file() == "memory/chunks/" + is.file);
    }
    is.all->stored.remove("chunks/" + is.file);
    CHECK_THROWS_AS(rows_in(is.all), format_error);
}

TEST_CASE("a table that lies under its true sum is refused", "[store][error]") {
    tabled is;
    const auto header = is.table.find('\n') + 1;
    const std::size_t length = 48 + 3 * 8 + 8 + 2 * 8;
    REQUIRE((is.table.size() - header) % length == 0);
    const auto with = [&](std::size_t offset, const std::string& bytes) {
        auto text = is.table;
        text.replace(header + offset, bytes.size(), bytes);
        return text;
    };
    const std::string ones(8, '\xff'), none(8, '\0');
    for (const auto& text :
         {with(0, "../../../x.npy"), with(0, std::string("/tmp/x.npy\0", 11)), with(48, none), with(48, ones),
          with(56, ones), with(56, none), with(64, ones), with(length + 48, ones),
          is.table.substr(0, is.table.size() - 1), is.table + 'x', is.table.substr(0, header), is.table.substr(0, 20),
          std::string(), std::string(200, '\0'), replaced(is.table, "('rows', '<u8')", "('rows', '<i8')"),
          replaced(is.table, "(300,)", "(301,)"), replaced(is.table, "(300,)", "(30, 10)")}) {
        is.put(text);
        CHECK_THROWS_AS(rows_in(is.all), format_error);
    }
}

TEST_CASE("ranges beyond a table are refused", "[store][error]") {
    tabled is;
    const auto item = [&](const std::string& from, const std::string& to) {
        return R"({"table": ")" + is.file + R"(", "crc32c": ")" + is.sum + R"(", "from": )" + from + ", \"to\": " + to +
               '}';
    };
    const auto record = [&](const std::string& items, const std::string& rows) {
        const auto begin = is.record.find("\"chunks\": [") + 10;
        return sealed(
            replaced(is.record.substr(0, begin) + '[' + items + ']' + is.record.substr(is.record.find(", \"loops\"")),
                     "\"rows\": 300", "\"rows\": " + rows));
    };
    check_refused(is.all, record(item("0", "301"), "301"));
    check_refused(is.all, record(item("5", "5"), "0"));
    check_refused(is.all, record(item("6", "5"), "18446744073709551615"));
    check_refused(is.all, record(item("-1", "5"), "6"));
    check_refused(is.all, record(item("0", "18446744073709551615"), "300"));
    check_refused(is.all, record(item("18446744073709551615", "0"), "1"));
    check_refused(is.all, record(item("0", "1.0"), "1"));
}

TEST_CASE("a table of more rows than a file can hold is refused, whatever range of it is named", "[store][error]") {
    // Rows of zeros take no file, so that two entries can have more rows than 63 bits of bytes hold.
    tabled is;
    const auto header = is.table.find('\n') + 1;
    const std::size_t length = 48 + 3 * 8 + 8 + 2 * 8;
    constexpr std::uint64_t most = (std::uint64_t{1} << 60) - 1;
    for (std::size_t i = 0; i < 17; ++i) {
        std::string entry(length, '\0');
        for (int byte = 0; byte < 8; ++byte) {
            entry[48 + static_cast<std::size_t>(byte)] = static_cast<char>(most >> (8 * byte));
            entry[56 + static_cast<std::size_t>(byte)] = static_cast<char>((8 * most) >> (8 * byte));
        }
        is.table.replace(header + i * length, length, entry);
    }
    is.all->set("chunks/" + is.file, is.table);

    for (const std::string range : {R"("from": 0, "to": 17)", R"("from": 10, "to": 17)", R"("from": 16, "to": 20)"})
        for (const std::string rows : {"0", "6", "2", "9223372036854775808"}) {
            const auto begin = is.record.find("\"chunks\": [") + 10;
            const auto item =
                R"([{"table": ")" + is.file + R"(", "crc32c": ")" + tabled::sum_of(is.table) + "\", " + range + "}]";
            check_refused(is.all, sealed(replaced(is.record.substr(0, begin) + item +
                                                      is.record.substr(is.record.find(", \"loops\"")),
                                                  "\"rows\": 300", "\"rows\": " + rows)));
        }
}

TEST_CASE("a small record that asks for more chunks than there are files is refused", "[store][error]") {
    // Each of 4096 items may refer to a complete table: a table of 10 MB would expand to entries of 70 GB in memory.
    tabled is;
    std::string items;
    for (int i = 0; i < 4000; ++i)
        items += R"({"table": ")" + is.file + R"(", "crc32c": ")" + is.sum + R"(", "from": 0, "to": 300}, )";
    items.resize(items.size() - 2);
    const auto begin = is.record.find("\"chunks\": [") + 10;
    check_refused(is.all, sealed(replaced(is.record.substr(0, begin) + '[' + items + ']' +
                                              is.record.substr(is.record.find(", \"loops\"")),
                                          "\"rows\": 300", "\"rows\": 1200000")));
}

// Long lists of chunks ----------------------------------------------------------------------------------------------

namespace {

/// An empty file that stands for this many rows.
chunk_entry staged_entry(detail::transaction& to, std::uint64_t rows, double low) {
    chunk_entry entry{.rows = rows, .nbytes = 8 * rows, .offset = 128, .sum = "0badcafe"};
    entry.file = to.stage({}, to.work().rows);
    entry.min = low;
    entry.max = low + 1;
    return entry;
}

void begin(detail::transaction& to) {
    detail::chunk_state wanted;
    wanted.type = dtype_of<double>();
    to.begin(wanted);
}

}  // namespace

TEST_CASE("records stay short over a thousand commits, and say the same", "[store]") {
    const auto all = memory::empty();
    memory::place where(all);
    detail::transaction to(where, {.sync = true, .keep = everything, .patience = std::chrono::milliseconds(1000)});
    begin(to);
    std::vector<chunk_entry> expected;
    std::size_t longest = 0, written = 0;
    for (std::size_t i = 0; i < 1000; ++i) {
        const auto entry = staged_entry(to, 1 + i % 3, static_cast<double>(i));
        expected.push_back(entry);
        to.edit({.what = detail::chunk_edit::kind::append, .first_row = to.work().rows, .added = {entry}});
        const auto number = to.commit().number;
        longest = std::max(longest, all->text(record_of(number)).size());
        written += all->text(record_of(number)).size();
    }
    for (const auto& name : all->names_in("chunks"))
        written += all->text("chunks/" + name).size();

    CHECK(longest < 64 * 1024);
    CHECK(written / 1000 < 32 * 1024);
    CHECK(newest_state(all).entries() == expected);
    CHECK(newest_state(all).items.size() <= 128);
    // All commits, not only the newest one.
    for (const std::uint64_t number : {1U, 128U, 129U, 500U, 999U}) {
        detail::commit_log log(where);
        const auto state = *log.read(number);
        CHECK(state.entries() == std::vector(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(number)));
    }
}

TEST_CASE("chunks replaced at random among two thousand are read back as they were written", "[store]") {
    const auto all = memory::empty();
    memory::place where(all);
    detail::transaction to(where, {.sync = false, .keep = everything, .patience = std::chrono::milliseconds(1000)});
    begin(to);
    std::mt19937 random(7);
    std::vector<chunk_entry> expected;
    for (std::size_t i = 0; i < 2000; ++i)
        expected.push_back(staged_entry(to, 1 + random() % 5, static_cast<double>(i)));
    to.edit({.what = detail::chunk_edit::kind::append, .first_row = 0, .added = expected});
    (void)to.commit();

    for (int turn = 0; turn < 400; ++turn) {
        const int edits = 1 + static_cast<int>(random() % 3);
        for (int i = 0; i < edits; ++i) {
            const std::size_t at = random() % expected.size();
            const std::size_t some = std::min<std::size_t>(1 + random() % 4, expected.size() - at);
            const auto first = expected.begin() + static_cast<std::ptrdiff_t>(at);
            const auto last = first + static_cast<std::ptrdiff_t>(some);
            const std::vector removed(first, last);
            const std::uint64_t row = detail::rows_of({expected.begin(), first});
            const bool zeros = random() % 8 == 0;
            const std::uint64_t rows = detail::rows_of(removed);
            const auto made =
                zeros ? chunk_entry{.rows = rows, .nbytes = 8 * rows} : staged_entry(to, rows, -1.0 * turn);
            to.edit({.what = detail::chunk_edit::kind::replace, .first_row = row, .removed = removed, .added = {made}});
            expected.erase(first, last);
            expected.insert(expected.begin() + static_cast<std::ptrdiff_t>(at), made);
        }
        const auto number = to.commit().number;
        CHECK(all->text(record_of(number)).size() < 64 * 1024);
        if (turn % 20 == 0)
            REQUIRE((newest_state(all).entries() == expected));
    }
    CHECK((newest_state(all).entries() == expected));
    CHECK(newest_state(all).rows == detail::rows_of(expected));
}

}  // namespace store_rows::table_tests
