// # The smallest program
//
// No framework and no network: a visitor's first request leaves something in
// the session, and the second one finds it by the cookie of the first.
#include <iostream>

#include "sancho/manager.hpp"
#include "sancho/stores/memory.hpp"

int main() {
  sancho::SessionManager<> sessions(sancho::open_memory_store());

  // A request without a cookie. What `finish` gives belongs into the response.
  auto first = sessions.start_request({});
  first->set("greeting", "hello");
  const std::string set_cookie = first.finish().front().value;

  // The browser sends back what stands before the first semicolon.
  const std::string_view cookie = std::string_view(set_cookie).substr(0, set_cookie.find(';'));
  auto second = sessions.start_request({.cookies = {&cookie, 1}});
  const auto greeting = second->get<std::string>("greeting");
  second.finish();

  std::cout << greeting.value_or("nothing") << '\n';
  return greeting ? 0 : 1;
}
