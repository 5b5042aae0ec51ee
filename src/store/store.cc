#include "store/store.h"

#include "base/assert.h"
#include "base/log.h"
#include "store/names.h"

#include <algorithm>
#include <cerrno>
#include <utility>

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
  for (std::string& name : list_folders(helper_->folder() + "/rooms")) {
    class_folders_.insert(std::move(name));
  }
  if (unread_ == nullptr) return;
  for (const auto& [name, why] : *unread_) class_folders_.insert(name.substr(0, name.find('/')));
}

Store::~Store() = default;

// ---- Databases

Pages& Store::pages_of(const std::string& name) {
  std::unique_ptr<Pages>& pages = pages_[name];
  if (pages == nullptr) {
    const std::string path = in_memory() ? "" : database_path(helper_->folder(), name);
    pages = std::make_unique<Pages>(name, path);
  }
  return *pages;
}

// Of what a start couldn't write back the newest is in the log alone: the file isn't to be taken
// for it before the helper has written it, nor what was found of it until then.
void Store::refuse_if_unread(Pages& pages) {
  if (unread_ == nullptr) [[likely]]
    return;
  const auto why = unread_->find(pages.name());
  if (why == unread_->end()) return;
  const std::shared_ptr<const Behind> now = helper_->behind();
  if (now != nullptr && now->contains(pages.name())) {
    throw SqlError("", why->second + "; what the room wrote last stands in the log until then");
  }
  if (pages.is_clean()) pages.reset();
}

Pages& Store::acquire(const std::string& name) {
  Pages& pages = pages_of(name);
  ++pages.users;
  return pages;
}

// What isn't in the file yet stays.
void Store::release(Pages& pages) {
  if (--pages.users > 0) return;
  pages.close_file();
  if (pages.is_clean()) pages_.erase(pages_.find(pages.name()));
}

// Of most classes no room ever writes: the disk isn't asked for each of their rooms.
bool Store::has_files(std::string_view class_name) const {
  return class_folders_.contains(class_folder(class_name));
}

Found Store::find(const Identity& identity) {
  if (in_memory()) return Found::here;
  if (!has_files(identity.class_name)) return Found::nowhere;
  Pages& pages = pages_of(database_name(identity.class_name, identity.room));
  if (!pages.opening && !pages.locate_at_once()) start_opening(pages, false);
  if (pages.opening) return Found::opening;
  if (pages.users > 0 || !pages.is_nothing()) return Found::here;
  pages_.erase(pages_.find(pages.name()));
  return Found::nowhere;
}

void Store::start_opening(Pages& pages, bool unblocks) {
  ++pages.users;
  pages.opening = true;
  openings_.emplace(next_opening_, Opening{&pages, written_back_, unblocks});
  to_open_.push_back(next_opening_++);
}

std::optional<FileToOpen> Store::next_open() {
  if (to_open_.empty()) return std::nullopt;
  const std::uint32_t id = to_open_.back();
  to_open_.pop_back();
  return FileToOpen{id, openings_.at(id).pages->path().c_str()};
}

// What was found counts for the time when it was begun: since then the helper may have made a file.
Pages* Store::take_opened(std::uint32_t id, int result) {
  const Opening opening = openings_.extract(id).mapped();
  Pages& pages = *opening.pages;
  pages.opening = false;
  pages.located(result < 0 ? File() : File(result), result < 0 ? -result : 0);
  if (opening.unblocks) pages.blocked = false;
  if (!pages.blocked && !is_behind(pages)) pages.forget(opening.up_to);
  catch_up(pages);
  if (!pages.opening) return &pages;
  release(pages);
  return nullptr;
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

void Store::limit_files() {
  while (!resting_.empty() && open_.size() + resting_.size() > options_.files_max) {
    RoomStore& room = *resting_.back();
    room.leave_list();
    room.pages_.expect_file();
    room.pages_.close_file();
  }
}

std::size_t Store::overlay_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [name, pages] : pages_) bytes += pages->overlay_bytes();
  return bytes;
}

std::optional<Reading> Store::read(const Identity& identity, std::string_view query) {
  const Use use(*this, database_name(identity.class_name, identity.room));
  refuse_if_unread(use.pages);
  use.pages.locate();
  if (use.pages.total() == 0 && use.pages.trouble() == 0) return std::nullopt;
  NoTurn turn;
  DatabaseLimits limits = options_.limits;
  limits.query_time_max = std::min(limits.query_time_max, reading_time_max);
  limits.result_bytes_max = reading_bytes_max;
  Database database(vfs_, use.pages, turn, identity, limits);
  return Reading{database.run_own(query), use.pages.newest_batch()};
}

