// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/pickle/detail/machine.hpp>.
#pragma once

#include <ndkeep/pickle/detail/machine.hpp>

#include <ndkeep/error.hpp>
#include <ndkeep/pickle/detail/globals.hpp>
#include <ndkeep/pickle/detail/numerals.hpp>
#include <ndkeep/pickle/detail/operations.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <limits>

namespace ndkeep::inline NDKEEP_ABI::detail {

NDKEEP_INLINE pickle_machine::pickle_machine(const core::byte_source& from, std::uint64_t size, std::uint64_t begin,
                                             bool opaque)
    : from_(from), stream_(from, size, begin), opaque_(opaque) {
    // Only pages that are written take memory.
    constexpr std::uint64_t most = std::uint64_t{64} << 20;
    values_.pool.reserve(static_cast<std::size_t>(std::min(size - begin, most)));
    values_.most_spent += 64 * std::min<std::uint64_t>(size - begin, std::uint64_t{1} << 58);
}

NDKEEP_INLINE void pickle_machine::refuse(std::string_view field, std::string expected, std::string found,
                                          std::string hint) const {
    throw malformed(from_.path(), std::string(field) + " at byte " + std::to_string(at_), std::move(expected),
                    std::move(found), std::move(hint));
}

NDKEEP_INLINE pickled_id pickle_machine::run() {
    while (!is_stopped_) {
        at_ = stream_.position();
        const auto code = stream_.byte();
        // First the operations that large pickles consist of.
        switch (code) {
        case op_binint:
            push_integer(static_cast<std::int32_t>(stream_.number<4>()));
            continue;
        case op_binint1:
            push_integer(stream_.byte());
            continue;
        case op_binint2:
            push_integer(static_cast<std::int64_t>(stream_.number<2>()));
            continue;
        case op_binfloat:
            push_real();
            continue;
        case op_memoize:
            remember(remembered_);
            continue;
        default:
            step(code);
        }
        // An operation makes a few values at most, so that the memory is bounded by the bytes of the pickle.
        if (values_.size() > std::numeric_limits<std::uint32_t>::max() - 16)
            refuse("number of values", "at most 4,294,967,279", "larger");
    }
    return pop();
}

NDKEEP_INLINE pickled_id pickle_machine::top() const {
    if (pushed_ <= (marks_.empty() ? 0 : marks_.back()))
        refuse("stack", "a value on it", "empty");
    return stack_[pushed_ - 1];
}

NDKEEP_INLINE pickled_id pickle_machine::pop() {
    const auto id = top();
    --pushed_;
    return id;
}

NDKEEP_INLINE std::span<const pickled_id> pickle_machine::above_mark() const {
    if (marks_.empty())
        refuse("stack", "a mark on it", "without a mark");
    return std::span<const pickled_id>(stack_).first(pushed_).subspan(marks_.back());
}

NDKEEP_INLINE pickled_id pickle_machine::below_mark() const {
    const std::size_t mark = marks_.empty() ? 0 : marks_.back();
    if (mark <= (marks_.size() < 2 ? 0 : marks_[marks_.size() - 2]))
        refuse("stack", "a mark above a value", "without them");
    return stack_[mark - 1];
}

NDKEEP_INLINE void pickle_machine::drop_to_mark() {
    pushed_ = marks_.back();
    marks_.pop_back();
}

NDKEEP_INLINE void pickle_machine::push_to_mark(pickled_kind kind) {
    const auto made = values_.add(kind, above_mark());
    drop_to_mark();
    push(made);
}

NDKEEP_INLINE void pickle_machine::recall(std::uint64_t index) {
    if (index < memo_.size() && memo_[static_cast<std::size_t>(index)] != nothing)
        return push(memo_[static_cast<std::size_t>(index)]);
    const auto found = sparse_memo_.find(index);
    if (found == sparse_memo_.end())
        refuse("memo entry " + std::to_string(index), "a value", "missing");
    push(found->second);
}

NDKEEP_INLINE void pickle_machine::remember(std::uint64_t index) {
    const auto id = top();
    // A gap costs memory, which the bytes of the pickle must bound.
    const std::uint64_t near = memo_.size() + 16;
    if (index < near) {
        while (index >= memo_.size())
            memo_.push_back(nothing);
        remembered_ += memo_[static_cast<std::size_t>(index)] == nothing ? 1 : 0;
        memo_[static_cast<std::size_t>(index)] = id;
        return;
    }
    remembered_ += sparse_memo_.insert_or_assign(index, id).second ? 1 : 0;
}

NDKEEP_INLINE void pickle_machine::push_integer(const std::string& decimal) {
    std::int64_t value = 0;
    const auto [end, problem] = std::from_chars(decimal.data(), decimal.data() + decimal.size(), value);
    if (problem == std::errc() && end == decimal.data() + decimal.size())
        push_integer(value);
    else if (is_decimal(decimal))
        push(values_.add(pickled_kind::large, values_.keep(decimal)));
    else
        refuse("integer", "decimal digits", ndkeep::quoted(decimal));
}

NDKEEP_INLINE void pickle_machine::push_real() {
    const auto* const bytes = stream_.view(8).data();
    std::uint64_t bits = 0;
    for (unsigned i = 0; i < 8; ++i)
        bits = bits << 8 | static_cast<unsigned char>(bytes[i]);
    push(values_.of_real(bits));
}

NDKEEP_INLINE void pickle_machine::push_long(std::uint64_t bytes) {
    // Python itself converts no more than 4,300 digits to text.
    constexpr std::uint64_t most = 1'786;
    if (bytes > most)
        refuse("integer", "at most " + counted(most, "byte"), counted(bytes, "byte") + " long");
    stream_.expect(bytes);
    const auto text = stream_.view(static_cast<std::size_t>(bytes));
    if (bytes <= 8) {
        std::uint64_t value = bytes != 0 && (text.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
        for (auto i = text.size(); i-- > 0;)
            value = value << 8 | static_cast<unsigned char>(text[i]);
        push_integer(static_cast<std::int64_t>(value));
        return;
    }
    push_integer(decimal_of_long(text));
}

NDKEEP_INLINE pickled_id pickle_machine::content_of(pickled_id object, pickled_kind kind) {
    if (values_[object].kind != pickled_kind::call)
        return object;
    const auto index = values_[object].x;
    const auto member = kind == pickled_kind::list ? &pickled_call::items : &pickled_call::pairs;
    if (values_.calls[index].*member == 0) {
        const auto made = values_.add(kind, std::span<const pickled_id>());
        values_.calls[index].*member = made;
    }
    return values_.calls[index].*member;
}

NDKEEP_INLINE void pickle_machine::append(pickled_id to, std::span<const pickled_id> items) {
    const auto list = content_of(to, pickled_kind::list);
    const auto kind = values_[list].kind;
    if (kind != pickled_kind::list && kind != pickled_kind::set)
        refuse("target of an append", "a list or a set", std::string(pickled_kind_name(kind)));
    values_.append(list, items);
}

NDKEEP_INLINE void pickle_machine::set_items(pickled_id to, std::span<const pickled_id> pairs) {
    const auto dictionary = content_of(to, pickled_kind::dictionary);
    const auto kind = values_[dictionary].kind;
    if (kind != pickled_kind::dictionary)
        refuse("target of an assignment", "a dictionary", std::string(pickled_kind_name(kind)));
    if (pairs.size() % 2 != 0)
        refuse("last key", "a value for it", "without a value");
    values_.append(dictionary, pairs);
}

NDKEEP_INLINE bool pickle_machine::push_scalar(std::uint8_t code) {
    const auto add = [&](pickled_kind kind, std::uint64_t bytes) {
        push(values_.add(kind, stream_.take(bytes, values_)));
    };
    switch (code) {
    case op_none:
        push(0);
        return true;
    case op_newtrue:
    case op_newfalse:
        push(pickled_values::of_boolean(code == op_newtrue));
        return true;
    case op_int: {
        const auto line = stream_.line();
        if (line == "00" || line == "01")
            push(pickled_values::of_boolean(line == "01"));
        else
            push_integer(line);
        return true;
    }
    case op_long: {
        auto line = stream_.line();
        if (line.ends_with('L'))
            line.pop_back();
        push_integer(line);
        return true;
    }
    case op_long1:
        push_long(stream_.number<1>());
        return true;
    case op_long4:
        push_long(stream_.number<4>());
        return true;
    case op_float: {
        const auto line = stream_.line();
        const auto value = float_of_line(line);
        if (!value)
            refuse("real number", "decimal digits", ndkeep::quoted(line));
        push(values_.of_real(std::bit_cast<std::uint64_t>(*value)));
        return true;
    }
    case op_string: {
        const auto line = stream_.line();
        const auto text = text_of_repr(line);
        if (!text)
            refuse("string", "a text in quotes", ndkeep::quoted(line));
        push(values_.add(pickled_kind::old_text, values_.keep(*text)));
        return true;
    }
    case op_unicode: {
        const auto line = stream_.line();
        const auto text = text_of_escapes(line);
        if (!text)
            refuse("text", "Latin-1 with Unicode escapes", ndkeep::quoted(line));
        push(values_.add(pickled_kind::text, values_.keep(*text)));
        return true;
    }
    case op_binstring:
        add(pickled_kind::old_text, stream_.number<4>());
        return true;
    case op_short_binstring:
        add(pickled_kind::old_text, stream_.number<1>());
        return true;
    case op_binunicode:
        add(pickled_kind::text, stream_.number<4>());
        return true;
    case op_short_binunicode:
        add(pickled_kind::text, stream_.number<1>());
        return true;
    case op_binunicode8:
        add(pickled_kind::text, stream_.number<8>());
        return true;
    case op_binbytes:
        add(pickled_kind::bytes, stream_.number<4>());
        return true;
    case op_short_binbytes:
        add(pickled_kind::bytes, stream_.number<1>());
        return true;
    case op_binbytes8:
    case op_bytearray8:
        add(pickled_kind::bytes, stream_.number<8>());
        return true;
    default:
        return false;
    }
}

NDKEEP_INLINE bool pickle_machine::build_container(std::uint8_t code) {
    switch (code) {
    case op_empty_list:
        push(values_.add(pickled_kind::list, std::span<const pickled_id>()));
        return true;
    case op_list:
        push_to_mark(pickled_kind::list);
        return true;
    case op_empty_tuple:
        push(values_.add(pickled_kind::tuple, std::span<const pickled_id>()));
        return true;
    case op_tuple:
        push_to_mark(pickled_kind::tuple);
        return true;
    case op_tuple1:
    case op_tuple2:
    case op_tuple3: {
        std::array<pickled_id, 3> items;
        const auto count = static_cast<std::size_t>(code - op_tuple1 + 1);
        for (auto i = count; i-- > 0;)
            items[i] = pop();
        push(values_.add(pickled_kind::tuple, std::span<const pickled_id>(items).first(count)));
        return true;
    }
    case op_empty_set:
        push(values_.add(pickled_kind::set, std::span<const pickled_id>()));
        return true;
    case op_frozenset:
        push_to_mark(pickled_kind::set);
        return true;
    case op_empty_dict:
        push(values_.add(pickled_kind::dictionary, std::span<const pickled_id>()));
        return true;
    case op_dict: {
        const auto made = values_.add(pickled_kind::dictionary, std::span<const pickled_id>());
        set_items(made, above_mark());
        drop_to_mark();
        push(made);
        return true;
    }
    case op_append: {
        const auto item = pop();
        append(top(), {&item, 1});
        return true;
    }
    case op_appends:
    case op_additems: {
        append(below_mark(), above_mark());
        drop_to_mark();
        return true;
    }
    case op_setitem: {
        const auto value = pop(), key = pop();
        const std::array<pickled_id, 2> pair = {key, value};
        set_items(top(), pair);
        return true;
    }
    case op_setitems: {
        set_items(below_mark(), above_mark());
        drop_to_mark();
        return true;
    }
    default:
        return false;
    }
}

NDKEEP_INLINE bool pickle_machine::use_memo(std::uint8_t code) {
    const auto index_of_line = [&] {
        const auto line = stream_.line();
        std::uint64_t index = 0;
        const auto [end, problem] = std::from_chars(line.data(), line.data() + line.size(), index);
        if (problem != std::errc() || end != line.data() + line.size())
            refuse("memo index", "a number", ndkeep::quoted(line));
        return index;
    };
    switch (code) {
    case op_put:
        remember(index_of_line());
        return true;
    case op_binput:
        remember(stream_.number<1>());
        return true;
    case op_long_binput:
        remember(stream_.number<4>());
        return true;
    case op_get:
        recall(index_of_line());
        return true;
    case op_binget:
        recall(stream_.number<1>());
        return true;
    case op_long_binget:
        recall(stream_.number<4>());
        return true;
    default:
        return false;
    }
}

NDKEEP_INLINE void pickle_machine::step(std::uint8_t code) {
    if (push_scalar(code) || build_container(code) || use_memo(code))
        return;
    pickle_globals globals(values_, from_, opaque_, at_);
    switch (code) {
    case op_mark:
        marks_.push_back(pushed_);
        return;
    case op_stop:
        is_stopped_ = true;
        return;
    case op_pop:
        // Python removes a mark that is on top, too.
        if (!marks_.empty() && marks_.back() == pushed_)
            marks_.pop_back();
        else
            (void)pop();
        return;
    case op_pop_mark:
        (void)above_mark();
        drop_to_mark();
        return;
    case op_dup:
        push(top());
        return;
    case op_proto:
        if (const auto version = stream_.byte(); version > 5)
            refuse("protocol", "at most 5", std::to_string(version));
        return;
    case op_frame:
        stream_.expect(stream_.number<8>());
        return;
    case op_global: {
        const auto module = stream_.line(), name = stream_.line();
        push(globals.named(module, name));
        return;
    }
    case op_stack_global: {
        const auto name = pop(), module = pop();
        push(globals.named(module, name));
        return;
    }
    case op_reduce:
    case op_newobj: {
        const auto arguments = pop(), callable = pop();
        push(globals.called(callable, arguments));
        return;
    }
    case op_newobj_ex: {
        const auto named = pop(), arguments = pop(), callable = pop();
        if (values_[named].kind != pickled_kind::dictionary || !values_.items(named).empty())
            refuse("dictionary of named arguments", "an empty one", "not empty");
        push(globals.called(callable, arguments));
        return;
    }
    case op_inst: {
        const auto module = stream_.line(), name = stream_.line();
        const auto callable = globals.named(module, name);
        push_to_mark(pickled_kind::tuple);
        const auto arguments = pop();
        push(globals.called(callable, arguments));
        return;
    }
    case op_obj: {
        const auto items = above_mark();
        if (items.empty())
            refuse("object", "a class", "without a class");
        const auto callable = items.front();
        const auto arguments = values_.add(pickled_kind::tuple, items.subspan(1));
        drop_to_mark();
        push(globals.called(callable, arguments));
        return;
    }
    case op_build: {
        const auto state = pop();
        globals.build(top(), state);
        return;
    }
    case op_persid:
    case op_binpersid:
        refuse("value", "part of the pickle", "a reference to something outside it (a persistent id)",
               "as in files of PyTorch: torch.load reads them");
    case op_ext1:
    case op_ext2:
    case op_ext4:
        refuse("class", "a name", "a number of one program's extension registry");
    case op_next_buffer:
    case op_readonly_buffer:
        refuse("value", "part of the pickle", "an out-of-band buffer, which is kept elsewhere");
    default:
        refuse("operation", "one of a pickle", std::to_string(code));
    }
}

}  // namespace ndkeep::detail
