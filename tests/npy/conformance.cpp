// SPDX-License-Identifier: BSD-3-Clause
// Conformance with NumPy: a corpus of files and a manifest.json of what NumPy reads from them. NDKEEP_CONFORMANCE names
// its directory; the default is beside the source folder. Without a corpus these tests do nothing; tests/golden has a
// small collection.
#include "support/npy_case.hpp"

#include <cmath>
#include <cstdlib>
#include <functional>

namespace npy_conformance_tests {

namespace nk = ndkeep;
using npy_case::json;

namespace {

using path = std::filesystem::path;

path corpus() {
    if (const char* const named = std::getenv("NDKEEP_CONFORMANCE"))
        return named;
    return path(NDKEEP_SOURCE_DIR) / "../shared/conformance/npy";
}

const json& manifest() {
    static const json all = [] {
        const auto file = corpus() / "manifest.json";
        return std::filesystem::exists(file) ? json::parse(npy_case::without_lone_surrogates(read_text(file))) : json();
    }();
    return all;
}

/// Calls `check` with every case of a kind. An exception in one case does not stop the others.
template <class Check>
void for_each(std::string_view kind, std::initializer_list<std::string_view> expected, Check&& check) {
    if (manifest().is_null()) {
        WARN("no corpus in " << corpus() << ": nothing checked");
        return;
    }
    std::size_t count = 0;
    for (const auto& facts : manifest().at("cases")) {
        const auto is = facts.at("expect").get<std::string>();
        if (facts.at("kind") != kind || std::find(expected.begin(), expected.end(), is) == expected.end())
            continue;
        ++count;
        INFO(facts.at("file").get<std::string>());
        try {
            check(facts);
        } catch (const std::exception& error) {
            FAIL_CHECK(error.what());
        }
    }
    SUCCEED(count << " cases");
}

// Typed elements ---------------------------------------------------------------------------------------------------

template <class Float>
bool says_float(Float value, const json& said) {
    const auto text = said.get<std::string>();
    const auto wide = static_cast<long double>(value);
    return text == "nan" ? std::isnan(wide) : wide == std::strtold(text.c_str(), nullptr);
}

template <class Integer>
bool says(const Integer& value, const json& said) requires std::is_integral_v<Integer> {
    return said == value;
}
template <class Float>
bool says(const Float& value, const json& said) requires std::is_floating_point_v<Float> {
    return says_float(value, said);
}
bool says(const nk::float16& value, const json& said) { return says_float(static_cast<float>(value), said); }
template <class Float>
bool says(const std::complex<Float>& value, const json& said) {
    return says_float(value.real(), said.at(0)) && says_float(value.imag(), said.at(1));
}
template <class Period>
bool says(const std::chrono::duration<std::int64_t, Period>& value, const json& said) {
    return said == value.count();
}
template <class Clock, class Duration>
bool says(const std::chrono::time_point<Clock, Duration>& value, const json& said) {
    return said == value.time_since_epoch().count();
}
template <std::size_t N>
bool says(const nk::fixed_string<N>& value, const json& said) {
    return said == npy_case::digits_of(value.view());
}
template <std::size_t N>
bool says(const nk::fixed_u32string<N>& value, const json& said) {
    const auto is_foreign = [](char32_t c) { return c > 0x10ffff || (c >= 0xd800 && c < 0xe000); };
    return std::any_of(value.view().begin(), value.view().end(), is_foreign) || said == value.utf8();
}
template <std::size_t N>
bool says(const nk::fixed_bytes<N>& value, const json& said) {
    return said == npy_case::digits_of({reinterpret_cast<const char*>(value.bytes.data()), N});
}

std::size_t flat_index(const json& index, const std::vector<std::size_t>& shape) {
    std::size_t flat = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis)
        flat = flat * shape[axis] + index.at(axis).get<std::size_t>();
    return flat;
}

template <class Array>
std::span<const std::byte> bytes_of(const Array& array) {
    return {reinterpret_cast<const std::byte*>(array.data()), array.size() * sizeof(*array.data())};
}

// Not templates, because this unit instantiates hundreds of types.
void check_bytes(const nk::dtype& type, const std::vector<std::size_t>& shape, std::span<const std::byte> elements,
                 const json& facts) {
    CHECK(shape == npy_case::shape_in(facts));
    CHECK(sha256(npy_case::packed(type, elements)) == facts.at("sha256"));
}

void check_values(const json& facts, const std::function<bool(std::size_t, const json&)>& says_at) {
    for (const auto& sample : facts.at("samples"))
        if (!sample.at("value").is_null())
            CHECK(says_at(flat_index(sample.at("index"), npy_case::shape_in(facts)), sample.at("value")));
}

template <class Array>
void check_elements(const Array& array, const json& facts) {
    using T = std::remove_cv_t<std::remove_pointer_t<decltype(array.data())>>;
    check_bytes(nk::dtype_of<T>(), {array.shape().begin(), array.shape().end()}, bytes_of(array), facts);
}

template <class Array>
void check_elements_of_any(const Array& array, const nk::any_array& any, const json& facts) {
    if (any.type().kind() != 'b')
        return check_elements(array, facts);
    // NumPy stores any byte in a bool; in C++ only 0 and 1 are valid.
    const auto elements = bytes_of(array);
    CHECK((std::equal(elements.begin(), elements.end(), any.bytes().begin(), any.bytes().end(),
                      [](std::byte a, std::byte b) { return a == std::byte{b != std::byte{0}}; })));
}

void check_mismatch(const std::function<void()>& call) { CHECK_THROWS_AS(call(), nk::mismatch_error); }

template <class T>
void check_loaded(const path& file, const json& facts) {
    const auto array = nk::load<T>(file);
    check_elements_of_any(array, nk::load_any(file), facts);
    if constexpr (requires { says(*array.data(), json()); })
        check_values(facts, [&](std::size_t i, const json& said) { return says(array.data()[i], said); });
}

/// @param data  bytes after the header
template <class T>
void check_mapped(const path& file, const json& facts, const nk::array_info& info, std::string_view data) {
    const bool in_place = info.type.is_native() && info.type.size() == sizeof(T);
    if (!in_place || nk::written_column_major(info))
        check_mismatch([&] { (void)nk::map<T>(file); });
    else
        check_elements(nk::map<T>(file), facts);
    if (in_place && info.column_major) {
        const auto columns = nk::map<T>(file, nk::column_major);
        const auto rows = npy_case::rows_of_columns(info.shape, sizeof(T),
                                                    {reinterpret_cast<const char*>(columns.data()), data.size()});
        check_bytes(info.type, {columns.shape().begin(), columns.shape().end()}, std::as_bytes(std::span(rows)), facts);
    }
}

template <class T>
bool holds(const nk::dtype& type) {
    const auto& own = nk::dtype_of<T>();
    if (own.is_struct() || type.is_struct())
        return own.is_struct() && type.is_struct() && own.native().descr() == type.native().descr();
    return own.kind() == type.kind() && own.size() == type.size() && nk::detail::same_time_unit(own, type);
}

/// One case, read as an array of one of these types.
struct typed_case {
    path file;
    const json& facts;
    nk::array_info info;
    std::string_view data;

