// SPDX-License-Identifier: BSD-3-Clause
// A tour of npz archives: several arrays and their metadata in one file that NumPy reads.
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <iostream>

namespace fs = std::filesystem;
namespace nk = ndkeep;

namespace {

void list(const fs::path& file) {
    for (const nk::npz_member& member : nk::inspect_npz(file))
        std::cout << "  " << member.name << ' '
                  << (member.array ? member.array->type.str() + ' ' + nk::shape_text(member.array->shape) : "bytes")
                  << ", " << member.method << (member.mappable ? ", maps" : "") << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path data = argc > 1 ? argv[1] : "examples/data";
    const auto hourly = nk::load<float, 2>(data / "seattle_hourly.npy");
    const auto temps = xt::col(hourly, 0);

    std::cout << "save_npz: expressions are evaluated while they are written\n";
    nk::save_npz("year.npz", {{"hourly", hourly}, {"anomaly", temps - xt::mean(temps)(), {.compress = true}}},
                 {.meta = {{"site", "Seattle"}, {"units", "degree Celsius"}}, .sum = nk::checksum::crc32c});
    list("year.npz");

    std::cout << "npz_reader: reads only the directory until a member is loaded\n";
    const nk::npz_reader year("year.npz");
    const auto anomaly = year.load<double, 1>("anomaly");  // checked against the CRC-32 in the archive
    const auto mapped = year.map<float, 2>("hourly");      // not read: stored members are aligned and can be mapped
    std::cout << "  " << year.metadata()["site"] << ", coldest " << xt::amin(anomaly)() << " below, first reading "
              << mapped(0, 0) << '\n';
    try {
        (void)year.map<double, 1>("anomaly");
    } catch (const nk::mismatch_error& error) {
        std::cout << "  " << error.what() << '\n';
    }

    std::cout << "npz_writer: nothing appears before commit\n";
    {
        nk::npz_writer more("year.npz", {.append = true});
        more.add("daily", xt::reshape_view(xt::view(temps, xt::range(23, 23 + 364 * 24)), {364, 24}));
        more.add_text("notes.txt", "from the normals of 1981 to 2010\n");
        std::cout << "  before commit: " << nk::npz_reader("year.npz").names().size() << " members\n";
        more.commit();
    }
    for (const auto& name : nk::npz_reader("year.npz").names())
        std::cout << "  " << name << '\n';
    std::cout << "  " << nk::npz_reader("year.npz").text("notes.txt");

    std::cout << "verify_npz: checks every member and every checksum\n";
    nk::verify_npz("year.npz");
    std::cout << "  " << nk::findings_npz("year.npz").size() << " findings\n";
}
