// SPDX-License-Identifier: BSD-3-Clause
// One member of an archive: its bytes, expanded and checked, and the array that they are.
#pragma once

#include <ndkeep/npz/detail/archive.hpp>

namespace ndkeep::detail {

/// The bytes of one member, as they were before they were put into the archive.
///
/// Those of a stored member, and of a compressed one that was expanded as a whole, are read anywhere and by several
/// threads; others in their order only.
class member_bytes {
  public:
    /// Beyond that, the memory is worth more than the time that expanding as a whole saves.
    static constexpr std::uint64_t largest_whole = std::uint64_t{1} << 30;

    /// @param whole_up_to  bytes of a compressed member that is expanded as a whole, if that is quicker
    member_bytes(const archive& from, const zip_entry& entry, std::uint64_t whole_up_to, const run_options& run = {})
        : archive_(from.bytes()), path_(from.path()), entry_(entry), left_(entry.compressed) {
        check_zip_method(entry_, path_);
        begin_ = zip_data_offset(archive_, entry_);
        if (is_stored())
            return;
        const bool in_pieces = are_pieces_likely();
        if ((has_libdeflate || in_pieces) && entry_.size <= whole_up_to)
            expand_whole(in_pieces, run);
        else
            stream_.emplace(path_);
    }
    member_bytes(const member_bytes&) = delete;
    member_bytes& operator=(const member_bytes&) = delete;

    [[nodiscard]] std::uint64_t size() const noexcept { return entry_.size; }
    [[nodiscard]] bool is_stored() const noexcept { return entry_.method == zip_stored; }
    /// Whether bytes are to be read in their order, each once.
    [[nodiscard]] bool is_stream() const noexcept { return stream_.has_value(); }
    /// Of a stored member, where it begins in the archive.
    [[nodiscard]] std::uint64_t begin() const noexcept { return begin_; }

    [[nodiscard]] byte_source source() {
        if (is_stream())
            return {[this](std::uint64_t, std::span<std::byte> out) { read_on(out); }, path_};
        if (!is_stored())
            return {{whole_.data(), whole_.size()}, path_};
        return {[this](std::uint64_t offset, std::span<std::byte> out) { archive_.read(begin_ + offset, out); }, path_};
    }

    /// To be called when all bytes have been read.
    /// @param crc  of all of them
    /// @throws format_error    there are more
    /// @throws checksum_error  they are not those that were put in
    void finish(std::uint32_t crc) {
        if (stream_) {
            // The mark of the stream's end may still be to come, and with it the next piece.
            std::byte beyond{};
            for (bool moved = true; moved && !stream_->is_finished();) {
                fetch();
                const std::size_t before = rest_.size();
                moved = stream_->expand(rest_, {&beyond, 1}) == 0 && rest_.size() != before;
            }
            stream_->expect_end(rest_, entry_.size, left_);
        }
        if (crc != entry_.crc32)
            throw checksum_error({.file = path_,
                                  .field = member_field(without_npy(entry_.name)) + ": crc32",
                                  .expected = hex_text(entry_.crc32),
                                  .found = hex_text(crc),
                                  .hint = "the data is not what was written"});
    }

  private:
    /// Whether the list of pieces can be true.
    [[nodiscard]] bool are_pieces_likely() const {
        std::uint64_t compressed = 0, size = 0;
        for (const zip_piece& piece : entry_.pieces) {
            compressed += piece.compressed;
            size += piece.size;
        }
        return entry_.pieces.size() > 1 && compressed == entry_.compressed && size == entry_.size;
    }

    void expand_whole(bool in_pieces, const run_options& run) {
        whole_ = buffer(static_cast<std::size_t>(entry_.size));
        prefer_huge_pages(whole_.bytes());
        if (in_pieces && expand_pieces(run))
            return;
        const buffer compressed(static_cast<std::size_t>(entry_.compressed));
        archive_.read(begin_, compressed.bytes());
        expand(compressed.bytes(), whole_.bytes(), path_);
    }

    /// False if the list was wrong after all: the stream itself decides then.
    [[nodiscard]] bool expand_pieces(const run_options& run) {
        struct place {
            std::uint64_t compressed, size;
        };
        std::vector<place> begins;
        for (place at{0, 0}; const zip_piece& piece : entry_.pieces) {
            begins.push_back(at);
            at = {at.compressed + piece.compressed, at.size + piece.size};
        }
        const run_options quiet{.threads = run.threads, .progress = {}, .stop = run.stop};
        try {
            progress_meter meter(quiet, {.phase = "load", .file = path_});
            parallel_for(begins.size(), meter, [&](std::size_t i) {
                const auto [compressed, size] = entry_.pieces[i];
                const bool is_last = i + 1 == begins.size();
                const buffer piece(compressed + (is_last ? 0 : deflate_end.size()));
                archive_.read(begin_ + begins[i].compressed, piece.bytes().first(compressed));
                if (!is_last)
                    std::copy(deflate_end.begin(), deflate_end.end(), piece.data() + compressed);
                expand(piece.bytes(), whole_.bytes().subspan(static_cast<std::size_t>(begins[i].size), size), path_);
            });
        } catch (const format_error&) {
            return false;
        }
        return true;
    }

    /// More compressed bytes, if there are any and none at hand.
    void fetch() {
        if (!rest_.empty() || left_ == 0)
            return;
        constexpr std::uint64_t piece = std::uint64_t{256} << 10;
        compressed_.resize(static_cast<std::size_t>(std::min(piece, entry_.compressed)));
        const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(left_, compressed_.size()));
        archive_.read(begin_ + (entry_.compressed - left_), {compressed_.data(), some});
        left_ -= some;
        rest_ = {compressed_.data(), some};
    }

