// SPDX-License-Identifier: BSD-3-Clause
// A memory_place for tests: several simulated processes share its bytes, operations can fail, and the power can be cut.
#pragma once

#include <ndkeep/chunks/memory_place.hpp>
#include <ndkeep/store/place.hpp>

#include <array>
#include <functional>
#include <mutex>
#include <random>
#include <set>
#include <span>
#include <tuple>

#include <sys/mman.h>

namespace memory {

using bytes = std::vector<std::byte>;

/// An operation of a place, recorded before it is done.
struct call {
    std::string what;  // "put", "sync_names", …
    std::string name;  // or of the folder

    friend bool operator==(const call&, const call&) = default;
    friend std::ostream& operator<<(std::ostream& out, const call& made) {
        return out << made.what << ' ' << made.name;
    }
};

/// A completed operation that a power cut may undo, or a note of the test.
struct event {
    enum class kind { put, put_durable, remove, sync, failed_sync, sync_names, note };
    kind what = kind::note;
    std::string name;  // or of the folder
    std::shared_ptr<const bytes> data = nullptr;
    std::uint64_t number = 0;  // number of a note
};

/// The state that all processes share.
struct content {
    ndkeep::memory_place stored;
    std::vector<event> history;

    [[nodiscard]] bool has(const std::string& name) { return stored.size(name).has_value(); }
    [[nodiscard]] bytes data(const std::string& name) { return stored.get(name, stored.size(name).value()).value(); }
    [[nodiscard]] std::string text(const std::string& name) {
        const auto found = data(name);
        return {reinterpret_cast<const char*>(found.data()), found.size()};
    }
    /// False if the name is taken.
    bool put(const std::string& name, std::span<const std::byte> all) {
        return stored.put(name, std::array<std::span<const std::byte>, 1>{all}, ndkeep::durability::when_convenient);
    }
    void set(const std::string& name, std::string_view text) {
        stored.remove(name);
        put(name, std::as_bytes(std::span(text)));
    }
    void note(std::string word, std::uint64_t number) {
        history.push_back({event::kind::note, std::move(word), nullptr, number});
    }
    [[nodiscard]] std::set<std::string> names_in(const std::string& folder) {
        const auto names = stored.list(folder);
        return {names.begin(), names.end()};
    }
    /// All bytes by FOLDER/NAME.
    [[nodiscard]] std::map<std::string, bytes> files() {
        std::map<std::string, bytes> all;
        for (const std::string folder : {"commits", "chunks"})
            for (const auto& name : stored.list(folder))
                all[folder + '/' + name] = data(folder + '/' + name);
        return all;
    }

    /// Completes the puts that were reported as failed but were only delayed.
    void finish_late() {
        const std::scoped_lock lock(mutex);
        for (const auto& [name, all] : std::exchange(late, {}))
            put(name, *all);
    }

