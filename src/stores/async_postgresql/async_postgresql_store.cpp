#include "stores/async_postgresql/async_postgresql_store.hpp"

#include <boost/asio/this_coro.hpp>

#include "sancho/async/postgresql.hpp"

namespace sancho {

namespace postgresql {

using boost::asio::awaitable;

// A conversation refers to what it was given, and the store may go while a call
// is under way. So a call is a coroutine that owns all of it.
namespace {

using Shared = std::shared_ptr<Ground>;

awaitable<std::optional<Record>> load_from(Shared ground, SessionKey key, Deadline until) {
  auto talk = ground->verbs->load(key, until);
  Floor floor(talk);
  co_await carry_out(*ground, floor);
  co_return talk.result();
}

awaitable<CreateAnswer> create_in(Shared ground, SessionKey key, Record record, Deadline until,
                                  std::optional<Admission> admission) {
  auto talk = ground->verbs->create(key, record, until, admission ? &*admission : nullptr);
  Floor floor(talk);
  co_await carry_out(*ground, floor);
  co_return talk.result();
}

awaitable<CommitAnswer> commit_to(Shared ground, SessionKey key, Version expected, Record record, Deadline until) {
  auto talk = ground->verbs->commit(key, expected, record, until);
  Floor floor(talk);
  co_await carry_out(*ground, floor);
  co_return talk.result();
}

awaitable<TouchAnswer> touch_in(Shared ground, SessionKey key, std::uint64_t incarnation, Time accessed,
                                Deadline until) {
  auto talk = ground->verbs->touch(key, incarnation, accessed, until);
  Floor floor(talk);
  co_await carry_out(*ground, floor);
  co_return talk.result();
}

awaitable<EraseAnswer> erase_from(Shared ground, SessionKey key, std::optional<Version> expected, Deadline until) {
  auto talk = ground->verbs->erase(key, expected, until);
  Floor floor(talk);
  co_await carry_out(*ground, floor);
  co_return talk.result();
}

awaitable<SweepAnswer> sweep_through(Shared ground, SweepRequest request, Deadline until) {
  auto talk = ground->verbs->sweep(request, until);
  Floor floor(talk);
  co_await carry_out(*ground, floor);
  co_return talk.result();
}

awaitable<std::vector<KeyedRecord>> find_in(Shared ground, std::string subject, Deadline until) {
  auto talk = ground->verbs->find_by_subject(subject, until);
  Floor floor(talk);
  co_await carry_out(*ground, floor);
  co_return talk.result();
}

awaitable<EpochsSeen> epochs_in(Shared ground, std::string subject, Deadline until) {
  auto talk = ground->verbs->epochs(subject, until);
  Floor floor(talk);
  co_await carry_out(*ground, floor);
  co_return talk.result();
}

awaitable<void> set_epoch_in(Shared ground, std::string subject, std::uint64_t epoch, Time keep, Deadline until) {
  auto talk = ground->verbs->set_epoch(subject, epoch, keep, until);
  Floor floor(talk);
  co_await carry_out(*ground, floor);
  talk.result();
}

awaitable<void> walk_through(Shared ground, AsyncScan::Each each, Deadline until) {
  auto talk = ground->verbs->walk(until);
  Floor floor(talk);
  co_await carry_out(*ground, floor, &each);
  talk.result();
}

awaitable<std::size_t> count_in(Shared ground, Deadline until) {
  auto talk = ground->verbs->count(until);
  Floor floor(talk);
  co_await carry_out(*ground, floor);
  co_return talk.result();
}

awaitable<std::shared_ptr<AsyncSessionStore>> open(std::shared_ptr<Verbs> verbs, std::size_t most_waiting) {
  const auto executor = co_await boost::asio::this_coro::executor;
  const auto ground = std::make_shared<Ground>(executor, std::move(verbs), most_waiting);
  co_await have_tables_made(ground);
  co_return std::make_shared<AsyncPostgresqlStore>(ground);
}

}  // namespace

awaitable<std::optional<Record>> AsyncPostgresqlStore::load(SessionKey key, Deadline until) {
  return load_from(ground_, std::move(key), until);
}
awaitable<CreateAnswer> AsyncPostgresqlStore::create(SessionKey key, Record record, Deadline until,
                                                     std::optional<Admission> admission) {
  return create_in(ground_, std::move(key), std::move(record), until, admission);
}
awaitable<CommitAnswer> AsyncPostgresqlStore::commit(SessionKey key, Version expected, Record record, Deadline until) {
  return commit_to(ground_, std::move(key), expected, std::move(record), until);
}
awaitable<TouchAnswer> AsyncPostgresqlStore::touch(SessionKey key, std::uint64_t incarnation, Time accessed,
                                                   Deadline until) {
  return touch_in(ground_, std::move(key), incarnation, accessed, until);
}
awaitable<EraseAnswer> AsyncPostgresqlStore::erase(SessionKey key, std::optional<Version> expected, Deadline until) {
  return erase_from(ground_, std::move(key), expected, until);
}
awaitable<SweepAnswer> AsyncPostgresqlStore::sweep(SweepRequest request, Deadline until) {
  return sweep_through(ground_, request, until);
}
awaitable<void> AsyncPostgresqlStore::setup() { return have_tables_made(ground_); }
awaitable<std::vector<KeyedRecord>> AsyncPostgresqlStore::find_by_subject(std::string subject, Deadline until) {
  return find_in(ground_, std::move(subject), until);
}
awaitable<EpochsSeen> AsyncPostgresqlStore::epochs(std::string subject, Deadline until) {
  return epochs_in(ground_, std::move(subject), until);
}
awaitable<void> AsyncPostgresqlStore::set_epoch(std::string subject, std::uint64_t epoch, Time keep, Deadline until) {
  return set_epoch_in(ground_, std::move(subject), epoch, keep, until);
}
awaitable<void> AsyncPostgresqlStore::walk(Each each, Deadline until) {
  return walk_through(ground_, std::move(each), until);
}
awaitable<std::size_t> AsyncPostgresqlStore::count(Deadline until) { return count_in(ground_, until); }

}  // namespace postgresql

boost::asio::awaitable<std::shared_ptr<AsyncSessionStore>> open_async_postgresql_store(std::string_view uri,
                                                                                       const PostgresqlOptions& options,
                                                                                       AsyncPostgresqlOptions more) {
  auto verbs = std::make_shared<postgresql::Verbs>(uri, options);
  if (more.max_waiting == 0)
    throw ConfigError("AsyncPostgresqlOptions::max_waiting must be at least 1: every call waits for its answer");
  return postgresql::open(std::move(verbs), more.max_waiting);
}

boost::asio::awaitable<std::shared_ptr<AsyncSessionStore>> open_async_postgresql_store(std::string_view uri) {
  return open_async_postgresql_store(uri, PostgresqlOptions{});
}

}  // namespace sancho