    void read_on(std::span<std::byte> out) {
        while (!out.empty()) {
            fetch();
            const std::size_t before = rest_.size();
            const std::size_t written = stream_->expand(rest_, out);
            out = out.subspan(written);
            if (!out.empty() && (stream_->is_finished() || (written == 0 && rest_.size() == before && left_ == 0)))
                stream_->expect_end(rest_, entry_.size);
        }
    }

    byte_source archive_;
    const std::filesystem::path& path_;
    const zip_entry& entry_;
    std::uint64_t begin_ = 0;
    buffer whole_;
    // Or:
    std::optional<inflater> stream_;
    std::vector<std::byte> compressed_;
    std::span<const std::byte> rest_;  // of `compressed_`, yet to be expanded
    std::uint64_t left_;               // compressed bytes yet to be read
};

/// The first few names, for errors.
[[nodiscard]] inline std::string some_names(const archive& from) {
    constexpr std::size_t enough = 8;
    std::string out;
    for (std::size_t i = 0; i < std::min(enough, from.entries().size()); ++i)
        out += (i == 0 ? "" : ", ") + ndkeep::quoted(without_npy(from.entries()[i].name));
    if (out.empty())
        return "a member, but there are none";
    return "one of " + out + (from.entries().size() > enough ? ", …" : "");
}

[[nodiscard]] inline bool begins_as_array(const byte_source& source, std::uint64_t size) {
    std::array<std::byte, magic.size()> begin = {};
    if (size < begin.size())
        return false;
    source.read(0, begin);
    return as_text(begin) == magic;
}

/// The header of a member that is an array, and its checksum so far.
struct member_header {
    array_info info;
    std::uint32_t crc = 0;
};

[[nodiscard]] inline member_header read_member_header(const byte_source& source, std::uint64_t size,
                                                      const limits& limit) {
    std::vector<std::byte> header(static_cast<std::size_t>(std::min<std::uint64_t>(size, longest_preamble)));
    source.read(0, header);
    const auto begin = parse_preamble({header.data(), header.size()}, source.path(), size, limit);
    const std::size_t first = header.size();
    const auto whole = static_cast<std::size_t>(begin.data_offset());
    if (whole > first) {
        header.resize(whole);
        source.read(first, std::span(header).subspan(first));
    }
    member_header out{parse_header({header.data(), header.size()}, source.path(), limit),
                      crc32({header.data(), header.size()})};
    const std::uint64_t there = size - out.info.data_offset;
    if (out.info.nbytes() > there)
        throw format_error({.file = source.path(),
                            .field = "data",
                            .expected = counted(out.info.nbytes(), "byte"),
                            .found = counted(there, "byte"),
                            .hint = "the member is cut short"});
    return out;
}

/// Reads an array out of a member, and whatever is behind it, and checks the sum of all.
/// @param elements  called with the source, the header and the sum so far: reads all elements and carries on the sum
template <class Elements>
auto read_member(const archive& from, const zip_entry& entry, const load_options& options, Elements&& elements) {
    return in_member(without_npy(entry.name), [&] {
        member_bytes bytes(from, entry, member_bytes::largest_whole, options.run);
        const byte_source source = bytes.source();
        auto [info, crc] = read_member_header(source, bytes.size(), options.limit);
        run_options run = options.run;
        if (bytes.is_stream())
            run.threads = 1;
        auto array = elements(source, info, run, crc);
        std::vector<std::byte> behind;
        for (std::uint64_t at = info.data_offset + info.nbytes(); at < bytes.size(); at += behind.size()) {
            constexpr std::uint64_t block = std::uint64_t{1} << 20;
            behind.resize(static_cast<std::size_t>(std::min(block, bytes.size() - at)));
            source.read(at, behind);
            crc = crc32({behind.data(), behind.size()}, crc);
        }
        bytes.finish(crc);
        return array;
    });
}

/// The data of a stored member that is an array, where it lies, and its header.
/// @throws mismatch_error  compressed, or not aligned; another dtype or order
[[nodiscard]] inline std::pair<mapping, array_info> map_member(const archive& from, const zip_entry& entry,
                                                               const limits& limit, const dtype& wanted,
                                                               std::size_t alignment, map_mode mode,
                                                               bool column_major_wanted) {
    member_bytes member(from, entry, 0);
    array_info info = read_member_header(member.source(), member.size(), limit).info;
    check_in_place(info, from.path(), wanted, column_major_wanted);
    if (!member.is_stored())
        throw mismatch_error({.file = from.path(),
                              .field = "storage",
                              .expected = "stored",
                              .found = zip_method_name(entry.method),
                              .hint = "load expands it; what is saved without .compress maps"});
    const std::uint64_t offset = member.begin() + info.data_offset;
    if (info.nbytes() != 0 && from.address(offset) % alignment != 0)
        throw mismatch_error({.file = from.path(),
                              .field = "data offset",
                              .expected = "a multiple of " + counted(alignment, "byte"),
                              .found = counted(offset, "byte"),
                              .hint = "load copies it; archives that ndkeep writes are aligned"});
    auto bytes = from.map(offset, info.nbytes(), mode);
    return {std::move(bytes), std::move(info)};
}

/// All bytes of a member, checked.
[[nodiscard]] inline std::vector<std::byte> read_member_bytes(const archive& from, const zip_entry& entry) {
    return in_member(without_npy(entry.name), [&] {
        member_bytes bytes(from, entry, member_bytes::largest_whole);
        std::vector<std::byte> out(static_cast<std::size_t>(entry.size));
        bytes.source().read(0, out);
        bytes.finish(crc32({out.data(), out.size()}));
        return out;
    });
}

}  // namespace ndkeep::detail
