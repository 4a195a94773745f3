#include "sancho/adapters/restinio.hpp"

#include <future>

#include "sancho/form.hpp"
#include "sancho/raw_request.hpp"

namespace sancho {

namespace {

// RESTinio's parser takes names with blanks in them, control characters, and
// more than one length; nobody can tell what others make of such a head, and
// where its body ends. And it takes a request line without a version, which has
// no `Host` with it (RFC 9112, section 3.2, asks for one).
bool is_clean(const restinio::http_request_header_t& header) {
  std::string text = "GET / HTTP/1.1\r\n";
  int hosts = 0;
  header.for_each_field([&](const restinio::http_header_field_t& field) {
    text += field.name() + ": " + field.value() + "\r\n";
    hosts += same_header(field.name(), "Host");
  });
  RawHead head;
  return head.feed(text += "\r\n") == text.size() && head.framing().certain && hosts == 1;
}

void plain(Response& response, int status) {
  response = {};
  response.status = status;
  response.text(status == 500 ? plain_text(500) : reason(status));
}

template <class Output>
auto begin(const restinio::request_handle_t& request, const Response& response) {
  auto out =
      request->create_response<Output>({restinio::http_status_code_t(static_cast<std::uint16_t>(response.status)),
                                        std::string(reason(response.status))});
  for (const auto& [name, value] : response.lines()) out.append_header(name, value);
  return out;
}

// Each piece is waited for: whoever streams is no faster than who listens.
void send_stream(const restinio::request_handle_t& request, const Response& response, std::chrono::seconds patience) {
  auto out = begin<restinio::chunked_output_t>(request, response);
  const auto flush = [&] {
    const auto sent = std::make_shared<std::promise<bool>>();
    auto done = sent->get_future();
    out.flush([sent](const restinio::asio_ns::error_code& error) { sent->set_value(!error); });
    return done.wait_for(patience) == std::future_status::ready && done.get();
  };
  if (!flush()) return;
  response.stream([&](std::string_view piece) {
    if (piece.empty()) return true;
    out.append_chunk(std::string(piece));
    return flush();
  });
  out.done();
}

void send(const restinio::request_handle_t& request, Response& response, bool last, std::chrono::seconds patience) {
  const auto& header = request->header();
  const bool body = response.status >= 200 && response.status != 204 && response.status != 304;
  const bool head = header.method() == restinio::http_method_head();
  // RESTinio does not tell HTTP/1.0, which has no chunks; but it keeps no connection
  // open, unless asked for.
  const bool chunks = header.should_keep_alive();
  if (response.stream && body && !head && chunks) return send_stream(request, response, patience);
  if (response.stream && body && !head)
    response.stream([whole = &(response.body = {})](std::string_view piece) { return *whole += piece, true; });
  auto out = begin<restinio::user_controlled_output_t>(request, response);
  if (last) out.connection_close();
  if (body) out.set_content_length(response.body.size());
  if (body && !head) out.set_body(std::move(response.body));
  out.done();
}

std::string address_of(const restinio::request_handle_t& request) {
  return request->remote_endpoint().address().to_string();
}

}  // namespace

std::string_view RestinioRequest::path() const {
  const auto path = request_->header().path();
  return {path.data(), path.size()};
}

std::string_view RestinioRequest::query() const {
  const auto query = request_->header().query();
  return {query.data(), query.size()};
}

std::optional<std::string> RestinioRequest::field(std::string_view name) const {
  if (auto found = form_field(query(), name)) return found;
  const auto* type = request_->header().try_get_field(restinio::http_field::content_type);
  return type && is_form(*type) ? form_field(body(), name) : std::nullopt;
}

void detail::serve_restinio(const RestinioRoute& route, const restinio::request_handle_t& request) noexcept try {
  const auto& header = request->header();
  Response response;
  const int refused = !is_clean(header) ? 400 : request->body().size() > route.options.max_body ? 413 : 0;
  if (refused == 0) {
    const auto peer = address_of(request);
    const std::string method = header.method().c_str();
    RequestHead head(route.policy, method, peer);
    header.for_each_field([&](const restinio::http_header_field_t& field) { head.add(field.name(), field.value()); });
    route.run(head, RestinioRequest(*request), response);
  } else
    plain(response, refused);
  send(request, response, refused != 0, route.options.patience);
} catch (...) {  // no memory, or a stream that threw: RESTinio closes a connection that got no whole answer
}

}  // namespace sancho
