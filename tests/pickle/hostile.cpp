// SPDX-License-Identifier: BSD-3-Clause
// Pickles as an attacker writes them: nothing is run, memory and time are bounded by the size of the file, and every
// damage ends in an error.
#include "pickle/program.hpp"
#include "support/peak_memory.hpp"
#include "support/sanitized.hpp"
#include "support/temp_dir.hpp"

#include <random>
#include <vector>

namespace pickle_hostile_tests {

using namespace pickle_program;

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

/// The sentence of the error that these operations end in.
std::string error_of(const std::string& operations, const nk::pickle_options& options = {}) {
    const auto e = caught<nk::error>([&] { (void)value_of(operations, options); });
    return e ? e->what() : "no error";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string golden(const std::string& name) {
    const auto content = read_text(std::filesystem::path(NDKEEP_TEST_DATA) / "pickles" / name);
    if (content.empty())
        throw std::runtime_error(name + " is missing");
    return content;
}

/// Loads it. Only errors of the library may come out.
bool is_loaded(const std::string& whole, const nk::pickle_options& options = {}) {
    return !caught<nk::error>([&] { (void)loaded(whole, options); });
}

}  // namespace

TEST_CASE("functions that could do harm are errors that name them, and nothing is run", "[pickle][error]") {
    const temp_dir dir;
    const auto target = (dir / "harm").string();
    const auto harmful = text("touch '" + target + "'");
    const struct {
        std::string module, name;
    } functions[] = {{"os", "system"},
                     {"posix", "system"},
                     {"nt", "system"},
                     {"subprocess", "Popen"},
                     {"subprocess", "call"},
                     {"builtins", "eval"},
                     {"__builtin__", "eval"},
                     {"builtins", "exec"},
                     {"builtins", "getattr"},
                     {"builtins", "open"},
                     {"builtins", "__import__"},
                     {"builtins", "set.__class__"},
                     {"numpy", "load"},
                     {"numpy.core.multiarray", "fromfile"},
                     {"numpy.core._internal", "_ctypes"},
                     {"numpy.f2py.crackfortran", "myeval"},
                     {"numpy._core.multiarray", "system"},
                     {"collections", "Counter"},
                     {"functools", "partial"},
                     {"operator", "attrgetter"},
                     {"types", "FunctionType"},
                     {"runpy", "_run_code"},
                     {"pickle", "loads"},
                     {"pandas", "read_pickle"},
                     {"", ""}};

    for (const auto& [module, name] : functions) {
        const auto full = module + '.' + name;
        CAPTURE(full);
        const auto named = global(module, name);
        const auto by_stack = text(module) + text(name) + '\x93';
        for (const auto& operations : {
                 named + tuple({harmful}) + 'R',
                 by_stack + tuple({harmful}) + 'R',
                 named + tuple({harmful}) + '\x81',
                 by_stack + tuple({harmful}) + "}\x92",
                 '(' + harmful + 'i' + module + '\n' + name + '\n',
                 '(' + named + harmful + 'o',
                 list({integer(1), by_stack + tuple({harmful}) + 'R' + "0N"}),
                 named,
             }) {
            const auto e = caught<nk::format_error>([&] { (void)value_of(operations); });

            CHECK((e && contains(e->what(), full)));
        }
        const auto shown = value_of(named + tuple({harmful}) + 'R', {.opaque = true});
        CHECK(shown.at("python").get<std::string>() == full);
        CHECK(shown.at("arguments").at(0).get<std::string>() == "touch '" + target + "'");
    }
    CHECK_FALSE(std::filesystem::exists(target));
}

TEST_CASE("an object of another class is an error that names the class, not what makes it", "[pickle][error]") {
    const auto mine = global("mine.module", "Thing");
    const auto object = global("__builtin__", "object");

    for (const auto& operations :
         {call(global("copy_reg", "_reconstructor"), {mine, object, "N"}),
          call(global("copyreg", "__newobj__"), {mine}), mine + ")\x81}" + "b",
          call(global("numpy.core.multiarray", "_reconstruct"), {mine, tuple({integer(0)}), bytes("b")}),
          call(global("pandas.core.indexes.base", "_new_Index"), {mine, "}"})}) {
        CHECK(contains(error_of(operations), " is mine.module.Thing"));
        CHECK(value_of(operations, {.opaque = true}).at("python").get<std::string>() == "mine.module.Thing");
    }
}

TEST_CASE("what is outside of the pickle is refused", "[pickle][error]") {
    CHECK(contains(error_of("P1\n"), "persistent id"));
    CHECK(contains(error_of("NQ"), "persistent id"));
    CHECK(contains(error_of("\x82\x01"), "extension registry"));
    CHECK(contains(error_of("\x83\x01\x02"), "extension registry"));
    CHECK(contains(error_of("\x84\x01\x02\x03\x04"), "extension registry"));
    CHECK(contains(error_of("\x97"), "out-of-band"));
    CHECK(contains(error_of("N\x98"), "out-of-band"));
    CHECK(contains(error_of("\x80\x06N"), "protocol"));
    CHECK(contains(error_of("\x80\xffN"), "protocol"));
    CHECK(contains(error_of("\x7f"), " is 127, expected one of a pickle"));
}

TEST_CASE("values that contain themselves are errors that say so", "[pickle][error]") {
    const auto itself = recall(0);
    for (const auto& operations : {
             "]" + put(0) + itself + 'a',
             "}" + put(0) + text("a") + itself + 's',
             "\x8f" + put(0) + '(' + itself + '\x90',
             "]" + put(0) + tuple({itself}) + 'a',
             "]" + put(0) + dictionary({text("a"), list({tuple({itself})})}) + 'a',
             "]" + put(0) + array(dtype("O"), tuple({integer(1)}), list({itself})) + 'a',
             call(global("collections", "OrderedDict"), {}) + put(0) + text("a") + itself + 's',
         }) {
        const auto e = caught<nk::mismatch_error>([&] { (void)value_of(operations); });

        CHECK((e && contains(e->what(), "contains itself")));
    }
    CHECK(contains(error_of(global("mine", "Thing") + ")R" + put(0) + itself + 'b', {.opaque = true}),
                   "contains itself"));
}

TEST_CASE("a false length of any operation is an error before memory is allocated", "[pickle][error]") {
    const struct {
        char code;
        unsigned bytes;
    } operations[] = {{'T', 4},    {'U', 1},    {'X', 4},    {'B', 4},    {'C', 1},    {'\x8a', 1},
                      {'\x8b', 4}, {'\x8c', 1}, {'\x8d', 8}, {'\x8e', 8}, {'\x96', 8}, {'\x95', 8}};
    for (const auto& [code, width] : operations) {
        CAPTURE(static_cast<int>(code));
        const std::uint64_t most = ~std::uint64_t{0} >> (64 - 8 * width);
        for (const std::uint64_t length : {most, most - 1, most / 2, most / 2 + 1, std::uint64_t{100}}) {
            const auto whole = code + number(length, width) + "abc.";
            const auto peak = peak_of([&] { CHECK_FALSE(is_loaded(whole)); });

            CHECK(peak < mib);
        }
    }
}

TEST_CASE("operations without values on the stack are errors", "[pickle][error]") {
    for (int code = 0; code < 256; ++code) {
        CAPTURE(code);
        const std::string operation(1, static_cast<char>(code));
        for (const auto& before : {"", "(", "N(", "NN", "(N", "]N", "N)", "(((", "})", "1", "0"})
            for (const auto& after : {"", ".", "\n\n.", "\1\0\0\0\0\0\0\0.", "00."})
                (void)is_loaded(before + operation + after, {.opaque = true});
        CHECK_FALSE(is_loaded(operation));
    }
    CHECK_FALSE(is_loaded(""));
    CHECK_FALSE(is_loaded("."));
    CHECK_FALSE(is_loaded("(."));
    CHECK_FALSE(is_loaded("N(."));
}

TEST_CASE("pickles that grow by sharing are errors, with memory for little more than the file", "[pickle][error]") {
    constexpr std::uint64_t many = 50'000;
    const auto laughs = [](const std::string& begin, const std::string& open, const std::string& close) {
        auto operations = begin + put(0);
        for (std::uint64_t i = 1; i <= 40; ++i)
            operations += '(' + open + recall(i - 1) + open + recall(i - 1) + close + put(i);
        return operations;
    };
    const auto key_of_all = laughs("N", "", "t") + "N";
    const auto nothing = repeated("N", many);
    const auto unused = global("numpy", "dtype");
    const auto field_state = [](const std::string& type) {
        // Each time, the type becomes a struct with two fields of what it was.
        const auto field = [&](int offset) { return tuple({type, integer(offset)}); };
        return tuple({integer(3), text("|"), "N", tuple({text("a"), text("b")}),
                      dictionary({text("a"), field(0), text("b"), field(0)}), integer(0), integer(1), integer(0)});
    };
    auto spec = text("V0") + put(0) + '0';
    for (std::uint64_t i = 1; i <= 30; ++i)
        spec += dictionary({text("names"), list({text("a"), text("b")}), text("formats"),
                            list({recall(i - 1), recall(i - 1)}), text("offsets"), list({integer(0), integer(0)}),
                            text("itemsize"), integer(0)}) +
                put(i) + '0';
    const auto frame = [](const std::string& names, const std::string& values, const std::string& places) {
        return global("pandas.core.frame", "DataFrame") + ")\x81" +
               dictionary({text("_mgr"), call(global("pandas.core.internals.managers", "BlockManager"),
                                              {tuple({call(global("pandas._libs.internals", "_unpickle_block"),
                                                           {values, places, integer(2)})}),
                                               list({names, list({})})})}) +
               'b';
    };
    const struct {
        std::string called, operations;
    } bombs[] = {
        {"lists", laughs("]", "", "l")},
        {"tuples", laughs(")", "", "t")},
        {"values of dictionaries", laughs("N", text("a") + '0' + integer(1) + '0', "l")},
        {"keys", "(" + key_of_all + 'd'},
        {"texts", text(std::string(60'000, 'a')) + put(0) + '0' + '(' + repeated(recall(0), many) + 'l'},
        {"bytes", bytes(std::string(60'000, 'a')) + put(0) + '0' + '(' + repeated(recall(0), many) + 'l'},
        {"bytes beyond what is copied",
         bytes(std::string(100'000, 'a')) + put(0) + '0' + '(' + repeated(recall(0), many) + 'l'},
        {"sets of one list", '(' + nothing + 'l' + put(0) + '0' + global("builtins", "set") + put(1) + '0' +
                                 tuple({recall(0)}) + put(2) + '0' + '(' + repeated(recall(1) + recall(2) + 'R', many) +
                                 'l'},
        {"ordered dictionaries of one list", '(' + repeated(tuple({integer(1), "N"}), many / 10) + 'l' + put(0) + '0' +
                                                 global("collections", "OrderedDict") + put(1) + '0' +
                                                 tuple({recall(0)}) + put(2) + '0' + '(' +
                                                 repeated(recall(1) + recall(2) + 'R', many) + 'l'},
        {"bytes of one text", text(std::string(60'000, 'a')) + put(0) + '0' + global("_codecs", "encode") + put(1) +
                                  '0' + tuple({recall(0), text("latin1")}) + put(2) + '0' + '(' +
                                  repeated(recall(1) + recall(2) + 'R', many) + 'l'},
        {"paths of the same parts", '(' + repeated(text("part"), 10'000) + 't' + put(0) + '0' +
                                        global("pathlib", "PosixPath") + put(1) + '0' + '(' +
                                        repeated(recall(1) + recall(0) + 'R', many) + 'l'},
        {"arrays of the same bytes", bytes(std::string(60'000, 'a')) + put(0) + '0' + dtype("|u1") + put(1) + '0' +
                                         global("numpy.core.numeric", "_frombuffer") + put(2) + '0' +
                                         tuple({recall(0), recall(1), tuple({integer(60'000)}), text("C")}) + put(3) +
                                         '0' + '(' + repeated(recall(2) + recall(3) + 'R', many) + 'l'},
        {"lists of an array of objects without elements",
         array(dtype("O"), tuple({integer(std::int64_t{1} << 40), integer(0)}), "]")},
        {"a dtype of itself", dtype("V0") + put(0) + '0' + field_state(recall(0)) + put(1) + '0' + recall(0) +
                                  repeated(recall(1) + 'b', 64)},
        {"a dtype of shared descriptions", spec + call(unused, {recall(30)})},
        {"dtypes of one long word", text('O' + std::string(60'000, ' ')) + put(0) + '0' + tuple({recall(0)}) + put(1) +
                                        '0' + unused + put(2) + '0' + '(' +
                                        repeated(recall(2) + recall(1) + 'R', many) + 'l'},
        {"a frame with columns of no bytes",
         frame(array(dtype("|V0"), tuple({integer(std::int64_t{1} << 60)}), bytes("")), "N", "N")},
        {"a frame with columns of a range",
         frame(list({}), array(dtype("O"), tuple({integer(0)}), "]"),
               call(global("builtins", "slice"), {integer(0), integer(std::int64_t{1} << 39), integer(1)}))},
        {"an index of a long range", call(global("pandas.core.indexes.base", "_new_Index"),
                                          {global("pandas.core.indexes.range", "RangeIndex"),
                                           dictionary({text("start"), integer(0), text("stop"),
                                                       integer(std::int64_t{1} << 60), text("step"), integer(1)})})},
    };
    for (const auto& [called, operations] : bombs) {
        CAPTURE(called);
        const auto whole = pickle(operations);

        const auto peak = peak_of([&] { CHECK_FALSE(is_loaded(whole)); });

        CHECK(peak < 640 * mib);
    }
}

TEST_CASE("the memo costs no more than the file", "[pickle]") {
    std::string far, again;
    for (std::uint64_t i = 0; i < 20'000; ++i) {
        far += put(0xffffffff - i * 70'000);
        again += 'p' + std::to_string(~std::uint64_t{0} - i) + '\n';
    }

    for (const auto& puts : {far, again, repeated("\x94", 100'000)})
        CHECK(peak_of([&] { CHECK(value_of('N' + puts).is_null()); }) < 32 * mib);
    CHECK(peak_of([&] { CHECK_FALSE(is_loaded(pickle("NN" + put(5) + recall(6)))); }) < mib);
}

TEST_CASE("values nested deeper than a tree are errors", "[pickle][error]") {
    constexpr std::size_t deep = 100'000;
    for (const auto& operations : {
             repeated("(", deep) + 'N' + repeated("l", deep),
             repeated("(", deep) + 'N' + repeated("t", deep),
             repeated("]", deep) + repeated("a", deep - 1),
             repeated("}" + text("a"), deep) + 'N' + repeated("s", deep),
             '}' + repeated("(", deep) + 'N' + repeated("t", deep) + "Ns",
             'N' + repeated("\x85", deep),
             'N' +
                 repeated("\x85}\x94"
                          "0",
                          0) +
                 repeated("\x85", deep),
         })
        CHECK(contains(error_of(operations), "depth"));

    auto opaque = std::string("N");
    for (std::size_t i = 0; i < 1000; ++i)
        opaque = global("a", "b") + '(' + opaque + "tR";
    CHECK(contains(error_of(opaque, {.opaque = true}), "depth"));
    auto spec = text("<f8");
    for (std::size_t i = 0; i < 1000; ++i)
        spec = dictionary({text("names"), list({text("a")}), text("formats"), list({spec}), text("offsets"),
                           list({integer(0)}), text("itemsize"), integer(8)});
    CHECK(contains(error_of(call(global("numpy", "dtype"), {spec})), "32 levels"));
}

TEST_CASE("work on many values of one kind is not quadratic", "[pickle]") {
    constexpr std::size_t many = 100'000;
    std::string integers = "}(";
    for (std::size_t i = 0; i < many; ++i)
        integers += 'J' + number(i, 4) + 'N';
    CHECK(value_of(integers + 'u').size() == many);
    // A tuple that is given to each call and to each object.
    const auto long_tuple = '(' + repeated("N", many) + 't' + put(0) + '0';
    CHECK_FALSE(is_loaded(pickle(long_tuple + global("datetime", "timezone") + put(1) + '0' + '(' +
                                 repeated(recall(1) + recall(0) + 'R', many) + 'l' + 'N' + put(5) + '1')));
    // A dtype with many fields, given to many arrays.
    std::string names = "(", fields = "(";
    for (std::size_t i = 0; i < 3'000; ++i) {
        const auto name = text("field " + std::to_string(i));
        names += name;
        fields += name + tuple({recall(0), integer(static_cast<std::int64_t>(i))});
    }
    const auto wide = dtype("|u1") + put(0) + '0' +
                      dtype_with_state({integer(3), text("|"), "N", names + 't', fields + 'd', integer(3'000),
                                        integer(1), integer(0)}) +
                      put(1) + '0';
    const auto scalar = global("numpy.core.multiarray", "scalar") + put(2) + '0' + bytes(std::string(3'000, 'a')) +
                        put(3) + '0' + tuple({recall(1), recall(3)}) + put(4) + '0';
    CHECK(value_of(wide + scalar + recall(2) + recall(4) + 'R').type().fields().size() == 3'000);
    (void)is_loaded(pickle(wide + scalar + '(' + repeated(recall(2) + recall(4) + 'R', 50'000) + 'l'));
}

TEST_CASE("every argument of every name gives a value or an error", "[pickle][error]") {
    const std::pair<const char*, const char*> names[] = {
        {"numpy.core.multiarray", "_reconstruct"},
        {"numpy.core.multiarray", "scalar"},
        {"numpy.core.numeric", "_frombuffer"},
        {"numpy", "ndarray"},
        {"numpy", "dtype"},
        {"numpy", "record"},
        {"collections", "OrderedDict"},
        {"collections", "defaultdict"},
        {"builtins", "set"},
        {"builtins", "bytearray"},
        {"builtins", "complex"},
        {"builtins", "range"},
        {"builtins", "slice"},
        {"builtins", "list"},
        {"_codecs", "encode"},
        {"copyreg", "_reconstructor"},
        {"datetime", "datetime"},
        {"datetime", "date"},
        {"datetime", "time"},
        {"datetime", "timedelta"},
        {"datetime", "timezone"},
        {"decimal", "Decimal"},
        {"pathlib", "PosixPath"},
        {"pandas.core.frame", "DataFrame"},
        {"pandas.core.series", "Series"},
        {"pandas.core.internals.managers", "BlockManager"},
        {"pandas.core.internals.managers", "SingleBlockManager"},
        {"pandas._libs.internals", "_unpickle_block"},
        {"pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked"},
        {"pandas.core.indexes.base", "_new_Index"},
        {"pandas.core.indexes.base", "Index"},
        {"pandas._libs.tslibs.offsets", "Day"},
    };
    const auto unbuilt = call(global("numpy.core.multiarray", "_reconstruct"),
                              {global("numpy", "ndarray"), tuple({integer(0)}), bytes("b")});
    const auto times = array(dtype("<m8[us]"), ")", bytes("abc"));
    const auto index = call(global("pandas.core.indexes.base", "_new_Index"),
                            {global("pandas.core.indexes.base", "Index"), dictionary({text("data"), unbuilt})});
    const auto block =
        call(global("pandas._libs.internals", "_unpickle_block"),
             {array(dtype("<f8"), tuple({integer(1), integer(1)}), bytes("12345678")), integer(5), integer(2)});
    const std::vector<std::string> values = {
        "N",
        "\x88",
        integer(0),
        integer(-1),
        integer(std::int64_t{1} << 62),
        integer(std::numeric_limits<std::int64_t>::max()),
        "L99999999999999999999L\n",
        "G\x7f\xef\xff\xff\xff\xff\xff\xff",
        text("C"),
        text(""),
        text("\xff"),
        text("<f8"),
        text("|V0"),
        bytes(std::string("\x07\xe8\x02\x1d\x17\x3b\x3a\x01\xe2\x40", 10)),
        bytes(std::string(4, '\0')),
        "U\x03"
        "abc",
        "]",
        ")",
        "}",
        "\x8f",
        list({tuple({text("a"), "N"})}),
        tuple({integer(0)}),
        tuple({integer(std::int64_t{1} << 62), integer(std::int64_t{1} << 62)}),
        dictionary({text("data"), "N", text("start"), integer(std::numeric_limits<std::int64_t>::min()), text("stop"),
                    integer(std::numeric_limits<std::int64_t>::max()), text("step"), integer(1)}),
        dictionary({text("_mgr"), "N"}),
        dictionary({text("names"), list({integer(1)}), text("formats"), list({text("<f8")}), text("offsets"),
                    list({integer(std::numeric_limits<std::int64_t>::max())}), text("itemsize"), integer(8)}),
        global("numpy", "ndarray"),
        global("pandas.core.indexes.base", "Index"),
        global("os", "system"),
        dtype("<f8"),
        dtype("O"),
        unbuilt,
        times,
        array(dtype("O"), tuple({integer(1)}), list({"N"})),
        index,
        block,
        list({block}),
        tuple({integer(3), text("<"), "N", "N", "N", integer(-1), integer(-1), integer(0)}),
    };

    std::mt19937 random(7);
    std::size_t accepted = 0, refused = 0;
    const auto attempt = [&](const std::string& operations) {
        ++(is_loaded(pickle(operations)) ? accepted : refused);
        (void)is_loaded(pickle(operations), {.opaque = true});
    };
    for (const auto& [module, name] : names) {
        const auto made = [&, named = global(module, name)](const std::string& arguments) {
            return named + '(' + arguments + "tR";
        };
        const auto any = [&] { return values[random() % values.size()]; };
        attempt(made(""));
        for (const auto& each : values) {
            attempt(global(module, name) + each + 'R');
            attempt(made("") + each + 'b');
            for (std::size_t count = 1; count <= 5; ++count)
                attempt(made(repeated(each, count)));
        }
        for (int i = 0; i < 300; ++i) {
            std::string arguments, state;
            for (auto count = random() % 6; count-- > 0;)
                arguments += any();
            for (auto count = random() % 10; count-- > 0;)
                state += any();
            attempt(made(arguments));
            attempt(made(arguments) + '(' + state + "tb");
        }
    }
    // States of what is usually made.
    for (int i = 0; i < 20'000; ++i) {
        std::string state;
        for (auto count = 3 + random() % 7; count-- > 0;)
            state += values[random() % values.size()];
        const auto made = i % 4 == 0 ? dtype("V") : i % 4 == 1 ? dtype("M8") : i % 4 == 2 ? dtype("f8") : unbuilt;
        attempt(made + '(' + state + "tb");
    }
    CHECK(accepted > 100);
    CHECK(refused > 10'000);
}

TEST_CASE("a pickle that ends early is an error, wherever it ends", "[pickle][error]") {
    for (const auto* const name :
         {"kinds_0.pkl", "kinds_4.pkl", "numpy2_5.pkl", "pandas_4.pkl", "python2_kinds_1.pkl"}) {
        const auto whole = golden(name);
        std::size_t accepted = 0;
        for (std::size_t size = 0; size < whole.size(); ++size)
            accepted += is_loaded(whole.substr(0, size));

        CAPTURE(name);
        CHECK(accepted == 0);
        CHECK(is_loaded(whole));
    }
}

TEST_CASE("a pickle with any byte changed is a value or an error, in little memory", "[pickle][error]") {
    const struct {
        std::string name;
        std::size_t step;  // all bytes of the files where nearly every byte is an operation or a length
    } files[] = {
        {"numpy2_5.pkl", 1}, {"python2_latin_0.pkl", 1}, {"kinds_0.pkl", 7}, {"kinds_4.pkl", 3}, {"pandas_4.pkl", 5}};
    for (const auto& each : files) {
        const auto whole = golden(each.name);
        std::size_t accepted = 0, changes = 0;
        const auto peak = peak_of([&] {
            for (std::size_t at = 0; at < whole.size(); at += each.step)
                for (const int change : {1 << at % 8, 0xff}) {
                    auto changed = whole;
                    changed[at] = static_cast<char>(changed[at] ^ change);
                    accepted += is_loaded(changed, {.opaque = change == 0xff});
                    ++changes;
                }
        });

        CAPTURE(each.name);
        CHECK(accepted > 0);
        CHECK(accepted < changes);
        CHECK(peak < 16 * mib);
    }
}

}  // namespace pickle_hostile_tests
