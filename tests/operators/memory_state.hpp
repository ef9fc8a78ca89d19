// SPDX-License-Identifier: BSD-3-Clause
// A state in memory: a writer and reader as those of a loop, without files.
#pragma once

#include <any>
#include <map>
#include <stdexcept>
#include <string>

class memory_state {
  public:
    template <class T>
    void set(const std::string& name, const T& value) {
        if (!parts_.emplace(name, value).second)
            throw std::logic_error(name + " twice");
    }
    template <class T>
    void get(const std::string& name, T& into) const {
        into = std::any_cast<const T&>(parts_.at(name));
    }
    template <class T>
    [[nodiscard]] T get(const std::string& name) const {
        return std::any_cast<const T&>(parts_.at(name));
    }
    [[nodiscard]] bool contains(const std::string& name) const { return parts_.count(name) != 0; }

  private:
    std::map<std::string, std::any> parts_;
};
