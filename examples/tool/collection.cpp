// SPDX-License-Identifier: BSD-3-Clause
#include "collection.hpp"

#include "bucket.hpp"
#include "output.hpp"
#include "subject.hpp"
#include "tool.hpp"
#include "value_text.hpp"

#include <ndkeep/chunks/verify.hpp>
#include <ndkeep/work/parallel.hpp>

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

/// A canonical integer in decimal, of any length.
[[nodiscard]] bool is_key_number(std::string_view text) {
    const auto digits = text.substr(text.starts_with('-') ? 1 : 0);
    return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos &&
           (digits.front() != '0' || text == "0");
}

/// Numbers by value, before text by bytes.
[[nodiscard]] bool is_before(std::string_view a, std::string_view b) {
    const bool a_is_number = is_key_number(a), b_is_number = is_key_number(b);
    if (!a_is_number || !b_is_number)
        return a_is_number != b_is_number ? a_is_number : a < b;
    const bool a_is_negative = a.starts_with('-'), b_is_negative = b.starts_with('-');
    if (a_is_negative != b_is_negative)
        return a_is_negative;
    if (a_is_negative)
        std::swap(a, b);
    return a.size() != b.size() ? a.size() < b.size() : a < b;
}

/// Whether this entry of a folder is an array in another format than a chunked array.
[[nodiscard]] bool is_other_array(const fs::path& path) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored))
        return is_database(path);
    if (!fs::is_regular_file(path, ignored))
        return false;
    try {
        return subject_of(path).kind != subject_kind::sidecar;
    } catch (const nk::error&) {
        return path.extension() == ".npy" || path.extension() == ".npz";
    }
}

/// Searches a folder for chunked arrays.
class collection_search {
  public:
    collection_search(fs::path root, const nk::run_options& run)
        : root_(std::move(root)), run_{.threads = is_in_bucket(root_) ? threads_for(root_, run.threads) : 1,
                                       .stop = run.stop} {}

    /// Whether the folder is a collection.
    [[nodiscard]] bool run() {
        // A bucket has no empty folders: all arrays below are listed.
        if (is_in_bucket(root_))
            return look_into(root_, "");
        bool has_chunked = false, has_folders = false;
        for (const auto& name : names_in_folder(root_)) {
            if (name.starts_with('.'))
                continue;
            if (is_other_array(root_ / name))
                return false;
            if (!is_folder(root_ / name))
                continue;
            const bool is_chunked = subject_of(root_ / name).kind == subject_kind::chunked;
            has_chunked = has_chunked || is_chunked;
            has_folders = has_folders || !is_chunked;
        }
        return !(has_chunked && has_folders) && look_into(root_, "");
    }

    [[nodiscard]] std::vector<std::string>& keys() noexcept { return keys_; }
    [[nodiscard]] std::vector<std::string>& foreign() noexcept { return foreign_; }

  private:
    /// What the names in a folder are; nullopt for files. A bucket answers several threads at once.
    [[nodiscard]] std::vector<std::optional<subject_kind>> kinds_of(const fs::path& folder,
                                                                    const std::vector<std::string>& names) const {
        std::vector<std::optional<subject_kind>> kinds(names.size());
        nk::progress_meter meter(run_, {.phase = "list", .items_total = names.size(), .file = folder});
        nk::parallel_for(names.size(), meter, [&](std::size_t i) {
            if (is_folder(folder / names[i]))
                kinds[i] = subject_of(folder / names[i]).kind;
        });
        return kinds;
    }

    /// @param prefix  the name of the folder within the root, with a slash at its end
    /// @returns whether the folder, or one in it, has chunked arrays
    [[nodiscard]] bool look_into(const fs::path& folder, const std::string& prefix) {
        check_interrupted(folder);
        ++searched_;
        auto names = names_in_folder(folder);
        std::sort(names.begin(), names.end(), is_before);
        std::erase_if(names, [](const auto& name) { return name.starts_with('.'); });
        const auto kinds = kinds_of(folder, names);
        bool has_arrays = false;
        std::vector<std::string> others;
        for (std::size_t i = 0; i < names.size(); ++i) {
            const auto& name = names[i];
            if (!kinds[i]) {
                others.push_back(prefix + name);
            } else if (kinds[i] == subject_kind::chunked) {
                keys_.push_back(prefix + name);
                has_arrays = true;
            } else if (leads_to_arrays(folder / name, prefix + name + '/')) {
                has_arrays = true;
            } else {
                others.push_back(prefix + name + '/');
            }
        }
        if (has_arrays)
            foreign_.insert(foreign_.end(), others.begin(), others.end());
        return has_arrays;
    }

    [[nodiscard]] bool leads_to_arrays(const fs::path& folder, const std::string& prefix) {
        // Any folder can be given, such as a home folder. It is not searched to its end.
        constexpr std::size_t most_folders = 1000;
        std::error_code ignored;
        if ((keys_.empty() && searched_ >= most_folders) || is_database(folder) || fs::is_symlink(folder, ignored))
            return false;
        try {
            return look_into(folder, prefix);
        } catch (const nk::io_error&) {
            if (interrupted())
                throw;
            return false;  // it cannot be listed, and is foreign
        }
    }

