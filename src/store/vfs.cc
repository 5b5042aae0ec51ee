#include "store/vfs.h"

#include "base/assert.h"

#include <atomic>
#include <cerrno>
#include <cstring>

#include <sqlite3.h>

namespace ringroom::store {

struct Vfs::Body {
  std::string name;
  sqlite3_vfs vfs{};
  sqlite3_vfs* machine = nullptr;  // for time and randomness
  Pages* opening = nullptr;
};

namespace {

constexpr int page_size = static_cast<int>(page_bytes);

struct PagesFile {
  sqlite3_file base;
  Pages* pages;
};

Pages& pages_of(sqlite3_file* file) {
  return *reinterpret_cast<PagesFile*>(file)->pages;
}

int on_close(sqlite3_file*) {
  return SQLITE_OK;
}

int on_read(sqlite3_file* file, void* to, int bytes, sqlite3_int64 offset) {
  // A file of another page size isn't ours.
  if (offset % page_size + bytes > page_size) return SQLITE_IOERR_READ;
  int failed = 0;
  const std::span<std::byte> place(static_cast<std::byte*>(to), static_cast<std::size_t>(bytes));
  const bool whole = pages_of(file).read(place, static_cast<std::uint64_t>(offset), failed);
  if (failed != 0) return SQLITE_IOERR_READ;
  return whole ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int on_write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 offset) {
  if (count != page_size || offset % page_size != 0) return SQLITE_IOERR_WRITE;
  pages_of(file).write(static_cast<std::uint32_t>(offset / page_size + 1),
                       {static_cast<const std::byte*>(bytes), page_bytes});
  return SQLITE_OK;
}

int on_truncate(sqlite3_file* file, sqlite3_int64 bytes) {
  pages_of(file).resize(static_cast<std::uint32_t>(bytes / page_size));
  return SQLITE_OK;
}

// The log is what is synced.
int on_sync(sqlite3_file*, int) {
  return SQLITE_OK;
}

int on_file_size(sqlite3_file* file, sqlite3_int64* bytes) {
  const Pages& pages = pages_of(file);
  *bytes = static_cast<sqlite3_int64>(pages.total()) * page_size;
  return pages.trouble() == 0 ? SQLITE_OK : SQLITE_IOERR_FSTAT;
}

// One connection for each database, in a folder that no other server uses.
int on_lock(sqlite3_file*, int) {
  return SQLITE_OK;
}

int on_check_lock(sqlite3_file*, int* is_locked) {
  *is_locked = 0;
  return SQLITE_OK;
}

int on_file_control(sqlite3_file*, int, void*) {
  return SQLITE_NOTFOUND;
}

int on_sector_size(sqlite3_file*) {
  return page_size;
}

int on_characteristics(sqlite3_file*) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE | SQLITE_IOCAP_UNDELETABLE_WHEN_OPEN;
}

constexpr sqlite3_io_methods io_methods = {
    .iVersion = 1,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_file_size,
    .xLock = on_lock,
    .xUnlock = on_lock,
    .xCheckReservedLock = on_check_lock,
    .xFileControl = on_file_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

Vfs::Body& body_of(sqlite3_vfs* vfs) {
  return *static_cast<Vfs::Body*>(vfs->pAppData);
}

// Journals and temporary tables are in memory, so that the database is all there is to open.
int on_open(sqlite3_vfs* vfs, const char*, sqlite3_file* file, int flags, int* flags_out) {
  file->pMethods = nullptr;
  Vfs::Body& body = body_of(vfs);
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0 || body.opening == nullptr) return SQLITE_CANTOPEN;
  reinterpret_cast<PagesFile*>(file)->pages = body.opening;
  file->pMethods = &io_methods;
  if (flags_out != nullptr) *flags_out = flags;
  return SQLITE_OK;
}

int on_delete(sqlite3_vfs*, const char*, int) {
  return SQLITE_OK;
}

// There is no journal that a crash left: the log has it.
int on_access(sqlite3_vfs*, const char*, int, int* result) {
  *result = 0;
  return SQLITE_OK;
}

int on_full_path(sqlite3_vfs*, const char* name, int bytes, char* path) {
  sqlite3_snprintf(bytes, path, "%s", name);
  return SQLITE_OK;
}

int on_randomness(sqlite3_vfs* vfs, int bytes, char* to) {
  sqlite3_vfs* machine = body_of(vfs).machine;
  return machine->xRandomness(machine, bytes, to);
}

int on_sleep(sqlite3_vfs*, int microseconds) {
  return microseconds;
}

int on_time(sqlite3_vfs* vfs, double* julian_day) {
  sqlite3_vfs* machine = body_of(vfs).machine;
  return machine->xCurrentTime(machine, julian_day);
}

int on_last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

std::atomic<unsigned> next_name = 0;

// A connection's page cache takes pages as it needs them, and not its first 20 at once: rooms are
// small, and many. What SQLite allocates isn't counted: for that all threads would share a lock.
// SQLite wants to know before anything else of it is used.
const bool configured = sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0) == SQLITE_OK &&
                        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0) == SQLITE_OK;

}  // namespace

Vfs::Vfs() : body_(std::make_unique<Body>()) {
  body_->name = "ringroom-" + std::to_string(next_name++);
  body_->machine = sqlite3_vfs_find(nullptr);
  sqlite3_vfs& vfs = body_->vfs;
  vfs.iVersion = 1;
  vfs.szOsFile = sizeof(PagesFile);
  vfs.mxPathname = 64;
  vfs.zName = body_->name.c_str();
  vfs.pAppData = body_.get();
  vfs.xOpen = on_open;
  vfs.xDelete = on_delete;
  vfs.xAccess = on_access;
  vfs.xFullPathname = on_full_path;
  vfs.xRandomness = on_randomness;
  vfs.xSleep = on_sleep;
  vfs.xCurrentTime = on_time;
  vfs.xGetLastError = on_last_error;
  const int registered = sqlite3_vfs_register(&vfs, 0);
  ASSERT(registered == SQLITE_OK && configured);
}

Vfs::~Vfs() {
  sqlite3_vfs_unregister(&body_->vfs);
}

sqlite3* Vfs::open(Pages& pages) {
  sqlite3* opened = nullptr;
  body_->opening = &pages;
  constexpr int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
  const int result = sqlite3_open_v2("room", &opened, flags, body_->name.c_str());
  body_->opening = nullptr;
  if (result != SQLITE_OK) {
    sqlite3_close(opened);
    return nullptr;
  }
  return opened;
}

}  // namespace ringroom::store
