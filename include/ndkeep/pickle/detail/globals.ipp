// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/pickle/detail/globals.hpp>.
#pragma once

#include <ndkeep/pickle/detail/globals.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/format/dtype.hpp>
#include <ndkeep/pickle/detail/numerals.hpp>
#include <ndkeep/text/unicode.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// The name of a module in Python 3 and NumPy 1.
[[nodiscard]] inline std::string usual_module(std::string_view module) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> others = {
        {{"__builtin__", "builtins"}, {"copy_reg", "copyreg"}, {"pathlib._local", "pathlib"}, {"numpy.rec", "numpy"}}};
    for (const auto& [other, usual] : others)
        if (module == other)
            return std::string(usual);
    if (module.starts_with("numpy._core"))
        return "numpy.core" + std::string(module.substr(std::string_view("numpy._core").size()));
    return std::string(module);
}

[[nodiscard]] inline pickle_name known_name(std::string_view module, std::string_view name) {
    struct entry {
        std::string_view module, name;
        pickle_name meant;
    };
    using enum pickle_name;
    static constexpr std::array list = {
        entry{"numpy.core.multiarray", "_reconstruct", reconstruct},
        entry{"numpy.core.multiarray", "scalar", scalar},
        entry{"numpy.core.numeric", "_frombuffer", from_buffer},
        entry{"numpy", "ndarray", array_class},
        entry{"numpy", "recarray", array_class},
        entry{"numpy", "matrix", array_class},
        entry{"numpy.matrixlib.defmatrix", "matrix", array_class},
        entry{"numpy.core.records", "recarray", array_class},
        entry{"numpy.core.memmap", "memmap", array_class},
        entry{"numpy", "memmap", array_class},
        entry{"numpy", "dtype", dtype_class},
        entry{"numpy", "record", record_class},
        entry{"numpy.core.records", "record", record_class},
        entry{"collections", "OrderedDict", ordered_dict},
        entry{"collections", "defaultdict", default_dict},
        entry{"builtins", "set", set_class},
        entry{"builtins", "frozenset", set_class},
        entry{"builtins", "bytearray", byte_array},
        entry{"builtins", "bytes", byte_array},
        entry{"builtins", "complex", complex_class},
        entry{"builtins", "range", range_class},
        entry{"builtins", "xrange", range_class},
        entry{"builtins", "slice", slice_class},
        entry{"builtins", "list", plain_class},
        entry{"builtins", "dict", plain_class},
        entry{"builtins", "tuple", plain_class},
        entry{"builtins", "int", plain_class},
        entry{"builtins", "long", plain_class},
        entry{"builtins", "float", plain_class},
        entry{"builtins", "str", plain_class},
        entry{"builtins", "unicode", plain_class},
        entry{"builtins", "bool", plain_class},
        entry{"builtins", "object", plain_class},
        entry{"copyreg", "_reconstructor", new_object},
        entry{"copyreg", "__newobj__", new_object},
        entry{"copyreg", "__newobj_ex__", new_object},
        entry{"_codecs", "encode", encode},
        entry{"datetime", "datetime", date_time},
        entry{"datetime", "date", date},
        entry{"datetime", "time", time_of_day},
        entry{"datetime", "timedelta", duration},
        entry{"datetime", "timezone", time_zone},
        entry{"decimal", "Decimal", decimal},
        entry{"pathlib", "Path", path},
        entry{"pathlib", "PosixPath", path},
        entry{"pathlib", "WindowsPath", path},
        entry{"pathlib", "PurePath", path},
        entry{"pathlib", "PurePosixPath", path},
        entry{"pathlib", "PureWindowsPath", path},
        entry{"pandas.core.frame", "DataFrame", frame},
        entry{"pandas.core.series", "Series", series},
        entry{"pandas.core.internals.managers", "BlockManager", block_manager},
        entry{"pandas.core.internals.managers", "SingleBlockManager", series_manager},
        entry{"pandas._libs.internals", "_unpickle_block", block},
        entry{"pandas.core.indexes.base", "_new_Index", index},
        entry{"pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked", array_around},
        entry{"pandas.core.indexes.datetimes", "_new_DatetimeIndex", index},
        entry{"pandas.core.indexes.datetimes", "DatetimeIndex", index_class},
        entry{"pandas.core.indexes.timedeltas", "TimedeltaIndex", index_class},
        entry{"pandas.core.indexes.base", "Index", index_class},
        entry{"pandas.core.indexes.range", "RangeIndex", index_class},
        entry{"pandas.core.indexes.numeric", "Int64Index", index_class},
        entry{"pandas.core.indexes.numeric", "UInt64Index", index_class},
        entry{"pandas.core.indexes.numeric", "Float64Index", index_class},
    };
    const auto usual = usual_module(module);
    if (usual == "pandas._libs.tslibs.offsets")
        return offset;
    for (const auto& each : list)
        if (each.name == name && each.module == usual)
            return each.meant;
    return unknown;
}

