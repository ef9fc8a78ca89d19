// SPDX-License-Identifier: BSD-3-Clause
// Thousands of random operations, compared with the same operations on plain bytes in memory.
#include "chunks/dataset.hpp"

#include <optional>
#include <random>

namespace chunks_model_tests {

namespace nk = ndkeep;
using namespace dataset;

namespace {

using rows = xt::xtensor<std::uint8_t, 2>;

/// A dataset and its expected content. Each operation changes both.
class twins {
  public:
    twins(const std::filesystem::path& path, std::size_t row_bytes, std::size_t per_chunk, unsigned seed)
        : path_(path), row_bytes_(row_bytes), per_chunk_(per_chunk), random_(seed) {
        nk::save_chunked(path_, made(committed_), save_options());
        reopen();
    }

    void step() {
        const std::size_t rows_now = work_.size() / row_bytes_;
        const auto dice = below(100);
        if (dice < 32) {
            // Sometimes more rows than a chunk; also as an expression, which is evaluated block by block.
            const auto block = noise(below(10) == 0 ? below(3 * per_chunk_) : below(per_chunk_ + 2));
            if (below(2) == 0)
                writer_->append(block);
            else
                writer_->append(xt::cast<std::uint8_t>(block + 0));
            work_.insert(work_.end(), block.begin(), block.end());
        } else if (dice < 52) {
            const std::size_t first = below(rows_now + 1);
            const auto block = noise(below(std::min(rows_now - first, 3 * per_chunk_) + 1));
            writer_->write(first, block);
            std::copy(block.begin(), block.end(), work_.begin() + static_cast<std::ptrdiff_t>(first * row_bytes_));
        } else if (dice < 60) {
            const std::size_t most = 12 * per_chunk_;
            const std::size_t wanted = below(4) == 0 || rows_now > most ? below(most) : near(rows_now);
            writer_->resize(wanted);
            work_.resize(wanted * row_bytes_);
        } else if (dice < 84) {
            writer_->commit();
            committed_ = work_;
            check();
        } else if (dice < 88) {
            writer_->discard();
            work_ = committed_;
        } else if (dice < 92) {
            reopen();
        } else if (dice < 95) {
            writer_.reset();
            nk::compact_chunked(path_, {.rows_per_chunk = per_chunk_, .commit = rules()});
            check();
            reopen();
        } else if (dice < 98) {
            (void)nk::prune_chunked(path_, {.keep = 1 + below(4)});
        } else {
            writer_.reset();
            const auto block = noise(below(6 * per_chunk_));
            committed_.assign(block.begin(), block.end());
            nk::save_chunked(path_, block, save_options());
            check();
            reopen();
        }
        if (writer_->rows() != work_.size() / row_bytes_)
            FAIL("rows() is " << writer_->rows() << ", not " << work_.size() / row_bytes_);
    }

    void check() {
        ++checks_;
        check_rows(path_, made(committed_));
    }
    [[nodiscard]] std::size_t checks() const { return checks_; }

  private:
    void reopen() {
        writer_.reset();
        writer_.emplace(path_, nk::chunk_writer_options{.rows_per_chunk = per_chunk_, .commit = rules()});
        work_ = committed_;
    }
    [[nodiscard]] nk::commit_rules rules() { return {.sync = false, .keep = 1 + below(20)}; }
    [[nodiscard]] nk::save_chunked_options save_options() { return {.rows_per_chunk = per_chunk_, .commit = rules()}; }
    [[nodiscard]] std::size_t below(std::size_t end) { return end == 0 ? 0 : random_() % end; }
    [[nodiscard]] std::size_t near(std::size_t number) {
        const std::size_t moved = number + below(2 * per_chunk_ + 2);
        return moved - std::min(moved, per_chunk_ + 1);
    }
    [[nodiscard]] rows noise(std::size_t count) {
        rows block(std::array<std::size_t, 2>{count, row_bytes_});
        auto word = static_cast<std::uint32_t>(random_());
        for (auto& byte : block)
            byte = static_cast<std::uint8_t>((word = word * 1664525 + 1013904223) >> 24);
        return block;
    }
    [[nodiscard]] rows made(const std::vector<std::uint8_t>& bytes) const {
        rows array(std::array<std::size_t, 2>{bytes.size() / row_bytes_, row_bytes_});
        std::copy(bytes.begin(), bytes.end(), array.begin());
        return array;
    }

    std::filesystem::path path_;
    std::size_t row_bytes_, per_chunk_;
    std::minstd_rand random_;
    std::vector<std::uint8_t> committed_, work_;
    std::optional<nk::chunk_writer<std::uint8_t, 2>> writer_;
    std::size_t checks_ = 0;
};

void run_steps(std::size_t row_bytes, std::size_t per_chunk, std::size_t steps, unsigned seed) {
    const temp_dir dir;
    INFO(row_bytes << " bytes a row, " << per_chunk << " rows a chunk, seed " << seed);
    twins both(dir / "a", row_bytes, per_chunk, seed);
    for (std::size_t i = 0; i < steps; ++i) {
        INFO("step " << i);
        both.step();
    }
    CHECK(both.checks() > steps / 8);
}

}  // namespace

TEST_CASE("random operations on short chunks give what plain memory gives", "[chunks]") {
    for (const std::size_t row_bytes : {3U, 24U})
        for (std::size_t per_chunk = 1; per_chunk <= 7; ++per_chunk)
            run_steps(row_bytes, per_chunk, 120, static_cast<unsigned>(per_chunk * 100 + row_bytes));
}

TEST_CASE("random operations on chunks that are mapped give what plain memory gives", "[chunks]") {
    run_steps(3, 6000, 60, 1);
    run_steps(24, 700, 120, 2);
    run_steps(4096 + 8, 4, 120, 3);
    run_steps(4096 + 8, 7, 120, 4);
    run_steps(20'001, 1, 120, 5);
    run_steps(1, 16'384, 60, 6);
}

}  // namespace chunks_model_tests
