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
#include <unistd.h>

namespace ringroom::store {

namespace {
// What couldn't be written back is tried again so often: somebody may have freed some space.
constexpr std::chrono::seconds retry_every{1};
constexpr std::size_t zeros_bytes = std::size_t{1} << 20U;
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

Helper::Helper(std::string folder, Access access) : folder_(std::move(folder)), access_(access) {
  thread_ = std::thread([this] { run(); });
}

Helper::~Helper() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
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

void Helper::run() {
  for (;;) {
    std::vector<Job> jobs = next_jobs();
    if (jobs.empty()) return;
    const auto made = std::stable_partition(jobs.begin(), jobs.end(), [](const Job& job) {
      return job.kind == Answer::Kind::written_back;
    });
    for (auto job = made; job != jobs.end(); ++job) make_segment(std::move(*job));
    jobs.erase(made, jobs.end());
    if (!jobs.empty()) write_all_back(std::move(jobs));
  }
}

// What waits: of the segments, the oldest first. None at the end.
std::vector<Helper::Job> Helper::next_jobs() {
  std::unique_lock lock(mutex_);
  const auto has_work = [this] { return ending_ || !jobs_.empty(); };
  if (failed_.empty()) {
    changed_.wait(lock, has_work);
  } else if (!changed_.wait_for(lock, retry_every, has_work) || jobs_.empty()) {
    if (ending_ && std::exchange(last_try_over_, true)) return {};
  }
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
  const Trouble failure = try_write_back(jobs);
  for (const Job& job : jobs) {
    job.desk->put(
        {.kind = Answer::Kind::written_back, .last_batch = job.last_batch, .failure = failure});
  }
  if (!failure.empty()) return try_again(std::move(jobs), failure);
  last_failure_.clear();
}

Trouble Helper::try_write_back(std::vector<Job>& jobs) {
  for (Job& job : jobs) {
    if (job.cut) {
      BlockBuffer nothing;
      nothing.extend(block_bytes);
      if (const int failed = job.segment.file.write(nothing.bytes(), *job.cut)) {
        return trouble("cannot write", job.segment.path, failed);
      }
    }
    Trouble failure = store::write_back(job.segment.file, folder_);
    if (!failure.empty()) return failure;
  }
  if (const int failed = sync_all(folder_)) return trouble("cannot sync", folder_, failed);
  std::vector<std::string> paths;
  for (const Job& job : jobs) paths.push_back(job.segment.path);
  return remove_in_order(paths, folder_);
}

}  // namespace ringroom::store
