#include <string>

#include "parts.hpp"
#include "sancho/adapters/drogon_websocket.hpp"

namespace sancho {

namespace {

using Opened = std::shared_ptr<const Handshake>;
const std::string attribute = "sancho.handshake";

void close(const std::weak_ptr<drogon::WebSocketConnection>& connection, SessionEnd end,
           const DrogonCloseOptions& options) {
  const auto open = connection.lock();
  if (!open) return;
  const auto code = end == SessionEnd::outage ? options.code_of_outage : options.code;
  open->shutdown(static_cast<drogon::CloseCode>(code), std::string(to_string(end)));
  trantor::EventLoop::getEventLoopOfCurrentThread()->runAfter(options.grace, [connection] {
    if (const auto still = connection.lock()) still->forceClose();
  });
}

}  // namespace

WatchedSession drogon_watch(SessionWatcher& watcher, const drogon::HttpRequestPtr& request,
                            const drogon::WebSocketConnectionPtr& connection, DrogonCloseOptions options) {
  const auto& opened = request->attributes()->get<Opened>(attribute);
  if (!opened) {
    LOG_ERROR << "rule broken: a WebSocket is to be watched that no handshake has let in";
    connection->forceClose();
    return {};
  }
  auto* const loop = trantor::EventLoop::getEventLoopOfCurrentThread();
  const std::weak_ptr<drogon::WebSocketConnection> weak = connection;
  return watcher.watch(opened->ticket.value(), [weak, loop, options](SessionEnd end) {
    detail::on_drogon_loop(loop, [weak, end, options] { close(weak, end, options); });
  });
}

drogon::HttpResponsePtr detail::drogon_handshake(const Policy& policy, const DrogonErrorPage& page,
                                                 const drogon::HttpRequestPtr& request,
                                                 const std::function<Handshake(const Request&)>& handshake) {
  auto opened = std::make_shared<Handshake>();
  try {
    *opened = handshake(DrogonRequest(policy, request).get());
  } catch (...) {
    opened->answer = {.status = 500, .error = std::current_exception()};
  }
  if (opened->refused()) return drogon_response(page, request, nullptr, opened->answer, opened->text());
  request->attributes()->insert(attribute, Opened(std::move(opened)));
  return nullptr;
}

void detail::put_handshake_lines(const drogon::HttpRequestPtr& request, drogon::HttpResponse& response) {
  if (const auto& opened = request->attributes()->get<Opened>(attribute)) put_drogon_lines(opened->answer, response);
}

}  // namespace sancho
