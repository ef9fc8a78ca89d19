// SPDX-License-Identifier: BSD-3-Clause
// convert: writes the same values in another file format, dtype, byte order or element order.
#include "array_file.hpp"
#include "array_word.hpp"
#include "bucket.hpp"
#include "cast.hpp"
#include "commands.hpp"
#include "csv.hpp"
#include "input_copy.hpp"
#include "output.hpp"
#include "pickle_values.hpp"
#include "targets.hpp"

#include <ndkeep/array/any.hpp>
#include <ndkeep/bytes/source.hpp>
#include <ndkeep/error.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/tree/save.hpp>

#include <algorithm>
#include <array>

namespace tool {

namespace {

namespace fs = std::filesystem;
namespace nk = ndkeep;

/// The source of the arrays.
struct source {
    std::string called = {};
    std::uint64_t bytes = 0;
    bool is_csv = false;
    std::optional<array_file> file = {};
    std::optional<opened_view> given = {};   ///< set for a stream or CSV text
    std::optional<std::string> member = {};  ///< the member named after a colon
    std::vector<std::string> names = {};
    kept_words words = {};

    [[nodiscard]] opened_view open(const std::string& name) const { return given ? *given : file->open(name); }
    [[nodiscard]] nk::array_info info(const std::string& name) const { return given ? given->info : file->info(name); }
};

[[nodiscard]] std::vector<std::byte> read_standard_input() {
    std::vector<std::byte> all;
    std::size_t length = 0;
    for (;;) {
        constexpr std::size_t step = std::size_t{1} << 16;
        if (all.size() - length < step)
            all.resize(std::max(2 * all.size(), length + step));
        const std::size_t count = read_input(std::span(all).subspan(length));
        if (count == 0)
            break;
        length += count;
    }
    all.resize(length);
    return all;
}

[[nodiscard]] opened_view view_of_text(const std::string_view text, const std::optional<nk::dtype>& type,
                                       const fs::path& called, const csv_options& options) {
    nk::array_view view = read_csv(text, type, called, options);
    return {{.type = view.type(), .shape = view.shape()}, view};
}

/// @param left_out  receives the problem with the bytes after the data, if there are any
[[nodiscard]] opened_view view_of_npy(std::vector<std::byte>&& bytes, std::optional<nk::format_error>& left_out) {
    const fs::path called = "-";
    // Checks the header length given by the stream before the header itself is parsed.
    (void)nk::parse_preamble(std::span(bytes).first(std::min(bytes.size(), nk::longest_preamble)), called, bytes.size(),
                             any_header);
    const auto info = nk::parse_header(bytes, called, any_header);
    const nk::core::byte_source source(bytes, called);
    nk::core::check_data(source, info, bytes.size());
    left_out = nk::core::problem_after_data(source, info, bytes.size());
    const auto kept = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    const nk::array_view view(info.type, info.shape, kept->data() + info.data_offset, nk::order_of(info));
    return {info, view.in_order(written_order(info)).kept_by(kept)};
}

[[nodiscard]] csv_options csv_options_of(const arguments& given) {
    csv_options out;
    const auto text = given.value("--delimiter").value_or(",");
    if (text != "tab" && (text.size() != 1 || std::string_view(",;|\t").find(text) == std::string_view::npos))
        throw usage_error("--delimiter is " + nk::quoted(text) + ", expected one of ',', ';', '|', tab");
    out.delimiter = text == "tab" ? '\t' : text.front();
    constexpr std::array<std::string_view, 3> headers = {"auto", "yes", "no"};
    const auto header = given.choice("--header", headers);
    out.header = header == "yes" ? csv_header::present : header == "no" ? csv_header::absent : csv_header::automatic;
    const auto decimal = given.value("--decimal").value_or(".");
    if (decimal != "." && decimal != ",")
        throw usage_error("--decimal is " + nk::quoted(decimal) + ", expected '.' or ','");
    out.decimal = decimal.front();
    if (out.decimal == out.delimiter)
        throw usage_error("--decimal and --delimiter are both ',', expected two characters, as in --delimiter ';'");
    return out;
}

class conversion_job {
  public:
    explicit conversion_job(const context& with)
        : with_(with), to_path_(with.given.words()[1]), is_stream_(with.given.words()[1] == "-") {
        if (const auto text = with.given.value("--dtype"))
            type_ = nk::dtype::parse(*text, "--dtype");
        constexpr std::array<std::string_view, 4> orders = {"keep", "little", "big", "native"};
        byte_order_ = with.given.choice("--byte-order", orders);
        constexpr std::array<std::string_view, 3> layouts = {"keep", "C", "F"};
        order_ = with.given.choice("--order", layouts);
        target_.kind = chosen_kind();
        target_.path = to_path_;
        target_.rows_per_chunk = with.given.number("--rows-per-chunk", std::uint64_t{0}, std::uint64_t{1});
        target_.run = with.run;
        target_.csv = csv_ = csv_options_of(with.given);
        check_options();
    }

