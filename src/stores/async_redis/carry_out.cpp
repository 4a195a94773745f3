#include "stores/async_redis/carry_out.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace sancho::redis {

namespace asio = boost::asio;
using asio::awaitable;

namespace {
void put(Asked& asked, std::shared_ptr<Ask> question) {
  try {
    asked.lane->ask(question);
    asked.ask = std::move(question);
  } catch (const StoreError&) {
    asked.trouble = std::current_exception();
  }
}

// Null where it cannot be had, as whoever asks for it once more hears.
Lane* lane_to(Ground& ground, const Endpoint& node) {
  try {
    return &ground.wires.lane_to(node);
  } catch (const StoreError&) {
    return nullptr;
  }
}
}  // namespace

Asked ask(Ground& ground, Exchange& what) {
  Asked asked;
  try {
    asked.lane = &ground.wires.lane_for(what);
  } catch (const StoreError&) {
    asked.trouble = std::current_exception();
    return asked;
  }
  auto question = Ask::make(what.what.commands, what.until);
  question->say(std::move(what.what.bytes));
  put(asked, std::move(question));
  return asked;
}

Asked ask_for(Ground& ground, const SessionKey& key, Deadline until) {
  Asked asked;
  asked.lane = ground.wires.only();
  if (!asked.lane) {
    const auto owner = ground.verbs.owner_of(key);
    if (owner) asked.lane = lane_to(ground, *owner);
    if (!asked.lane) return asked;
  }
  auto question = Ask::make(1, until);
  const auto words = ground.verbs.put_load(key, question->room);
  if (words.empty()) return {};
  question->say(words);
  put(asked, std::move(question));
  return asked;
}

void hand_in(Asked& asked, Floor& floor) {
  if (!asked.ask) return floor.fail(std::move(asked.trouble));
  auto& ask = *asked.ask;
  switch (ask.end) {
    case Ask::End::answered:
      return floor.answer(ask.replies());
    case Ask::End::lost:
      return floor.fail(std::make_exception_ptr(ask.lost));
    case Ask::End::refused:
      return floor.fail(ask.refused);
    case Ask::End::cancelled:
      throw boost::system::system_error(asio::error::operation_aborted);
  }
}

awaitable<void> pause(Pause length) {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::min(length.length, length.until.left()));
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace sancho::redis
