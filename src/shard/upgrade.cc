// Requests for a WebSocket: refused here, or sent to the home of their room.
#include "base/assert.h"
#include "codec/ws/close.h"
#include "shard/shard.h"

#include <array>

namespace ringroom::shard {

void Shard::upgrade(std::uint32_t slot, HttpSession& session, std::span<const std::byte> behind) {
  const Request& request = session.reader.request();
  Routed routed = session.is_admin ? Routed(Nowhere{}) : router_.route(request);
  if (std::holds_alternative<Nowhere>(routed)) {
    return refuse_upgrade(slot, Response::text(404, "Not found"));
  }
  if (const auto* refusal = std::get_if<Response>(&routed)) return refuse_upgrade(slot, *refusal);
  auto checked = codec::http::check_upgrade(request);
  if (const auto* refusal = std::get_if<Response>(&checked)) return refuse_upgrade(slot, *refusal);
  auto* accepted = std::get_if<codec::http::UpgradeAccepted>(&checked);
  ASSERT(accepted != nullptr);
  if (const auto* close = std::get_if<CloseAfterAccept>(&routed)) {
    return close_after_accept(slot, accepted->accept_key, *close);
  }
  // A client that speaks Cap'n Web would take our plain JSON for a broken session.
  if (request.query("__agents_transport") == "capnweb") {
    return refuse_upgrade(slot, Response::text(400,
                                               "The capnweb transport is not supported here: "
                                               "connect without __agents_transport=capnweb"));
  }
  Destination& to = std::get<Destination>(routed);
  ConnectDecision decision = router_.before_connect(to, request);
  if (decision) {
    if (const auto* refusal = std::get_if<Response>(&*decision)) {
      return refuse_upgrade(slot, *refusal);
    }
    if (const auto* close = std::get_if<CloseAfterAccept>(&*decision)) {
      return close_after_accept(slot, accepted->accept_key, *close);
    }
  }
  const auto batching = codec::envelope::negotiate(accepted->subprotocols, request.query("batch"),
                                                   to.info->options.batching.format);
  if (!batching) {
    return refuse_upgrade(slot, Response::text(400, "The parameter batch must be fb or json"));
  }
  Request passed = session.reader.take_request();
  if (decision) passed = std::get<Request>(*std::move(decision));
  const unsigned home = fleet_.home_of(to.info->name, to.room);
  send_home(slot, std::make_unique<Arrival>(Arrival{
                      .info = to.info,
                      .room = std::move(to.room),
                      .request = std::move(passed),
                      .accept_key = accepted->accept_key,
                      .extensions = std::move(accepted->extensions),
                      .batching = *batching,
                      .behind = {behind.begin(), behind.end()},
                      .home = home,
                  }));
}

void Shard::send_home(std::uint32_t slot, std::unique_ptr<Arrival> arrival) {
  const unsigned home = arrival->home;
  if (home == index_) {
    end_session(slot);
    return admit(slot, std::move(arrival));
  }
  if (!reserve_file(home)) {
    return refuse_upgrade(slot, Response::text(503, "the room's shard is full"));
  }
  hand_over(slot, home, std::move(arrival));
}

void Shard::refuse_upgrade(std::uint32_t slot, const Response& response) {
  ++refused_;
  refuse(slot, response);
}

// The 101, a close frame behind it, and nothing more is read: the peer's answer says nothing new.
void Shard::close_after_accept(std::uint32_t slot,
                               const codec::http::AcceptKey& accept_key,
                               const CloseAfterAccept& close) {
  ++refused_;
  std::string head;
  codec::http::write_switching_protocols(head, accept_key, {}, {});
  hub_.send_raw(slot, std::as_bytes(std::span(head)));
  std::array<std::byte, codec::ws::close_frame_bytes_max> frame;
  const std::size_t bytes = codec::ws::encode_close(frame.data(), number(close.code), close.reason);
  hub_.send_raw(slot, std::span(frame).first(bytes));
  end_session(slot);
  hub_.finish(slot, true);
  arm(slot, hub_.slab()[slot]);
}

}  // namespace ringroom::shard
