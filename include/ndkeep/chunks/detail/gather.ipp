// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/chunks/core/gather.hpp>.
#pragma once

#include <ndkeep/chunks/core/gather.hpp>

#include <ndkeep/chunks/detail/file.hpp>
#include <ndkeep/chunks/detail/gather_plan.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/store/state.hpp>
#include <ndkeep/text/ascii.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE std::optional<mapping_budget> mappings_of_process() {
    const auto text_of = [](const char* path) -> std::optional<std::string> {
        try {
            const file source = file::open(path);
            std::string text;
            std::array<std::byte, 65536> block;
            // Files in /proc report a size of 0: they are read until nothing more comes.
            for (std::size_t length = 1; length != 0;) {
                length = source.read_some(text.size(), block);
                text += as_text({block.data(), length});
            }
            return text;
        } catch (const error&) {
            return std::nullopt;
        }
    };
    const auto limit = text_of("/proc/sys/vm/max_map_count");
    const auto maps = text_of("/proc/self/maps");
    if (!limit || !maps)
        return std::nullopt;
    // One line of /proc/self/maps is one mapping.
    mapping_budget budget{0, static_cast<std::uint64_t>(std::count(maps->begin(), maps->end(), '\n'))};
    for (const char c : *limit)
        if (is_digit(c))
            budget.most = 10 * budget.most + static_cast<std::uint64_t>(c - '0');
    return budget;
}

NDKEEP_INLINE void check_mappings(std::uint64_t wanted, const std::optional<mapping_budget>& budget,
                                  const std::filesystem::path& called) {
    constexpr std::uint64_t for_others = 1024;  // left for the allocator, libraries and other maps of the process
    if (!budget || wanted + budget->used + for_others <= budget->most)
        return;
    throw io_error(called, "cannot map " + counted(wanted, "chunk"), std::make_error_code(std::errc::not_enough_memory),
                   "the process may have " + std::to_string(budget->most) +
                       " mappings: compact_chunked, more rows per chunk, or sysctl vm.max_map_count");
}

}  // namespace ndkeep::detail

namespace ndkeep::inline NDKEEP_ABI::core {

NDKEEP_INLINE mapping gather(const chunk_version& from) {
    const auto& entries = from.entries();
    if (from.where().is_distant()) {
        if (from.options().cache.path.empty())
            throw detail::mismatched(from.called(), "cache", "a local folder, from which chunks are mapped", "none",
                                     "`.cache = {.path = …}`, or load_chunked, which reads into memory");
        // Several at once. They are opened again below, from the folder.
        parallel_for(entries.size(), from.options().run.without_progress(), [&](std::size_t i) {
            if (!entries[i].file.empty())
                (void)from.local_file(entries[i]);
        });
    }
    std::vector<detail::gathered_range> ranges;
    std::uint64_t total = 0;
    for (const auto& entry : entries) {
        ranges.push_back({!entry.file.empty(), entry.offset, entry.nbytes});
        total += entry.nbytes;
    }
    const auto plan = detail::plan_gathering(ranges, mapping::page_size(), detail::least_mapped_chunk);
    const auto mapped = static_cast<std::uint64_t>(
        std::count_if(plan.begin(), plan.end(), [](const detail::gathered_plan& each) { return each.mapped != 0; }));
    // Counting reads all of /proc/self/maps. The usual limit is 65,530, which so few chunks do not approach.
    constexpr std::uint64_t worth_counting = 1000;
    bool is_counted = mapped <= worth_counting;

    auto all = mapping::reserved(detail::gathered_begin, total, from.called());
    // Chunks are mapped first and read afterwards. A chunk that is read may begin in the last page of the mapped chunk
    // before it, and mapping that page later would discard its bytes.
    std::vector<std::size_t> to_read;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const auto& part = plan[i];
        if (part.mapped == 0) {
            if (part.read != 0)
                to_read.push_back(i);
            continue;
        }
        const auto source = from.local_file(entries[i]);
        if (!source) {
            to_read.push_back(i);
            continue;
        }
        // Only now: a place without files needs no mappings.
        if (!std::exchange(is_counted, true))
            detail::check_mappings(mapped, detail::mappings_of_process(), from.called());
        const std::uint64_t at = part.at - detail::gathered_begin;
        all.take(*source, entries[i].offset + part.read, at + part.read, part.mapped);
        // The head of this chunk lies in the last page of the chunk before, which is in place already. That page is a
        // private copy, so the store never reaches the file.
        source->read(entries[i].offset, {all.data() + at, static_cast<std::size_t>(part.read)});
    }
    for (const std::size_t i : to_read) {
        std::byte* const out = all.data() + (plan[i].at - detail::gathered_begin);
        from.read_chunk(i, from.first_row(i), from.first_row(i) + entries[i].rows, out);
    }
    if (from.options().verify) {
        const run_options& run = from.options().run;
        parallel_for(entries.size(), run, [&](std::size_t i) {
            from.verify(
                i, {all.data() + (plan[i].at - detail::gathered_begin), static_cast<std::size_t>(entries[i].nbytes)});
        });
    }
    // Only now: the reads above store into the range.
    all.protect();
    return all;
}

}  // namespace ndkeep::core
