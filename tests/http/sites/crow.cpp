// The site behind Crow.
#include "sancho/adapters/crow.hpp"

#include <iostream>

#include "site.hpp"

namespace {

// Crow sends no response in pieces: the text is one.
crow::response response_of(const site::Page& page) {
  crow::response response(page.status, page.text);
  response.set_header("Content-Type", "text/plain");
  if (!page.location.empty()) response.set_header("Location", page.location);
  for (const auto& [name, value] : page.lines) response.add_header(name, value);
  return response;
}

void serve(const site::Options& options) {
  const auto manager = site::make_manager(options);
  const sancho::CrowSessions sessions(*manager);
  crow::SimpleApp app;
  app.loglevel(crow::LogLevel::Critical);
  CROW_ROUTE(app, "/<path>")
      .methods("GET"_method,
               "POST"_method)(sessions.wrap([&](site::Scope& scope, const crow::request& request, const std::string&) {
        const auto method = crow::method_name(request.method);
        return response_of(site::visit(*manager, scope, site::asked(method, request.raw_url, request.body)));
      }));
  sancho::CrowServer server(app.bindaddr("127.0.0.1").port(0).concurrency(64), {.timeout = 10});
  site::tell_port(server.port());
  server.run();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    serve(site::Options(argc, argv));
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
