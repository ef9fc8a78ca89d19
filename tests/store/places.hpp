// SPDX-License-Identifier: BSD-3-Clause
// Three kinds of places, on which the same tests run: a directory, memory, and a place without files. With
// NDKEEP_TEST_S3, a bucket instead.
#pragma once

#include "support/forwarding_place.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/chunks/memory_place.hpp>
#include <ndkeep/store/place.hpp>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#if defined(NDKEEP_TEST_S3)
#include "s3/bucket.hpp"
#endif

namespace places {

namespace nk = ndkeep;

/// A directory, none of whose names can be opened as a file. Unlike memory, it has locks.
class without_files final : public forwarding_place {
  public:
    using forwarding_place::forwarding_place;

    std::optional<nk::file> open(const std::string&) override { return std::nullopt; }
};

enum class kind { directory, memory, no_files, bucket };
#if defined(NDKEEP_TEST_S3)
inline constexpr std::array<kind, 1> all_kinds = {kind::bucket};
#else
inline constexpr std::array<kind, 3> all_kinds = {kind::directory, kind::memory, kind::no_files};
#endif

[[nodiscard]] inline std::string_view name_of(kind which) {
    return which == kind::directory  ? "directory"
           : which == kind::memory   ? "memory"
           : which == kind::no_files ? "no files"
                                     : "bucket";
}

/// Room for datasets of one kind, by name.
class ground {
  public:
    explicit ground(kind of) : kind_(of) {}

    /// Another location of the same dataset: but for memory, it opens the place anew.
    [[nodiscard]] nk::dataset_location at(const std::string& name) {
        if (kind_ == kind::directory)
            return dir_ / name;
        if (kind_ == kind::no_files)
            return std::make_shared<without_files>(dir_ / name);
#if defined(NDKEEP_TEST_S3)
        if (kind_ == kind::bucket)
            return bucket_ / name;
#endif
        auto& kept = memory_[name];
        if (kept == nullptr)
            kept = std::make_shared<nk::memory_place>(name);
        return kept;
    }
    [[nodiscard]] std::shared_ptr<nk::place> place_at(const std::string& name) {
        return at(name).open(nk::local_place::access::write);
    }
    /// Options to map a dataset: a bucket needs a local folder for that, which is new in each call.
    [[nodiscard]] nk::chunk_reader_options mapping(nk::chunk_reader_options options = {}) {
        if (kind_ == kind::bucket)
            options.cache.path = dir_ / ("cache-" + std::to_string(caches_++));
        return options;
    }
    [[nodiscard]] std::filesystem::path file(const std::string& name) const { return dir_ / name; }

  private:
    kind kind_;
    temp_dir dir_;
    int caches_ = 0;
    std::map<std::string, std::shared_ptr<nk::memory_place>> memory_;
#if defined(NDKEEP_TEST_S3)
    nk::s3_location bucket_ = s3test::folder();
#endif
};

using bytes = std::vector<std::byte>;

[[nodiscard]] inline bytes bytes_of(std::string_view text) {
    bytes made;
    for (const char c : text)
        made.push_back(static_cast<std::byte>(c));
    return made;
}

[[nodiscard]] inline bool put(nk::place& where, const std::string& name, const bytes& data) {
    const std::array<std::span<const std::byte>, 1> parts = {std::span<const std::byte>(data)};
    return where.put(name, parts, nk::durability::when_convenient);
}

[[nodiscard]] inline std::optional<bytes> get(nk::place& where, const std::string& name) {
    return where.get(name, std::uint64_t{1} << 30);
}

/// Gives a name other bytes, as damage does.
inline void replace(nk::place& where, const std::string& name, const bytes& data) {
    where.remove(name);
    if (!put(where, name, data))
        throw std::runtime_error(name + " is taken");
}

/// Flips the last byte of a name.
inline void damage(nk::place& where, const std::string& name) {
    auto data = get(where, name).value();
    data.back() ^= std::byte{1};
    replace(where, name, data);
}

}  // namespace places
