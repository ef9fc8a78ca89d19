// SPDX-License-Identifier: BSD-3-Clause
// Habit 6: files become smaller with a dtype only as precise as the data, and with deflate, the method of gzip and zip.
#include <ndkeep/npy.hpp>
#include <ndkeep/npz.hpp>

#include <cstdio>

namespace fs = std::filesystem;
namespace nk = ndkeep;

namespace {

void report(const char* how, std::uintmax_t size, double error) {
    std::printf("%-22s%8ju bytes   largest error %.5f\n", how, size, error);
}

template <class A, class B>
double largest_error(const A& a, const B& b) {
    return xt::amax(xt::abs(a - b))();
}

}  // namespace

int main(int argc, char** argv) {
    const fs::path data = argc > 1 ? argv[1] : "examples/data";
    // The values have one decimal digit and reach 1019.5, so 16-bit integers of tenths hold them without loss.
    const auto given = nk::load<float, 2>(data / "seattle_hourly.npy");
    const xt::xtensor<double, 2> values = xt::round(xt::cast<double>(given) * 10) / 10;

    nk::save("f8.npy", values);
    report("float64", fs::file_size("f8.npy"), largest_error(nk::load<double, 2>("f8.npy"), values));
    nk::save("f4.npy", xt::cast<float>(values));
    report("float32", fs::file_size("f4.npy"), largest_error(nk::load<float, 2>("f4.npy"), values));
    nk::save("f2.npy", xt::cast<nk::float16>(values));
    report("float16", fs::file_size("f2.npy"),
           largest_error(xt::cast<float>(nk::load<nk::float16, 2>("f2.npy")), values));
    nk::save("i2.npy", xt::cast<std::int16_t>(xt::round(values * 10)), {.meta = {{"scale", 0.1}}});
    const double scale = nk::metadata("i2.npy")["scale"];
    const auto tenths = nk::load<std::int16_t, 2>("i2.npy");
    report("int16, in tenths", fs::file_size("i2.npy"), largest_error(tenths * scale, values));

    // Neighbours in a column are similar, neighbours in a row are not. Column-major order stores similar values
    // together.
    // In Python: np.load("columns.npz")["tenths"]
    const xt::xtensor<std::int16_t, 2> columns = xt::transpose(tenths);
    nk::save_npz("columns.npz", {{"tenths", columns}}, {.compress = true, .meta = {{"scale", 0.1}}});
    const nk::npz_reader packed("columns.npz");
    const auto back = packed.load<std::int16_t, 2>("tenths");
    report("the same, compressed", nk::inspect_npz("columns.npz").front().compressed_nbytes,
           largest_error(xt::transpose(back) * packed.metadata()["scale"].get<double>(), values));
}
