#include "sancho/random.hpp"

#include <sys/random.h>

#include <array>
#include <bit>
#include <cerrno>

namespace sancho {

std::uint64_t RandomSource::draw_u64() {
  std::array<std::byte, 8> bytes;
  fill(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

namespace {
class SystemRandom final : public RandomSource {
 public:
  void fill(std::span<std::byte> out) override {
    while (!out.empty()) {
      const auto n = getrandom(out.data(), out.size(), 0);
      if (n > 0) out = out.subspan(static_cast<std::size_t>(n));
      else if (n == 0 || errno != EINTR) throw RandomError("the operating system gave no random bytes (getrandom failed)");
    }
  }
};
}  // namespace

RandomSource& system_random() {
  static SystemRandom source;
  return source;
}

}  // namespace sancho
