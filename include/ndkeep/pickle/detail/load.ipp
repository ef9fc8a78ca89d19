// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/pickle/load.hpp>.
#pragma once

#include <ndkeep/pickle/load.hpp>

#include <ndkeep/array/reader.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/foreign.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/npy/inspect.hpp>
#include <ndkeep/npy/load.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/pickle/detail/conversion.hpp>
#include <ndkeep/pickle/detail/machine.hpp>
#include <ndkeep/pickle/detail/objects.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Where a pickle begins, and the header of the npy file that it is in.
struct found_pickle {
    std::uint64_t begin = 0;
    std::optional<core::header_facts> header = {};
};

/// A file of PyTorch begins with a member NAME/data.pkl.
[[nodiscard]] inline bool is_torch_archive(const core::byte_source& source, std::uint64_t size) {
    std::array<std::byte, 256> bytes = {};
    const auto some = std::span(bytes).first(static_cast<std::size_t>(std::min<std::uint64_t>(size, bytes.size())));
    source.read(0, some);
    constexpr std::size_t length_at = 26, name_at = 30;  // APPNOTE 4.3.7
    if (some.size() < name_at)
        return false;
    const auto length =
        std::to_integer<std::size_t>(some[length_at]) | std::to_integer<std::size_t>(some[length_at + 1]) << 8;
    return core::as_text(some).substr(name_at, length).ends_with("/data.pkl");
}

/// The first bytes of a file.
class first_bytes {
  public:
    first_bytes(const core::byte_source& source, std::uint64_t size)
        : size_(static_cast<std::size_t>(std::min<std::uint64_t>(size, bytes_.size()))) {
        source.read(0, bytes());
    }
    [[nodiscard]] std::span<std::byte> bytes() { return std::span(bytes_).first(size_); }
    [[nodiscard]] std::string_view text() { return core::as_text(bytes()); }

  private:
    std::array<std::byte, core::foreign_bytes> bytes_ = {};
    std::size_t size_;
};

/// The header of an npy file; nullopt for other files.
[[nodiscard]] inline std::optional<core::header_facts> npy_header(const core::byte_source& source, std::uint64_t size,
                                                                  const limits& limit = {}) {
    first_bytes begin(source, size);
    if (!begin.text().starts_with(core::magic))
        return std::nullopt;
    const auto offset = parse_preamble(begin.bytes(), source.path(), size, limit).data_offset();
    std::vector<std::byte> header(static_cast<std::size_t>(offset));
    source.read(0, header);
    return core::parse_header_facts(header, source.path(), limit);
}

[[nodiscard]] inline bool has_objects(const core::header_facts& header) {
    return header.descr == "'|O'" || header.descr == "'O'";
}

/// @throws format_error    a format that is no pickle
/// @throws mismatch_error  an npy file that holds no objects
[[nodiscard]] inline found_pickle find_pickle(const core::byte_source& source, std::uint64_t size) {
    if (size == 0)
        throw malformed(source.path(), "file", "a pickle", "empty");
    if (auto header = npy_header(source, size)) {
        if (!has_objects(*header))
            throw mismatched(source.path(), "dtype", "'|O' (objects)", header->descr, "load or load_any");
        return {header->data_offset, std::move(header)};
    }
    first_bytes begin(source, size);
    const auto foreign = core::foreign_format_of(begin.text());
    if (foreign.name.empty() || begin.text()[0] == '\x80')
        return {};
    if (begin.text().starts_with("PK") && is_torch_archive(source, size))
        throw malformed(source.path(), "file", "a pickle", "a file of PyTorch", "torch.load in Python reads it");
    throw malformed(source.path(), "file", "a pickle", std::string(foreign.name), std::string(foreign.hint));
}

/// @throws format_error  it is the first of an old file of PyTorch
inline void check_number(const pickled_values& values, pickled_id root, const std::filesystem::path& file) {
    constexpr std::string_view torch_number = "119547037146038801333356";
    const auto value = values[root];
    if (value.kind == pickled_kind::large && values.text(value) == torch_number)
        throw malformed(file, "file", "a pickle", "a file of PyTorch", "torch.load in Python reads it");
}

/// @param kept  the open file; nullptr: bytes in memory
[[nodiscard]] inline tree read_pickle(const core::byte_source& source, std::uint64_t size, std::uint64_t begin,
                                      std::shared_ptr<const ndkeep::file> kept, const pickle_options& options) {
    for (std::size_t passed = 0; passed < options.number; ++passed) {
        pickle_machine machine(source, size, begin, true);
        (void)machine.run();
        begin = machine.end();
        if (begin == size)
            throw mismatched(source.path(), "number", "less than " + std::to_string(passed + 1),
                             std::to_string(options.number), "the file holds " + counted(passed + 1, "pickle"));
    }
    pickle_machine machine(source, size, begin, options.opaque);
    const auto root = machine.run();
    check_number(machine.values(), root, source.path());
    return pickle_conversion(machine.values(), source, std::move(kept), size - begin, options).tree_of(root);
}

