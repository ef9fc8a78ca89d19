// SPDX-License-Identifier: BSD-3-Clause
// Command-line arguments of a command: its declared options and the other words.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace tool {

/// An option of a command. Names are unique within a command and start with two hyphens.
struct option {
    std::string_view name;     ///< "--rtol"
    std::string_view value;    ///< name of the value in the help, as in "TOLERANCE"; empty: takes no value. Names with
                               ///< a blank between them, as in "FROM TO", are as many values
    std::string_view summary;  ///< description in one line, for the help text
    char letter = '\0';        ///< short form: 'q' declares `-q`; '\0' if there is none
};

/// The error for a command line that the command does not accept.
class usage_error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Number of letters to insert, delete, replace or swap with the next one to turn one word into the other.
[[nodiscard]] inline std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> older, old, row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        older = std::exchange(old, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({old[j] + 1, row[j - 1] + 1, old[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], older[j - 2] + 1);
        }
    }
    return row[b.size()];
}

/// The known word that `word` is most likely a misspelling of; empty if none is similar.
[[nodiscard]] inline std::string_view nearest(std::string_view word, std::span<const std::string_view> known) {
    std::string_view best;
    std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string_view each : known) {
        const bool begun = word.size() >= 2 && each.starts_with(word);
        const std::size_t distance = begun ? 0 : edit_distance(word, each);
        if (distance < least) {
            least = distance;
            best = each;
        }
    }
    return best;
}

/// " (did you mean --rtol?)", or empty if no known word is similar.
[[nodiscard]] inline std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
    const auto meant = nearest(word, known);
    return meant.empty() ? "" : " (did you mean " + std::string(meant) + "?)";
}

/// A parsed command line: `--name`, `--name VALUE`, `--name=VALUE` and `-n`. All words after `--` are arguments, not
/// options.
class arguments {
  public:
    arguments() = default;
    /// @param known  kept by reference
    /// @throws usage_error  an unknown option, a missing value, or a value for an option that takes none
    arguments(std::span<const std::string> given, std::span<const option> known) : known_(known) {
        for (std::size_t i = 0; i < given.size(); ++i) {
            const std::string& word = given[i];
            if (word == "--") {
                words_.insert(words_.end(), given.begin() + static_cast<std::ptrdiff_t>(i) + 1, given.end());
                break;
            }
            if (word.size() < 2 || word.front() != '-')
                words_.push_back(word);
            else if (word[1] == '-')
                read_long(word, given, i);
            else
                read_letters(word, given, i);
        }
    }

    [[nodiscard]] const std::vector<std::string>& words() const noexcept { return words_; }

    /// Replaces the words that are equal to `word`.
    void replace(std::string_view word, const std::string& by) {
        std::replace_if(
            words_.begin(), words_.end(), [word](const std::string& each) { return each == word; }, by);
    }

