// The system calls that the directory store makes, one function each, so that
// a test can let the n-th one fail or the power go out.
//
// All give a number that is not negative, or the error as `-errno`. Names are
// relative to an open directory; none is a path, and no link is followed.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>

namespace sancho {

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // The directory itself. `sync_parent` makes its own entry durable.
  virtual int make_directory(const std::string& path, mode_t mode) = 0;
  virtual int sync_parent(const std::string& path) = 0;
  virtual int open_directory(const std::string& path) = 0;
  virtual int reopen_directory(int directory) = 0;  // its own lock goes with it
  virtual int lock(int directory, int operation) = 0;  // flock(2)
  virtual int list(int directory, const std::function<void(std::string_view)>& each) = 0;

  // Files.
  virtual int open(int directory, const char* name, int flags) = 0;  // new ones have mode 0600
  virtual ssize_t read(int file, char* to, std::size_t size) = 0;
  virtual ssize_t write(int file, const char* from, std::size_t size) = 0;
  virtual int truncate(int file, std::size_t size) = 0;
  virtual int stat(int file, struct stat& to) = 0;
  virtual int close(int file) = 0;
  virtual int rename(int directory, const char* from, const char* to) = 0;
  virtual int unlink(int directory, const char* name) = 0;

  // Makes a file's bytes, or a directory's entries, durable.
  virtual int sync_data(int file) = 0;
  virtual int sync_directory(int directory) = 0;

  // The time by which files are stamped, in seconds.
  virtual time_t now() = 0;
};

// The operating system's. Lives for the whole program.
FileSystem& system_files();

}  // namespace sancho
