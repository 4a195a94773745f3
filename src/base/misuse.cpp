#include "sancho/misuse.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/checks.hpp"
#include "sancho/error.hpp"

namespace sancho {

namespace {
std::atomic<MisuseHandler> chosen = nullptr;

[[noreturn]] void print_and_abort(const Misuse& misuse) noexcept {
  std::fprintf(stderr, "sancho: %.*s\n", static_cast<int>(misuse.message.size()), misuse.message.data());
  std::abort();
}
}  // namespace

MisuseHandler set_misuse_handler(MisuseHandler handler) noexcept { return chosen.exchange(handler); }

bool misuse_is_checked() noexcept { return checks; }

void tell_misuse(const Misuse& misuse) noexcept {
  const auto handler = chosen.load();
  if (!handler) print_and_abort(misuse);
  handler(misuse);
}

void misused(const Misuse& misuse) {
  tell_misuse(misuse);
  throw UsageError(std::string(misuse.message));
}

}  // namespace sancho
