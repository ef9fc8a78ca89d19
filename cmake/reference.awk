# SPDX-License-Identifier: BSD-3-Clause
# Reads headers in the format of .clang-format, and prints one record for each public declaration.
#
# A record has the fields: header, owner, kind, name, signatures, text, depth of the owner. Fields end with a tab, and signatures with \001.
# The owner is the class or enum of a member; empty for a name of the namespace. `text` is "!" if the docstring is absent.
# Public is what stands directly in `namespace ndkeep::inline NDKEEP_ABI`, and the public members of its classes.

function trim(s) { sub(/^[ \t]+/, "", s); sub(/[ \t]+$/, "", s); return s }

# The length of a bracketed piece at the start of `s`: "(...)", "<...>" or "{...}".
function bracketed(s,    i, n, depth, c, opening, closing) {
    n = length(s); depth = 0
    opening = substr(s, 1, 1)
    if (opening != "<") {  # a ">" inside can be an operator
        closing = opening == "(" ? ")" : "}"
        for (i = 1; i <= n; ++i) {
            c = substr(s, i, 1)
            if (c == opening) ++depth
            else if (c == closing && --depth == 0) return i
        }
        return n
    }
    for (i = 1; i <= n; ++i) {
        c = substr(s, i, 1)
        if (index("(<{[", c)) ++depth
        else if (index(")}]", c) || (c == ">" && substr(s, i - 1, 1) != "-")) { if (--depth == 0) return i }
    }
    return n
}

