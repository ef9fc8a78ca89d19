// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any bytes as an archive to which members are appended. All other members keep their bytes.
#include "fuzz/fuzz.hpp"

#include <ndkeep/npz/reader.hpp>
#include <ndkeep/npz/writer.hpp>

#include <fstream>
#include <iterator>
#include <map>
#include <vector>

namespace {

using fuzz::demand;
using fuzz::succeeds;
namespace fs = std::filesystem;

[[nodiscard]] std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

const ndkeep::load_options one_thread{.run = {.threads = 1}};

/// The bytes of every member that can be read, by its name in the directory.
[[nodiscard]] std::map<std::string, std::vector<std::byte>> members_of(const ndkeep::npz_reader& archive) {
    std::map<std::string, std::vector<std::byte>> all;
    for (const auto& entry : archive.archive().entries())
        if (!archive.archive().is_shadowed(entry))
            (void)succeeds([&] { all[entry.name] = archive.bytes(entry.name); });
    return all;
}

/// The members of an archive in memory. An empty file is a name that is reserved, without members.
[[nodiscard]] std::map<std::string, std::vector<std::byte>> members_before(std::string_view archive) {
    if (archive.empty())
        return {};
    return members_of(ndkeep::npz_reader(fuzz::bytes_of(archive), one_thread));
}

void append(const fs::path& file) {
    const xt::xtensor<int, 1> first = {1, 2, 3};
    ndkeep::npz_writer archive(file, {.append = true, .sum = ndkeep::checksum::crc32c, .run = {.threads = 1}});
    archive.add("a", first);
    archive.add_text("new.txt", "text", {.compress = true});
    archive.commit();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::folder where;
    const auto file = where / "a.npz";
    const auto before = fuzz::text_of(data, size);
    fuzz::write(file, before);

    if (!succeeds([&] { append(file); })) {
        demand(content_of(file) == before);
        return 0;
    }
    // Local headers get room to align the data, and there are at most as many as directory entries.
    demand(fs::file_size(file) <= before.size() + 65'536);
    const ndkeep::npz_reader added(file, one_thread);
    auto kept = members_before(before);
    for (const auto* const name : {"a.npy", "new.txt", "metadata.json"})
        kept.erase(name);
    auto present = members_of(added);
    for (const auto& [name, bytes] : kept)
        demand(present.contains(name) && present.at(name) == bytes);
    demand(added.load<int>("a")[2] == 3);
    demand(added.text("new.txt") == "text");
    demand(added.findings("a").empty());
    return 0;
}
