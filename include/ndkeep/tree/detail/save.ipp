// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/tree/save.hpp>.
#pragma once

#include <ndkeep/tree/save.hpp>

#include <ndkeep/array/any.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/element/convert.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/npz/core/archive.hpp>
#include <ndkeep/npz/core/member.hpp>
#include <ndkeep/npz/detail/metadata.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/tree/detail/access.hpp>
#include <ndkeep/tree/detail/braces.hpp>
#include <ndkeep/tree/detail/document.hpp>
#include <ndkeep/tree/detail/leaf.hpp>
#include <ndkeep/work/progress.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Whether a member is an array. A name that ends with ".npy" promises one; reading its header reports if it is not.
/// Other members need not be readable.
[[nodiscard]] NDKEEP_INLINE bool is_array(const archive& from, const zip_entry& entry) {
    if (entry.name.ends_with(npy_suffix))
        return true;
    try {
        member_bytes bytes(from, entry, 0);
        return begins_as_array(bytes.source(), entry.size);
    } catch (const format_error&) {
        return false;
    }
}

/// An array leaf whose elements stay in an archive. It keeps the archive open.
class leaf_in_archive final : public tree_leaf {
  public:
    leaf_in_archive(std::shared_ptr<const archive> from, const zip_entry& entry, const load_options& options)
        : archive_(std::move(from)), entry_(entry), options_(options), info_(in_member(without_npy(entry.name), [&] {
              member_bytes bytes(*archive_, entry_, 0);
              return read_member_header(bytes.source(), bytes.size(), options_.limit).info;
          })) {}

    [[nodiscard]] const dtype& type() const override { return info_.type; }
    [[nodiscard]] const std::vector<std::size_t>& shape() const override { return info_.shape; }

    [[nodiscard]] std::filesystem::path file() const override { return archive_->path(); }

    [[nodiscard]] std::shared_ptr<const any_array> array() const override {
        return std::make_shared<const any_array>(
            read_member(*archive_, entry_, options_,
                        [](const byte_source& source, const array_info& info, const run_options& run,
                           std::uint32_t& crc) { return read_any(source, info, run, &crc); }));
    }

    void read(const dtype& wanted, order wanted_order, std::byte* out) const override {
        (void)read_member(
            *archive_, entry_, options_,
            [&](const byte_source& source, const array_info& info, const run_options& run, std::uint32_t& crc) {
                // `out` has room for the shape read at opening. If the file has changed since, a larger array would
                // overflow it.
                if (info != info_)
                    throw format_error({.file = source.path(),
                                        .field = "header",
                                        .expected = info_.type.descr() + ' ' + shape_text(info_.shape),
                                        .found = info.type.descr() + ' ' + shape_text(info.shape),
                                        .hint = "the archive has changed since it was opened"});
                const auto name = info.type.cpp_name();
                const conversion convert(info.type, wanted, source.path(),
                                         (name.empty() ? "" : "as<" + name + "> or ") + "array()");
                element_reader(source, info, convert, out).run(wanted_order, run, &crc);
                return true;
            });
    }

    [[nodiscard]] mapping map(const dtype& wanted, std::size_t alignment) const override {
        return in_member(without_npy(entry_.name), [&] {
            return map_member(*archive_, entry_, options_.limit, wanted, alignment, map_mode::read_only,
                              order::row_major)
                .first;
        });
    }

  private:
    std::shared_ptr<const archive> archive_;
    const zip_entry& entry_;  // in the directory of `archive_`
    load_options options_;
    array_info info_;
};

/// Reads the tree of an archive, with leaves that stay in the archive.
[[nodiscard]] NDKEEP_INLINE tree read_tree(const std::filesystem::path& file, const load_options& options) {
    check_first_array(options, file);
    const auto from = std::make_shared<const archive>(file, options.limit);
    const auto leaf_of = [&](const zip_entry& entry) {
        // The leaf outlives this call. Progress and stop belong to the call, so only limits and threads are kept.
        const load_options kept{.limit = options.limit, .run = {.threads = options.run.threads}};
        return tree_access::of_leaf(std::make_shared<const leaf_in_archive>(from, entry, kept));
    };
    const auto* const document = from->find_exact(tree_member);
    if (document == nullptr) {
        tree all = tree::dictionary();
        for (const auto& entry : from->entries()) {
            const auto name = without_npy(entry.name);
            // Only the member that its name finds: others are shadowed, and a key can have only one value.
            if (from->find(name) == &entry && is_array(*from, entry))
                all[name] = leaf_of(entry);
        }
        return all;
    }
    return in_member(tree_member, [&] {
        // Before the member is expanded: the directory states its size.
        check_json_size(*document, file, options.limit);
        const auto text = read_member_bytes(*from, *document);
        const auto leaf_named = [&](const std::string& name) {
            const auto* const entry = from->find_exact(name);
            if (entry == nullptr)
                throw format_error({.file = file,
                                    .field = "array " + ndkeep::quoted(name),
                                    .expected = "a member of the archive",
                                    .found = "missing"});
            return leaf_of(*entry);
        };
        return tree_of(as_text({text.data(), text.size()}), file, leaf_named, options.limit);
    });
}

}  // namespace detail

NDKEEP_INLINE void save_tree(const std::filesystem::path& file, const tree& value, const npz_options& options) {
    const auto document = detail::in_document(file, [&] { return document_of(value); });
    npz_writer archive(
        file,
        {.append = false, .compress = options.compress, .sum = options.sum, .sync = options.sync, .run = options.run});
    archive.set_metadata(options.meta);
    for (const auto& [name, leaf] : document.arrays)
        archive.add(name, leaf.array());
    archive.add_text(detail::tree_member, document.text);
    archive.commit();
}

NDKEEP_INLINE tree open_tree(const std::filesystem::path& file, const load_options& options) {
    return detail::read_tree(file, options);
}

NDKEEP_INLINE tree load_tree(const std::filesystem::path& file, const load_options& options) {
    tree all = detail::read_tree(file, options);
    // One leaf at a time. A list of waiting trees, and not recursion, so that no depth overflows the stack.
    std::vector<tree*> waiting = {&all};
    while (!waiting.empty()) {
        tree& each = *waiting.back();
        waiting.pop_back();
        if (each.is_array())
            each = detail::tree_access::of_leaf(
                std::make_shared<const detail::leaf_in_memory>(detail::tree_access::leaf(each)->array()));
        else if (each.is_list() || each.is_dictionary())
            for (tree& child : each)
                waiting.push_back(&child);
    }
    return all;
}

}  // namespace ndkeep
