// SPDX-License-Identifier: BSD-3-Clause
#include "stored_array.hpp"

#include "pickle_values.hpp"
#include "subject.hpp"
#include "tool.hpp"

#include <ndkeep/npz/core/member.hpp>
#include <ndkeep/pickle/load.hpp>

#include <algorithm>
#include <mutex>
#include <numeric>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

/// Size limits in bytes: up to largest_kept, a compressed member is expanded into memory; up to largest_checked, a
/// stored member is read completely and checked.
constexpr std::uint64_t largest_kept = std::uint64_t{256} << 20;
constexpr std::uint64_t largest_checked = std::uint64_t{16} << 20;

[[nodiscard]] stored_array single_array(const subject& what) {
    auto opened = std::make_shared<const nk::core::opened_array>(open_single(what));
    nk::core::check_data(*opened);
    stored_array out{.file = what.path, .info = opened->info, .single = opened};
    out.info.data_offset = 0;
    out.read = [opened](std::uint64_t offset, std::span<std::byte> bytes) {
        opened->source.read(opened->info.data_offset + offset, bytes);
    };
    return out;
}

/// A compressed member too large to keep in memory. A read at an earlier offset expands it again from its beginning.
class expanding {
  public:
    expanding(std::shared_ptr<const nk::core::archive> from, const nk::core::zip_entry& entry)
        : from_(std::move(from)), entry_(entry) {}

    void read(std::uint64_t offset, std::span<std::byte> out) {
        if (!bytes_ || offset < at_) {
            bytes_.emplace(*from_, entry_, 0);
            at_ = 0;
            crc_ = 0;
        }
        std::vector<std::byte> skipped;
        while (at_ < offset) {
            constexpr std::uint64_t step = std::uint64_t{1} << 20;
            skipped.resize(static_cast<std::size_t>(std::min(step, offset - at_)));
            take(skipped);
        }
        take(out);
    }

  private:
    void take(std::span<std::byte> out) {
        if (out.empty())
            return;
        bytes_->source().read(at_, out);
        at_ += out.size();
        crc_ = nk::crc32(out, crc_);
        if (at_ == entry_.size)
            bytes_->finish(crc_);
    }

    std::shared_ptr<const nk::core::archive> from_;
    const nk::core::zip_entry& entry_;
    std::optional<nk::core::member_bytes> bytes_;
    std::uint64_t at_ = 0;
    std::uint32_t crc_ = 0;
};

[[nodiscard]] stored_array array_in(const std::shared_ptr<const nk::core::archive>& from,
                                    const nk::core::zip_entry& entry) {
    const auto name = std::string(nk::core::without_npy(entry.name));
    stored_array out{.file = from->path(), .member = name};
    const bool is_stored = entry.method == nk::core::zip_stored;
    const auto take_header = [&](const nk::core::byte_source& source) {
        out.info = nk::core::in_member(
            name, [&] { return nk::core::read_member_header(source, entry.size, any_header).info; });
        return std::exchange(out.info.data_offset, 0);
    };
    if (entry.size <= (is_stored ? largest_checked : largest_kept)) {
        const auto kept = std::make_shared<const std::vector<std::byte>>(nk::core::read_member_bytes(*from, entry));
        const std::uint64_t begin = take_header({std::span<const std::byte>(*kept), from->path()});
        out.read = [kept, begin](std::uint64_t offset, std::span<std::byte> bytes) {
            if (!bytes.empty())
                std::memcpy(bytes.data(), kept->data() + begin + offset, bytes.size());
        };
    } else if (is_stored) {
        nk::core::member_bytes bytes(*from, entry, 0);
        const std::uint64_t begin = bytes.begin() + take_header(bytes.source());
        out.read = [from, begin](std::uint64_t offset, std::span<std::byte> wanted) {
            from->source().read(begin + offset, wanted);
        };
    } else {
        const auto stream = std::make_shared<expanding>(from, entry);
        const std::uint64_t begin = take_header(
            {[&](std::uint64_t offset, std::span<std::byte> bytes) { stream->read(offset, bytes); }, from->path()});
        out.is_in_order = true;
        out.read = [stream, begin, name](std::uint64_t offset, std::span<std::byte> bytes) {
            nk::core::in_member(name, [&] { stream->read(begin + offset, bytes); });
        };
    }
    return out;
}