NDKEEP_INLINE void pickle_globals::refuse(std::string_view field, std::string expected, std::string found,
                                          std::string hint) const {
    throw malformed(from_.path(), std::string(field) + " at byte " + std::to_string(at_), std::move(expected),
                    std::move(found), std::move(hint));
}

NDKEEP_INLINE std::string pickle_globals::text_of(pickled_id id) const {
    const auto value = values_[id];
    if (!is_text(id) && value.kind != pickled_kind::bytes && value.kind != pickled_kind::large)
        refuse("argument", "text", std::string(pickled_kind_name(value.kind)));
    if (!value.is_in_file)
        return values_.pool.substr(static_cast<std::size_t>(value.x), static_cast<std::size_t>(value.y));
    std::string text(static_cast<std::size_t>(value.y), '\0');
    from_.read(value.x, std::as_writable_bytes(std::span(text.data(), text.size())));
    return text;
}

NDKEEP_INLINE pickled_id pickle_globals::named(std::string_view module, std::string_view name) {
    return named(add_text(module), add_text(name));
}

NDKEEP_INLINE pickled_id pickle_globals::named(pickled_id module, pickled_id name) {
    for (const auto id : {module, name})
        if (values_[id].kind != pickled_kind::text && values_[id].kind != pickled_kind::old_text)
            refuse("name of a class", "text", std::string(pickled_kind_name(values_[id].kind)));
    const auto meant = known_name(text_of(module), text_of(name));
    values_.globals.push_back({module, name, static_cast<std::uint8_t>(meant)});
    return values_.add(pickled_kind::global, values_.globals.size() - 1);
}

NDKEEP_INLINE std::string pickle_globals::full_name(pickled_id global) const {
    const auto value = values_[global];
    if (value.kind != pickled_kind::global)
        return std::string(pickled_kind_name(value.kind));
    const auto& meant = values_.globals[static_cast<std::size_t>(value.x)];
    return text_of(meant.module) + '.' + text_of(meant.name);
}

NDKEEP_INLINE std::string pickle_globals::shown_name(pickled_id global) const {
    constexpr std::size_t longest = 200;
    auto name = full_name(global);
    return name.size() > longest ? name.substr(0, longest) + "…" : name;
}

NDKEEP_INLINE pickle_name pickle_globals::name_of(pickled_id id) const noexcept {
    const auto value = values_[id];
    return value.kind == pickled_kind::global
               ? static_cast<pickle_name>(values_.globals[static_cast<std::size_t>(value.x)].meant)
               : pickle_name::unknown;
}

NDKEEP_INLINE void pickle_globals::refuse_arguments(pickled_id callable) const {
    refuse("argument list of " + shown_name(callable), "what Python writes", "of another form");
}

NDKEEP_INLINE std::int64_t pickle_globals::integer_of(pickled_id id) const {
    const auto value = values_[id];
    if (value.kind != pickled_kind::integer && value.kind != pickled_kind::boolean)
        refuse("argument", "an integer", std::string(pickled_kind_name(value.kind)));
    return std::bit_cast<std::int64_t>(value.x);
}

NDKEEP_INLINE bool pickle_globals::is_bytes(pickled_id id) const noexcept {
    return values_[id].kind == pickled_kind::bytes || values_[id].kind == pickled_kind::old_text;
}