    [[nodiscard]] outcome run() {
        check_free();
        open_source();
        check_csv_options();
        content what;
        const bool is_archive = target_.kind == target_kind::npz;
        choose_names(what);
        is_tree_ = is_archive && from_.file && from_.file->is_pickle() && !from_.member && !with_.given.has("--member");
        check_tree_options();
        what.words = from_.words;
        what.array = [this, &what](const std::string& name) { return made(source_of(what, name)); };
        if (is_archive && from_.file && from_.file->is_archive() && !from_.member && !with_.given.has("--member")) {
            what.documents = from_.file->documents();
            set_apart_unreadable(what);
            what.document = [this](const std::string& name) { return from_.file->document(name); };
        }
        what.is_compressed = [this, &what](const std::string& name) {
            if (with_.given.has("--compress") || with_.given.has("--no-compress"))
                return with_.given.has("--compress");
            return from_.file && from_.file->is_archive() && from_.file->is_compressed(source_of(what, name));
        };
        if (with_.given.has("--dry-run"))
            return tell(what);
        std::uint64_t written = 0;
        if (is_stream_) {
            written = write_stream(with_.out, with_.screen, target_.kind, what, csv_);
        } else {
            if (is_tree_)
                nk::save_tree(target_.path, from_.file->values(),
                              {.compress = with_.given.has("--compress"), .run = target_.run});
            else
                write_target(target_, what);
            written = with_.quiet ? 0 : stored_bytes(to_path_);
        }
        if (!with_.quiet)
            with_.err << shown(from_.called) << ' ' << human_bytes(from_.bytes) << " -> " << shown_path(to_path_) << ' '
                      << human_bytes(written) << '\n';
        return outcome::fine;
    }

  private:
    /// The name in FROM of an array or document. Only a single array can be renamed.
    [[nodiscard]] const std::string& source_of(const content& what, const std::string& name) const {
        return what.names.size() == 1 && name == what.names.front() ? from_.names.front() : name;
    }

    [[nodiscard]] target_kind chosen_kind() const {
        constexpr std::array kinds = {target_kind::npy, target_kind::npz, target_kind::chunked, target_kind::raw,
                                      target_kind::csv};
        if (with_.given.has("--to")) {
            constexpr std::array<std::string_view, 5> names = {"npy", "npz", "chunked", "raw", "csv"};
            const auto name = with_.given.choice("--to", names);
            return *std::find_if(kinds.begin(), kinds.end(), [&](auto each) { return target_name(each) == name; });
        }
        if (is_stream_)
            return target_kind::npy;
        if (const auto kind = kind_by_name(to_path_))
            return *kind;
        throw usage_error("TO is " + nk::quoted(to_path_.string()) +
                          ", expected the extension .npy, .npz, .csv, .raw, .bin or .dat, or the option --to FORMAT");
    }

    void check_options() const {
        const auto needs = [&](std::string_view option, bool is_fine, std::string_view kind) {
            if (with_.given.has(option) && !is_fine)
                throw usage_error(std::string(option) + ": the target format is " +
                                  std::string(target_name(target_.kind)) + ", expected " + std::string(kind));
        };
        needs("--compress", target_.kind == target_kind::npz, "npz");
        needs("--no-compress", target_.kind == target_kind::npz, "npz");
        if (with_.given.has("--compress") && with_.given.has("--no-compress"))
            throw usage_error("--compress and --no-compress exclude each other");
        needs("--rows-per-chunk", target_.kind == target_kind::chunked, "chunked");
        if (order_ == "F" && (target_.kind == target_kind::chunked || target_.kind == target_kind::csv))
            throw usage_error("--order F: the target format is " + std::string(target_name(target_.kind)) +
                              ", which is always row-major");
        if (is_stream_ && (target_.kind == target_kind::npz || target_.kind == target_kind::chunked))
            throw usage_error("TO is '-' and the target format is " + std::string(target_name(target_.kind)) +
                              ", expected npy, raw or csv for standard output");
        if (is_stream_ && target_.kind != target_kind::csv && with_.screen.is_terminal)
            throw usage_error("binary data is not written to a terminal; name a file, or use --to csv");
    }