void Store::put_beside(const std::string& name, const char* ending) const {
  if (helper_ != nullptr) helper_->mark(database_path(helper_->folder(), name) + ending);
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
  return take(room.pages_);
}

// SQLite remembers pages, and so goes first.
Committed Store::commit_end_of(RoomStore& room) {
  room.database_->roll_back();
  room.close();
  room.pages_.clear();
  return take(room.pages_);
}

Committed Store::take(Pages& pages) {
  if (!pages.is_dirty()) return Committed::nothing;
  if (!log_) {
    pages.keep();
    return Committed::kept;
  }
  pages.take(log_->batch(), log_->batch_number());
  if (!pages.has_file()) class_folders_.insert(pages.name().substr(0, pages.name().find('/')));
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
    catch_up(pages);
    each = pages.users == 0 && pages.is_clean() ? pages_.erase(each) : std::next(each);
  }
}

// What the helper has written is read from the file, which whoever reads must find without waiting.
void Store::catch_up(Pages& pages) {
  if (is_behind(pages) || pages.opening) return;
  if (pages.blocked) {
    if (!log_->trouble().empty()) return;
    pages.reset();
    if (pages.users > 0 && !pages.locate_at_once()) return start_opening(pages, true);
    pages.blocked = false;
  } else if (pages.has_of(written_back_)) {
    const bool is_new = pages.expect_file();
    if (is_new && pages.users > 0 && !pages.locate_at_once()) return start_opening(pages, false);
    pages.forget(written_back_);
  }
}

bool Store::is_behind(const Pages& pages) const {
  return behind_ != nullptr && behind_->contains(pages.name());
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

RoomStore::RoomStore(Store& store,
                     Identity identity,
                     std::uint32_t owner,
                     std::optional<Found> found)
    : store_(store),
      identity_(identity),
      owner_(owner),
      pages_(store.acquire(database_name(identity.class_name, identity.room))) {
  if (found == Found::nowhere) pages_.located(File(), ENOENT);
  if (found == Found::here) rest();
}

RoomStore::RoomStore(Store& store, std::string name)
    : store_(store), identity_{"", ""}, owner_(no_owner), pages_(store.acquire(name)) {}

RoomStore::~RoomStore() {
  if (std::erase(store_.turn_, this) > 0) static_cast<void>(store_.commit(*this));
  database_.reset();
  leave_list();
  store_.release(pages_);
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
  locate();
  leave_list();  // so that its own file isn't the one that goes
  store_.make_room();
  try {
    database_.emplace(store_.vfs_, pages_, static_cast<Turn&>(*this), identity_,
                      store_.options_.limits);
  } catch (const SqlError& error) {
    base::log_error("storage: " + pages_.name() + ": " + error.cause());
    rest();
    throw;
  }
  ++store_.counts_.databases_opened;
  place_ = store_.open_.insert(store_.open_.begin(), this);
  list_ = Place::open;
  store_.limit_files();
  return *database_;
}

// Whoever asked find() before, and has its place among the files, doesn't wait. What couldn't be
// read is looked at again.
void RoomStore::locate() {
  store_.refuse_if_unread(pages_);
  if (pages_.trouble() != 0 && pages_.is_clean()) pages_.reset();
  pages_.locate();
}

Database* RoomStore::existing() {
  locate();
  const bool is_empty = pages_.total() == 0 && !has_written_ && pages_.trouble() == 0;
  return is_empty ? nullptr : &database();
}

void RoomStore::close() {
  if (!database_) return;
  database_.reset();
  rest();
}

void RoomStore::rest() {
  leave_list();
  place_ = store_.resting_.insert(store_.resting_.begin(), this);
  list_ = Place::resting;
  store_.limit_files();
}

void RoomStore::leave_list() {
  if (list_ == Place::none) return;
  (list_ == Place::open ? store_.open_ : store_.resting_).erase(place_);
  list_ = Place::none;
}

void RoomStore::joins() {
  store_.turn_.insert(owner_ == no_owner ? store_.turn_.begin() : store_.turn_.end(), this);
}

std::string RoomStore::writes() {
  std::string why = store_.why_not_writable();
  if (why.empty() && store_.behind_ != nullptr) {
    const auto behind = store_.behind_->find(pages_.name());
    if (behind != store_.behind_->end()) why = behind->second;
  }
  if (why.empty()) has_written_ = true;
  return why;
}

}  // namespace ringroom::store
