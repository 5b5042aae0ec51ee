#include "store/folder.h"

#include "store/disk.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace ringroom::store {

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Trouble FolderLock::take(const std::string& folder) {
  if (const int error = make_folders(folder)) return trouble("cannot make", folder, error);
  const std::string path = folder + "/lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) return trouble("cannot write", path, errno);
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return trouble("cannot lock", path, errno);
  return folder +
         " is used by another running server: stop that one, or give this one a folder of "
         "its own with --data";
}

Trouble FolderLock::take_to_read(const std::string& folder) {
  const std::string path = folder + "/lock";
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0 && errno == ENOENT) return {};  // no server was ever here
  if (descriptor_ < 0) return trouble("cannot read", path, errno);
  if (::flock(descriptor_, LOCK_SH | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return trouble("cannot lock", path, errno);
  return folder + " is used by a running server: ask that one, by its --admin address";
}

}  // namespace ringroom::store
