#include "directory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <thread>
#include <utility>

#include "base/fork_page.hpp"
#include "sancho/random.hpp"

namespace sancho {

void Directory::fail(int error, const char* doing, bool maybe_done) const {
  auto kind = Trouble::unavailable;
  if (error == ENOSPC || error == EDQUOT) kind = Trouble::full;
  if (error == EROFS || error == EACCES || error == EPERM) kind = Trouble::refused;
  throw StoreError(kind, fmt::format("{}: cannot {}: {}", name(), doing, std::generic_category().message(error)), maybe_done);
}

// An open file that is closed in the end.
class Directory::File {
 public:
  File(Directory& directory, int fd) : directory_(directory), fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) directory_.files_.close(fd_);
  }
  int fd() const { return fd_; }
  int close() { return directory_.files_.close(std::exchange(fd_, -1)); }

 private:
  Directory& directory_;
  int fd_;
};

// ## Opening

Directory::~Directory() {
  if (fd_ >= 0) files_.close(fd_);
  if (lock_fd_ >= 0) files_.close(lock_fd_);
}

void Directory::make() {
  if (path_.empty()) throw ConfigError("dir: needs the path of a directory, as in dir:/var/lib/app/sessions");
  if (fd_ >= 0) return;
  const int made = files_.make_directory(path_, 0700);
  if (made == 0) {
    if (const int synced = files_.sync_parent(path_); synced < 0) fail(-synced, "make the directory durable");
  } else if (made != -EEXIST) {
    const int there = files_.open_directory(path_);  // a read-only file system says so before it says "exists"
    if (there < 0) fail(-made, "make the directory (its parent must exist, and be writable for this user)");
    files_.close(there);
  }
  const int fd = files_.open_directory(path_);
  if (fd == -ELOOP || fd == -ENOTDIR)
    throw StoreError(Trouble::refused, name() + " is a symbolic link or no directory: name the directory itself");
  if (fd < 0) fail(-fd, "open the directory");
  File opened(*this, fd);
  struct stat status {};
  if (const int error = files_.stat(fd, status); error < 0) fail(-error, "inspect the directory");
  if (status.st_uid != ::geteuid())
    throw StoreError(Trouble::refused, fmt::format("{} belongs to user {}, this program runs as {}: chown it, or choose another", name(),
                                                   status.st_uid, ::geteuid()));
  if (status.st_mode & 077)
    throw StoreError(Trouble::refused, fmt::format("{} is open to other users (mode {:04o}): chmod 700 it", name(), status.st_mode & 07777));
  lock_fd_ = files_.reopen_directory(fd);
  if (lock_fd_ < 0) fail(-lock_fd_, "open the directory");
  lock_pid_ = this_process();
  fd_ = files_.reopen_directory(fd);
  if (fd_ < 0) fail(-fd_, "open the directory");
}

// ## The lock
//
// A mutex among the threads that share this object, and flock(2) among objects
// and processes: it lets go by itself when its process dies. There is no lock
// file that could stay behind, and no queue: who waits asks again, after a
// pause that grows from 50 microseconds to 2 milliseconds.

Directory::Lock Directory::lock(Deadline deadline, bool shared) {
  std::unique_lock<TimedMutex> mutex;
  const auto late = [&]() -> StoreError { return {Trouble::contention, name() + ": other writers kept the directory locked until the deadline"}; };
  if (mutex = std::unique_lock(mutex_, deadline.at()); !mutex.owns_lock()) throw late();
  // After a fork the child shares the parent's open file, and so its lock.
  if (lock_pid_ != this_process()) {
    const int own = files_.reopen_directory(fd_);
    if (own < 0) fail(-own, "open the directory");
    files_.close(std::exchange(lock_fd_, own));
    lock_pid_ = this_process();
  }
  for (auto pause = std::chrono::microseconds{50};; pause = std::min(pause * 2, std::chrono::microseconds{2000})) {
    const int got = files_.lock(lock_fd_, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB);
    if (got == 0) return Lock(*this, std::move(mutex));
    if (got != -EWOULDBLOCK && got != -EINTR) fail(-got, "lock the directory");
    if (deadline.passed()) throw late();
    std::this_thread::sleep_for(pause);
  }
}

Directory::Lock::~Lock() {
  if (mutex_.owns_lock()) directory_->files_.lock(directory_->lock_fd_, LOCK_UN);
}

// ## Reading

