// The end of a turn for what was written in it: one commit for each room, one write of the log for
// all of them, carried out by the ring, and the frames that waited for the write before.
#include "shard/shard.h"

#include <cerrno>

namespace ringroom::shard {

using reactor::Op;
using reactor::Tag;

// Before the flush, so that what need not wait leaves with this turn.
void Shard::commit_writes() {
  store_.read_answers();
  if (store_.has_turn()) runtime_.commit_turn();
  if (const auto write = store_.next_write()) {
    log_write_bytes_ = write->bytes.size();
    ring_->write_durably(write->descriptor, write->bytes, write->offset, Tag::of(Op::log_write, 0));
  }
  runtime_.open_gates();
}

void Shard::on_log_write(const Completion& completion) {
  const bool whole = completion.result == static_cast<std::int64_t>(log_write_bytes_);
  store_.written(whole ? 0 : completion.result < 0 ? -completion.result : EIO);
}

// The helper has done something, which commit_writes() looks at.
void Shard::await_helper() {
  if (store_.event() < 0) return;
  ring_->read_event(store_.event(), &helper_counter_, Tag::of(Op::event, helper_event));
}

}  // namespace ringroom::shard
