// SPDX-License-Identifier: BSD-3-Clause
// The JSON beside a file: what it describes, and which of its descriptions is about the file that is there.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/statistics.hpp>
#include <ndkeep/os/file.hpp>
#include <ndkeep/text/json/print.hpp>

#include <ctime>

namespace ndkeep {

/// What a sidecar says of one state of a file.
struct description {
    std::string type = {};  ///< dtype.str(), or dtype.descr() of a struct
    std::vector<std::size_t> shape = {};
    bool column_major = false;
    std::uint64_t nbytes = 0;  ///< of the data

    checksums sums = {};
    std::optional<ndkeep::statistics> statistics = {};
    json metadata = json(json::value_t::object);
    std::string created = {};              ///< UTC, ISO 8601
    std::optional<file_stamp> stamp = {};  ///< of the file it was written for

    /// Whether it can be about a file with this header.
    [[nodiscard]] bool fits(const array_info& info) const;
};

/// A sidecar: the description of the file it is beside, and of the one before, which a crash may have left in place.
struct sidecar {
    description current;
    std::optional<description> previous;
};

/// `NAME.npy.json` beside `NAME.npy`.
[[nodiscard]] inline std::filesystem::path sidecar_path(const std::filesystem::path& file) {
    auto path = file;
    path += ".json";
    return path;
}

/// A description of an array as its header has it, made now: no sums, statistics or metadata yet.
[[nodiscard]] inline description described(const array_info& info);

/// @throws format_error  not JSON, another version, or a value of the wrong kind
[[nodiscard]] inline sidecar parse_sidecar(std::string_view text, const std::filesystem::path& file);

/// The text of a sidecar, one key a line, readable by any JSON parser: numbers that are not finite are strings.
/// @throws mismatch_error  metadata that JSON cannot hold: text that is not UTF-8
[[nodiscard]] inline std::string sidecar_text(const sidecar& both);

/// `meta` as it is kept: an object, null taken for {}, and what is not finite as "NaN", "Infinity", "-Infinity".
/// @throws mismatch_error  neither an object nor null, with more values than can be read back, or what JSON cannot hold
[[nodiscard]] inline json kept_metadata(const json& meta, const std::filesystem::path& file);

namespace detail {

inline constexpr std::string_view sidecar_version = "sidecar/1";
inline constexpr std::uint64_t longest_sidecar = std::uint64_t{64} << 20;

/// JSON values of a sidecar or a record. A sidecar holds the metadata of two descriptions, which is a quarter of them;
/// the rest is for statistics of the fields of structs. So what was written can be read back.
inline constexpr std::size_t most_document_values = 1'048'576;
static_assert(most_document_values >= 8 * most_metadata_values);

/// Whether a text begins as a sidecar of any version does: with an object whose first key is "ndkeep" and has a value
/// that begins with "sidecar/". Any other JSON belongs to another program.
[[nodiscard]] constexpr bool begins_sidecar(std::string_view text) noexcept {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";  // RFC 8259, 8.1
    if (text.starts_with(byte_order_mark))
        text.remove_prefix(byte_order_mark.size());
    for (const std::string_view token : {"{", "\"ndkeep\"", ":", "\"sidecar/"}) {
        text.remove_prefix(std::min(text.find_first_not_of(" \t\n\r"), text.size()));
        if (!text.starts_with(token))
            return false;
        text.remove_prefix(token.size());
    }
    return true;
}

[[nodiscard]] inline std::string number_text(const statistics::number& number) {
    if (const auto* const whole = std::get_if<std::int64_t>(&number))
        return std::to_string(*whole);
    if (const auto* const count = std::get_if<std::uint64_t>(&number))
        return std::to_string(*count);
    return json_text(*std::get_if<double>(&number));
}

[[nodiscard]] inline std::string statistics_text(const statistics& values) {
    object_text object;
    object.add("count", std::to_string(values.count));
    if (values.fields.empty())
        object.add("nan", std::to_string(values.nan));
    if (values.min)
        object.add("min", number_text(*values.min));
    if (values.max)
        object.add("max", number_text(*values.max));
    if (values.mean && values.mean_imaginary)
        object.add("mean", '[' + json_text(*values.mean) + ", " + json_text(*values.mean_imaginary) + ']');
    else if (values.mean)
        object.add("mean", json_text(*values.mean));
    if (values.std)
        object.add("std", json_text(*values.std));
    if (!values.fields.empty()) {
        object_text fields;
        for (const auto& [name, inner] : values.fields)
            fields.add(name, statistics_text(inner));
        object.add("fields", fields.str());
    }
    return object.str();
}

inline void add_description(object_text& object, const description& said) {
    object_text array;
    array.add("dtype", json_text(said.type));
    std::string shape;
    for (const std::size_t extent : said.shape)
        shape += (shape.empty() ? "" : ", ") + std::to_string(extent);
    array.add("shape", '[' + shape + ']');
    array.add("order", said.column_major ? "\"F\"" : "\"C\"");
    array.add("nbytes", std::to_string(said.nbytes));
    object.add("array", array.str());
    if (!said.sums.empty()) {
        object_text sums;
        for (const auto& [name, sum] : said.sums)
            sums.add(name, json_text(sum));
        object.add("checksums", sums.str());
    }
    if (said.statistics)
        object.add("statistics", statistics_text(*said.statistics));
    object.add("created", json_text(said.created));
    if (said.stamp) {
        object_text stamp;
        stamp.add("size", std::to_string(said.stamp->size));
        stamp.add("mtime_ns", std::to_string(said.stamp->mtime_ns));
        object.add("file", stamp.str());
    }
    object.add("metadata", json_text(said.metadata));
}

[[nodiscard]] inline statistics parse_statistics(const object_reader& object) {
    statistics values;
    values.count = object.count("count");
    if (object.find("nan") != nullptr)
        values.nan = object.count("nan");
    const auto real = [&](const std::string& key, const json& value) {
        const auto number = json_number(value);
        if (!number)
            object.refuse(key, "a number", &value);
        return *number;
    };
    const auto exact = [&](const std::string& key) -> std::optional<statistics::number> {
        const json* const value = object.find(key);
        if (value == nullptr)
            return std::nullopt;
        if (const auto* const count = value->get_ptr<const json::number_unsigned_t*>())
            return *count;
        if (const auto* const whole = value->get_ptr<const json::number_integer_t*>())
            return *whole;
        return real(key, *value);
    };
    values.min = exact("min");
    values.max = exact("max");
    if (const json* const mean = object.find("mean")) {
        const auto* const parts = mean->get_ptr<const json::array_t*>();
        const bool complex = parts != nullptr && parts->size() == 2;
        values.mean = real("mean", complex ? (*parts)[0] : *mean);
        if (complex)
            values.mean_imaginary = real("mean", (*parts)[1]);
    }
    if (const json* const deviation = object.find("std"))
        values.std = real("std", *deviation);
    if (object.find("fields") != nullptr) {
        const auto fields = object.object("fields");
        for (const auto& [name, inner] : fields.members())
            values.fields.emplace_back(name, parse_statistics(fields.object(name)));
    }
    return values;
}

[[nodiscard]] inline description parse_description(const object_reader& object) {
    description said;
    const auto array = object.object("array");
    said.type = array.text("dtype");
    for (const json& extent : array.list("shape")) {
        const auto* const count = extent.get_ptr<const json::number_unsigned_t*>();
        if (count == nullptr)
            array.refuse("shape", "a list of counts", &extent);
        said.shape.push_back(static_cast<std::size_t>(*count));
    }
    const auto& order = array.text("order");
    if (order != "C" && order != "F")
        array.refuse("order", "\"C\" or \"F\"", array.find("order"));
    said.column_major = order == "F";
    said.nbytes = array.count("nbytes");
    if (object.find("checksums") != nullptr) {
        const auto sums = object.object("checksums");
        for (const auto& [name, sum] : sums.members())
            said.sums.emplace(name, sums.text(name));
    }
    if (object.find("statistics") != nullptr)
        said.statistics = parse_statistics(object.object("statistics"));
    if (object.find("created") != nullptr)
        said.created = object.text("created");
    if (object.find("file") != nullptr) {
        const auto stamp = object.object("file");
        said.stamp = {stamp.count("size"), stamp.integer("mtime_ns")};
    }
    if (object.find("metadata") != nullptr) {
        (void)object.object("metadata");
        said.metadata = *object.find("metadata");
    }
    return said;
}

[[nodiscard]] inline std::string now_text() {
    const std::time_t now = std::time(nullptr);
    std::tm parts = {};
    ::gmtime_r(&now, &parts);
    std::array<char, 32> text = {};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), length};
}

}  // namespace detail

