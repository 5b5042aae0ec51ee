// The part of SimRing that runs in a wait: requests that became ready, and completions on their
// way.
#include "sim_ring.h"

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include <fcntl.h>
#include <sys/poll.h>
#include <unistd.h>

namespace ringroom::sim {

namespace {

// The kernel goes on to other sockets after so many completions of one multishot.
constexpr int rounds_max = 33;

// What a wait costs, so that time passes also where everything is ready at once.
constexpr std::uint64_t wait_ns = 1'000;
// So many completions end a wait that gathers.
constexpr std::size_t gather_completions = 64;

bool event_is_readable(int event) {
  pollfd polled{.fd = event, .events = POLLIN, .revents = 0};
  return ::poll(&polled, 1, 0) == 1;
}

}  // namespace

void SimRing::submit_and_wait(std::uint64_t deadline_ns, std::uint64_t gather_ns) {
  submit();
  world_.advance(wait_ns);
  if (world_.chance(world_.faults().time_jumped)) {
    world_.advance(world_.below(world_.faults().jump_ns_max));
  }
  world_.run_due();
  get_events();
  deadline_ns_ = 0;
  if (features_.min_wait && ready_.size() < gather_completions && deadline_ns > world_.now_ns()) {
    world_.pass(std::min(gather_ns, deadline_ns - world_.now_ns()));
    get_events();
  }
  if (!ready_.empty() || deadline_ns == 0) return;
  if (world_.chance(world_.faults().wake_spurious)) return;
  deadline_ns_ = deadline_ns;
  world_.run_others(*this);
  get_events();
  if (!ready_.empty()) return;
  world_.let_time_pass();
  get_events();
}

void SimRing::reap(std::vector<Completion>& completions) {
  if (!ready_.empty()) deadline_ns_ = 0;
  for (const Ready& ready : ready_) {
    const Completion& completion = ready.completion;
    if (completion.has_buffer) buffers_.uncover(completion.data, completion.bytes().size());
    completions.push_back(completion);
    for (File& file : files_) {
      if (ready.sent_to && file.socket == ready.sent_to) file.sending = Sending::no;
    }
  }
  ready_.clear();
  for (const std::uint32_t file : sends_submitted_) {
    if (files_[file].sending == Sending::submitted) files_[file].sending = Sending::no;
  }
  sends_submitted_.clear();
}

std::uint64_t SimRing::next_moment_ns() const {
  const std::uint64_t now = world_.now_ns();
  if (deadline_ns_ == 0 || !ready_.empty() || !queue_.empty()) return now;
  std::uint64_t next = deadline_ns_;
  for (const Post& post : posts_) next = std::min(next, post.due_ns);
  for (const auto& request : requests_) {
    if (request->done) continue;
    if (request->due_ns) {
      next = std::min(next, *request->due_ns);
    } else if (is_ready(*request)) {
      return now;
    }
  }
  if (refilled_at_ns_ && *refilled_at_ns_ > now) next = std::min(next, *refilled_at_ns_);
  return next;
}

void SimRing::get_events() {
  for (int round = 0; round < rounds_max; ++round) {
    if (!happen_once()) break;
  }
  std::erase_if(requests_, [](const auto& request) { return request->done; });
}

// One round over all that is due: in the order of arming, or in any. Each request gets one turn,
// so that its own completions keep their order.
bool SimRing::happen_once() {
  const std::uint64_t now = world_.now_ns();
  std::vector<Post> posts;
  for (Post& post : posts_) {
    if (post.due_ns <= now) posts.push_back(std::move(post));
  }
  std::erase_if(posts_, [now](const Post& post) { return post.due_ns <= now; });
  std::vector<Request*> requests;
  for (const auto& request : requests_) {
    if (request->done || (!request->due_ns && !is_ready(*request))) continue;
    if (!request->due_ns) {
      const bool accepts = request->what.kind == Kind::accept;
      request->due_ns =
          world_.moment(accepts ? world_.faults().accept_late : world_.faults().completion_late);
    }
    if (*request->due_ns <= now) requests.push_back(request.get());
  }
  std::vector<std::size_t> order(posts.size() + requests.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (world_.chance(world_.faults().completions_reordered)) {
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[world_.below(i)]);
  }
  for (const std::size_t index : order) {
    if (index < posts.size()) {
      happen(posts[index]);
    } else {
      happen(*requests[index - posts.size()]);
    }
  }
  return !order.empty();
}

bool SimRing::is_ready(const Request& request) const {
  switch (request.what.kind) {
    case Kind::accept: return !world_.backlog_of(request.what.descriptor)->empty();
    case Kind::write:
    case Kind::open_file: return true;
    case Kind::read_event: return event_is_readable(request.what.descriptor);
    case Kind::shut_down: return true;
    case Kind::send_rest: return request.socket->is_writable();
    default: return request.socket->is_readable();
  }
}

void SimRing::happen(Request& request) {
  request.due_ns.reset();
  if (request.done || !is_ready(request)) return;
  switch (request.what.kind) {
    case Kind::accept: return accept(request);
    case Kind::receive_once:
    case Kind::receive: return receive(request);
    case Kind::poll: return poll(request);
    case Kind::send_rest: return send_more(request);
    case Kind::shut_down: return shut_down(request);
    case Kind::write: return write(request);
    case Kind::open_file: return open_file(request);
    default: return read_event(request);
  }
}

void SimRing::accept(Request& request) {
  auto& backlog = *world_.backlog_of(request.what.descriptor);
  std::shared_ptr<SimSocket> socket = std::move(backlog.front());
  backlog.pop_front();
  if (const std::optional<std::uint32_t> file = install(socket)) {
    const Completion accepted{.tag = request.what.tag, .result = static_cast<std::int32_t>(*file)};
    if (!request.what.once) return push_multishot(request, accepted);
    request.done = true;
    return push(accepted);
  }
  // As Linux does: the connection is lost.
  socket->add_file();
  socket->remove_file();
  request.done = true;
  push(Completion{.tag = request.what.tag, .result = -ENFILE});
}

void SimRing::receive(Request& request) {
  SimSocket& socket = *request.socket;
  if (world_.chance(world_.faults().connection_reset)) {
    socket.reset_both(world_.below(socket.receivable_bytes() + 1));
  }
  // The end and an error need a buffer too, which stays in the ring.
  if (buffers_.empty() || world_.chance(world_.faults().buffers_exhausted)) {
    return exhaust(request);
  }
  if (socket.receivable_bytes() != 0) return receive_data(request);
  request.done = true;
  push(Completion{.tag = request.what.tag, .result = socket.receive({})});
}

void SimRing::receive_data(Request& request) {
  std::size_t limit = std::min(buffers_.room(), request.socket->receivable_bytes());
  if (world_.chance(world_.faults().receive_cut)) {
    const std::size_t cut = world_.chance(0.5) ? 3 : 300;
    limit = std::min(limit, std::size_t{1} + world_.below(cut));
  }
  std::vector<std::byte> bytes(limit);
  request.socket->receive(bytes);
  if (world_.chance(world_.faults().completion_lost)) return;
  if (world_.chance(world_.faults().byte_corrupted)) bytes[world_.below(limit)] ^= std::byte{0x10};
  const SimBuffers::Piece piece = buffers_.fill(bytes);
  const Completion completion{.tag = request.what.tag,
                              .result = static_cast<std::int32_t>(limit),
                              .buffer = piece.buffer,
                              .has_buffer = true,
                              .data = piece.data};
  if (request.what.kind == Kind::receive) return push_multishot(request, completion);
  request.done = true;
  push(completion);
}

void SimRing::exhaust(Request& request) {
  ++buffers_exhausted_total_;
  // If it was only chance, nobody may be there to release one.
  if (!starved_ && !buffers_.empty()) {
    refilled_at_ns_ = world_.now_ns() + world_.below(world_.faults().late_ns_max);
  }
  starved_ = true;
  request.done = true;
  push(Completion{.tag = request.what.tag, .result = -ENOBUFS});
}

void SimRing::poll(Request& request) {
  request.done = true;
  push(Completion{.tag = request.what.tag, .result = request.socket->poll_mask()});
}

void SimRing::shut_down(Request& request) {
  request.done = true;
  file_of(request.what.file).socket->shut_down();
  push(Completion{.tag = request.what.tag});
}

// MSG_WAITALL: an error after some bytes is told by their count alone.
void SimRing::send_more(Request& request) {
  const Submission& what = request.what;
  const std::span<const std::byte> bytes = what.pieces.front();
  if (std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()}) !=
      what.bytes_hash) {
    violation("the bytes of a send_rest changed before its completion");
  }
  const std::int32_t result = request.socket->send(bytes.subspan(request.sent_bytes));
  if (result == -EAGAIN) return;
  if (result < 0) {
    const auto sent = static_cast<std::int32_t>(request.sent_bytes);
    return end_send(request, sent != 0 ? sent : result);
  }
  request.sent_bytes += static_cast<std::size_t>(result);
  if (request.sent_bytes == bytes.size()) {
    end_send(request, static_cast<std::int32_t>(request.sent_bytes));
  }
}

