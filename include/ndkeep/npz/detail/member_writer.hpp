// SPDX-License-Identifier: BSD-3-Clause
// Members on their way into an archive: stored as they come, or cut into pieces that are compressed in parallel.
#pragma once

#include <ndkeep/array/blocks.hpp>
#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/deflate.hpp>
#include <ndkeep/format/zip/records.hpp>
#include <ndkeep/os/replace.hpp>
#include <ndkeep/work/parallel.hpp>

#include <optional>

namespace ndkeep {

/// Whether members are compressed, and how hard: `true`, `false` or `deflate_level(9)`.
class compression {
  public:
    constexpr compression(std::same_as<bool> auto on)  // NOLINT: implicit
        : level_(on ? default_deflate_level : none) {}

    [[nodiscard]] constexpr bool on() const noexcept { return level_ != none; }
    [[nodiscard]] constexpr int level() const noexcept { return level_; }

    friend constexpr compression deflate_level(int level);

  private:
    static constexpr int none = -1;
    struct exactly {
        int level;
    };
    explicit constexpr compression(exactly wanted) : level_(wanted.level) {}

    int level_;
};

/// Compression from 0 (not at all, but in deflate's form) over 1 (fastest) to 9 (smallest). `true` is 6, NumPy's own.
/// @throws mismatch_error  another level
[[nodiscard]] constexpr compression deflate_level(int level) {
    if (level < 0 || level > 9)
        throw mismatch_error({.field = "deflate level", .expected = "0 to 9", .found = std::to_string(level)});
    return compression(compression::exactly{level});
}

namespace detail {

/// Bytes at the end of a file that grows: small ones are gathered, and may still be changed before they are written.
class growing_file {
  public:
    explicit growing_file(file& out) : out_(out) {}

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return out_.path(); }
    [[nodiscard]] std::uint64_t end() const noexcept { return written_ + gathered_.size(); }

    void add(std::span<const std::byte> bytes) {
        constexpr std::size_t enough = std::size_t{256} << 10;
        if (gathered_.size() + bytes.size() > enough)
            flush();
        if (bytes.size() > enough) {
            out_.write(written_, bytes);
            written_ += bytes.size();
        } else {
            gathered_.insert(gathered_.end(), bytes.begin(), bytes.end());
        }
    }

    /// Bytes that are filled in later.
    void skip(std::uint64_t count) { add(std::vector<std::byte>(static_cast<std::size_t>(count))); }

    /// Writes over what is there.
    void put(std::uint64_t offset, std::span<const std::byte> bytes) {
        if (offset >= written_) {
            std::copy(bytes.begin(), bytes.end(), gathered_.begin() + static_cast<std::ptrdiff_t>(offset - written_));
        } else {
            if (offset + bytes.size() > written_)
                flush();
            out_.write(offset, bytes);
        }
    }

    /// Takes the room for what is to come, so that a full disk is heard of before the work.
    void expect(std::uint64_t more) { (void)out_.reserve(end() + more); }

    void copy(const file& from, std::uint64_t offset, std::uint64_t length) {
        flush();
        out_.copy(from, offset, written_, length);
        written_ += length;
    }

    /// The file ends here.
    void finish() {
        flush();
        out_.resize(written_);
    }

  private:
    void flush() {
        out_.write(written_, gathered_);
        written_ += gathered_.size();
        gathered_.clear();
    }

    file& out_;
    std::uint64_t written_ = 0;
    std::vector<std::byte> gathered_;
};

/// One member while it is written.
struct new_member {
    zip_entry entry;
    bool is_64 = false;
    std::uint64_t extra_size = 0;
};

/// Writes members one behind the other. After an exception of `store` or `compress` the file is good for nothing.
class member_writer {
  public:
    member_writer(file& out, const run_options& run) : out_(out), run_(run) {}

    /// Called with every block of elements on its way.
    using watcher = std::function<void(std::span<const std::byte> elements)>;

    /// @param elements  behind `header`; its order is that of the header
    void store(new_member& member, std::string_view header, const array_view& elements, const watcher& seen,
               progress_meter& meter) {
        write_pieces(meter);
        begin(member, header.size() + elements.nbytes(), true);
        constexpr std::uint64_t worth_it = std::uint64_t{1} << 20;
        if (elements.nbytes() >= worth_it)
            out_.expect(header.size() + elements.nbytes());
        add(member, detail::bytes_of(header));
        constexpr std::size_t block = std::size_t{1} << 20;
        for_each_block(elements, block, [&](std::span<const std::byte> bytes, std::size_t count) {
            seen(bytes);
            add(member, bytes);
            meter.add(count, bytes.size());
            meter.report();
        });
        end(member);
    }