    template <class T>
    bool check_if() const {
        if (!holds<T>(info.type))
            return false;
        check_loaded<T>(file, facts);
        return true;
    }
    template <class T>
    bool check_with_map_if() const {
        if (!check_if<T>())
            return false;
        const auto any = nk::load_any(file);
        check_elements_of_any(any.template as<T>(), any, facts);
        check_mapped<T>(file, facts, info, data);
        return true;
    }

    template <class... T>
    [[nodiscard]] bool check_numbers() const {
        return (check_with_map_if<T>() || ...);
    }
    // After the dtype check, map does not depend on the dtype. So one type of each kind is mapped.
    template <class... Period>
    [[nodiscard]] bool check_times() const {
        return check_with_map_if<std::chrono::sys_time<std::chrono::nanoseconds>>() ||
               (check_if<std::chrono::duration<std::int64_t, Period>>() || ...) ||
               (check_if<std::chrono::sys_time<std::chrono::duration<std::int64_t, Period>>>() || ...);
    }
    template <std::size_t... N>
    [[nodiscard]] bool check_texts() const {
        return check_with_map_if<nk::fixed_string<3>>() || check_with_map_if<nk::fixed_u32string<6>>() ||
               check_with_map_if<nk::fixed_bytes<7>>() || (check_if<nk::fixed_string<N>>() || ...) ||
               (check_if<nk::fixed_u32string<N>>() || ...) || (check_if<nk::fixed_bytes<N>>() || ...);
    }
    [[nodiscard]] bool check_structs() const;
    [[nodiscard]] bool check() const;
};

struct point {
    std::int32_t x;
    double y;
};
NDKEEP_FIELDS(point, x, y);

struct gaps {
    std::int8_t a;
    double b;
    std::uint16_t c;
};
NDKEEP_FIELDS(gaps, a, b, c);

bool typed_case::check_structs() const {
    if (facts.at("descr") == json::parse(R"([["x", "<i4"], ["y", "<f8"]])")) {
        // Packed in the file: load converts by field name, map rejects it because it cannot move bytes.
        check_loaded<point>(file, facts);
        check_mismatch([&] { (void)nk::map<point>(file); });
        return true;
    }
    return check_with_map_if<gaps>();
}

/// @return false if there is no C++ type for it
bool typed_case::check() const {
    switch (info.type.kind()) {
    case 'M':
    case 'm':
        return check_times<std::ratio<31'556'952>, std::ratio<2'629'746>, std::ratio<604'800>, std::ratio<86'400>,
                           std::ratio<3'600>, std::ratio<60>, std::ratio<1>, std::milli, std::micro, std::nano,
                           std::pico, std::femto, std::atto, std::ratio<25>, std::centi>();
    case 'S':
    case 'U':
    case 'V':
        return info.type.is_struct() ? check_structs() : check_texts<1, 2, 3, 4, 5, 6, 7, 8, 16>();
    default:
        return check_numbers<bool, std::int8_t, std::int16_t, std::int32_t, std::int64_t, std::uint8_t, std::uint16_t,
                             std::uint32_t, std::uint64_t, nk::float16, float, double, long double, std::complex<float>,
                             std::complex<double>, std::complex<long double>>();
    }
}

// Headerless files -------------------------------------------------------------------------------------------------

/// The arguments of a numpy.memmap call.
struct request {
    path file;
    nk::dtype type;
    std::vector<std::size_t> shape;
    bool has_shape = false;
    std::uint64_t offset = 0;
    nk::order file_order = nk::order::row_major;

