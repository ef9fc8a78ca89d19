// SPDX-License-Identifier: BSD-3-Clause
// diff: reports whether two files hold the same arrays, and where they differ.
#include "array_file.hpp"
#include "array_word.hpp"
#include "commands.hpp"
#include "comparison.hpp"
#include "output.hpp"

namespace tool {

namespace {

namespace nk = ndkeep;

constexpr std::size_t most_fields = 40;
constexpr std::size_t default_told = 5;

/// The comparison of two files, and its report.
class difference_report {
  public:
    explicit difference_report(const context& with)
        : with_(with), rules_{.rtol = with.given.number("--rtol", 0.0, 0.0),
                              .atol = with.given.number("--atol", 0.0, 0.0),
                              .equal_nan = with.given.has("--equal-nan"),
                              .most_told = std::max<std::size_t>(1, with.given.number("--max", default_told))},
          told_(with.given.number("--max", default_told)) {}

    [[nodiscard]] outcome compare() {
        const auto& words = with_.given.words();
        const auto left = word_of(words[0]), right = word_of(words[1]);
        const array_file a(left.file, with_.run), b(right.file, with_.run);
        json_.add_text("a", words[0]);
        json_.add_text("b", words[1]);
        const auto member = with_.given.value("--member");
        if (member && !a.has_names() && !b.has_names())
            throw usage_error("--member is given, but neither A nor B is an npz archive or a pickle");
        const auto member_of = [&](const array_file& file, const array_word& word) {
            return word.member || !file.has_names() ? word.member : member;
        };
        const auto a_member = member_of(a, left), b_member = member_of(b, right);
        if (a.has_names() && b.has_names() && !a_member && !b_member)
            compare_members(a, b);
        else
            compare_arrays("", a, a.chosen(a_member), b, b.chosen(b_member));
        if (!a_member && !b_member)
            compare_metadata(a, b);
        json_.add("equal", !differs_);
        json_.add("arrays", arrays_);
        json_.add("only_a", only_a_);
        json_.add("only_b", only_b_);
        json_.add("metadata", metadata_);
        json_.add("notes", notes_);
        if (with_.given.has("--json"))
            with_.out << json_.str() << '\n';
        else if (!with_.quiet)
            print();
        return differs_ ? outcome::findings : outcome::fine;
    }

  private:
    void print() {
        if (!differs_)
            with_.out << "equal: " << nk::counted(compared_, "element")
                      << (arrays_seen_ == 1 ? "" : " in " + nk::counted(arrays_seen_, "array")) << '\n';
        else
            with_.out << styled(with_.screen, "1", "a  " + shown(with_.given.words()[0])) << '\n'
                      << styled(with_.screen, "1", "b  " + shown(with_.given.words()[1])) << '\n';
        with_.out << text_;
    }

    void note(const std::string& sentence) {
        notes_.add_text(sentence);
        if (!with_.quiet && !with_.given.has("--json"))
            with_.err << "ndkeep: " << shown(sentence) << '\n';
    }

    void compare_members(const array_file& a, const array_file& b) {
        const auto only = [&](const std::vector<std::string>& names, auto&& is_in_other, json_list& list,
                              std::string_view where) {
            for (const auto& name : names)
                if (!is_in_other(name)) {
                    differs_ = true;
                    list.add_text(name);
                    sheet page;
                    page.line("member", shown(name) + ", only in " + std::string(where));
                    text_ += page.text();
                }
        };
        for (const auto& name : a.names())
            if (b.contains(name))
                compare_member(name, a, b);
        const auto has_array = [](const array_file& in) {
            return [&in](const std::string& name) { return in.contains(name); };
        };
        const auto has_document = [](const array_file& in) {
            return [&in](const std::string& name) { return in.has_document(name); };
        };
        only(a.names(), has_array(b), only_a_, "a");
        only(b.names(), has_array(a), only_b_, "b");
        if (a.is_pickle() != b.is_pickle())
            return note("only arrays are compared, because one of the files is a pickle and the other is not");
        for (const auto& name : a.documents())
            if (b.has_document(name) && a.document(name) != b.document(name)) {
                differs_ = true;
                json_object one;
                one.add_text("member", name);
                one.add("equal", false);
                arrays_.add_json(one.str());
                sheet page;
                page.line("member",
                          shown(name) + (a.is_pickle() ? " that are no arrays: different" : ": different bytes"));
                text_ += page.text();
            }
        only(a.documents(), has_document(b), only_a_, "a");
        only(b.documents(), has_document(a), only_b_, "b");
    }

