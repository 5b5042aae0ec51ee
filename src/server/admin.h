// Admin: what the admin address answers: /healthz, /metrics, /rooms, /sql and /record. Owned by the
// server, called on the thread of the first shard, which serves that address; reads other shards'
// numbers without a lock.
#pragma once

#include "shard/fleet.h"
#include "shard/request_handler.h"

namespace ringroom::server {

class Admin final : public shard::RequestHandler {
 public:
  /// `fleet` is set once the fleet exists, before its shards run.
  void set_fleet(shard::Fleet& fleet) { fleet_ = &fleet; }
  Deferred<Response> handle(shard::Shard& shard, const Request& request) override;

 private:
  shard::Fleet* fleet_ = nullptr;
};

}  // namespace ringroom::server
