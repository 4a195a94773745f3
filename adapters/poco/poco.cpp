#include "sancho/adapters/poco.hpp"

#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/StreamSocket.h>

#include "connection.hpp"
#include "sancho/error.hpp"
#include "sancho/form.hpp"

namespace sancho {

namespace {

// The connection under a request, which must be ours.
PocoConnection& connection_of(Poco::Net::HTTPServerRequest& request) {
  auto* const impl = dynamic_cast<Poco::Net::HTTPServerRequestImpl*>(&request);
  auto* const connection = impl ? dynamic_cast<PocoConnection*>(impl->socket().impl()) : nullptr;
  if (!connection)
    throw UsageError("sessions need a sancho::PocoServerSocket: POCO decodes header values, which forges cookies");
  return *connection;
}

// What POCO has read, and what came, are of one request: else it took something
// of the head for its end.
bool is_same(const Poco::Net::HTTPServerRequest& request, const PocoConnection& connection) {
  return connection.framing().certain && request.size() == connection.head().lines().size();
}

void plain(Response& response, int status) {
  response = {};
  response.status = status;
  response.text(status == 500 ? plain_text(500) : reason(status));
}

std::string gathered(const std::function<void(const Response::Send&)>& stream) {
  std::string whole;
  stream([&](std::string_view piece) { return whole += piece, true; });
  return whole;
}

void end(Poco::Net::HTTPServerRequest& request) {
  dynamic_cast<Poco::Net::HTTPServerRequestImpl&>(request).socket().shutdown();
}

void write(std::ostream& out, std::string_view text) {
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

void send(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& out, Response& response) {
  const bool body = response.status >= 200 && response.status != 204 && response.status != 304;
  const bool chunks = body && response.stream && request.getVersion() == Poco::Net::HTTPMessage::HTTP_1_1;
  out.setStatus(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(response.status));
  out.setReason(std::string(reason(response.status)));
  for (const auto& [name, value] : response.lines()) out.add(name, value);
  if (chunks) {
    out.setChunkedTransferEncoding(true);
    auto& stream = out.send();
    if (request.getMethod() == Poco::Net::HTTPRequest::HTTP_HEAD) return;
    try {
      response.stream([&](std::string_view piece) {
        write(stream, piece);
        stream.flush();
        return stream.good();
      });
    } catch (...) {  // the answer ends where it is, and POCO must not write its last chunk
      end(request);
      throw;
    }
    return;
  }
  // HTTP/1.0 has no chunks.
  if (body && response.stream) response.body = gathered(response.stream);
  if (body) out.setContentLength64(static_cast<Poco::Int64>(response.body.size()));
  auto& stream = out.send();
  if (body) write(stream, response.body);
}

}  // namespace

PocoRequest::PocoRequest(const Poco::Net::HTTPServerRequest& request, std::string body)
    : request_(&request), body_(std::move(body)) {}

std::string_view PocoRequest::path() const {
  const std::string_view target = request_->getURI();
  return target.substr(0, target.find('?'));
}

std::string_view PocoRequest::query() const {
  const std::string_view target = request_->getURI();
  const auto mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

std::optional<std::string> PocoRequest::field(std::string_view name) const {
  if (auto found = form_field(query(), name)) return found;
  return is_form(request_->get("Content-Type", "")) ? form_field(body_, name) : std::nullopt;
}

void detail::PocoHandler::handleRequest(Poco::Net::HTTPServerRequest& request, Poco::Net::HTTPServerResponse& out) {
  Response response;
  try {
    auto& connection = connection_of(request);
    const auto peer = request.clientAddress().host().toString();
    RequestHead head(policy_, request.getMethod(), peer, request.secure());
    std::string body;
    const int refused = is_same(request, connection) ? connection.read_body(max_body_, body) : 400;
    if (refused == 0) {
      connection.head().add_to(head);
      run_(head, PocoRequest(request, std::move(body)), response);
    } else {
      out.setKeepAlive(false);
      plain(response, refused);
    }
  } catch (const UsageError&) {
    plain(response, 500);
    send(request, out, response);
    throw;  // POCO's error handler tells whoever writes the program
  }
  send(request, out, response);
}

}  // namespace sancho
