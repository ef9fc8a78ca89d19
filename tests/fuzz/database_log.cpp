// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: the table and the payload of a record in the log of a database, and the npy file that it changes.
//
// The three parts of the input are separated by lines of "====": npy file, table, payload. The target adds the headers
// of segment and record with their checksums, which a fuzzer cannot find.
#include "fuzz/fuzz.hpp"

#include <ndkeep/bytes/crc.hpp>
#include <ndkeep/database.hpp>
#include <ndkeep/database/detail/record.hpp>

#include <array>
#include <string>

namespace {

using fuzz::demand;
using fuzz::succeeds;
namespace nk = ndkeep;

void put(std::string& to, std::uint64_t number, int bytes) {
    for (int i = 0; i < bytes; ++i)
        to += static_cast<char>(number >> 8 * i & 255);
}

constexpr std::uint64_t salt = 42;

[[nodiscard]] std::uint32_t salted(std::string_view bytes) {
    std::string first;
    put(first, salt, 8);
    return nk::crc32c(fuzz::bytes_of(bytes), nk::crc32c(fuzz::bytes_of(first)));
}

/// A segment with one record, as include/ndkeep/database/README.md describes it.
[[nodiscard]] std::string segment(std::string_view table, std::string_view payload) {
    std::string bytes = "NDKDLOG1";
    put(bytes, salt, 8);
    put(bytes, 1, 8);
    put(bytes, nk::crc32c(fuzz::bytes_of(bytes)), 4);
    bytes.resize(512);
    std::string header = "NKDDREC1";
    put(header, 1, 8);
    put(header, table.size(), 8);
    put(header, payload.size(), 8);
    put(header, salted(table), 4);
    put(header, salted(payload), 4);
    put(header, salted(header), 4);
    return bytes + header + std::string(table) + std::string(payload) + std::string(512, '\0');
}

void check_table(std::string_view table) {
    nk::detail::commit_record record;
    if (!succeeds([&] { record = nk::detail::parse_table(fuzz::bytes_of(table), "log"); }))
        return;
    const auto again = nk::detail::table_bytes(record);
    demand(nk::detail::table_bytes(nk::detail::parse_table(again, "log")) == again);
}

void use(nk::database& lab) {
    for (const auto& name : lab.names()) {
        (void)succeeds([&] { (void)lab.metadata(name); });
        (void)succeeds([&] {
            auto array = lab.open<double>(name);
            double sum = 0;
            for (const double each : array)
                sum += each;
            if (array.size() != 0)
                *array.begin() = sum;
        });
    }
    (void)succeeds([&] { lab.commit(); });
}

void check_database(const fuzz::folder& in) {
    const auto lab = in / "lab";
    std::vector<nk::finding> findings;
    demand(succeeds([&] { findings = nk::findings_database(lab); }));
    (void)succeeds([&] {
        nk::database opened(lab);
        use(opened);
    });
    (void)succeeds([&] { (void)nk::recover_database(lab); });
    (void)succeeds([&] {
        const nk::database_snapshot now(lab);
        for (const auto& name : now.names())
            (void)succeeds([&] { (void)now.map<double>(name); });
    });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto rest = fuzz::text_of(data, size);
    const auto array = fuzz::take_part(rest), table = fuzz::take_part(rest), payload = rest;
    check_table(table);
    const fuzz::folder in;
    std::filesystem::create_directories(in / "lab/.ndkeep");
    if (!array.empty())
        fuzz::write(in / "lab/a.npy", array);
    fuzz::write(in / "lab/.ndkeep/log-0000000000000001", segment(table, payload));
    check_database(in);
    return 0;
}
