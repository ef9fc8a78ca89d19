# SPDX-License-Identifier: BSD-3-Clause
# From "verb bytes seconds" lines of several rounds: the median of each verb, and its ratio to its floor and to NumPy.
function median(key,    n, i, j, swap, list) {
    n = count[key]
    for (i = 1; i <= n; i++) list[i] = seconds[key, i]
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && list[j] + 0 < list[j - 1] + 0; j--) { swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap }
    return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}
function floor_of(verb) {
    if (verb ~ /^(save|npz-save)/) return "write:floor"
    if (verb ~ /^(load|npz-load|verify)/) return "read:floor"
    if (verb == "map") return "map:floor"
    if (verb ~ /^chunks-/) return verb ":file"
    if (verb ~ /^loop-/) return verb ":floor"
    if (verb ~ /mean/) return "sum:floor"
    return ""
}
function human(time) {
    if (time < 1e-3) return sprintf("%.1f us", time * 1e6)
    return time < 1 ? sprintf("%.1f ms", time * 1e3) : sprintf("%.2f s", time)
}
{
    if (!($1 in count)) order[++verbs] = $1
    seconds[$1, ++count[$1]] = $3
    bytes[$1] = $2
}
END {
    printf "%-22s %12s %18s %18s\n", "verb", "median", "floor / verb", "NumPy / verb"
    for (i = 1; i <= verbs; i++) {
        verb = order[i]
        if (verb ~ /:/ && verb !~ /^xt::mean\(map\)$/) continue
        time = median(verb)
        base = floor_of(verb)
        size = verb ~ /^deflate-save/ && (verb ":numpy") in bytes ? sprintf(", %.3f of the size", bytes[verb] / bytes[verb ":numpy"]) : ""
        printf "%-22s %12s %18s %18s\n", verb, human(time),
            base in count ? sprintf("%.2f of %s", median(base) / time, human(median(base))) : "",
            (verb ":numpy") in count ? sprintf("%.2f x", median(verb ":numpy") / time) size : ""
    }
}
