// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/format/sidecar.hpp>.
#pragma once

#include <ndkeep/format/sidecar.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/text/json/nonfinite.hpp>
#include <ndkeep/text/json/print.hpp>
#include <ndkeep/text/json/scanner.hpp>

#include <array>
#include <ctime>
#include <variant>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE std::filesystem::path sidecar_path(const std::filesystem::path& file) {
    auto path = file;
    path += ".json";
    return path;
}

namespace detail {

// `parse_sidecar` rejects any other version instead of guessing what it means.
inline constexpr std::string_view sidecar_version = "sidecar/1";

NDKEEP_INLINE void add_exact(object_text& object, std::string_view key, const statistics::number& number) {
    if (const auto* const real = std::get_if<double>(&number))
        object.add_number(key, *real);
    else
        object.add(key, number_text(number));
}

[[nodiscard]] NDKEEP_INLINE object_text statistics_object(const statistics& values) {
    object_text object;
    object.add("count", std::to_string(values.count));
    // A struct is never NaN; each of its fields has a number.
    if (values.fields.empty())
        object.add("nan", std::to_string(values.nan));
    if (values.min)
        add_exact(object, "min", *values.min);
    if (values.max)
        add_exact(object, "max", *values.max);
    if (values.mean && values.mean_imaginary)
        object.add_value("mean", json(json::array_t{*values.mean, *values.mean_imaginary}));
    else if (values.mean)
        object.add_number("mean", *values.mean);
    if (values.std)
        object.add_number("std", *values.std);
    if (!values.fields.empty()) {
        object_text fields;
        for (const auto& [name, inner] : values.fields)
            fields.add_object(name, statistics_object(inner));
        object.add_object("fields", fields);
    }
    return object;
}

/// Appends the members of one description to an object.
NDKEEP_INLINE void add_description(object_text& object, const description& said) {
    object_text array;
    array.add("dtype", json_text(said.type));
    std::string shape;
    for (const std::size_t extent : said.shape)
        shape += (shape.empty() ? "" : ", ") + std::to_string(extent);
    array.add("shape", '[' + shape + ']');
    array.add("order", said.column_major ? "\"F\"" : "\"C\"");
    array.add("nbytes", std::to_string(said.nbytes));
    object.add_object("array", array);
    // Parts that are unknown are left out, not written as null or empty.
    if (!said.sums.empty()) {
        object_text sums;
        for (const auto& [name, sum] : said.sums)
            sums.add(name, json_text(sum));
        object.add_object("checksums", sums);
    }
    if (said.statistics)
        object.add_object("statistics", statistics_object(*said.statistics));
    object.add("created", json_text(said.created));
    // Size and time of the npy file let a reader decide without a checksum that the description is current.
    if (said.stamp) {
        object_text stamp;
        stamp.add("size", std::to_string(said.stamp->size));
        stamp.add("mtime_ns", std::to_string(said.stamp->mtime_ns));
        object.add_object("file", stamp);
    }
    object.add_value("metadata", said.metadata);
}

/// Parses what `statistics_text` prints. Every key but "count" may be absent.
[[nodiscard]] NDKEEP_INLINE statistics parse_statistics(const object_reader& object) {
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
        // Integers must not pass through a double: counts of dates have 64 bits.
        if (const auto* const count = value->get_ptr<const json::number_unsigned_t*>())
            return *count;
        if (const auto* const whole = value->get_ptr<const json::number_integer_t*>())
            return *whole;
        return real(key, *value);
    };
    values.min = exact("min");
    values.max = exact("max");
    if (const json* const mean = object.find("mean")) {
        // The mean of complex numbers is a list: real part, imaginary part.
        const auto* const parts = mean->get_ptr<const json::array_t*>();
        const bool complex = parts != nullptr && parts->size() == 2;
        values.mean = real("mean", complex ? (*parts)[0] : *mean);
        if (complex)
            values.mean_imaginary = real("mean", (*parts)[1]);
    }
    if (const json* const deviation = object.find("std"))
        values.std = real("std", *deviation);
    // The recursion is bounded, because the JSON parser limits nesting.
    if (object.find("fields") != nullptr) {
        const auto fields = object.object("fields");
        for (const auto& [name, inner] : fields.members())
            values.fields.emplace_back(name, parse_statistics(fields.object(name)));
    }
    return values;
}

