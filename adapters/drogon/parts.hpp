// What the adapter's files know of each other.
#pragma once

#include "sancho/adapters/drogon.hpp"

namespace sancho::detail {

void put_drogon_lines(const Answer& answer, drogon::HttpResponse& response);

// The lines of the handshake that let this request become a WebSocket, if one did.
void put_handshake_lines(const drogon::HttpRequestPtr& request, drogon::HttpResponse& response);

}  // namespace sancho::detail