std::optional<std::string_view> Directory::read(const FileName& name, Read how, Bytes& to) {
  const int fd = files_.open(fd_, name.c_str(), O_RDONLY);
  if (fd == -ENOENT) return std::nullopt;
  if (fd == -ELOOP || fd == -ENXIO) throw StoreError(Trouble::corrupt, this->name() + ": a record is no regular file");
  if (fd < 0) fail(-fd, "open a record");
  File file(*this, fd);
  auto n = read_some(fd, to.first_.data(), to.first_.size());
  const std::string_view first(to.first_.data(), n < 0 ? 0 : static_cast<std::size_t>(n));
  if (n > 0 && how == Read::once && first.size() < to.first_.size()) return first;
  // What gives nothing may be something else than a file: a pipe, a directory.
  require_record(fd);
  auto& bytes = to.all_;
  bytes = first;
  while (n > 0) {
    const auto got = bytes.size();
    bytes.resize(got * 2);
    n = read_some(fd, bytes.data() + got, got);
    bytes.resize(got + (n < 0 ? 0 : static_cast<std::size_t>(n)));
  }
  if (n < 0) fail(static_cast<int>(-n), "read a record");
  return bytes;
}

ssize_t Directory::read_some(int fd, char* to, std::size_t size) {
  auto n = files_.read(fd, to, size);
  while (n == -EINTR) n = files_.read(fd, to, size);
  return n;
}

void Directory::require_record(int fd) const {
  struct stat status {};
  if (const int error = files_.stat(fd, status); error < 0) fail(-error, "inspect a record");
  if (!S_ISREG(status.st_mode)) throw StoreError(Trouble::corrupt, name() + ": a record is no regular file");
  if (status.st_size > longest_record) throw StoreError(Trouble::corrupt, name() + ": a record is longer than any that was written");
}

// ## Writing

void Directory::write_all(File& file, std::string_view bytes, const char* doing) {
  while (!bytes.empty()) {
    const auto n = files_.write(file.fd(), bytes.data(), bytes.size());
    if (n == -EINTR) continue;
    if (n <= 0) fail(n < 0 ? static_cast<int>(-n) : ENOSPC, doing);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

namespace {
constexpr std::string_view draft_prefix = ".tmp-";
}

bool Directory::is_draft(std::string_view name) {
  return name.size() == draft_prefix.size() + 16 && name.starts_with(draft_prefix) &&
         name.find_first_not_of("0123456789abcdef", draft_prefix.size()) == std::string_view::npos;
}

Directory::Draft Directory::draft(std::string_view bytes) {
  if (bytes.size() > longest_record) throw StoreError(Trouble::refused, this->name() + ": a record is longer than 256 MiB");
  const auto name = FileName::of_number(draft_prefix, system_random().draw_u64());
  const int fd = files_.open(fd_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL);
  if (fd < 0) fail(-fd, "make a file");
  Draft draft(*this, name);
  File file(*this, fd);
  write_all(file, bytes, "write a record");
  if (const int error = files_.sync_data(fd); error < 0) fail(-error, "make a record durable");
  if (const int error = file.close(); error < 0) fail(-error, "close a record");
  return draft;
}

Directory::Draft::~Draft() {
  if (!name_.empty()) directory_->files_.unlink(directory_->fd_, name_.c_str());
}

void Directory::Draft::rename_to(const FileName& name) {
  if (const int error = directory_->files_.rename(directory_->fd_, name_.c_str(), name.c_str()); error < 0) {
    // An error of the device does not tell whether it reached the journal.
    const bool maybe_done = error == -EIO;
    directory_->fail(-error, "put a record in its place", maybe_done);
  }
  name_ = {};
}

void Directory::remove_if_abandoned(std::string_view view) {
  const FileName name(view);
  const int fd = files_.open(fd_, name.c_str(), O_RDONLY);
  if (fd < 0) return;
  File file(*this, fd);
  struct stat status {};
  constexpr time_t age = 10 * 60;
  if (files_.stat(fd, status) == 0 && S_ISREG(status.st_mode) && status.st_mtime < files_.now() - age) files_.unlink(fd_, name.c_str());
}

void Directory::overwrite(const FileName& name, std::string_view bytes) {
  const int fd = files_.open(fd_, name.c_str(), O_WRONLY);
  if (fd < 0) fail(-fd, "open a record");
  File file(*this, fd);
  write_all(file, bytes, "write over a record");
  if (const int error = files_.truncate(fd, bytes.size()); error < 0) fail(-error, "shorten a record");
  if (const int error = files_.sync_data(fd); error < 0) fail(-error, "make a record durable");
}

bool Directory::unlink(const FileName& name) {
  const int error = files_.unlink(fd_, name.c_str());
  if (error < 0 && error != -ENOENT) fail(-error, "remove a record", error == -EIO);
  return error == 0;
}

void Directory::sync() {
  if (const int error = files_.sync_directory(fd_); error < 0) fail(-error, "make the directory durable", true);
}

}  // namespace sancho
