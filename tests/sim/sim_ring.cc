#include "sim_ring.h"

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace ringroom::sim {

namespace {

// As the kernel's ring has them (design: 2 MiB in all).
constexpr std::size_t incremental_buffer_bytes = 256 * 1024;
constexpr std::uint16_t incremental_buffers = 8;
constexpr std::size_t fixed_buffer_bytes = 16 * 1024;
constexpr std::uint16_t fixed_buffers = 128;

std::uint16_t buffer_count(const FaultProfile& faults, bool incremental) {
  if (faults.ring_buffers != 0) return faults.ring_buffers;
  return incremental ? incremental_buffers : fixed_buffers;
}

std::size_t buffer_bytes(const FaultProfile& faults, bool incremental) {
  if (faults.ring_buffer_bytes != 0) return faults.ring_buffer_bytes;
  return incremental ? incremental_buffer_bytes : fixed_buffer_bytes;
}

std::uint64_t hash_of(const std::vector<std::span<const std::byte>>& pieces) {
  std::uint64_t hash = 0;
  for (std::span<const std::byte> piece : pieces) {
    const std::string_view text(reinterpret_cast<const char*>(piece.data()), piece.size());
    hash = hash * 31 + std::hash<std::string_view>{}(text);
  }
  return hash;
}

bool is_send(SimRing::Kind kind) {
  return kind == SimRing::Kind::send || kind == SimRing::Kind::send_rest;
}

bool names_file(SimRing::Kind kind) {
  switch (kind) {
    case SimRing::Kind::connect:
    case SimRing::Kind::receive_once:
    case SimRing::Kind::receive:
    case SimRing::Kind::send:
    case SimRing::Kind::send_rest:
    case SimRing::Kind::poll:
    case SimRing::Kind::shut_down:
    case SimRing::Kind::close:
    case SimRing::Kind::move_file: return true;
    default: return false;
  }
}

}  // namespace

SimRing::SimRing(SimWorld& world,
                 const reactor::RingOptions& options,
                 const reactor::Features& features)
    : world_(world),
      features_(features),
      submissions_max_(options.submissions_max),
      completions_max_(options.completions_max),
      files_(options.files_max),
      buffers_(buffer_count(world.faults(), features.incremental_buffers),
               buffer_bytes(world.faults(), features.incremental_buffers),
               features.incremental_buffers) {
  if (world.faults().completions_max != 0) {
    completions_max_ = std::min(completions_max_, world.faults().completions_max);
  }
  descriptor_ = world_.add_ring(*this);
}

SimRing::~SimRing() {
  world_.remove_ring(*this);
  for (File& file : files_) {
    if (file.socket) file.socket->remove_file();
  }
}

void SimRing::queue(Submission submission) {
  if (queue_.size() >= submissions_max_) submit();
  submission.bytes_hash = hash_of(submission.pieces);
  std::size_t bytes = 0;
  for (std::span<const std::byte> piece : submission.pieces) bytes += piece.size();
  world_.note_request(descriptor_, static_cast<int>(submission.kind), submission.tag, bytes);
  check(submission);
  deadline_ns_ = 0;
  queue_.push_back(std::move(submission));
}

int SimRing::connect(std::uint32_t file, Tag tag) {
  File& taken = file_of(file);
  if (taken.socket) violation("a connect as a file that isn't free");
  taken = File{.socket = world_.make_socket()};
  taken.socket->add_file();
  queue({.kind = Kind::connect, .tag = tag, .file = file});
  return 0;
}

void SimRing::reach(const Submission& submission) {
  const bool taken = world_.reach_remote(file_of(submission.file).socket);
  posts_.push_back({.due_ns = world_.moment(world_.faults().accept_late),
                    .completion = {.tag = submission.tag, .result = taken ? 0 : -ECONNREFUSED}});
}

void SimRing::check(const Submission& submission) {
  if (!names_file(submission.kind)) return;
  File& file = file_of(submission.file);
  if (!file.socket) violation("an operation on a file that isn't open");
  if (file.closing) violation("an operation on a file after its close");
  if (submission.kind == Kind::close) file.closing = true;
  if (is_send(submission.kind)) check_send(submission);
}

void SimRing::check_send(const Submission& submission) {
  File& file = file_of(submission.file);
  if (file.sending != Sending::no) violation("two sends in flight on one file");
  file.sending = submission.kind == Kind::send ? Sending::queued : Sending::waiting;
  std::size_t bytes = 0;
  for (std::span<const std::byte> piece : submission.pieces) bytes += piece.size();
  if (bytes == 0) violation("a send of nothing");
}

void SimRing::submit() {
  std::vector<Submission> queue = std::exchange(queue_, {});
  for (Submission& submission : queue) execute(submission);
}

void SimRing::execute(Submission& submission) {
  switch (submission.kind) {
    case Kind::accept:
      if (world_.backlog_of(submission.descriptor) == nullptr) {
        violation("an accept on what isn't a listener");
      }
      [[fallthrough]];
    case Kind::read_event:
    case Kind::shut_down:  // by a worker, which looks the file up when it gets there
    case Kind::write:
    case Kind::open_file:
      requests_.push_back(std::make_unique<Request>(Request{std::move(submission), nullptr}));
      return;
    case Kind::receive_once:
    case Kind::receive:
    case Kind::poll: {
      auto socket = file_of(submission.file).socket;
      requests_.push_back(
          std::make_unique<Request>(Request{std::move(submission), std::move(socket)}));
      return;
    }
    case Kind::connect: return reach(submission);
    case Kind::send: return send_now(submission);
    case Kind::send_rest: return send_rest(std::move(submission));
    case Kind::close: return close_file(submission);
    case Kind::cancel: return cancel(submission.target_tag);
    case Kind::move_file: return move_file(submission);
    case Kind::wake: return wake(submission);
  }
}

// MSG_DONTWAIT | MSG_WAITALL with CQE_SKIP_SUCCESS: never later than the submit, and silent if all
// was taken.
void SimRing::send_now(Submission& submission) {
  if (hash_of(submission.pieces) != submission.bytes_hash) {
    violation("the bytes of a send changed before its submit");
  }
  File& file = file_of(submission.file);
  file.sending = Sending::submitted;
  sends_submitted_.push_back(submission.file);
  std::size_t bytes = 0;
  for (std::span<const std::byte> piece : submission.pieces) bytes += piece.size();
  std::size_t limit = SIZE_MAX;
  if (world_.chance(world_.faults().send_short)) limit = world_.below(bytes);
  if (world_.chance(world_.faults().send_refused)) limit = 0;
  std::int32_t taken = 0;
  for (std::span<const std::byte> piece : submission.pieces) {
    if (piece.empty()) continue;
    const std::size_t left = limit - static_cast<std::size_t>(taken);
    const std::int32_t result = file.socket->send(piece, left);
    // As sendmsg(2): an error after some bytes waits for the next call.
    if (result < 0 && taken == 0) return push(Completion{.tag = submission.tag, .result = result});
    if (result < 0) break;
    taken += result;
    if (static_cast<std::size_t>(result) < piece.size()) break;
  }
  if (static_cast<std::size_t>(taken) < bytes)
    push(Completion{.tag = submission.tag, .result = taken});
}

void SimRing::send_rest(Submission submission) {
  auto socket = file_of(submission.file).socket;
  requests_.push_back(std::make_unique<Request>(Request{std::move(submission), std::move(socket)}));
  send_more(*requests_.back());
}

// The file's requests are ended first, all or those that are named: one that is left keeps the
// socket open, and nobody would ever close it.
void SimRing::close_file(const Submission& submission) {
  if (submission.cancels) {
    for (const Tag tag : *submission.cancels) cancel(tag);
  }
  for (const auto& request : requests_) {
    if (request->done || request->what.file != submission.file) continue;
    if (request->what.kind == Kind::shut_down) violation("a close before a shutdown is done");
    if (!request->socket) continue;
    if (submission.cancels) violation("a close that doesn't name a request of its file");
    cancel(*request);
  }
  posts_.push_back({.due_ns = world_.moment(world_.faults().close_late),
                    .completion = {.tag = submission.tag},
                    .closes = submission.file});
}

void SimRing::cancel(Tag tag) {
  for (const auto& request : requests_) {
    if (request->done || request->what.tag.bits != tag.bits) continue;
    return cancel(*request);
  }
  push(Completion{.tag = Tag::of(reactor::Op::ignored, 0), .result = -ENOENT});
}

// The request may have been quicker; else its last completion comes when it likes, for a closed
// file even after the close's.
void SimRing::cancel(Request& request) {
  if (request.due_ns && world_.chance(0.5)) happen(request);
  if (request.done) return;
  request.done = true;
  const std::int32_t result =
      request.sent_bytes != 0 ? static_cast<std::int32_t>(request.sent_bytes) : -ECANCELED;
  posts_.push_back({.due_ns = world_.moment(world_.faults().completion_late),
                    .completion = {.tag = request.what.tag, .result = result},
                    .sent_to = request.what.kind == Kind::send_rest ? request.socket : nullptr});
}

void SimRing::move_file(const Submission& submission) {
  SimRing* target = world_.ring_of(submission.descriptor);
  if (target == nullptr) return push(Completion{.tag = submission.tag, .result = -EBADF});
  if (world_.chance(world_.faults().move_failed)) {
    const bool overflow = world_.chance(0.5);
    return push(Completion{.tag = submission.tag, .result = overflow ? -EOVERFLOW : -ENFILE});
  }
  const std::optional<std::uint32_t> file = target->install(file_of(submission.file).socket);
  if (!file) return push(Completion{.tag = submission.tag, .result = -ENFILE});
  const double late = world_.faults().completion_late;
  target->posts_.push_back(
      {.due_ns = world_.moment(late),
       .completion = {.tag = submission.target_tag, .result = static_cast<std::int32_t>(*file)}});
  posts_.push_back({.due_ns = world_.moment(late), .completion = {.tag = submission.tag}});
}

void SimRing::wake(const Submission& submission) {
  SimRing* target = world_.ring_of(submission.descriptor);
  if (target == nullptr) {
    return push(Completion{.tag = Tag::of(reactor::Op::ignored, 0), .result = -EBADF});
  }
  target->posts_.push_back({.due_ns = world_.moment(world_.faults().completion_late),
                            .completion = {.tag = submission.target_tag}});
}

SimRing::File& SimRing::file_of(std::uint32_t file) {
  if (file >= files_.size()) violation("a file beyond the table");
  return files_[file];
}

std::optional<std::uint32_t> SimRing::install(std::shared_ptr<SimSocket> socket) {
  const auto free =
      std::find_if(files_.begin(), files_.end(), [](const File& file) { return !file.socket; });
  if (free == files_.end()) return std::nullopt;
  socket->add_file();
  *free = File{.socket = std::move(socket)};
  return static_cast<std::uint32_t>(free - files_.begin());
}

void SimRing::free_file(std::uint32_t file) {
  files_[file].socket->remove_file();
  files_[file] = File{};
}

void SimRing::hold(std::uint16_t buffer) {
  if (!buffers_.hold(buffer)) violation("hold() of a buffer that nobody uses");
}

void SimRing::release(std::uint16_t buffer) {
  const std::uint64_t returned = buffers_.returned_total();
  if (!buffers_.release(buffer)) violation("release() of a buffer that nobody uses");
  if (buffers_.returned_total() != returned && starved_) refilled_at_ns_ = world_.now_ns();
}

bool SimRing::take_refilled() {
  if (!refilled_at_ns_ || *refilled_at_ns_ > world_.now_ns()) return false;
  starved_ = false;
  refilled_at_ns_.reset();
  return true;
}

std::string SimRing::peer_address(std::uint32_t file) const {
  if (!features_.fixed_fd_install || file >= files_.size() || !files_[file].socket) return {};
  return files_[file].socket->client_address();
}

std::size_t SimRing::files_open() const {
  return static_cast<std::size_t>(std::count_if(
      files_.begin(), files_.end(), [](const File& file) { return file.socket != nullptr; }));
}

}  // namespace ringroom::sim
