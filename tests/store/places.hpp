// SPDX-License-Identifier: BSD-3-Clause
// Three kinds of places, on which the same tests run: a directory, memory, and a place without files.
#pragma once

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

namespace places {

namespace nk = ndkeep;

/// A directory, none of whose names can be opened as a file. Unlike memory, it has locks.
class without_files final : public nk::place {
  public:
    explicit without_files(const std::filesystem::path& path) : inner_(path, nk::local_place::access::write) {}

    std::optional<std::vector<std::byte>> get(const std::string& name, std::uint64_t most) override {
        return inner_.get(name, most);
    }
    bool get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) override {
        return inner_.get_range(name, offset, out);
    }
    std::optional<std::uint64_t> size(const std::string& name) override { return inner_.size(name); }
    bool put(const std::string& name, parts bytes, nk::durability wanted) override {
        return inner_.put(name, bytes, wanted);
    }
    std::vector<std::string> list(const std::string& folder) override { return inner_.list(folder); }
    void remove(const std::string& name) override { inner_.remove(name); }
    void sync(const std::string& name) override { inner_.sync(name); }
    void sync_names(const std::string& folder) override { inner_.sync_names(folder); }
    nk::byte_locks locks() override { return inner_.locks(); }
    std::filesystem::path called(const std::string& name) const override { return inner_.called(name); }

  private:
    nk::local_place inner_;
};

enum class kind { directory, memory, no_files };
inline constexpr std::array<kind, 3> all_kinds = {kind::directory, kind::memory, kind::no_files};

[[nodiscard]] inline std::string_view name_of(kind which) {
    return which == kind::directory ? "directory" : which == kind::memory ? "memory" : "no files";
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
        auto& kept = memory_[name];
        if (kept == nullptr)
            kept = std::make_shared<nk::memory_place>(name);
        return kept;
    }
    [[nodiscard]] std::shared_ptr<nk::place> place_at(const std::string& name) {
        return at(name).open(nk::local_place::access::write);
    }
    [[nodiscard]] std::filesystem::path file(const std::string& name) const { return dir_ / name; }

  private:
    kind kind_;
    temp_dir dir_;
    std::map<std::string, std::shared_ptr<nk::memory_place>> memory_;
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
