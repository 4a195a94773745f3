#include "stores/lmdb/registry.hpp"

#include <algorithm>
#include <memory>

#include "base/fork_page.hpp"

namespace sancho::lmdb {

namespace {
struct Open {
  FileId directory;
  pid_t process;
  std::unique_ptr<Environment> environment;
  int shares;
};
struct Registry {
  TimedMutex mutex;
  std::vector<Open> open;
};
// One per process, because LMDB allows one environment per process. It stays
// until the process is gone: what a child inherited must not be closed.
Registry& registry() {
  static auto* const r = new Registry;
  return *r;
}

class Lock {
 public:
  Lock(Registry& r, Deadline::Steady::time_point at) : r_(r), had_(r.mutex.try_lock_until(at)) {}
  ~Lock() {
    if (had_) r_.mutex.unlock();
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  bool had() const { return had_; }

 private:
  Registry& r_;
  bool had_;
};
}  // namespace

Share::Share(const std::string& path, const LmdbOptions& options) : owner_(this_process()) {
  const std::string store = "lmdb:" + path;
  auto& r = registry();
  const Lock lock(r, Deadline::after(options.open_timeout).at());
  if (!lock.had())
    throw StoreError(Trouble::unavailable, store + ": this process was opening another database until the deadline");
  if (!options.read_only) make_directory(path, store);
  const auto directory = file_id(path, store);
  const auto found =
      std::find_if(r.open.begin(), r.open.end(), [&](const Open& each) { return each.directory == directory; });
  if (found == r.open.end()) {
    auto made = std::make_unique<Environment>(path, store, options);
    environment_ = made.get();
    r.open.push_back({directory, owner_, std::move(made), 1});
    return;
  }
  if (found->process != owner_)
    throw StoreError(Trouble::refused,
                     store + ": it was open when this process was forked; open it after forking, not before");
  found->environment->join(options);
  environment_ = found->environment.get();
  ++found->shares;
}

// In a child, the environment is the parent's, and stays.
Share::~Share() {
  if (this_process() != owner_) return;
  auto& r = registry();
  const Lock lock(r, Deadline::Steady::time_point::max());
  const auto mine = std::find_if(r.open.begin(), r.open.end(),
                                 [&](const Open& each) { return each.environment.get() == environment_; });
  if (--mine->shares == 0) r.open.erase(mine);
}

}  // namespace sancho::lmdb
