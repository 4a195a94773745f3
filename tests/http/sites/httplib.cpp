// The site behind cpp-httplib.
#include <csignal>
#include <iostream>
#include <thread>

#include "sancho/adapters/httplib.hpp"
#include "site.hpp"

namespace {

void put(const site::Page& page, httplib::Response& response) {
  response.status = page.status;
  for (const auto& [name, value] : page.lines) response.set_header(name.c_str(), value);
  if (!page.location.empty()) response.set_redirect(page.location, page.status);
  if (!page.in_pieces) return response.set_content(page.text, "text/plain");
  response.set_chunked_content_provider("text/plain", [pieces = site::pieces(page)](std::size_t, httplib::DataSink& sink) {
    for (const auto& piece : pieces) {
      if (!sink.write(piece.data(), piece.size())) return false;
      std::this_thread::sleep_for(site::Page::pause);
    }
    sink.done();
    return true;
  });
}

int serve(const site::Options& options) {
  const auto manager = site::make_manager(options);
  const sancho::HttplibSessions sessions(*manager);
  sancho::HttplibServer server;
  // A connection that is kept open keeps its thread.
  server.new_task_queue = [] { return new httplib::ThreadPool(64); };
  server.set_keep_alive_max_count(2000);
  const auto page = sessions.wrap([&](site::Scope& scope, const httplib::Request& request, httplib::Response& response) {
    put(site::visit(*manager, scope, site::asked(request.method, request.target, request.body)), response);
  });
  server.Get(".*", page);
  server.Post(".*", page);

  static httplib::Server* running = &server;
  std::signal(SIGTERM, [](int) { running->stop(); });
  const int port = server.bind_to_any_port("127.0.0.1");
  site::tell_port(port);
  return server.listen_after_bind() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return serve(site::Options(argc, argv));
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