    fs::path root_;
    nk::run_options run_;
    std::size_t searched_ = 0;
    std::vector<std::string> keys_, foreign_;
};

/// nullopt if a bucket has only the commit that removed the array.
[[nodiscard]] std::optional<keyed_array> keyed_array_of(const fs::path& path, const std::string& key) {
    keyed_array out{.array = {.name = key, .kind = std::string(kind_name(subject_kind::chunked))}};
    try {
        const auto said = nk::inspect_chunked(location_of(path));
        out.array.info = nk::array_info{.type = said.type, .shape = said.shape};
        out.array.nbytes = out.array.info->nbytes();
        out.rows = said.shape.front();
        for (const auto& chunk : said.chunks)
            out.array.stored_nbytes += chunk.file.empty() ? 0 : chunk.offset + chunk.nbytes;
        out.order_by = said.order_by;
        if (!said.order_by || said.chunks.empty())
            return out;
        const auto* const field = said.type.find(*said.order_by);
        out.key_type = field == nullptr ? said.type : field->type;
        out.first = said.chunks.front().min;
        out.last = said.chunks.back().max;
    } catch (const nk::io_error& problem) {
        if (is_in_bucket(path) && problem.code() == std::errc::no_such_file_or_directory)
            return std::nullopt;
        out.array.problem = problem.what();
    } catch (const nk::error& problem) {
        out.array.problem = problem.what();
    }
    return out;
}

[[nodiscard]] std::string json_of_key(const nk::dtype& type, const std::optional<nk::statistics::number>& key) {
    if (!key)
        return "null";
    if (type.kind() == 'M')
        return nk::core::json_text(std::string_view(extreme_text(type, key)));
    const auto* const real = std::get_if<double>(&*key);
    return real != nullptr ? nk::core::json_text(*real) : nk::core::number_text(*key);
}

}  // namespace

std::optional<collection_listing> collection_in(const fs::path& folder, const nk::run_options& run) {
    collection_search search(folder, run);
    if (!search.run())
        return std::nullopt;
    const auto& keys = search.keys();
    collection_listing out{.arrays = {}, .foreign = std::move(search.foreign())};
    std::sort(out.foreign.begin(), out.foreign.end());
    auto together = run;
    together.threads = threads_for(folder, run.threads);
    nk::progress_meter meter(together, {.phase = "list", .items_total = keys.size(), .file = folder});
    std::vector<std::optional<keyed_array>> arrays(keys.size());
    nk::parallel_for(keys.size(), meter, [&](std::size_t i) { arrays[i] = keyed_array_of(folder / keys[i], keys[i]); });
    meter.finish();
    for (auto& each : arrays)
        if (each)
            out.arrays.push_back(std::move(*each));
    return out;
}

std::string text_of(const collection_listing& of, const terminal& screen, bool exact) {
    using enum table::side;
    table rows({{"key", left},
                {"dtype", left},
                {"rows", right},
                {"first", left},
                {"last", left},
                {"bytes", right},
                {"", left}});
    for (const auto& each : of.arrays) {
        const auto& array = each.array;
        rows.add({shown(array.name), array.info ? dtype_label(array.info->type) : "-",
                  array.info ? std::to_string(each.rows) : "-", extreme_text(each.key_type, each.first),
                  extreme_text(each.key_type, each.last),
                  exact ? std::to_string(array.nbytes) : human_bytes(array.nbytes),
                  array.problem.empty() ? "" : "<- " + shown(array.problem)});
    }
    auto text = rows.text(screen);
    constexpr std::size_t most = 20;
    for (std::size_t i = 0; i < std::min(most, of.foreign.size()); ++i)
        text += (i == 0 ? "not of the collection: " : ", ") + shown(of.foreign[i]);
    if (of.foreign.size() > most)
        text += ", and " + std::to_string(of.foreign.size() - most) + " more";
    return text + (of.foreign.empty() ? "" : "\n");
}

json_object json_of(const fs::path& folder, const collection_listing& of) {
    json_object out;
    out.add_text("file", folder.string());
    out.add_text("kind", "collection");
    std::uint64_t nbytes = 0, stored_nbytes = 0;
    json_list entries, foreign;
    for (const auto& each : of.arrays) {
        nbytes += each.array.nbytes;
        stored_nbytes += each.array.stored_nbytes;
        auto entry = json_of(each.array);
        json_list key;
        for (const auto& part : fs::path(each.array.name))
            key.add_text(part.string());
        entry.add("key", key);
        if (each.array.info)
            entry.add("rows", each.rows);
        if (each.order_by) {
            entry.add_text("order_by", *each.order_by);
            entry.add_json("first", json_of_key(each.key_type, each.first));
            entry.add_json("last", json_of_key(each.key_type, each.last));
        }
        entries.add_json(entry.str());
    }
    for (const auto& name : of.foreign)
        foreign.add_text(name);
    out.add("nbytes", nbytes);
    out.add("stored_nbytes", stored_nbytes);
    out.add("entries", entries);
    out.add("foreign", foreign);
    return out;
}

}  // namespace tool
