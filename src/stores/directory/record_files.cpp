#include "record_files.hpp"

#include <algorithm>

namespace sancho {

namespace {
FileName file_of(const SessionKey& key, State state) { return FileName::of_key(key, state != State::live); }

std::optional<SessionKey> key_of(std::string_view file) {
  if (file.starts_with('.')) file.remove_prefix(1);
  return SessionKey::from_hex(file);
}
}  // namespace

std::optional<Spot> RecordFiles::read(const FileName& file, Record& record) {
  try {
    return read(file, record, Directory::Read::once);
  } catch (const StoreError& e) {
    if (e.kind() != Trouble::corrupt) throw;
  }
  return read(file, record, Directory::Read::to_the_end);
}

std::optional<Spot> RecordFiles::read(const FileName& file, Record& record, Directory::Read how) {
  Directory::Bytes all;
  const auto bytes = directory_.read(file, how, all);
  if (!bytes) return std::nullopt;
  try {
    decode_record(*bytes, record);
    return Spot{file, bytes->size()};
  } catch (const StoreError& e) {
    throw StoreError(e.kind(), directory_.name() + ": " + e.what());
  }
}

// ## Looking without a lock
//
// A record that exists can be missed by looking at both of its files: it goes
// to the first one after we looked there, and has left the second before we
// look. It takes a decision of the writers to move it, so a second round finds
// it unless it was moved back and forth within microseconds; a record of the
// protocol becomes live at most once, which two rounds cover. The third is for
// anybody else.
std::optional<Spot> RecordFiles::look_once(const SessionKey& key, Record& record) {
  for (int round = 0; round < 3; ++round)
    for (const auto state : {State::live, State::ended})
      if (const auto found = read(file_of(key, state), record)) return found;
  // Nothing. Unless the directory itself is gone: that is no logout.
  struct stat status {};
  if (const int error = directory_.files().stat(directory_.fd(), status); error < 0) directory_.fail(-error, "inspect the directory");
  if (status.st_nlink == 0) throw StoreError(Trouble::unavailable, directory_.name() + ": the directory was removed: open the store again");
  return std::nullopt;
}

std::optional<Spot> RecordFiles::look(const SessionKey& key, Record& record, Deadline deadline) {
  try {
    return look_once(key, record);
  } catch (const StoreError& e) {
    if (e.kind() != Trouble::corrupt) throw;
  }
  // Perhaps we read while `end_in_place` wrote. Under its lock we do not.
  const auto lock = directory_.lock(deadline, true);
  return look_once(key, record);
}

std::optional<FoundRecord> RecordFiles::look(const SessionKey& key, Deadline deadline) {
  std::optional<FoundRecord> found(std::in_place);
  const auto spot = look(key, found->record, deadline);
  if (spot) static_cast<Spot&>(*found) = *spot;
  else found.reset();
  return found;
}

// ## Writing

std::optional<FoundRecord> RecordFiles::find(const SessionKey& key) {
  std::optional<FoundRecord> found(std::in_place);
  auto spot = read(file_of(key, State::live), found->record);
  if (!spot) spot = read(file_of(key, State::ended), found->record);
  if (spot) static_cast<Spot&>(*found) = *spot;
  else found.reset();
  return found;
}

// Should there be a second file, it must not come to light when the first goes, not
// after a power cut either: so it is gone for good before.
bool RecordFiles::remove(const SessionKey& key, const Spot& found) {
  const auto second = file_of(key, State::ended);
  if (found.file != second && directory_.unlink(second)) directory_.sync();
  return directory_.unlink(found.file);
}

void RecordFiles::put(const SessionKey& key, const Spot* old, Directory::Draft draft, State state) {
  const auto file = old ? old->file : file_of(key, state);
  draft.rename_to(file);
  move_home(key, file, state);
}

void RecordFiles::move_home(const SessionKey& key, const FileName& from, State state) {
  const auto home = file_of(key, state);
  // Failure is no trouble: what was decided is decided.
  if (from != home) directory_.files().rename(directory_.fd(), from.c_str(), home.c_str());
}

// A logout must succeed on a full disk, and must never leave the live record.
//
// If the tombstone is not longer than the record it goes over its bytes, which
// have their room already. That is not atomic, but it is safe: from the first
// byte to the last cut the checksum is wrong, so whoever reads in between (or
// after a crash) finds a corrupt record, and that is no session either. If it
// is longer, or the file system wants room even for that, the file goes: a
// commit never creates, so a late save finds it gone. With the room it left we
// try once more to keep the tombstone.
void RecordFiles::end_in_place(const SessionKey& key, const Spot& old, const Record& ended) {
  const auto bytes = encode_record(ended);
  if (bytes.size() <= old.size) {
    try {
      directory_.overwrite(old.file, bytes);
      return move_home(key, old.file, ended.state);
    } catch (const StoreError&) {
      // It may be half written: there is no way back, only forward.
    }
  }
  try {
    remove(key, old);
  } catch (const StoreError& e) {
    throw StoreError(e.kind(), e.what(), true);
  }
  directory_.sync();
  try {
    put(key, nullptr, directory_.draft(bytes), ended.state);
  } catch (const StoreError&) {
    // The session is gone all the same.
  }
}

// ## Walking
//
// The keys of a page are the smallest that follow the last page's: one reading
// of the directory each, never more than two pages in memory, and no cursor of
// the file system, which could show a file twice or not at all when another is
// renamed over it.
std::vector<SessionKey> RecordFiles::keys_after(const std::optional<SessionKey>& after, std::size_t limit,
                                                const std::function<void(std::string_view)>& other) {
  std::vector<SessionKey> keys;
  const auto cut = [&] {
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    if (keys.size() > limit) keys.resize(limit, *SessionKey::from_bytes(std::string(32, '\0')));
  };
  const int error = directory_.files().list(directory_.fd(), [&](std::string_view name) {
    const auto key = key_of(name);
    if (!key) {
      if (other) other(name);
      return;
    }
    if (after && *key <= *after) return;
    keys.push_back(*key);
    if (keys.size() >= 2 * limit) cut();
  });
  if (error < 0) directory_.fail(-error, "list the directory");
  cut();
  return keys;
}

}  // namespace sancho
