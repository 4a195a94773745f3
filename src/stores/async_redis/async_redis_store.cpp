#include "stores/async_redis/async_redis_store.hpp"

#include <boost/asio/this_coro.hpp>

#include "base/coarse_clock.hpp"
#include "stores/redis/uri_options.hpp"

namespace sancho {

namespace redis {

using boost::asio::awaitable;

namespace {

// A conversation refers to what it was given, and the store may go while a call
// is under way. So a call is a coroutine that owns all of it; and it is one, not
// one to each step, because each has to be made and woken.
//
// `begin(verbs)` gives the conversation, and owns what that refers to; `each` is
// for one that shows what it finds; `tried` is how it went where the first thing that
// it wishes for has been tried. Throws what Asio throws where it is cancelled,
// and what `each` throws; all other trouble is the conversation's.
template <class Begin>
auto carry_out(std::shared_ptr<Ground> ground, Begin begin, AsyncScan::Each each = {}, Asked tried = {})
    -> awaitable<typename decltype(begin(ground->verbs))::Result> {
  ground->dealings.require_own_process();
  auto talk = begin(ground->verbs);
  Floor floor(talk);
  for (Wish* wish = nullptr; (wish = floor.next()); tried = {}) {
    if (auto* exchange = std::get_if<Exchange>(wish)) {
      const bool has_been = (tried.ask || tried.trouble) && tried.lane->to() == exchange->to;
      auto asked = has_been ? std::move(tried) : ask(*ground, *exchange);
      if (asked.ask && !has_been) co_await asked.lane->end_of(*asked.ask);
      hand_in(asked, floor);
    } else if (const auto* length = std::get_if<Pause>(wish)) {
      co_await pause(*length);
    } else {
      const bool on = co_await each(*std::get<Show>(*wish).found);
      floor.answer(on);
    }
  }
  co_return talk.result();
}

// Nearly always one question and an answer that is no error: then no conversation is
// needed, which would ask it, too, and first.
awaitable<std::optional<Record>> load_from(std::shared_ptr<Ground> ground, SessionKey key, Deadline until) {
  ground->dealings.require_own_process();
  Asked asked;
  if (!has_passed(until.at(), coarse_now())) asked = ask_for(*ground, key, until);
  if (asked.ask) {
    co_await asked.lane->end_of(*asked.ask);
    const auto& ask = *asked.ask;
    if (ask.end == Ask::End::answered && !ask.last.is_error()) co_return ground->verbs.loaded(ask.last);
  }
  auto rest = carry_out(
      std::move(ground), [key, until](Verbs& verbs) { return verbs.load(key, until); }, {}, std::move(asked));
  auto found = co_await std::move(rest);
  co_return found;
}

awaitable<std::shared_ptr<AsyncSessionStore>> open(RedisOptions options, AsyncRedisOptions more) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto ground = std::make_shared<Ground>(executor, options, more);
  auto opening = carry_out(ground, [](Verbs& verbs) { return verbs.open(); });
  co_await std::move(opening);
  co_return std::make_shared<AsyncRedisStore>(ground);
}

awaitable<void> without_answer(awaitable<Done> what) { co_await std::move(what); }

}  // namespace

awaitable<std::optional<Record>> AsyncRedisStore::load(SessionKey key, Deadline until) {
  return load_from(ground_, key, until);
}
awaitable<CreateAnswer> AsyncRedisStore::create(SessionKey key, Record record, Deadline until,
                                                std::optional<Admission> admission) {
  return carry_out(ground_, [key, record = std::move(record), until, admission](Verbs& verbs) {
    return verbs.create(key, record, until, admission ? &*admission : nullptr);
  });
}
awaitable<CommitAnswer> AsyncRedisStore::commit(SessionKey key, Version expected, Record record, Deadline until) {
  return carry_out(ground_, [key, expected, record = std::move(record), until](Verbs& verbs) {
    return verbs.commit(key, expected, record, until);
  });
}
awaitable<TouchAnswer> AsyncRedisStore::touch(SessionKey key, std::uint64_t incarnation, Time accessed,
                                              Deadline until) {
  return carry_out(ground_, [=](Verbs& verbs) { return verbs.touch(key, incarnation, accessed, until); });
}
awaitable<EraseAnswer> AsyncRedisStore::erase(SessionKey key, std::optional<Version> expected, Deadline until) {
  return carry_out(ground_, [=](Verbs& verbs) { return verbs.erase(key, expected, until); });
}
awaitable<SweepAnswer> AsyncRedisStore::sweep(SweepRequest request, Deadline until) {
  return carry_out(ground_, [=](Verbs& verbs) { return verbs.sweep(request, until); });
}
awaitable<void> AsyncRedisStore::setup() {
  return without_answer(carry_out(ground_, [](Verbs& verbs) { return verbs.setup(); }));
}
awaitable<std::vector<KeyedRecord>> AsyncRedisStore::find_by_subject(std::string subject, Deadline until) {
  return carry_out(
      ground_, [subject = std::move(subject), until](Verbs& verbs) { return verbs.find_by_subject(subject, until); });
}
awaitable<EpochsSeen> AsyncRedisStore::epochs(std::string subject, Deadline until) {
  return carry_out(ground_,
                   [subject = std::move(subject), until](Verbs& verbs) { return verbs.epochs(subject, until); });
}
awaitable<void> AsyncRedisStore::set_epoch(std::string subject, std::uint64_t epoch, Time keep, Deadline until) {
  return without_answer(carry_out(ground_, [subject = std::move(subject), epoch, keep, until](Verbs& verbs) {
    return verbs.set_epoch(subject, epoch, keep, until);
  }));
}
awaitable<void> AsyncRedisStore::walk(Each each, Deadline until) {
  return without_answer(carry_out(
      ground_, [=](Verbs& verbs) { return verbs.walk(until); }, std::move(each)));
}
awaitable<std::size_t> AsyncRedisStore::count(Deadline until) {
  return carry_out(ground_, [=](Verbs& verbs) { return verbs.count(until); });
}

}  // namespace redis

boost::asio::awaitable<std::shared_ptr<AsyncSessionStore>> open_async_redis_store(RedisOptions options,
                                                                                  AsyncRedisOptions more) {
  redis::require_sense(options);
  if (more.max_waiting == 0)
    throw ConfigError("AsyncRedisOptions::max_waiting must be at least 1: every call waits for its answer");
  return redis::open(std::move(options), more);
}

boost::asio::awaitable<std::shared_ptr<AsyncSessionStore>> open_async_redis_store(std::string_view uri,
                                                                                  AsyncRedisOptions more) {
  return open_async_redis_store(redis::options_of(StoreUri::parse(uri)), more);
}

}  // namespace sancho
