// A kernel that has often forgotten where a file is, so that somebody has to wait for the disk. In
// the place of store/disk_cached.cc.
#include "sim_world.h"
#include "store/disk.h"

#include <cerrno>

namespace ringroom::store {

int File::open_at_once(const std::string& path) {
  constexpr double has_it_at_hand = 1.0 / 3;
  return sim::SimWorld::current().chance(has_it_at_hand) ? open(path, Access::read) : EAGAIN;
}

}  // namespace ringroom::store
