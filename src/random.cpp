#include "sancho/random.hpp"

#include <sys/mman.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>

#include "coarse_clock.hpp"
#include "crypto.hpp"
#include "fork_page.hpp"

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
// draws its own. They are left out of core dumps, each is wiped when it is handed
// out, and those that nobody has asked for within a second are thrown away.
class Batch {
 public:
  Batch() = default;
  ~Batch() {
    if (!page_) return;
    wipe(page_->bytes);
    munmap(page_, sizeof(Page));
    page_ = nullptr;
    gone_ = true;
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  // False: there is no such page, or this is more than it is for.
  bool fill(std::span<std::byte> out) {
    if (out.size() > most || !(page_ || open())) return false;
    const auto now = coarse_now();
    if (page_->left < out.size() || now - page_->drawn > fresh) refill(now);
    const auto taken = std::span{page_->bytes}.subspan(page_->left - out.size(), out.size());
    page_->left -= out.size();
    std::copy(taken.begin(), taken.end(), out.begin());
    wipe(taken);
    return true;
  }

 private:
  static constexpr std::size_t size = 1024, most = 64;
  static constexpr std::chrono::seconds fresh{1};
  struct Page {
    std::size_t left;  // those at the beginning
    std::chrono::steady_clock::time_point drawn;
    std::array<std::byte, size> bytes;
  };

  void refill(std::chrono::steady_clock::time_point now) {
    page_->left = 0;
    ask_kernel(page_->bytes);
    page_->drawn = now;
    page_->left = size;
  }

  bool open() {
    if (gone_ || refused_) return false;
    refused_ = true;
    page_ = static_cast<Page*>(page_wiped_by_fork(sizeof(Page)));
    if (!page_) return false;
#if defined(MADV_DONTDUMP)
    madvise(page_, sizeof(Page), MADV_DONTDUMP);
#endif
    refused_ = false;
    return true;
  }

  Page* page_ = nullptr;
  bool refused_ = false;
  static thread_local bool gone_;  // the thread is going: there is no page any more
};
thread_local bool Batch::gone_ = false;

class SystemRandom final : public RandomSource {
 public:
  void fill(std::span<std::byte> out) override {
    static thread_local Batch batch;
    if (!batch.fill(out)) ask_kernel(out);
  }
};
}  // namespace

RandomSource& system_random() {
  static SystemRandom source;
  return source;
}

}  // namespace sancho
