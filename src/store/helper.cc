#include "store/helper.h"

#include "base/assert.h"
#include "base/log.h"
#include "store/log_format.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

namespace ringroom::store {

namespace {
// What couldn't be written back is tried again so often: somebody may have freed some space.
constexpr std::chrono::seconds retry_every{1};
constexpr std::size_t zeros_bytes = std::size_t{256} << 10U;
// It may have to share the core of a shard, which then goes first; a tenth of the core is left for
// it however busy the shard is, so that the log is written back in the end.
constexpr int niceness = 10;
}  // namespace

Desk::Desk() : event_(::eventfd(0, EFD_CLOEXEC)) {
  ASSERT(event_ >= 0);
}
Desk::~Desk() {
  ::close(event_);
}

std::vector<Answer> Desk::take() {
  const std::lock_guard lock(mutex_);
  has_answers_.store(false, std::memory_order_release);
  return std::exchange(answers_, {});
}

void Desk::wait() const {
  pollfd readable{.fd = event_, .events = POLLIN, .revents = 0};
  std::uint64_t count = 0;
  if (::poll(&readable, 1, 1'000) > 0) static_cast<void>(::read(event_, &count, sizeof(count)) > 0);
}

void Desk::put(Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
    has_answers_.store(true, std::memory_order_release);
  }
  const std::uint64_t one = 1;
  static_cast<void>(::write(event_, &one, sizeof(one)) > 0);
}

Helper::Helper(std::string folder, Access access, Leftover leftover, Worker worker)
    : folder_(std::move(folder)),
      access_(access),
      behind_(leftover.behind()),
      next_generation_(leftover.generation() + 1),
      leftover_(std::move(leftover)),
      last_generation_(leftover_.generation()) {
  if (worker == Worker::thread) thread_ = std::thread([this] { run(); });
}

Helper::~Helper() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  if (thread_.joinable()) {
    changed_.notify_one();
    thread_.join();
  } else {
    work();
  }
}

std::shared_ptr<const Behind> Helper::behind() const {
  const std::lock_guard lock(mutex_);
  return behind_;
}

void Helper::make(std::shared_ptr<Desk> desk, std::uint64_t bytes) {
  Job job{.desk = std::move(desk), .kind = Answer::Kind::made};
  job.segment.bytes = whole_blocks(bytes);
  add(std::move(job));
}

void Helper::write_back(std::shared_ptr<Desk> desk,
                        Segment segment,
                        std::uint64_t last_batch,
                        std::optional<std::uint64_t> cut) {
  add({.desk = std::move(desk),
       .kind = Answer::Kind::written_back,
       .segment = std::move(segment),
       .last_batch = last_batch,
       .cut = cut});
}

void Helper::add(Job job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void Helper::mark(std::string path) {
  {
    const std::lock_guard lock(mutex_);
    marks_.push_back(std::move(path));
  }
  changed_.notify_one();
}

void Helper::make_marks() {
  std::vector<std::string> marks;
  {
    const std::lock_guard lock(mutex_);
    marks = std::exchange(marks_, {});
  }
  for (const std::string& path : marks) {
    File file;
    if (const int error = file.open(path, Access::write)) {
      base::log_error("storage: " + trouble("cannot make", path, error));
    }
  }
}

void Helper::run() {
  // Of this thread alone (setpriority(2), "C library/kernel differences"). If it isn't possible,
  // shards wait longer.
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, niceness));
  while (wait_for_jobs()) work();
}

void Helper::work() {
  make_marks();
  std::vector<Job> jobs = take_jobs();
  const auto made = std::stable_partition(jobs.begin(), jobs.end(), [](const Job& job) {
    return job.kind == Answer::Kind::written_back;
  });
  for (auto job = made; job != jobs.end(); ++job) make_segment(std::move(*job));
  jobs.erase(made, jobs.end());
  if (!jobs.empty() || !leftover_.empty()) write_all_back(std::move(jobs));
}

void Helper::wait_for_answer(const Desk& desk) {
  if (thread_.joinable()) return desk.wait();
  work();
}

// Or until it is time to try again what failed. False at the end.
bool Helper::wait_for_jobs() {
  std::unique_lock lock(mutex_);
  const auto has_work = [this] { return ending_ || has_jobs(); };
  if (failed_.empty() && leftover_.empty()) {
    changed_.wait(lock, has_work);
    return has_jobs();
  }
  const bool is_over = changed_.wait_for(lock, retry_every, has_work) && !has_jobs();
  return !is_over || !std::exchange(last_try_over_, true);
}

