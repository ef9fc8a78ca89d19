// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/s3/place.hpp>.
#pragma once

#include <ndkeep/s3/place.hpp>

#include <ndkeep/error.hpp>

#include <system_error>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI {

NDKEEP_INLINE s3_place::s3_place(std::shared_ptr<detail::s3_client> client, std::string prefix)
    : client_(std::move(client)), prefix_(std::move(prefix)) {}

NDKEEP_INLINE std::filesystem::path s3_place::called(const std::string& name) const {
    return client_->called(name.empty() ? prefix_ : key_of(name));
}

NDKEEP_INLINE std::vector<std::string> s3_place::strangers() {
    std::vector<std::string> found;
    const std::string own = prefix_ + '/';
    const auto add = [&](std::string name) {
        if (name != "commits/" && name != "chunks/" && !name.empty() && !name.starts_with(detail::probe_prefix))
            found.push_back(std::move(name));
    };
    client_->list(
        own, "/", [&](const detail::s3_object& each) { add(each.key.substr(own.size())); },
        [&](const std::string& folder) { add(folder.substr(own.size())); });
    return found;
}

NDKEEP_INLINE std::optional<std::vector<std::byte>> s3_place::get(const std::string& name, std::uint64_t most) {
    return client_->get(key_of(name), most);
}

NDKEEP_INLINE bool s3_place::get_range(const std::string& name, std::uint64_t offset, std::span<std::byte> out) {
    return client_->get_range(key_of(name), offset, out);
}

NDKEEP_INLINE std::optional<std::uint64_t> s3_place::size(const std::string& name) {
    return client_->size(key_of(name));
}

NDKEEP_INLINE bool s3_place::put(const std::string& name, parts bytes, durability wanted) {
    (void)wanted;
    if (!client_->puts_conditionally(prefix_ + '/'))
        throw mismatch_error({.file = called({}),
                              .field = "service",
                              .expected = "support for If-None-Match, or writers would overwrite each other",
                              .found = "none",
                              .hint = "reading works"});
    // Services differ in whether they know the condition for parts. Records need it; the names of chunks are random.
    const bool is_chunk = name.starts_with("chunks/");
    if (!client_->put_new(key_of(name), bytes, is_chunk))
        return false;
    if (is_chunk) {
        const std::lock_guard<std::mutex> alone(mutex_);
        put_.insert(name);
    }
    return true;
}

NDKEEP_INLINE std::vector<std::string> s3_place::list(const std::string& folder) {
    std::vector<std::string> names;
    const std::string prefix = key_of(folder) + '/';
    client_->list(prefix, "/", [&](const detail::s3_object& each) {
        if (each.key.size() > prefix.size())
            names.push_back(each.key.substr(prefix.size()));
    });
    return names;
}

NDKEEP_INLINE void s3_place::remove(const std::string& name) {
    {
        const std::lock_guard<std::mutex> alone(mutex_);
        put_.erase(name);
    }
    client_->remove(key_of(name));
}

NDKEEP_INLINE bool s3_place::was_put_long_ago(const std::string& name) {
    return client_->age(key_of(name)).value_or(client_->keep_for()) >= client_->keep_for();
}

NDKEEP_INLINE std::vector<std::string> s3_place::abandoned() {
    std::vector<std::string> names;
    const std::string prefix = key_of("chunks/");
    client_->list(prefix, "/", [&](const detail::s3_object& each) {
        if (each.age && *each.age >= 7 * client_->keep_for())
            names.push_back(each.key.substr(prefix.size()));
    });
    return names;
}

NDKEEP_INLINE void s3_place::sync(const std::string& name) {
    {
        // An object that was put is durable. Only sweeps remove it, and the epoch tells of them.
        const std::lock_guard<std::mutex> alone(mutex_);
        if (put_.erase(name) != 0)
            return;
    }
    if (!size(name))
        throw io_error(called(name), "cannot sync", std::make_error_code(std::errc::no_such_file_or_directory));
}

NDKEEP_INLINE void s3_place::sync_names(const std::string& folder) { (void)folder; }

}  // namespace ndkeep
