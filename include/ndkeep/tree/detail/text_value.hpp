// SPDX-License-Identifier: BSD-3-Clause
// The text of a tree in two words, short ones without memory of their own, so that a tree has three words.
#pragma once

#include <ndkeep/version.hpp>

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ndkeep::inline NDKEEP_ABI::detail {

class text_value {
  public:
    explicit text_value(std::string_view text) {
        if (text.size() <= most) {
            if (!text.empty())
                std::memcpy(bytes_, text.data(), text.size());
            bytes_[most] = static_cast<char>(text.size());
        } else {
            hold(new std::string(text));
        }
    }
    explicit text_value(std::string&& text) : text_value(std::string_view()) {
        if (text.size() <= most)
            *this = text_value(std::string_view(text));
        else
            hold(new std::string(std::move(text)));
    }
    text_value(text_value&& other) noexcept : text_value(std::string_view()) { swap(other); }
    text_value& operator=(text_value&& other) noexcept {
        text_value(std::move(other)).swap(*this);
        return *this;
    }
    ~text_value() { delete held(); }

    /// Valid until this object is moved or destroyed.
    [[nodiscard]] std::string_view view() const noexcept {
        if (const auto* const text = held())
            return *text;
        return {bytes_, static_cast<std::size_t>(bytes_[most])};
    }
    friend bool operator==(const text_value& a, const text_value& b) noexcept { return a.view() == b.view(); }

  private:
    [[nodiscard]] std::string* held() const noexcept {
        std::string* text = nullptr;
        if (bytes_[most] == is_held)
            std::memcpy(&text, bytes_, sizeof(text));
        return text;
    }
    void hold(std::string* text) noexcept {
        std::memcpy(bytes_, &text, sizeof(text));
        bytes_[most] = is_held;
    }
    void swap(text_value& other) noexcept { std::swap(bytes_, other.bytes_); }

    static constexpr std::size_t most = 15;
    static constexpr char is_held = 127;
    alignas(std::string*) char bytes_[most + 1] = {};  // the text and its size, or a pointer and the mark
};

}  // namespace ndkeep::detail
