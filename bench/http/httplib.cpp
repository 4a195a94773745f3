// # sancho_bench_httplib PORT on|off|own
//
// The site behind cpp-httplib. The server is Sancho's `HttplibServer` with sessions
// and without any; `own` is without any too, and on the library's own server.
#include <cstring>
#include <iostream>

#include "sancho/adapters/httplib.hpp"
#include "site.hpp"

namespace sancho::bench {
namespace {

void put(const std::optional<std::string>& page, httplib::Response& response) {
  if (page) return response.set_content(*page, "text/plain");
  response.status = 404;
}

// As ours does, it sends what there is at once.
template <class Server>
int listen(Server& server, unsigned short port) {
  // A connection that is kept open keeps its thread, and is kept for a whole run.
  server.new_task_queue = [] { return new httplib::ThreadPool(64); };
  server.set_keep_alive_max_count(100'000'000);
  server.set_tcp_nodelay(true);
  return server.listen("127.0.0.1", port) ? 0 : 1;
}

void answer_without_session(const httplib::Request& request, httplib::Response& response) {
  put(visit_without_session(request.target), response);
}

int serve_own(unsigned short port) {
  httplib::Server server;
  server.Get(".*", answer_without_session);
  return listen(server, port);
}

int serve(const SiteOptions& options) {
  SessionManager<SiteSession> manager(open_memory_store(), site_policy());
  const HttplibSessions sessions(manager);
  HttplibServer server;
  if (options.on)
    server.Get(".*", sessions.wrap([](SiteSession& session, const httplib::Request& request, httplib::Response& response) {
      put(visit(session, request.target), response);
    }));
  else
    server.Get(".*", answer_without_session);
  return listen(server, options.port);
}

}  // namespace
}  // namespace sancho::bench

int main(int argc, char** argv) try {
  using namespace sancho::bench;
  if (argc == 3 && std::strcmp(argv[2], "own") == 0) return serve_own(static_cast<unsigned short>(std::atoi(argv[1])));
  return serve({argc, argv});
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 2;
}
