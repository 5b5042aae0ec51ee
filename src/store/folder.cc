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

}  // namespace ringroom::store