    /// The member must stay where it is until `finish`, the elements only during this call.
    void compress(new_member& member, int level, std::string_view header, const array_view& elements,
                  const watcher& seen, progress_meter& meter) {
        // Pieces are cut by their size alone, so that the archive does not depend on the number of threads.
        constexpr std::size_t least_block = std::size_t{1} << 20;
        const std::size_t block = least_block * (1 + elements.nbytes() / (most_zip_pieces / 2 * least_block));
        constexpr std::uint64_t always_fits = 0xff00'0000;
        member.is_64 = header.size() + elements.nbytes() > always_fits;
        const bool lies_there = elements.contiguous() != nullptr && elements.nbytes() > block;
        std::string_view head = header;
        for_each_block(elements, block, [&](std::span<const std::byte> bytes, std::size_t count) {
            seen(bytes);
            piece next{.member = &member, .level = level, .raw = bytes};
            if (!head.empty() || !lies_there) {
                next.kept.reserve(head.size() + bytes.size());
                const auto text = detail::bytes_of(head);
                next.kept.assign(text.begin(), text.end());
                next.kept.insert(next.kept.end(), bytes.begin(), bytes.end());
                next.raw = {next.kept.data(), next.kept.size()};
                head = {};
            }
            waiting_bytes_ += next.raw.size();
            pieces_.push_back(std::move(next));
            meter.add(count, bytes.size());
            // Whole batches before the last piece of a member: that one is to know that it is the last.
            if (pieces_.size() > batch() && pieces_.size() > 1)
                write_pieces(meter, pieces_.size() - 1);
        });
        pieces_.back().is_last = true;
        if (lies_there || waiting_bytes_ > batch() * block)
            write_pieces(meter);
    }

    /// A member of another archive, as it is.
    void keep(new_member& member, const file& from, std::uint64_t data_offset) {
        member.is_64 = zip_needs_64(member.entry.size) || zip_needs_64(member.entry.compressed);
        reserve(member, member.entry.method == zip_stored);
        out_.copy(from, data_offset, member.entry.compressed);
        end(member);
    }

    /// Writes what is still waiting.
    void finish(progress_meter& meter) { write_pieces(meter); }

    [[nodiscard]] growing_file& out() noexcept { return out_; }

  private:
    struct piece {
        new_member* member = nullptr;
        int level = 0;
        bool is_last = false;
        std::span<const std::byte> raw = {};
        std::vector<std::byte> kept = {};  // where `raw` lies, unless it is the caller's
        std::vector<std::byte> compressed = {};
        std::uint32_t crc = 0;
    };

    [[nodiscard]] std::size_t batch() const {
        const unsigned threads = run_.threads != 0 ? run_.threads : std::max(1U, std::thread::hardware_concurrency());
        return std::size_t{4} * threads;
    }

    void begin(new_member& member, std::uint64_t size, bool aligned) {
        member.is_64 = zip_needs_64(size);
        reserve(member, aligned);
    }

    void reserve(new_member& member, bool aligned) {
        auto& entry = member.entry;
        entry.header_offset = out_.end();
        member.extra_size = zip_extra_size(entry.header_offset, entry.raw_name.size(), member.is_64, aligned);
        out_.skip(zip_local_size + entry.raw_name.size() + member.extra_size);
    }

    void add(new_member& member, std::span<const std::byte> bytes) {
        member.entry.crc32 = crc32(bytes, member.entry.crc32);
        member.entry.size += bytes.size();
        member.entry.compressed += bytes.size();
        out_.add(bytes);
    }

    void end(const new_member& member) {
        const auto text = zip_local_text(member.entry, member.is_64, member.extra_size);
        out_.put(member.entry.header_offset, detail::bytes_of(text));
    }

    void write_pieces(progress_meter& meter) { write_pieces(meter, pieces_.size()); }

    void write_pieces(progress_meter& meter, std::size_t count) {
        if (count == 0)
            return;
        progress_meter silent(quiet_, {.phase = "save", .file = out_.path()});
        parallel_for(count, silent, [&](std::size_t i) {
            piece& each = pieces_[i];
            each.crc = crc32(each.raw);
            each.compressed =
                ndkeep::compress(each.raw, each.level, each.is_last ? deflate_piece::last : deflate_piece::inner);
        });
        for (std::size_t i = 0; i < count; ++i) {
            piece& each = pieces_[i];
            auto& entry = each.member->entry;
            if (entry.size == 0 && entry.compressed == 0)
                reserve(*each.member, false);
            entry.crc32 = crc32_combine(entry.crc32, each.crc, each.raw.size());
            entry.size += each.raw.size();
            entry.compressed += each.compressed.size();
            entry.pieces.push_back(
                {static_cast<std::uint32_t>(each.compressed.size()), static_cast<std::uint32_t>(each.raw.size())});
            out_.add(each.compressed);
            waiting_bytes_ -= each.raw.size();
            if (each.is_last)
                end(*each.member);
        }
        pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(count));
        meter.report();
    }

    growing_file out_;
    const run_options& run_;
    run_options quiet_{.threads = run_.threads, .progress = {}, .stop = run_.stop};
    std::vector<piece> pieces_;
    std::size_t waiting_bytes_ = 0;
};

}  // namespace detail

}  // namespace ndkeep
