// # FastCGI
//
// Sessions for a program that a web server talks to over a socket. Handlers are
// those of CGI (cgi.hpp), which also says what they can rely on:
//
//     sancho::CgiSessions sessions(manager);
//     sancho::FastcgiServer server(sessions.wrap(home), {.socket = "/run/shop/shop.socket", .threads = 16});
//     server.run();
//
// In nginx: `fastcgi_pass unix:/run/shop/shop.socket; include fastcgi_params;`.
// The socket is for the web server alone: who can write to it can say whose
// address a request comes from.
#pragma once

#include <atomic>
#include <string>

#include "sancho/adapters/cgi.hpp"
#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

struct FastcgiOptions {
  // A path in the file system; a socket that lies there from before is replaced,
  // anything else is left alone. Empty: the socket that a process manager
  // (spawn-fcgi, systemd, Apache) has handed over as standard input.
  std::string socket{};
  int threads = 8;
  int backlog = 128;
  CgiOptions requests{};
};

// Was this program started with a FastCGI socket as standard input? Else it is
// CGI's, or somebody's at a terminal.
bool started_by_fastcgi();

class FastcgiServer {
 public:
  // Opens the socket. Throws `std::system_error` if it is not to be had.
  FastcgiServer(CgiHandler handler, FastcgiOptions options = {});
  ~FastcgiServer();
  FastcgiServer(const FastcgiServer&) = delete;
  FastcgiServer& operator=(const FastcgiServer&) = delete;

  // Serves requests, each on one of `threads` threads, until `stop`; requests in
  // progress are finished.
  void run();
  // From any thread, and from a signal's handler.
  void stop() noexcept;

 private:
  void work();

  CgiHandler handler_;
  FastcgiOptions options_;
  int socket_ = -1;
  int wake_ = -1;
  std::atomic<bool> stopped_ = false;
};

}  // namespace sancho