void SimRing::end_send(Request& request, std::int32_t result) {
  request.done = true;
  push(Ready{{.tag = request.what.tag, .result = result}, request.socket});
}

void SimRing::read_event(Request& request) {
  request.done = true;
  const ssize_t count =
      ::read(request.what.descriptor, request.what.counter, sizeof(std::uint64_t));
  push(Completion{.tag = request.what.tag, .result = static_cast<std::int32_t>(count)});
}

void SimRing::write(Request& request) {
  request.done = true;
  const Submission& what = request.what;
  std::span<const std::byte> bytes = what.pieces.front();
  if (world_.chance(world_.faults().write_lost)) {
    return push(Completion{.tag = what.tag, .result = static_cast<std::int32_t>(bytes.size())});
  }
  const bool fails = world_.chance(world_.faults().write_failed);
  if (fails) bytes = bytes.first(world_.below(bytes.size() / 4096 + 1) * 4096);
  const ssize_t count =
      ::pwrite(what.descriptor, bytes.data(), bytes.size(), static_cast<off_t>(what.offset));
  const int result = count < 0 ? -errno : static_cast<std::int32_t>(count);
  push(Completion{.tag = what.tag, .result = fails ? -EIO : result});
}

void SimRing::open_file(Request& request) {
  request.done = true;
  const int opened = ::open(request.what.path, O_RDONLY | O_CLOEXEC);
  push(Completion{.tag = request.what.tag, .result = opened < 0 ? -errno : opened});
}

void SimRing::happen(Post& post) {
  if (!post.closes) return push(Ready{post.completion, std::move(post.sent_to)});
  if (world_.chance(world_.faults().close_lost)) return;
  free_file(*post.closes);
  push(post.completion);
}

void SimRing::push_multishot(Request& request, Completion completion) {
  const bool last = ready_.size() >= completions_max_ ||
                    world_.chance(world_.faults().completions_overflowed) ||
                    world_.chance(world_.faults().multishot_ended);
  request.done = last;
  completion.more = !last;
  push(completion);
}

void SimRing::push(Ready ready) {
  world_.note_completion(descriptor_, ready.completion);
  ready_.push_back(std::move(ready));
}

}  // namespace ringroom::sim
