#include "stores/async_redis/ask.hpp"

#include "base/spare.hpp"

namespace sancho::redis {

struct Ask::Drop {
  void operator()(Ask* ask) const noexcept { delete ask; }
};

// Never part of a coroutine, as SpareBlocks are not and for their reason.
struct Ask::GiveBack {
  using Spare = Stock<Ask*, 32, Drop>;
  [[gnu::noinline]] void operator()(Ask* ask) const noexcept {
    ask->forget_all();
    Spare::give(ask);
  }
};

void Ask::forget_all() {
  constexpr std::size_t most_room = 4096;
  forget();
  end = End::answered;
  if (last.text.capacity() > most_room) last.text = {};
  last.kind = Reply::Kind::nothing;
  last.text.clear();
  last.items.clear();
  more.clear();
  lost = {};
  refused = nullptr;
  wire = {};
  long_ = {};
  stage = Stage::queued;
  old = false;
}

std::shared_ptr<Ask> Ask::make(std::size_t commands, Deadline until) {
  auto* ask = GiveBack::Spare::take();
  if (!ask) ask = new Ask;
  const std::shared_ptr<Ask> held(ask, GiveBack(), SpareAllocator<Ask>());
  held->expected = commands;
  held->until = until;
  return held;
}

}  // namespace sancho::redis