/// Integers beyond 64 bits, which are text in a tree, must not become an array of text.
inline void check_integers(const pickled_values& values, pickled_id root, const std::filesystem::path& file) {
    const auto value = values[root];
    if (value.kind != pickled_kind::array)
        return;
    const auto data = values.arrays[static_cast<std::size_t>(value.x)].data;
    if (values[data].kind != pickled_kind::list)
        return;
    const auto items = values.items(data);
    for (std::size_t i = 0; i < items.size(); ++i)
        if (values[items[i]].kind == pickled_kind::large && values[items[i]].y > 19)
            throw mismatched(file, "element " + std::to_string(i), "an integer of 64 bits", "larger",
                             "load_pickle reads it as a tree");
}

/// The elements of an object array that are all bytes, as dtype 'S'; nullopt for others.
[[nodiscard]] inline std::optional<any_array> array_of_bytes(const pickled_values& values, pickled_id root,
                                                             const core::byte_source& source,
                                                             const std::vector<std::size_t>& shape,
                                                             std::uint64_t most) {
    const auto value = values[root];
    const auto data = value.kind == pickled_kind::array ? values.arrays[static_cast<std::size_t>(value.x)].data : 0;
    if (values[data].kind != pickled_kind::list)
        return std::nullopt;
    const auto items = values.items(data);
    std::uint64_t longest = 1;
    for (const auto item : items) {
        if (values[item].kind != pickled_kind::bytes)
            return std::nullopt;
        longest = std::max(longest, values[item].y);
    }
    if (items.empty() || product(shape) != items.size() || longest > largest_item || longest * items.size() > most)
        return std::nullopt;
    any_array made(dtype::plain('S', longest), shape);
    std::fill(made.bytes().begin(), made.bytes().end(), std::byte{0});
    auto* out = made.bytes().data();
    for (const auto item : items) {
        const auto each = values[item];
        const auto part = std::span(out, static_cast<std::size_t>(each.y));
        if (each.is_in_file)
            source.read(each.x, part);
        else
            std::copy_n(std::as_bytes(std::span(values.text(each))).begin(), part.size(), out);
        out += longest;
    }
    return made;
}

/// The value of a pickle in an npy file of objects.
/// @throws format_error  its array has another shape than the header states
inline void check_objects(const tree& value, const core::header_facts& header, const std::filesystem::path& file) {
    const tree* inner = &value;
    for (const auto extent : header.shape) {
        if (!inner->is_list() || inner->size() != extent)
            throw malformed(file, "shape of the objects", shape_text(header.shape),
                            inner->is_list() ? "an extent of " + std::to_string(inner->size()) : "a single value");
        if (extent == 0)
            return;
        inner = inner->begin();
    }
}

NDKEEP_INLINE any_array load_objects(const std::filesystem::path& file, const object_options& options) {
    if (options.pickles) {
        const auto opened = std::make_shared<const ndkeep::file>(ndkeep::file::open(file));
        const core::byte_source source(*opened);
        const auto size = opened->size();
        const auto header = npy_header(source, size, options.limit);
        if (header && has_objects(*header)) {
            const auto most = (std::uint64_t{64} << 20) + 64 * size;
            pickle_machine machine(source, size, header->data_offset, false);
            const auto root = machine.run();
            check_integers(machine.values(), root, file);
            if (auto bytes = array_of_bytes(machine.values(), root, source, header->shape, most))
                return *std::move(bytes);
            const auto value =
                pickle_conversion(machine.values(), source, opened, size - header->data_offset, {.run = options.run})
                    .tree_of(root);
            check_objects(value, *header, file);
            return array_of_values(value, header->shape, file, most);
        }
    }
    return load_any(file, load_options{.limit = options.limit, .run = options.run});
}

}  // namespace detail

NDKEEP_INLINE tree load_pickle(const std::filesystem::path& file, const pickle_options& options) {
    auto opened = std::make_shared<const ndkeep::file>(ndkeep::file::open(file));
    const core::byte_source source(*opened);
    const auto size = opened->size();
    const auto found = detail::find_pickle(source, size);
    auto value = detail::read_pickle(source, size, found.begin, std::move(opened), options);
    if (found.header && options.number == 0)
        detail::check_objects(value, *found.header, file);
    return value;
}

NDKEEP_INLINE tree load_pickle(std::span<const std::byte> bytes, const pickle_options& options) {
    const core::byte_source source(bytes, detail::name_in_memory());
    const auto found = detail::find_pickle(source, bytes.size());
    auto value = detail::read_pickle(source, bytes.size(), found.begin, nullptr, options);
    if (found.header && options.number == 0)
        detail::check_objects(value, *found.header, detail::name_in_memory());
    return value;
}

}  // namespace ndkeep
