// FolderLock: the data folder is one server's. Taken before anything in it is looked at, given back
// when the process ends, however it does.
#pragma once

#include "store/checkpoint.h"

#include <string>
#include <utility>

namespace ringroom::store {

class FolderLock {
 public:
  FolderLock() = default;
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  /// Makes the folder if it isn't there. What prevents it is told with advice.
  Trouble take(const std::string& folder);
  /// The same to read what is there, beside others that do: no server begins meanwhile.
  Trouble take_to_read(const std::string& folder);

 private:
  int descriptor_ = -1;
};

}  // namespace ringroom::store