    [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }
    /// The last value of the option; nullopt if the option is absent.
    [[nodiscard]] std::optional<std::string> value(std::string_view name) const {
        const auto* const last = find(name);
        return last == nullptr ? std::nullopt : std::optional(*last);
    }
    /// All values of an option that may be repeated.
    [[nodiscard]] std::vector<std::string> values(std::string_view name) const {
        std::vector<std::string> all;
        for (const auto& [option, value] : options_)
            if (option == name)
                all.push_back(value);
        return all;
    }
    /// The value of the option as a number of the type of `otherwise`; `otherwise` if the option is absent.
    /// @throws usage_error  the value is not a number, or not between `least` and `most`, both included
    template <class Number>
    [[nodiscard]] Number number(std::string_view name, Number otherwise,
                                Number least = std::numeric_limits<Number>::lowest(),
                                Number most = std::numeric_limits<Number>::max()) const {
        const auto* const text = find(name);
        if (text == nullptr)
            return otherwise;
        Number number{};
        const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), number);
        if (problem == std::errc() && end == text->data() + text->size() && number >= least && number <= most)
            return number;  // NaN is between no numbers
        const bool is_too_long = problem == std::errc::result_out_of_range;
        throw usage_error(std::string(name) + " is '" + *text + "', expected " +
                          range_text(least, most, is_too_long || most != std::numeric_limits<Number>::max()));
    }
    /// The value of the option, which must be one of `words`; the first of them if the option is absent.
    /// @throws usage_error  any other value
    [[nodiscard]] std::string_view choice(std::string_view name, std::span<const std::string_view> words) const {
        const auto* const text = find(name);
        if (text == nullptr)
            return words.front();
        const auto at = std::find(words.begin(), words.end(), *text);
        if (at != words.end())
            return *at;
        std::string expected;
        for (const auto word : words)
            expected += (expected.empty() ? "" : ", ") + std::string(word);
        throw usage_error(std::string(name) + " is '" + *text + "', expected one of " + expected);
    }

  private:
    /// "a finite number", "an integer from 1 to 1024" or "an integer of at least 1".
    template <class Number>
    [[nodiscard]] static std::string range_text(Number least, Number most, bool has_most) {
        const std::string kind = std::is_integral_v<Number> ? "an integer" : "a finite number";
        if (has_most && std::is_integral_v<Number>)
            return kind + " from " + std::to_string(least) + " to " + std::to_string(most);
        // An unsigned type has the limit 0, which is worth mentioning.
        const bool has_least = std::is_unsigned_v<Number> || least != std::numeric_limits<Number>::lowest();
        return has_least ? kind + " of at least " + shortest(least) : kind;
    }

    /// The fewest digits that read back as the same number: "0", "0.5".
    template <class Number>
    [[nodiscard]] static std::string shortest(Number number) {
        std::array<char, 32> text = {};
        return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
    }

    [[nodiscard]] const std::string* find(std::string_view name) const {
        const std::string* last = nullptr;
        for (const auto& [option, value] : options_)
            if (option == name)
                last = &value;
        return last;
    }

    void read_long(const std::string& word, std::span<const std::string> given, std::size_t& i) {
        const std::size_t equals = std::min(word.find('='), word.size());
        const auto name = std::string_view(word).substr(0, equals);
        const auto at =
            std::find_if(known_.begin(), known_.end(), [&](const option& each) { return each.name == name; });
        if (at == known_.end()) {
            std::vector<std::string_view> names;
            for (const option& each : known_)
                names.push_back(each.name);
            throw usage_error("unknown option " + std::string(name) + suggestion(name, names));
        }
        if (equals == word.size())
            return take(*at, given, i);
        if (at->value.empty())
            throw usage_error(std::string(name) + " takes no value, found '" + word.substr(equals + 1) + '\'');
        options_.emplace_back(at->name, word.substr(equals + 1));
        for (std::size_t more = 1; more < values_of(*at); ++more)
            take_one(*at, given, i, more);
    }

    void read_letters(const std::string& word, std::span<const std::string> given, std::size_t& i) {
        for (std::size_t j = 1; j < word.size(); ++j) {
            const auto at =
                std::find_if(known_.begin(), known_.end(), [&](const option& each) { return each.letter == word[j]; });
            if (at == known_.end())
                throw usage_error("unknown option -" + word.substr(j, 1) + (word.size() == 2 ? "" : " in " + word));
            if (!at->value.empty() && j + 1 < word.size()) {
                options_.emplace_back(at->name, word.substr(j + 1));
                return;
            }
            take(*at, given, i);
        }
    }

    void take(const option& wanted, std::span<const std::string> given, std::size_t& i) {
        if (wanted.value.empty()) {
            options_.emplace_back(wanted.name, "");
            return;
        }
        for (std::size_t taken = 0; taken < values_of(wanted); ++taken)
            take_one(wanted, given, i, taken);
    }

    /// @param taken  number of values that the option has already
    void take_one(const option& wanted, std::span<const std::string> given, std::size_t& i, std::size_t taken) {
        if (i + 1 == given.size())
            throw usage_error(std::string(wanted.name) + " has " +
                              (taken == 0 ? "no value" : "only " + std::to_string(taken) + " value") + ", expected " +
                              std::string(wanted.name) + ' ' + std::string(wanted.value));
        options_.emplace_back(wanted.name, given[++i]);
    }

    [[nodiscard]] static std::size_t values_of(const option& of) {
        return 1 + static_cast<std::size_t>(std::count(of.value.begin(), of.value.end(), ' '));
    }

    std::span<const option> known_;
    std::vector<std::pair<std::string_view, std::string>> options_;
    std::vector<std::string> words_;
};

}  // namespace tool