    /// Compares one array of both archives. If it cannot be read as an array, its bytes are compared.
    void compare_member(const std::string& name, const array_file& a, const array_file& b) {
        try {
            return compare_arrays(name, a, name, b, name);
        } catch (const nk::io_error&) {
            throw;
        } catch (const nk::error& problem) {
            compare_bytes(name, a, b, problem.what());
        }
    }

    /// @param problem  why the member is not compared as an array
    void compare_bytes(const std::string& name, const array_file& a, const array_file& b, const std::string& problem) {
        std::string result = "the bytes cannot be read";
        bool is_equal = false;
        try {
            is_equal = a.document(name) == b.document(name);
            result = is_equal ? "the bytes are equal" : "the bytes differ";
        } catch (const nk::io_error&) {
            throw;
        } catch (const nk::error&) {
            // `problem` has the reason already.
        }
        differs_ = differs_ || !is_equal;
        json_object one;
        one.add_text("member", name);
        one.add("equal", is_equal);
        one.add("compared", false);
        one.add_text("problem", problem);
        arrays_.add_json(one.str());
        sheet page;
        page.line("member", shown(name) + ": not compared as an array; " + result);
        page.line("reason", shown(problem));
        text_ += page.text();
    }

    void compare_arrays(const std::string& label, const array_file& a, const std::string& a_name, const array_file& b,
                        const std::string& b_name) {
        const auto left = a.open(a_name), right = b.open(b_name);
        ++arrays_seen_;
        const auto& shape = left.info.shape;
        const auto types = compare_dtypes(left.info.type, right.info.type);
        const bool shapes_differ = shape != right.info.shape;
        array_comparison values;
        if (!shapes_differ)
            values = compare_values(left.view, right.view, rules_, with_.run, a.what().path);
        compared_ += values.elements;
        const bool differs = !types.equal || shapes_differ || !values.compared || values.differing != 0;
        differs_ = differs_ || differs;

        sheet page;
        if (!label.empty())
            page.json.add_text("member", label);
        page.json.add("equal", !differs);
        add_types(page, left.info, right.info, types);
        page.json.add("shape_equal", !shapes_differ);
        page.json.add_json("shape_a", json_shape(shape));
        page.json.add_json("shape_b", json_shape(right.info.shape));
        if (shapes_differ)
            page.line("shape", nk::shape_text(shape) + " and " + nk::shape_text(right.info.shape) +
                                   ": the values are not compared");
        add_values(page, values, shape, types.equal);
        arrays_.add_json(page.json.str());
        if (differs && !label.empty())
            text_ += "  " + styled(with_.screen, "1", shown(label)) + '\n';
        text_ += page.text();
    }

    static void add_types(sheet& page, const nk::array_info& a, const nk::array_info& b,
                          const dtype_comparison& types) {
        page.json.add("dtype_equal", types.equal);
        page.json.add_text("dtype_a", dtype_text(a.type));
        page.json.add_text("dtype_b", dtype_text(b.type));
        page.json.add_text("order_a", nk::written_column_major(a) ? "F" : "C");
        page.json.add_text("order_b", nk::written_column_major(b) ? "F" : "C");
        json_list missing;
        for (const auto& name : types.missing)
            missing.add_text(name);
        page.json.add("fields_not_compared", missing);
        if (!types.equal)
            page.line("dtype", shortened(a.type.descr(), 100) + " and " + shortened(b.type.descr(), 100));
        else if (types.has_note)
            page.line("stored",
                      byte_order_name(a.type) == byte_order_name(b.type)
                          ? "fields at different offsets (not a difference)"
                          : byte_order_name(a.type) + " and " + byte_order_name(b.type) + " (not a difference)");
        if (nk::written_column_major(a) != nk::written_column_major(b))
            page.line("order",
                      std::string(nk::written_column_major(a) ? "F and C" : "C and F") + " (not a difference)");
        std::string names;
        for (std::size_t i = 0; i < std::min(types.missing.size(), most_fields); ++i)
            names += (i == 0 ? "" : ", ") + shortened(types.missing[i], 40);
        if (!names.empty())
            page.line("not compared", names + (types.missing.size() > most_fields ? ", ..." : ""));
    }

