// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/pickle/save.hpp>.
#pragma once

#include <ndkeep/pickle/save.hpp>

#include <ndkeep/array/any.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/os/durability.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/os/locks/writer_lock.hpp>
#include <ndkeep/os/replace.hpp>
#include <ndkeep/text/unicode.hpp>
#include <ndkeep/tree/detail/access.hpp>
#include <ndkeep/tree/detail/document.hpp>
#include <ndkeep/work/progress.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// Writes the operations of one pickle.
class pickle_writer {
  public:
    pickle_writer(file& to, const std::filesystem::path& called, int protocol, progress_meter& meter)
        : to_(to), called_(called), protocol_(protocol), meter_(meter) {}

    void write(const tree& value);

  private:
    void add(std::string_view bytes) {
        buffer_ += bytes;
        if (buffer_.size() >= most_in_buffer)
            flush();
    }
    void add(char code) { add(std::string_view(&code, 1)); }
    void add_number(std::uint64_t value, unsigned bytes) {
        char digits[8];
        for (unsigned i = 0; i < bytes; ++i)
            digits[i] = static_cast<char>(value >> (8 * i));
        add({digits, bytes});
    }
    void flush();
    void value_of(const tree& value, std::size_t depth);
    void integer(std::int64_t value);
    void large_integer(std::uint64_t value);
    void real(double value);
    void text(std::string_view value);
    void array(const any_array& value);
    void elements(std::span<const std::byte> bytes);
    void shape(const std::vector<std::size_t>& extents);
    void type(const dtype& value);
    void type_spec(const dtype& value);
    void global(std::string_view module, std::string_view name) {
        add('c');
        add(module);
        add('\n');
        add(name);
        add('\n');
    }

    static constexpr std::size_t most_in_buffer = std::size_t{1} << 20;
    file& to_;
    const std::filesystem::path& called_;
    int protocol_;
    progress_meter& meter_;
    std::string buffer_;
    std::uint64_t written_ = 0;  // before the buffer
};

NDKEEP_INLINE void pickle_writer::flush() {
    to_.write(written_, core::bytes_of(buffer_));
    written_ += buffer_.size();
    buffer_.clear();
    meter_.report();
}

NDKEEP_INLINE void pickle_writer::write(const tree& value) {
    add('\x80');
    add_number(static_cast<std::uint64_t>(protocol_), 1);
    value_of(value, 0);
    add('.');
    flush();
}

NDKEEP_INLINE void pickle_writer::integer(std::int64_t value) {
    using range = std::numeric_limits<std::int32_t>;
    if (value >= 0 && value < 256) {
        add('K');
        add_number(static_cast<std::uint64_t>(value), 1);
    } else if (value >= range::min() && value <= range::max()) {
        add('J');
        add_number(static_cast<std::uint64_t>(value), 4);
    } else {
        add('\x8a');
        add_number(8, 1);
        add_number(static_cast<std::uint64_t>(value), 8);
    }
}

NDKEEP_INLINE void pickle_writer::large_integer(std::uint64_t value) {
    // A byte more, for the sign.
    add('\x8a');
    add_number(9, 1);
    add_number(value, 8);
    add_number(0, 1);
}

NDKEEP_INLINE void pickle_writer::real(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    std::array<char, 9> bytes = {'G'};
    for (unsigned i = 0; i < 8; ++i)
        bytes[8 - i] = static_cast<char>(bits >> (8 * i));
    add({bytes.data(), bytes.size()});
}

NDKEEP_INLINE void pickle_writer::text(std::string_view value) {
    if (!core::is_utf8(value, core::surrogates::allowed))
        throw mismatched(called_, "text", "UTF-8", ndkeep::quoted(value));
    if (protocol_ >= 4 && value.size() < 256) {
        add('\x8c');
        add_number(value.size(), 1);
    } else if (value.size() <= std::numeric_limits<std::uint32_t>::max()) {
        add('X');
        add_number(value.size(), 4);
    } else if (protocol_ >= 4) {
        add('\x8d');
        add_number(value.size(), 8);
    } else {
        throw mismatched(called_, "text", "less than 4 GiB in protocols up to 3", counted(value.size(), "byte"));
    }
    add(value);
}

NDKEEP_INLINE void pickle_writer::shape(const std::vector<std::size_t>& extents) {
    add('(');
    for (const auto extent : extents)
        integer(static_cast<std::int64_t>(extent));
    add('t');
}

