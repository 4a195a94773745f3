// # The shop
//
// What each address does. All that changes something is a POST with the
// session's CSRF token, and answers with a redirect, so that a reload repeats
// nothing.
#pragma once

#include "sancho/adapters/httplib.hpp"
#include "sancho/throttle.hpp"
#include "session.hpp"

namespace demo {

class Shop {
 public:
  // The manager must outlive the shop, and the shop the server.
  explicit Shop(sancho::SessionManager<ShopSession>& manager);
  void open(sancho::HttplibServer& server);

 private:
  using Scope = sancho::RequestScope<ShopSession>;

  void log_in(Scope& scope, const httplib::Request& req, httplib::Response& res);
  void show_devices(Scope& scope, httplib::Response& res);

  sancho::SessionManager<ShopSession>& manager_;
  sancho::Throttle by_account_, by_address_;
};

}  // namespace demo