NDKEEP_INLINE bool pickle_globals::is_text(pickled_id id) const noexcept {
    return values_[id].kind == pickled_kind::text || values_[id].kind == pickled_kind::old_text;
}

NDKEEP_INLINE void pickle_globals::spend(std::uint64_t bytes) const {
    values_.spent += std::min(bytes, values_.most_spent);
    if (values_.spent > values_.most_spent)
        refuse("size of all values", "at most " + ndkeep::counted(values_.most_spent, "byte"), "larger",
               "values are shared too often");
}

NDKEEP_INLINE pickled_id
pickle_globals::add_members(std::initializer_list<std::pair<std::string_view, pickled_id>> members) {
    std::vector<pickled_id> items;
    for (const auto& [name, value] : members) {
        items.push_back(add_text(name));
        items.push_back(value);
    }
    return values_.add(pickled_kind::dictionary, std::span<const pickled_id>(items));
}

NDKEEP_INLINE pickled_id pickle_globals::add_time(std::string_view type, std::int64_t value) {
    std::array<char, 8> bytes = {};
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
    pickled_array made{.is_built = true, .type = add_dtype('\'' + std::string(type) + '\'')};
    made.data = values_.add(pickled_kind::bytes, values_.keep({bytes.data(), bytes.size()}));
    values_.arrays.push_back(std::move(made));
    return values_.add(pickled_kind::array, values_.arrays.size() - 1);
}

NDKEEP_INLINE pickled_id pickle_globals::dictionary_of(pickled_id callable, std::span<const pickled_id> arguments) {
    std::vector<pickled_id> items;
    if (name_of(callable) == pickle_name::ordered_dict && arguments.size() == 1) {
        if (values_[arguments[0]].kind != pickled_kind::list)
            refuse_arguments(callable);
        for (const auto pair : values_.items(arguments[0])) {
            const auto kind = values_[pair].kind;
            if ((kind != pickled_kind::list && kind != pickled_kind::tuple) || values_.items(pair).size() != 2)
                refuse_arguments(callable);
            spend(2 * sizeof(pickled_id));
            items.insert(items.end(), values_.items(pair).begin(), values_.items(pair).end());
        }
    } else if (arguments.size() > 1) {
        refuse_arguments(callable);
    }
    return values_.add(pickled_kind::dictionary, std::span<const pickled_id>(items));
}

NDKEEP_INLINE pickled_id pickle_globals::bytes_of(pickled_id callable, std::span<const pickled_id> arguments) {
    if (arguments.empty())
        return values_.add(pickled_kind::bytes, pickled_range{});
    if (is_bytes(arguments[0]))
        return arguments[0];
    // Python 3 writes bytes as text in protocols up to 2: _codecs.encode('…', 'latin1'), bytearray('…', 'latin-1').
    if (arguments.size() == 2 && values_[arguments[0]].kind == pickled_kind::text) {
        const auto encoding = text_of(arguments[1]);
        if (encoding != "latin1" && encoding != "latin-1")
            refuse_arguments(callable);
        spend(values_[arguments[0]].y);
        if (const auto bytes = to_latin1(text_of(arguments[0])))
            return values_.add(pickled_kind::bytes, values_.keep(*bytes));
    }
    refuse_arguments(callable);
}

NDKEEP_INLINE std::vector<std::uint64_t> pickle_globals::shape_of(pickled_id id) const {
    std::vector<std::uint64_t> shape;
    if (values_[id].kind == pickled_kind::integer)
        return {static_cast<std::uint64_t>(integer_of(id))};
    if (values_[id].kind != pickled_kind::tuple && values_[id].kind != pickled_kind::list)
        refuse("shape", "a tuple of integers", std::string(pickled_kind_name(values_[id].kind)));
    for (const auto each : values_.items(id)) {
        const auto extent = integer_of(each);
        if (extent < 0)
            refuse("extent", "at least 0", std::to_string(extent));
        shape.push_back(static_cast<std::uint64_t>(extent));
    }
    constexpr std::size_t most = 64;
    if (shape.size() > most)
        refuse("number of dimensions", "at most 64", std::to_string(shape.size()));
    return shape;
}