[[nodiscard]] stored_array array_in_pickle(const fs::path& file, const std::string& path, const nk::tree& value) {
    const nk::shared_array kept = value.array();
    stored_array out{.file = file, .info = {.type = value.type(), .shape = value.shape()}};
    if (!path.empty())
        out.member = path;
    out.read = [kept](std::uint64_t offset, std::span<std::byte> bytes) {
        if (!bytes.empty())
            std::memcpy(bytes.data(), kept->bytes().data() + offset, bytes.size());
    };
    return out;
}

[[nodiscard]] bool is_listed(const nk::core::archive& from, const nk::core::zip_entry& entry) {
    if (from.is_shadowed(entry))
        return false;
    if (entry.name.ends_with(nk::core::npy_suffix))
        return true;  // reading it reports the error if it is not an array
    return nk::core::in_member(entry.name, [&] {
        nk::core::member_bytes bytes(from, entry, 0);
        return nk::core::begins_as_array(bytes.source(), bytes.size());
    });
}

[[nodiscard]] stored_array chunked_array(const subject& what) {
    const auto version = std::make_shared<const nk::core::chunk_version>(what.location(), nk::chunk_reader_options{});
    stored_array out{.file = what.path, .info = version->info(), .chunks = version};
    out.info.data_offset = 0;

    struct opened_chunk {
        std::mutex mutex;
        std::size_t index = static_cast<std::size_t>(-1);
        std::shared_ptr<const nk::core::opened_chunk> source;
    };
    const auto last = std::make_shared<opened_chunk>();
    const auto source_of = [version, last](std::size_t i) {
        const std::lock_guard lock(last->mutex);
        if (last->index != i) {
            last->source = std::make_shared<const nk::core::opened_chunk>(version->open(version->entries()[i]));
            last->index = i;
        }
        return last->source;
    };
    std::vector<std::uint64_t> ends;
    for (const auto& entry : version->entries())
        ends.push_back((ends.empty() ? 0 : ends.back()) + entry.nbytes);
    out.read = [version, source_of, ends](std::uint64_t offset, std::span<std::byte> bytes) {
        auto i = static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), offset) - ends.begin());
        for (; !bytes.empty() && i < ends.size(); ++i) {
            const auto& entry = version->entries()[i];
            const std::uint64_t at = offset - (ends[i] - entry.nbytes);
            const auto part =
                bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), ends[i] - offset)));
            if (entry.file.empty())
                std::fill(part.begin(), part.end(), std::byte{0});
            else
                source_of(i)->read(entry.offset + at, part);
            bytes = bytes.subspan(part.size());
            offset += part.size();
        }
    };
    return out;
}

/// Reads ahead. The read-ahead doubles while reads continue in order, and is reset by a jump.
class window {
  public:
    window(const stored_array& array, std::uint64_t size) : array_(array), size_(size) {}

    void read(std::uint64_t offset, std::span<std::byte> out) {
        if (offset < begin_ || offset + out.size() > begin_ + bytes_.size())
            fill(offset, out.size());
        std::memcpy(out.data(), bytes_.data() + (offset - begin_), out.size());
    }

  private:
    void fill(std::uint64_t offset, std::size_t least) {
        constexpr std::size_t page = 4096, most = std::size_t{1} << 20;
        const bool goes_on = !bytes_.empty() && offset >= begin_ && offset <= begin_ + bytes_.size() + page;
        ahead_ = goes_on ? std::min(2 * ahead_, most) : page;
        begin_ = offset;
        bytes_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(std::max(ahead_, least), size_ - offset)));
        array_.read(begin_, bytes_);
    }

    const stored_array& array_;
    std::uint64_t size_;
    std::uint64_t begin_ = 0;
    std::size_t ahead_ = 0;
    std::vector<std::byte> bytes_;
};

}  // namespace

