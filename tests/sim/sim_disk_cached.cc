// A kernel that has often forgotten where a file is, so that somebody has to wait for the disk. In
// the place of store/disk_cached.cc.
#include "store/disk.h"

#include <cerrno>

namespace ringroom::store {

int File::open_at_once(const std::string& path) {
  static unsigned asked = 0;
  return ++asked % 3 == 0 ? open(path, Access::read) : EAGAIN;
}

}  // namespace ringroom::store