    std::mutex mutex = {};
    ndkeep::file lock_file = {};  // in memory; each process opens it separately
    std::map<std::string, std::shared_ptr<const bytes>> late = {};
};

/// Opens the file again, so that the result is a separate owner of locks.
[[nodiscard]] inline ndkeep::file opened_again(int descriptor, ndkeep::file::access wanted) {
    return ndkeep::file::open("/proc/self/fd/" + std::to_string(descriptor), wanted);
}

[[nodiscard]] inline ndkeep::file new_lock_file() {
    const int made = ::memfd_create("lock", MFD_CLOEXEC);
    auto opened = opened_again(made, ndkeep::file::access::read_write);
    ::close(made);
    return opened;
}

[[nodiscard]] inline std::shared_ptr<content> empty() {
    auto made = std::make_shared<content>();
    made->lock_file = new_lock_file();
    return made;
}

/// A copy of the files that is independent from now on.
[[nodiscard]] inline std::shared_ptr<content> copy_of(content& from) {
    auto made = empty();
    for (const auto& [name, all] : from.files())
        made->put(name, all);
    return made;
}

/// `shared`: locks work as in a directory. `none`: the place has no locks. `own`: every lock is granted, as by a file
/// system that does not ask other machines. `refused`: no lock is granted.
enum class lock_kind { none, shared, own, refused };

/// A failing operation: it is not done, done but reported as failed (`done`), or a put that is done later (`late`).
struct fault {
    std::size_t at = 0;  // number of the operation, from 0
    int code = EIO;
    bool done = false;
    bool late = false;  // completed by content::finish_late
};

/// The behaviour of one process. Several places can belong to the same process.
struct process {
    std::function<void(const call&)> before = {};
    std::optional<fault> fails = {};
    std::function<std::optional<fault>(const call&)> fails_if = {};  // asked before each operation; `at` is ignored
    std::set<std::string> left_out = {};  // omitted: "sync", "sync_names chunks", "sync_names commits", "durable"
    lock_kind locks = lock_kind::shared;
    std::vector<call> calls = {};
};

class place final : public ndkeep::place {
  public:
    explicit place(std::shared_ptr<content> all, std::shared_ptr<process> of = std::make_shared<process>())
        : all_(std::move(all)), of_(std::move(of)) {}

    [[nodiscard]] std::optional<bytes> get(const std::string& name, std::uint64_t most) override {
        const operation now(*this, "get", name);
        return all_->stored.get(name, most);
    }
    [[nodiscard]] bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override {
        const operation now(*this, "get_range", name);
        return all_->stored.get_range(name, offset, out);
    }
    [[nodiscard]] std::optional<std::uint64_t> size(const std::string& name) override {
        const operation now(*this, "size", name);
        return all_->stored.size(name);
    }
    [[nodiscard]] bool put(const std::string& name, parts all_parts, ndkeep::durability wanted) override {
        bytes whole;
        for (const auto part : all_parts)
            whole.insert(whole.end(), part.begin(), part.end());
        const operation now(*this, "put", name, &whole);
        bool is_free = false;
        {
            const std::scoped_lock lock(all_->mutex);
            is_free = all_->put(name, whole);
            if (is_free) {
                const bool durable = wanted == ndkeep::durability::on_disk && of_->left_out.count("durable") == 0;
                all_->history.push_back({durable ? event::kind::put_durable : event::kind::put, name,
                                         std::make_shared<const bytes>(std::move(whole))});
            }
        }
        now.fail_if_done();
        return is_free;
    }
    [[nodiscard]] std::vector<std::string> list(const std::string& folder) override {
        const operation now(*this, "list", folder);
        return all_->stored.list(folder);
    }
    void remove(const std::string& name) override {
        const operation now(*this, "remove", name);
        {
            const std::scoped_lock lock(all_->mutex);
            all_->stored.remove(name);
            all_->history.push_back({event::kind::remove, name});
        }
        now.fail_if_done();
    }
    void sync(const std::string& name) override {
        const operation now(*this, "sync", name);
        all_->stored.sync(name);
        if (of_->left_out.count("sync") == 0)
            add(event::kind::sync, name);
        now.fail_if_done();
    }
    void sync_names(const std::string& folder) override {
        const operation now(*this, "sync_names", folder);
        if (of_->left_out.count("sync_names " + folder) == 0)
            add(event::kind::sync_names, folder);
        now.fail_if_done();
    }

    [[nodiscard]] ndkeep::byte_locks locks() override {
        switch (of_->locks) {
        case lock_kind::own:
            return ndkeep::byte_locks(new_lock_file());
        case lock_kind::shared:
            return ndkeep::byte_locks(opened_again(all_->lock_file.descriptor(), ndkeep::file::access::read_write));
        case lock_kind::refused:
            return ndkeep::byte_locks(opened_again(all_->lock_file.descriptor(), ndkeep::file::access::read));
        default:
            return {};
        }
    }

    [[nodiscard]] std::filesystem::path called(const std::string& name) const override {
        return all_->stored.called(name);
    }

