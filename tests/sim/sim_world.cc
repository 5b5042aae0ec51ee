#include "sim_world.h"

#include "base/assert.h"
#include "sim_ring.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace ringroom::sim {

namespace {

SimWorld* current_world = nullptr;

}  // namespace

void SimClient::write(std::span<const std::byte> bytes) {
  socket_->client_write(bytes);
}

void SimClient::write(std::string_view text) {
  write(std::as_bytes(std::span(text)));
}

std::vector<std::byte> SimClient::read(std::size_t bytes_max) {
  return socket_->client_read(bytes_max);
}

std::string SimClient::read_text(std::size_t bytes_max) {
  const std::vector<std::byte> bytes = read(bytes_max);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void SimClient::close_write() {
  socket_->client_shut_down();
}

void SimClient::close() {
  socket_->client_close();
}

void SimClient::reset() {
  socket_->client_reset(world_->below(socket_->receivable_bytes() + 1));
}

void SimClient::set_receive_window(std::size_t bytes) {
  socket_->set_client_window(bytes);
}

SimWorld::SimWorld(std::uint64_t seed, const FaultProfile& faults)
    : seed_(seed), faults_(faults), random_(seed), outer_(current_world) {
  current_world = this;
  traced_ = std::getenv("RINGROOM_SIM_TRACE") != nullptr;
}

SimWorld::~SimWorld() {
  ASSERT(rings_.empty());
  current_world = outer_;
}

SimWorld& SimWorld::current() {
  ASSERT(current_world != nullptr);
  return *current_world;
}

int SimWorld::listen() {
  const int listener = first_listener + static_cast<int>(listeners_.size());
  listeners_[listener];
  return listener;
}

std::shared_ptr<SimSocket> SimWorld::make_socket() {
  const std::uint32_t number = clients_total_++;
  return std::make_shared<SimSocket>("10.0.0.1:" + std::to_string(10'000 + number),
                                     faults_.send_buffer_bytes, faults_.receive_buffer_bytes,
                                     faults_.client_window_bytes);
}

bool SimWorld::reach_remote(const std::shared_ptr<SimSocket>& socket) {
  return remote_ && remote_({*this, socket});
}

void SimWorld::at(std::uint64_t moment_ns, std::function<void()> what) {
  moments_.emplace(moment_ns, std::move(what));
}

void SimWorld::run_due() {
  while (!moments_.empty() && moments_.begin()->first <= now_ns_) {
    const auto due = moments_.extract(moments_.begin());
    due.mapped()();
  }
}

SimClient SimWorld::connect(int listener) {
  ASSERT(listeners_.contains(listener));
  auto socket = make_socket();
  listeners_[listener].push_back(socket);
  return {*this, std::move(socket)};
}

std::size_t SimWorld::backlog(int listener) const {
  return listeners_.at(listener).size();
}

std::deque<std::shared_ptr<SimSocket>>* SimWorld::backlog_of(int listener) {
  const auto found = listeners_.find(listener);
  return found == listeners_.end() ? nullptr : &found->second;
}

std::size_t SimWorld::files_open() const {
  std::size_t files = 0;
  for (const auto& [descriptor, ring] : rings_) files += ring->files_open();
  return files;
}

std::size_t SimWorld::requests_armed() const {
  std::size_t requests = 0;
  for (const auto& [descriptor, ring] : rings_) requests += ring->requests_armed();
  return requests;
}

std::size_t SimWorld::buffer_users() const {
  std::size_t users = 0;
  for (const auto& [descriptor, ring] : rings_) users += ring->buffers().users();
  return users;
}

bool SimWorld::chance(double probability) {
  if (probability <= 0) return false;
  return static_cast<double>(random_.next() >> 11) * 0x1.0p-53 < probability;
}

std::uint64_t SimWorld::below(std::uint64_t bound) {
  return random_.next() % bound;
}

std::uint64_t SimWorld::moment(double late_probability) {
  return chance(late_probability) ? now_ns_ + below(faults_.late_ns_max) : now_ns_;
}

int SimWorld::add_ring(SimRing& ring) {
  rings_[next_ring_] = &ring;
  return next_ring_++;
}

void SimWorld::remove_ring(SimRing& ring) {
  rings_.erase(ring.descriptor());
}

SimRing* SimWorld::ring_of(int descriptor) {
  const auto found = rings_.find(descriptor);
  return found == rings_.end() ? nullptr : found->second;
}

std::uint64_t SimWorld::next_moment_ns() const {
  std::uint64_t next = moments_.empty() ? UINT64_MAX : moments_.begin()->first;
  for (const auto& [descriptor, ring] : rings_) next = std::min(next, ring->next_moment_ns());
  return next;
}

bool SimWorld::is_quiet() const {
  const std::uint64_t next = next_moment_ns();
  return next == UINT64_MAX || next > std::max(now_ns_, time_limit_ns_);
}

void SimWorld::run_others(SimRing& waiting) {
  if (!while_waiting_ || others_run_) return;
  others_run_ = true;
  while_waiting_(waiting.descriptor());
  others_run_ = false;
}

// Only when every ring has found nothing: else the one that waits would leave the others behind.
void SimWorld::let_time_pass() {
  const std::uint64_t next = std::min(next_moment_ns(), time_limit_ns_);
  if (next != UINT64_MAX && next > now_ns_) now_ns_ = next;
  run_due();
}

void SimWorld::pass(std::uint64_t nanoseconds) {
  const std::uint64_t end = std::min(now_ns_ + nanoseconds, std::max(now_ns_, time_limit_ns_));
  while (!moments_.empty() && moments_.begin()->first <= end) {
    now_ns_ = std::max(now_ns_, moments_.begin()->first);
    run_due();
  }
  now_ns_ = std::max(now_ns_, end);
}

void SimWorld::note_completion(int ring, const reactor::Completion& completion) {
  ++completions_total_;
  if (!traced_) return;
  std::fprintf(stderr, "%12llu ring %d completes op %u slot %u generation %u: %d%s\n",
               static_cast<unsigned long long>(now_ns_), ring - first_ring,
               static_cast<unsigned>(completion.tag.op()), completion.tag.slot(),
               completion.tag.generation(), completion.result, completion.more ? " more" : "");
}

void SimWorld::note_request(int ring, int kind, reactor::Tag tag, std::size_t bytes) const {
  if (!traced_) return;
  std::fprintf(stderr, "%12llu ring %d request %d op %u slot %u generation %u, %zu bytes\n",
               static_cast<unsigned long long>(now_ns_), ring - first_ring, kind,
               static_cast<unsigned>(tag.op()), tag.slot(), tag.generation(), bytes);
}

void SimWorld::violation(std::string_view rule) const {
  std::fprintf(stderr, "simulated kernel, seed %llu: rule of the ring broken: %.*s\n",
               static_cast<unsigned long long>(seed_), static_cast<int>(rule.size()), rule.data());
  std::abort();
}

}  // namespace ringroom::sim
