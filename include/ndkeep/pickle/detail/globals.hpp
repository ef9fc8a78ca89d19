// SPDX-License-Identifier: BSD-3-Clause
// The names that a pickle may use, and what they make of their arguments. Nothing else is made, and nothing is run.
#pragma once

#include <ndkeep/bytes/source.hpp>
#include <ndkeep/pickle/detail/values.hpp>
#include <ndkeep/version.hpp>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ndkeep::inline NDKEEP_ABI::detail {

/// A class or function that is known.
enum class pickle_name : std::uint8_t {
    unknown,
    reconstruct,     // numpy.core.multiarray._reconstruct: an array whose content follows
    array_class,     // numpy.ndarray and what has the same content
    dtype_class,     // numpy.dtype
    record_class,    // numpy.record
    scalar,          // numpy.core.multiarray.scalar
    from_buffer,     // numpy.core.numeric._frombuffer
    ordered_dict,    // collections.OrderedDict
    default_dict,    // collections.defaultdict
    set_class,       // set and frozenset
    byte_array,      // bytearray and bytes
    complex_class,   // complex
    range_class,     // range
    slice_class,     // slice
    plain_class,     // list, dict, int, …: arguments of others
    encode,          // _codecs.encode
    date_time,       // datetime.datetime
    date,            // datetime.date
    time_of_day,     // datetime.time
    duration,        // datetime.timedelta
    time_zone,       // datetime.timezone
    decimal,         // decimal.Decimal
    path,            // pathlib.PosixPath and its relatives
    frame,           // pandas.DataFrame
    series,          // pandas.Series
    block_manager,   // of a DataFrame
    series_manager,  // of a Series
    block,           // pandas._libs.internals._unpickle_block
    index,           // pandas.core.indexes.base._new_Index
    index_class,     // pandas.Index and its relatives
    array_around,    // pandas._libs.arrays.__pyx_unpickle_NDArrayBacked
    offset,          // pandas._libs.tslibs.offsets.Day and its relatives: the step of an index
    new_object,      // copyreg._reconstructor and its relatives: an object of the class that is the first argument
};

/// Makes values of calls, for one machine.
class pickle_globals {
  public:
    pickle_globals(pickled_values& values, const core::byte_source& from, bool opaque, std::uint64_t at)
        : values_(values), from_(from), opaque_(opaque), at_(at) {}

    /// A name. Whether it is known decides only its use: a name that nothing uses does no harm.
    [[nodiscard]] pickled_id named(std::string_view module, std::string_view name);
    [[nodiscard]] pickled_id named(pickled_id module, pickled_id name);
    /// What a call gives.
    /// @throws format_error  the callable is unknown, or the arguments do not fit
    [[nodiscard]] pickled_id called(pickled_id callable, pickled_id arguments);
    /// Gives an object its state.
    void build(pickled_id object, pickled_id state);

    /// The bytes of text or bytes that are not many.
    [[nodiscard]] std::string text_of(pickled_id id) const;
    /// Which of the known names this is; unknown for all other values.
    [[nodiscard]] pickle_name name_of(pickled_id id) const noexcept;
    /// "module.name" of a name.
    [[nodiscard]] std::string full_name(pickled_id global) const;
    /// The same for errors: cut if it is long.
    [[nodiscard]] std::string shown_name(pickled_id global) const;

  private:
    [[noreturn]] void refuse(std::string_view field, std::string expected, std::string found,
                             std::string hint = {}) const;
    [[noreturn]] void refuse_arguments(pickled_id callable) const;
    [[nodiscard]] std::int64_t integer_of(pickled_id id) const;
    [[nodiscard]] bool is_bytes(pickled_id id) const noexcept;
    /// Whether it is text, or a str of Python 2.
    [[nodiscard]] bool is_text(pickled_id id) const noexcept;
    /// Counts bytes that a call makes of values that other calls may use as well: they are not bounded by the file.
    void spend(std::uint64_t bytes) const;
    [[nodiscard]] pickled_id add_text(std::string_view text) {
        return values_.add(pickled_kind::text, values_.keep(text));
    }
    [[nodiscard]] pickled_id add_dtype(std::string text);
    /// A dictionary of texts and values.
    [[nodiscard]] pickled_id add_members(std::initializer_list<std::pair<std::string_view, pickled_id>> members);
    /// An array without axes, of 8 bytes.
    [[nodiscard]] pickled_id add_time(std::string_view type, std::int64_t value);

    [[nodiscard]] pickled_id dictionary_of(pickled_id callable, std::span<const pickled_id> arguments);
    [[nodiscard]] pickled_id bytes_of(pickled_id callable, std::span<const pickled_id> arguments);
    [[nodiscard]] pickled_id dtype_of_spec(pickled_id callable, std::span<const pickled_id> arguments);
    [[nodiscard]] pickled_id array_of_buffer(pickled_id callable, std::span<const pickled_id> arguments);
    [[nodiscard]] pickled_id scalar_of(pickled_id callable, std::span<const pickled_id> arguments);
    [[nodiscard]] pickled_id time_of(pickled_id callable, std::span<const pickled_id> arguments);
    /// Microseconds that a datetime.timezone is ahead of UTC.
    [[nodiscard]] std::int64_t offset_of_zone(pickled_id zone) const;
    [[nodiscard]] pickled_id path_of(pickled_id callable, std::span<const pickled_id> parts);
    [[nodiscard]] std::vector<std::uint64_t> shape_of(pickled_id id) const;
    void build_array(pickled_id object, std::span<const pickled_id> state);
    void build_dtype(pickled_id object, std::span<const pickled_id> state);
    /// A dtype as an npy header says it, of what numpy.dtype takes: text, or names, formats, offsets and itemsize.
    [[nodiscard]] std::string spec_text(pickled_id spec, std::size_t depth) const;
    void set_text(pickled_dtype& type, const std::string& text) const;
    [[nodiscard]] std::string struct_text(pickled_id names, pickled_id fields, std::int64_t item_size) const;

    pickled_values& values_;
    const core::byte_source& from_;
    bool opaque_;
    std::uint64_t at_;
};

}  // namespace ndkeep::detail

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#include <ndkeep/pickle/detail/dtypes.ipp>
#include <ndkeep/pickle/detail/globals.ipp>
#endif
