// One open directory that is ours alone: reading whole files, writing new ones
// so that they are there wholly or not at all, and the lock of its writers.
#pragma once

#include <array>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "file_name.hpp"
#include "file_system.hpp"
#include "sancho/error.hpp"
#include "sancho/time.hpp"
#include "stores/timed_mutex.hpp"

namespace sancho {

class Directory {
 public:
  // Opens nothing yet: `make` does.
  Directory(std::string path, FileSystem& files) : path_(std::move(path)), files_(files) {}
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  // Makes the directory if it is not there; opens it and checks that it is a
  // directory, ours, and closed to everybody else.
  void make();

  std::string name() const { return "dir:" + path_; }
  FileSystem& files() const { return files_; }
  int fd() const { return fd_; }

  // Writers exclude each other, readers exclude nobody. `shared` waits for the
  // writers too, and excludes them. Throws *contention* at the deadline.
  class Lock {
   public:
    Lock(Lock&&) = default;
    ~Lock();

   private:
    friend class Directory;
    Lock(Directory& directory, std::unique_lock<TimedMutex> mutex) : directory_(&directory), mutex_(std::move(mutex)) {}
    Directory* directory_;
    std::unique_lock<TimedMutex> mutex_;
  };
  Lock lock(Deadline deadline, bool shared = false);

  // All bytes of a file; nothing if there is none. `once`: a call that gives less
  // than was asked for is taken for the last, which it is on a local file system
  // unless a signal came; where the bytes are no record, they are read `to_the_end`.
  enum class Read { once, to_the_end };
  // Where they go, and lie as long as it does: what is short takes nothing of the heap.
  class Bytes {
    friend class Directory;
    std::array<char, 4096> first_;
    std::string all_;
  };
  std::optional<std::string_view> read(const FileName& name, Read how, Bytes& to);

  // A file whose bytes are durable and which has no name that counts yet. It
  // is unlinked if it does not get one.
  class Draft {
   public:
    Draft(Draft&& other) noexcept : directory_(other.directory_), name_(std::exchange(other.name_, {})) {}
    Draft& operator=(Draft&& other) noexcept {
      std::swap(name_, other.name_);
      return *this;
    }
    ~Draft();
    void rename_to(const FileName& name);

   private:
    friend class Directory;
    Draft(Directory& directory, const FileName& name) : directory_(&directory), name_(name) {}
    Directory* directory_;
    FileName name_;
  };
  Draft draft(std::string_view bytes);
  static constexpr off_t longest_record = 256 << 20;
  // What a process that died left of one, old enough that no living one owns it.
  void remove_if_abandoned(std::string_view name);
  static bool is_draft(std::string_view name);

  // Writes over a file that is there, which must not be shorter. Not atomic.
  void overwrite(const FileName& name, std::string_view bytes);

  // False if there was none.
  bool unlink(const FileName& name);

  // Everything that was renamed or unlinked so far is durable when it returns.
  void sync();

  // The error of a system call as what a store throws.
  [[noreturn]] void fail(int error, const char* doing, bool maybe_done = false) const;

 private:
  class File;
  ssize_t read_some(int fd, char* to, std::size_t size);
  void require_record(int fd) const;
  void write_all(File& file, std::string_view bytes, const char* doing);

  std::string path_;
  FileSystem& files_;
  int fd_ = -1;
  int lock_fd_ = -1;    // an open file of its own: flock(2) excludes by that
  pid_t lock_pid_ = 0;  // who opened it
  TimedMutex mutex_;
};

}  // namespace sancho
