#include "async/driver.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "session/runner.hpp"

namespace sancho::coro {

namespace asio = boost::asio;
using namespace protocol;

namespace {

template <class Variant>
Answer widen(Variant answer) {
  return std::visit([](auto& a) -> Answer { return std::move(a); }, answer);
}

// The operation, as the store does it. It owns all it works with.
//
// Each answer gets a name: g++ 12 destroys some unnamed ones twice.
asio::awaitable<Answer> put_to(std::shared_ptr<AsyncSessionStore> store, Op op, Deadline until) {
  if (auto* load = std::get_if<Load>(&op)) {
    auto record = co_await store->load(load->key, until);
    if (!record) co_return Answer(Absent{});
    co_return Answer(Found{std::move(*record)});
  }
  if (auto* create = std::get_if<Create>(&op)) {
    auto answer = co_await store->create(create->key, std::move(create->record), until, create->admission);
    co_return widen(std::move(answer));
  }
  if (auto* commit = std::get_if<Commit>(&op)) {
    auto answer = co_await store->commit(commit->key, commit->expected, std::move(commit->record), until);
    co_return widen(std::move(answer));
  }
  if (auto* touch = std::get_if<Touch>(&op)) {
    auto answer = co_await store->touch(touch->key, touch->incarnation, touch->accessed, until);
    co_return widen(std::move(answer));
  }
  if (auto* erase = std::get_if<Erase>(&op)) {
    auto answer = co_await store->erase(erase->key, erase->expected, until);
    co_return widen(std::move(answer));
  }
  if (auto* ask = std::get_if<AskEpochs>(&op)) {
    auto seen = co_await store->epochs()->epochs(std::move(ask->subject), until);
    co_return Answer(seen);
  }
  if (auto* find = std::get_if<Find>(&op)) {
    Sessions sessions;
    sessions.found = co_await store->subjects()->find_by_subject(std::move(find->subject), until);
    co_return Answer(std::move(sessions));
  }
  co_return Answer();
}

asio::awaitable<Answer> ask(const Line& line, const Op& op, Deadline until) {
  return call<Answer>(line, put_to(line.store, op, until), until, writes(op));
}

StoreError in_doubt(const AsyncSessionStore& store) {
  return {Trouble::in_doubt,
          store.name() + ": the request was cancelled; it cannot be told whether its last write happened", true};
}

// One operation. What is lost has been waited for a while.
asio::awaitable<Answer> perform(const Line& line, const Op& op, Deadline until, Pace& pace) {
  Duration pause{};
  try {
    auto answer = co_await ask(line, op, until);
    pace.answered();
    co_return answer;
  } catch (const boost::system::system_error&) {
    if (writes(op)) throw in_doubt(*line.store);
    throw;
  } catch (const StoreError& e) {
    pause = pace.lost(op, e);
  }
  // Who was cancelled hears of it before the next operation.
  if (pause > Duration::zero() && !is_cancelled(co_await asio::this_coro::cancellation_state)) {
    boost::system::error_code ignored;
    asio::steady_timer timer(co_await asio::this_coro::executor, pause);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return Lost{};
}

}  // namespace

asio::awaitable<void> run(const Line& line, Stage& stage) {
  const Waiting waiting(line.waiting);
  const auto until = stage.until();
  Pace pace(until);
  Answer answer;
  while (const auto* op = stage.resume(answer)) {
    pace.check(answer, [&] { return line.store->name(); });
    if (is_cancelled(co_await asio::this_coro::cancellation_state)) {
      if (pace.in_doubt()) throw in_doubt(*line.store);
      throw_cancelled();
    }
    if (stage.plain())
      answer = co_await ask(line, *op, until);
    else
      answer = co_await perform(line, *op, until, pace);
  }
}

std::exception_ptr as_trouble(std::exception_ptr thrown, const AsyncSessionStore& store, bool writing) {
  try {
    std::rethrow_exception(thrown);
  } catch (const boost::system::system_error& e) {
    return std::make_exception_ptr(StoreError(Trouble::unavailable, store.name() + ": " + e.what(), writing));
  } catch (...) {
    return thrown;
  }
}

StoreError no_answer(const AsyncSessionStore& store, bool writing) {
  return {Trouble::unavailable, store.name() + ": there was no answer by the deadline", writing};
}

StoreError cut_off(const AsyncSessionStore& store) {
  return {Trouble::in_doubt, store.name() + ": the request was cancelled", true};
}

}  // namespace sancho::coro
