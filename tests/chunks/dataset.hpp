// SPDX-License-Identifier: BSD-3-Clause
// Helpers for tests of chunked arrays: checks of the rows, and a search for files that no record names.
#pragma once

#include "support/temp_dir.hpp"

#include <ndkeep/chunks.hpp>
#include <ndkeep/npy.hpp>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>

namespace dataset {

namespace nk = ndkeep;

/// Commits without syncs, for speed: these tests do not simulate power cuts.
inline constexpr nk::commit_rules unsynced{.sync = false};

/// Compares shapes and bytes, so that NaN equals itself.
template <class A, class B>
[[nodiscard]] bool same(const A& a, const B& b) {
    using value = typename A::value_type;
    static_assert(std::is_same_v<value, typename B::value_type>);
    return std::equal(a.shape().begin(), a.shape().end(), b.shape().begin(), b.shape().end()) &&
           (a.size() == 0 || std::memcmp(a.data(), b.data(), a.size() * sizeof(value)) == 0);
}

/// Joins the chunks of a reader, and checks that each begins at its stated row.
template <class Reader, class Array>
[[nodiscard]] bool same_chunk_by_chunk(const Reader& from, const Array& expected) {
    const auto* at = expected.data();
    std::uint64_t row = 0;
    std::size_t i = 0;
    for (const auto chunk : from) {
        if (from.first_row(i++) != row || chunk.shape()[0] == 0 ||
            at + chunk.size() > expected.data() + expected.size())
            return false;
        if (chunk.size() != 0 && std::memcmp(at, chunk.data(), chunk.size() * sizeof *at) != 0)
            return false;
        at += chunk.size();
        row += chunk.shape()[0];
    }
    return i == from.size() && row == from.rows() && at == expected.data() + expected.size();
}

/// Checks that the rows are the same however they are read (loaded, mapped, by chunks, in slices), and that verify
/// finds no problem.
template <class T, std::size_t N>
void check_rows(const std::filesystem::path& path, const xt::xtensor<T, N>& expected) {
    const auto loaded = nk::load_chunked<T, N>(path);
    const auto mapped = nk::map_chunked<T, N>(path);
    const nk::chunk_reader<T, N> reader(path);
    const std::uint64_t rows = expected.shape()[0];
    CHECK(reader.rows() == rows);
    CHECK(same(loaded, expected));
    CHECK(same(mapped, expected));
    CHECK(same_chunk_by_chunk(reader, expected));
    const auto part = reader.rows(rows / 3, rows - rows / 4);
    const auto row_size = rows == 0 ? 0 : expected.size() / rows;
    CHECK((part.size() == 0 ||
           std::memcmp(part.data(), expected.data() + rows / 3 * row_size, part.size() * sizeof(T)) == 0));
    for (const auto& wrong : nk::findings_chunked(path))
        FAIL_CHECK(wrong.message);
}

[[nodiscard]] inline std::set<std::string> names_in(const std::filesystem::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        names.insert(entry.path().filename().string());
    return names;
}
[[nodiscard]] inline std::set<std::string> chunk_files(const std::filesystem::path& path) {
    return names_in(path / "chunks");
}
[[nodiscard]] inline std::set<std::string> records(const std::filesystem::path& path) {
    auto names = names_in(path / "commits");
    names.erase(nk::detail::record_name(0));  // record 0 holds the dataset's id before the first commit
    return names;
}

/// Files that the kept records name: chunks, tables, and the chunks listed in tables.
[[nodiscard]] inline std::set<std::string> named_files(const std::filesystem::path& path) {
    std::set<std::string> names;
    for (const auto& record : records(path)) {
        const auto state = nk::json::parse(read_text(path / "commits" / record));
        for (const auto& item : state.at("chunks")) {
            if (item.contains("file"))
                names.insert(item.at("file").get<std::string>());
            if (!item.contains("table"))
                continue;
            const auto table = item.at("table").get<std::string>();
            names.insert(table);
            const auto entries = nk::load_any(path / "chunks" / table);
            const auto size = static_cast<std::size_t>(entries.type().size());
            for (auto i = item.at("from").get<std::size_t>(); i < item.at("to").get<std::size_t>(); ++i)
                // The file name is the first field, 48 bytes long.
                if (const char* const name = reinterpret_cast<const char*>(entries.bytes().data() + i * size);
                    *name != '\0')
                    names.insert(std::string(name, ::strnlen(name, 48)));
        }
    }
    return names;
}

/// Files in `chunks` that no kept record names.
[[nodiscard]] inline std::set<std::string> orphans(const std::filesystem::path& path) {
    const auto there = chunk_files(path), named = named_files(path);
    std::set<std::string> left;
    std::set_difference(there.begin(), there.end(), named.begin(), named.end(), std::inserter(left, left.end()));
    return left;
}

}  // namespace dataset