NDKEEP_INLINE pickled_id pickle_globals::array_of_buffer(pickled_id callable, std::span<const pickled_id> arguments) {
    if (arguments.size() != 4 || !is_bytes(arguments[0]) || values_[arguments[1]].kind != pickled_kind::element_type)
        refuse_arguments(callable);
    const auto order = text_of(arguments[3]);
    if (order != "C" && order != "F")
        refuse("order", "'C' or 'F'", ndkeep::quoted(order));
    values_.arrays.push_back({.is_built = true,
                              .type = arguments[1],
                              .shape = shape_of(arguments[2]),
                              .is_column_major = order == "F",
                              .data = arguments[0]});
    return values_.add(pickled_kind::array, values_.arrays.size() - 1);
}

NDKEEP_INLINE pickled_id pickle_globals::scalar_of(pickled_id callable, std::span<const pickled_id> arguments) {
    if (arguments.size() != 2 || values_[arguments[0]].kind != pickled_kind::element_type)
        refuse_arguments(callable);
    if (values_.types[values_[arguments[0]].x].is_object)
        return arguments[1];
    if (!is_bytes(arguments[1]))
        refuse_arguments(callable);
    values_.arrays.push_back({.is_built = true, .type = arguments[0], .data = arguments[1]});
    return values_.add(pickled_kind::array, values_.arrays.size() - 1);
}

