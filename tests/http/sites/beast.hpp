// What the two sites behind Beast have in common.
#pragma once

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "sancho/adapters/beast.hpp"
#include "site.hpp"

namespace site {

namespace http = boost::beast::http;
using Request = http::request<http::string_body>;
using Text = http::response<http::string_body>;
using Head = http::response<http::empty_body>;

inline Asked asked(const Request& request) {
  const auto method = request.method_string(), target = request.target();
  return asked({method.data(), method.size()}, {target.data(), target.size()}, request.body());
}

// A response with all of the page but its text.
template <class Response>
Response head_of(const Page& page) {
  Response response(static_cast<http::status>(page.status), 11);
  response.set(http::field::content_type, "text/plain");
  for (const auto& [name, value] : page.lines) response.insert(name, value);
  if (!page.location.empty()) response.set(http::field::location, page.location);
  return response;
}

inline Text text_of(const Page& page) {
  auto response = head_of<Text>(page);
  response.body() = page.text;
  return response;
}

}  // namespace site