    void check_csv_options() const {
        for (const std::string_view option : {"--delimiter", "--decimal"})
            if (with_.given.has(option) && !from_.is_csv && target_.kind != target_kind::csv)
                throw usage_error(std::string(option) + " is given, but neither FROM nor TO is csv");
        if (with_.given.has("--header") && !from_.is_csv)
            throw usage_error("--header is given, but FROM is not csv");
    }

    void check_tree_options() const {
        for (const std::string_view option : {"--dtype", "--byte-order", "--order", "--unsafe"})
            if (is_tree_ && with_.given.has(option))
                throw usage_error(std::string(option) + ": a pickle is converted to npz as it is; choose one array, as "
                                                        "in FROM:PATH");
    }

    /// Whether the target exists. Of a name in a bucket, only a chunked array counts: others are below it.
    [[nodiscard]] bool is_taken() const {
        if (is_stream_)
            return false;
        if (!is_in_bucket(to_path_))
            return is_there(to_path_);
        if (target_.kind != target_kind::chunked)
            throw needs_file(to_path_, "a bucket takes chunked arrays");
        try {
            return subject_of(to_path_).kind == subject_kind::chunked;
        } catch (const nk::io_error& problem) {
            if (problem.code() == std::errc::no_such_file_or_directory)
                return false;
            throw;
        }
    }

    void check_free() const {
        if (!is_taken())
            return;
        std::error_code ignored;
        if (!with_.given.has("--force"))
            throw nk::conflict_error({.file = to_path_,
                                      .field = "target",
                                      .expected = "a new name",
                                      .found = "already present",
                                      .hint = "--force replaces it"});
        if (fs::is_directory(to_path_, ignored) && !fs::is_empty(to_path_, ignored) &&
            subject_of(to_path_).kind != subject_kind::chunked)
            throw nk::conflict_error({.file = to_path_,
                                      .field = "target",
                                      .expected = "a chunked array or an empty folder",
                                      .found = "a folder with other files",
                                      .hint = "--force does not replace it"});
    }

    void open_source() {
        from_.called = with_.given.words()[0];
        from_.names = {""};
        if (from_.called == "-") {
            auto bytes = read_standard_input();
            from_.bytes = bytes.size();
            const auto begin = nk::core::as_text(std::span(bytes).first(std::min<std::size_t>(bytes.size(), 128)));
            if (begins_as_archive(begin) || begins_as_pickle(begin))
                return open_file({input_.emplace(bytes).path()});
            if (!nk::core::as_text(bytes).starts_with(nk::core::magic)) {
                from_.is_csv = true;
                from_.given = view_of_text(nk::core::as_text(bytes), type_, "-", csv_);
                return;
            }
            std::optional<nk::format_error> left_out;
            from_.given = view_of_npy(std::move(bytes), left_out);
            return tell_left_out(left_out);
        }
        const auto word = word_of(from_.called);
        from_.member = word.member;
        from_.bytes = with_.quiet ? 0 : stored_bytes(word.file);
        if (word.file.extension() == ".csv" && !is_in_bucket(word.file)) {
            const nk::file text = nk::file::open(word.file);
            std::vector<std::byte> bytes(static_cast<std::size_t>(text.size()));
            text.read(0, bytes);
            from_.is_csv = true;
            from_.given = view_of_text(nk::core::as_text(bytes), type_, word.file, csv_);
            return;
        }
        open_file(word);
    }

    void open_file(const array_word& word) {
        from_.file.emplace(word.file, with_.run);
        from_.names = from_.file->names();
        from_.words = from_.file->words();
        if (!from_.words.problem.empty() && !with_.quiet)
            with_.err << "ndkeep: " << shown(from_.words.problem) << '\n';
        if (from_.file->what().kind == subject_kind::npy) {
            const auto array = open_single(from_.file->what());
            nk::core::check_data(array);
            tell_left_out(nk::core::problem_after_data(array));
        }
        if (!from_.file->what().is_single_array())
            from_.words.sums = nk::checksum::none;  // archives and chunked arrays store checksums of their own
    }

