// What the two sites behind Beast have in common.
#pragma once

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "site.hpp"

namespace sancho::bench {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using HttpRequest = http::request<http::string_body>;
using HttpResponse = http::response<http::string_body>;

inline std::string_view target_of(const HttpRequest& request) {
  return {request.target().data(), request.target().size()};
}

inline HttpResponse response_of(const std::optional<std::string>& page) {
  HttpResponse response(page ? http::status::ok : http::status::not_found, 11, page.value_or(""));
  response.set(http::field::content_type, "text/plain");
  return response;
}

// Without sessions nobody else does this.
inline HttpResponse finished(HttpResponse response, const HttpRequest& request) {
  response.keep_alive(request.keep_alive());
  response.prepare_payload();
  return response;
}

inline tcp::acceptor listen(asio::io_context& loop, unsigned short port) {
  return {loop, {asio::ip::make_address("127.0.0.1"), port}};
}

}  // namespace sancho::bench
