// SPDX-License-Identifier: BSD-3-Clause
// Random transactions, compared with plain memory after every step: every byte, shape, name and metadata.
#include "database/foreign.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/database.hpp>
#include <ndkeep/npy.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace database_model_tests {

namespace nk = ndkeep;
namespace fs = std::filesystem;

namespace {

/// The arrays of a kind differ in their rows only. Rows of kind 1 cross pages, kind 2 grows along its last axis.
using shown = std::variant<nk::database_array<std::int64_t, 1>, nk::database_array<double, 2>,
                           nk::database_array<std::int32_t, 2, xt::layout_type::column_major>>;
constexpr std::size_t kinds = 3;
constexpr std::size_t width_of[kinds] = {1, 131, 3};
constexpr std::size_t row_bytes_of[kinds] = {8, 131 * 8, 3 * 4};

std::vector<std::size_t> shape_of(std::size_t kind, std::size_t rows) {
    if (kind == 0)
        return {rows};
    return kind == 1 ? std::vector<std::size_t>{rows, width_of[1]} : std::vector<std::size_t>{width_of[2], rows};
}

using bytes = std::vector<std::byte>;

/// What an array should be.
struct model_array {
    std::size_t kind = 0;
    bytes data = {};
    nk::json metadata = nk::json(nk::json::value_t::object);
    int identity = 0;  // equal for one array in one session

    [[nodiscard]] std::size_t rows() const { return data.size() / row_bytes_of[kind]; }
    [[nodiscard]] std::vector<std::size_t> shape() const { return shape_of(kind, rows()); }
};
using model_state = std::map<std::string, model_array>;

nk::array_view view_of(std::size_t kind, const std::byte* data, std::size_t rows) {
    const nk::dtype type = kind == 0   ? nk::dtype_of<std::int64_t>()
                           : kind == 1 ? nk::dtype_of<double>()
                                       : nk::dtype_of<std::int32_t>();
    return {type, shape_of(kind, rows), data, kind == 2 ? nk::order::column_major : nk::order::row_major};
}

shown opened(nk::database& lab, const std::string& name, std::size_t kind) {
    if (kind == 0)
        return lab.open<std::int64_t, 1>(name);
    if (kind == 1)
        return lab.open<double, 2>(name);
    return lab.open<std::int32_t, 2>(name, nk::column_major);
}

std::byte* data_of(shown& array) {
    return std::visit([](auto& each) { return reinterpret_cast<std::byte*>(each.data()); }, array);
}

/// With memcmp, because std::equal is slow in debug builds.
bool are_equal(const std::byte* data, std::size_t size, const bytes& wanted) {
    return size == wanted.size() && (size == 0 || std::memcmp(data, wanted.data(), size) == 0);
}

/// A database, and what it should be.
class modelled_lab {
  public:
    modelled_lab(fs::path path, unsigned seed, nk::database_options options)
        : path_(std::move(path)), random_(seed), options_(options) {
        lab_.emplace(path_, options_);
    }

    void step() {
        const auto chance = pick(100);
        if (chance < 8)
            create();
        else if (chance < 11)
            save_from_outside();
        else if (chance < 38)
            store();
        else if (chance < 51)
            append();
        else if (chance < 60)
            resize();
        else if (chance < 65)
            change_metadata();
        else if (chance < 68)
            remove();
        else if (chance < 71)
            abort();
        else if (chance < 76)
            set_savepoint();
        else if (chance < 80)
            abort_to_savepoint();
        else if (chance < 93)
            commit();
        else if (chance < 95)
            reopen();
        else
            change_reader();
        check_memory();
    }

    /// Ends all transactions and compares the files.
    void finish() {
        reader_.reset();
        commit();
        reopen();
        check_files();
    }

    [[noreturn]] void fail(const std::string& why) const {
        const auto last = std::min<std::size_t>(log_.size(), 2500);
        FAIL("after " << log_.substr(log_.size() - last) << why);
        std::abort();
    }

  private:
    std::size_t pick(std::size_t below) { return random_() % below; }
    void note(const std::string& what) { log_ += what + "\n"; }

    bytes noise(std::size_t count) {
        bytes made(count);
        // Zeros and repeated values too: a store of the same value, and rows like fresh ones.
        const auto mode = pick(4);
        for (auto& each : made)
            each = mode == 0 ? std::byte{0} : static_cast<std::byte>(mode == 1 ? 7 : random_());
        return made;
    }

