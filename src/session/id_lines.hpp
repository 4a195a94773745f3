// The id on its way in and out, in a cookie or in a header.
#pragma once

#include <chrono>
#include <optional>

#include "sancho/http.hpp"
#include "sancho/id.hpp"
#include "sancho/policy.hpp"

namespace sancho {

// What a request says of its session's id, as views into it.
struct Presented {
  std::optional<SessionId> id() const { return text ? SessionId::parse(*text) : std::nullopt; }

  std::optional<std::string_view> text{};
  const char* refused = nullptr;  // where there is no id: why, though something was there
  std::optional<std::string_view> pre_session{};  // the value of that cookie
};
// `pre_name`: the cookie for visitors who have none of that yet.
Presented presented(const Policy& policy, std::string_view pre_name, const Request& request);

// The line that tells the client its id, and the one that makes it forget it.
HeaderLine telling(const SessionId& id, const Transport& transport, const SetCookie& cookie,
                   std::optional<std::chrono::seconds> max_age);
HeaderLine forgetting(const Transport& transport, const SetCookie& cookie);
// By what the answers of one address differ.
HeaderLine varying(const Transport& transport);

}  // namespace sancho
