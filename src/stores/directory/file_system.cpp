#include "file_system.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <memory>

namespace sancho {

namespace {
template <class T>
T or_error(T result) {
  return result < 0 ? static_cast<T>(-errno) : result;
}

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

class SystemFiles final : public FileSystem {
 public:
  int make_directory(const std::string& path, mode_t mode) override { return or_error(::mkdir(path.c_str(), mode)); }

  int sync_parent(const std::string& path) override {
    const auto end = path.find_last_not_of('/');
    const auto slash = end == std::string::npos ? end : path.find_last_of('/', end);
    const auto parent = slash == std::string::npos ? std::string(".") : path.substr(0, slash + 1);
    const int fd = or_error(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd < 0) return fd;
    const int result = or_error(::fsync(fd));
    ::close(fd);
    return result;
  }

  int open_directory(const std::string& path) override { return or_error(::open(path.c_str(), directory_flags)); }
  int reopen_directory(int directory) override { return or_error(::openat(directory, ".", directory_flags)); }
  int lock(int directory, int operation) override { return or_error(::flock(directory, operation)); }

  int list(int directory, const std::function<void(std::string_view)>& each) override {
    const int fd = reopen_directory(directory);
    if (fd < 0) return fd;
    DIR* entries = ::fdopendir(fd);
    if (!entries) {
      const int error = -errno;
      ::close(fd);
      return error;
    }
    // `each` may throw.
    const std::unique_ptr<DIR, int (*)(DIR*)> closing(entries, ::closedir);
    errno = 0;
    while (const dirent* entry = ::readdir(entries)) each(entry->d_name), errno = 0;
    return -errno;
  }

  // Not blocking: somebody may have put a pipe there.
  int open(int directory, const char* name, int flags) override {
    return or_error(::openat(directory, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600));
  }
  ssize_t read(int file, char* to, std::size_t size) override { return or_error(::read(file, to, size)); }
  ssize_t write(int file, const char* from, std::size_t size) override { return or_error(::write(file, from, size)); }
  int truncate(int file, std::size_t size) override { return or_error(::ftruncate(file, static_cast<off_t>(size))); }
  int stat(int file, struct stat& to) override { return or_error(::fstat(file, &to)); }
  int close(int file) override { return or_error(::close(file)); }
  int rename(int directory, const char* from, const char* to) override {
    return or_error(::renameat(directory, from, directory, to));
  }
  int unlink(int directory, const char* name) override { return or_error(::unlinkat(directory, name, 0)); }
  int sync_data(int file) override { return or_error(::fdatasync(file)); }
  int sync_directory(int directory) override { return or_error(::fsync(directory)); }
  time_t now() override { return ::time(nullptr); }
};
}  // namespace

FileSystem& system_files() {
  static SystemFiles files;
  return files;
}

}  // namespace sancho