    std::string some_name() { return std::string(1, static_cast<char>('A' + pick(5))); }

    /// A random array of the transaction, opened; null if there is none.
    std::pair<const std::string, model_array>* some_array() {
        if (now_.empty())
            return nullptr;
        auto& found = *std::next(now_.begin(), static_cast<std::ptrdiff_t>(pick(now_.size())));
        open(found.first);
        return &found;
    }

    void open(const std::string& name) {
        auto& containers = containers_[name];
        if (containers.empty() || pick(10) == 0)
            containers.push_back(opened(*lab_, name, now_[name].kind));
        if (containers.size() > 3)
            containers.erase(containers.begin());
    }

    shown& container(const std::string& name) {
        auto& all = containers_[name];
        return all[pick(all.size())];
    }

    std::size_t some_rows() {
        const auto chance = pick(10);
        return chance == 0 ? 0 : chance == 1 ? pick(3000) : pick(200);
    }

    void create() {
        const auto name = some_name();
        const auto kind = pick(kinds), rows = some_rows();
        note("create " + name + " of kind " + std::to_string(kind) + " with " + std::to_string(rows) + " rows");
        if (now_.contains(name)) {
            CHECK_THROWS_AS((void)(lab_->create<double>(name, {1})), nk::io_error);
            return;
        }
        shown made;
        if (kind == 0)
            made = lab_->create<std::int64_t>(name, {rows});
        else if (kind == 1)
            made = lab_->create<double>(name, {rows, width_of[1]});
        else
            made = lab_->create<std::int32_t>(name, {width_of[2], rows}, nk::column_major);
        now_[name] = {.kind = kind, .data = bytes(rows * row_bytes_of[kind]), .identity = ++identities_};
        containers_[name].clear();
        containers_[name].push_back(std::move(made));
    }

    /// Another program adds a file, whose data does not begin at a page.
    void save_from_outside() {
        const auto name = some_name();
        if (reader_)
            return;
        commit();  // and apply a commit that removes an array of that name
        if (now_.contains(name))
            return;
        model_array made{.kind = pick(kinds), .identity = ++identities_};
        made.data = noise(pick(300) * row_bytes_of[made.kind]);
        note("save " + name + " from outside, " + std::to_string(made.rows()) + " rows");
        foreign::put(path_ / (name + ".npy"), view_of(made.kind, made.data.data(), made.rows()));
        containers_[name].clear();
        now_[name] = committed_[name] = made;
    }

    void store() {
        auto* const found = some_array();
        if (found == nullptr || found->second.data.empty())
            return;
        auto& [name, array] = *found;
        const auto pieces = 1 + pick(4);
        for (std::size_t i = 0; i < pieces; ++i) {
            const auto first = pick(array.data.size());
            const auto most =
                pick(8) == 0 ? array.data.size() - first : std::min<std::size_t>(64, array.data.size() - first);
            const auto values = pick(5) == 0 ? bytes(array.data.begin() + static_cast<std::ptrdiff_t>(first),
                                                     array.data.begin() + static_cast<std::ptrdiff_t>(first + most))
                                             : noise(most);
            note("store " + std::to_string(most) + " bytes at " + std::to_string(first) + " of " + name);
            std::memcpy(data_of(container(name)) + first, values.data(), most);
            std::copy(values.begin(), values.end(), array.data.begin() + static_cast<std::ptrdiff_t>(first));
        }
    }

    void append() {
        auto* const found = some_array();
        if (found == nullptr)
            return;
        auto& [name, array] = *found;
        auto& to = container(name);
        bytes rows;
        if (pick(5) == 0 && array.rows() > 1) {
            const auto first = pick(array.rows());
            const auto count = pick(std::min<std::size_t>(array.rows() - first, 500) + 1);
            const auto begin = first * row_bytes_of[array.kind];
            note("append rows " + std::to_string(first) + " and " + std::to_string(count) + " of itself to " + name);
            rows.assign(array.data.begin() + static_cast<std::ptrdiff_t>(begin),
                        array.data.begin() + static_cast<std::ptrdiff_t>(begin + count * row_bytes_of[array.kind]));
            const auto view = view_of(array.kind, data_of(to) + begin, count);
            std::visit([&](auto& each) { each.append(view); }, to);
        } else {
            rows = noise(some_rows() * row_bytes_of[array.kind]);
            const auto count = rows.size() / row_bytes_of[array.kind];
            note("append " + std::to_string(count) + " rows to " + name);
            const auto view = view_of(array.kind, rows.data(), count);
            std::visit([&](auto& each) { each.append(view); }, to);
        }
        array.data.insert(array.data.end(), rows.begin(), rows.end());
        if (array.data.size() > (std::size_t{1} << 20))
            shrink(name, array, pick(100));
    }