/// Parses what `add_description` prints. Unknown keys are ignored. A missing checksum, statistics, time, stamp or
/// metadata is not an error.
[[nodiscard]] NDKEEP_INLINE description parse_description(const object_reader& object) {
    description said;
    const auto array = object.object("array");
    said.type = array.text("dtype");
    for (const json& extent : array.list("shape")) {
        // Numbers with a sign or a fraction have another type.
        const auto* const count = extent.get_ptr<const json::number_unsigned_t*>();
        if (count == nullptr)
            // A value in a list may be nested too deeply to be printed.
            array.refuse("shape", "a list of counts",
                         "a list with " + (extent.is_primitive() ? quoted(json_text(extent)) : json_kind(extent)));
        said.shape.push_back(static_cast<std::size_t>(*count));
    }
    const auto& order = array.text("order");
    if (order != "C" && order != "F")
        array.refuse("order", "'C' or 'F'", quoted(order));
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
        // Only for its error if the metadata is not an object.
        (void)object.object("metadata");
        said.metadata = *object.find("metadata");
    }
    return said;
}

NDKEEP_INLINE std::string now_text() { return time_text(std::time(nullptr)); }

NDKEEP_INLINE std::string time_text(std::time_t when) {
    std::tm parts = {};
    // std::gmtime returns one buffer that all threads share.
    ::gmtime_r(&when, &parts);
    std::array<char, 32> text = {};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), length};
}

}  // namespace detail

namespace core {

NDKEEP_INLINE std::string number_text(const statistics::number& number) {
    if (const auto* const whole = std::get_if<std::int64_t>(&number))
        return std::to_string(*whole);
    if (const auto* const count = std::get_if<std::uint64_t>(&number))
        return std::to_string(*count);
    return json_text(*std::get_if<double>(&number));
}

NDKEEP_INLINE std::string statistics_text(const statistics& values) { return detail::statistics_object(values).str(); }

}  // namespace core

// The size of the data follows from dtype and shape. It is compared as well, so that a sidecar whose parts contradict
// each other fits no file.
NDKEEP_INLINE bool description::fits(const array_info& info) const {
    const auto same = described(info);
    return (type == same.type || known_type(info.type) != info.type) && shape == same.shape &&
           column_major == same.column_major && nbytes == same.nbytes;
}

NDKEEP_INLINE dtype description::known_type(const dtype& stored) const {
    try {
        const auto known = dtype::parse(type);
        return known.stored() == stored.stored() ? known : stored;
    } catch (const format_error&) {
        return stored;  // the text is from a file, and may be anything
    }
}

NDKEEP_INLINE description described(const array_info& info) {
    description said;
    said.type = detail::dtype_text(info.type);
    said.shape = info.shape;
    // As NumPy would write it. Otherwise one array could have two descriptions that do not compare equal.
    said.column_major = written_column_major(info);
    said.nbytes = info.nbytes();
    said.created = detail::now_text();
    return said;
}

NDKEEP_INLINE json kept_metadata(const json& meta, const std::filesystem::path& file) {
    if (!meta.is_null() && !meta.is_object())
        throw mismatch_error({.file = file,
                              .field = "metadata",
                              .expected = "an object",
                              .found = detail::json_kind(meta),
                              .hint = R"({{"name", value}, …})"});
    detail::check_json_values(meta, detail::most_metadata_values, file, "metadata");
    // The text is thrown away. Printing it now reports values that JSON cannot hold while the file name is known.
    (void)detail::in_document(file, [&] { return detail::json_text(meta); });
    return meta.is_null() ? json(json::value_t::object) : meta;
}

NDKEEP_INLINE sidecar parse_sidecar(std::string_view text, const std::filesystem::path& file) {
    detail::json_document document(detail::parsed_json(text, file, {.values = detail::most_document_values}));
    json& whole = document.whole;
    const detail::object_reader object(whole, "", file);
    const auto& version = object.text("ndkeep");
    // Before any other key is read: another version may use the same keys differently.
    if (version != detail::sidecar_version)
        throw format_error(
            {.file = file, .field = "ndkeep", .expected = quoted(detail::sidecar_version), .found = quoted(version)});
    detail::restore_nonfinite(whole, file);
    sidecar both{detail::parse_description(object), {}};
    if (object.find("previous") != nullptr)
        both.previous = detail::parse_description(object.object("previous"));
    return both;
}

NDKEEP_INLINE std::string sidecar_text(const sidecar& both) {
    detail::object_text object;
    // The first key: `begins_sidecar` recognises a sidecar by it.
    object.add("ndkeep", detail::json_text(detail::sidecar_version));
    detail::add_description(object, both.current);
    if (both.previous) {
        detail::object_text previous;
        detail::add_description(previous, *both.previous);
        object.add_object("previous", previous);
    }
    object.add_nonfinite();
    return object.lines();
}

}  // namespace ndkeep
