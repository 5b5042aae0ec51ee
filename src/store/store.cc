#include "store/store.h"

#include "base/assert.h"
#include "base/log.h"
#include "store/names.h"

#include <algorithm>

namespace ringroom::store {

namespace {
// Of somebody who looks from outside, while the rooms of the shard wait.
constexpr std::chrono::milliseconds reading_time_max{1'000};
constexpr std::size_t reading_bytes_max = std::size_t{8} << 20U;
}  // namespace

Store::Store(Helper* helper, const StoreOptions& options) : helper_(helper), options_(options) {
  if (helper_ == nullptr) return;
  const bool is_synced = options_.durability == Durability::strict;
  log_.emplace(*helper_, options_.segment_bytes, is_synced ? block_bytes : record_unit);
  unread_ = helper_->behind();
}

Store::~Store() = default;

// ---- Databases

Pages& Store::acquire(const std::string& name) {
  auto found = pages_.find(name);
  if (found == pages_.end()) {
    refuse_if_unread(name);
    const std::string path = in_memory() ? "" : database_path(helper_->folder(), name);
    found = pages_.emplace(name, std::make_unique<Pages>(name, path)).first;
  }
  ++found->second->users;
  return *found->second;
}

// Of what a start couldn't write back the newest is in the log alone: the file isn't to be taken
// for it before the helper has written it.
void Store::refuse_if_unread(const std::string& name) {
  if (unread_ == nullptr) [[likely]]
    return;
  const auto why = unread_->find(name);
  if (why == unread_->end()) return;
  const std::shared_ptr<const Behind> now = helper_->behind();
  if (now == nullptr) {
    unread_.reset();
  } else if (now->contains(name)) {
    throw SqlError("", why->second + "; what the room wrote last stands in the log until then");
  }
}

// What isn't in the file yet stays.
void Store::release(Pages& pages) {
  if (--pages.users > 0) return;
  pages.close_file();
  if (pages.is_clean()) pages_.erase(pages_.find(pages.name()));
}

// The one that was used longest ago goes, but none that has a transaction.
void Store::make_room() {
  for (auto place = open_.rbegin(); place != open_.rend() && open_.size() >= options_.open_max;) {
    RoomStore& room = **place++;
    if (!room.database_->is_in_turn()) {
      room.close();
      return;
    }
  }
}

std::size_t Store::overlay_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [name, pages] : pages_) bytes += pages->overlay_bytes();
  return bytes;
}

std::optional<Reading> Store::read(const Identity& identity, std::string_view query) {
  const Use use(*this, database_name(identity.class_name, identity.room));
  if (use.pages.total() == 0 && use.pages.trouble() == 0) return std::nullopt;
  NoTurn turn;
  DatabaseLimits limits = options_.limits;
  limits.query_time_max = std::min(limits.query_time_max, reading_time_max);
  limits.result_bytes_max = reading_bytes_max;
  Database database(vfs_, use.pages, turn, identity, limits);
  return Reading{database.run_own(query), use.pages.newest_batch()};
}

void Store::put_beside(const std::string& name, const char* ending) const {
  if (in_memory()) return;
  const std::string path = database_path(helper_->folder(), name) + ending;
  File file;
  if (const int error = file.open(path, Access::write)) {
    base::log_error("storage: " + trouble("cannot make", path, error));
  }
}

// ---- The turn

std::string Store::why_not_writable() const {
  if (!log_) return {};
  if (!log_->trouble().empty()) return log_->trouble();
  if (log_->is_full()) return "the disk doesn't keep up with what is written: try again later";
  return {};
}

Committed Store::commit(RoomStore& room) {
  const bool has_written = std::exchange(room.has_written_, false);
  if (log_ && !log_->trouble().empty()) {
    room.database_->roll_back();
    return has_written ? Committed::lost : Committed::nothing;
  }
  if (room.destroyed_) return commit_end_of(room);
  if (!room.database_->commit()) return Committed::lost;
  return take(*room.pages_);
}

// SQLite remembers pages, and so goes first.
Committed Store::commit_end_of(RoomStore& room) {
  Pages& pages = *room.pages_;
  ++pages.users;
  room.database_->roll_back();
  room.close();
  pages.clear();
  const Committed result = take(pages);
  release(pages);
  return result;
}

Committed Store::take(Pages& pages) {
  if (!pages.is_dirty()) return Committed::nothing;
  if (!log_) {
    pages.keep();
    return Committed::kept;
  }
  pages.take(log_->batch(), log_->batch_number());
  ++counts_.commits;
  return Committed::logged;
}

std::optional<LogWrite> Store::next_write() {
  if (!log_) return std::nullopt;
  std::optional<LogWrite> write;
  while ((write = log_->next_write())) {
    write_bytes_ = write->bytes.size();
    if (options_.durability == Durability::strict) break;
    written(log_->write_now(*write));
  }
  if (!log_->trouble().empty()) note_failure();
  return write;
}

