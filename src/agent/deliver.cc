// Events of connections and requests, on their way into the agent.
#include "agent/guard.h"
#include "base/assert.h"
#include "base/log.h"
#include "codec/agents/client_frame.h"
#include "codec/http/response_writer.h"
#include "codec/ws/close.h"

#include <algorithm>

namespace ringroom::detail {

using connection::Record;
using connection::Stage;

namespace {

// How long JavaScript finds a text: each byte that starts a character, and once more if that one
// lies beyond U+FFFF.
std::size_t utf16_units(std::string_view text) {
  std::size_t units = 0;
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    if ((byte & 0xc0U) != 0x80U) ++units;
    if (byte >= 0xf0U) ++units;
  }
  return units;
}

void check_tag(std::string_view tag) {
  if (tag.empty()) throw std::invalid_argument("A connection tag must not be an empty string.");
  if (utf16_units(tag) > limits::tag_bytes_max) {
    throw std::length_error("A connection tag must not exceed 256 characters");
  }
  if (tag.size() > limits::tag_bytes_max) {
    throw std::length_error('"' + std::string(tag) +
                            "\" is longer than the max tag length (256 characters).");
  }
}

// The room's limits for tags, in the order and the words of the Agents SDK (agents-wire §2), whose
// characters are UTF-16 units; then that of the runtime below it, which counts bytes.
void check_tags(std::string_view id, const std::vector<std::string>& more_tags) {
  if (more_tags.size() + 1 > limits::tags_max) {
    throw std::length_error("A connection can only have 10 tags, including the default id tag.");
  }
  check_tag(id);
  for (const std::string& tag : more_tags) check_tag(tag);
}

std::string connection_id(const Request& request, base::Random& random) {
  std::optional<std::string> given = request.query("_pk");
  if (!given || given->empty()) return random.nanoid();
  return *std::move(given);
}

// What a client is told when the agent's on_error took care of the failure.
const std::string unexplained_error = "Internal Server Error";

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

bool Host::write_identity(Record& record,
                          const Request& request,
                          const std::vector<std::string>& more_tags) {
  std::string_view url = request.url();
  url.remove_prefix(std::string_view("http://").size());
  const std::size_t path = std::min(url.find('/'), url.size());
  std::string id;
  if (record.details == connection::none) {
    id = connection_id(request, runtime_.random());
  } else {
    id = connection::Details(hub().blobs(), record.details).id();
  }
  const auto written = connection::write_details(
      hub().blobs(), hub().host_names(),
      {.host = url.substr(0, path), .target = url.substr(path), .id = id, .more_tags = more_tags});
  if (!written) return false;
  if (record.details != connection::none) hub().blobs().free(record.details);
  record.details = *written;
  return true;
}

// on_start, connection_tags, 101, on_connect: a session is set up, or the client is told why not.
void Host::connect(const agent_runtime::Upgrade& upgrade) {
  touch();
  Record& record = hub().slab()[upgrade.slot];
  hub().join(room_, upgrade.slot, this);
  if (may_gather(record)) runtime_.gathering().join(info_.options.gather_ms);
  if (!set_up(record, upgrade)) return refuse_session(record, upgrade);
  if (agent() != nullptr) start_ticks();
}

bool Host::fail_setup(std::string_view why) {
  runtime_.scratch().setup_failure = why;
  runtime_.scratch().error_passed_on = true;
  return false;
}

// False if the client is to be refused; scratch().setup_failure says why. What a callback throws
// that another one caused (on_state_changed by a set_state) is reported, and refuses nobody.
bool Host::set_up(Record& record, const agent_runtime::Upgrade& upgrade) {
  if (!write_identity(record, upgrade.request, {})) {
    return fail_setup("the server has no room for this connection's URI");
  }
  if (agent() == nullptr && !wake()) return false;
  Connection& guest = group_.members[record.member];
  const ConnectionContext context(*this, guest, upgrade.request);
  std::vector<std::string> tags;
  const bool tagged = guard("connection_tags", &guest, [&] {
    tags = awake_->agent->connection_tags(guest, context);
    std::erase(tags, guest.id());
    check_tags(guest.id(), tags);
  });
  if (!tagged) return false;
  if (!tags.empty() && !write_identity(record, upgrade.request, tags)) {
    return fail_setup("the server has no room for this connection's tags");
  }
  if (upgrade.deflate) {
    record.set(connection::flag::deflate);
    record.window_bits = upgrade.window_bits & 15U;
  }
  agree_on_batching(record, upgrade.batch_format);
  hub().send_raw(upgrade.slot, bytes_of(upgrade.switching_protocols));
  hub().accept(record);
  if (info_.options.duplicate_ids == DuplicateIds::replace) close_duplicates(guest);
  if (!guard("session setup", &guest, [&] { begin_session(guest, context); })) return false;
  return guard("on_connect", &guest, [&] { awake_->agent->on_connect(guest, context); });
}

// The handshake succeeds, so that the client learns why: one error frame and 1011 (agents-wire §6).
// An agent that has an on_error of its own keeps the reason to itself: 500.
void Host::refuse_session(Record& record, const agent_runtime::Upgrade& upgrade) {
  if (record.stage == Stage::http) {
    hub().accept(record);
  } else {
    hub().discard_unsent(record);
  }
  if (record.stage == Stage::open && !runtime_.scratch().error_passed_on) {
    hub().mark_closing(upgrade.slot);
    std::string refusal;
    codec::http::write_response(refusal, Response::text(500, unexplained_error),
                                {.keep_alive = false});
    hub().send_raw(upgrade.slot, bytes_of(refusal));
  } else if (record.stage == Stage::open) {
    hub().send_raw(upgrade.slot, bytes_of(upgrade.switching_protocols));
    const std::string error = json{{"error", runtime_.scratch().setup_failure}}.dump(
        -1, ' ', false, json::error_handler_t::replace);
    hub().send(upgrade.slot, codec::ws::Opcode::text, bytes_of(error));
    hub().mark_closing(upgrade.slot);
    hub().queue_close_frame(upgrade.slot, 1011, "Uncaught exception during session setup");
  }
  leave(record);
  hub().finish(upgrade.slot, true);
}

void Host::deliver(std::uint32_t member, Message message) {
  ++runtime_.counts().messages_received;
  bytes_received_ += message.size();
  if (settings_ != nullptr || agent() == nullptr) [[unlikely]]
    return deliver_with_care(member, message);
  touch();
  give(member, message);
}

// An automatic answer leaves the agent asleep.
void Host::deliver_with_care(std::uint32_t member, Message message) {
  if (settings_ != nullptr && answers_automatically(member, message)) return;
  touch();
  if (agent() == nullptr) {
    if (must_wait()) return hold(member, message);
    if (!wake()) return;
  }
  give(member, message);
}

void Host::give(std::uint32_t member, Message message) {
  if (info_.reads_frames() && message.is_text() &&
      codec::agents::may_be_client_frame(message.text()) && handle_frame(member, message.text())) {
    return;
  }
  Connection& from = group_.members[member];
  guard("on_message", &from, [&] { awake_->agent->on_message(from, message); });
}

void Host::call_on_close(Connection& member,
                         std::uint16_t code,
                         std::string_view reason,
                         bool clean) {
  touch();
  if (agent() == nullptr && !wake()) return;
  guard("on_close", &member,
        [&] { awake_->agent->on_close(member, close_code(code), reason, clean); });
}

void Host::closed_by_peer(Record& record, std::uint16_t code, std::string_view reason) {
  if (must_wait()) {
    return put_off(record, [code, text = std::string(reason)](Host& host, Record& again) {
      host.closed_by_peer(again, code, text);
    });
  }
  Connection& member = group_.members[record.member];
  const std::uint32_t slot = ConnectionAccess::slot(member);
  const bool peer_was_first = record.stage == Stage::open;
  if (peer_was_first) {
    flush_last(member);
    hub().mark_closing(slot);
    // Known codes are echoed; an empty frame is answered by an empty one.
    runtime_.scratch().closing_reply = agent_runtime::ClosingReply{
        slot,
        code == number(CloseCode::no_status) ? std::nullopt : std::optional<std::uint16_t>(code),
        std::string(reason)};
  }
  if (!peer_was_first) runtime_.scratch().closed_slot = slot;
  call_on_close(member, code, reason, true);
  runtime_.scratch().closed_slot = connection::none;
  if (peer_was_first) {
    const auto reply = std::exchange(runtime_.scratch().closing_reply, std::nullopt);
    hub().queue_close_frame(slot, reply->code, reply->reason);
  }
  leave(record);
  hub().finish(slot, false);
}

void Host::lost(Record& record) {
  if (must_wait()) {
    return put_off(record, [](Host& host, Record& again) { host.lost(again); });
  }
  Connection& member = group_.members[record.member];
  const std::uint32_t slot = ConnectionAccess::slot(member);
  hub().mark_closing(slot);
  call_on_close(member, number(CloseCode::abnormal),
                "WebSocket disconnected without sending Close frame.", false);
  leave(record);
  hub().close_file(slot);
}

void Host::failed(Record& record, std::uint16_t code, std::string_view reason) {
  if (must_wait()) {
    return put_off(record, [code, text = std::string(reason)](Host& host, Record& again) {
      host.failed(again, code, text);
    });
  }
  Connection& member = group_.members[record.member];
  const std::uint32_t slot = ConnectionAccess::slot(member);
  const bool say = record.stage == Stage::open;
  hub().mark_closing(slot);
  touch();
  if (agent() != nullptr || wake()) {
    const Error error("protocol", reason);
    guard("on_error", nullptr, [&] { awake_->agent->on_error(member, error); });
  }
  call_on_close(member, code, reason, false);
  if (say) hub().queue_close_frame(slot, code, reason);
  leave(record);
  hub().finish(slot, true);
}

void Host::drained(Record& record) {
  if (record.stage != Stage::open || agent() == nullptr) return;
  touch();
  Connection& member = group_.members[record.member];
  if (awake_->queues != nullptr) awake_->queues->flush(record.member, queues_now(), false);
  guard("on_drain", &member, [&] { awake_->agent->on_drain(member); });
}

// False if the agent couldn't be made or threw; scratch().setup_failure says what.
bool Host::ask_agent(const Request& request, Deferred<Response>& answer) {
  touch();
  runtime_.scratch().setup_failure.clear();
  return (agent() != nullptr || wake()) &&
         guard("on_request", nullptr, [&] { answer = awake_->agent->on_request(request); });
}

Deferred<Response> Host::request(const Request& request) {
  if (must_wait()) {
    return later<Response>([request](Host& host) { return host.request(request); });
  }
  Deferred<Response> answer;
  if (ask_agent(request, answer)) return count_open(answer);
  const auto& scratch = runtime_.scratch();
  return Response::text(500, scratch.error_passed_on ? scratch.setup_failure : unexplained_error);
}

void Host::close_all(std::uint16_t code, std::string_view reason) {
  for (connection::Member& member : group_.members) {
    flush_last(member);
    hub().send_close(ConnectionAccess::slot(member), code, reason);
  }
}

}  // namespace ringroom::detail
