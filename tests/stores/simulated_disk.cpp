#include "simulated_disk.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace sancho {

using Guard = std::lock_guard<std::recursive_mutex>;

int SimulatedDisk::fate() {
  ++calls_;
  if (die_at_ && calls_ >= die_at_) return struck_ = true, -EIO;
  if (fail_at_ && calls_ == fail_at_) return struck_ = true, -error_;
  return 0;
}

// ## Power

void SimulatedDisk::apply(const Change& change, Entries& entries) {
  if (!change.from.empty()) entries.erase(change.from);
  if (!change.to.empty()) entries[change.to] = change.inode;
}

void SimulatedDisk::cut_power(unsigned kept, bool torn) {
  for (std::size_t i = 0; i < journal_.size(); ++i)
    if (kept >> i & 1) apply(journal_[i], durable_);
  journal_.clear();
  entries_ = durable_;
  for (auto& [name, inode] : entries_) {
    auto& bytes = inode->bytes;
    const auto half = std::min(bytes.size(), inode->durable.size()) / 2;
    const bool mixed = torn && bytes != inode->durable;
    bytes = mixed ? bytes.substr(0, half) + inode->durable.substr(half) : inode->durable;
    inode->durable = bytes;
  }
  open_.clear();
  writer_ = -1;
  sharers_.clear();
}

// ## A look inside

std::set<std::string> SimulatedDisk::names() const {
  std::set<std::string> names;
  for (const auto& [name, inode] : entries_) names.insert(name);
  return names;
}

void SimulatedDisk::put(const std::string& name, std::string bytes) {
  entries_[name] = durable_[name] = std::make_shared<Inode>(Inode{bytes, bytes, now_});
}

// ## The directory

int SimulatedDisk::open_as(Open open) {
  open_[next_fd_] = std::move(open);
  return next_fd_++;
}

int SimulatedDisk::make_directory(const std::string&, mode_t) {
  const Guard guard(mutex_);
  if (const int error = fate()) return error;
  return std::exchange(made_, true) ? -EEXIST : 0;
}

int SimulatedDisk::sync_parent(const std::string&) {
  const Guard guard(mutex_);
  return fate();
}

int SimulatedDisk::open_directory(const std::string&) {
  const Guard guard(mutex_);
  if (const int error = fate()) return error;
  return made_ ? open_as({}) : -ENOENT;
}

int SimulatedDisk::reopen_directory(int) {
  const Guard guard(mutex_);
  if (const int error = fate()) return error;
  return open_as({});
}

int SimulatedDisk::lock(int directory, int operation) {
  const Guard guard(mutex_);
  if (operation == LOCK_UN) {
    if (writer_ == directory) writer_ = -1;
    sharers_.erase(directory);
    return 0;
  }
  if (const int error = fate()) return error;
  if (writer_ >= 0 && writer_ != directory) return -EWOULDBLOCK;
  if (operation & LOCK_SH) return sharers_.insert(directory), 0;
  if (!sharers_.empty()) return -EWOULDBLOCK;
  return writer_ = directory, 0;
}

int SimulatedDisk::list(int, const std::function<void(std::string_view)>& each) {
  std::set<std::string> all;
  {
    const Guard guard(mutex_);
    if (const int error = fate()) return error;
    all = names();
  }
  for (const auto& name : all) each(name);
  return 0;
}

// ## Files

int SimulatedDisk::open(int, const char* name, int flags) {
  const Guard guard(mutex_);
  if (const int error = fate()) return error;
  const auto at = entries_.find(name);
  if (!(flags & O_CREAT)) return at == entries_.end() ? -ENOENT : open_as({at->second});
  if (at != entries_.end()) return -EEXIST;
  if (removed_) return -ENOENT;
  if (full_ == Full::new_files) return -ENOSPC;
  auto inode = std::make_shared<Inode>(Inode{{}, {}, now_});
  const Change change{{}, name, inode};
  apply(change, entries_);
  journal_.push_back(change);
  return open_as({inode});
}

ssize_t SimulatedDisk::read(int file, char* to, std::size_t size) {
  const Guard guard(mutex_);
  if (const int error = fate()) return error;
  auto& open = open_.at(file);
  const auto n = std::min({size, piece_, open.inode->bytes.size() - std::min(open.at, open.inode->bytes.size())});
  std::memcpy(to, open.inode->bytes.data() + open.at, n);
  open.at += n;
  return static_cast<ssize_t>(n);
}

// Half of it at a time, so that callers have to go on.
ssize_t SimulatedDisk::write(int file, const char* from, std::size_t size) {
  const Guard guard(mutex_);
  if (const int error = fate()) return error;
  auto& open = open_.at(file);
  const auto n = (size + 1) / 2;
  auto& bytes = open.inode->bytes;
  if (full_ == Full::any_bytes && !bytes.empty() && open.at > 0) return -ENOSPC;  // in the middle
  if (full_ != Full::no && open.at + n > bytes.size()) return -ENOSPC;
  bytes.resize(std::max(bytes.size(), open.at + n));
  bytes.replace(open.at, n, from, n);
  open.at += n;
  open.inode->changed = now_;
  return static_cast<ssize_t>(n);
}

int SimulatedDisk::truncate(int file, std::size_t size) {
  const Guard guard(mutex_);
  if (const int error = fate()) return error;
  open_.at(file).inode->bytes.resize(size);
  return 0;
}

int SimulatedDisk::stat(int file, struct stat& to) {
  const Guard guard(mutex_);
  if (const int error = fate()) return error;
  to = {};
  const auto& open = open_.at(file);
  to.st_mode = open.inode ? S_IFREG | 0600 : S_IFDIR | 0700;
  to.st_uid = owner_ == static_cast<uid_t>(-1) ? ::geteuid() : owner_;
  to.st_nlink = removed_ ? 0 : 1;
  if (!open.inode) return 0;
  to.st_size = static_cast<off_t>(open.inode->bytes.size());
  to.st_mtime = open.inode->changed;
  return 0;
}

int SimulatedDisk::close(int file) {
  const Guard guard(mutex_);
  const int error = fate();
  if (writer_ == file) writer_ = -1;
  sharers_.erase(file);
  open_.erase(file);
  return error;
}

int SimulatedDisk::rename(int, const char* from, const char* to) {
  const Guard guard(mutex_);
  if (const int error = fate()) return error;
  const auto at = entries_.find(from);
  if (at == entries_.end()) return -ENOENT;
  const Change change{from, to, at->second};
  apply(change, entries_);
  journal_.push_back(change);
  return 0;
}

int SimulatedDisk::unlink(int, const char* name) {
  const Guard guard(mutex_);
  if (const int error = fate()) return error;
  if (!entries_.contains(name)) return -ENOENT;
  const Change change{name, {}, {}};
  apply(change, entries_);
  journal_.push_back(change);
  if (removal_makes_room && !std::string_view(name).starts_with(".tmp-")) full_ = Full::no;
  return 0;
}

int SimulatedDisk::sync_data(int file) {
  const Guard guard(mutex_);
  if (const int error = fate()) return error;
  auto& inode = *open_.at(file).inode;
  inode.durable = inode.bytes;
  return 0;
}

int SimulatedDisk::sync_directory(int) {
  const Guard guard(mutex_);
  if (const int error = fate()) return error;
  for (const auto& change : journal_) apply(change, durable_);
  journal_.clear();
  return 0;
}

}  // namespace sancho
