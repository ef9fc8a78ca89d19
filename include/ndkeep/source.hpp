// SPDX-License-Identifier: BSD-3-Clause
// All function bodies of ndkeep. With NDKEEP_SEPARATE_COMPILATION, one source file of a program includes this.
#pragma once

#if !defined(NDKEEP_SEPARATE_COMPILATION)
#error "define NDKEEP_SEPARATE_COMPILATION for all sources of the program, or leave <ndkeep/source.hpp> out"
#endif

#include <ndkeep/error.ipp>

#include <ndkeep/os/directory.ipp>
#include <ndkeep/os/file.ipp>
#include <ndkeep/os/locks/byte_locks.ipp>
#include <ndkeep/os/locks/lease.ipp>
#include <ndkeep/os/locks/writer_lock.ipp>
#include <ndkeep/os/mapping.ipp>
#include <ndkeep/os/names.ipp>
#include <ndkeep/os/page_tracker.ipp>
#include <ndkeep/os/process.ipp>
#include <ndkeep/os/replace.ipp>

#include <ndkeep/work/alongside.ipp>
#include <ndkeep/work/parallel.ipp>
#include <ndkeep/work/progress.ipp>
#include <ndkeep/work/progress_bar.ipp>

#include <ndkeep/text/json/nonfinite.ipp>
#include <ndkeep/text/json/parser.ipp>
#include <ndkeep/text/json/print.ipp>
#include <ndkeep/text/json/scanner.ipp>
#include <ndkeep/text/python/literal.ipp>
#include <ndkeep/text/python/scanner.ipp>
#include <ndkeep/text/unicode.ipp>

#include <ndkeep/bytes/checksum.ipp>
#include <ndkeep/bytes/crc.ipp>
#include <ndkeep/bytes/deflate.ipp>
#include <ndkeep/bytes/md5.ipp>

#include <ndkeep/format/dtype.ipp>
#include <ndkeep/format/dtype_parser.ipp>
#include <ndkeep/format/dtype_words.ipp>
#include <ndkeep/format/finding.ipp>
#include <ndkeep/format/foreign.ipp>
#include <ndkeep/format/header.ipp>
#include <ndkeep/format/sidecar.ipp>
#include <ndkeep/format/statistics.ipp>
#include <ndkeep/format/zip/code_page.ipp>
#include <ndkeep/format/zip/directory.ipp>
#include <ndkeep/format/zip/entry.ipp>
#include <ndkeep/format/zip/records.ipp>
#include <ndkeep/format/zip/scan.ipp>

#include <ndkeep/element/convert.ipp>
#include <ndkeep/element/fields.ipp>
#include <ndkeep/element/padding.ipp>
#include <ndkeep/element/strided.ipp>
#include <ndkeep/element/text.ipp>
#include <ndkeep/element/time_cast.ipp>

#include <ndkeep/array/any.ipp>
#include <ndkeep/array/blocks.ipp>
#include <ndkeep/array/in_place.ipp>
#include <ndkeep/array/reader.ipp>
#include <ndkeep/array/view.ipp>

#include <ndkeep/statistics/block.ipp>
#include <ndkeep/statistics/digest.ipp>
#include <ndkeep/statistics/running_statistics.ipp>
#include <ndkeep/statistics/statistics_of.ipp>

#include <ndkeep/store/cached_place.ipp>
#include <ndkeep/store/commit.ipp>
#include <ndkeep/store/commit_attempt.ipp>
#include <ndkeep/store/commit_steps.ipp>
#include <ndkeep/store/edit.ipp>
#include <ndkeep/store/layout.ipp>
#include <ndkeep/store/log.ipp>
#include <ndkeep/store/place.ipp>
#include <ndkeep/store/record/record.ipp>
#include <ndkeep/store/record/table.ipp>
#include <ndkeep/store/staged_files.ipp>
#include <ndkeep/store/state.ipp>
#include <ndkeep/store/upkeep.ipp>