    void add_values(sheet& page, const array_comparison& values, const std::vector<std::size_t>& shape,
                    bool types_equal) const {
        page.json.add("compared", values.compared);
        page.json.add("elements", values.elements);
        page.json.add("differing", values.differing);
        page.json.add("nan_in_both", values.nan_in_both);
        const auto add_error = [&](const std::string& name, const std::optional<largest_error>& error) {
            if (!error) {
                page.json.add_null("max_" + name + "_error");
                return;
            }
            page.json.add("max_" + name + "_error", static_cast<double>(error->error));
            page.json.add_json("max_" + name + "_error_at", json_shape(index_of(error->at, shape)));
        };
        add_error("absolute", values.absolute);
        add_error("relative", values.relative);
        const bool is_struct = values.fields.size() > 1 || (!values.fields.empty() && !values.fields[0].name.empty());
        json_list first;
        using enum table::side;
        std::vector<table::column> columns = {{"index", left}, {"a", right}, {"b", right}};
        if (is_struct)
            columns.insert(columns.begin() + 1, {"field", left});
        table rows(columns);
        const std::size_t told = std::min(told_, values.first.size());
        for (std::size_t i = 0; i < told; ++i) {
            const auto& each = values.first[i];
            const auto& field = values.fields[each.field].name;
            json_object one;
            one.add_json("index", json_shape(index_of(each.at, shape)));
            if (is_struct)
                one.add_text("field", field);
            one.add_text("a", each.a);
            one.add_text("b", each.b);
            first.add_json(one.str());
            std::vector<std::string> cells = {index_text(each.at, shape), shortened(each.a, 60), shortened(each.b, 60)};
            if (is_struct)
                cells.insert(cells.begin() + 1, shortened(field, 40));
            rows.add(cells);
        }
        page.json.add("first", first);
        if (!values.compared && values.elements != 0)
            page.line("values", "not compared: the dtypes are of different kinds");
        if (values.differing == 0 && values.compared && !types_equal)
            page.line("values", "equal, all " + nk::counted(values.elements, "element"));
        if (values.differing == 0)
            return;
        page.line("values", std::to_string(values.differing) + " of " + nk::counted(values.elements, "element") +
                                " differ" + (values.differing == 1 ? "s" : "") + ", the first at " +
                                index_text(values.first[0].at, shape));
        if (values.nan_in_both != 0)
            page.line("NaN", nk::counted(values.nan_in_both, "value") +
                                 " in both files; --equal-nan treats NaN as equal to NaN");
        if (is_struct) {
            std::string counts;
            std::size_t count = 0;
            for (const auto& field : values.fields)
                if (field.differing != 0 && count++ < most_fields)
                    counts += shortened(field.name, 40) + ": " + std::to_string(field.differing) + '\n';
            page.line("by field", counts);
        }
        if (values.absolute)
            page.line("largest",
                      "error " + brief(static_cast<double>(values.absolute->error)) + " at " +
                          index_text(values.absolute->at, shape) +
                          (values.relative ? ", relative " + brief(static_cast<double>(values.relative->error)) +
                                                 " at " + index_text(values.relative->at, shape)
                                           : ""));
        if (rules_.rtol != 0 || rules_.atol != 0)
            page.line("tolerance", "|a - b| <= " + brief(rules_.atol) + " + " + brief(rules_.rtol) + " * |b|");
        if (!rows.empty())
            page.block(rows.text({}, "    "));
        if (values.differing > told && told != 0)
            page.block("    ...\n");
    }

