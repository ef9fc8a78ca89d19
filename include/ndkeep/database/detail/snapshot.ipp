// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/snapshot.hpp>.
//
// A reader registers for commit S under the control lock. From then on, no commit after S is applied to the files. The
// files have the commits up to `applied`; the records from there to S are laid over a private mapping of each file.
// Records up to `applied` are not: the files may have newer bytes than they.
#pragma once

#include <ndkeep/database/snapshot.hpp>

#include <ndkeep/database/detail/apply.hpp>
#include <ndkeep/database/detail/layout.hpp>
#include <ndkeep/database/detail/session.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/sidecar.hpp>
#include <ndkeep/npy/core/sidecar_file.hpp>
#include <ndkeep/npy/detail/inspect.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/os/names.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <system_error>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE database_snapshot::database_snapshot(const std::filesystem::path& path) {
    auto root = directory::open(path);
    auto hidden = root ? root->open_folder(std::string(detail::database_folder)) : std::nullopt;
    if (!hidden)
        throw io_error(path, root ? "is no database" : "cannot open",
                       std::make_error_code(std::errc::no_such_file_or_directory), root ? "database creates one" : "");
    root_ = *std::move(root);
    hidden_ = *std::move(hidden);
    control_ = std::make_shared<detail::control_file>(hidden_);
    refresh();
}

NDKEEP_INLINE void database_snapshot::refresh() {
    // By its path, which leads elsewhere if the program has changed its directory meanwhile.
    const auto named = detail::identity_of(hidden_.path() / detail::control_name);
    if (!control_->read().are_exact(control_->scratch()) && !control_->lease_is_held() && named &&
        named->inode == control_->scratch().status().st_ino) {
        try {
            detail::database_session completed(root_.path(), {});
        } catch (const conflict_error&) {
            // A writer came first, and has done it.
        }
    }
    std::shared_ptr<detail::reader_hold> next;
    {
        const detail::control_file::locked alone(*control_);
        next = control_->hold(control_->read().committed);
    }
    // Commits up to `next` may be applied meanwhile, and their segment may go. Then the files have them.
    std::vector<detail::logged_commit> unapplied;
    for (;;) {
        const auto words = control_->read();
        const std::uint64_t applied = words.applied;
        if (applied >= next->commit())
            break;
        auto chain = detail::read_log(hidden_, applied, file::access::read, words.unapplied_at);
        std::erase_if(chain.commits, [&](const auto& each) { return each.record.number > next->commit(); });
        if (!chain.commits.empty() && chain.commits.back().record.number == next->commit()) {
            unapplied = std::move(chain.commits);
            break;
        }
        if (control_->read().applied == applied)
            throw detail::damaged_log(hidden_, next->commit(),
                                      chain.commits.empty() ? applied : chain.commits.back().record.number);
    }
    unapplied_ = std::move(unapplied);
    hold_ = std::move(next);
}

NDKEEP_INLINE std::filesystem::path database_snapshot::file_of(const std::string& name) const {
    return root_.path() / detail::file_name_of(name);
}

NDKEEP_INLINE database_snapshot::found_array database_snapshot::find(const std::string& name) const {
    const auto absent = [&] {
        return io_error(file_of(name), "cannot open", std::make_error_code(std::errc::no_such_file_or_directory));
    };
    if (!detail::is_array_name(name))
        throw absent();
    const auto place = detail::place_after(unapplied_, name);
    if (place && place->is_removed)
        throw absent();
    auto source = place ? hidden_.open_file(place->made_as) : std::nullopt;
    if (!source)  // also if a writer has renamed it meanwhile
        source = root_.open_file(detail::file_name_of(name));
    if (!source)
        throw absent();
    source->call(file_of(name));
    const std::uint64_t size = source->size();
    mapping memory;
    bool counts = !place;
    for (const auto& commit : unapplied_)
        for (std::size_t i = 0; i < commit.record.arrays.size(); ++i) {
            const auto& change = commit.record.arrays[i];
            counts = counts || (place && change.name == name && change.made_as == place->made_as);
            if (change.name != name || !counts || change.images.empty())
                continue;
            if (memory.size() == 0) {
                memory = mapping::reserved(0, size, source->path());
                memory.take(*source, 0, 0, size);
            }
            auto images = commit.images_of(i);
            for (const auto& image : change.images) {
                // A later commit may have fewer rows. Then a writer may have cut the bytes behind them.
                const std::uint64_t last = std::clamp(size, image.first, image.last);
                std::copy_n(images.data(), last - image.first, memory.data() + image.first);
                images = images.subspan(static_cast<std::size_t>(image.last - image.first));
            }
        }
    if (memory.size() == 0) {
        detail::opened_array opened{*std::move(source), {}};
        detail::read_array(opened, {});
        return {std::move(opened.source), std::move(opened.info), {}};
    }
    memory.protect();
    const detail::byte_source bytes(std::span<const std::byte>(memory.data(), memory.size()), source->path());
    std::vector<std::byte> header;
    auto info = detail::header_at(bytes, 0, size, {}, header);
    core::check_data(bytes, info, size);
    return {*std::move(source), std::move(info), std::move(memory)};
}

NDKEEP_INLINE mapping database_snapshot::data_of(found_array&& found, std::size_t alignment) const {
    mapping data;
    if (found.memory.size() == 0) {
        data = detail::map_data(found.source, found.info, alignment, map_mode::read_only, advice::normal);
    } else if (found.info.data_offset % alignment == 0) {
        data =
            std::move(found.memory)
                .part(static_cast<std::size_t>(found.info.data_offset), static_cast<std::size_t>(found.info.nbytes()));
    } else {
        data = mapping::zeros(found.info.nbytes(), found.source.path());
        std::copy_n(found.memory.data() + found.info.data_offset, data.size(), data.data());
        data.protect();
    }
    data.keep(hold_);
    return data;
}

NDKEEP_INLINE json database_snapshot::metadata(const std::string& name) const {
    const auto info = find(name).info;
    std::optional<std::string> text;
    for (const auto& commit : unapplied_)
        for (const auto& change : commit.record.arrays)
            if (change.name == name) {
                if (!change.made_as.empty())
                    text = "";  // what another array of this name has left does not count
                if (change.sidecar)
                    text = change.sidecar;
            }
    if (!text)
        text = detail::text_in(root_, sidecar_path(detail::file_name_of(name)).string());
    return text ? detail::metadata_in(*text, info, sidecar_path(file_of(name))) : json(json::value_t::object);
}

NDKEEP_INLINE std::vector<std::string> database_snapshot::names() const {
    const auto all = detail::names_after(root_, unapplied_);
    return {all.begin(), all.end()};
}

}  // namespace ndkeep
