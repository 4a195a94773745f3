#include "stores/memcached/lifetime.hpp"

#include <algorithm>
#include <limits>

namespace sancho::memcached {

namespace {
// Up to this it is a span, beyond it a moment in seconds since 1970.
constexpr std::int64_t longest_span = 60 * 60 * 24 * 30;

// memcached counts whole seconds and may begin with one that is nearly over;
// and the clocks of two of the application's machines differ a little.
constexpr std::int64_t margin = 60;
}  // namespace

std::int64_t exptime(Duration left, std::int64_t server_now) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::max(left, Duration::zero())).count() + margin;
  if (seconds <= longest_span) return seconds;
  const auto last = std::int64_t{std::numeric_limits<std::int32_t>::max()};  // what memcached reads
  return seconds > last - server_now ? 0 : server_now + seconds;
}

std::int64_t exptime_of_the_dead() { return longest_span + 1; }

}  // namespace sancho::memcached
