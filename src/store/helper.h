// Helper: the one thread that does what a shard must not wait for: it makes segments of the log,
// writes full ones back into the databases' files, syncs, and removes. One for all shards of a data
// folder. A shard asks through its Desk and finds the answers there; its eventfd says when. Bounded
// by what shards ask: one segment being made and a few full ones each.
#pragma once

#include "store/checkpoint.h"
#include "store/disk.h"
#include "store/leftover.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace ringroom::store {

/// A file of the log, by whom it is written.
struct Segment {
  File file;
  std::string path;
  std::uint64_t generation = 0;
  std::uint64_t bytes = 0;
};

/// What the helper did for a shard.
struct Answer {
  enum class Kind : std::uint8_t { made, written_back, caught_up };
  Kind kind = Kind::made;
  Segment segment{};             // made
  std::uint64_t last_batch = 0;  // written_back: of the segment
  Trouble failure{};
  std::shared_ptr<const Behind> behind{};  // databases that weren't written; null: none
};

/// A shard's place at the helper. Both threads; the last one to leave ends it.
class Desk {
 public:
  Desk();
  ~Desk();
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;
  /// Readable when there are answers; whoever reads it reads 8 bytes.
  int event() const { return event_; }
  bool has_answers() const { return has_answers_.load(std::memory_order_acquire); }
  std::vector<Answer> take();
  /// Until there is an answer, or there may be one.
  void wait() const;
  void put(Answer answer);

 private:
  std::mutex mutex_;
  std::vector<Answer> answers_;
  std::atomic<bool> has_answers_ = false;
  int event_ = -1;
};

class Helper {
 public:
  /// Who does what was asked: a thread of its own, or whoever calls work(), as a simulation does.
  enum class Worker : std::uint8_t { thread, caller };

  /// `access`: how files of the log are written: past the page cache if they are synced each time.
  /// `leftover`: what the start couldn't write back.
  Helper(std::string folder, Access access, Leftover leftover, Worker worker = Worker::thread);
  Helper(const std::string& folder, Access access) : Helper(folder, access, Leftover(folder)) {}
  /// Does what was asked, then ends. What can't be done stays for the next start.
  ~Helper();
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  const std::string& folder() const { return folder_; }
  /// The databases that are left over now; null: none. Of any thread.
  std::shared_ptr<const Behind> behind() const;
  /// Asks for a new segment of at least that many bytes.
  void make(std::shared_ptr<Desk> desk, std::uint64_t bytes);
  /// Gives up a segment. `cut`: what lies from there on was never promised, and must not be found
  /// by a later start. Answered when all else stands in the files.
  void write_back(std::shared_ptr<Desk> desk,
                  Segment segment,
                  std::uint64_t last_batch,
                  std::optional<std::uint64_t> cut);
  /// Makes an empty file, as a note to the next start.
  void mark(std::string path);
  /// Does what waits. Of a helper without a thread.
  void work();
  /// Until there is an answer at the desk, or there may be one.
  void wait_for_answer(const Desk& desk);

 private:
  struct Job {
    std::shared_ptr<Desk> desk;
    Answer::Kind kind = Answer::Kind::made;
    Segment segment{};
    std::uint64_t last_batch = 0;
    std::optional<std::uint64_t> cut{};
  };

  void add(Job job);
  void run();
  bool has_jobs() const { return !jobs_.empty() || !marks_.empty(); }
  bool wait_for_jobs();
  void make_marks();
  std::vector<Job> take_jobs();
  void make_segment(Job job);
  void try_again(std::vector<Job> jobs, const Trouble& failure);
  Trouble fill(Segment& segment);
  void write_all_back(std::vector<Job> jobs);
  Trouble try_write_back(std::vector<Job>& jobs);

  const std::string folder_;
  const Access access_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::vector<std::string> marks_;
  std::shared_ptr<const Behind> behind_;
  bool ending_ = false;
  bool last_try_over_ = false;
  std::uint64_t next_generation_ = 1;
  std::vector<Job> failed_;  // to be tried again
  Trouble last_failure_;
  Leftover leftover_;
  std::uint64_t last_generation_ = 0;     // of the segments that were written back
  std::set<std::shared_ptr<Desk>> told_;  // of databases that were left over
  BlockBuffer whole_;   // a segment; kept, since memory that is new to the process costs more
  std::thread thread_;  // none: Worker::caller
};

}  // namespace ringroom::store
