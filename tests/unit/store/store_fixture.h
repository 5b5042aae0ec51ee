// A store over a folder of its own, and the part of a shard that carries out its writes. Of one
// test, on one thread.
#pragma once

#include "../../temporary_folder.h"
#include "store/checkpoint.h"
#include "store/store.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

namespace ringroom::store {

/// A helper and a store, as long as a server runs.
class RunningStore {
 public:
  explicit RunningStore(const std::string& folder, const StoreOptions& options = {})
      : RunningStore(folder, options, Leftover(folder)) {}
  /// With what the start couldn't write back.
  RunningStore(const std::string& folder, const StoreOptions& options, Leftover leftover)
      : helper_(std::make_unique<Helper>(
            folder,
            options.durability == Durability::strict ? Access::direct : Access::write,
            std::move(leftover))),
        store_(std::make_unique<Store>(helper_.get(), options)) {}
  /// In memory.
  RunningStore() : store_(std::make_unique<Store>(nullptr, StoreOptions{})) {}

  Store* operator->() { return store_.get(); }
  Store& operator*() { return *store_; }

  /// Ends a turn, and waits until what it wrote is durable. What became of each room that took
  /// part.
  std::vector<Committed> turn() {
    std::vector<Committed> results;
    store_->commit_turn([&](RoomStore&, Committed committed) { results.push_back(committed); });
    write_all();
    return results;
  }
  void write_all() {
    while (!store_->is_idle()) {
      store_->read_answers();
      while (const auto file = store_->next_open()) {
        const int opened = ::open(file->path, O_RDONLY | O_CLOEXEC);
        store_->opened(file->id, opened < 0 ? -errno : opened, [](const std::string&) {});
      }
      if (const auto write = store_->next_write()) store_->written(carry_out(*write));
    }
  }
  /// 0 or an errno.
  int carry_out(const LogWrite& write) {
    if (fail_next != 0) return std::exchange(fail_next, 0);
    const ssize_t put = ::pwrite(write.descriptor, write.bytes.data(), write.bytes.size(),
                                 static_cast<off_t>(write.offset));
    return put == static_cast<ssize_t>(write.bytes.size()) && ::fdatasync(write.descriptor) == 0
               ? 0
               : EIO;
  }
  /// The server ends as it should.
  void stop() {
    store_->finish();
    store_.reset();
    helper_.reset();
  }

  int fail_next = 0;  // an errno for the next write of the log

 private:
  std::unique_ptr<Helper> helper_;
  std::unique_ptr<Store> store_;
};

inline SqlRows run(RoomStore& room, std::string_view query, std::vector<SqlValue> values = {}) {
  return room.database().run(query, values);
}

/// The cause of the error that a query ends with; empty: it succeeded.
inline std::string cause_of_failure(RoomStore& room,
                                    std::string_view query,
                                    std::vector<SqlValue> values = {}) {
  try {
    run(room, query, std::move(values));
  } catch (const SqlError& error) {
    return error.cause();
  }
  return {};
}

}  // namespace ringroom::store