    void tell_left_out(const std::optional<nk::format_error>& problem) const {
        if (problem && !with_.quiet)
            with_.err << "ndkeep: " << shown(from_.called) << ": data is " << problem->found()
                      << ", which is not converted\n";
    }

    /// Chooses the arrays to write and their names.
    void choose_names(content& what) {
        const auto named = with_.given.value("--member");
        const bool is_archive = target_.kind == target_kind::npz;
        if (from_.file && from_.file->has_names()) {
            const auto& member = from_.member ? from_.member : named;
            if (member || !is_archive)
                from_.names = {from_.file->chosen(member)};
            what.names = is_archive && from_.member && named ? std::vector{*named} : from_.names;
        } else if (from_.member) {
            throw no_archive(from_.file ? from_.file->what().path : word_of(from_.called).file, *from_.member);
        } else if (is_archive) {
            const auto stem = fs::path(from_.called).lexically_normal().stem().string();
            what.names = {named ? *named : from_.called == "-" || stem.empty() ? "arr_0" : stem};
        } else {
            if (named)
                throw usage_error("--member is given, but neither FROM nor TO is an npz archive or a pickle");
            what.names = {""};
        }
    }

    /// Moves arrays that cannot be read, such as pickled ones, to the members that are copied byte by byte.
    void set_apart_unreadable(content& what) {
        std::vector<std::string> readable;
        for (const auto& name : from_.names) {
            try {
                (void)from_.file->info(name);
                readable.push_back(name);
            } catch (const nk::format_error& problem) {
                what.documents.push_back(from_.file->stored_name(name));
                if (!with_.quiet)
                    with_.err << "ndkeep: " << shown(problem.what()) << ": the member is copied unchanged\n";
            }
        }
        from_.names = what.names = std::move(readable);
    }

    [[nodiscard]] nk::dtype wanted_type(const nk::dtype& type) const {
        const nk::dtype wanted = type_.value_or(type);
        if (byte_order_ == "keep")
            return wanted;
        return with_order(wanted, byte_order_ == "little" ? nk::byte_order::little
                                  : byte_order_ == "big"  ? nk::byte_order::big
                                                          : nk::native_order);
    }

    [[nodiscard]] nk::order wanted_order(const nk::array_info& info) const {
        if (target_.kind == target_kind::chunked || target_.kind == target_kind::csv)
            return nk::order::row_major;
        nk::array_info wanted = info;
        wanted.column_major = order_ == "F" || (order_ == "keep" && info.column_major);
        return written_order(wanted);
    }

    [[nodiscard]] nk::array_view made(const std::string& name) const {
        const auto array = from_.open(name);
        if (target_.kind == target_kind::chunked && nk::written_column_major(array.info) && !with_.quiet)
            with_.err << "ndkeep: " << shown(from_.called) << ": Fortran order is not kept: chunked arrays are "
                      << "row-major\n";
        return cast_view(
            array.view, wanted_type(array.info.type),
            {.order = wanted_order(array.info), .unsafe = with_.given.has("--unsafe"), .called = from_.called});
    }

    [[nodiscard]] outcome tell(const content& what) const {
        for (std::size_t i = 0; i < what.names.size(); ++i) {
            const auto info = from_.info(from_.names[i]);
            nk::array_info wanted{.type = wanted_type(info.type), .shape = info.shape};
            const auto told = [](const nk::array_info& each, nk::order order) {
                return dtype_label(each.type) + ' ' + nk::shape_text(each.shape) +
                       (order == nk::order::column_major ? " F " : " C ") + human_bytes(each.nbytes());
            };
            with_.out << target_name(target_.kind) << ' ' << shown_path(to_path_);
            if (!what.names[i].empty())
                with_.out << ' ' << shown(what.names[i]);
            with_.out << ": " << told(info, written_order(info)) << " -> " << told(wanted, wanted_order(info)) << '\n';
        }
        return outcome::fine;
    }

