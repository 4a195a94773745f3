// # Records as files
//
// A live session is the file `HEX`, the key in hexadecimal; a record of any
// other state is `.HEX`, out of sight of `ls`. A record is never in two files,
// because a change of state is two renames:
//
//   1. the new bytes over the old ones, under the old name: atomic, and the
//      decision;
//   2. the file to the name of its new state. If this does not happen, the
//      state inside the file still counts, and the next write tidies up.
//
// So no crash between the two can bring an older state to light. Should both
// files exist nevertheless (restored from two backups), `HEX` counts.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "directory.hpp"
#include "sancho/id.hpp"
#include "sancho/record.hpp"

namespace sancho {

// Where a record is, which may not be where it belongs, and how long its file is.
struct Spot {
  FileName file;
  std::size_t size = 0;
};

struct FoundRecord : Spot {
  Record record;
};

class RecordFiles {
 public:
  explicit RecordFiles(Directory& directory) : directory_(directory) {}

  // Without a lock. Never misses a record that merely changes its file.
  std::optional<FoundRecord> look(const SessionKey& key, Deadline deadline);
  // The same, into a record that is there already.
  std::optional<Spot> look(const SessionKey& key, Record& record, Deadline deadline);

  // The rest needs the writers' lock. `find` is `look` for those who hold it.
  std::optional<FoundRecord> find(const SessionKey& key);
  // Puts a draft of this record where `old` is, or where it belongs if that is null.
  void put(const SessionKey& key, const Spot* old, Directory::Draft draft, State state);
  // Ends a session although there is no room for a new file.
  void end_in_place(const SessionKey& key, const Spot& old, const Record& ended);
  // Removes the file of a record that `find` has found. False if it was gone.
  bool remove(const SessionKey& key, const Spot& found);

  // At most `limit` of the keys that follow `after` (or the first), in order.
  // `other` gets the names that are no key's.
  std::vector<SessionKey> keys_after(const std::optional<SessionKey>& after, std::size_t limit,
                                     const std::function<void(std::string_view)>& other = {});

 private:
  std::optional<Spot> look_once(const SessionKey& key, Record& record);
  std::optional<Spot> read(const FileName& file, Record& record);
  std::optional<Spot> read(const FileName& file, Record& record, Directory::Read how);
  void move_home(const SessionKey& key, const FileName& from, State state);
  Directory& directory_;
};

}  // namespace sancho
