// # Sessions and coroutines
//
// One thread serves everybody, and the store has threads of its own. A visitor
// comes, then ten requests of theirs at once, and no visit is lost.
#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <iostream>

#include "sancho/async/manager.hpp"
#include "sancho/async/on_executor.hpp"
#include "sancho/stores/memory.hpp"

namespace asio = boost::asio;
using namespace asio::experimental::awaitable_operators;
using namespace std::chrono_literals;

struct Visitor : sancho::Session {
  using Session::Session;
  sancho::Counter visits{*this, "visits"};
};
using Sessions = sancho::AsyncSessionManager<Visitor>;
using Lines = sancho::HeaderLines;

sancho::Request request_with(const std::string_view& cookie) {
  sancho::Request request;
  if (!cookie.empty()) request.cookies = {&cookie, 1};
  return request;
}

// Serves one request; the lines belong into the head of the response.
asio::awaitable<Lines> serve(Sessions& sessions, std::string_view cookie) {
  auto scope = co_await sessions.start_request(request_with(cookie));
  ++scope->visits;
  co_return co_await scope.finish();
}

// A form is submitted: of all that submit it, one places the order.
asio::awaitable<Lines> order(Sessions& sessions, std::string_view cookie, std::string_view token) {
  auto scope = co_await sessions.start_request(request_with(cookie));
  const auto claim = co_await scope.consume_form_token(token);
  if (claim) std::cout << "one order, " << claim->id().size() << " digits to know it by\n";
  co_return co_await scope.finish();
}

// Nobody is served for longer than a second.
asio::awaitable<void> serve_in_time(Sessions& sessions, std::string_view cookie) {
  asio::steady_timer timer(co_await asio::this_coro::executor, 1s);
  const auto first = co_await (serve(sessions, cookie) || timer.async_wait(asio::use_awaitable));
  if (first.index() == 1) std::cout << "too late: 503\n";
}

int main() {
  asio::io_context loop;
  asio::thread_pool threads(2);
  Sessions sessions(sancho::on_executor(sancho::open_memory_store(), threads.get_executor()));
  const auto run = [&](auto request) {
    auto done = asio::co_spawn(loop, std::move(request), asio::use_future);
    loop.restart();
    loop.run();
    return done.get();
  };

  const std::string set_cookie = run(serve(sessions, "")).front().value;
  const std::string_view cookie = std::string_view(set_cookie).substr(0, set_cookie.find(';'));
  for (int i = 0; i < 10; ++i) asio::co_spawn(loop, serve_in_time(sessions, cookie), asio::detached);
  run(serve(sessions, cookie));

  // The same with a callback, for frameworks that know no coroutines.
  std::string token;
  const auto form = [&](std::exception_ptr trouble, sancho::AsyncRequestScope<Visitor> scope) {
    if (trouble) return;
    std::cout << scope->visits.value() << " visits\n";
    token = scope->create_form_token();
    const auto held = std::make_shared<sancho::AsyncRequestScope<Visitor>>(std::move(scope));
    held->async_finish([held](std::exception_ptr, Lines) {});
  };
  sessions.async_start_request(loop.get_executor(), request_with(cookie), form);
  loop.restart();
  loop.run();
  for (int i = 0; i < 3; ++i) run(order(sessions, cookie, token));
  return token.empty();
}