    void shrink(const std::string& name, model_array& array, std::size_t rows) {
        note("resize " + name + " from " + std::to_string(array.rows()) + " to " + std::to_string(rows) + " rows");
        const auto shape = shape_of(array.kind, rows);
        std::visit([&](auto& each) { each.resize(shape); }, container(name));
        array.data.resize(rows * row_bytes_of[array.kind]);
    }

    void resize() {
        if (auto* const found = some_array(); found != nullptr)
            shrink(found->first, found->second, pick(2 * found->second.rows() + 3));
    }

    void change_metadata() {
        auto* const found = some_array();
        if (found == nullptr)
            return;
        auto& [name, array] = *found;
        const auto key = std::string(1, static_cast<char>('k' + pick(3)));
        auto& metadata = lab_->metadata(name);
        CHECK(metadata == array.metadata);
        note("change metadata of " + name);
        if (pick(4) == 0) {
            metadata.erase(key);
            array.metadata.erase(key);
        } else {
            metadata[key] = array.metadata[key] = pick(1000);
        }
    }

    void remove() {
        if (now_.empty())
            return;
        const auto name = std::next(now_.begin(), static_cast<std::ptrdiff_t>(pick(now_.size())))->first;
        note("remove " + name);
        lab_->remove(name);
        now_.erase(name);
        containers_[name].clear();
        CHECK_THROWS_AS((void)(lab_->open<double>(name)), nk::io_error);
    }

    void abort() {
        note("abort");
        lab_->abort();
        now_ = committed_;
        savepoints_.clear();
        forget_containers();
    }

    void set_savepoint() {
        if (savepoints_.size() > 4)
            return;
        note("savepoint " + std::to_string(savepoints_.size()));
        savepoints_.emplace_back(lab_->savepoint(), now_);
    }

    void abort_to_savepoint() {
        if (savepoints_.empty())
            return;
        const auto which = pick(savepoints_.size());
        note("abort to savepoint " + std::to_string(which));
        lab_->abort(savepoints_[which].first);
        now_ = savepoints_[which].second;
        savepoints_.erase(savepoints_.begin() + static_cast<std::ptrdiff_t>(which) + 1, savepoints_.end());
        forget_containers();
    }

    void commit() {
        note("commit");
        (void)lab_->commit();
        committed_ = now_;
        savepoints_.clear();
        if (!reader_)
            check_files();
    }

    void reopen() {
        note("reopen");
        const bool leaves_containers = pick(2) == 0;
        std::map<std::string, std::vector<shown>> former;
        if (leaves_containers)
            former = std::move(containers_);
        containers_.clear();
        savepoints_.clear();
        if (pick(2) == 0)
            lab_->close();
        lab_.reset();
        lab_.emplace(path_, options_);
        now_ = committed_;
        pointers_.clear();
        for (auto& [name, array] : now_)
            array.identity = committed_[name].identity = ++identities_;
    }

    void change_reader() {
        if (reader_ && pick(2) == 0) {
            note("the reader ends");
            reader_.reset();
            return;
        }
        note(reader_ ? "the reader refreshes" : "a reader begins");
        if (reader_)
            reader_->refresh();
        else
            reader_.emplace(path_);
        read_ = committed_;
    }

    /// Keeps containers of arrays that exist, in two of three cases.
    void forget_containers() {
        for (auto& [name, all] : containers_)
            if (!now_.contains(name) || pick(3) == 0)
                all.clear();
            else if (!all.empty() && data_of(all.front()) != pointers_[now_[name].identity])
                all.clear();  // of another array that had this name
    }

    void check_memory() {
        std::vector<std::string> names;
        for (const auto& [name, array] : now_)
            names.push_back(name);
        if (lab_->names() != names)
            fail("the names are wrong");
        for (auto& [name, array] : now_) {
            if (containers_[name].empty() && pick(3) == 0)
                open(name);
            for (auto& each : containers_[name])
                check_container(name, array, each);
        }
        if (reader_)
            check_reader();
    }

