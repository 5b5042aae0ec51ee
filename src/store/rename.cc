#include "store/rename.h"

#include "base/log.h"
#include "store/names.h"

#include <filesystem>

namespace ringroom::store {

namespace fs = std::filesystem;

namespace {

// One by one, since there is a folder of the new name already.
Trouble move_rooms(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  for (const auto& inner : fs::directory_iterator(from, failed)) {
    const fs::path target = to / inner.path().filename();
    fs::create_directories(target, failed);
    if (failed) return trouble("cannot make", target, failed.value());
    for (const auto& room : fs::directory_iterator(inner.path(), failed)) {
      const fs::path moved = target / room.path().filename();
      if (fs::exists(moved, failed)) {
        base::log_error("storage: " + moved.string() + " is there already, so that " +
                        room.path().string() + " stays where it is");
        continue;
      }
      fs::rename(room.path(), moved, failed);
      if (failed) return trouble("cannot move", room.path(), failed.value());
    }
    fs::remove(inner.path(), failed);  // if nothing stayed
  }
  fs::remove(from, failed);
  return {};
}

}  // namespace

Trouble rename_class(const std::string& folder,
                     std::string_view from,
                     std::string_view to,
                     const Behind* behind) {
  if (behind != nullptr) {
    const auto first = behind->lower_bound(class_folder(from) + "/");
    if (first != behind->end() && first->first.starts_with(class_folder(from) + "/")) {
      return first->second + "; class " + std::string(from) + " can't be renamed before";
    }
  }
  const fs::path rooms = fs::path(folder) / "rooms";
  const fs::path old_folder = rooms / class_folder(from);
  const fs::path new_folder = rooms / class_folder(to);
  std::error_code failed;
  if (!fs::exists(old_folder, failed)) return {};
  if (fs::exists(new_folder, failed)) {
    if (Trouble failure = move_rooms(old_folder, new_folder); !failure.empty()) return failure;
  } else {
    fs::rename(old_folder, new_folder, failed);
    if (failed) return trouble("cannot rename", old_folder, failed.value());
  }
  base::log_info("storage: the rooms of " + std::string(from) + " are those of " + std::string(to) +
                 " now");
  const int error = sync_all(folder);
  return error == 0 ? Trouble{} : trouble("cannot sync", folder, error);
}

}  // namespace ringroom::store
