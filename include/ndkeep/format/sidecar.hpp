// SPDX-License-Identifier: BSD-3-Clause
// The JSON beside a file: what it describes, and which of its descriptions is about the file that is there.
#pragma once

#include <ndkeep/bytes/checksum.hpp>
#include <ndkeep/bytes/file.hpp>
#include <ndkeep/format/header.hpp>
#include <ndkeep/format/statistics.hpp>

#include <ctime>

#include <nlohmann/json.hpp>

namespace ndkeep {

using json = nlohmann::json;

/// What a sidecar says of one state of a file.
struct description {
    std::string type = {};  ///< dtype.str(), or dtype.descr() of a struct
    std::vector<std::size_t> shape = {};
    bool column_major = false;
    std::uint64_t nbytes = 0;  ///< of the data

    checksums sums = {};
    std::optional<ndkeep::statistics> statistics = {};
    json metadata = json::object();
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
/// @throws mismatch_error  neither an object nor null
[[nodiscard]] inline json kept_metadata(json meta, const std::filesystem::path& file);

namespace detail {

inline constexpr std::string_view sidecar_version = "sidecar/1";
inline constexpr std::uint64_t longest_sidecar = std::uint64_t{64} << 20;
inline constexpr int deepest_json = 128;

/// @throws format_error  not JSON, or nested too deeply
[[nodiscard]] inline json parsed_json(std::string_view text, const std::filesystem::path& file) {
    bool too_deep = false;
    const auto watch = [&](int depth, json::parse_event_t, json&) {
        return !(too_deep = too_deep || depth > deepest_json);
    };
    json value = json::parse(text, watch, false);
    if (too_deep || value.is_discarded())
        throw format_error({.file = file,
                            .field = "json",
                            .expected = too_deep ? "at most 128 levels" : "valid JSON",
                            .found = too_deep ? "nested deeper" : ndkeep::quoted(text.substr(0, 40))});
    return value;
}

inline void replace_non_finite(json& value) {
    if (value.is_number_float()) {
        const double number = value.get<double>();
        if (!std::isfinite(number))
            value = number > 0 ? "Infinity" : number < 0 ? "-Infinity" : "NaN";
    } else if (value.is_structured()) {
        for (auto& inner : value)
            replace_non_finite(inner);
    }
}

[[nodiscard]] inline json number_json(double number) {
    json value = number;
    replace_non_finite(value);
    return value;
}

[[nodiscard]] inline std::optional<double> json_number(const json& value) {
    if (value.is_number())
        return value.get<double>();
    if (value == "NaN")
        return std::numeric_limits<double>::quiet_NaN();
    if (value == "Infinity")
        return std::numeric_limits<double>::infinity();
    if (value == "-Infinity")
        return -std::numeric_limits<double>::infinity();
    return std::nullopt;
}

/// On one line, with the spaces Python writes.
inline void append_line(std::string& out, const json& value) {
    if (!value.is_structured()) {
        out += value.dump();
        return;
    }
    bool first = true;
    out += value.is_object() ? '{' : '[';
    for (const auto& [key, inner] : value.items()) {
        out += first ? "" : ", ";
        first = false;
        if (value.is_object())
            out += json(key).dump() + ": ";
        append_line(out, inner);
    }
    out += value.is_object() ? '}' : ']';
}

/// An object whose keys stay in the order they are added.
class object_text {
  public:
    void add(std::string_view key, const json& value) {
        std::string text;
        append_line(text, value);
        add_text(key, text);
    }
    void add_text(std::string_view key, std::string_view text) {
        members_.push_back(json(key).dump() + ": " + std::string(text));
    }
    [[nodiscard]] bool empty() const noexcept { return members_.empty(); }
    /// On one line.
    [[nodiscard]] std::string str() const { return '{' + joined(", ") + '}'; }
    /// One member a line.
    [[nodiscard]] std::string lines() const { return "{ " + joined(",\n  ") + " }\n"; }

  private:
    [[nodiscard]] std::string joined(std::string_view between) const {
        std::string out;
        for (const auto& member : members_) {
            out += out.empty() ? "" : between;
            out += member;
        }
        return out;
    }