  private:
    /// Covers an operation from its start to its end. Throws if it has to fail.
    class operation {
      public:
        /// @param whole  the data of a put
        operation(place& where, const char* what, const std::string& name, const bytes* whole = nullptr)
            : where_(where), name_(name) {
            auto& of = *where.of_;
            const call made{what, name};
            if (of.before)
                of.before(made);
            const std::scoped_lock lock(where.all_->mutex);
            if (of.fails && of.calls.size() == of.fails->at)
                fails_ = of.fails;
            else if (of.fails_if)
                fails_ = of.fails_if(made);
            of.calls.push_back(made);
            const bool reads =
                made.what == "get" || made.what == "get_range" || made.what == "size" || made.what == "list";
            if (!fails_ || (fails_->done && !reads))
                return;
            if (fails_->late && whole != nullptr)
                where.all_->late[name] = std::make_shared<const bytes>(*whole);
            if (made.what == "sync")
                where.all_->history.push_back({event::kind::failed_sync, name});
            fail();
        }
        void fail_if_done() const {
            if (fails_)
                fail();
        }

      private:
        [[noreturn]] void fail() const {
            throw ndkeep::io_error(where_.called(name_), "fails on purpose",
                                   std::error_code(fails_->code, std::system_category()));
        }

        place& where_;
        std::string name_;
        std::optional<fault> fails_;
    };

    void add(event::kind what, const std::string& name) {
        const std::scoped_lock lock(all_->mutex);
        all_->history.push_back({what, name});
    }

    std::shared_ptr<content> all_;
    std::shared_ptr<process> of_;
};

[[nodiscard]] inline std::unique_ptr<place> opened(const std::shared_ptr<content>& all,
                                                   std::shared_ptr<process> of = std::make_shared<process>()) {
    return std::make_unique<place>(all, std::move(of));
}

/// A possible state of the disk after a power cut that follows the first `count` events. Each name has any of its
/// states since the last sync of its folder. Bytes that were not synced are complete, truncated, zero or missing.
template <class Random>
[[nodiscard]] std::shared_ptr<content> after_power_cut(const std::vector<event>& history, std::size_t count,
                                                       Random& random) {
    using kind = event::kind;
    const auto one_of = [&](std::size_t choices) {
        return std::uniform_int_distribution<std::size_t>(0, choices - 1)(random);
    };
    struct inode {
        std::shared_ptr<const bytes> data;
        bool synced = false, lost = false;
    };
    std::map<std::string, std::vector<std::optional<inode>>> names;  // the durable state, then those that may be lost
    for (std::size_t i = 0; i < count; ++i) {
        const auto& now = history[i];
        if (now.what == kind::sync_names) {
            for (auto& [name, states] : names)
                if (name.starts_with(now.name + '/'))
                    states.erase(states.begin(), states.end() - 1);
            continue;
        }
        if (now.what == kind::note)
            continue;
        auto& states = names[now.name];
        if (states.empty())
            states.emplace_back();
        if (now.what == kind::put || now.what == kind::put_durable) {
            states.push_back(inode{now.data, now.what == kind::put_durable});
        } else if (now.what == kind::remove) {
            states.emplace_back();
        } else if (states.back()) {
            // After a failed sync, the system treats the bytes as written: later syncs do nothing.
            states.back()->lost = states.back()->lost || now.what == kind::failed_sync;
            states.back()->synced = states.back()->synced || (now.what == kind::sync && !states.back()->lost);
        }
    }
    auto left = empty();
    for (const auto& [name, states] : names) {
        const auto& found = states[one_of(states.size())];
        if (!found)
            continue;
        bytes data = *found->data;
        if (!found->synced) {
            const std::size_t what = one_of(4);
            if (what == 0)
                data.clear();
            else if (what == 1)
                std::fill(data.begin(), data.end(), std::byte{0});
            else if (what == 2)
                data.resize(one_of(data.size() + 1));
        }
        left->put(name, data);
    }
    return left;
}

}  // namespace memory
