// Vfs: SQLite's way to a Pages. One for each Store, since it names the Pages that is being opened;
// on the store's thread. It keeps no journal and no file of its own: a commit is taken from the
// Pages as a whole.
#pragma once

#include "store/pages.h"

#include <memory>
#include <string>

struct sqlite3;

namespace ringroom::store {

class Vfs {
 public:
  Vfs();
  ~Vfs();
  Vfs(const Vfs&) = delete;
  Vfs& operator=(const Vfs&) = delete;

  /// A connection to these pages, which stay until it is closed. Null: no memory.
  sqlite3* open(Pages& pages);

  struct Body;

 private:
  std::unique_ptr<Body> body_;
};

}  // namespace ringroom::store
