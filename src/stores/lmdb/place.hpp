// The directory a database lies in, as the operating system sees it.
#pragma once

#include <sys/types.h>

#include <string>

#include "sancho/error.hpp"

namespace sancho::lmdb {

// Which file it is, whatever its name.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId&) const = default;
};

// Throws `StoreError` (*unavailable*) if there is nothing.
FileId file_id(const std::string& path, const std::string& store);

// Makes the directory with mode 0700, whatever the umask, unless there is one.
// A symbolic link to a directory is followed.
void make_directory(const std::string& path, const std::string& store);

// Makes a file with mode 0600, whatever the umask, and with so much room,
// unless there is one. Never opens one that was there: closing it again would
// take the locks away that this process has on it.
void make_file(const std::string& path, long size, const std::string& store);

// May this process write that?
bool writable(const std::string& path);

// LMDB's locks and maps do not work across machines. Throws `StoreError`
// (*refused*) on a file system that is known to be a network's.
void require_local(const std::string& path, const std::string& store);
// Is this `f_type` of statfs(2) one of those?
bool is_network(unsigned long type);

// Makes the file as long as this, if it is shorter. Throws `StoreError`.
void lengthen(int fd, std::size_t size, const std::string& store);
std::size_t length_of(int fd, const std::string& store);

}  // namespace sancho::lmdb
