// The site behind Drogon: what threads and coroutines have in common.
#pragma once

#include <iostream>

#include "sancho/adapters/drogon.hpp"
#include "site.hpp"

namespace site {

// Pieces with a pause between them, sent from the event loop.
inline void send_pieces(const std::shared_ptr<drogon::ResponseStream>& stream, std::vector<std::string> pieces) {
  if (pieces.empty()) return stream->close();
  stream->send(pieces.front());
  pieces.erase(pieces.begin());
  trantor::EventLoop::getEventLoopOfCurrentThread()->runAfter(
      Page::pause, [stream, pieces = std::move(pieces)] { send_pieces(stream, pieces); });
}

inline drogon::HttpResponsePtr start(const Page& page) {
  if (!page.in_pieces) return drogon::HttpResponse::newHttpResponse();
  return drogon::HttpResponse::newAsyncStreamResponse([pieces = pieces(page)](drogon::ResponseStreamPtr stream) {
    send_pieces(std::shared_ptr<drogon::ResponseStream>(std::move(stream)), pieces);
  });
}

inline drogon::HttpResponsePtr response_of(const Page& page) {
  auto response = start(page);
  response->setStatusCode(static_cast<drogon::HttpStatusCode>(page.status));
  response->setContentTypeString("text/plain");
  if (!page.in_pieces) response->setBody(page.text);
  if (!page.location.empty()) response->addHeader("Location", page.location);
  for (const auto& [name, value] : page.lines) {
    if (name != "Set-Cookie") {
      response->addHeader(name, value);
      // Drogon would keep such a page and send it to everybody.
      if (value.starts_with("public")) response->setExpiredTime(3600);
    } else if (const auto equals = value.find('='), end = value.find(';'); equals < end)
      response->addCookie(value.substr(0, equals), value.substr(equals + 1, end - equals - 1));
  }
  return response;
}

// Advice is given before the listeners' loops have begun to listen.
inline void when_it_listens(void (*what)()) {
  drogon::app().getLoop()->queueInLoop([what] { drogon::app().getIOLoop(0)->queueInLoop(what); });
}

inline Asked asked(const drogon::HttpRequestPtr& request) {
  return {
      .method = request->methodString(), .path = request->path(), .query = request->query(), .body = request->body()};
}

// Serves until SIGTERM.
inline void run(sancho::DrogonHandler page) {
  trantor::Logger::setLogLevel(trantor::Logger::kError);
  trantor::Logger::setOutputFunction(
      [](const char* text, std::uint64_t size) { std::cerr.write(text, static_cast<std::streamsize>(size)); }, [] {});
  drogon::app()
      .registerHandlerViaRegex("/.*", std::move(page), {drogon::Get, drogon::Post})
      .registerBeginningAdvice(
          [] { when_it_listens([] { tell_port(drogon::app().getListeners().front().toPort()); }); })
      .addListener("127.0.0.1", 0)
      .setThreadNum(1)  // else each would have a port of its own
      .run();
}

}  // namespace site
