// # The package's test application
//
// The original package came with a small application to try it with; this is
// it, endpoint by endpoint, so that any HTTP client can check the two against
// each other. Its guards are off on purpose: state changes on GET, nothing
// checks where a request comes from, cookies are plain. Do not build upon it.
//
// | endpoint                     | shows                                          |
// |------------------------------|------------------------------------------------|
// | `GET /`                      | `Not logged in.`, or `Hello, NAME!`; `Counter: N` |
// | `GET /login`, `POST /login`  | a form; with `name=NAME`: `Welcome! NAME`      |
// | `GET /logout`                | `Goodbye!`                                     |
// | `GET /counter`               | adds one: `Counter: N`                         |
// | `GET /create_token`          | `Token created: TOKEN`                         |
// | `GET /check`, `/check_token` | what the session holds, a line each            |
// | `GET /delete_old?minutes=N`  | `Deleted: D, Remaining: R`                     |
#pragma once

#include "sancho/adapters/httplib.hpp"

struct AppSession : sancho::Session {
  using Session::Session;
  sancho::Counter counter{*this, "counter"};
  std::size_t form_tokens() const { return form_token_count(); }
};

// The policy with its guards off.
sancho::Policy unguarded_policy();

// Adds the endpoints to the server. The manager must outlive it.
void add_endpoints(sancho::HttplibServer& server, sancho::SessionManager<AppSession>& manager);