    const context& with_;
    fs::path to_path_;
    bool is_stream_;
    bool is_tree_ = false;  // a complete pickle becomes an archive with a tree
    std::optional<nk::dtype> type_;
    std::string_view byte_order_, order_;
    csv_options csv_;
    target target_;
    std::optional<input_copy> input_;  // an archive from standard input; outlives `from_`
    source from_;
};

[[nodiscard]] outcome convert(const context& with) { return conversion_job(with).run(); }

}  // namespace

command convert_command() {
    return {
        .name = "convert",
        .summary = "Convert an array file to another format, dtype, byte order or element order",
        .usage = "[OPTION]... FROM[:MEMBER] TO",
        .details =
            "Formats: npy, npz, csv and raw (.raw, .bin or .dat, with a sidecar) by the extension of TO; chunked if\n"
            "TO is an existing folder, ends in a slash or is s3://BUCKET/NAME. \"-\" is standard input (npy, npz,\n"
            "a pickle or csv) or standard output (npy, raw or csv). Properties without an option are kept: dtype, byte "
            "order, C\n"
            "or Fortran order, metadata. csv keeps values only. TO is replaced completely or not at all.\n"
            "--dtype casts like numpy's astype(casting=\"same_kind\"); a value that does not fit is an error. With\n"
            "--unsafe, integers wrap, fractions are truncated, floating-point numbers beyond the range of an\n"
            "integer dtype become its nearest value, and NaN becomes 0. Dates and durations are rounded down to the\n"
            "unit of TYPE; one that does not fit is always an error. Struct fields are matched by name.\n"
            "A pickle becomes npz as a tree: `load_tree` has the same values, and numpy.load its arrays. "
            "FROM.pkl:PATH\n"
            "is one array of it. Nothing of a pickle is run.\n"
            "From npz to npz, members that cannot be read as arrays, such as pickled ones, are copied unchanged.\n"
            "csv follows RFC 4180. Numbers have the fewest digits that read back as the same number. Only structs\n"
            "are written with a line of column names; one column gives a vector.\n"
            "csv without --dtype is read as the first of int64, uint64, bool, datetime64, float64 and complex128 that\n"
            "fits all values. If the first line has column names, the result is a struct array (1 dimension, one\n"
            "field per column), and each column has such a dtype, or is text (U) if none fits. The first line has\n"
            "names if none of its fields is a value, and a column below is not text; --header decides otherwise.\n"
            "A # before the first name is dropped.\n"
            "A plain --dtype with --header yes gives a table of numbers without the names. An integer that float64\n"
            "would round is an error. Durations and smaller dtypes need --dtype.\n"
            "Empty csv fields, NA, N/A, #N/A, NULL, null, None and NaN are missing values: they are NaN or NaT, are\n"
            "kept in text, and are an error for other dtypes. Without --dtype, integers with missing values become\n"
            "float64.\n"
            "Dates are in ISO 8601, as in 2024-05-06 or 2024-05-06T07:08:09.5Z; the Z is not kept.",
        .options = {{"--to", "FORMAT", "npy, npz, chunked, raw or csv (default: by the extension of TO)"},
                    {"--dtype", "TYPE", "as for numpy.dtype: float32, '<i4', \"[('x', '<f4')]\" (default: unchanged)"},
                    {"--byte-order", "ORDER", "keep, little, big or native (default: keep)"},
                    {"--order", "ORDER", "keep, C or F (default: keep)"},
                    {"--compress", "", "npz: compress the members with deflate (default: as in FROM)"},
                    {"--no-compress", "", "npz: store the members without compression"},
                    {"--rows-per-chunk", "N", "chunked: number of rows (default: as many as fit in 16 MiB)"},
                    {"--delimiter", "CHAR", "csv: between values: ',', ';', '|' or tab (default: ',')"},
                    {"--decimal", "CHAR", "csv: decimal point, '.' or ',' (default: '.')"},
                    {"--header", "WHEN", "csv FROM: column names in the first line: auto, yes or no (default: auto)"},
                    {"--member", "NAME", "same as FROM:NAME; without members in FROM: name of the array in TO"},
                    {"--unsafe", "", "allow every cast between numbers, and values that do not fit"},
                    {"--force", "", "replace TO if it exists", 'f'},
                    replace_read_only_option,
                    {"--dry-run", "", "print what would be written, and write nothing", 'n'}},
        .example = "ndkeep convert f.npy f.npz --compress\n"
                   "ndkeep convert --dtype float32 --to chunked readings.npy readings\n"
                   "ndkeep convert f.npy - --to csv | head",
        .least_words = 2,
        .most_words = 2,
        .run = convert};
}

}  // namespace tool
