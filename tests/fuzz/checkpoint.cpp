// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: the checkpoint of a loop, read and bound to states of many types. It is written again and reads the
// same.
//
// An input that begins as a zip archive is the file. Any other has the text of state.json, a line of "====" and the npy
// file of the member states/a.npy; the target packs them, because a fuzzer cannot find the CRC-32 of a member.
#include "fuzz/fuzz.hpp"

#include <ndkeep/chunks/memory_place.hpp>
#include <ndkeep/loop.hpp>
#include <ndkeep/loop/detail/state/snapshot.hpp>
#include <ndkeep/npz/detail/packed.hpp>
#include <ndkeep/text/json/print.hpp>

#include <map>
#include <utility>
#include <vector>

namespace {

using fuzz::demand;
using fuzz::succeeds;
namespace nk = ndkeep;
using nk::detail::loop_snapshot;

[[nodiscard]] std::vector<std::byte> joined(nk::detail::packed_archive& archive) {
    std::vector<std::byte> all;
    for (const auto piece : archive.finish())
        all.insert(all.end(), piece.begin(), piece.end());
    return all;
}

[[nodiscard]] std::vector<std::byte> file_of(std::string_view input) {
    const auto bytes = fuzz::bytes_of(input);
    if (input.starts_with("PK"))
        return {bytes.begin(), bytes.end()};
    nk::detail::packed_archive archive;
    const auto text = fuzz::take_part(input);
    archive.add_text("states/a.npy", std::string(input));
    archive.add_text("state.json", std::string(text));
    return joined(archive);
}

/// A state that writes and reads its parts itself.
struct own_state {
    double sum = 0;
    std::vector<std::string> names;
    void save(nk::state_writer& out) const {
        out.set("sum", sum);
        out.set("names", names);
    }
    void load(const nk::state_reader& in) {
        in.get("sum", sum);
        in.get("names", names);
    }
};

struct plain_state {
    int count;
    float weight;
};

template <class... T>
void read_as(const nk::state_reader& in, const std::string& name) {
    ((void)succeeds([&] { (void)in.get<T>(name); }), ...);
}

void check_states(const loop_snapshot& snapshot) {
    const auto in = snapshot.reader();
    for (const auto& form : snapshot.forms()) {
        const auto& name = form.first;
        demand(in.contains(name));
        read_as<double, float, std::int64_t, std::uint8_t, bool, std::string, nk::json, own_state, plain_state>(in,
                                                                                                                name);
        read_as<xt::xarray<double>, xt::xtensor<int, 2>, std::vector<double>, std::vector<plain_state>,
                std::vector<std::vector<int>>, std::map<std::string, double>>(in, name);
        (void)succeeds([&] { (void)in.get_any(name); });
    }
}

/// The text of everything that a snapshot has without its arrays. Text, because NaN is not equal to itself.
[[nodiscard]] std::string text_of(const loop_snapshot& snapshot) {
    nk::detail::object_text out;
    out.add_value("forms", nk::json(snapshot.forms()));
    out.add_value("source", snapshot.position().source);
    out.add("rows", std::to_string(snapshot.position().rows));
    out.add("chunks", std::to_string(snapshot.position().chunks));
    out.add("generation", std::to_string(snapshot.generation()));
    out.add_nonfinite();
    return out.str();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::string_view loop = "fuzz";
    const auto input = fuzz::text_of(data, size);
    std::unique_ptr<const loop_snapshot> snapshot;
    if (!succeeds([&] { snapshot = std::make_unique<const loop_snapshot>(file_of(input), "fuzz.state", loop); }))
        return 0;
    (void)succeeds([&] { snapshot->check_committed(); });
    check_states(*snapshot);

    nk::detail::packed_states states{.forms = snapshot->forms()};
    nk::detail::add_state_member(states, loop, snapshot->generation(), snapshot->position());
    const loop_snapshot again(joined(states.arrays), "fuzz.state", loop);
    demand(text_of(again) == text_of(*snapshot));
    return 0;
}
