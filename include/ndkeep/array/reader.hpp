// SPDX-License-Identifier: BSD-3-Clause
// The elements of an npy file or archive member read into memory: by blocks, in parallel, converted on the way.
#pragma once

#include <ndkeep/array/any.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/os/mapping.hpp>
#include <ndkeep/work/parallel.hpp>

namespace ndkeep {

struct load_options {
    limits limit = {};
    run_options run = {};
};

namespace detail {

inline constexpr std::size_t read_block = std::size_t{4} << 20;

/// Elements in the order of the file, block by block, converted on the way.
class element_reader {
  public:
    element_reader(const byte_source& source, const array_info& info, const conversion& convert, std::byte* out)
        : source_(source), info_(info), convert_(convert), out_(out) {}

    /// With one thread, bytes are read in their order, each once.
    /// @param wanted_column_major  order of the memory at `out`
    /// @param crc                  carried on over the bytes as they were read, unless nullptr
    void run(bool wanted_column_major, const run_options& run, std::uint32_t* crc = nullptr) {
        const auto count = static_cast<std::size_t>(info_.size());
        const std::size_t bytes = count * convert_.from_size();
        if (bytes == 0)
            return;
        const bool same_order = info_.column_major == wanted_column_major || !has_order(info_);
        if (same_order)
            plan_flat(count);
        else
            plan_panels(wanted_column_major);
        sums_.assign(crc == nullptr ? 0 : pieces_.size(), 0);
        if (pieces_.size() == 1 && !run.progress && run.stop == nullptr)
            read(0);
        else
            read_all(bytes, run);
        for (std::size_t i = 0; i < sums_.size(); ++i)
            *crc = crc32_combine(*crc, sums_[i], bytes_of(pieces_[i]));
    }

    /// Whether the two orders differ for this shape.
    [[nodiscard]] static bool has_order(const array_info& info) {
        return written_column_major({.type = info.type, .shape = info.shape, .column_major = true});
    }

  private:
    /// A range of the file and where its elements go. Without strides they go one behind the other.
    struct piece {
        std::uint64_t offset;
        std::byte* to;
        shape_type shape;
        strides_type strides;
    };

    [[nodiscard]] std::size_t bytes_of(const piece& part) const { return product(part.shape) * convert_.from_size(); }

    void read_all(std::size_t bytes, const run_options& run) {
        prefer_huge_pages({out_, bytes / convert_.from_size() * convert_.to_size()});
        progress_meter meter(
            run, {.phase = "load", .items_total = pieces_.size(), .bytes_total = bytes, .file = source_.path()});
        parallel_for(pieces_.size(), meter, [&](std::size_t i) {
            read(i);
            meter.add(0, bytes_of(pieces_[i]));
        });
        meter.finish();
    }

    void plan_flat(std::size_t count) {
        const std::size_t most = std::max<std::size_t>(1, read_block / convert_.from_size());
        for (std::size_t first = 0; first < count; first += most)
            pieces_.push_back({info_.data_offset + first * convert_.from_size(),
                               out_ + first * convert_.to_size(),
                               {std::min(most, count - first)},
                               {}});
    }

    void plan_panels(bool wanted_column_major) {
        auto strides = strides_of(info_.shape, convert_.to_size(), wanted_column_major);
        auto shape = info_.shape;
        if (info_.column_major) {
            std::reverse(shape.begin(), shape.end());
            std::reverse(strides.begin(), strides.end());
        }
        plan_axes(shape, strides, info_.data_offset, out_);
    }

    /// Cuts an array, slowest axis of the file first, into panels of about one block.
    void plan_axes(const shape_type& shape, const strides_type& strides, std::uint64_t offset, std::byte* to) {
        const shape_type inner(shape.begin() + 1, shape.end());
        const std::size_t row = product(inner) * convert_.from_size();
        if (row > read_block && shape.size() > 1) {
            const strides_type inner_strides(strides.begin() + 1, strides.end());
            for (std::size_t i = 0; i < shape[0]; ++i)
                plan_axes(inner, inner_strides, offset + i * row, to + static_cast<std::ptrdiff_t>(i) * strides[0]);
            return;
        }
        const std::size_t most = std::max<std::size_t>(1, read_block / row);
        for (std::size_t i = 0; i < shape[0]; i += most) {
            auto some = shape;
            some[0] = std::min(most, shape[0] - i);
            pieces_.push_back(
                {offset + i * row, to + static_cast<std::ptrdiff_t>(i) * strides[0], std::move(some), strides});
        }
    }

