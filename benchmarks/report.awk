# SPDX-License-Identifier: BSD-3-Clause
# Summarises the lines of all rounds: as a table on the terminal, as JSON in the file of -v json=, and, for the largest size,
# as a chart in the file of -v chart=. Reads bars.txt first, then columns of "verb:peer", bytes, seconds, with a line
# "# BYTES" before each size. -v rounds= and -v machine= are only printed.
BEGIN { FS = "\t" }

function median(key,    n, i, j, swap, list) {
    n = count[key]
    for (i = 1; i <= n; i++) list[i] = seconds[key, i]
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && list[j] + 0 < list[j - 1] + 0; j--) { swap = list[j]; list[j] = list[j - 1]; list[j - 1] = swap }
    return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}
function human(time) {
    if (time < 1e-3) return sprintf("%.1f us", time * 1e6)
    return time < 1 ? sprintf("%.1f ms", time * 1e3) : sprintf("%.2f s", time)
}
function human_bytes(size) {
    size += 0
    if (size < 1024) return size " B"
    if (size < 1048576) return size / 1024 " KiB"
    return size < 1073741824 ? size / 1048576 " MiB" : size / 1073741824 " GiB"
}
function text_of_bar(bar) { return bar < 1 ? sprintf("%.2f", bar) : bar + 0 "" }

FILENAME ~ /bars\.txt$/ {
    if ($0 !~ /^#/ && NF == 4) bar[$2, $1, $3] = $4
    next
}
/^# / { size = substr($0, 3); sizes[++all_sizes] = size; next }
{
    key = size SUBSEP $1
    if (!(key in count)) {
        # The last colon that stands alone: "xt::mean of map:sum".
        split_at = 0
        for (i = length($1); i > 1; i--)
            if (substr($1, i, 1) == ":" && substr($1, i - 1, 1) != ":" && substr($1, i + 1, 1) != ":") { split_at = i; break }
        if (split_at) {
            verb = substr($1, 1, split_at - 1)
            peer = substr($1, split_at + 1)
            peers[size, verb, ++peer_count[size, verb]] = peer
        } else
            order[size, ++verbs[size]] = $1
    }
    seconds[key, ++count[key]] = $3
    bytes[key] = $2
}

END {
    for (s = 1; s <= all_sizes; s++) {
        size = sizes[s]
        printf "\n%s, page cache warm unless marked cold, medians of %d measurements\n", human_bytes(size), 3 * rounds
        printf "%-24s %10s   %s\n", "verb", "median", "speed relative to other code [target]"
        for (v = 1; v <= verbs[size]; v++) {
            verb = order[size, v]
            time = median(size SUBSEP verb)
            line = sprintf("%-24s %10s ", verb, human(time))
            json_line = sprintf("    {\"bytes\": %s, \"verb\": \"%s\", \"seconds\": %.9f, \"written\": %s, \"peers\": {", size, verb, time, bytes[size, verb])
            for (p = 1; p <= peer_count[size, verb]; p++) {
                peer = peers[size, verb, p]
                other = median(size SUBSEP verb ":" peer)
                ratio = other / time
                line = line sprintf("  %s %.2f", peer, ratio)
                json_line = json_line sprintf("%s\"%s\": {\"seconds\": %.9f, \"ratio\": %.4f", p == 1 ? "" : ", ", peer, other, ratio)
                if ((size, verb, peer) in bar) {
                    held = ratio >= bar[size, verb, peer] ? "pass" : "MISS"
                    judged[held]++
                    line = line " [" text_of_bar(bar[size, verb, peer]) " " held "]"
                    json_line = json_line sprintf(", \"bar\": %s, \"held\": %s", bar[size, verb, peer], held == "pass" ? "true" : "false")
                }
                json_line = json_line "}"
                if (peer ~ /^(NumPy|h5py|zarr|xtensor)$/ && size == sizes[all_sizes]) { drawn[++bars_drawn] = verb; drawn_peer[bars_drawn] = peer; drawn_ratio[bars_drawn] = ratio }
            }
            if (verb ~ /^deflate save/ && (size SUBSEP verb ":NumPy") in bytes)
                line = line sprintf("  size %.3f of NumPy's", bytes[size, verb] / bytes[size, verb ":NumPy"])
            print line
            records = records (records == "" ? "" : ",\n") json_line "}}"
        }
    }
    printf "\n%d targets met, %d missed\n", judged["pass"], judged["MISS"]
    if (json != "") {
        printf "{\n  \"machine\": \"%s\",\n  \"rounds\": %d,\n  \"results\": [\n%s\n  ]\n}\n", machine, rounds, records > json
        close(json)
    }
    if (chart != "") draw()
}

# Horizontal bars on a scale of powers of two: to the right of the line is faster than the other library.
function draw(    i, y, height, x0, unit, width, x) {
    height = 60 + 22 * bars_drawn
    x0 = 330; unit = 60
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"%d\" font-family=\"sans-serif\" font-size=\"13\">\n", height > chart
    printf "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n<text x=\"12\" y=\"22\" font-size=\"15\">Speed relative to other libraries, %s, page cache warm</text>\n", human_bytes(sizes[all_sizes]) > chart
    for (i = -1; i <= 6; i++) {
        x = x0 + unit * i
        printf "<line x1=\"%d\" y1=\"34\" x2=\"%d\" y2=\"%d\" stroke=\"%s\"/>\n<text x=\"%d\" y=\"46\" fill=\"#666\" font-size=\"11\">%s</text>\n", x, x, height - 8, i == 0 ? "#333" : "#ddd", x + 3, i < 0 ? "1/2" : 2 ^ i > chart
    }
    for (i = 1; i <= bars_drawn; i++) {
        y = 54 + 22 * (i - 1)
        width = unit * log(drawn_ratio[i]) / log(2)
        if (width > 6.4 * unit) width = 6.4 * unit
        if (width < -unit) width = -unit
        printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s, %s</text>\n", 250, y + 13, drawn[i], drawn_peer[i] > chart
        printf "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"16\" fill=\"%s\"/>\n", width < 0 ? x0 + width : x0, y, width < 0 ? -width : width, width < 0 ? "#c66" : "#4a7fb5" > chart
        printf "<text x=\"%.1f\" y=\"%d\" fill=\"#333\">%.1f</text>\n", (width < 0 ? x0 : x0 + width) + 4, y + 13, drawn_ratio[i] > chart
    }
    print "</svg>" > chart
    close(chart)
}
