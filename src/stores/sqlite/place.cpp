#include "stores/sqlite/place.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/fork_page.hpp"

namespace sancho::sqlite {

namespace {
[[noreturn]] void fail(const std::string& store, const char* doing, int error) {
  const auto kind = error == ENOSPC || error == EDQUOT ? Trouble::full : Trouble::unavailable;
  throw StoreError(kind, store + ": " + doing + ": " + std::generic_category().message(error) +
                             "; see that the directory exists and that this process may write there");
}
}  // namespace

void make_file(const std::string& path, const std::string& store) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && (errno == EEXIST || ::access(path.c_str(), F_OK) == 0)) return;
  if (fd < 0) fail(store, "the file cannot be made", errno);
  const int failed = ::fchmod(fd, 0600);
  const int error = errno;
  ::close(fd);
  if (failed) fail(store, "its mode cannot be set", error);
}

FileId file_id(const std::string& path, const std::string& store) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) fail(store, "the file is not there", errno);
  return {st.st_dev, st.st_ino};
}

bool on_frozen_file_system(const std::string& path) {
  struct statvfs fs {};
  struct stat wal {};
  const bool frozen = ::statvfs(path.c_str(), &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0;
  return frozen && (::stat((path + "-wal").c_str(), &wal) != 0 || wal.st_size == 0);
}

// ## Who opened what

namespace {
struct Open {
  FileId file;
  pid_t process;
};
struct Registry {
  std::mutex mutex;
  std::vector<Open> open;
};
// One per process, because SQLite's own table is.
Registry& registry() {
  static Registry r;
  return r;
}
}  // namespace

void note_open(const FileId& file, const std::string& store) {
  auto& r = registry();
  const std::lock_guard lock(r.mutex);
  const auto inherited = [&](const Open& each) { return each.file == file && each.process != this_process(); };
  if (std::any_of(r.open.begin(), r.open.end(), inherited))
    throw StoreError(Trouble::refused, store + ": it was open when this process was forked; open it after forking, not before");
  r.open.push_back({file, this_process()});
}

void note_closed(const FileId& file) {
  auto& r = registry();
  const std::lock_guard lock(r.mutex);
  const auto mine = [&](const Open& each) { return each.file == file && each.process == this_process(); };
  if (const auto found = std::find_if(r.open.begin(), r.open.end(), mine); found != r.open.end()) r.open.erase(found);
}

}  // namespace sancho::sqlite