NDKEEP_INLINE void pickle_writer::type_spec(const dtype& value) {
    if (value.kind() == 'E')
        throw mismatched(called_, "dtype", "one of NumPy", "bfloat16");
    if (!value.is_struct())
        return text(value.str());
    // As in numpy.dtype({"names": […], "formats": […], "offsets": […], "itemsize": n}).
    const auto list = [&](std::string_view name, const auto& member) {
        text(name);
        add("](");
        for (const auto& each : value.fields())
            member(each);
        add('e');
    };
    add("}(");
    list("names", [&](const dtype::field& each) { text(each.name); });
    list("formats", [&](const dtype::field& each) {
        if (each.shape.empty())
            return type_spec(each.type);
        type_spec(each.type);
        shape(each.shape);
        add('\x86');
    });
    list("offsets", [&](const dtype::field& each) { integer(static_cast<std::int64_t>(each.offset)); });
    const auto& fields = value.fields();
    if (std::any_of(fields.begin(), fields.end(), [](const auto& each) { return !each.title.empty(); }))
        list("titles", [&](const dtype::field& each) { each.title.empty() ? add('N') : text(each.title); });
    text("itemsize");
    integer(static_cast<std::int64_t>(value.size()));
    add('u');
}

NDKEEP_INLINE void pickle_writer::type(const dtype& value) {
    global("numpy", "dtype");
    type_spec(value);
    add(protocol_ >= 2 ? "\x89\x88" : "I00\nI01\n");
    add("\x87R");
}

NDKEEP_INLINE void pickle_writer::elements(std::span<const std::byte> bytes) {
    const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (protocol_ == 2) {
        global("_codecs", "encode");
        text(from_latin1(all));
        text("latin1");
        add("\x86R");
        return;
    }
    const bool is_long = bytes.size() > std::numeric_limits<std::uint32_t>::max();
    if (is_long && protocol_ < 4)
        throw mismatched(called_, "array", "less than 4 GiB in protocol 3", counted(bytes.size(), "byte"));
    // Values that are removed at once move the elements to a multiple of 64 bytes.
    constexpr std::uint64_t alignment = 64;
    const std::uint64_t head = is_long ? 9 : 5;
    std::uint64_t gap = (alignment - (written_ + buffer_.size() + head) % alignment) % alignment;
    if (bytes.size() < 4096)
        gap = 0;
    else if (gap == 1)
        gap += alignment;
    if (gap % 2 != 0) {
        add(std::string_view("K\0000", 3));
        gap -= 3;
    }
    for (; gap != 0; gap -= 2)
        add("N0");
    add(is_long ? '\x8e' : 'B');
    add_number(bytes.size(), is_long ? 8 : 4);
    flush();
    // A full disk is reported before the work begins, and the file system can allocate contiguous blocks.
    (void)to_.reserve(written_, bytes.size());
    constexpr std::size_t block = std::size_t{64} << 20;
    for (std::size_t at = 0; at < bytes.size(); at += block) {
        const auto some = bytes.subspan(at, std::min(block, bytes.size() - at));
        to_.write(written_, some);
        written_ += some.size();
        meter_.add(0, some.size());
        meter_.report();
    }
}

NDKEEP_INLINE void pickle_writer::array(const any_array& value) {
    global("numpy.core.multiarray", "_reconstruct");
    global("numpy", "ndarray");
    integer(0);
    add('\x85');
    if (protocol_ >= 3)
        add(std::string_view("C\001b", 3));
    else
        add(std::string_view("U\001b", 3));
    add("\x87R(");
    integer(1);
    shape(value.shape());
    type(value.type());
    add('\x89');
    elements(value.bytes());
    add("tb");
}

NDKEEP_INLINE void pickle_writer::value_of(const tree& value, std::size_t depth) {
    if (depth > deepest_tree)
        throw mismatched(called_, "tree", "at most " + counted(deepest_tree, "level"), "nested deeper");
    switch (value.kind()) {
    case tree_kind::null:
        return add('N');
    case tree_kind::boolean:
        return add(value.get<bool>() ? '\x88' : '\x89');
    case tree_kind::integer:
        return tree_access::is_unsigned(value) ? large_integer(value.get<std::uint64_t>())
                                               : integer(value.get<std::int64_t>());
    case tree_kind::real_number:
        return real(value.get<double>());
    case tree_kind::string:
        return text(tree_access::text(value));
    case tree_kind::array: {
        const auto shared = value.array();
        return array(*shared);
    }
    case tree_kind::list:
        add(']');
        if (value.empty())
            return;
        add('(');
        for (const auto& each : value)
            value_of(each, depth + 1);
        return add('e');
    case tree_kind::dictionary: {
        add('}');
        if (value.empty())
            return;
        add('(');
        const auto* key = tree_access::keys(value);
        for (const auto& each : value) {
            text(*key++);
            value_of(each, depth + 1);
        }
        return add('u');
    }
    }
}

}  // namespace detail

NDKEEP_INLINE void save_pickle(const std::filesystem::path& file, const tree& value,
                               const save_pickle_options& options) {
    if (options.protocol < 2 || options.protocol > 5)
        throw detail::mismatched(file, "protocol", "2 to 5", std::to_string(options.protocol));
    replacement next(file, read_only_files_of(options.run.replace_read_only));
    progress_meter meter(options.run, {.phase = "save", .file = file});
    detail::pickle_writer(next.content(), file, options.protocol, meter).write(value);
    meter.finish();
    (void)next.commit(durability_of(options.sync));
}

}  // namespace ndkeep
