// SPDX-License-Identifier: BSD-3-Clause
// A small stand-in for std::mdspan, with the parts of [views.multidim] that the bridge and its tests use. It is for
// machines without an mdspan. Its namespace has a name of its own, set by the macro of Kokkos.
#pragma once

#include <array>
#include <cstddef>
#include <limits>

#define MDSPAN_IMPL_STANDARD_NAMESPACE mdspan_stand_in

namespace mdspan_stand_in {

inline constexpr std::size_t dynamic_extent = std::numeric_limits<std::size_t>::max();

// [mdspan.extents] Every extent is stored, also a static one.
template <class Index, std::size_t... Extent>
class extents {
  public:
    using index_type = Index;
    using rank_type = std::size_t;

    static constexpr rank_type rank() noexcept { return sizeof...(Extent); }

    constexpr extents() = default;
    template <class... Value>
        requires(sizeof...(Value) == sizeof...(Extent) && sizeof...(Value) > 0)
    constexpr explicit extents(Value... value) : values_{static_cast<Index>(value)...} {}
    template <class Value>
    constexpr explicit extents(const std::array<Value, sizeof...(Extent)>& values) {
        for (rank_type axis = 0; axis < rank(); ++axis)
            values_[axis] = static_cast<Index>(values[axis]);
    }

    [[nodiscard]] constexpr index_type extent(rank_type axis) const noexcept { return values_[axis]; }

  private:
    std::array<Index, sizeof...(Extent)> values_{(Extent == dynamic_extent ? Index{} : static_cast<Index>(Extent))...};
};

template <class Index, std::size_t Rank, std::size_t... Extent>
struct dextents_of : dextents_of<Index, Rank - 1, dynamic_extent, Extent...> {};
template <class Index, std::size_t... Extent>
struct dextents_of<Index, 0, Extent...> {
    using type = extents<Index, Extent...>;
};
template <class Index, std::size_t Rank>
using dextents = typename dextents_of<Index, Rank>::type;

template <class Extents>
class strided_mapping {
  public:
    using extents_type = Extents;
    using index_type = typename Extents::index_type;
    using rank_type = typename Extents::rank_type;

    [[nodiscard]] constexpr const Extents& extents() const noexcept { return extents_; }
    [[nodiscard]] static constexpr bool is_strided() noexcept { return true; }
    [[nodiscard]] constexpr index_type stride(rank_type axis) const noexcept requires(Extents::rank() > 0) {
        return strides_[axis];
    }

  protected:
    Extents extents_;
    std::array<index_type, Extents::rank()> strides_{};
};

struct layout_right {
    template <class Extents>
    struct mapping : strided_mapping<Extents> {
        constexpr mapping(const Extents& all = {}) {  // NOLINT: implicit, as in the standard
            this->extents_ = all;
            typename Extents::index_type step = 1;
            for (std::size_t axis = Extents::rank(); axis-- > 0; step *= all.extent(axis))
                this->strides_[axis] = step;
        }
    };
};

struct layout_left {
    template <class Extents>
    struct mapping : strided_mapping<Extents> {
        constexpr mapping(const Extents& all = {}) {  // NOLINT: implicit, as in the standard
            this->extents_ = all;
            typename Extents::index_type step = 1;
            for (std::size_t axis = 0; axis < Extents::rank(); step *= all.extent(axis++))
                this->strides_[axis] = step;
        }
    };
};

struct layout_stride {
    template <class Extents>
    struct mapping : strided_mapping<Extents> {
        template <class Stride>
        constexpr mapping(const Extents& all, const std::array<Stride, Extents::rank()>& strides) {
            this->extents_ = all;
            for (std::size_t axis = 0; axis < Extents::rank(); ++axis)
                this->strides_[axis] = static_cast<typename Extents::index_type>(strides[axis]);
        }
    };
};

template <class T>
struct default_accessor {
    using element_type = T;
    using reference = T&;
    using data_handle_type = T*;
    constexpr reference access(T* data, std::size_t i) const noexcept { return data[i]; }
};

// [mdspan.mdspan]
template <class T, class Extents, class Layout = layout_right, class Accessor = default_accessor<T>>
class mdspan {
  public:
    using extents_type = Extents;
    using layout_type = Layout;
    using accessor_type = Accessor;
    using mapping_type = typename Layout::template mapping<Extents>;
    using element_type = T;
    using data_handle_type = typename Accessor::data_handle_type;
    using rank_type = typename Extents::rank_type;
    using index_type = typename Extents::index_type;

    template <class... Value>
        requires(sizeof...(Value) == Extents::rank() && sizeof...(Value) > 0)
    constexpr explicit mdspan(data_handle_type data, Value... value) : mdspan(data, mapping_type(Extents(value...))) {}
    constexpr explicit mdspan(data_handle_type data) : mdspan(data, mapping_type()) {}
    constexpr mdspan(data_handle_type data, const mapping_type& mapping) : data_(data), mapping_(mapping) {}

    [[nodiscard]] static constexpr rank_type rank() noexcept { return Extents::rank(); }
    [[nodiscard]] constexpr const Extents& extents() const noexcept { return mapping_.extents(); }
    [[nodiscard]] constexpr index_type extent(rank_type axis) const noexcept { return extents().extent(axis); }
    [[nodiscard]] constexpr index_type stride(rank_type axis) const noexcept { return mapping_.stride(axis); }
    [[nodiscard]] constexpr const data_handle_type& data_handle() const noexcept { return data_; }
    [[nodiscard]] constexpr const mapping_type& mapping() const noexcept { return mapping_; }

  private:
    data_handle_type data_;
    mapping_type mapping_;
};

}  // namespace mdspan_stand_in