void Store::written(int failure) {
  log_->written(failure);
  if (failure == 0) {
    ++counts_.log_writes;
    counts_.log_bytes += write_bytes_;
  }
  if (!log_->trouble().empty()) note_failure();
}

// Whoever wrote what is lost is read again from the disk, as soon as the helper has brought
// everything durable there.
void Store::note_failure() {
  if (!std::exchange(in_trouble_, true)) ++counts_.failures;
  const std::uint64_t durable = log_->durable();
  for (const auto& [name, pages] : pages_) {
    if (pages->newest_batch() <= durable || std::exchange(pages->blocked, true)) continue;
    failed_from_ = durable + 1;
  }
}

void Store::read_answers() {
  if (!log_) return;
  const LogNews news = log_->read_answers();
  counts_.written_back += news.segments;
  if (news.healed) in_trouble_ = false;
  if (!news.written_back && !news.healed && !news.behind) return;
  if (news.behind) behind_ = *news.behind;
  written_back_ = std::max(written_back_, news.written_back.value_or(0));
  for (auto each = pages_.begin(); each != pages_.end();) {
    Pages& pages = *each->second;
    const bool is_behind = behind_ != nullptr && behind_->contains(pages.name());
    if (pages.blocked && log_->trouble().empty() && !is_behind) {
      pages.reset();
      pages.blocked = false;
    } else if (!pages.blocked && !is_behind) {
      pages.forget(written_back_);
    }
    each = pages.users == 0 && pages.is_clean() ? pages_.erase(each) : std::next(each);
  }
}

void Store::finish() {
  if (!log_) return;
  while (!log_->is_idle() && log_->trouble().empty()) {
    if (const auto write = log_->next_write()) {
      written(log_->write_now(*write));
    } else if (log_->trouble().empty()) {
      helper_->wait_for_answer(log_->desk());
    }
    read_answers();
  }
  for (read_answers(); log_->is_waiting_for_segment(); read_answers()) {
    helper_->wait_for_answer(log_->desk());
  }
  log_->finish();
}

// ---- RoomStore

RoomStore::RoomStore(Store& store, Identity identity, std::uint32_t owner)
    : store_(store),
      identity_(identity),
      name_(database_name(identity.class_name, identity.room)),
      owner_(owner) {}

RoomStore::RoomStore(Store& store, std::string name)
    : store_(store), identity_{"", ""}, name_(std::move(name)), owner_(no_owner) {}

RoomStore::~RoomStore() {
  if (std::erase(store_.turn_, this) > 0) static_cast<void>(store_.commit(*this));
  close();
}

void RoomStore::abandon() {
  if (std::erase(store_.turn_, this) > 0) database_->roll_back();
}

void RoomStore::destroy() {
  Database& database = this->database();
  if (const std::string why = writes(); !why.empty()) throw SqlError("", why);
  database.join_turn();
  destroyed_ = true;
}

Database& RoomStore::database() {
  if (database_) {
    store_.open_.splice(store_.open_.begin(), store_.open_, place_);
    return *database_;
  }
  store_.make_room();
  Pages& pages = store_.acquire(name_);
  try {
    database_.emplace(store_.vfs_, pages, static_cast<Turn&>(*this), identity_,
                      store_.options_.limits);
  } catch (const SqlError& error) {
    base::log_error("storage: " + pages.name() + ": " + error.cause());
    store_.release(pages);
    throw;
  }
  ++store_.counts_.databases_opened;
  pages_ = &pages;
  place_ = store_.open_.insert(store_.open_.begin(), this);
  return *database_;
}

Database* RoomStore::existing() {
  if (database_) {
    const bool is_empty = !has_written_ && database_->pages().total() == 0;
    return is_empty ? nullptr : &database();
  }
  const Store::Use use(store_, name_);  // until it is open, so that the file is opened once
  const bool is_empty = use.pages.total() == 0 && use.pages.trouble() == 0;
  return is_empty ? nullptr : &database();
}

void RoomStore::close() {
  if (!database_) return;
  database_.reset();
  store_.open_.erase(place_);
  store_.release(*std::exchange(pages_, nullptr));
}

void RoomStore::joins() {
  store_.turn_.insert(owner_ == no_owner ? store_.turn_.begin() : store_.turn_.end(), this);
}

std::string RoomStore::writes() {
  std::string why = store_.why_not_writable();
  if (why.empty() && store_.behind_ != nullptr) {
    const auto behind = store_.behind_->find(name_);
    if (behind != store_.behind_->end()) why = behind->second;
  }
  if (why.empty()) has_written_ = true;
  return why;
}

}  // namespace ringroom::store
