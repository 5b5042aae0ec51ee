// SimRing: the simulated kernel behind one reactor::Ring: table of direct descriptors, requests,
// completion queue, buffers. Requests that are ready happen in get_events, as task work does on a
// ring with DEFER_TASKRUN; sends happen inside the submit. Owned by the Ring; one thread.
#pragma once

#include "reactor/ring.h"
#include "sim_buffers.h"
#include "sim_socket.h"
#include "sim_world.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::sim {

class SimRing {
 public:
  using Completion = reactor::Completion;
  using Tag = reactor::Tag;

  enum class Kind : std::uint8_t {
    accept,
    connect,
    receive_once,
    receive,
    send,
    send_rest,
    poll,
    shut_down,
    close,
    cancel,
    move_file,
    wake,
    read_event,
    write,
    open_file,
  };

  struct Submission {
    Kind kind;
    Tag tag = {};
    std::uint32_t file = 0;
    int descriptor = -1;  // listener, other ring, event
    Tag target_tag = {};  // of another ring, or of the request to cancel
    std::vector<std::span<const std::byte>> pieces = {};
    std::uint64_t bytes_hash = 0;  // of the pieces when they were queued
    std::uint64_t* counter = nullptr;
    std::uint64_t offset = 0;                      // of a write
    const char* path = nullptr;                    // of an open_file
    bool once = false;                             // of an accept
    std::optional<std::vector<Tag>> cancels = {};  // of a close; nullopt: whatever the file has
  };

  SimRing(SimWorld& world, const reactor::RingOptions& options, const reactor::Features& features);
  ~SimRing();
  SimRing(const SimRing&) = delete;
  SimRing& operator=(const SimRing&) = delete;

  const reactor::Features& features() const { return features_; }
  std::uint32_t files_max() const { return static_cast<std::uint32_t>(files_.size()); }
  int descriptor() const { return descriptor_; }
  SimWorld& world() { return world_; }
  const SimWorld& world() const { return world_; }
  const SimBuffers& buffers() const { return buffers_; }

  void queue(Submission submission);
  /// Reaches the world's remote servers; `file` is taken at once.
  int connect(std::uint32_t file, Tag tag);
  void submit();
  void submit_and_wait(std::uint64_t deadline_ns, std::uint64_t gather_ns);
  void reap(std::vector<Completion>& completions);

  void hold(std::uint16_t buffer);
  void release(std::uint16_t buffer);
  bool take_refilled();
  std::uint64_t buffers_exhausted_total() const { return buffers_exhausted_total_; }
  std::string peer_address(std::uint32_t file) const;

  std::size_t files_open() const;
  std::size_t requests_armed() const { return requests_.size(); }
  /// When it has something to do next: now or earlier if at once.
  std::uint64_t next_moment_ns() const;

 private:
  // One send at a time: `queued` until the reap that follows its submit, `waiting` until the
  // completion of a send_rest is reaped.
  enum class Sending : std::uint8_t { no, queued, submitted, waiting };

  struct File {
    std::shared_ptr<SimSocket> socket;  // null: free
    bool closing = false;               // a close was queued
    Sending sending = Sending::no;
  };

  // A request that waits for something to happen.
  struct Request {
    Submission what;
    std::shared_ptr<SimSocket> socket;         // null for accept and read_event
    std::optional<std::uint64_t> due_ns = {};  // it is ready and happens then
    std::size_t sent_bytes = 0;                // by send_rest
    bool done = false;
  };

  // Something that happened, and whose completion is on its way.
  struct Post {
    std::uint64_t due_ns;
    Completion completion;
    std::optional<std::uint32_t> closes = {};  // the file that is closed just then
    std::shared_ptr<SimSocket> sent_to = {};   // of a send_rest: what it sent to
  };

  // An entry of the completion queue.
  struct Ready {
    Completion completion;
    std::shared_ptr<SimSocket> sent_to = {};
  };

  // ---- Submission (sim_ring.cc)
  void check(const Submission& submission);
  void check_send(const Submission& submission);
  void execute(Submission& submission);
  void reach(const Submission& submission);
  void send_now(Submission& submission);
  void send_rest(Submission submission);
  void close_file(const Submission& submission);
  void cancel(Tag request);
  void cancel(Request& request);
  void move_file(const Submission& submission);
  void wake(const Submission& submission);

  // ---- Events (sim_ring_events.cc)
  void get_events();
  bool happen_once();
  bool is_ready(const Request& request) const;
  void happen(Request& request);
  void accept(Request& request);
  void receive(Request& request);
  void receive_data(Request& request);
  void exhaust(Request& request);
  void poll(Request& request);
  void shut_down(Request& request);
  void send_more(Request& request);
  void end_send(Request& request, std::int32_t result);
  void read_event(Request& request);
  void write(Request& request);
  void open_file(Request& request);
  void happen(Post& post);

  // ---- Completion
  /// A completion of a multishot, which ends with it if the queue is full or chance says so.
  void push_multishot(Request& request, Completion completion);
  void push(const Completion& completion) { push(Ready{completion}); }
  void push(Ready ready);
  bool is_full() const { return ready_.size() >= completions_max_; }

  File& file_of(std::uint32_t file);
  std::optional<std::uint32_t> install(std::shared_ptr<SimSocket> socket);
  void free_file(std::uint32_t file);
  [[noreturn]] void violation(std::string_view rule) const { world_.violation(rule); }

  SimWorld& world_;
  int descriptor_ = -1;
  reactor::Features features_;
  std::uint32_t submissions_max_;
  std::uint32_t completions_max_;
  std::vector<File> files_;
  SimBuffers buffers_;
  std::vector<Submission> queue_;
  std::vector<std::unique_ptr<Request>> requests_;
  std::vector<Post> posts_;
  std::vector<Ready> ready_;
  std::vector<std::uint32_t> sends_submitted_;  // files whose send ends with the next reap
  std::uint64_t deadline_ns_ = 0;  // of the wait that found nothing; 0: it doesn't wait
  std::uint64_t buffers_exhausted_total_ = 0;
  bool starved_ = false;  // a receive met -ENOBUFS
  std::optional<std::uint64_t> refilled_at_ns_;
};

}  // namespace ringroom::sim