    void check_container(const std::string& name, const model_array& array, shown& container) {
        const auto shape = std::visit(
            [](const auto& each) { return std::vector<std::size_t>(each.shape().begin(), each.shape().end()); },
            container);
        const auto* const data = data_of(container);
        if (shape != array.shape())
            fail("shape of " + name + " is " + nk::shape_text(shape) + ", expected " + nk::shape_text(array.shape()));
        if (!are_equal(data, array.data.size(), array.data))
            fail("bytes of " + name + " are wrong");
        if (pointers_.emplace(array.identity, data).first->second != data)
            fail(name + " has moved");
    }

    void check_reader() {
        for (const auto& [name, array] : read_) {
            if (array.kind == 0)
                check_read(name, array, reader_->map<std::int64_t, 1>(name));
            else if (array.kind == 1)
                check_read(name, array, reader_->map<double, 2>(name));
            else
                check_read(name, array, reader_->map<std::int32_t, 2>(name, nk::column_major));
        }
    }

    template <class Mapped>
    void check_read(const std::string& name, const model_array& array, const Mapped& seen) const {
        if (!are_equal(reinterpret_cast<const std::byte*>(seen.data()), seen.size() * sizeof(*seen.data()), array.data))
            fail("other bytes of " + name + " are read");
    }

    void check_files() {
        std::set<std::string> files, wanted;
        for (const auto& entry : fs::directory_iterator(path_))
            if (entry.path().extension() == ".npy")
                files.insert(entry.path().filename().string());
        for (const auto& [name, array] : committed_) {
            const auto file = path_ / (name + ".npy");
            wanted.insert(file.filename().string());
            if (array.kind == 0)
                check_read(name, array, nk::load<std::int64_t, 1>(file));
            else if (array.kind == 1)
                check_read(name, array, nk::load<double, 2>(file));
            else
                check_read(name, array, nk::load<std::int32_t, 2>(file, nk::column_major));
            const auto stored = nk::description_of(file);
            if ((stored ? stored->metadata : nk::json(nk::json::value_t::object)) != array.metadata)
                fail("the metadata of " + name + " is wrong");
        }
        if (files != wanted)
            fail("the files are wrong");
    }

    fs::path path_;
    std::minstd_rand random_;
    nk::database_options options_;
    std::optional<nk::database> lab_;
    model_state now_, committed_, read_;
    std::vector<std::pair<nk::database_savepoint, model_state>> savepoints_;
    std::map<std::string, std::vector<shown>> containers_;
    std::map<int, const std::byte*> pointers_;
    std::optional<nk::database_snapshot> reader_;
    int identities_ = 0;
    std::string log_;
};

void run_sequences(unsigned first, unsigned count, int steps, nk::database_options options) {
    for (unsigned seed = first; seed < first + count; ++seed) {
        const temp_dir dir;
        modelled_lab lab(dir / "lab", seed, options);
        for (int i = 0; i < steps; ++i) {
            CAPTURE(seed, i);
            try {
                lab.step();
            } catch (const nk::error& problem) {
                lab.fail(problem.what());
            }
        }
        lab.finish();
    }
}

/// Selects a method of finding changed pages, as long as this object lives.
class with_tracker {
  public:
    explicit with_tracker(const char* name) { ::setenv("NDKEEP_PAGE_TRACKER", name, 1); }
    with_tracker(const with_tracker&) = delete;
    with_tracker& operator=(const with_tracker&) = delete;
    ~with_tracker() { ::unsetenv("NDKEEP_PAGE_TRACKER"); }
};

constexpr nk::database_options unsynced = {.durability = nk::database_durability::none};

}  // namespace

TEST_CASE("random transactions give what plain memory gives", "[database][model]") {
    run_sequences(1, 6, 500, unsynced);
}

TEST_CASE("random transactions give the same, whichever way changed pages are found", "[database][model]") {
    for (const char* const name : {"scan", "pagemap", "compare"}) {
        const with_tracker tracker(name);
        CAPTURE(name);
        run_sequences(101, 2, 400, unsynced);
    }
}

TEST_CASE("many long random transactions give what plain memory gives", "[database][model][long]") {
    for (const char* const name : {"scan", "pagemap", "compare"}) {
        const with_tracker tracker(name);
        CAPTURE(name);
        run_sequences(1001, 3, 1000, unsynced);
        run_sequences(2001, 3, 300, {});
        run_sequences(3001, 3, 300, {.durability = nk::database_durability::full});
    }
}

}  // namespace database_model_tests
