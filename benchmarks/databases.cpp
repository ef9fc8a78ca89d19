// SPDX-License-Identifier: BSD-3-Clause
// Transactions beside what they consist of: writes and syncs of the same pages, msync of a shared map, and LMDB.
#include "timing.hpp"

#include <ndkeep/database.hpp>

#include <cstring>
#include <filesystem>
#include <memory>
#include <random>

#if defined(NDKEEP_BENCHMARK_LMDB)
#include <lmdb.h>
#endif

namespace nk = ndkeep;
using namespace timing;

namespace {

constexpr std::size_t page = 4096, mib = std::size_t{1} << 20;

/// A file of `bytes` bytes that are on the disk.
class whole_file {
  public:
    whole_file(const std::string& path, std::size_t bytes)
        : bytes_(bytes), descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0666)) {
        require(descriptor_ >= 0);
        const std::vector<char> block(mib, 1);
        for (std::size_t at = 0; at < bytes; at += block.size())
            require(::pwrite(descriptor_, block.data(), std::min(block.size(), bytes - at), static_cast<off_t>(at)) >
                    0);
        require(::fsync(descriptor_) == 0);
        memory_ = static_cast<char*>(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0));
        require(memory_ != MAP_FAILED);
        ::unlink(path.c_str());
    }
    whole_file(const whole_file&) = delete;
    whole_file& operator=(const whole_file&) = delete;
    ~whole_file() {
        ::munmap(memory_, bytes_);
        ::close(descriptor_);
    }
    void write(const std::vector<std::size_t>& pages) const {
        static const std::vector<char> content(page, 2);
        for (const std::size_t each : pages)
            require(::pwrite(descriptor_, content.data(), page, static_cast<off_t>(each * page)) == page);
    }
    void sync() const { require(::fdatasync(descriptor_) == 0); }
    [[nodiscard]] char* memory() const { return memory_; }
    void flush() const { require(::msync(memory_, bytes_, MS_SYNC) == 0); }

  private:
    std::size_t bytes_;
    int descriptor_;
    char* memory_;
};

#if defined(NDKEEP_BENCHMARK_LMDB)
/// The same bytes as values of 4,000 bytes.
class lmdb {
  public:
    lmdb(const std::string& folder, std::size_t bytes) : values_(bytes / value_size) {
        std::filesystem::create_directory(folder);
        require(::mdb_env_create(&all_) == 0);
        require(::mdb_env_set_mapsize(all_, 4 * bytes + (std::size_t{64} << 20)) == 0);
        require(::mdb_env_open(all_, folder.c_str(), MDB_NOTLS, 0666) == 0);
        MDB_txn* change = nullptr;
        require(::mdb_txn_begin(all_, nullptr, 0, &change) == 0);
        require(::mdb_dbi_open(change, nullptr, MDB_CREATE | MDB_INTEGERKEY, &table_) == 0);
        for (std::size_t i = 0; i < values_; ++i)
            put(change, i, MDB_APPEND);
        require(::mdb_txn_commit(change) == 0);
    }
    lmdb(const lmdb&) = delete;
    lmdb& operator=(const lmdb&) = delete;
    ~lmdb() { ::mdb_env_close(all_); }
    void update(const std::vector<std::size_t>& pages) {
        MDB_txn* change = nullptr;
        require(::mdb_txn_begin(all_, nullptr, 0, &change) == 0);
        for (const std::size_t each : pages)
            put(change, each % values_, 0);
        require(::mdb_txn_commit(change) == 0);
    }

  private:
    static constexpr std::size_t value_size = 4000;
    void put(MDB_txn* change, std::size_t number, unsigned flags) {
        MDB_val key{sizeof number, &number}, value{value_size, content_.data()};
        require(::mdb_put(change, table_, &key, &value, flags) == 0);
    }

    std::size_t values_;
    std::vector<char> content_ = std::vector<char>(value_size, 3);
    MDB_env* all_ = nullptr;
    MDB_dbi table_ = 0;
};
#endif

std::vector<std::size_t> some_pages(std::size_t bytes, std::size_t count, unsigned seed) {
    std::mt19937_64 random(seed);
    std::vector<std::size_t> pages(count);
    for (auto& each : pages)
        each = random() % (bytes / page);
    return pages;
}

void commits(const std::string& folder, std::size_t bytes) {
    const whole_file written(folder + "/written", bytes), synced(folder + "/synced", bytes);
    nk::database lab(folder + "/lab");
    auto a = lab.create<char>("a", {bytes});
    a.fill(1);
    lab.commit();
    const auto store = [&](const std::vector<std::size_t>& pages) {
        for (const std::size_t each : pages)
            a(each * page) = static_cast<char>(a(each * page) + 1);
    };
    const auto one = some_pages(bytes, 1, 1), hundredth = some_pages(bytes, bytes / page / 100, 2);
    turns all(bytes);
    all.add("commit of 1 page", [&] { lab.commit(); }, {.before = [&] { store(one); }, .times = 50});
    // What a record of one page has beside the page takes a second sector.
    all.add("commit of 1 page:pwrite, fdatasync",
            [&] {
                written.write(one);
                written.sync();
            },
            {.times = 50});
    all.add("commit of 1 %", [&] { lab.commit(); }, {.before = [&] { store(hundredth); }, .times = 3});
    all.add("commit of 1 %:pwrite, fdatasync",
            [&] {
                written.write(hundredth);
                written.sync();
            },
            {.times = 3});
    all.add("commit of 1 %:msync", [&] { synced.flush(); },
            {.before =
                 [&] {
                     for (const std::size_t each : hundredth)
                         ++synced.memory()[each * page];
                 },
             .times = 3});
    all.add("abort of 1 %", [&] { lab.abort(); }, {.before = [&] { store(hundredth); }, .times = 3});
    all.add("abort of 1 %:commit", [&] { lab.commit(); }, {.before = [&] { store(hundredth); }, .times = 3});
#if defined(NDKEEP_BENCHMARK_LMDB)
    lmdb other(folder + "/lmdb", bytes);
    all.add("commit of 1 %:LMDB", [&] { other.update(hundredth); }, {.times = 3});
#endif
    all.run();
}

void appends(const std::string& folder, std::size_t bytes) {
    nk::database lab(folder + "/growing", {.reserve = std::size_t{64} << 30});
    auto small = lab.create<char>("small", {64 * mib}), large = lab.create<char>("large", {8192 * mib});
    lab.commit();
    const xt::xtensor<char, 1> rows = xt::ones<char>({page});
    turns all(bytes);
    const auto append = [&](auto& to) {
        to.append(rows);
        lab.commit();
    };
    all.add("append to 8 GiB", [&] { append(large); }, {.times = 50});
    all.add("append to 8 GiB:append to 64 MiB", [&] { append(small); }, {.times = 50});
    all.run();
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) {
        std::fprintf(stderr, "usage: databases FOLDER BYTES\n");
        return 2;
    }
    const std::string folder = arguments[1];
    const std::size_t bytes = std::strtoull(arguments[2], nullptr, 10);
    if (bytes < mib)
        return 0;  // smaller than what a commit writes
    commits(folder, bytes);
    appends(folder, bytes);
    for (const char* const name : {"/lab", "/growing", "/lmdb"})
        std::filesystem::remove_all(folder + name);
    return 0;
}
