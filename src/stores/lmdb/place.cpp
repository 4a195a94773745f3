#include "stores/lmdb/place.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace sancho::lmdb {

namespace {
[[noreturn]] void fail_with(const std::string& store, const char* doing, int error) {
  const auto kind = error == ENOSPC || error == EDQUOT ? Trouble::full : Trouble::unavailable;
  throw StoreError(kind, store + ": " + doing + ": " + std::generic_category().message(error) +
                             "; see that the directory above it exists, and that this process may write there");
}
}  // namespace

// Its times are not asked for. Linux (6.13) notes that somebody has seen a file's
// times, and the next write gives it new ones, to the nanosecond: then each commit
// would have to write the inode too.
FileId file_id(const std::string& path, const std::string& store) {
  struct statx st {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_INO, &st) != 0) fail_with(store, "the database is not there", errno);
  return {makedev(st.stx_dev_major, st.stx_dev_minor), st.stx_ino};
}

void make_directory(const std::string& path, const std::string& store) {
  if (::mkdir(path.c_str(), 0700) == 0) {
    if (::chmod(path.c_str(), 0700) != 0) fail_with(store, "its mode cannot be set", errno);
    return;
  }
  const int error = errno;
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) fail_with(store, "the directory cannot be made", error);
  if (!S_ISDIR(st.st_mode)) fail_with(store, "its path is no directory", ENOTDIR);
}

void make_file(const std::string& path, long size, const std::string& store) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && (errno == EEXIST || ::access(path.c_str(), F_OK) == 0)) return;
  if (fd < 0) fail_with(store, "a file cannot be made", errno);
  int error = ::fchmod(fd, 0600) == 0 ? 0 : errno;
  if (error == 0 && size > 0) error = ::posix_fallocate(fd, 0, size);
  if (error != 0) ::unlink(path.c_str());
  ::close(fd);
  if (error != 0) fail_with(store, "a file cannot be made", error);
}

bool writable(const std::string& path) { return ::access(path.c_str(), W_OK) == 0; }

bool is_network(unsigned long type) {
  // NFS, SMB, CIFS, SMB2, AFS, AFS of the kernel, Coda, NCP, Ceph, 9P, Lustre, GFS2, OCFS2
  constexpr std::array<unsigned long, 13> types = {0x6969,     0x517b,     0xff534d42, 0xfe534d42, 0x5346414f,
                                                   0x6b414653, 0x73757245, 0x564c,     0x00c36400, 0x01021997,
                                                   0x0bd00bd0, 0x01161970, 0x7461636f};
  return std::find(types.begin(), types.end(), type) != types.end();
}

void require_local(const std::string& path, const std::string& store) {
  struct statfs fs {};
  if (::statfs(path.c_str(), &fs) != 0) fail_with(store, "its file system cannot be asked", errno);
  if (is_network(static_cast<unsigned long>(fs.f_type) & 0xffffffffUL))
    throw StoreError(Trouble::refused,
                     store + ": it lies on a network's file system, where LMDB loses data; use a local one");
}

std::size_t length_of(int fd, const std::string& store) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) fail_with(store, "its size cannot be seen", errno);
  return static_cast<std::size_t>(st.st_size);
}

void lengthen(int fd, std::size_t size, const std::string& store) {
  if (length_of(fd, store) >= size) return;
  // Not ftruncate: that might cut off what another process writes now.
  const int error = ::posix_fallocate(fd, static_cast<off_t>(size) - 1, 1);
  if (error != 0) fail_with(store, "its file is too short and cannot be lengthened", error);
}

}  // namespace sancho::lmdb