    /// Of one piece, in order.
    void read_bytes(std::size_t number, std::size_t begin, std::span<std::byte> out) {
        source_.read(pieces_[number].offset + begin, out);
        if (!sums_.empty())
            sums_[number] = crc32(out, sums_[number]);
    }

    /// Converted where it lies, while it is still in the cache.
    void read_in_place(std::size_t number, std::size_t count) {
        const std::size_t item = convert_.from_size();
        const std::size_t most = std::max<std::size_t>(1, (std::size_t{256} << 10) / item);
        for (std::size_t first = 0; first < count; first += most) {
            const std::size_t some = std::min(most, count - first);
            std::byte* const to = pieces_[number].to + first * item;
            read_bytes(number, first * item, {to, some * item});
            convert_.run(to, to, some);
        }
    }

    void read(std::size_t number) {
        const piece& part = pieces_[number];
        const std::size_t count = product(part.shape);
        const std::size_t from_bytes = count * convert_.from_size();
        if (part.strides.empty() && convert_.is_identity())
            return read_bytes(number, 0, {part.to, from_bytes});
        if (part.strides.empty() && convert_.keeps_places())
            return read_in_place(number, count);
        const buffer raw(from_bytes);
        read_bytes(number, 0, raw.bytes());
        if (part.strides.empty()) {
            convert_.run(part.to, raw.data(), count);
            return;
        }
        const std::byte* elements = raw.data();
        buffer converted;
        if (!convert_.is_identity()) {
            converted = buffer(count * convert_.to_size());
            convert_.run(converted.data(), raw.data(), count);
            elements = converted.data();
        }
        copy_strided(part.to, part.strides, elements, strides_of(part.shape, convert_.to_size(), false), part.shape,
                     convert_.to_size());
    }

    const byte_source& source_;
    const array_info& info_;
    const conversion& convert_;
    std::byte* out_;
    std::vector<piece> pieces_;
    std::vector<std::uint32_t> sums_;  // of the pieces, if anybody wants to know
};

[[nodiscard]] inline std::string load_hint(std::string_view verb, const dtype& found) {
    const auto name = cpp_name(found);
    return (name.empty() ? "" : std::string(verb) + '<' + name + "> or ") + std::string(verb) + "_any";
}

/// The elements as an xt::xarray<T>, or an xt::xtensor<T, N>.
template <element T, std::size_t N, bool ColumnMajor>
[[nodiscard]] auto read_elements(const byte_source& source, const array_info& info, std::string_view verb,
                                 const run_options& run, std::uint32_t* crc = nullptr) {
    const dtype& wanted = dtype_of<T>();
    const conversion convert(info.type, wanted, source.path(),
                             info.type == wanted ? std::string() : load_hint(verb, info.type));
    check_rank<N>(info.shape, source.path(), verb);
    constexpr auto layout = ColumnMajor ? xt::layout_type::column_major : xt::layout_type::row_major;
    auto array = uninitialised<array_of<T, N, layout>>(info.shape);
    element_reader(source, info, convert, reinterpret_cast<std::byte*>(array.data())).run(ColumnMajor, run, crc);
    make_values(array.data(), array.size());
    return array;
}

[[nodiscard]] inline any_array read_any(const byte_source& source, const array_info& info, const run_options& run,
                                        std::uint32_t* crc = nullptr) {
    any_array array(info.type, info.shape);
    const conversion convert(info.type);
    element_reader(source, info, convert, array.bytes().data()).run(false, run, crc);
    return array;
}

}  // namespace detail

}  // namespace ndkeep
