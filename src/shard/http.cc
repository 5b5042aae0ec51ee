// Plain HTTP: requests are read one after another, answered by the room's home, by the server's
// page or by its admin address.
#include "base/assert.h"
#include "codec/http/cors.h"
#include "codec/http/response_writer.h"
#include "codec/http/route.h"
#include "shard/letters.h"
#include "shard/shard.h"

#include <cerrno>
#include <ctime>

namespace ringroom::shard {

using codec::http::ReadStatus;
using connection::Deadline;
using connection::Record;
using connection::Stage;
namespace flag = connection::flag;

namespace {

std::uint64_t ns(std::chrono::nanoseconds duration) {
  return static_cast<std::uint64_t>(duration.count());
}

}  // namespace

std::string url_segment(std::string_view class_name) {
  return codec::http::kebab(class_name);
}

std::optional<std::string> url_path(std::string_view path) {
  return codec::http::normalise_path(path);
}

HttpSession* Shard::session_of(const Record& record) {
  const connection::Active* active = hub_.active(record);
  if (active == nullptr || active->session == connection::none) return nullptr;
  return &sessions_[active->session];
}

void Shard::end_session(std::uint32_t slot) {
  connection::Active* active = hub_.active(hub_.slab()[slot]);
  if (active == nullptr || active->session == connection::none) return;
  sessions_.destroy(std::exchange(active->session, connection::none));
  timers_.cancel(active->timer);
}

void Shard::on_receive_once(const Completion& completion) {
  const std::uint32_t slot = completion.tag.slot();
  Record* record = hub_.find(slot, completion.tag.generation());
  if (record == nullptr || record->stage == Stage::shutting) {
    if (completion.has_buffer) ring_->release(completion.buffer);
    return;
  }
  record->clear(flag::receiving | flag::receiving_once | flag::cancelling);
  if (completion.result <= 0) {
    if (completion.result == -ENOBUFS) {
      starved_.push_back({slot, record->generation});
    } else if (completion.result == 0) {
      peer_finished(slot, *record);
    } else if (completion.result != -ECANCELED) {
      connection_ended(slot, *record);
    } else if (wants_bytes(*record)) {
      arm(slot, *record);
    }
    return;
  }
  bytes_received_ += static_cast<std::uint64_t>(completion.result);
  if (record->stage == Stage::http) {
    read_requests(slot, completion.bytes());
  } else {
    take_frames(slot, *record, completion);
    const std::uint32_t generation = completion.tag.generation();
    if (record->generation == generation && record->stage != Stage::shutting &&
        wants_bytes(*record)) {
      arm(slot, *record);
    }
  }
  ring_->release(completion.buffer);
}

// Reads and answers until input or answers run out. Bytes that must wait are kept in the session.
void Shard::read_requests(std::uint32_t slot, std::span<const std::byte> arrived) {
  Record& record = hub_.slab()[slot];
  const std::uint32_t generation = record.generation;
  HttpSession* session = session_of(record);
  if (session == nullptr || session->reading) return;
  std::vector<std::byte> kept = std::exchange(session->input, {});
  if (!kept.empty()) kept.insert(kept.end(), arrived.begin(), arrived.end());
  std::span<const std::byte> input = kept.empty() ? arrived : std::span<const std::byte>(kept);
  session->reading = true;
  while (!session->answering) {
    // A client that pipelines and doesn't read waits for itself.
    if (hub_.buffered_bytes(record) >= config_.outbox_bytes_max) {
      hub_.flush_now();
      if (hub_.buffered_bytes(record) >= config_.outbox_bytes_max) {
        record.set(flag::was_full);
        break;
      }
    }
    const ReadStatus status = session->reader.feed(input);
    if (status == ReadStatus::need_more) {
      session->reading = false;
      return wait_for_request(slot);
    }
    if (status == ReadStatus::refused) {
      const codec::http::Refusal why = session->reader.refusal();
      return refuse(slot, Response::text(why.status, std::string(why.text)));
    }
    if (status == ReadStatus::head) {
      if (!on_head(slot, *session, input)) return;
      continue;
    }
    on_request(slot, *session);
    if (record.generation != generation || record.stage != Stage::http) return;
  }
  session->reading = false;
  session->input.assign(input.begin(), input.end());
}

void Shard::wait_for_request(std::uint32_t slot) {
  Record& record = hub_.slab()[slot];
  const HttpSession& session = *session_of(record);
  // One deadline for a whole request, and one for the pause between two.
  const connection::Active& active = *hub_.active(record);
  const bool handshake =
      active.timer.is_set() && active.timer.kind == static_cast<std::uint8_t>(Deadline::handshake);
  if (!active.timer.is_set() || (handshake && session.reader.has_body())) {
    hub_.set_deadline(slot, Deadline::keep_alive, turn_began_ns_ + ns(config_.keep_alive_timeout));
  }
  arm(slot, record);
}

// False if the connection is no HTTP connection any more.
bool Shard::on_head(std::uint32_t slot, HttpSession& session, std::span<const std::byte> behind) {
  if (session.reader.request().is_upgrade()) {
    upgrade(slot, session, behind);
    return false;
  }
  if (session.reader.expects_continue() && session.reader.has_body()) {
    hub_.send_raw(slot, std::as_bytes(std::span(codec::http::continue_response)));
  }
  return true;
}

void Shard::on_request(std::uint32_t slot, HttpSession& session) {
  ++requests_;
  Request request = session.reader.take_request();
  session.answering = true;
  session.keep_alive = session.reader.keep_alive();
  session.head_request = request.method() == "HEAD";
  session.http_1_0 = request.http_version() == "1.0";
  session.cors.clear();
  request.set_peer_address(ring_->peer_address(slot));
  Record& record = hub_.slab()[slot];
  hub_.clear_deadline(record);
  const std::uint32_t generation = record.generation;
  route_request(session, request)
      .then([this, slot,
             generation](Response response) { answer(slot, generation, std::move(response)); },
            [this, slot, generation](const std::string& why) {
              answer(slot, generation, Response::text(500, why));
            });
}

Deferred<Response> Shard::route_request(HttpSession& session, const Request& request) {
  if (session.is_admin) return config_.admin->handle(*this, request);
  Routed routed = router_.route(request);
  if (auto* to = std::get_if<Destination>(&routed)) {
    return ask_destination(session, std::move(*to), request);
  }
  if (auto* response = std::get_if<Response>(&routed)) return std::move(*response);
  if (const auto* close = std::get_if<CloseAfterAccept>(&routed)) {
    return Response::text(status_of(close->code), close->reason);
  }
  if (config_.site == nullptr) return Response::text(404, "Not found");
  return config_.site->handle(*this, request);
}

Deferred<Response> Shard::ask_destination(HttpSession& session,
                                          Destination to,
                                          const Request& request) {
  session.cors = std::move(to.cors);
  if (!session.cors.empty() && codec::http::is_cors_preflight(request)) {
    return Response::empty(200);
  }
  RequestDecision decision = router_.before_request(to, request);
  if (!decision) return ask_room(*to.info, to.room, request);
  if (auto* refusal = std::get_if<Response>(&*decision)) return std::move(*refusal);
  return ask_room(*to.info, to.room, std::get<Request>(*decision));
}

Deferred<Response> Shard::ask_room(const detail::AgentClassInfo& info,
                                   std::string_view room,
                                   const Request& request) {
  const unsigned home = fleet_.home_of(info.name, room);
  if (home == index_) return runtime_.find_or_make(info, room).request(request);
  const std::uint64_t ticket = next_ticket_++;
  const Deferred<Response> answer = asked_[ticket];
  post(home, std::make_unique<RequestLetter>(index_, ticket, info, std::string(room), request));
  return answer;
}

void Shard::answered(std::uint64_t ticket, Response response) {
  const auto found = asked_.find(ticket);
  ASSERT(found != asked_.end());
  const Deferred<Response> asked = found->second;
  asked_.erase(found);
  asked.resolve(std::move(response));
}

void Shard::answer(std::uint32_t slot, std::uint32_t generation, Response response) {
  Record* record = hub_.find(slot, generation);
  if (record == nullptr || record->stage != Stage::http) return;
  HttpSession* session = session_of(*record);
  if (session == nullptr || !session->answering) return;
  respond(slot, *session, std::move(response));
}

void Shard::respond(std::uint32_t slot, HttpSession& session, Response response) {
  codec::http::add_cors_headers(response, session.cors);
  const bool keep = session.keep_alive && !stopping_ && !codec::http::wants_close(response);
  std::string text;
  codec::http::write_response(text, response,
                              {.head_request = session.head_request,
                               .keep_alive = keep,
                               .http_1_0 = session.http_1_0,
                               .date = http_date()});
  hub_.send_raw(slot, std::as_bytes(std::span(text)));
  session.answering = false;
  if (!keep) {
    end_session(slot);
    hub_.finish(slot, true);
    return arm(slot, hub_.slab()[slot]);
  }
  // Further up the stack the loop goes on by itself.
  if (!session.reading) read_requests(slot, {});
}

// An answer that ends the connection.
void Shard::refuse(std::uint32_t slot, const Response& response) {
  std::string text;
  codec::http::write_response(text, response, {.keep_alive = false, .date = http_date()});
  hub_.send_raw(slot, std::as_bytes(std::span(text)));
  end_session(slot);
  hub_.finish(slot, true);
  arm(slot, hub_.slab()[slot]);
}

std::string_view Shard::http_date() {
  if (turn_began_ns_ < date_until_ns_) return date_;
  const auto seconds = static_cast<std::time_t>(runtime_.wall_ms() / 1000);
  std::tm broken_down{};
  gmtime_r(&seconds, &broken_down);
  char text[64];
  const std::size_t bytes =
      std::strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &broken_down);
  date_.assign(text, bytes);
  date_until_ns_ = turn_began_ns_ + 500'000'000;
  return date_;
}

}  // namespace ringroom::shard
