// # The site that every adapter serves
//
// What its pages do is written once, here; a program in this folder puts one
// framework around it, by way of that framework's adapter. So what the suite
// finds out about a program it finds out about the adapter.
//
//     GET  /public          a page that does nothing, and may be cached
//     GET  /look            who it is, and how many visits: `ada 3`
//     GET  /count           one visit more
//     GET  /cached          likewise, and says that it may be cached, and has cookies of its own
//     GET  /moved           likewise, and sends on to /look
//     GET  /stream          likewise, in pieces with a pause between them
//     GET  /slow?ms=N       likewise, after that long
//     GET  /throw           likewise, and throws; so does POST
//     POST /login           field `name`; sends on to /look
//     POST /logout          and /logout/throw, which throws afterwards
//     GET  /csrf            the CSRF token of a form; POST: field `token`, is it good?
//     GET  /form            a form token; POST /buy: field `token`, does it work? /buy/throw throws afterwards
//     POST /length          how long the body is, and its last byte
//     GET  /address         the client's address, and `tls` if it came by TLS
//     GET  /sessions        how many sessions there are in the store
//     GET  /alive           how many requests have a session in their hands, but for this one
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sancho/manager.hpp"

namespace site {

// Counted, to see whether any is left behind.
struct Session : sancho::Session {
  explicit Session(const sancho::SessionContext& context) : sancho::Session(context) { ++alive; }
  ~Session() override { --alive; }
  static inline std::atomic<int> alive = 0;

  sancho::Counter visits{*this, "visits"};
};

using Scope = sancho::RequestScope<Session>;
using Manager = sancho::SessionManager<Session>;

// What a page is told of its request.
struct Asked {
  std::string_view method, path, query, body;
  // Of the query, else of the body; as it came, for no name or token needs more.
  std::string_view field(std::string_view name) const;
  std::chrono::milliseconds pause() const;  // its field `ms`
};

struct Page {
  int status = 200;
  std::string text{};
  std::string location{};  // of a redirect
  std::vector<sancho::HeaderLine> lines{};
  bool in_pieces = false;  // the text, by `pieces`
  static constexpr std::chrono::milliseconds pause{150};
};

// The text of a page that is sent in pieces: after each a pause.
std::vector<std::string> pieces(const Page& page);

Page visit(Manager& manager, Scope& scope, const Asked& asked);

// ## What pages are made of, for a site of coroutines (coroutines.hpp)

// Those that ask the store for nothing; nothing: it is another.
std::optional<Page> look(Session& session, const Asked& asked);
Page address(const std::string& address, bool https);
std::string tell(const Session& session);
[[noreturn]] void fail();

// Splits `/path?query`.
Asked asked(std::string_view method, std::string_view target, std::string_view body);

// What the programs are started with:
//
//     --port N            where to listen on 127.0.0.1; 0: anywhere
//     --socket PATH       or on a socket of the file system, for those behind a server
//     --store URI
//     --transport WHICH   cookie, bearer or header
//     --json-only         an API
//     --trust ADDRESS     a proxy
//     --renewal MS        a new id after that many milliseconds
//     --idle MS           and this long without an access ends a session
//     --down FILE         while that file is there, the store is down; if it
//                         says `writes`, for writes alone. If it says `slow`,
//                         the next call takes `slow_call`, and the file goes
struct Options {
  Options(int argc, char** argv);
  int port = 0;
  std::string socket{};
  std::string store = "memory:";
  std::string down{};
  sancho::Policy policy{};
  static constexpr std::chrono::milliseconds slow_call{200};
};

// Whoever starts a program waits for this line.
void tell_port(int port);

std::shared_ptr<sancho::SessionStore> make_store(const Options& options);
std::unique_ptr<Manager> make_manager(const Options& options);

}  // namespace site
