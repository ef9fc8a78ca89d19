// SPDX-License-Identifier: BSD-3-Clause
// Records with changed text and a matching checksum.
#pragma once

#include "store/rows.hpp"
#include "support/temp_dir.hpp"

#include <ndkeep/bytes/crc.hpp>

namespace store_rows {

/// The text with a matching checksum.
inline std::string sealed(std::string text) {
    text.erase(text.rfind(",\"crc32c\""));
    const auto sum = detail::hex_text(crc32c(detail::bytes_of(text)));
    return text + ",\"crc32c\":\"" + sum + "\"}";
}

inline std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    if (at == std::string::npos)
        throw std::runtime_error("no " + std::string(from) + " in " + text);
    return text.replace(at, from.size(), to);
}

/// One chunk of 6 rows in commit 1.
inline std::shared_ptr<memory::content> one_chunk() {
    auto all = memory::empty();
    writer to(memory::opened(all), {.rows_per_chunk = 100});
    to.append(rows_from(0, 6));
    (void)to.commit();
    return all;
}

/// The same record with another list of chunks and another number of rows.
inline std::string with_chunks(const std::string& record, const std::string& chunks, const std::string& rows) {
    const auto begin = record.find("\"chunks\": [") + 10;
    auto text = record.substr(0, begin) + chunks + record.substr(record.find(", \"loops\""));
    return sealed(replaced(text, "\"rows\": 6", "\"rows\": " + rows));
}

/// The same record with a note.
inline std::string with_note(const std::string& record, const std::string& note) {
    return sealed(replaced(record, "\"loops\": {}", "\"loops\": {\"L\": " + note + '}'));
}

inline detail::chunk_state newest_state(const std::shared_ptr<memory::content>& all) {
    memory::place where(all);
    detail::commit_log log(where);
    return detail::open_state(log).state;
}

inline void check_refused(const std::shared_ptr<memory::content>& all, const std::string& text) {
    CAPTURE(text.substr(0, 2000));
    all->set(record_of(1), text);
    CHECK_THROWS_AS(rows_in(all), format_error);
    CHECK_THROWS_AS(writer(memory::opened(all)), format_error);
    memory::place where(all);
    detail::commit_log log(where);
    CHECK_THROWS_AS(detail::recover(log), error);
}

inline std::string repeated(const std::string& text, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
        all += text;
    return all;
}

}  // namespace store_rows
