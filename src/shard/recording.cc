// Recordings of rooms: what they say, and how a shard begins and ends one.
#include "shard/recording.h"

#include "codec/envelope/base64.h"
#include "ringroom/json.h"
#include "shard/letters.h"
#include "shard/shard.h"

#include <utility>

namespace ringroom::shard {

namespace {

// Left for the last line.
constexpr std::size_t end_bytes = 64;
constexpr std::string_view content_type = "application/x-ndjson";

}  // namespace

Recording::Recording(RecordingOrder order, std::uint64_t now_ns)
    : order_(std::move(order)), begin_ns_(now_ns) {
  text_ = json{{"recording", 1}, {"class", order_.info.name}, {"room", order_.room}}.dump() + "\n";
}

bool Recording::take(std::uint64_t member,
                     std::span<const std::byte> message,
                     bool is_text,
                     std::uint64_t now_ns) {
  const std::size_t number = members_.try_emplace(member, members_.size()).first->second;
  line_ = R"({"at_us":)" + std::to_string(microseconds(now_ns)) + R"(,"from":)" +
          std::to_string(number);
  if (is_text) {
    const std::string text(reinterpret_cast<const char*>(message.data()), message.size());
    line_ += R"(,"text":)" + json(text).dump();
  } else {
    encoded_.clear();
    codec::envelope::append_base64(encoded_, message);
    line_ += R"(,"base64":")";
    line_.append(reinterpret_cast<const char*>(encoded_.data()), encoded_.size());
    line_ += '"';
  }
  line_ += "}\n";
  if (text_.size() + line_.size() + end_bytes > order_.bytes_max) return false;
  text_ += line_;
  return true;
}

std::string Recording::finish(std::string_view why, std::uint64_t now_ns) {
  text_ += json{{"at_us", microseconds(now_ns)}, {"end", why}}.dump() + "\n";
  return std::move(text_);
}

// ---- of the shard that is asked

Deferred<Response> Shard::record(const detail::AgentClassInfo& info,
                                 std::string room,
                                 std::size_t bytes_max,
                                 std::chrono::milliseconds length) {
  const std::uint64_t ticket = next_ticket_++;
  const Deferred<Response> answer = asked_[ticket];
  const unsigned home = fleet_.home_of(info.name, room);
  const std::chrono::nanoseconds length_ns = length;
  post(home, std::make_unique<RecordLetter>(
                 RecordingOrder{info, std::move(room), bytes_max,
                                static_cast<std::uint64_t>(length_ns.count()), index_, ticket}));
  return answer;
}

void Shard::stop_recording(const detail::AgentClassInfo& info, const std::string& room) {
  post(fleet_.home_of(info.name, room), std::make_unique<StopRecordingLetter>(info, room));
}

// ---- of the room's home

void Shard::start_recording(RecordingOrder order) {
  if (recording_ != nullptr) {
    return post(order.from, std::make_unique<ResponseLetter>(
                                order.ticket, Response::text(409,
                                                             "A room of this shard is being "
                                                             "recorded already")));
  }
  recording_ = std::make_unique<Recording>(std::move(order), ring_->now_ns());
  if (recording_->order().length_ns == 0) return end_recording("time");
  timers_.set(recording_timer_, recording_->ends_ns());
}

void Shard::record_message(std::uint32_t slot,
                           const connection::Record& record,
                           std::span<const std::byte> message,
                           bool is_text) {
  const detail::Host& host = runtime_.host(record.room);
  if (!recording_->is_of(host.info().name, host.name())) return;
  const std::uint64_t member = std::uint64_t{record.generation} << 32U | slot;
  if (!recording_->take(member, message, is_text, ring_->now_ns())) end_recording("full");
}

void Shard::end_recording(std::string_view why) {
  if (recording_ == nullptr) return;
  timers_.cancel(recording_timer_);
  const std::unique_ptr<Recording> ended = std::exchange(recording_, nullptr);
  const RecordingOrder& order = ended->order();
  post(order.from,
       std::make_unique<ResponseLetter>(
           order.ticket, Response::bytes(200, content_type, ended->finish(why, ring_->now_ns()))));
}

void Shard::end_recording_of(std::string_view class_name, std::string_view room) {
  if (recording_ != nullptr && recording_->is_of(class_name, room)) end_recording("stopped");
}

}  // namespace ringroom::shard
