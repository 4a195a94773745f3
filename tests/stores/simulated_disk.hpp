// # A disk in memory
//
// One directory on a disk that can be full, let the n-th call fail, die at the
// n-th call, and lose its power. It tells what was synced from what was not,
// and is stricter than a journalling file system: of what was not synced, a
// power cut keeps any part.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "stores/directory/file_system.hpp"

namespace sancho {

class SimulatedDisk : public FileSystem {
 public:
  // ## Faults

  // From now on, the n-th call (from 1) gives this error, once.
  void fail_call(int n, int error) { fail_at_ = calls_ + n, error_ = error; }
  // From the n-th call on nothing has an effect, and every call fails.
  void die_at_call(int n) { die_at_ = calls_ + n; }
  // Whether a fault that was asked for has happened.
  bool struck() const { return struck_; }
  void heal() { fail_at_ = die_at_ = 0, full_ = Full::no, struck_ = false; }

  // What there is no room for.
  enum class Full { no, new_files, longer_files, any_bytes };
  void fill(Full full) { full_ = full; }
  // A call to read gives this much and no more.
  void read_in_pieces(std::size_t size) { piece_ = size; }
  // Removing a file makes room for one.
  bool removal_makes_room = false;

  // ## Power

  // How many changes of the directory are not durable.
  std::size_t unsynced() const { return journal_.size(); }
  // Keeps what was synced, and of the rest the changes in this bit set. Bytes
  // that were not synced are lost: `torn` mixes the old with the new.
  void cut_power(unsigned kept, bool torn = false);

  // ## A look inside
  std::set<std::string> names() const;
  std::string& bytes(const std::string& name) { return entries_.at(name)->bytes; }
  void put(const std::string& name, std::string bytes);
  void set_time(time_t now) { now_ = now; }
  void set_owner(uid_t owner) { owner_ = owner; }
  void remove_directory() { removed_ = true; }

  int make_directory(const std::string&, mode_t) override;
  int sync_parent(const std::string&) override;
  int open_directory(const std::string&) override;
  int reopen_directory(int) override;
  int lock(int directory, int operation) override;
  int list(int directory, const std::function<void(std::string_view)>& each) override;
  int open(int directory, const char* name, int flags) override;
  ssize_t read(int file, char* to, std::size_t size) override;
  ssize_t write(int file, const char* from, std::size_t size) override;
  int truncate(int file, std::size_t size) override;
  int stat(int file, struct stat& to) override;
  int close(int file) override;
  int rename(int directory, const char* from, const char* to) override;
  int unlink(int directory, const char* name) override;
  int sync_data(int file) override;
  int sync_directory(int directory) override;
  time_t now() override { return now_; }

 private:
  struct Inode {
    std::string bytes, durable;
    time_t changed = 0;
  };
  using Entries = std::map<std::string, std::shared_ptr<Inode>>;
  struct Change {
    std::string from, to;  // either may be empty
    std::shared_ptr<Inode> inode;
  };
  struct Open {
    std::shared_ptr<Inode> inode;  // none for the directory
    std::size_t at = 0;
  };

  // The error this call has to give, or 0.
  int fate();
  int open_as(Open open);
  static void apply(const Change& change, Entries& entries);

  mutable std::recursive_mutex mutex_;
  bool made_ = false, removed_ = false, struck_ = false;
  int calls_ = 0, fail_at_ = 0, die_at_ = 0, error_ = 0, next_fd_ = 3;
  Full full_ = Full::no;
  std::size_t piece_ = std::string::npos;
  time_t now_ = 1'000'000;
  uid_t owner_ = static_cast<uid_t>(-1);  // this process's
  Entries entries_, durable_;
  std::vector<Change> journal_;
  std::map<int, Open> open_;
  int writer_ = -1;
  std::set<int> sharers_;
};

}  // namespace sancho
