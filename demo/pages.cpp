#include "pages.hpp"

#include <fmt/format.h>

#include "html.hpp"
#include "layout.hpp"

namespace demo {

namespace {

std::string picture(const Product& product) {
  return fmt::format(R"(<svg class="picture" viewBox="0 0 120 120" aria-hidden="true" focusable="false">{}</svg>)", product.picture);
}

std::string card(const Product& product) {
  return fmt::format(R"(<li class="card">{}<h2><a href="/product/{}">{}</a></h2><p>{}</p><p class="price">{}</p></li>)",
                     picture(product), escape(product.sku), escape(product.name), escape(product.description),
                     money(product.cents));
}

std::string greeting(ShopSession& session) {
  const auto customer = session.customer();
  auto text = customer ? fmt::format("Welcome, {}.", escape(customer->full_name)) : std::string("Welcome, traveller.");
  if (session.visits.present())
    text += fmt::format(R"( <span class="visits">You have been here {} {}.</span>)", session.visits.value(),
                        session.visits.value() == 1 ? "time" : "times");
  return text;
}

}  // namespace

std::string shop_page(ShopSession& session) {
  std::string cards;
  for (const auto& product : catalogue()) cards += card(product);
  return page(&session, "Shop",
              fmt::format(R"(<section class="hero"><h1>Everything for the road</h1><p>{}</p></section>)"
                          R"(<ul class="cards">{}</ul>)",
                          greeting(session), cards));
}

std::string product_page(ShopSession& session, const Product& product) {
  const auto inside = hidden("sku", product.sku) +
                      R"(<label for="quantity">Quantity</label>)"
                      R"(<input id="quantity" name="quantity" type="number" min="1" max="99" value="1" required>)"
                      R"(<button>Add to cart</button>)";
  return page(&session, product.name,
              fmt::format(R"(<article class="product">{}<div><h1>{}</h1><p>{}</p><p class="price">{}</p>{}</div></article>)",
                          picture(product), escape(product.name), escape(product.description), money(product.cents),
                          form("/cart/add", session.csrf_token("/cart/add"), inside, "line")));
}

std::string goodbye_page() {
  return page(nullptr, "Goodbye",
              R"(<div class="narrow"><h1>Goodbye</h1><p>You are logged out, here and in every tab of this browser.</p>)"
              R"(<p><a class="button" href="/">Back to the shop</a></p></div>)");
}

std::string trouble_page(std::string_view title, std::string_view text) {
  return page(nullptr, title,
              fmt::format(R"(<div class="narrow"><h1>{}</h1><p>{}</p><p><a class="button" href="/">Back to the shop</a></p></div>)",
                          escape(title), escape(text)));
}

std::string login_page(ShopSession& session, std::string_view next, std::string_view name, std::string_view problem) {
  std::string known;
  for (const auto& hint : hints())
    known += fmt::format("<tr><td><code>{}</code></td><td><code>{}</code></td></tr>", escape(hint.name), escape(hint.password));
  const auto inside = problem_text(problem) + hidden("next", next) +
                      fmt::format(R"(<label for="name">Name</label>)"
                                  R"(<input id="name" name="name" autocomplete="username" value="{}" required>)"
                                  R"(<label for="password">Password</label>)"
                                  R"(<input id="password" name="password" type="password" autocomplete="current-password" required>)"
                                  R"(<div class="check"><input id="keep" name="keep" type="checkbox" value="yes">)"
                                  R"(<label for="keep">Keep me logged in on this device</label></div>)"
                                  R"(<button>Log in</button>)",
                                  escape(name));
  return page(&session, "Log in",
              fmt::format(R"(<div class="columns"><section><h1>Log in</h1>{}</section>)"
                          R"(<aside aria-labelledby="known"><h2 id="known">Who you can be</h2>)"
                          R"(<table><thead><tr><th scope="col">Name</th><th scope="col">Password</th></tr></thead>)"
                          R"(<tbody>{}</tbody></table></aside></div>)",
                          form("/login", session.csrf_token("/login"), inside, "stack"), known));
}

}  // namespace demo
