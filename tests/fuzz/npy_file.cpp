// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: any bytes as an npy file. All readers agree, and what was loaded is the same when it is written again.
#include "fuzz/fuzz.hpp"

#include <ndkeep/array/any.hpp>
#include <ndkeep/element/bfloat16.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/npy/load.hpp>
#include <ndkeep/npy/map.hpp>

#include <algorithm>
#include <complex>
#include <string>
#include <type_traits>

namespace {

using fuzz::demand;
using fuzz::succeeds;

const ndkeep::load_options one_thread{.run = {.threads = 1}};

[[nodiscard]] const fuzz::folder& where() {
    static const fuzz::folder made;
    return made;
}

template <class T>
void check_type(const std::filesystem::path& file, const ndkeep::array_info& info) {
    const auto map = [&] {
        const auto mapped = ndkeep::map<T>(file, ndkeep::read_only);
        demand(mapped.size() == info.size());
        // A mapped bool is as it is in the file: not to be read if it is neither 0 nor 1.
        if constexpr (!std::is_same_v<T, bool>) {
            const volatile auto last = mapped.size() == 0 ? T() : mapped.data()[mapped.size() - 1];
            (void)last;
        }
    };
    if (!succeeds([&] { demand(ndkeep::load<T>(file, one_thread).size() == info.size()); })) {
        demand(!succeeds(map));
        return;
    }
    demand(ndkeep::load<T>(file, ndkeep::column_major, one_thread).size() == info.size());
    (void)succeeds(map);
}

/// The complete npy file of an array.
[[nodiscard]] std::string file_of(const ndkeep::any_array& array) {
    std::string text = ndkeep::header_bytes({.type = array.type(), .shape = array.shape()});
    text.append(reinterpret_cast<const char*>(array.bytes().data()), array.bytes().size());
    return text;
}

void check_array(const ndkeep::any_array& array, const ndkeep::array_info& info) {
    demand(array.type() == info.type && array.shape() == info.shape && array.bytes().size() == info.nbytes());
    std::string text;
    if (!succeeds([&] { text = file_of(array); }))
        return;
    const auto copy = where() / "copy.npy";
    fuzz::write(copy, text);
    // A header without padding may become longer than the limit.
    const auto again =
        ndkeep::load_any(copy, {.limit = {.header_characters = ndkeep::longest_header}, .run = {.threads = 1}});
    demand(again.type() == array.type() && again.shape() == array.shape());
    demand(std::ranges::equal(again.bytes(), array.bytes()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = where() / "input.npy";
    fuzz::write(file, fuzz::text_of(data, size));

    ndkeep::array_info info;
    ndkeep::any_array array;
    if (!succeeds([&] { info = ndkeep::inspect(file); })) {
        demand(!succeeds([&] { (void)ndkeep::load_any(file, one_thread); }));
        return 0;
    }
    if (succeeds([&] { array = ndkeep::load_any(file, one_thread); }))
        check_array(array, info);
    check_type<double>(file, info);
    check_type<bool>(file, info);
    check_type<ndkeep::bfloat16>(file, info);
    check_type<std::complex<float>>(file, info);
    return 0;
}
