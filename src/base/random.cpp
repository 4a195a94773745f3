#include "sancho/random.hpp"

#include <sys/mman.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <new>

#include "base/coarse_clock.hpp"
#include "base/crypto.hpp"
#include "base/fork_page.hpp"

namespace sancho {

std::uint64_t RandomSource::draw_u64() {
  std::array<std::byte, 8> bytes;
  fill(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

namespace {
void ask_kernel(std::span<std::byte> out) {
  while (!out.empty()) {
    const auto n = getrandom(out.data(), out.size(), 0);
    if (n > 0) out = out.subspan(static_cast<std::size_t>(n));
    else if (n == 0 || errno != EINTR) throw RandomError("the operating system gave no random bytes (getrandom failed)");
  }
}

// ## A batch
//
// The call costs more than the bytes, so a thread draws some for later. They lie,
// with their count, in a page that a fork wipes: a child finds nothing left and
// draws its own, also one that a signal's handler makes in the midst of a draw, and
// that goes on with it. They are left out of core dumps, each is wiped when it is
// handed out, and those that nobody has asked for within a second are thrown away.
class Batch {
 public:
  // False: there is no such page, or this is more than it is for, or the page was wiped
  // meanwhile; then nothing is said of what is in `out`.
  bool fill(std::span<std::byte> out) {
    if (out.size() > most || !(page_ || open())) return false;
    const auto now = coarse_now();
    if (page_->left < out.size() || now - page_->drawn > fresh) refill(now);
    const auto left = page_->left.load();
    const auto number = page_->number.load();
    if (left < out.size()) return false;
    const auto taken = std::span{page_->bytes}.subspan(left - out.size(), out.size());
    page_->left = left - out.size();
    std::copy(taken.begin(), taken.end(), out.begin());
    wipe(taken);
    if (number == drawn_ && page_->number == number) return true;
    page_->left = 0;
    return false;
  }

  // The thread is going. What is drawn from now on comes from the kernel.
  void close() {
    refused_ = true;
    if (!page_) return;
    wipe(page_->bytes);
    munmap(page_, sizeof(Page));
    page_ = nullptr;
  }

 private:
  static constexpr std::size_t size = 1024, most = 64;
  static constexpr std::chrono::seconds fresh{1};
  // In the order of the program for this thread and for its signals' handlers, and for
  // nobody else.
  template <class T>
  class Own {
   public:
    T load() const { return fenced(value_.load(std::memory_order_relaxed)); }
    operator T() const { return load(); }
    void operator=(T value) {
      std::atomic_signal_fence(std::memory_order_seq_cst);
      value_.store(value, std::memory_order_relaxed);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }

   private:
    static T fenced(T value) {
      std::atomic_signal_fence(std::memory_order_seq_cst);
      return value;
    }
    std::atomic<T> value_;
  };
  struct Page {
    Own<std::uint64_t> number;  // of the batch; 0 where a fork has wiped it
    Own<std::size_t> left;      // those at the beginning
    std::chrono::steady_clock::time_point drawn;
    std::array<std::byte, size> bytes;
  };

  void refill(std::chrono::steady_clock::time_point now) {
    page_->left = 0;
    page_->number = ++drawn_;
    ask_kernel(page_->bytes);
    page_->drawn = now;
    page_->left = size;
  }

  bool open();

  // Not destroyed, only closed: others may draw while a thread's objects are.
  Page* page_ = nullptr;
  std::uint64_t drawn_ = 0;  // batches
  bool refused_ = false;
};

thread_local constinit Batch batch;

bool Batch::open() {
  if (refused_) return false;
  struct Closing {
    ~Closing() { batch.close(); }
  };
  static thread_local const Closing closing;
  static_cast<void>(&closing);  // made here, and so destroyed
  refused_ = true;
  void* const memory = page_wiped_by_fork(sizeof(Page));
  if (!memory) return false;
  page_ = new (memory) Page;
#if defined(MADV_DONTDUMP)
  madvise(page_, sizeof(Page), MADV_DONTDUMP);
#endif
  refused_ = false;
  return true;
}

class SystemRandom final : public RandomSource {
 public:
  void fill(std::span<std::byte> out) override {
    if (!batch.fill(out)) ask_kernel(out);
  }
};
}  // namespace

RandomSource& system_random() {
  static SystemRandom source;
  return source;
}

}  // namespace sancho