std::size_t for_each_array(const array_word& word, const std::function<void(const stored_array&)>& use) {
    const auto what = described_subject_of(word.file);
    if (what.kind == subject_kind::pickle) {
        const auto root = nk::load_pickle(what.path);
        const auto path = word.member.value_or("");
        std::size_t count = 0;
        for_each_leaf(value_at(root, what.path, path), path, [&](const std::string& name, const nk::tree& array) {
            use(array_in_pickle(what.path, name, array));
            ++count;
        });
        return count;
    }
    if (what.kind != subject_kind::npz) {
        if (word.member)
            throw no_archive(word.file, *word.member);
        use(what.kind == subject_kind::chunked ? chunked_array(what) : single_array(what));
        return 1;
    }
    const auto from = std::make_shared<const nk::core::archive>(what.path, nk::limits{});
    if (word.member) {
        use(array_in(from, from->at(*word.member)));
        return 1;
    }
    std::size_t count = 0;
    std::exception_ptr first_problem;
    for (const auto& entry : from->entries()) {
        try {
            if (!is_listed(*from, entry))
                continue;
            use(array_in(from, entry));
            ++count;
        } catch (const nk::error&) {
            if (interrupted())
                throw;
            if (!first_problem)
                first_problem = std::current_exception();
        }
    }
    if (first_problem)
        std::rethrow_exception(first_problem);
    return count;
}

stored_array array_of(const array_word& word) {
    const auto kind = array_subject_of(word.file).kind;
    if (kind == subject_kind::pickle) {
        const auto root = nk::load_pickle(word.file);
        const auto path = word.member.value_or("");
        const auto& value = value_at(root, word.file, path);
        if (const auto names = paths_of_arrays(value, path); names.size() != 1)
            throw no_only_array(word.file, names);
        stored_array out;
        for_each_leaf(value, path, [&](const std::string& name, const nk::tree& array) {
            out = array_in_pickle(word.file, name, array);
        });
        return out;
    }
    if (!word.member && kind == subject_kind::npz) {
        const nk::core::archive from(word.file, {});
        std::vector<std::string> names;
        for (const auto& entry : from.entries())
            if (is_listed(from, entry))
                names.emplace_back(nk::core::without_npy(entry.name));
        if (names.size() != 1)
            throw no_only_array(word.file, names);
    }
    stored_array out;
    for_each_array(word, [&](const stored_array& array) { out = array; });
    return out;
}

nk::core::buffer elements_at(const stored_array& array, const std::vector<axis_indexes>& axes) {
    constexpr std::uint64_t most = std::uint64_t{1} << 30, most_elements = std::uint64_t{1} << 24;
    const auto& shape = array.info.shape;
    const auto item = static_cast<std::size_t>(array.info.type.size());
    std::vector<std::size_t> counts;
    for (const auto& indexes : axes)
        counts.push_back(indexes.size());
    const bool is_empty = std::find(counts.begin(), counts.end(), std::size_t{0}) != counts.end();
    if (!is_empty && (!nk::core::fits(counts, item, most) || !nk::core::fits(counts, 1, most_elements)))
        throw nk::mismatch_error({.file = array.file,
                                  .field = "shape of the selection",
                                  .expected = "at most " + nk::counted(most_elements, "element") + " and 1 GiB",
                                  .found = nk::shape_text(counts),
                                  .hint = "select fewer with SLICES"});
    const std::size_t rank = axes.size();
    nk::core::buffer out(is_empty ? 0 : nk::core::product(counts) * item);
    if (out.size() == 0)
        return out;

    // Visits the file's slowest axis first, and the indexes of each axis in ascending order, so that reads go forward.
    const auto from_strides = nk::core::strides_of(shape, item, nk::order_of(array.info));
    const auto to_strides = nk::core::strides_of(counts, item, nk::order::row_major);
    std::vector<std::size_t> order(rank);
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (array.info.column_major)
        std::reverse(order.begin(), order.end());
    std::vector<std::vector<std::size_t>> sorted(rank);
    for (std::size_t axis = 0; axis < rank; ++axis) {
        sorted[axis].resize(counts[axis]);
        std::iota(sorted[axis].begin(), sorted[axis].end(), std::size_t{0});
        std::sort(sorted[axis].begin(), sorted[axis].end(),
                  [&](std::size_t a, std::size_t b) { return axes[axis][a] < axes[axis][b]; });
    }
    window source(array, array.info.nbytes());
    const std::function<void(std::size_t, std::uint64_t, std::size_t)> visit = [&](std::size_t level,
                                                                                   std::uint64_t from, std::size_t to) {
        if (level == rank)
            return source.read(from, out.bytes().subspan(to, item));
        const std::size_t axis = order[level];
        for (const std::size_t i : sorted[axis])
            visit(level + 1, from + axes[axis][i] * static_cast<std::uint64_t>(from_strides[axis]),
                  to + i * static_cast<std::size_t>(to_strides[axis]));
    };
    visit(0, 0, 0);
    return out;
}

}  // namespace tool