#include <ndkeep/npy/detail/append.ipp>
#include <ndkeep/npy/detail/describe.ipp>
#include <ndkeep/npy/detail/grow.ipp>
#include <ndkeep/npy/detail/inspect.ipp>
#include <ndkeep/npy/detail/load.ipp>
#include <ndkeep/npy/detail/map.ipp>
#include <ndkeep/npy/detail/next_name.ipp>
#include <ndkeep/npy/detail/recover.ipp>
#include <ndkeep/npy/detail/save.ipp>
#include <ndkeep/npy/detail/sidecar_file.ipp>

#include <ndkeep/npz/detail/archive.ipp>
#include <ndkeep/npz/detail/member.ipp>
#include <ndkeep/npz/detail/member_writer.ipp>
#include <ndkeep/npz/detail/metadata.ipp>
#include <ndkeep/npz/detail/output.ipp>
#include <ndkeep/npz/detail/packed.ipp>
#include <ndkeep/npz/detail/reader.ipp>
#include <ndkeep/npz/detail/recover.ipp>
#include <ndkeep/npz/detail/verify.ipp>
#include <ndkeep/npz/detail/writer.ipp>

#include <ndkeep/tree/detail/braces.ipp>
#include <ndkeep/tree/detail/document.ipp>
#include <ndkeep/tree/detail/key_index.ipp>
#include <ndkeep/tree/detail/leaf.ipp>
#include <ndkeep/tree/detail/print.ipp>
#include <ndkeep/tree/detail/save.ipp>
#include <ndkeep/tree/detail/tree.ipp>

#include <ndkeep/pickle/detail/conversion.ipp>
#include <ndkeep/pickle/detail/dtypes.ipp>
#include <ndkeep/pickle/detail/globals.ipp>
#include <ndkeep/pickle/detail/labels.ipp>
#include <ndkeep/pickle/detail/load.ipp>
#include <ndkeep/pickle/detail/machine.ipp>
#include <ndkeep/pickle/detail/numerals.ipp>
#include <ndkeep/pickle/detail/objects.ipp>
#include <ndkeep/pickle/detail/pandas.ipp>
#include <ndkeep/pickle/detail/save.ipp>
#include <ndkeep/pickle/detail/stream.ipp>
#include <ndkeep/pickle/detail/values.ipp>

#include <ndkeep/bridges/detail/arrow.ipp>
#include <ndkeep/bridges/detail/arrow_export.ipp>
#include <ndkeep/bridges/detail/arrow_import.ipp>
#include <ndkeep/bridges/detail/arrow_values.ipp>
#include <ndkeep/bridges/detail/dlpack_tensor.ipp>
#include <ndkeep/bridges/detail/foreign_array.ipp>

#include <ndkeep/chunks/detail/collection/folders.ipp>
#include <ndkeep/chunks/detail/collection/key.ipp>
#include <ndkeep/chunks/detail/collection/places.ipp>
#include <ndkeep/chunks/detail/collection/store.ipp>
#include <ndkeep/chunks/detail/collection/upkeep.ipp>
#include <ndkeep/chunks/detail/file.ipp>
#include <ndkeep/chunks/detail/files.ipp>
#include <ndkeep/chunks/detail/gather.ipp>
#include <ndkeep/chunks/detail/gather_plan.ipp>
#include <ndkeep/chunks/detail/in_step.ipp>
#include <ndkeep/chunks/detail/in_step/late.ipp>
#include <ndkeep/chunks/detail/in_step/participant.ipp>
#include <ndkeep/chunks/detail/in_step/plan.ipp>
#include <ndkeep/chunks/detail/in_step/reading.ipp>
#include <ndkeep/chunks/detail/key.ipp>
#include <ndkeep/chunks/detail/keys.ipp>
#include <ndkeep/chunks/detail/location.ipp>
#include <ndkeep/chunks/detail/memory_place.ipp>
#include <ndkeep/chunks/detail/merge.ipp>
#include <ndkeep/chunks/detail/order.ipp>
#include <ndkeep/chunks/detail/ordered/codes.ipp>
#include <ndkeep/chunks/detail/ordered/cutter.ipp>
#include <ndkeep/chunks/detail/ordered/key_numbers.ipp>
#include <ndkeep/chunks/detail/ordered/merge_again.ipp>
#include <ndkeep/chunks/detail/ordered/merge_rows.ipp>
#include <ndkeep/chunks/detail/ordered/unique.ipp>
#include <ndkeep/chunks/detail/reader.ipp>
#include <ndkeep/chunks/detail/row_form.ipp>
#include <ndkeep/chunks/detail/save.ipp>
#include <ndkeep/chunks/detail/session.ipp>
#include <ndkeep/chunks/detail/session_by_key.ipp>
#include <ndkeep/chunks/detail/verify.ipp>
#include <ndkeep/chunks/detail/version.ipp>

