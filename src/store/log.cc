#include "store/log.h"

#include "base/assert.h"
#include "base/log.h"
#include "store/log_format.h"

#include <algorithm>
#include <utility>

namespace ringroom::store {

Log::Log(Helper& helper, std::uint64_t segment_bytes, std::size_t unit)
    : helper_(helper), segment_bytes_(segment_bytes), unit_(unit) {}

void Log::ask_for_segment(std::uint64_t bytes) {
  if (std::exchange(asked_, true)) return;
  helper_.make(desk_, bytes);
}

void Log::retire(std::optional<std::uint64_t> cut) {
  if (!current_) return;
  ++retired_;
  helper_.write_back(desk_, *std::exchange(current_, std::nullopt), durable_, cut);
}

std::optional<LogWrite> Log::next_write() {
  if (filling_.empty() || !writing_.empty() || !trouble_.empty()) return std::nullopt;
  const std::uint64_t bytes = whole_blocks(filling_.size());
  if (current_ && end_ + bytes > current_->bytes) retire(std::nullopt);
  if (!current_) {
    if (spare_ && block_bytes + bytes > spare_->bytes) {
      // Larger than a segment: this one is given back for one that holds it.
      ++retired_;
      helper_.write_back(desk_, *std::exchange(spare_, std::nullopt), durable_, std::nullopt);
    }
    if (!spare_) {
      if (!no_spare_.empty()) fail(no_spare_);
      ask_for_segment(std::max(segment_bytes_, block_bytes + bytes));
      return std::nullopt;
    }
    current_ = std::exchange(spare_, std::nullopt);
    end_ = block_bytes;
    records_ = 0;
    ask_for_segment(segment_bytes_);
  }
  std::swap(filling_, writing_);
  filling_.clear();
  ++filling_number_;
  records_after_ = seal_batch(writing_, unit_, current_->generation, records_);
  return LogWrite{
      .descriptor = current_->file.descriptor(), .bytes = writing_.bytes(), .offset = end_};
}

void Log::written(int failure) {
  ASSERT(!writing_.empty() && current_);
  if (failure != 0) return fail(store::trouble("cannot write", current_->path, failure));
  end_ += writing_.size();
  records_ = records_after_;
  writing_.clear();
  durable_ = filling_number_ - 1;
}

// The failed batch may lie on the disk in part or whole, and must not be found there later: the
// helper cuts it off before anything else is written.
void Log::fail(Trouble why) {
  trouble_ = std::move(why);
  base::log_error("storage: " + trouble_ + "; rooms that wrote are set back to what is on disk");
  writing_.clear();
  filling_.clear();
  ++filling_number_;
  retire(end_);
}

LogNews Log::read_answers() {
  LogNews news;
  if (!desk_->has_answers()) return news;
  for (Answer& answer : desk_->take()) {
    const bool succeeded = answer.failure.empty();
    if (answer.kind == Answer::Kind::made) {
      no_spare_ = std::move(answer.failure);
      if (!succeeded) continue;
      asked_ = false;
      spare_ = std::move(answer.segment);
    } else if (answer.kind == Answer::Kind::written_back && succeeded) {
      --retired_;
      ++news.segments;
      news.written_back = answer.last_batch;
    }
    if (answer.kind != Answer::Kind::made && succeeded) news.behind = std::move(answer.behind);
  }
  // All that is durable stands in the files, so that rooms can go on from there.
  if (!trouble_.empty() && retired_ == 0 && spare_) {
    base::log_info("storage: it can be written again");
    trouble_.clear();
    news.healed = true;
  }
  return news;
}

void Log::finish() {
  ASSERT(is_idle() || !trouble_.empty());
  retire(std::nullopt);
  if (!spare_) return;
  current_ = std::exchange(spare_, std::nullopt);
  retire(std::nullopt);
}

}  // namespace ringroom::store
