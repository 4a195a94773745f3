// The asynchronous store over a wire to the server, and calls that tell how they
// ended.
#pragma once

#include "../async/loop.hpp"
#include "fixture.hpp"
#include "sancho/async/postgresql.hpp"
#include "wire.hpp"

namespace sancho::postgresql_test {

namespace asio = boost::asio;
using asio::awaitable;
using test::run;

using Store = std::shared_ptr<AsyncSessionStore>;

// How a call ended; an empty word while it has not.
struct Ended {
  std::string how;
  std::string why;
  bool maybe_done = false;
};

template <class T>
awaitable<void> tell(awaitable<T> call, Ended& ended) {
  Ended end;
  try {
    (void)co_await std::move(call);
    end.how = "done";
  } catch (const StoreError& e) {
    end = {std::string(to_string(e.kind())), e.what(), e.maybe_done()};
  } catch (const boost::system::system_error& e) {
    end = {e.code() == asio::error::operation_aborted ? "cancelled" : "threw", e.what(), false};
  }
  ended = end;
}

class AsyncPostgresqlTest : public PostgresqlTest {
 protected:
  void SetUp() override {
    PostgresqlTest::SetUp();
    if (!IsSkipped()) wire = std::make_unique<Wire>(port_of(server()));
  }

  std::string uri() const { return over(*wire, place->uri()); }
  Store open(asio::io_context& loop, const PostgresqlOptions& options = {.connections = 1},
             AsyncPostgresqlOptions more = {}) {
    auto opened = asio::co_spawn(loop, open_async_postgresql_store(uri(), options, more), asio::use_future);
    loop.restart();
    while (opened.wait_for(0s) != std::future_status::ready && loop.run_one() > 0) {
    }
    return opened.get();
  }

  // A call that is under way, and its end.
  template <class T>
  void begin(asio::io_context& loop, awaitable<T> call, Ended& ended) {
    asio::co_spawn(loop, tell(std::move(call), ended), asio::detached);
  }
  // ... which can be cancelled.
  template <class T>
  void begin(asio::io_context& loop, awaitable<T> call, Ended& ended, asio::cancellation_signal& stop) {
    asio::co_spawn(loop, tell(std::move(call), ended), asio::bind_cancellation_slot(stop.slot(), asio::detached));
  }
  // Runs the loop until that is so; false if it takes too long.
  static bool run_until(asio::io_context& loop, const std::function<bool()>& so) {
    const auto until = soon();
    loop.restart();
    while (!so() && !until.passed()) {
      loop.run_one_for(10ms);
      loop.restart();
    }
    return so();
  }

  // Others wait for the row while this is there.
  struct RowLock {
    RowLock(const Place& where, const SessionKey& key) : raw(where.uri()) {
      raw.ask("BEGIN; SELECT 1 FROM sancho_sessions WHERE key = " + hex_of(key) + " FOR UPDATE");
    }
    void release() { raw.ask("COMMIT"); }
    // How many sessions wait for it.
    int held_up() {
      raw.ask("SELECT pg_stat_clear_snapshot()");
      return std::stoi(
          raw.ask("SELECT count(*) FROM pg_stat_activity WHERE pg_blocking_pids(pid) @> "
                  "ARRAY[pg_backend_pid()]"));
    }
    Raw raw;
  };

  std::unique_ptr<Wire> wire;
};

}  // namespace sancho::postgresql_test
