#include <atomic>
#include <string>

#include "parts.hpp"
#include "sancho/adapters/drogon.hpp"
#include "sancho/error.hpp"

namespace sancho {

namespace {

const std::string attribute = "sancho.request";

struct Connection {
  RequestGate gate{};
  trantor::RecvMessageCallback framework{};
  trantor::MsgBuffer given{};         // to the framework, and not yet read by it
  bool first = true;                  // request of this connection
  std::atomic<bool> upgraded{false};  // what comes is no HTTP any more
};

// What a request is found to belong to.
struct Arrived {
  std::shared_ptr<const WireHead> head{};
  std::shared_ptr<Connection> connection{};
};

// The request whose bytes the framework is reading on this thread: it makes the
// request object while it reads, and shows it to the advice below.
thread_local const Arrived* arriving = nullptr;

struct Arriving {
  explicit Arriving(const Arrived& arrived) { arriving = &arrived; }
  ~Arriving() { arriving = nullptr; }
};

// Who would have read the connection's bytes.
struct Reader : trantor::TcpConnection {
  static const trantor::RecvMessageCallback& of(const trantor::TcpConnection& connection) {
    return connection.*&Reader::recvMsgCallback_;
  }
};

void refuse(const Connection& connection, const trantor::TcpConnectionPtr& tcp) {
  // An answer to an earlier request may be under way, and this one must not be taken for it.
  if (connection.first)
    tcp->send(connection.gate.refusal() == 431
                  ? "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                  : "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  tcp->shutdown();
}

void pass_on(const std::shared_ptr<Connection>& connection, const trantor::TcpConnectionPtr& tcp,
             trantor::MsgBuffer* came) {
  auto& [gate, framework, given, first, upgraded] = *connection;
  if (upgraded) return framework(tcp, came);
  if (gate.refusal() != 0) return came->retrieveAll();
  gate.receive({came->peek(), came->readableBytes()});
  came->retrieveAll();
  for (auto part = gate.next(); !part.empty(); part = gate.next()) {
    given.append(part.data(), part.size());
    {
      const Arrived arrived{gate.head(), connection};
      const Arriving here(arrived);
      framework(tcp, &given);
    }
    first = first && !gate.at_end();
    if (upgraded) break;
    // It has found another end than we have: nobody knows where the next request begins.
    if (gate.at_end() && given.readableBytes() > 0) return tcp->forceClose();
  }
  if (upgraded) {
    const auto rest = gate.release();
    given.append(rest.data(), rest.size());
    if (given.readableBytes() > 0) framework(tcp, &given);
  } else if (gate.refusal() != 0)
    refuse(*connection, tcp);
}

void stand_before(const trantor::TcpConnectionPtr& tcp) {
  const auto connection = std::make_shared<Connection>();
  connection->framework = Reader::of(*tcp);
  tcp->setRecvMsgCallback([connection](const trantor::TcpConnectionPtr& from, trantor::MsgBuffer* came) {
    pass_on(connection, from, came);
  });
}

}  // namespace

void drogon_gate(std::function<void(const trantor::TcpConnectionPtr&)> also) {
  static std::once_flag once;
  std::call_once(once, [&] {
    auto& app = drogon::app();
    app.setConnectionCallback([also = std::move(also)](const trantor::TcpConnectionPtr& tcp) {
      if (tcp->connected()) stand_before(tcp);
      if (also) also(tcp);
    });
    app.registerSyncAdvice([](const drogon::HttpRequestPtr& request) {
      if (arriving) request->attributes()->insert(attribute, *arriving);
      return drogon::HttpResponsePtr();
    });
    app.registerPreSendingAdvice([](const drogon::HttpRequestPtr& request, const drogon::HttpResponsePtr& response) {
      if (response->statusCode() != drogon::k101SwitchingProtocols) return;
      detail::put_handshake_lines(request, *response);
      if (const auto& found = request->attributes()->get<Arrived>(attribute); found.connection)
        found.connection->upgraded = true;
    });
  });
}

std::shared_ptr<const WireHead> detail::drogon_head(const drogon::HttpRequestPtr& request) {
  const auto& found = request->attributes()->get<Arrived>(attribute);
  if (!found.head)
    throw UsageError(
        "sessions need the head as it came: no drogon_gate stands before this listener, or another connection callback "
        "has taken its place");
  return found.head;
}

}  // namespace sancho
