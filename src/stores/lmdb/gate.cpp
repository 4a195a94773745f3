#include "stores/lmdb/gate.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>

#include "sancho/error.hpp"

namespace sancho::lmdb {

Gate::Gate(const std::string& path, const std::string& store)
    : store_(store), fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {}

Gate::~Gate() {
  if (fd_ >= 0) ::close(fd_);
}

namespace {
constexpr int most_unqueued = 7;

int set_lock(int fd, short type, int byte) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  while (::fcntl(fd, F_SETLK, &lock) != 0)
    if (errno != EINTR) return errno;
  return 0;
}
}  // namespace

bool Gate::try_lock(Byte byte) {
  const int error = set_lock(fd_, F_WRLCK, static_cast<int>(byte));
  if (error == 0) return true;
  if (error == EAGAIN || error == EACCES) return false;
  throw StoreError(Trouble::unavailable,
                   store_ + ": its gate cannot be locked: " + std::generic_category().message(error));
}

void Gate::unlock(Byte byte) noexcept { set_lock(fd_, F_UNLCK, static_cast<int>(byte)); }

// The kernel has no lock with a deadline, so it is asked again after naps.
void Gate::lock(Byte byte, int longest_nap, Deadline deadline) {
  for (int tries = 0; !try_lock(byte); ++tries) {
    const auto left = deadline.at() - Deadline::Steady::now();
    if (left <= left.zero())
      throw StoreError(Trouble::unavailable, store_ + ": the deadline passed while another process held its lock");
    const std::chrono::steady_clock::duration nap = std::chrono::microseconds{50 << std::min(tries, longest_nap)};
    std::this_thread::sleep_for(std::min(nap, left));
  }
}

// Writers of other processes queue for the second place, where naps are long,
// and whoever has that asks often for the first: so a busy process cannot keep
// the others out, and only one of them is awake. Who finds the first place free may
// take it without queueing, since that is half of the calls, but only so often in a
// row: then it lets those go first who wait.
Gate::Pass::Pass(Gate& gate, Lane lane, Deadline deadline) : gate_(gate), lane_(lane) {
  if (!gate_.there()) return;
  auto& threads = gate_.threads_[static_cast<std::size_t>(lane)];
  if (!threads.try_lock_until(deadline.at()))
    throw StoreError(Trouble::unavailable,
                     gate_.store_ + ": the deadline passed while other threads of this process held its lock");
  try {
    if (lane != Lane::write) {
      gate_.lock(static_cast<Byte>(lane), 4, deadline);
      return;
    }
    if (gate_.unqueued_ < most_unqueued && gate_.try_lock(Byte::write)) {
      ++gate_.unqueued_;
      return;
    }
    gate_.unqueued_ = 0;
    gate_.lock(Byte::next_to_write, 6, deadline);
    try {
      gate_.lock(Byte::write, 2, deadline);
    } catch (...) {
      gate_.unlock(Byte::next_to_write);
      throw;
    }
    gate_.unlock(Byte::next_to_write);
  } catch (...) {
    threads.unlock();
    throw;
  }
}

Gate::Pass::~Pass() {
  if (!gate_.there()) return;
  gate_.unlock(static_cast<Byte>(lane_));
  gate_.threads_[static_cast<std::size_t>(lane_)].unlock();
}

}  // namespace sancho::lmdb
