// Store: the databases of one shard's rooms. Opens them, ends the turn's transactions in one batch
// of the log, and says when a batch is durable. Made and used by its shard's thread; the log's
// writes are carried out by the shard. Bounded by open_max open databases, the log's limits, and
// DatabaseLimits.
#pragma once

#include "ringroom/server.h"
#include "store/database.h"
#include "store/helper.h"
#include "store/log.h"
#include "store/pages.h"
#include "store/vfs.h"

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace ringroom::store {

struct StoreOptions {
  std::size_t open_max =
      limits::databases_open_max_default;  ///< databases open at a time; of those asleep none is
  std::size_t files_max = limits::databases_open_max_default;  ///< open files; at least open_max
  DatabaseLimits limits;
  Durability durability = Durability::strict;
  std::uint64_t segment_bytes = std::uint64_t{16} << 20U;  ///< of the log, until it is written back
};

class RoomStore;

/// What a store has done since it was made.
struct StoreCounts {
  std::uint64_t commits = 0;     ///< of rooms, into the log
  std::uint64_t log_writes = 0;  ///< batches; with --durability strict each is one sync
  std::uint64_t log_bytes = 0;   ///< of them
  std::uint64_t failures =
      0;  ///< writes of the log that failed, and segments that couldn't be made
  std::uint64_t written_back = 0;  ///< segments
  std::uint64_t databases_opened = 0;
};

/// What a query from outside found.
struct Reading {
  SqlRows rows;
  std::uint64_t batch = 0;  ///< the newest that they may show
};

/// Where a room's database is.
enum class Found : std::uint8_t {
  nowhere,  // nothing is stored of the room
  here,     // it can be opened without waiting for the disk
  opening,  // its file is being opened: see Store::next_open()
};

/// A file to be opened for reading by whoever can wait for the disk (openat(2), O_RDONLY). The path
/// is good until opened().
struct FileToOpen {
  std::uint32_t id;
  const char* path;
};

/// What became of a room's writes at the end of a turn.
enum class Committed : std::uint8_t {
  nothing,  // nothing was changed
  logged,   // durable with the batch of that turn
  kept,     // there is nothing that they could be lost by but the end of the server
  lost,     // undone: the agent that made them must not go on
};

class Store {
 public:
  /// `helper`: of the data folder; null: everything stays in memory.
  Store(Helper* helper, const StoreOptions& options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  bool in_memory() const { return helper_ == nullptr; }
  /// The batch that this turn's writes go to.
  std::uint64_t batch_number() const { return log_ ? log_->batch_number() : 0; }
  std::uint64_t durable() const { return log_ ? log_->durable() : 0; }

  /// Ends the transactions of the turn, those of the shard's own databases first. Tells what became
  /// of each: done(RoomStore&, Committed).
  template <typename Done>
  void commit_turn(Done done) {
    // A room whose writes are lost is gone when done() returns.
    for (RoomStore* room : std::exchange(turn_, {})) done(*room, commit(*room));
  }
  bool has_turn() const { return !turn_.empty(); }
  std::size_t rooms_in_turn() const { return turn_.size(); }

  /// A write of the log, if one is due: to be synced by whoever carries it out (strict). In process
  /// mode it is done at once, and there is none.
  std::optional<LogWrite> next_write();
  /// It is done: 0, or an errno. On failure the batches from failed_from() on are lost.
  void written(int failure);
  /// The first batch that is lost since the last call, if one is.
  std::optional<std::uint64_t> take_failed() { return std::exchange(failed_from_, std::nullopt); }

  /// An eventfd that becomes readable when the helper has done something; -1: there is none.
  int event() const { return log_ ? log_->desk().event() : -1; }
  /// To be called when it was, and before each turn's writes.
  void read_answers();
  /// Nothing waits to be written.
  bool is_idle() const { return !log_ || log_->is_idle() || !log_->trouble().empty(); }
  /// The write of next_write() is under way.
  bool is_writing() const { return log_ && log_->is_writing(); }
  /// Writes what is left, on this thread, and gives the log to the helper. For the end of a shard,
  /// when none is under way.
  void finish();

  /// To be asked before a room is used for the first time since its agent woke. A file that is here
  /// stays open with the RoomStore, or the read(), that comes next.
  Found find(const Identity& identity);
  /// A file that find() or the end of a checkpoint waits for.
  std::optional<FileToOpen> next_open();
  /// It is open: a descriptor, which is the store's now, or -errno. Calls found(name) with the name
  /// of the database, unless its file has changed meanwhile and is opened once more.
  template <typename Tell>
  void opened(std::uint32_t id, int result, Tell found) {
    Pages* pages = take_opened(id, result);
    if (pages == nullptr) return;
    found(pages->name());
    release(*pages);
  }
  bool is_opening() const { return !openings_.empty(); }

  /// A query that only reads, for somebody else than the room's agent: what was committed, and
  /// isn't to be told before it is durable. Nothing if there is no database. Takes a second at
  /// most. Throws SqlError.
  std::optional<Reading> read(const Identity& identity, std::string_view query);

  /// Has an empty file made beside a database's, as a word to the next start.
  void put_beside(const std::string& name, const char* ending) const;

  std::size_t open_databases() const { return open_.size(); }
  const StoreCounts& counts() const { return counts_; }
  /// Segments that the helper has yet to write back.
  unsigned segments_waiting() const { return log_ ? log_->segments_waiting() : 0; }
  /// Something was committed that no write was begun for.
  bool has_batch() const { return log_ && log_->has_batch(); }
  std::size_t overlay_bytes() const;

 private:
  friend class RoomStore;

  // Somebody's use of the pages, by the name of the file.
  class Use {
   public:
    Use(Store& store, const std::string& name) : pages(store.acquire(name)), store_(store) {}
    ~Use() { store_.release(pages); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    Pages& pages;

   private:
    Store& store_;
  };

  // A file that the ring opens.
  struct Opening {
    Pages* pages;         // which it uses
    std::uint64_t up_to;  // the batches that were in the file when it was begun
    bool unblocks;
  };

  Pages& pages_of(const std::string& name);
  Pages& acquire(const std::string& name);
  void refuse_if_unread(Pages& pages);
  void release(Pages& pages);
  bool has_files(std::string_view class_name) const;
  void start_opening(Pages& pages, bool unblocks);
  bool is_behind(const Pages& pages) const;
  Pages* take_opened(std::uint32_t id, int result);
  void catch_up(Pages& pages);
  void make_room();
  void limit_files();
  Committed commit(RoomStore& room);
  Committed commit_end_of(RoomStore& room);
  Committed take(Pages& pages);
  void note_failure();
  std::string why_not_writable() const;

  Helper* helper_;
  StoreOptions options_;
  Vfs vfs_;
  std::optional<Log> log_;
  std::unordered_map<std::string, std::unique_ptr<Pages>> pages_;  // by name
  std::list<RoomStore*> open_;                     // with an open database, the last used one first
  std::list<RoomStore*> resting_;                  // with a file and no open database, likewise
  std::unordered_set<std::string> class_folders_;  // that have files
  std::unordered_map<std::uint32_t, Opening> openings_;
  std::vector<std::uint32_t> to_open_;  // of them, which nobody has begun
  std::uint32_t next_opening_ = 0;
  std::vector<RoomStore*> turn_;  // with a transaction in this turn
  std::optional<std::uint64_t> failed_from_;
  bool in_trouble_ = false;
  std::uint64_t written_back_ = 0;        // batches up to this one, but for those of databases
  std::shared_ptr<const Behind> behind_;  // whose files can't be written; null: all can
  std::shared_ptr<const Behind> unread_;  // the same before this store was made
  std::uint64_t write_bytes_ = 0;         // of the one that is under way
  StoreCounts counts_;
};

/// One room's way to its database, which is opened at the first query and may be closed between
/// turns when others need its place. Holds its file from the beginning, so that no query waits for
/// the disk to find it; if there are more of them than files_max, the one unused longest lets go of
/// its own, and asks for it again. Lives as long as the room's agent.
class RoomStore final : private Turn {
 public:
  static constexpr std::uint32_t no_owner = UINT32_MAX;

  /// `owner`: whatever the maker knows it by. `found`: what find() has said, if it was asked.
  RoomStore(Store& store,
            Identity identity,
            std::uint32_t owner,
            std::optional<Found> found = std::nullopt);
  /// A database of the shard's own, by its file's name.
  RoomStore(Store& store, std::string name);
  ~RoomStore() override;
  RoomStore(const RoomStore&) = delete;
  RoomStore& operator=(const RoomStore&) = delete;

  std::uint32_t owner() const { return owner_; }
  /// The open database. Throws SqlError. Good until the turn ends.
  Database& database();
  /// The same if there is anything in it; null: there isn't, and nothing is opened.
  Database* existing();
  /// Whether it was written to in this turn: nothing that it says may leave before batch_number()
  /// is durable.
  bool has_written() const { return has_written_; }
  /// Destroys the database with the end of the turn: whatever is written until then, and the file.
  /// Counts as a write. Throws SqlError if it can't be read or written now.
  void destroy();
  bool is_destroyed() const { return destroyed_; }
  /// Undoes what this turn wrote. What it wrote is otherwise committed at the turn's end, or with
  /// the end of this.
  void abandon();

 private:
  friend class Store;
  enum class Place : std::uint8_t { none, open, resting };  // which list it is in
  void joins() override;
  std::string writes() override;
  void close();
  void rest();
  void leave_list();
  void locate();

  Store& store_;
  Identity identity_;
  std::uint32_t owner_;
  Pages& pages_;
  std::optional<Database> database_;
  Place list_ = Place::none;
  std::list<RoomStore*>::iterator place_;
  bool has_written_ = false;
  bool destroyed_ = false;
};

}  // namespace ringroom::store
