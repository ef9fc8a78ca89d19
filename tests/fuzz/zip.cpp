// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any bytes as an npz archive. The result is an ndkeep error, or members that are consistent.
#include "fuzz/fuzz.hpp"

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/format/zip/scan.hpp>
#include <ndkeep/npz/reader.hpp>

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace {

using fuzz::demand;
using fuzz::succeeds;

void check_mapping(const ndkeep::npz_reader& archive, const std::string& name) {
    const auto read_through = [&](const auto& mapped) {
        if (mapped.size() != 0) {
            const auto* const begin = mapped.data();
            [[maybe_unused]] volatile auto first = begin[0];
            [[maybe_unused]] volatile auto last = begin[mapped.size() - 1];
        }
    };
    (void)succeeds([&] { read_through(archive.map<std::int32_t>(name)); });
    (void)succeeds([&] { read_through(archive.map<double>(name, ndkeep::column_major)); });
    (void)succeeds([&] { read_through(archive.map<std::uint8_t>(name, ndkeep::copy_on_write)); });
}

void check_member(const ndkeep::npz_reader& archive, const std::string& name) {
    demand(archive.contains(name));
    std::vector<std::byte> whole;
    const bool has_bytes = succeeds([&] { whole = archive.bytes(name); });
    ndkeep::array_info info;
    const bool has_header = succeeds([&] { info = archive.inspect(name); });
    const bool has_array = succeeds([&] {
        const auto array = archive.load_any(name);
        demand(array.shape() == info.shape);
        demand(info.data_offset + info.nbytes() <= whole.size());
    });
    demand(!has_array || (has_header && has_bytes));
    check_mapping(archive, name);
}

/// The search for members without a directory: they lie one behind the other, and their data is where it should be.
void check_search(std::span<const std::byte> bytes) {
    const std::filesystem::path file = "a.npz";
    const ndkeep::core::byte_source archive(bytes, file);
    const ndkeep::run_options run;
    ndkeep::progress_meter meter(run);
    const auto found = ndkeep::detail::find_zip_members(archive, bytes.size(), {}, meter).directory;
    std::uint64_t end = 0;
    for (const auto& entry : found.entries) {
        demand(entry.header_offset >= end && entry.room_end <= bytes.size());
        const auto data = ndkeep::detail::zip_data_offset(archive, entry);
        demand(entry.method != ndkeep::core::zip_stored ||
               ndkeep::crc32(bytes.subspan(static_cast<std::size_t>(data), static_cast<std::size_t>(entry.size))) ==
                   entry.crc32);
        end = entry.room_end;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    (void)succeeds([&] {
        const ndkeep::load_options one_thread{.run = {.threads = 1}};
        const ndkeep::npz_reader archive(std::as_bytes(std::span(data, size)), one_thread);
        for (const auto& name : archive.names())
            check_member(archive, name);
        (void)archive.metadata();
    });
    (void)succeeds([&] { check_search(std::as_bytes(std::span(data, size))); });
    return 0;
}
