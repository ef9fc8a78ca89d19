// SPDX-License-Identifier: BSD-3-Clause
// Bodies of <ndkeep/s3/bucket.hpp>.
#pragma once

#include <ndkeep/s3/bucket.hpp>

#include <ndkeep/error.hpp>

namespace ndkeep::inline NDKEEP_ABI {

namespace detail {

/// The bucket and the prefix of "s3://BUCKET/PREFIX".
[[nodiscard]] inline std::pair<std::string, std::string> parts_of_url(std::string_view url) {
    constexpr std::string_view scheme = "s3://";
    if (!url.starts_with(scheme))
        throw mismatch_error({.field = "URL", .expected = "s3://BUCKET", .found = std::string(url)});
    url.remove_prefix(scheme.size());
    const std::size_t slash = url.find('/');
    std::string prefix(slash == std::string_view::npos ? "" : url.substr(slash + 1));
    while (prefix.ends_with('/'))
        prefix.pop_back();
    return {std::string(url.substr(0, slash)), prefix};
}

/// The places below a location in a bucket.
class s3_tree final : public place_tree {
  public:
    explicit s3_tree(s3_location root) : root_(std::move(root)) {}

    [[nodiscard]] std::shared_ptr<place> place_at(const std::string& name) override { return (root_ / name).place(); }
    [[nodiscard]] std::vector<std::string> folders(const std::string& name) override {
        return name.empty() ? root_.folders() : (root_ / name).folders();
    }
    [[nodiscard]] std::filesystem::path path() const override { return root_.path(); }

  private:
    s3_location root_;
};

}  // namespace detail

NDKEEP_INLINE s3_location s3_location::operator/(std::string_view name) const {
    std::string_view rest = name;
    for (;;) {
        const std::size_t slash = rest.find('/');
        const auto part = rest.substr(0, slash);
        if (part.empty() || part == "." || part == "..")
            throw mismatch_error({.file = path(),
                                  .field = "name",
                                  .expected = "parts that are not empty, \".\" or \"..\"",
                                  .found = '"' + std::string(name) + '"'});
        if (slash == std::string_view::npos)
            break;
        rest.remove_prefix(slash + 1);
    }
    return {client_, prefix_.empty() ? std::string(name) : prefix_ + '/' + std::string(name)};
}

NDKEEP_INLINE std::shared_ptr<s3_place> s3_location::place() const {
    if (prefix_.empty())
        throw mismatch_error(
            {.file = path(), .field = "location", .expected = "a name in the bucket", .found = "none"});
    return std::make_shared<s3_place>(client_, prefix_);
}

NDKEEP_INLINE std::shared_ptr<place_tree> s3_location::tree() const { return std::make_shared<detail::s3_tree>(*this); }

NDKEEP_INLINE std::vector<std::string> s3_location::folders() const {
    const std::string above = prefix_.empty() ? "" : prefix_ + '/';
    std::vector<std::string> names;
    client_->list(
        above, "/", [](const detail::s3_object&) {},
        [&](const std::string& folder) {
            if (folder.size() > above.size() + 1)
                names.push_back(folder.substr(above.size(), folder.size() - above.size() - 1));
        });
    return names;
}

NDKEEP_INLINE s3::s3(std::string_view url, const s3_options& options)
    : root_(std::make_shared<detail::s3_client>(detail::parts_of_url(url).first, options),
            detail::parts_of_url(url).second) {}

}  // namespace ndkeep
