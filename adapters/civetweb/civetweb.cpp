#include "sancho/adapters/civetweb.hpp"

#include <algorithm>
#include <array>

#include "sancho/error.hpp"
#include "sancho/form.hpp"

namespace sancho {

namespace {

// Of a head with more lines than CivetWeb has room for, the rest is dropped
// without a word: a second session cookie, say, that makes two of one.
bool is_whole(const mg_request_info& info) { return info.num_headers < MG_MAX_HEADERS; }

// Two readers of one connection must not differ on where a body ends, and
// CivetWeb takes the first of two lengths, and a length that is no number for 0.
bool ends_for_certain(const mg_request_info& info) {
  int lengths = 0, codings = 0;
  for (int i = 0; i < info.num_headers; ++i) {
    const auto& [name, value] = info.http_headers[i];
    codings += same_header(name, "Transfer-Encoding");
    if (!same_header(name, "Content-Length")) continue;
    const std::string_view digits = value;
    if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return false;
    ++lengths;
  }
  return lengths + codings <= 1;
}

// 0, or the status of the answer in place of the handler's.
int read_body(mg_connection* connection, const mg_request_info& info, std::size_t most, std::string& body) {
  if (info.content_length >= 0 && static_cast<unsigned long long>(info.content_length) > most) return 413;
  std::array<char, 8192> piece;
  for (;;) {
    const int n = mg_read(connection, piece.data(), piece.size());
    if (n < 0) return 400;
    if (n == 0) break;
    body.append(piece.data(), static_cast<std::size_t>(n));
    if (body.size() > most) return 413;
  }
  const bool whole = info.content_length < 0 || body.size() == static_cast<unsigned long long>(info.content_length);
  return whole ? 0 : 400;
}

void plain(Response& response, int status) {
  response = {};
  response.status = status;
  response.text(status == 500 ? plain_text(500) : reason(status));
}

void send_head(mg_connection* connection, const Response& response, const HeaderLine& framing) {
  mg_response_header_start(connection, response.status);
  const auto add = [&](const HeaderLine& line) {
    mg_response_header_add(connection, line.name.c_str(), line.value.data(), static_cast<int>(line.value.size()));
  };
  for (const auto& line : response.lines()) add(line);
  if (!framing.name.empty()) add(framing);
  mg_response_header_send(connection);
}

bool send_all(mg_connection* connection, std::string_view text) {
  return text.empty() || mg_write(connection, text.data(), text.size()) == static_cast<int>(text.size());
}

std::string gathered(const std::function<void(const Response::Send&)>& stream) {
  std::string whole;
  stream([&](std::string_view piece) { return whole += piece, true; });
  return whole;
}

void send(mg_connection* connection, const mg_request_info& info, Response& response) {
  const bool body = std::string_view(info.request_method) != "HEAD" && response.status >= 200 &&
                    response.status != 204 && response.status != 304;
  const bool chunks = info.http_version && std::string_view(info.http_version) == "1.1";
  if (response.stream && body && chunks) {
    send_head(connection, response, {"Transfer-Encoding", "chunked"});
    response.stream([&](std::string_view piece) {
      return piece.empty() || mg_send_chunk(connection, piece.data(), static_cast<unsigned>(piece.size())) >= 0;
    });
    mg_send_chunk(connection, "", 0);
    return;
  }
  if (response.stream && body)  // HTTP/1.0 has no chunks
    response.body = gathered(response.stream);
  send_head(connection, response,
            body ? HeaderLine{"Content-Length", std::to_string(response.body.size())} : HeaderLine{});
  if (body) send_all(connection, response.body);
}

}  // namespace

CivetwebRequest::CivetwebRequest(mg_connection* connection, std::string body)
    : info_(mg_get_request_info(connection)), body_(std::move(body)) {}

std::optional<std::string> CivetwebRequest::field(std::string_view name) const {
  if (auto found = form_field(query(), name)) return found;
  for (int i = 0; i < info_->num_headers; ++i)
    if (same_header(info_->http_headers[i].name, "Content-Type"))
      return is_form(info_->http_headers[i].value) ? form_field(body_, name) : std::nullopt;
  return std::nullopt;
}

void detail::collect(const mg_request_info& info, RequestHead& head) {
  for (int i = 0; i < info.num_headers; ++i) head.add(info.http_headers[i].name, info.http_headers[i].value);
}

void detail::check_room(const Response& response) {
  constexpr std::size_t ours = 14;  // the session's, the framing, and what CivetWeb adds
  if (response.lines().size() > MG_MAX_HEADERS - ours)
    throw UsageError("rule broken: a response has more lines than CivetWeb has room for");
}

int detail::serve_civetweb(mg_connection* connection, void* data) noexcept {
  const auto& route = *static_cast<const CivetwebRoute*>(data);
  const auto& info = *mg_get_request_info(connection);
  Response response;
  try {
    std::string body;
    const int refused = !is_whole(info)           ? 431
                        : !ends_for_certain(info) ? 400
                                                  : read_body(connection, info, route.max_body, body);
    if (refused != 0) {
      plain(response, refused);
      // What is left of the request is not the beginning of another.
      mg_disable_connection_keep_alive(connection);
    } else
      route.handler(CivetwebRequest(connection, std::move(body)), response);
    send(connection, info, response);
  } catch (...) {  // no memory, or a stream that threw: the answer ends where it is
    mg_disable_connection_keep_alive(connection);
    return 500;
  }
  return response.status;
}

}  // namespace sancho
