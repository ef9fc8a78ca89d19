// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/database/verify.hpp>.
#pragma once

#include <ndkeep/database/verify.hpp>

#include <ndkeep/database/detail/control.hpp>
#include <ndkeep/database/detail/layout.hpp>
#include <ndkeep/database/detail/log.hpp>
#include <ndkeep/database/detail/session.hpp>
#include <ndkeep/database/snapshot.hpp>
#include <ndkeep/os/locks/waiting.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <system_error>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// The hidden folder of a database.
/// @throws io_error  there is no database
[[nodiscard]] NDKEEP_INLINE directory database_folder_of(const std::filesystem::path& path) {
    const auto root = directory::open(path);
    auto hidden = root ? root->open_folder(std::string(database_folder)) : std::nullopt;
    if (!hidden)
        throw io_error(path, root ? "is no database" : "cannot open",
                       std::make_error_code(std::errc::no_such_file_or_directory));
    return *std::move(hidden);
}

}  // namespace detail

NDKEEP_INLINE database_info inspect_database(const std::filesystem::path& path) {
    const database_snapshot now(path);
    auto hidden = detail::database_folder_of(path);
    const auto control = std::make_shared<detail::control_file>(hidden);
    const auto words = control->read();
    database_info info{.committed = now.commit(), .applied = words.applied};
    if (control->lease_is_held())
        info.writer = detail::holder_text(words);
    for (const auto& name : detail::segments_in(hidden))
        if (const auto segment = hidden.open_file(name))
            info.log_bytes += segment->size();
    for (const auto& name : now.names())
        try {
            info.arrays.emplace_back(name, now.inspect(name));
        } catch (const format_error&) {
            // One bad file of another program must not hide the other arrays.
        }
    return info;
}

NDKEEP_INLINE std::vector<finding> findings_database(const std::filesystem::path& path, const verify_options& options) {
    std::vector<finding> all;
    std::vector<std::string> files;
    std::shared_ptr<detail::reader_hold> held;
    if (!core::passes(all,
                      [&] {
                          auto hidden = detail::database_folder_of(path);
                          const auto control = std::make_shared<detail::control_file>(hidden);
                          // No commit is applied while the files are read, also none that is already made.
                          detail::control_words words;
                          (void)detail::asked_within(std::chrono::seconds(5), [&] {
                              const detail::control_file::locked alone(*control);
                              words = control->read();
                              if (words.applying > words.applied && control->lease_is_held())
                                  return detail::attempt::refused;
                              held = control->hold(words.applied);
                              return detail::attempt::succeeded;
                          });
                          for (const auto& name : directory::open(path)->names())
                              if (!detail::array_name_of(name).empty())
                                  files.push_back(name);
                          const auto segments = detail::segments_in(hidden);
                          if (segments.empty())
                              return;
                          const std::uint64_t base = detail::first_commit_of(segments.front()) - 1;
                          const auto chain = detail::read_log(hidden, base, file::access::read);
                          const std::uint64_t last = chain.commits.empty() ? base : chain.commits.back().record.number;
                          const std::uint64_t wanted = std::max(chain.lost_up_to, words.committed);
                          // A writer may have removed the log meanwhile, because the files have all of it.
                          if (wanted > last && detail::segments_in(hidden) == segments)
                              throw detail::damaged_log(hidden, wanted, last);
                      }) &&
        files.empty())
        return all;
    std::sort(files.begin(), files.end());
    for (const auto& name : files)
        for (auto& problem : findings(path / name, options))
            all.push_back(std::move(problem));
    return all;
}

NDKEEP_INLINE void verify_database(const std::filesystem::path& path, const verify_options& options) {
    detail::throw_first(findings_database(path, options));
}

NDKEEP_INLINE database_recovery recover_database(const std::filesystem::path& path) {
    (void)detail::database_folder_of(path);
    database_recovery result;
    detail::database_session session(path, {.adopt = true}, &result.lost);
    result.commit = session.last_commit();
    session.close();
    return result;
}

}  // namespace ndkeep