    explicit request(const json& facts, const path& copy)
        : file(copy), type(nk::dtype::parse(facts.at("dtype").get<std::string>())),
          has_shape(!facts.at("request_shape").is_null()), offset(facts.at("offset").get<std::uint64_t>()),
          file_order(facts.at("order") == "F" ? nk::order::column_major : nk::order::row_major) {
        if (has_shape)
            shape = facts.at("request_shape").get<std::vector<std::size_t>>();
    }

    /// The same call with bytes as elements, as an additional axis: for elements without a C++ type or without
    /// alignment.
    [[nodiscard]] request of_bytes() const {
        auto bytes = *this;
        bytes.type = nk::dtype_of<std::uint8_t>();
        if (has_shape)
            bytes.shape.insert(file_order == nk::order::column_major ? bytes.shape.begin() : bytes.shape.end(),
                               static_cast<std::size_t>(type.size()));
        return bytes;
    }
};

template <class Array>
std::string text_of(const Array& array) {
    const auto bytes = bytes_of(array);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class T, nk::order_tag Order>
std::string mapped_in_order(const request& wanted, const std::string& mode, Order order) {
    nk::map_raw_options<> options{.offset = wanted.offset};
    if (wanted.has_shape)
        options.shape = wanted.shape;
    if (mode == "r" || mode == "readonly")
        return text_of(nk::map_raw<T>(wanted.file, order, options));
    if (mode == "c" || mode == "copyonwrite") {
        auto array = nk::map_raw<T>(wanted.file, nk::copy_on_write, order, options);
        const auto text = text_of(array);
        if (array.size() != 0)
            *array.data() = T(1);
        return text;
    }
    if (mode == "r+" || mode == "readwrite") {
        auto array = nk::map_raw<T>(wanted.file, nk::read_write, order, options);
        array.flush();
        return text_of(array);
    }
    return text_of(nk::create_raw<T>(wanted.file, wanted.shape, order, {.offset = wanted.offset, .replace = true}));
}

template <class T>
std::string mapped_as_type(const request& wanted, const std::string& mode) {
    return wanted.file_order == nk::order::column_major ? mapped_in_order<T>(wanted, mode, nk::column_major)
                                                        : mapped_in_order<T>(wanted, mode, nk::row_major);
}

/// The data in the order of the file.
std::string mapped_bytes(const request& wanted, const std::string& mode) {
    const auto fits = [&]<class T>(std::type_identity<T>) {
        return !wanted.type.is_struct() && wanted.type.kind() == nk::dtype_of<T>().kind() &&
               wanted.type.size() == sizeof(T) && (wanted.offset % alignof(T) == 0 || mode == "r" || mode == "c");
    };
    if (fits(std::type_identity<float>()))
        return mapped_as_type<float>(wanted, mode);
    return mapped_as_type<std::uint8_t>(wanted.of_bytes(), mode);
}

nk::any_array loaded(const request& wanted) {
    nk::raw_options<> options{.offset = wanted.offset};
    if (wanted.has_shape)
        options.shape = wanted.shape;
    return nk::load_raw_any(wanted.file, wanted.type, options, wanted.file_order);
}

path copied(const json& facts, const temp_dir& dir) {
    const auto copy = dir / path(facts.at("file").get<std::string>()).filename();
    std::filesystem::copy_file(corpus() / facts.at("file").get<std::string>(), copy);
    std::filesystem::permissions(copy, std::filesystem::perms::owner_write, std::filesystem::perm_options::add);
    return copy;
}

std::string shape_text_of(const json& shape) {
    return shape.is_number() ? shape.dump() : nk::shape_text(shape.get<std::vector<std::size_t>>());
}

/// The dtype as Python prints it. In the manifest, fields are lists, and so are pairs of a type and a shape.
std::string python_text(const json& descr) {
    if (descr.is_string())
        return nk::detail::python_repr(descr.get<std::string>());
    const auto is_shape = [](const json& part) {
        return part.is_number() || (!part.empty() && part.is_array() && part.at(0).is_number());
    };
    if (descr.size() == 2 && is_shape(descr.at(1)))
        return '(' + python_text(descr.at(0)) + ", " + shape_text_of(descr.at(1)) + ')';
    std::string text = "[";
    for (const auto& field : descr) {
        const auto& name = field.at(0);
        text += '(';
        text +=
            name.is_string() ? python_text(name) : '(' + python_text(name.at(0)) + ", " + python_text(name.at(1)) + ')';
        text += ", " + python_text(field.at(1)) + (field.size() > 2 ? ", " + shape_text_of(field.at(2)) : "") + "), ";
    }
    return text + ']';
}

}  // namespace

TEST_CASE("conformance: what NumPy reads is read as NumPy reads it", "[npy][conformance]") {
    for_each("npy", {"ok"}, [](const json& facts) {
        const auto file = corpus() / facts.at("file").get<std::string>();
        npy_case::check_content(file, facts);

        const auto any = nk::load_any(file);
        const auto bytes = npy_case::packed(any.type(), any.bytes());
        const auto item = npy_case::packed_size(any.type());
        for (const auto& sample : facts.at("samples"))
            if (!sample.at("hex").is_null()) {
                const auto at = flat_index(sample.at("index"), any.shape()) * item;
                CHECK(npy_case::digits_of(std::string_view(bytes).substr(at, item)) == sample.at("hex"));
            }
        for (const auto& field : any.type().fields())
            CHECK(any.field(field.name).bytes().size() == any.size() * field.nbytes());
    });
}

TEST_CASE("conformance: what NumPy reads is loaded and mapped as the C++ type of its dtype", "[npy][conformance]") {
    for_each("npy", {"ok"}, [](const json& facts) {
        const auto file = corpus() / facts.at("file").get<std::string>();
        const auto info = nk::inspect(file);
        const auto whole = read_text(file);
        const auto data = whole.substr(static_cast<std::size_t>(info.data_offset), info.nbytes());

        CHECK(sha256(data) == facts.at("sha256_file_order"));
        CHECK_THROWS_AS(nk::load<nk::fixed_bytes<199>>(file), nk::mismatch_error);
        const bool has_type = typed_case{file, facts, info, data}.check();
        CHECK((has_type || std::string_view("MmSUV").find(info.type.kind()) != std::string_view::npos));
    });
}

TEST_CASE("conformance: what NumPy saved is saved again byte for byte", "[npy][conformance]") {
    const temp_dir dir;
    for_each("npy", {"ok"}, [&](const json& facts) {
        if (facts.at("np_save_identical").get<bool>())
            npy_case::check_saved_again(corpus() / facts.at("file").get<std::string>(), dir / "again.npy");
    });
}

TEST_CASE("conformance: what must be refused is refused", "[npy][error][conformance]") {
    for_each("npy", {"error"}, [](const json& facts) {
        npy_case::check_refused<std::int32_t>(corpus() / facts.at("file").get<std::string>(), facts);
    });
}

TEST_CASE("conformance: what may be refused is read or refused cleanly", "[npy][error][conformance]") {
    for_each("npy", {"any"}, [](const json& facts) {
        const auto file = corpus() / facts.at("file").get<std::string>();
        try {
            (void)nk::load_any(file);
        } catch (const nk::error& error) {
            CHECK(error.file() == file);
        }
    });
}

TEST_CASE("conformance: headerless files are read and mapped as numpy.memmap does", "[npy][raw][conformance]") {
    for_each("raw", {"ok"}, [](const json& facts) {
        const temp_dir dir;
        const request wanted(facts, copied(facts, dir));
        const auto before = read_text(wanted.file);
        const auto mode = facts.at("mode").get<std::string>();
        CHECK(before.size() == facts.at("file_size_before").get<std::size_t>());

        auto bytes = mapped_bytes(wanted, mode);
        CHECK(std::filesystem::file_size(wanted.file) == facts.at("file_size_after").get<std::size_t>());
        if (mode != "w+" && mode != "write")
            CHECK((read_text(wanted.file).substr(0, before.size()) == before));
        if (wanted.file_order == nk::order::column_major)
            bytes = npy_case::rows_of_columns(npy_case::shape_in(facts), static_cast<std::size_t>(wanted.type.size()),
                                              bytes);
        CHECK(sha256(npy_case::packed(wanted.type, std::as_bytes(std::span(bytes)))) == facts.at("sha256"));

        const auto any = loaded(wanted);
        CHECK(npy_case::json_of(any.type()) == facts.at("descr"));
        CHECK(any.shape() == npy_case::shape_in(facts));
        CHECK(sha256(npy_case::packed(any.type(), any.bytes())) == facts.at("sha256"));
    });
}

TEST_CASE("conformance: headerless files of the wrong size are refused and left alone", "[npy][raw][conformance]") {
    for_each("raw", {"error"}, [](const json& facts) {
        const temp_dir dir;
        const request wanted(facts, copied(facts, dir));
        const auto before = read_text(wanted.file);

        CHECK_THROWS_AS(loaded(wanted), nk::format_error);
        if (wanted.has_shape || wanted.type == nk::dtype_of<float>())
            CHECK_THROWS_AS(mapped_bytes(wanted, facts.at("mode").get<std::string>()), nk::format_error);
        CHECK((read_text(wanted.file) == before));
    });
}

TEST_CASE("conformance: append gives the file NumPy would write of the longer array", "[npy][append][conformance]") {
    for_each("append", {"ok"}, [](const json& facts) {
        const temp_dir dir;
        const auto file = copied(facts, dir);
        const bool may_refuse = facts.value("may_refuse", false);
        for (const auto& step : facts.at("steps")) {
            INFO(step.at("operand").get<std::string>());
            const auto rows = nk::load_any(corpus() / step.at("operand").get<std::string>());
            const auto before = read_text(file);
            try {
                nk::append(file, rows);
            } catch (const nk::error&) {
                CHECK(may_refuse);
                CHECK((read_text(file) == before));
                return;
            }

            const auto any = nk::load_any(file);
            CHECK(any.shape() == npy_case::shape_in(step));
            CHECK(sha256(npy_case::packed(any.type(), any.bytes())) == step.at("sha256"));
            if (!step.at("file_sha256").is_null())
                CHECK(sha256(read_text(file)) == step.at("file_sha256"));
        }
    });
}

TEST_CASE("conformance: an array of zeros is the file open_memmap makes", "[npy][create][conformance]") {
    for_each("create", {"ok"}, [](const json& facts) {
        const temp_dir dir;
        const nk::array_info info{.type = nk::dtype::parse(python_text(facts.at("descr"))),
                                  .shape = npy_case::shape_in(facts),
                                  .column_major = facts.at("fortran_order").get<bool>()};
        CHECK(npy_case::json_of(info.type) == facts.at("descr"));
        const auto by_hand = nk::header_bytes(info) + std::string(static_cast<std::size_t>(info.nbytes()), '\0');
        CHECK(by_hand.size() == facts.at("file_nbytes").get<std::size_t>());
        CHECK(sha256(by_hand) == facts.at("file_sha256"));

        const auto create_as = [&]<class T>(std::type_identity<T>) {
            if (info.type != nk::dtype_of<T>())
                return;
            if (info.column_major)
                (void)nk::create<T>(dir / "new.npy", info.shape, nk::column_major);
            else
                (void)nk::create<T>(dir / "new.npy", info.shape);
            CHECK(sha256(read_text(dir / "new.npy")) == facts.at("file_sha256"));
        };
        create_as(std::type_identity<std::int32_t>());
        create_as(std::type_identity<float>());
        create_as(std::type_identity<double>());
    });
}

}  // namespace npy_conformance_tests
