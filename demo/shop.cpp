#include "shop.hpp"

#include <algorithm>

#include "answers.hpp"
#include "layout.hpp"
#include "pages.hpp"

namespace demo {

namespace {

using httplib::Request;
using httplib::Response;
using Scope = sancho::RequestScope<ShopSession>;

// ## Looking around

void front(ShopSession& session, const Request&, Response& res) {
  // A stranger who only looks leaves nothing behind.
  if (session.has_info()) ++session.visits;
  show(res, shop_page(session));
}

void show_product(ShopSession& session, const Request& req, Response& res) {
  const auto* product = find_product(req.matches[1].str());
  if (product) return show(res, product_page(session, *product));
  show(res, trouble_page("Not on our shelves", "We do not sell that."), 404);
}

// ## The cart

void put_into_cart(ShopSession& session, const Request& req, Response& res, bool add) {
  if (!is_ours(session, req, res)) return;
  const auto* product = find_product(req.get_param_value("sku"));
  const int quantity = number(req.get_param_value("quantity"), 0, 99, -1);
  if (!product || quantity < 0) return show(res, trouble_page("That cannot be ordered", "Choose a quantity from 0 to 99."), 422);
  auto& in_cart = session.cart.edit().quantities;
  auto& wanted = in_cart[product->sku];
  wanted = std::min(99, add ? wanted + quantity : quantity);
  if (wanted == 0) in_cart.erase(product->sku);
  if (in_cart.empty()) session.cart.erase();
  session.flash(add ? product->name + ": in your cart." : "Your cart is changed.");
  go_to(res, "/cart");
}

// ## Ordering

void show_order_form(ShopSession& session, const Request&, Response& res) {
  if (!session.user()) return go_to(res, "/login?next=order");
  if (session.pieces() == 0) return go_to(res, "/cart");
  show(res, order_page(session, session.create_form_token()));
}

Order make_order(const ShopSession& session, const std::string& id, const std::string& address, sancho::Time now) {
  Order order{.id = id, .address = address, .placed = now};
  for (const auto& [sku, quantity] : session.cart->quantities)
    if (const auto* product = find_product(sku)) order.cents += product->cents * quantity, order.pieces += quantity;
  return order;
}

void order(ShopSession& session, const Request& req, Response& res, sancho::Time now) {
  if (!session.user()) return go_to(res, "/login?next=order");
  if (!is_ours(session, req, res)) return;
  const auto token = req.get_param_value("form_token");
  const auto address = req.get_param_value("address");
  if (session.has_form_token(token) && (address.empty() || address.size() > 200))
    return show(res, order_page(session, token, address, "Please say where to, in at most 200 characters."), 422);
  // The one moment at which it is decided who orders: in the store, and for all
  // tabs, threads and processes.
  const auto claim = session.consume_form_token(token);
  if (!claim) return show(res, ordered_before_page(session), 409);
  session.orders.edit().push_back(make_order(session, claim->id(), address, now));
  session.cart.erase();
  session.flash("Thank you! Your order is " + claim->id() + ".");
  go_to(res, "/orders");
}

void show_orders(ShopSession& session, const Request&, Response& res) {
  if (!session.user()) return go_to(res, "/login?next=orders");
  show(res, orders_page(session));
}

// ## Logging in and out

// Only these: an address out of a request could lead anywhere.
std::string after_login(const std::string& next) {
  return next == "order" || next == "orders" || next == "devices" ? "/" + next : "/";
}

void show_login(ShopSession& session, const Request& req, Response& res) {
  if (session.user()) return go_to(res, "/");
  show(res, login_page(session, req.get_param_value("next")));
}

void log_out(Scope& scope, const Request& req, Response& res) {
  if (!scope->user()) return go_to(res, "/");
  if (!is_ours(*scope, req, res)) return;
  scope.expire_session();
  show(res, goodbye_page());
}

void only_post(const Request&, Response& res) {
  res.set_header("Allow", "POST");
  show(res, trouble_page("Not this way", "This address only answers to its form."), 405);
}

// ## Where am I logged in

void end_device(Scope& scope, const Request& req, Response& res) {
  if (!is_ours(*scope, req, res)) return;
  const auto handle = sancho::Handle::parse(req.get_param_value("handle"));
  const bool ended = handle && *handle != scope->id() && scope.end_session(*handle);
  scope->flash(ended ? "That device is logged out." : "That device was not logged in any more.");
  go_to(res, "/devices");
}

void end_others(Scope& scope, const Request& req, Response& res) {
  if (!is_ours(*scope, req, res)) return;
  const auto ended = scope.end_other_sessions();
  scope->flash(ended == 1 ? "One other device is logged out." : std::to_string(ended) + " other devices are logged out.");
  go_to(res, "/devices");
}

void styles(const Request&, Response& res) {
  res.set_header("Cache-Control", "public, max-age=86400");
  res.set_content(std::string(style_sheet), "text/css; charset=utf-8");
}

}  // namespace

Shop::Shop(sancho::SessionManager<ShopSession>& manager)
    : manager_(manager),
      by_account_(manager.store(), {.attempts = 5, .name_space = "shop log-ins by account"}, manager.clock()),
      by_address_(manager.store(), {.attempts = 50, .name_space = "shop log-ins by address"}, manager.clock()) {}

void Shop::log_in(Scope& scope, const Request& req, Response& res) {
  auto& session = *scope;
  const auto name = req.get_param_value("name");
  const auto next = req.get_param_value("next");
  const auto again = [&](const char* problem, int status) { show(res, login_page(session, next, name, problem), status); };
  if (!session.check_csrf_token(req.get_param_value("csrf"), req.path))
    return again("This form was too old; please try once more.", 403);
  // Counted before the password is looked at; and an address that has had its
  // tries counts against no account any more.
  auto wait = by_address_.attempt(scope.remote_address());
  if (!wait) wait = by_account_.attempt(name);
  if (wait) {
    res.set_header("Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(*wait).count()));
    return again("Too many tries. Please wait a quarter of an hour.", 429);
  }
  // Should all of this customer's sessions be ended meanwhile, this one is not let in.
  scope.begin_login(name);
  const auto customer = demo::log_in(name, req.get_param_value("password"));
  if (!customer) return again("That name and password do not go together.", 401);
  by_account_.forgive(name);
  session.set_user(*customer);
  session.keep_logged_in(req.get_param_value("keep") == "yes");
  session.flash("Good to see you, " + customer->full_name + ".");
  go_to(res, after_login(next));
}

void Shop::show_devices(Scope& scope, Response& res) {
  if (!scope->user()) return go_to(res, "/login?next=devices");
  show(res, devices_page(*scope, scope.sessions(), manager_.clock().now()));
}

void Shop::open(sancho::HttplibServer& server) {
  const sancho::HttplibSessions sessions(manager_, show_trouble);
  server.Get("/style.css", styles);
  server.Get("/", sessions.wrap(front));
  server.Get(R"(/product/([a-z]+))", sessions.wrap(show_product));
  server.Get("/cart", sessions.wrap([](ShopSession& s, const Request&, Response& res) { show(res, cart_page(s)); }));
  server.Post("/cart/add", sessions.wrap([](ShopSession& s, const Request& req, Response& res) { put_into_cart(s, req, res, true); }));
  server.Post("/cart/update", sessions.wrap([](ShopSession& s, const Request& req, Response& res) { put_into_cart(s, req, res, false); }));
  server.Get("/order", sessions.wrap(show_order_form));
  server.Post("/order", sessions.wrap([this](ShopSession& s, const Request& req, Response& res) { order(s, req, res, manager_.clock().now()); }));
  server.Get("/orders", sessions.wrap(show_orders));
  server.Get("/login", sessions.wrap(show_login));
  server.Post("/login", sessions.wrap([this](Scope& s, const Request& req, Response& res) { log_in(s, req, res); }));
  server.Post("/logout", sessions.wrap(log_out));
  server.Get("/devices", sessions.wrap([this](Scope& s, const Request&, Response& res) { show_devices(s, res); }));
  server.Post("/devices/end", sessions.wrap(end_device));
  server.Post("/devices/end-others", sessions.wrap(end_others));
  for (const auto* path : {"/logout", "/cart/add", "/cart/update", "/devices/end", "/devices/end-others"}) server.Get(path, only_post);
  server.set_error_handler([](const Request&, Response& res) {
    if (res.body.empty() && res.status == 404) show(res, trouble_page("No such page", "There is nothing at this address."), 404);
  });
}

}  // namespace demo
