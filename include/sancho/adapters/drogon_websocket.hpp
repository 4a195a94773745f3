// # WebSockets of Drogon
//
// A WebSocket is closed when the session that it was opened with has ended: by a
// logout, from wherever; by the end of all sessions of its user; by its limits.
// A filter lets it be opened, and its controller has it watched:
//
//     struct MayChat : drogon::HttpFilter<MayChat, false> {
//       explicit MayChat(Sessions& sessions) : sessions(sessions) {}
//       void doFilter(const drogon::HttpRequestPtr& request, drogon::FilterCallback&& refuse,
//                     drogon::FilterChainCallback&& open) override {
//         sessions.handshake(request, std::move(refuse), std::move(open),
//                            [](ShopSession& session, const drogon::HttpRequestPtr&) { return !!session.get_user(); });
//       }
//       Sessions& sessions;
//     };
//
//     struct Chat : drogon::WebSocketController<Chat, false> {
//       void handleNewConnection(const drogon::HttpRequestPtr& request,
//                                const drogon::WebSocketConnectionPtr& connection) override {
//         auto watched = sancho::drogon_watch(watcher, request, connection);
//         connection->setContext(std::make_shared<sancho::WatchedSession>(std::move(watched)));
//       }
//       ...
//       WS_PATH_LIST_BEGIN
//       WS_PATH_ADD("/chat", "MayChat");
//       WS_PATH_LIST_END
//       sancho::SessionWatcher& watcher;
//     };
//
//     drogon::app().registerFilter(std::make_shared<MayChat>(sessions));
//     drogon::app().registerController(std::make_shared<Chat>(watcher));
//
// The names in `WS_PATH_ADD` are those of the classes, with their namespaces.
#pragma once

#include <drogon/WebSocketConnection.h>

#include <chrono>
#include <cstdint>

#include "sancho/adapters/drogon.hpp"
#include "sancho/export.hpp"
#include "sancho/session_watcher.hpp"

namespace sancho SANCHO_EXPORT {

// How a WebSocket is closed whose session has ended.
struct DrogonCloseOptions {
  // The code for the other side (RFC 6455, section 7.4). 1008 says that the
  // connection breaks a rule.
  std::uint16_t code = 1008;
  // Where nobody knows whether it has ended (`SessionEnd::outage`): 1013 says to
  // try again later.
  std::uint16_t code_of_outage = 1013;
  // How long the other side has to agree. Then it is cut off. Messages that it
  // sends meanwhile still arrive: ask `WatchedSession::ended` before acting on one.
  Duration grace = std::chrono::milliseconds(200);
};

// Has the watcher look after a connection, and close it when its session has
// ended. For `handleNewConnection`, on its thread. What comes back is to live as
// long as the connection: in its context, say. A connection that no `handshake`
// has let in is cut off at once.
[[nodiscard]] WatchedSession drogon_watch(SessionWatcher& watcher, const drogon::HttpRequestPtr& request,
                                          const drogon::WebSocketConnectionPtr& connection,
                                          DrogonCloseOptions options = {});

}  // namespace sancho