    /// @param path  JSON pointer to both values
    void compare_values_of(const nk::json& a, const nk::json& b, const std::string& path) {
        if (a.is_object() && b.is_object()) {
            static const nk::json none;
            const auto inner = [&](const std::string& key) {
                std::string escaped;
                for (const char c : key)
                    escaped += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
                return path + '/' + escaped;
            };
            for (const auto& [key, value] : *a.get_ptr<const nk::json::object_t*>())
                tell_metadata(&value, b.contains(key) ? &b.at(key) : nullptr, inner(key));
            for (const auto& [key, value] : *b.get_ptr<const nk::json::object_t*>())
                if (!a.contains(key))
                    tell_metadata(nullptr, &value, inner(key));
            return;
        }
        if (a != b)
            tell_metadata_difference(&a, &b, path);
    }
    void tell_metadata(const nk::json* a, const nk::json* b, const std::string& path) {
        if (a != nullptr && b != nullptr)
            compare_values_of(*a, *b, path);
        else
            tell_metadata_difference(a, b, path);
    }
    void tell_metadata_difference(const nk::json* a, const nk::json* b, const std::string& path) {
        differs_ = true;
        json_object one;
        one.add_text("pointer", path);
        const auto text = [](const nk::json* value) {
            return value == nullptr ? "absent" : nk::core::json_text(*value);
        };
        if (a != nullptr)
            one.add_json("a", text(a));
        if (b != nullptr)
            one.add_json("b", text(b));
        metadata_.add_json(one.str());
        sheet page;
        page.line("metadata", shortened(path, 60) + ": " + shortened(text(a), 60) + " and " + shortened(text(b), 60));
        text_ += page.text();
    }

    void compare_metadata(const array_file& a, const array_file& b) {
        const auto left = a.words(), right = b.words();
        for (const auto* const each : {&left, &right})
            if (!each->problem.empty())
                note(each->problem);
        compare_values_of(left.metadata, right.metadata, "");
    }

    const context& with_;
    comparison_rules rules_;
    std::size_t told_;
    bool differs_ = false;
    std::uint64_t compared_ = 0;
    std::size_t arrays_seen_ = 0;
    std::string text_;
    json_object json_;
    json_list arrays_, only_a_, only_b_, metadata_, notes_;
};

[[nodiscard]] outcome diff(const context& with) { return difference_report(with).compare(); }

}  // namespace

command diff_command() {
    return {
        .name = "diff",
        .summary = "Compare two files: dtype, shape, values, metadata",
        .usage = "[OPTION]... A[:MEMBER] B[:MEMBER]",
        .details =
            "A and B may have different formats: npy, npz and pickles (compared array by array), chunked, raw with a\n"
            "sidecar. If a member is named, only that array is compared, without metadata.\n"
            "Numbers are equal if |a - b| <= atol + rtol * |b|, as in numpy.isclose: B is the reference. By\n"
            "default both tolerances are 0, so numbers must be exactly equal. Byte order, C or Fortran order\n"
            "and the offsets of struct fields are not differences. A different dtype is a difference, but\n"
            "numbers are still compared. The largest errors are those of all finite numbers, also of those\n"
            "within the tolerance.\n"
            "A member of two archives that cannot be read as an array, such as a pickled one, is compared byte by\n"
            "byte, and the other members are compared as usual.\n"
            "Exit status: 0 equal, 1 different or not comparable, 2 error.",
        .options = {{"--rtol", "R", "relative tolerance (default: 0)"},
                    {"--atol", "A", "absolute tolerance (default: 0)"},
                    {"--equal-nan", "", "treat NaN as equal to NaN, and NaT as equal to NaT"},
                    {"--max", "N", "number of differing values to print (default: 5)"},
                    {"--member", "NAME", "same as FILE:NAME, for each file that is an archive"},
                    json_option},
        .example = "ndkeep diff --rtol 1e-6 before.npy after.npy\n"
                   "ndkeep diff results.npz reference.npz",
        .least_words = 2,
        .most_words = 2,
        .run = diff,
        .reads_input = true};
}

}  // namespace tool
