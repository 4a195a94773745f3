// The site's handler for CGI and FastCGI.
#pragma once

#include "put.hpp"
#include "sancho/adapters/cgi.hpp"

namespace site {

inline sancho::CgiHandler handler(Manager& manager) {
  return sancho::CgiSessions(manager).wrap(
      [&](Scope& scope, const sancho::CgiRequest& request, sancho::Response& response) {
        const auto path = request.path();
        const Asked asked{.method = request.method(), .path = path, .query = request.query(), .body = request.body()};
        put(visit(manager, scope, asked), response);
      });
}

}  // namespace site
