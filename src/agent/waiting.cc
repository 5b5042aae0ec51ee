// Events that meet a sleeping room whose file isn't open: the disk may have to be asked for it,
// which the ring does, and they wait for that here, in their order. Whose file is in the kernel's
// cache, or who has none, doesn't wait. A connection that waits isn't read from.
#include "agent/host.h"
#include "agent/runtime.h"
#include "store/names.h"

#include <utility>

namespace ringroom::detail {

using connection::Record;
using connection::Stage;
using store::Found;

// What is found stays with the Awake: the file is held, or it is known that there is none.
bool Host::is_file_missing() {
  store::Store& store = runtime_.store();
  if (store.in_memory()) return false;
  if (awake_ == nullptr) begin_awake();
  if (awake_->store != nullptr || awake_->has_no_file) return false;
  const Found found = store.find(identity());
  if (found == Found::opening) return true;
  if (found == Found::here) {
    awake_->store = std::make_unique<store::RoomStore>(store, identity(), room_, found);
  } else {
    awake_->has_no_file = true;
  }
  return false;
}

void Host::when_ready(std::function<void(Host&)> event) {
  auto give = [&runtime = runtime_, &info = info_, room = std::string(name()),
               event = std::move(event)] {
    Host& host = runtime.find_or_make(info, room);
    if (host.must_wait()) return host.when_ready(event);
    event(host);
  };
  runtime_.when_opened(store::database_name(info_.name, name()), std::move(give));
}

void Host::hold(std::uint32_t member, Message message) {
  Connection& from = group_.members[member];
  hub().record(from).set(connection::flag::paused);
  const auto bytes = message.bytes();
  when_ready([ref = from.ref(), held = std::vector<std::byte>(bytes.begin(), bytes.end()),
              is_text = message.is_text()](Host& host) {
    const Connection* sender = host.resolve(ref);
    if (sender != nullptr && (host.agent() != nullptr || host.wake())) {
      host.give(static_cast<std::uint32_t>(host.member_index(*sender)), Message(held, is_text));
    }
    host.runtime_.shard().resume(ref.index, ref.generation);
  });
}

void Host::hold_batch(Record& record, std::span<const std::byte> payload, bool is_text) {
  const ConnectionRef ref = group_.members[record.member].ref();
  record.set(connection::flag::paused);
  when_ready([ref, held = std::vector<std::byte>(payload.begin(), payload.end()),
              is_text](Host& host) mutable {
    if (host.resolve(ref) != nullptr) {
      host.deliver_batched(*host.hub().find(ref.index, ref.generation), held, is_text);
    }
    host.runtime_.shard().resume(ref.index, ref.generation);
  });
}

void Host::put_off(Record& record, std::function<void(Host&, Record&)> end) {
  const ConnectionRef ref = group_.members[record.member].ref();
  record.set(connection::flag::paused);
  when_ready([ref, end = std::move(end)](Host& host) {
    if (host.resolve(ref) == nullptr) return;
    Record& again = *host.hub().find(ref.index, ref.generation);
    if (again.stage == Stage::open || again.stage == Stage::closing) end(host, again);
  });
}

}  // namespace ringroom::detail