#include <ndkeep/database/detail/abort.ipp>
#include <ndkeep/database/detail/apply.ipp>
#include <ndkeep/database/detail/array_changes.ipp>
#include <ndkeep/database/detail/array_rebase.ipp>
#include <ndkeep/database/detail/array_undo.ipp>
#include <ndkeep/database/detail/commit.ipp>
#include <ndkeep/database/detail/control.ipp>
#include <ndkeep/database/detail/database.ipp>
#include <ndkeep/database/detail/layout.ipp>
#include <ndkeep/database/detail/log.ipp>
#include <ndkeep/database/detail/optimistic.ipp>
#include <ndkeep/database/detail/record.ipp>
#include <ndkeep/database/detail/session.ipp>
#include <ndkeep/database/detail/snapshot.ipp>
#include <ndkeep/database/detail/stored_array.ipp>
#include <ndkeep/database/detail/verify.ipp>

#include <ndkeep/operators/detail/as_of.ipp>
#include <ndkeep/operators/detail/as_of/groups.ipp>
#include <ndkeep/operators/detail/as_of/keys.ipp>
#include <ndkeep/operators/detail/as_of/match.ipp>
#include <ndkeep/operators/detail/as_of/stream.ipp>
#include <ndkeep/operators/detail/as_of/windows.ipp>
#include <ndkeep/operators/detail/as_of_groups.ipp>
#include <ndkeep/operators/detail/rolling/sums.ipp>
#include <ndkeep/operators/detail/rolling/window.ipp>
#include <ndkeep/operators/detail/row_memory.ipp>
#include <ndkeep/operators/detail/segments/bins.ipp>
#include <ndkeep/operators/detail/segments/column.ipp>
#include <ndkeep/operators/detail/segments/column_results.ipp>
#include <ndkeep/operators/detail/segments/lanes.ipp>
#include <ndkeep/operators/detail/segments/quantile.ipp>
#include <ndkeep/operators/detail/segments/reducer.ipp>
#include <ndkeep/operators/detail/segments/segmenter.ipp>
#include <ndkeep/operators/detail/segments/segmenter_plan.ipp>
#include <ndkeep/operators/detail/side_by_side.ipp>
#include <ndkeep/operators/detail/state.ipp>

#include <ndkeep/loop/detail/checkpoint.ipp>
#include <ndkeep/loop/detail/core.ipp>
#include <ndkeep/loop/detail/database_memory.ipp>
#include <ndkeep/loop/detail/loop_buffer.ipp>
#include <ndkeep/loop/detail/npy_output.ipp>
#include <ndkeep/loop/detail/options.ipp>
#include <ndkeep/loop/detail/sink.ipp>
#include <ndkeep/loop/detail/source/feed.ipp>
#include <ndkeep/loop/detail/source/in_step.ipp>
#include <ndkeep/loop/detail/source/passed.ipp>
#include <ndkeep/loop/detail/state.ipp>
#include <ndkeep/loop/detail/state/slots.ipp>
#include <ndkeep/loop/detail/state/snapshot.ipp>