# `s` without the requires clause at its start.
function without_requires(s) {
    if (s !~ /^requires[ (!]/) return s
    s = substr(s, 9)
    for (;;) {
        s = trim(s)
        sub(/^!/, "", s)
        if (s ~ /^requires/) {  # an expression: parameters, then a body
            s = trim(substr(s, 9))
            if (s ~ /^\(/) s = trim(substr(s, bracketed(s) + 1))
            s = substr(s, bracketed(s) + 1)
        } else if (s ~ /^\(/) s = substr(s, bracketed(s) + 1)
        else {
            while (match(s, /^[A-Za-z0-9_:]+/)) {
                s = substr(s, RLENGTH + 1)
                if (s ~ /^</) s = substr(s, bracketed(s) + 1)
            }
        }
        s = trim(s)
        if (s !~ /^(&&|[|][|])/) return s
        s = substr(s, 3)
    }
}

# Splits at commas outside of brackets.
function pieces(s, out,    i, n, depth, c, count, piece) {
    n = length(s); depth = 0; count = 0; piece = ""
    for (i = 1; i <= n; ++i) {
        c = substr(s, i, 1)
        if (index("(<{[", c)) ++depth
        else if (index(")}]", c) || (c == ">" && substr(s, i - 1, 1) != "-")) --depth
        if (c == "," && depth == 0) { out[++count] = trim(piece); piece = "" } else piece = piece c
    }
    if (trim(piece) != "") out[++count] = trim(piece)
    return count
}

# A type as the reference writes it.
function short_type(s) {
    gsub(/std::filesystem::/, "", s)
    gsub(/(std|ndkeep|detail)::/, "", s)
    gsub(/xt::layout_type::/, "", s)
    gsub(/xt::layout_type/, "layout", s)
    gsub(/steady_clock::/, "", s)
    return trim(s)
}

# The position of the first "=" outside of brackets; 0 if absent.
function assignment(s,    i, n, depth, c) {
    n = length(s); depth = 0
    for (i = 1; i <= n; ++i) {
        c = substr(s, i, 1)
        if (index("(<{[", c)) ++depth
        else if (index(")}]", c) || (c == ">" && substr(s, i - 1, 1) != "-")) --depth
        else if (c == "=" && depth == 0) return i
    }
    return 0
}

# Parameters as the reference writes them: by value where the function takes a constant reference, and the concept of a
# type that is deduced in place of its name. Notes in `used` which template parameters occur without a default.
function short_parameters(s,    all, i, n, p, def, at, name, out, word, rest) {
    n = pieces(s, all); out = ""
    for (i = 1; i <= n; ++i) {
        p = all[i]; def = ""
        at = assignment(p)
        if (at) { def = trim(substr(p, at + 1)); p = trim(substr(p, 1, at - 1)) }
        if (match(p, /\(&[a-z]+\)\[N\]$/)) {
            used["N"] = 1
            p = "{extent, …} " substr(p, RSTART + 2, RLENGTH - 6)
        } else {
            if (p ~ /^const .*&( ?[a-z_]+)?$/ && p !~ /&&/) { sub(/^const /, "", p); sub(/&/, "", p) }
            if (match(p, /^[A-Za-z]+&&/) && (substr(p, 1, RLENGTH - 2) in tparam)) sub(/&&/, "", p)
            if (p !~ /[*]/) sub(/^const /, "", p)
            if (p ~ /^std::same_as<bool> auto/) sub(/^[^ ]* auto/, "bool", p)
            sub(/^std::integral auto/, "integer", p)
            sub(/^std::unsigned_integral auto/, "unsigned integer", p)
        }
        for (name in tparam) {
            rest = p; word = 0
            while (match(rest, /[A-Za-z_][A-Za-z0-9_]*/)) {
                if (substr(rest, RSTART, RLENGTH) == name) word = 1
                rest = substr(rest, RSTART + RLENGTH)
            }
            if (!word) continue
            if (def == "" || (tdefault[name] != "" && tconcept[name] != "")) used[name] = 1
            if (tconcept[name] != "" && tconcept[name] != "element" && (name in used)) {
                if (p ~ ("^" name "([ .]|$)")) sub("^" name, tconcept[name], p)
                else if (p ~ ("<" name ">")) sub("<" name ">", "<" tconcept[name] ">", p)
            }
        }
        out = out (out == "" ? "" : ", ") short_type(p) (def == "" ? "" : " = " short_type(def))
    }
    return out
}

# Reads "template <...>" at the start of `s` into tparam, tdefault, tconcept and tlist; returns the rest.
function read_template(s,    n, i, all, p, at, name, def) {
    split("", tparam); split("", tdefault); split("", tconcept); split("", tlist)
    tcount = 0
    while (s ~ /^template </) {
        s = substr(s, 10)
        n = bracketed(s)
        i = substr(s, 2, n - 2)
        s = trim(substr(s, n + 1))
        n = pieces(i, all)
        for (i = 1; i <= n; ++i) {
            p = all[i]
            at = assignment(p)
            def = at ? trim(substr(p, at + 1)) : ""
            if (at) p = trim(substr(p, 1, at - 1))
            match(p, /[A-Za-z0-9_]+$/)
            name = substr(p, RSTART)
            p = trim(substr(p, 1, RSTART - 1))
            tlist[++tcount] = name
            tparam[name] = p
            tdefault[name] = short_type(def)
            if (p ~ /[.][.][.]$/) tpack[name] = 1; else delete tpack[name]
            sub(/[.][.][.]$/, "", p)
            if (p != "class" && p != "std::size_t" && p != "xt::layout_type" && p !~ /^(char|int)$/) {
                # A concept that stands for one type, or for what people call an integer or a path.
                if (p ~ /(same_as|derived_from)</) { sub(/^[^<]*</, "", p); sub(/>$/, "", p) }
                sub(/<.*/, "", p)
                p = short_type(p)
                tconcept[name] = p ~ /^(integral|tree_index)$/ ? "integer" : p == "path_like" ? "path" : p
            }
        }
        s = without_requires(s)
    }
    return s
}

# "<T, N = any_rank>": the template parameters that a caller may write, or nothing.
function template_arguments(of_function,    i, name, out) {
    out = ""
    for (i = 1; i <= tcount; ++i) {
        name = tlist[i]
        if (name == "Because" || (of_function && (name in used))) {
            if (!(of_function && name == "N" && tdefault[name] != "")) continue
        }
        out = out (out == "" ? "" : ", ") name ((name in tpack) ? "..." : "") (tdefault[name] == "" ? "" : " = " tdefault[name])
    }
    return out == "" ? "" : "<" out ">"
}

# The part of a docstring that the reference prints: the first sentence, or the paragraph, then results and errors.
# `whole`: 0 for the first sentence, 1 for the paragraph, 2 for all paragraphs.
function summary(doc, whole,    n, i, all, line, text, part, returned, errors, at, kinds) {
    n = split(doc, all, "\n")
    text = ""; returned = ""; errors = ""; part = "text"
    for (i = 1; i <= n; ++i) {
        line = trim(all[i])
        if (line ~ /^@/) {
            part = "other"
            if (line ~ /^@returns? /) { part = "returned"; sub(/^@returns? +/, "", line) }
            else if (line ~ /^@throws /) {
                sub(/^@throws +/, "", line)
                sub(/  .*/, "", line)
                gsub(/, */, " ", line)
                at = split(line, kinds, " ")
                for (line = 1; line <= at; ++line)
                    if (kinds[line] ~ /^[a-z]+_error$/ && index(errors ",", kinds[line] "`,") == 0)
                        errors = errors (errors == "" ? "" : ", ") "`" kinds[line] "`"
                continue
            }
        }
        if (line == "" && part == "text" && text != "") { if (whole < 2) part = "other"; continue }
        if (whole == 2) sub(/^- /, "", line)
        if (part == "text") text = text (text == "" ? "" : " ") line
        else if (part == "returned") returned = returned (returned == "" ? "" : " ") line
    }
    if (text ~ /:$/ && whole < 2) text = ""
    if (!whole) text = first_sentence(text)
    if (text == "" && errors == "" && returned == "") return "!"
    if (returned != "") {
        returned = first_sentence(returned)
        sub(/;.*/, "", returned)
        sub(/[.]$/, "", returned)
        text = text (text == "" ? "" : " ") "Returns " returned "."
    }
    if (errors != "") text = text (text == "" ? "" : " ") "Throws " errors "."
    return text
}

function first_sentence(s,    i, n, c, code) {
    n = length(s); code = 0
    for (i = 1; i <= n; ++i) {
        c = substr(s, i, 1)
        if (c == "`") code = !code
        else if (c == "." && !code && (i == n || substr(s, i + 1, 2) ~ /^ [A-Z`]/)) return substr(s, 1, i)
    }
    return s
}

# Whether a declaration at this place is public.
function visible(    i) {
    for (i = 1; i <= depth; ++i)
        if (!(scope[i] == "public" || (scope[i] == "class" && access[i] == "public") || scope[i] == "enum")) return 0
    return depth > 0
}

function owner() { return scope[depth] == "class" || scope[depth] == "enum" ? label[depth] : "" }

function record(kind, name, sig, text) {
    ++records
    r_header[records] = header; r_owner[records] = owner(); r_level[records] = depth - 1
    r_kind[records] = kind; r_name[records] = name; r_sig[records] = sig; r_text[records] = text
    last = records
    seen[header "\t" owner() "\t" name] = records
}

# From the name on: the signature without what it returns.
function call_of(sig,    at) {
    at = match(sig, /[a-z_]+(<[^(<>]*>)?\(/)
    return substr(sig, at)
}

# Adds an overload. One that only takes tags more than another is written with it, the tags in brackets.
function add_signature(at, sig,    all, n, i, bare, tags) {
    if (match(sig, /(map_tag|order_tag), (map_tag, )?/)) {
        tags = substr(sig, RSTART, RLENGTH)
        bare = substr(sig, 1, RSTART - 1) substr(sig, RSTART + RLENGTH)
        n = split(r_sig[at], all, "\001")
        for (i = 1; i <= n; ++i) {
            sub(/\[[a-z_, ]*\] /, "", all[i])
            if (call_of(all[i]) != call_of(bare)) continue
            sub(/, $/, ",", tags)
            sub(/[a-z_]+(<[A-Z]*>)? options = /, "[" tags "] &", all[i])
            sub(/^mapped_as<T, N>/, "mapped_as<T, N, Tag...>", all[i])
            r_sig[at] = all[1]
            for (i = 2; i <= n; ++i) r_sig[at] = r_sig[at] "\001" all[i]
            last = at
            return
        }
    }
    if (index("\001" r_sig[at] "\001", "\001" sig "\001") == 0) r_sig[at] = r_sig[at] "\001" sig
    last = at
}

# A declaration that ends with ";", or before the body of a function.
function declare(s, has_body,    rest, at, i, n, c, angle, pre, parameters, name, ret, text, sig, eq, qualifier, class) {
    s = trim(s)
    if (s == "" || !visible()) return
    if (s ~ /^(static_assert|public:|private:)/ || s ~ /^(template <[^>]*> *)?friend / || s ~ /= delete$/) return
    gsub(/\[\[[a-z]+\]\] */, "", s)
    rest = read_template(s)
    if (rest ~ /^(class|struct|enum|enum class) [A-Za-z_0-9]+$/) {
        sub(/^(class|struct|enum class|enum) /, "", rest)
        if (doc != "") { forward[rest] = doc; forward_arguments[rest] = template_arguments(0) }
        return
    }
    if (rest ~ /^using /) {
        if (rest !~ /=/ || (doc == "" && owner() != "" && trailing == "")) return
        sub(/^using +/, "", rest)
        name = rest
        sub(/ *=.*/, "", name)
        sub(/^[^=]*= */, "", rest)
        if (rest ~ /^typename /) rest = ""
        record("alias", name, "using " name template_arguments(0) (rest == "" || length(rest) > 100 ? "" : " = " short_type(rest)), summary(doc, 0))
        return
    }
    if (rest ~ /^concept /) {
        sub(/^concept +/, "", rest)
        name = rest
        sub(/ .*/, "", name)
        record("concept", name, "concept " name, summary(doc, 2))
        return
    }
    while (rest ~ /^(inline|constexpr|explicit|static|virtual|consteval|mutable) /) {
        if (rest ~ /^static /) qualifier = "static "
        sub(/^[a-z]+ /, "", rest)
    }
    # A function has a "(" before any "=" or "{", outside of template arguments.
    n = length(rest); angle = 0; at = 0
    if (match(rest, /operator *(\(\)|\[\]|[^ A-Za-z(\[]+)\(/)) at = RSTART + RLENGTH - 1
    else
        for (i = 1; i <= n; ++i) {
            c = substr(rest, i, 1)
            if (c == "<") ++angle
            else if (c == ">") --angle
            else if (angle == 0 && c == "(") { at = i; break }
            else if (angle == 0 && (c == "=" || c == "{")) break
        }
    if (at) {
        pre = trim(substr(rest, 1, at - 1))
        parameters = substr(rest, at)
        i = bracketed(parameters)
        rest = trim(substr(parameters, i + 1))
        parameters = substr(parameters, 2, i - 2)
        if (match(pre, /operator.*$/)) name = substr(pre, RSTART)
        else { match(pre, /[~A-Za-z0-9_:]+$/); name = substr(pre, RSTART) }
        ret = trim(substr(pre, 1, RSTART - 1))
        if (name ~ /^~/ || name ~ /::/ || rest ~ /= default$/ || rest ~ /(^| )override( |$)/) return
        if (owner() != "" && (name == "end" || name ~ /_impl$/)) return  # the other half of begin; for xtensor
        class = label[depth]
        sub(/.*::/, "", class)
        if (owner() != "" && (name == class || name == "operator=") && parameters ~ ("^(const )?" class "(&&?)?( [a-z]+)?$")) return
        split("", used)
        if (rest ~ /^requires.*N == any_rank/) return  # another form of a constructor in braces
        parameters = short_parameters(parameters)
        if (ret ~ /^const .*&$/) { sub(/^const /, "", ret); sub(/&$/, "", ret) }
        sig = qualifier (ret == "" ? "" : short_type(ret) " ") name (name == class ? "" : template_arguments(1)) "(" parameters ")" (rest ~ /= 0$/ ? " = 0" : "")
        at = seen[header "\t" owner() "\t" name]
        if (doc == "" && trailing == "") {
            if (name ~ /^operator/) return
            if (at && (owner() != "" || !has_body)) { add_signature(at, sig); return }
            if (at) return  # the definition of a template that is declared above
            if (name == class) { record("function", name, sig, parameters == "" ? "Makes an empty one." : "!"); return }
        }
        text = summary(doc, 0)
        if (text == "!" && name ~ /^operator/) return
        record("function", name, sig, text)
        return
    }
    # A field or a constant.
    eq = assignment(rest)
    name = eq ? trim(substr(rest, 1, eq - 1)) : rest
    sub(/\{.*/, "", name)
    ret = name
    if (ret ~ />$/) return  # a specialisation
    match(name, /[A-Za-z0-9_]+$/)
    name = substr(name, RSTART)
    if (owner() == "") {
        if (doc == "" && trailing == "" && seen[header "\t\t" name]) return
        ret = trim(substr(ret, 1, length(ret) - length(name)))
        record("constant", name, short_type(ret) " " name, summary(doc, 0))
    } else record("field", name, qualifier short_type(rest), doc == "" ? "?" : summary(doc, 0))
}

# Opens a scope at "{"; returns 0 if the brace begins the body of a function.
function open(s,    rest, name, keyword, text, base, arguments, label_of) {
    s = trim(s)
    if (s ~ /^(inline )?namespace/) {
        ++depth
        scope[depth] = s == "namespace ndkeep::inline NDKEEP_ABI" ? "public" : "hidden"
        return 1
    }
    gsub(/\[\[[a-z]+\]\] */, "", s)
    rest = read_template(s)
    if (rest ~ /^enum /) {
        keyword = "enum"
        sub(/^enum (class )?/, "", rest)
        sub(/ .*/, "", rest)
    } else if (rest ~ /^(class|struct|union) / && rest !~ /\(/) {
        keyword = rest
        sub(/ .*/, "", keyword)
        sub(/^[a-z]+ /, "", rest)
    } else return 0
    base = ""
    if (keyword != "enum" && match(rest, / : /)) { base = substr(rest, RSTART + 3); rest = substr(rest, 1, RSTART - 1) }
    sub(/ final$/, "", rest)
    name = trim(rest)
    if (visible() && name !~ /[<]/) {
        arguments = template_arguments(0)
        if (doc == "" && (name in forward)) { doc = forward[name]; arguments = forward_arguments[name] }
        text = summary(doc, keyword == "enum")
        if (base !~ /^(public )?(description|error|place)$/) base = ""
        sub(/public /, "", base)
        if (owner() == "" || name != "iterator") record(keyword, name, (keyword == "enum" ? "enum class" : keyword) " " name arguments (base == "" ? "" : " : " base), text)
        label_of = (owner() == "" ? "" : owner() "::") name
    } else label_of = name
    ++depth
    scope[depth] = keyword == "enum" ? "enum" : visible_name(name) ? "class" : "hidden"
    label[depth] = label_of
    access[depth] = keyword == "class" ? "private" : "public"
    return 1
}
function visible_name(name) { return visible_at(depth - 1) && name !~ /[<]/ && name != "iterator" }
function visible_at(d,    keep, result) { keep = depth; depth = d; result = visible(); depth = keep; return result }

function enumerator(s) {
    s = trim(s)
    if (s == "" || !visible()) return
    record("value", s, s, "?")
}

# Whether a "{" after `s` begins a value or a requirement, not a body.
function in_expression(s) {
    if (s ~ /[A-Za-z0-9_>]$/) return 1
    s = trim(s)
    return s ~ /[=,(]$/ || s ~ /(^| )concept / || s ~ /(^|[ (])requires$/
}

function scan(line,    i, n, c, next_quote) {
    n = length(line)
    for (i = 1; i <= n; ++i) {
        c = substr(line, i, 1)
        if (c == "\"" || (c == "\047" && substr(line, i - 1, 1) !~ /[0-9a-f]/)) {
            for (next_quote = i + 1; next_quote <= n; ++next_quote) {
                if (substr(line, next_quote, 1) == "\\") ++next_quote
                else if (substr(line, next_quote, 1) == c) break
            }
            if (!body) code = code substr(line, i, next_quote - i + 1)
            i = next_quote
        } else if (c == "/" && substr(line, i + 1, 1) == "/") break
        else if (body) {
            if (c == "{") ++body
            else if (c == "}" && --body == 0) code = ""
        } else if (inner) {
            code = code c
            if (index("([{", c)) ++inner
            else if (index(")]}", c)) --inner
        } else if (c == "(" || c == "[") { ++inner; code = code c }
        else if (c == "{") {
            if (in_expression(code)) { ++inner; code = code c }
            else if (open(code)) { code = ""; doc = "" }
            else { declare(code, 1); doc = ""; body = 1 }
        } else if (c == "}") {
            if (scope[depth] == "enum") enumerator(code)
            --depth; code = ""; doc = ""
        } else if (c == "," && scope[depth] == "enum") { enumerator(code); code = "" }
        else if (c == ";") { declare(code, 0); code = ""; doc = "" }
        else code = code c
    }
    if (scope[depth] == "enum" && !body) { enumerator(code); code = "" }
    else if (code != "" && code !~ / $/) code = code " "
}

# While a file is read: `depth` counts open namespaces, classes and enums; `code` is the declaration so far, and `doc` its
# docstring; `body` counts the open braces of a function that is skipped, `inner` the open brackets within a declaration.
FNR == 1 {
    header = FILENAME
    sub(/^[.]\//, "", header)
    depth = 0; code = ""; doc = ""; body = 0; inner = 0; defining = 0; last = 0
}
{
    line = $0
    sub(/^[ \t]+/, "", line)
    if (defining) { defining = line ~ /\\$/; next }
    if (line ~ /^#/) {
        defining = line ~ /\\$/
        if (doc != "" && match(line, /^#define [A-Z_]+\([a-z, .]*\)/)) {
            line = substr(line, 9, RLENGTH - 8)
            name = line
            sub(/\(.*/, "", name)
            depth = 1; scope[1] = "public"
            sub(/type, [.][.][.]/, "struct, member, …", line)
            record("macro", name, line, summary(doc, 0))
            depth = 0
            doc = ""
        }
    } else {
        trailing = ""
        if (match(line, /\/\/\/< /)) { trailing = substr(line, RSTART + 5); line = substr(line, 1, RSTART - 1); sub(/[ \t]+$/, "", line) }
        if (!body && trim(code) == "" && trailing == "" && line ~ /^\/\//) {
            if (line ~ /^\/\/\//) { sub(/^\/\/\/ ?/, "", line); doc = doc (doc == "" ? "" : "\n") line }
        } else if (!body && line == "") doc = ""
        else if (!body && line ~ /^(public|private|protected):$/) access[depth] = substr(line, 1, length(line) - 1)
        else {
            before = records
            scan(line)
            if (trailing != "" && line == "") { if (last) r_text[last] = r_text[last] " " trailing }
            else if (trailing != "" && last && records > before) r_text[last] = trailing (r_text[last] ~ /^[!?]$/ ? "" : ". " r_text[last])
        }
    }
}
END {
    for (i = 1; i <= records; ++i)
        printf "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", r_header[i], r_owner[i], r_kind[i], r_name[i], r_sig[i], r_text[i], r_level[i]
}