// Of the segments, the oldest first. None if it is only time to try again.
std::vector<Helper::Job> Helper::take_jobs() {
  const std::lock_guard lock(mutex_);
  std::vector<Job> jobs = std::exchange(failed_, {});
  std::move(jobs_.begin(), jobs_.end(), std::back_inserter(jobs));
  jobs_.clear();
  return jobs;
}

void Helper::make_segment(Job job) {
  Segment segment;
  segment.bytes = job.segment.bytes;
  segment.generation = next_generation_++;
  segment.path = log_folder(folder_) + "/" + std::to_string(segment.generation) + ".log";
  Trouble failure = fill(segment);
  if (!failure.empty()) {
    segment.file = File();
    remove_file(segment.path);
  }
  job.desk->put({.kind = Answer::Kind::made, .segment = std::move(segment), .failure = failure});
  if (failure.empty()) return;
  std::vector<Job> again;
  again.push_back(std::move(job));
  try_again(std::move(again), failure);
}

void Helper::try_again(std::vector<Job> jobs, const Trouble& failure) {
  if (failure != last_failure_) {
    last_failure_ = failure;
    base::log_error("storage: " + failure + "; tried again each second");
  }
  const std::lock_guard lock(mutex_);
  std::move(jobs.begin(), jobs.end(), std::back_inserter(failed_));
}

// With zeros, so that a sync of the log later changes no metadata: a third of its time.
Trouble Helper::fill(Segment& segment) {
  int failed = segment.file.open(segment.path, access_);
  BlockBuffer zeros;
  zeros.extend(zeros_bytes);
  for (std::uint64_t at = 0; at < segment.bytes && failed == 0; at += zeros_bytes) {
    const std::uint64_t bytes = std::min<std::uint64_t>(zeros_bytes, segment.bytes - at);
    failed = segment.file.write(zeros.bytes().first(bytes), at);
  }
  if (failed != 0) return trouble("cannot make", segment.path, failed);
  const auto header = zeros.bytes().first(block_bytes);
  write_segment_header(header, segment.generation);
  failed = segment.file.write(header, 0);
  if (failed == 0) failed = sync_all(folder_);
  return failed == 0 ? Trouble{} : trouble("cannot make", segment.path, failed);
}

void Helper::write_all_back(std::vector<Job> jobs) {
  const bool was_behind = !leftover_.empty();
  const Trouble failure = try_write_back(jobs);
  const std::shared_ptr<const Behind> behind = leftover_.behind();
  if (failure.empty()) {
    const std::lock_guard lock(mutex_);
    behind_ = behind;
  }
  for (const Job& job : jobs) {
    job.desk->put({.kind = Answer::Kind::written_back,
                   .last_batch = job.last_batch,
                   .failure = failure,
                   .behind = behind});
    if (behind != nullptr) told_.insert(job.desk);
  }
  if (!failure.empty()) return try_again(std::move(jobs), failure);
  last_failure_.clear();
  if (!was_behind) return;
  for (const auto& desk : told_) desk->put({.kind = Answer::Kind::caught_up, .behind = behind});
  if (behind == nullptr) told_.clear();
}

Trouble Helper::try_write_back(std::vector<Job>& jobs) {
  leftover_.try_again();
  for (Job& job : jobs) {
    if (job.cut) {
      BlockBuffer nothing;
      nothing.extend(block_bytes);
      if (const int failed = job.segment.file.write(nothing.bytes(), *job.cut)) {
        return trouble("cannot write", job.segment.path, failed);
      }
    }
    Trouble failure = store::write_back(job.segment.file, folder_, whole_, &leftover_);
    if (!failure.empty()) return failure;
    last_generation_ = std::max(last_generation_, job.segment.generation);
  }
  if (leftover_.has_changed()) {
    if (Trouble failure = leftover_.store(last_generation_); !failure.empty()) return failure;
  }
  std::vector<std::string> paths = leftover_.replaced();
  for (const Job& job : jobs) paths.push_back(job.segment.path);
  if (paths.empty()) return {};
  if (const int failed = sync_all(folder_)) return trouble("cannot sync", folder_, failed);
  Trouble failure = remove_in_order(paths, folder_);
  if (failure.empty()) leftover_.forget_replaced();
  return failure;
}

}  // namespace ringroom::store
