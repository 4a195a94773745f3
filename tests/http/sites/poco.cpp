// The site behind POCO.
#include "sancho/adapters/poco.hpp"

#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>

#include <csignal>
#include <iostream>

#include "put.hpp"

namespace {

namespace net = Poco::Net;

class Pages final : public net::HTTPRequestHandlerFactory {
 public:
  explicit Pages(site::Manager& manager) : sessions_(manager) {}
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest&) override {
    return sessions_.handler([&](site::Scope& scope, const sancho::PocoRequest& request, sancho::Response& response) {
      const site::Asked asked{
          .method = request.method(), .path = request.path(), .query = request.query(), .body = request.body()};
      site::put(site::visit(sessions_.manager(), scope, asked), response);
    });
  }

 private:
  sancho::PocoSessions<site::Session> sessions_;
};

}  // namespace

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  try {
    const site::Options options(argc, argv);
    const auto manager = site::make_manager(options);
    // A connection that is kept open keeps its thread.
    Poco::ThreadPool threads(2, 64);
    net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
    params->setMaxThreads(64);
    params->setMaxQueued(256);
    params->setThreadIdleTime(Poco::Timespan(0, 100'000));
    params->setTimeout(Poco::Timespan(10, 0));
    params->setKeepAliveTimeout(Poco::Timespan(2, 0));
    const sancho::PocoServerSocket socket(net::SocketAddress("127.0.0.1", 0));
    net::HTTPServer server(new Pages(*manager), threads, socket, params);
    server.start();
    site::tell_port(server.port());
    int signal = 0;
    sigwait(&signals, &signal);
    server.stopAll(true);
    threads.joinAll();
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