    std::vector<std::string> members_;
};

[[nodiscard]] inline std::string statistics_text(const statistics& values) {
    object_text object;
    const auto number = [](const statistics::number& value) {
        return std::visit(
            [](auto exact) {
                if constexpr (std::is_same_v<decltype(exact), double>)
                    return number_json(exact);
                else
                    return json(exact);
            },
            value);
    };
    object.add("count", values.count);
    if (values.fields.empty())
        object.add("nan", values.nan);
    if (values.min)
        object.add("min", number(*values.min));
    if (values.max)
        object.add("max", number(*values.max));
    if (values.mean && values.mean_imaginary)
        object.add("mean", json::array({number_json(*values.mean), number_json(*values.mean_imaginary)}));
    else if (values.mean)
        object.add("mean", number_json(*values.mean));
    if (values.std)
        object.add("std", number_json(*values.std));
    if (!values.fields.empty()) {
        object_text fields;
        for (const auto& [name, inner] : values.fields)
            fields.add_text(name, statistics_text(inner));
        object.add_text("fields", fields.str());
    }
    return object.str();
}

inline void add_description(object_text& object, const description& said) {
    object_text array;
    array.add("dtype", said.type);
    array.add("shape", said.shape);
    array.add("order", said.column_major ? "F" : "C");
    array.add("nbytes", said.nbytes);
    object.add_text("array", array.str());
    if (!said.sums.empty())
        object.add("checksums", said.sums);
    if (said.statistics)
        object.add_text("statistics", statistics_text(*said.statistics));
    object.add("created", said.created);
    if (said.stamp) {
        object_text stamp;
        stamp.add("size", said.stamp->size);
        stamp.add("mtime_ns", said.stamp->mtime_ns);
        object.add_text("file", stamp.str());
    }
    object.add("metadata", said.metadata);
}

/// Reads the members of a JSON object and names in errors the one that is wrong.
class object_reader {
  public:
    object_reader(const json& object, std::string path, const std::filesystem::path& file)
        : object_(object), path_(std::move(path)), file_(file) {
        if (!object.is_object())
            refuse("", "an object", object);
    }

    [[nodiscard]] const json* find(std::string_view key) const {
        const auto at = object_.find(std::string(key));
        return at == object_.end() ? nullptr : &*at;
    }
    [[nodiscard]] const json& member(std::string_view key, std::string_view expected) const {
        const json* const value = find(key);
        if (value == nullptr)
            refuse(key, expected, json());
        return *value;
    }
    [[nodiscard]] std::string text(std::string_view key) const {
        const json& value = member(key, "a string");
        if (!value.is_string())
            refuse(key, "a string", value);
        return value.get<std::string>();
    }
    [[nodiscard]] std::uint64_t count(std::string_view key) const {
        const json& value = member(key, "a count");
        if (!value.is_number_unsigned())
            refuse(key, "a count", value);
        return value.get<std::uint64_t>();
    }
    [[nodiscard]] object_reader object(std::string_view key) const {
        return {member(key, "an object"), full(key), file_};
    }
    [[noreturn]] void refuse(std::string_view key, std::string_view expected, const json& found) const {
        throw format_error({.file = file_,
                            .field = key.empty() ? path_ : full(key),
                            .expected = std::string(expected),
                            .found = found.is_null() ? "missing"
                                     : found.is_structured()
                                         ? found.type_name()
                                         : found.dump(-1, ' ', true, json::error_handler_t::replace)});
    }
    [[nodiscard]] const json& value() const noexcept { return object_; }

  private:
    [[nodiscard]] std::string full(std::string_view key) const {
        return path_.empty() ? std::string(key) : path_ + '.' + std::string(key);
    }

