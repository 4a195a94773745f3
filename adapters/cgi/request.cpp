// A request in CGI's variables.
#include <algorithm>

#include "sancho/adapters/cgi.hpp"
#include "sancho/form.hpp"

namespace sancho {

namespace {

std::string_view value_of(std::string_view variable) { return variable.substr(variable.find('=') + 1); }

bool is(std::string_view variable, std::string_view name) {
  return variable.size() > name.size() && variable.starts_with(name) && variable[name.size()] == '=';
}

}  // namespace

CgiRequest::CgiRequest(const char* const* variables, std::string body)
    : variables_(variables), body_(std::move(body)) {}

std::string_view CgiRequest::variable(std::string_view name) const {
  for (auto v = variables_; *v; ++v)
    if (is(*v, name)) return value_of(*v);
  return {};
}

std::string CgiRequest::path() const { return std::string(variable("SCRIPT_NAME")).append(variable("PATH_INFO")); }

std::optional<std::string> CgiRequest::field(std::string_view name) const {
  if (auto found = form_field(query(), name)) return found;
  return is_form(variable("CONTENT_TYPE")) ? form_field(body_, name) : std::nullopt;
}

// A server may hand on several lines of one name as so many variables (nginx
// does), so all of them are looked at and not only the first.
void detail::collect(const CgiRequest& request, RequestHead& head) {
  constexpr std::string_view prefix = "HTTP_";
  head.add("Content-Type", request.variable("CONTENT_TYPE"));
  for (auto v = request.variables(); *v; ++v) {
    const std::string_view variable = *v;
    const auto equals = variable.find('=');
    if (!variable.starts_with(prefix) || equals == std::string_view::npos) continue;
    std::string name(variable.substr(prefix.size(), equals - prefix.size()));
    std::replace(name.begin(), name.end(), '_', '-');
    if (name != "CONTENT-TYPE") head.add(name, value_of(variable));
  }
}

bool detail::cgi_https(const CgiRequest& request) {
  const auto https = request.variable("HTTPS");
  return (!https.empty() && https != "off") || request.variable("REQUEST_SCHEME") == "https";
}

}  // namespace sancho