inline bool description::fits(const array_info& info) const {
    const auto same = described(info);
    return type == same.type && shape == same.shape && column_major == same.column_major && nbytes == same.nbytes;
}

inline description described(const array_info& info) {
    description said;
    said.type = info.type.is_struct() ? info.type.descr() : info.type.str();
    said.shape = info.shape;
    said.column_major = written_column_major(info);
    said.nbytes = info.nbytes();
    said.created = detail::now_text();
    return said;
}

inline json kept_metadata(const json& meta, const std::filesystem::path& file) {
    if (!meta.is_null() && !meta.is_object())
        throw mismatch_error({.file = file,
                              .field = "metadata",
                              .expected = "an object",
                              .found = meta.type_name(),
                              .hint = R"({{"name", value}, …})"});
    detail::check_json_values(meta, detail::most_metadata_values, file, "metadata");
    // Also for its errors: later on the file is known no more.
    (void)detail::in_document(file, [&] { return detail::json_text(meta); });
    return meta.is_null() ? json(json::value_t::object) : meta;
}

inline sidecar parse_sidecar(std::string_view text, const std::filesystem::path& file) {
    const json whole = detail::parsed_json(text, file, {.values = detail::most_document_values});
    const detail::object_reader object(whole, "", file);
    const auto& version = object.text("ndkeep");
    if (version != detail::sidecar_version)
        throw format_error(
            {.file = file, .field = "ndkeep", .expected = quoted(detail::sidecar_version), .found = quoted(version)});
    sidecar both{detail::parse_description(object), {}};
    if (object.find("previous") != nullptr)
        both.previous = detail::parse_description(object.object("previous"));
    return both;
}

inline std::string sidecar_text(const sidecar& both) {
    detail::object_text object;
    object.add("ndkeep", detail::json_text(detail::sidecar_version));
    detail::add_description(object, both.current);
    if (both.previous) {
        detail::object_text previous;
        detail::add_description(previous, *both.previous);
        object.add("previous", previous.str());
    }
    return object.lines();
}

}  // namespace ndkeep