NDKEEP_INLINE pickled_id pickle_globals::time_of(pickled_id callable, std::span<const pickled_id> arguments) {
    using namespace std::chrono;
    const auto name = name_of(callable);
    if (name == pickle_name::duration) {
        if (arguments.size() != 3)
            refuse_arguments(callable);
        const std::int64_t most = 1'000'000'000;  // days, as Python
        const auto day = integer_of(arguments[0]), second = integer_of(arguments[1]), micro = integer_of(arguments[2]);
        if (day < -most || day > most || second < 0 || second >= 86'400 || micro < 0 || micro >= 1'000'000)
            refuse_arguments(callable);
        // The largest one, of 86.4e18 microseconds, does not fit.
        constexpr std::int64_t fitting = 106'000'000;
        if (day < -fitting || day > fitting)
            refuse("duration", "at most 106,000,000 days", std::to_string(day) + " days");
        return add_time("<m8[us]", (day * 86'400 + second) * 1'000'000 + micro);
    }
    // The content is packed into bytes; protocols up to 2 of Python 3 give them as latin-1.
    if (arguments.empty() || !is_bytes(arguments[0]))
        refuse_arguments(callable);
    const auto text = text_of(arguments[0]);
    const auto at = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
    const auto day_of = [&] {
        const year_month_day found(year(static_cast<int>(at(0) << 8 | at(1))), month(at(2) & 0x7f), day(at(3)));
        if (!found.ok() || found.year() < year(1) || found.year() > year(9999))
            refuse("date", "a day of the calendar", "of another form");
        return sys_days(found);
    };
    if (name == pickle_name::date) {
        if (text.size() != 4)
            refuse_arguments(callable);
        return add_time("<M8[D]", day_of().time_since_epoch().count());
    }
    const std::size_t begin = name == pickle_name::date_time ? 4 : 0;
    if (text.size() != begin + 6)
        refuse_arguments(callable);
    const auto hour = at(begin) & 0x7f;
    const auto micro = std::int64_t{at(begin + 3) << 16 | at(begin + 4) << 8 | at(begin + 5)};
    if (hour > 23 || at(begin + 1) > 59 || at(begin + 2) > 59 || micro >= 1'000'000)
        refuse("time", "a time of a day", "of another form");
    const auto seconds_of_day = std::int64_t{hour} * 3600 + at(begin + 1) * 60 + at(begin + 2);
    const std::int64_t offset = arguments.size() > 1 && arguments[1] != 0 ? offset_of_zone(arguments[1]) : 0;
    if (name == pickle_name::time_of_day) {
        const auto two = [](std::int64_t number) {
            return std::string(number < 10 ? "0" : "") + std::to_string(number);
        };
        std::string shown = two(hour) + ':' + two(at(begin + 1)) + ':' + two(at(begin + 2));
        if (micro != 0)
            shown += '.' + std::to_string(1'000'000 + micro).substr(1);
        if (arguments.size() > 1 && arguments[1] != 0) {
            const auto seconds = offset / 1'000'000;
            const auto distance = seconds < 0 ? -seconds : seconds;
            shown += (seconds < 0 ? '-' : '+') + two(distance / 3600) + ':' + two(distance / 60 % 60);
            if (distance % 60 != 0)
                shown += ':' + two(distance % 60);
        }
        return add_text(shown);
    }
    const std::int64_t days = day_of().time_since_epoch().count();
    return add_time("<M8[us]", (days * 86'400 + seconds_of_day) * 1'000'000 + micro - offset);
}

NDKEEP_INLINE std::int64_t pickle_globals::offset_of_zone(pickled_id zone) const {
    // A datetime.timezone is the array without axes that its timedelta became.
    const auto* const array = values_[zone].kind == pickled_kind::array ? &values_.arrays[values_[zone].x] : nullptr;
    if (array == nullptr || !array->is_built || !array->shape.empty() ||
        values_.types[values_[array->type].x].text != "'<m8[us]'" || values_[array->data].y != 8)
        refuse("time zone", "one of datetime.timezone", std::string(pickled_kind_name(values_[zone].kind)));
    const auto bytes = text_of(array->data);
    std::uint64_t bits = 0;
    for (std::size_t i = 8; i-- > 0;)
        bits = bits << 8 | static_cast<unsigned char>(bytes[i]);
    const auto offset = static_cast<std::int64_t>(bits);
    constexpr std::int64_t day = 86'400'000'000;
    if (offset <= -day || offset >= day)
        refuse("time zone", "less than a day from UTC", std::to_string(offset) + " microseconds");
    return offset;
}

NDKEEP_INLINE pickled_id pickle_globals::path_of(pickled_id callable, std::span<const pickled_id> parts) {
    const auto name = full_name(callable);
    const char between = name.ends_with("WindowsPath") ? '\\' : '/';
    std::string joined;
    for (const auto part : parts) {
        if (!is_text(part))
            refuse_arguments(callable);
        spend(values_[part].y + 1);
        if (!joined.empty() && !joined.ends_with('/') && !joined.ends_with('\\'))
            joined += between;
        joined += text_of(part);
    }
    return add_text(joined.empty() ? "." : joined);  // Path('.') has no parts
}

NDKEEP_INLINE pickled_id pickle_globals::called(pickled_id callable, pickled_id arguments) {
    if (values_[arguments].kind != pickled_kind::tuple)
        refuse("argument list", "a tuple", std::string(pickled_kind_name(values_[arguments].kind)));
    const auto given = values_.items(arguments);
    const auto need = [&](bool fits) {
        if (!fits)
            refuse_arguments(callable);
    };
    auto shown = callable;
    switch (name_of(callable)) {
    case pickle_name::reconstruct:
        need(given.size() == 3 && values_[given[0]].kind == pickled_kind::global);
        if (name_of(given[0]) != pickle_name::array_class) {
            shown = given[0];
            break;
        }
        values_.arrays.emplace_back();
        return values_.add(pickled_kind::array, values_.arrays.size() - 1);
    case pickle_name::dtype_class:
        return dtype_of_spec(callable, given);
    case pickle_name::scalar:
        return scalar_of(callable, given);
    case pickle_name::from_buffer:
        return array_of_buffer(callable, given);
    case pickle_name::ordered_dict:
    case pickle_name::default_dict:
        return dictionary_of(callable, given);
    case pickle_name::set_class:
        need(given.size() <= 1);
        if (given.empty())
            return values_.add(pickled_kind::set, std::span<const pickled_id>());
        need(values_[given[0]].kind == pickled_kind::list || values_[given[0]].kind == pickled_kind::tuple);
        spend(values_.items(given[0]).size() * sizeof(pickled_id));
        return values_.add(pickled_kind::set, values_.items(given[0]));
    case pickle_name::byte_array:
    case pickle_name::encode:
        return bytes_of(callable, given);
    case pickle_name::complex_class:
        need(given.size() == 2 && values_[given[0]].kind == pickled_kind::real &&
             values_[given[1]].kind == pickled_kind::real);
        return values_.add(pickled_kind::complex_number, values_[given[0]].x, values_[given[1]].x);
    case pickle_name::range_class:
    case pickle_name::slice_class:
        need(given.size() == 3);
        return add_members({{"start", given[0]}, {"stop", given[1]}, {"step", given[2]}});
    case pickle_name::date_time:
    case pickle_name::date:
    case pickle_name::time_of_day:
    case pickle_name::duration:
        return time_of(callable, given);
    case pickle_name::time_zone:
        // The difference to UTC stands for the zone.
        need(!given.empty());
        return given[0];
    case pickle_name::decimal:
        need(given.size() == 1 && is_text(given[0]));
        return given[0];
    case pickle_name::path:
        return path_of(callable, given);
    case pickle_name::new_object:
        if (!given.empty() && values_[given[0]].kind == pickled_kind::global)
            shown = given[0];
        break;
    case pickle_name::index:
        need(!given.empty() && values_[given[0]].kind == pickled_kind::global);
        if (name_of(given[0]) != pickle_name::index_class) {
            shown = given[0];
            break;
        }
        [[fallthrough]];
    case pickle_name::frame:
    case pickle_name::series:
    case pickle_name::block_manager:
    case pickle_name::series_manager:
    case pickle_name::block:
    case pickle_name::array_around:
    case pickle_name::offset:
        values_.calls.push_back({.callable = callable, .arguments = arguments});
        return values_.add(pickled_kind::call, values_.calls.size() - 1);
    default:
        break;
    }
    if (!opaque_) {
        const auto name = shown_name(shown);
        refuse("object", "a value, a NumPy array or a pandas frame", name,
               name.starts_with("joblib.")
                   ? "a file of joblib: joblib.load in Python reads it, and pickle.dump writes a plain pickle"
               : name.starts_with("torch.") ? "a file of PyTorch: torch.load in Python reads it"
                                            : "nothing of a pickle is run; {.opaque = true} shows such objects");
    }
    values_.calls.push_back({.callable = shown, .arguments = arguments});
    return values_.add(pickled_kind::call, values_.calls.size() - 1);
}

NDKEEP_INLINE void pickle_globals::build_array(pickled_id object, std::span<const pickled_id> state) {
    // (version, shape, dtype, is in Fortran order, data); old files leave the version out.
    if (state.size() != 5 && state.size() != 4)
        refuse("state of an array", "5 parts", counted(state.size(), "part"));
    const auto* const part = state.data() + (state.size() - 4);
    if (values_[part[1]].kind != pickled_kind::element_type)
        refuse("dtype of an array", "a dtype", std::string(pickled_kind_name(values_[part[1]].kind)));
    pickled_array made{.is_built = true,
                       .type = part[1],
                       .shape = shape_of(part[0]),
                       .is_column_major = integer_of(part[2]) != 0,
                       .data = part[3]};
    const bool is_object = values_.types[values_[part[1]].x].is_object;
    if (is_object ? values_[part[3]].kind != pickled_kind::list : !is_bytes(part[3]))
        refuse("content of an array", is_object ? "a list" : "bytes",
               std::string(pickled_kind_name(values_[part[3]].kind)));
    values_.arrays[values_[object].x] = std::move(made);
}

NDKEEP_INLINE void pickle_globals::build(pickled_id object, pickled_id state) {
    const auto kind = values_[object].kind;
    if (kind == pickled_kind::call) {
        values_.calls[values_[object].x].state = state;
        return;
    }
    // Attributes of a dictionary of another class.
    if (kind == pickled_kind::dictionary)
        return;
    if ((kind != pickled_kind::array && kind != pickled_kind::element_type) ||
        values_[state].kind != pickled_kind::tuple)
        refuse("object with a state", "an array or a dtype", std::string(pickled_kind_name(kind)));
    const auto& parts = values_.items(state);
    kind == pickled_kind::array ? build_array(object, parts) : build_dtype(object, parts);
}

}  // namespace ndkeep::detail
