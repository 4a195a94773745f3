// # sancho_bench_httplib PORT on|off
//
// The site behind cpp-httplib. Both times the server is Sancho's `HttplibServer`.
#include <iostream>

#include "sancho/adapters/httplib.hpp"
#include "site.hpp"

namespace sancho::bench {
namespace {

void put(const std::optional<std::string>& page, httplib::Response& response) {
  if (page) return response.set_content(*page, "text/plain");
  response.status = 404;
}

int serve(const SiteOptions& options) {
  SessionManager<SiteSession> manager(open_memory_store(), site_policy());
  const HttplibSessions sessions(manager);
  HttplibServer server;
  // A connection that is kept open keeps its thread, and is kept for a whole run.
  server.new_task_queue = [] { return new httplib::ThreadPool(64); };
  server.set_keep_alive_max_count(100'000'000);
  if (options.on)
    server.Get(".*", sessions.wrap([](SiteSession& session, const httplib::Request& request, httplib::Response& response) {
      put(visit(session, request.target), response);
    }));
  else
    server.Get(".*", [](const httplib::Request& request, httplib::Response& response) {
      put(visit_without_session(request.target), response);
    });
  return server.listen("127.0.0.1", options.port) ? 0 : 1;
}

}  // namespace
}  // namespace sancho::bench

int main(int argc, char** argv) try {
  return sancho::bench::serve({argc, argv});
} catch (const std::exception& e) {
  std::cerr << e.what() << '\n';
  return 2;
}
