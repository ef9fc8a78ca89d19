// SPDX-License-Identifier: BSD-3-Clause
// The sentences of errors about chunked arrays.
#include "errors/sentences.hpp"

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/chunks.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/store/layout.hpp>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace sentences_tests::chunks {

struct trade {
    std::int64_t time;
    double price;
};
NDKEEP_FIELDS(trade, time, price);

namespace {

const xt::xtensor<double, 1> five = {1, 2, 3, 4, 5};
const xt::xtensor<double, 2> six = {{1, 2, 3}, {4, 5, 6}};
constexpr nk::commit_rules quick{.sync = false};

/// A dataset in memory with one commit of five rows.
[[nodiscard]] std::shared_ptr<nk::memory_place> one_commit() {
    auto where = std::make_shared<nk::memory_place>("d");
    nk::save_chunked(where, five, {.rows_per_chunk = 2});
    return where;
}

[[nodiscard]] std::string text_of(nk::place& where, const std::string& name) {
    const auto bytes = where.get(name, 1'000'000).value();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void set(nk::place& where, const std::string& name, const std::string& text) {
    const auto bytes = nk::detail::bytes_of(text);
    where.remove(name);
    REQUIRE(where.put(name, {&bytes, 1}, nk::durability::when_convenient));
}

/// Replaces a part of the first record, and its checksum.
void change_record(nk::place& where, std::string_view from, std::string_view to) {
    const auto name = nk::detail::record_path(1);
    auto text = text_of(where, name);
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
    text.erase(text.rfind(",\"crc32c\""));
    const auto sum = nk::detail::hex_text(nk::crc32c(nk::detail::bytes_of(text)));
    set(where, name, text + ",\"crc32c\":\"" + sum + "\"}");
}

[[nodiscard]] std::string first_chunk(nk::place& where) {
    auto names = where.list("chunks");
    std::sort(names.begin(), names.end());
    return "chunks/" + names.front();
}

}  // namespace

TEST_CASE("errors of readers of chunked arrays are sentences", "[errors]") {
    sentences says("chunk_reader");
    const auto d = says / "d";
    nk::save_chunked(d, five, {.rows_per_chunk = 2});
    const nk::chunk_reader<double, 1> reader(d);

    says("load an absent dataset", [&] { (void)nk::load_chunked<double>(says / "absent"); });
    says("load a dataset without a commit", [&] {
        std::filesystem::create_directory(says / "empty");
        (void)nk::load_chunked<double>(says / "empty");
    });
    says("load from a null pointer", [&] { (void)nk::load_chunked<double>(std::shared_ptr<nk::memory_place>()); });
    says("load_chunked<float> of float64", [&] { (void)nk::load_chunked<float>(d); });
    says("load_chunked<double, 2> of a vector", [&] { (void)nk::load_chunked<double, 2>(d); });
    says("load_chunked<trade> of float64", [&] { (void)nk::load_chunked<trade>(d); });
    says("map_chunked<float> of float64", [&] { (void)nk::map_chunked<float>(d); });
    says("map_chunked<double, 2> of a vector", [&] { (void)nk::map_chunked<double, 2>(d); });
    says("chunk_reader<float> of float64", [&] { nk::chunk_reader<float> r(d); });
    says("chunk_reader<double, 2> of a vector", [&] { nk::chunk_reader<double, 2> r(d); });
    says("a commit that is not there", [&] { (void)nk::load_chunked<double>(d, {.at_commit = 9}); });
    says("a commit that was pruned", [&] {
        for (int i = 0; i < 3; ++i)
            nk::save_chunked(says / "p", five, {.commit = quick});
        nk::prune_chunked(says / "p");
        (void)nk::load_chunked<double>(says / "p", {.at_commit = 1});
    });
    says("more bytes than allowed", [&] { (void)nk::load_chunked<double>(d, {.max_bytes = 8}); });
    says("rows beyond the end", [&] { (void)reader.rows(3, 9); });
    says("rows of a mapped array beyond the end", [&] { (void)nk::map_chunked<double>(d).rows(3, 9); });
    const auto damaged = [&](const std::function<void(nk::place&)>& damage) {
        return [damage] {
            const auto where = one_commit();
            damage(*where);
            (void)nk::load_chunked<double>(where);
        };
    };
    says("a chunk that is missing", damaged([](nk::place& where) { where.remove(first_chunk(where)); }));
    says("a chunk that is cut off", damaged([](nk::place& where) {
             const auto name = first_chunk(where);
             set(where, name, text_of(where, name).substr(0, 140));
         }));
    says("a chunk with other bytes", damaged([](nk::place& where) {
             const auto name = first_chunk(where);
             auto text = text_of(where, name);
             text.back() = 1;
             set(where, name, text);
         }));
    says("a chunk with another header", [&] {
        const auto where = one_commit();
        const auto name = first_chunk(*where);
        auto text = text_of(*where, name);
        set(*where, name, text.replace(text.find("<f8"), 3, "<i8"));
        nk::verify_chunked(where);
    });
    says("a record that is damaged", damaged([](nk::place& where) {
             auto text = text_of(where, nk::detail::record_path(1));
             text[20] = 'x';
             set(where, nk::detail::record_path(1), text);
         }));
    says("a record that is cut off", damaged([](nk::place& where) {
             set(where, nk::detail::record_path(1), text_of(where, nk::detail::record_path(1)).substr(0, 50));
         }));
    const auto changed = [&](const std::string& from, const std::string& to) {
        return damaged([from, to](nk::place& where) { change_record(where, from, to); });
    };
    says("a record of another version", changed("chunks/1", "chunks/9"));
    says("a record with an unknown need", changed("\"skips\"", "\"needs\": [\"bz2\"], \"skips\""));
    says("a record with an unknown checksum", changed("\"sum\": \"crc32c\"", "\"sum\": \"sha1\""));
    says("a record with another number", changed("\"rows\": 5", "\"rows\": 6"));
    says("a record with a name that leads elsewhere", changed("\"file\": \"", "\"file\": \"../"));
    says("a record with an empty name", changed("\"file\": \"", "\"file\": \"\", \"x\": \""));
    says("a record with a chunk of no rows", changed("\"rows\": 2", "\"rows\": 0"));
    says("a record with a chunk of other bytes", changed("\"nbytes\": 16", "\"nbytes\": 17"));
    says("a record with a wrong offset", changed("\"offset\": 128", "\"offset\": 99999999"));
    says("a record with a file of rows without bytes", changed("\"row_shape\": []", "\"row_shape\": [0]"));
    says("a record with a negative extent", changed("\"row_shape\": []", "\"row_shape\": [-1]"));
    says("a record with text as smallest number", changed("\"min\": 1.0", "\"min\": \"1\""));
    says("a record without an epoch", changed("\"epoch\"", "\"xepoch\""));
    says("a record with a short id", changed("\"id\": \"", "\"id\": \"0"));
    says("a record with a false note", changed("\"loops\": {}", "\"loops\": {\"L\": 1}"));
    says("a table that is missing", damaged([](nk::place& where) {
             change_record(where, "\"chunks\": [",
                           R"("chunks": [{"table": "000000000000-0123456789abcdef-0.npy", "crc32c": "00000000", )"
                           R"("from": 0, "to": 1}, )");
         }));
    says("prune to no commit", [&] { nk::prune_chunked(d, {.keep = 0}); });
    says("recover a dataset without an intact commit", [&] {
        const auto where = one_commit();
        set(*where, nk::detail::record_path(1), "damaged");
        nk::recover_chunked(where);
    });
    says.check();
}

TEST_CASE("errors of writers of chunked arrays are sentences", "[errors]") {
    sentences says("chunk_writer");
    const auto d = says / "d";
    nk::save_chunked(d, five, {.rows_per_chunk = 2, .commit = quick});
    const std::vector<trade> trades = {{1, 10}, {5, 11}};
    nk::save_chunked(says / "o", trades, {.order_by = "time", .commit = quick});
    using writer = nk::chunk_writer<double, 1>;

    says("save another dtype", [&] { nk::save_chunked(d, std::vector<float>{1}); });
    says("save another row shape", [&] { nk::save_chunked(d, six); });
    says("save a scalar", [&] { nk::save_chunked(says / "scalar", 1.5); });
    says("save metadata that is a number", [&] { nk::save_chunked(d, five, {.meta = 7}); });
    says("save in a directory with other files", [&] {
        std::filesystem::create_directory(says / "other");
        write_text(says / "other/notes.txt", "");
        nk::save_chunked(says / "other", five);
    });
    says("save in an absent directory", [&] { nk::save_chunked(says / "absent/d", five); });
    says("chunks of no rows", [&] { nk::save_chunked(d, five, {.rows_per_chunk = 0}); });
    says("keep no commit", [&] { nk::save_chunked(d, five, {.commit = {.keep = 0}}); });
    says("open with another dtype", [&] { nk::chunk_writer<float> w(d); });
    says("open with another rank", [&] { nk::chunk_writer<double, 2> w(d); });
    says("open with another order", [&] { writer w(d, {.order_by = ""}); });
    says("append another dtype", [&] { nk::chunk_writer<float>(says / "f").append(five); });
    says("append another row shape", [&] {
        nk::chunk_writer<double> w(d);
        w.append(six);
    });
    says("append a scalar", [&] { nk::chunk_writer<double>(d).append(1.5); });
    says("write beyond the end", [&] { writer(d).write(3, five); });
    says("write to a new dataset", [&] { writer(says / "n").write(0, five); });
    says("resize a new dataset", [&] { writer(says / "n").resize(7); });
    says("resize an ordered dataset", [&] { nk::chunk_writer<trade>(says / "o").resize(7); });
    says("order by an absent field", [&] { nk::save_chunked(says / "q", trades, {.order_by = "tme"}); });
    says("order by a field of numbers", [&] { nk::save_chunked(says / "q", five, {.order_by = "time"}); });
    says("order rows of several numbers", [&] { nk::save_chunked(says / "q", six, {.order_by = ""}); });
    says("append rows in the wrong order", [&] {
        nk::chunk_writer<trade>(says / "o").append(std::vector<trade>{{9, 1}, {8, 1}});
    });
    says("append a key before the last one", [&] {
        nk::chunk_writer<trade>(says / "o").append(std::vector<trade>{{2, 1}});
    });
    says("append a key that is not a number", [&] {
        nk::save_chunked(says / "q", xt::xtensor<double, 1>{1, std::numeric_limits<double>::quiet_NaN()},
                         {.order_by = ""});
    });
    says("write a key beyond the next one", [&] {
        nk::chunk_writer<trade>(says / "o").write(0, std::vector<trade>{{9, 1}});
    });
    using trades_writer = nk::chunk_writer<trade>;
    says("merge rows in the wrong order", [&] { trades_writer(says / "o").merge(std::vector<trade>{{9, 1}, {8, 1}}); });
    says("merge rows of another form", [&] { trades_writer(says / "o").merge(five); });
    says("merge into rows without an order", [&] { writer(d).merge(five); });
    says("erase from rows without an order", [&] { (void)writer(d).erase(1, 2); });
    says("merge unique by an absent field", [&] {
        trades_writer(says / "o").merge(std::vector<trade>{{9, 1}}, {.unique_by = {"tme"}});
    });
    says("erase from NaN on",
         [&] { (void)trades_writer(says / "o").erase(std::numeric_limits<double>::quiet_NaN(), 2); });
    says("erase dates from keys that are none",
         [&] { (void)trades_writer(says / "o").erase(std::chrono::seconds(1), std::chrono::seconds(2)); });
    says("order by a field twice", [&] { nk::save_chunked(says / "q", trades, {.order_by = {"time", "time"}}); });
    says("append a second key before the last one", [&] {
        nk::save_chunked(says / "two", trades, {.order_by = {"time", "price"}, .commit = quick});
        trades_writer(says / "two").append(std::vector<trade>{{5, 9}});
    });
    says("open with two fields an order by one", [&] { trades_writer w(says / "o", {.order_by = {"time", "price"}}); });
    says("chunks of a period without an order",
         [&] { nk::save_chunked(says / "q", five, {.rows_per_chunk = nk::chunk_period(5)}); });
    says("chunks of a duration for keys that are no dates", [&] {
        nk::save_chunked(says / "q", trades,
                         {.rows_per_chunk = nk::chunk_period(std::chrono::hours(1)), .order_by = "time"});
    });
    says("merges that meet", [&] {
        trades_writer first(says / "o", {.commit = quick}), second(says / "o", {.commit = quick});
        first.merge(std::vector<trade>{{3, 1}});
        second.merge(std::vector<trade>{{2, 1}, {4, 1}});
        first.commit();
        second.commit();
    });
    says("verify rows that are out of order", [&] {
        const auto place = std::make_shared<nk::memory_place>("d");
        nk::save_chunked(place, xt::xtensor<double, 1>{3, 2, 1});
        change_record(*place, "\"order_by\": null", "\"order_by\": \"\"");
        nk::verify_chunked(place);
    });
    says("a commit that conflicts", [&] {
        writer first(d, {.commit = quick}), second(d, {.commit = quick});
        first.write(0, five);
        second.write(1, xt::xtensor<double, 1>{7});
        second.commit();
        first.commit();
    });
    says("metadata beyond 16 MiB", [&] {
        writer w(d);
        w.set_metadata({{"x", std::string(std::size_t{17} << 20, 'x')}});
        w.commit();
    });
    says("metadata with too many values", [&] {
        writer w(d);
        w.set_metadata({{"x", std::vector<int>(1'000'000)}});
        w.commit();
    });
    says("describe an absent dataset", [&] { nk::describe_chunked(says / "absent", {.meta = {{"a", 1}}}); });
    says("describe a dataset without a commit", [&] {
        std::filesystem::create_directory(says / "empty");
        nk::describe_chunked(says / "empty", {.meta = {{"a", 1}}});
    });
    says("read a place in memory beyond its bytes", [&] {
        const auto where = one_commit();
        std::vector<std::byte> out(1'000'000);
        (void)where->get_range(first_chunk(*where), 0, out);
    });
    says("get more from a place in memory than allowed", [&] {
        const auto where = one_commit();
        (void)where->get(first_chunk(*where), 10);
    });
    says.check();
}

}  // namespace sentences_tests::chunks
