// The cart, and what comes of it.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "html.hpp"
#include "layout.hpp"
#include "pages.hpp"

namespace demo {

namespace {

struct Line {
  const Product* product;
  int quantity;
  std::int64_t cents() const { return product->cents * quantity; }
};

// What is no longer sold is passed over.
std::vector<Line> lines(const ShopSession& session) {
  std::vector<Line> out;
  for (const auto& [sku, quantity] : session.cart->quantities)
    if (const auto* product = find_product(sku)) out.push_back({product, quantity});
  return out;
}

std::string cart_row(ShopSession& session, const Line& line, bool editable) {
  const auto id = "quantity-" + line.product->sku;
  const auto change = fmt::format(R"(<label class="for-readers" for="{0}">Quantity of {1}</label>)"
                                  R"(<input id="{0}" name="quantity" type="number" min="0" max="99" value="{2}" required>)"
                                  R"(<button class="quiet">Update<span class="for-readers"> {1}</span></button>)",
                                  escape(id), escape(line.product->name), line.quantity);
  return fmt::format(R"(<tr><th scope="row">{}</th><td>{}</td><td class="number">{}</td></tr>)", escape(line.product->name),
                     editable ? form("/cart/update", session.csrf_token("/cart/update"), hidden("sku", line.product->sku) + change, "line")
                              : std::to_string(line.quantity),
                     money(line.cents()));
}

std::string cart_table(ShopSession& session, bool editable) {
  std::string rows;
  std::int64_t cents = 0;
  for (const auto& line : lines(session)) {
    rows += cart_row(session, line, editable);
    cents += line.cents();
  }
  return fmt::format(R"(<table class="wide"><thead><tr><th scope="col">Article</th><th scope="col">Quantity</th><th scope="col" class="number">Price</th></tr></thead>)"
                     R"(<tbody>{}</tbody><tfoot><tr><th scope="row" colspan="2">Total</th><td class="number">{}</td></tr></tfoot></table>)",
                     rows, money(cents));
}

std::string order_row(const Order& order) {
  return fmt::format(R"(<tr><th scope="row"><code>{}</code></th><td>{:%Y-%m-%d %H:%M} UTC</td><td>{}</td><td class="number">{}</td><td class="number">{}</td></tr>)",
                     escape(order.id), fmt::gmtime(std::chrono::system_clock::to_time_t(order.placed)), escape(order.address),
                     order.pieces, money(order.cents));
}

}  // namespace

std::string cart_page(ShopSession& session) {
  if (session.pieces() == 0)
    return page(&session, "Cart",
                R"(<div class="narrow"><h1>Your cart</h1><p>There is nothing in it yet.</p>)"
                R"(<p><a class="button" href="/">To the shelves</a></p></div>)");
  return page(&session, "Cart",
              fmt::format(R"(<h1>Your cart</h1>{}<p class="actions"><a class="button" href="/order">Order</a></p>)", cart_table(session, true)));
}

std::string order_page(ShopSession& session, std::string_view form_token, std::string_view address, std::string_view problem) {
  const auto inside = problem_text(problem) + hidden("form_token", form_token) +
                      fmt::format(R"(<label for="address">Where to?</label>)"
                                  R"(<input id="address" name="address" autocomplete="street-address" maxlength="200" value="{}" required>)"
                                  R"(<button>Place the order</button>)",
                                  escape(address));
  return page(&session, "Order",
              fmt::format(R"(<h1>Order</h1>{}{}<p class="small">This form can be sent once. However often you press the button, one order comes of it.</p>)",
                          cart_table(session, false), form("/order", session.csrf_token("/order"), inside, "stack")));
}

std::string ordered_before_page(ShopSession& session) {
  std::string which;
  if (!session.orders->empty()) which = fmt::format(" Your last order is <code>{}</code>.", escape(session.orders->back().id));
  return page(&session, "Ordered before",
              fmt::format(R"(<div class="narrow"><h1>This form has been sent before</h1><p>Nothing was ordered a second time.{}</p>)"
                          R"(<p><a class="button" href="/orders">Your orders</a></p></div>)",
                          which));
}

std::string orders_page(ShopSession& session) {
  std::string rows;
  const auto& orders = *session.orders;
  for (auto order = orders.rbegin(); order != orders.rend(); ++order) rows += order_row(*order);
  if (rows.empty()) return page(&session, "Orders", R"(<div class="narrow"><h1>Your orders</h1><p>None yet.</p></div>)");
  return page(&session, "Orders",
              fmt::format(R"(<h1>Your orders</h1><table class="wide"><thead><tr><th scope="col">Order</th><th scope="col">Placed</th><th scope="col">Where to</th>)"
                          R"(<th scope="col" class="number">Pieces</th><th scope="col" class="number">Price</th></tr></thead><tbody>{}</tbody></table>)",
                          rows));
}

}  // namespace demo