    const json& object_;
    std::string path_;
    const std::filesystem::path& file_;
};

[[nodiscard]] inline statistics parse_statistics(const object_reader& object) {
    statistics values;
    values.count = object.count("count");
    if (object.find("nan") != nullptr)
        values.nan = object.count("nan");
    const auto exact = [&](std::string_view key) -> std::optional<statistics::number> {
        const json* const value = object.find(key);
        if (value == nullptr)
            return std::nullopt;
        if (value->is_number_unsigned())
            return value->get<std::uint64_t>();
        if (value->is_number_integer())
            return value->get<std::int64_t>();
        if (const auto number = json_number(*value))
            return *number;
        object.refuse(key, "a number", *value);
    };
    const auto real = [&](std::string_view key, const json& value) {
        if (const auto number = json_number(value))
            return *number;
        object.refuse(key, "a number", value);
    };
    values.min = exact("min");
    values.max = exact("max");
    if (const json* const mean = object.find("mean")) {
        const bool complex = mean->is_array() && mean->size() == 2;
        values.mean = real("mean", complex ? (*mean)[0] : *mean);
        if (complex)
            values.mean_imaginary = real("mean", (*mean)[1]);
    }
    if (const json* const deviation = object.find("std"))
        values.std = real("std", *deviation);
    if (object.find("fields") != nullptr) {
        const auto fields = object.object("fields");
        for (const auto& item : fields.value().items())
            values.fields.emplace_back(item.key(), parse_statistics(fields.object(item.key())));
    }
    return values;
}

[[nodiscard]] inline description parse_description(const object_reader& object) {
    description said;
    const auto array = object.object("array");
    said.type = array.text("dtype");
    const json& shape = array.member("shape", "a list of counts");
    if (!shape.is_array())
        array.refuse("shape", "a list of counts", shape);
    for (const json& extent : shape) {
        if (!extent.is_number_unsigned())
            array.refuse("shape", "a list of counts", extent);
        said.shape.push_back(extent.get<std::size_t>());
    }
    const auto order = array.text("order");
    if (order != "C" && order != "F")
        array.refuse("order", "\"C\" or \"F\"", array.member("order", ""));
    said.column_major = order == "F";
    said.nbytes = array.count("nbytes");
    if (object.find("checksums") != nullptr) {
        const auto sums = object.object("checksums");
        for (const auto& item : sums.value().items())
            said.sums.emplace(item.key(), sums.text(item.key()));
    }
    if (object.find("statistics") != nullptr)
        said.statistics = parse_statistics(object.object("statistics"));
    if (object.find("created") != nullptr)
        said.created = object.text("created");
    if (object.find("file") != nullptr) {
        const auto stamp = object.object("file");
        const json& changed = stamp.member("mtime_ns", "a number");
        if (!changed.is_number_integer())
            stamp.refuse("mtime_ns", "a number", changed);
        said.stamp = {stamp.count("size"), changed.get<std::int64_t>()};
    }
    if (object.find("metadata") != nullptr)
        said.metadata = object.object("metadata").value();
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

inline json kept_metadata(json meta, const std::filesystem::path& file) {
    if (meta.is_null())
        return json::object();
    if (!meta.is_object())
        throw mismatch_error({.file = file,
                              .field = "metadata",
                              .expected = "an object",
                              .found = meta.type_name(),
                              .hint = R"({{"name", value}, …})"});
    detail::replace_non_finite(meta);
    return meta;
}

inline sidecar parse_sidecar(std::string_view text, const std::filesystem::path& file) {
    const json whole = detail::parsed_json(text, file);
    const detail::object_reader object(whole, "", file);
    const auto version = object.text("ndkeep");
    if (version != detail::sidecar_version)
        throw format_error({.file = file,
                            .field = "ndkeep",
                            .expected = ndkeep::quoted(detail::sidecar_version),
                            .found = ndkeep::quoted(version)});
    sidecar both{detail::parse_description(object), {}};
    if (object.find("previous") != nullptr)
        both.previous = detail::parse_description(object.object("previous"));
    return both;
}

inline std::string sidecar_text(const sidecar& both) {
    try {
        detail::object_text object;
        object.add("ndkeep", detail::sidecar_version);
        detail::add_description(object, both.current);
        if (both.previous) {
            detail::object_text previous;
            detail::add_description(previous, *both.previous);
            object.add_text("previous", previous.str());
        }
        return object.lines();
    } catch (const json::exception& problem) {
        throw mismatch_error({.field = "metadata", .expected = "text in UTF-8", .found = problem.what()});
    }
}

}  // namespace ndkeep
