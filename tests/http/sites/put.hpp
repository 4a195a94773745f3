// A page of the site, put into a response that waits.
#pragma once

#include <thread>

#include "sancho/response.hpp"
#include "site.hpp"

namespace site {

inline void put(const Page& page, sancho::Response& response) {
  response.status = page.status;
  for (const auto& [name, value] : page.lines) response.add(name, value);
  if (!page.location.empty()) response.redirect(page.location, page.status);
  response.text(page.text, "text/plain");
  if (!page.in_pieces) return;
  response.stream = [pieces = pieces(page)](const sancho::Response::Send& send) {
    for (const auto& piece : pieces) {
      if (!send(piece)) return;
      std::this_thread::sleep_for(Page::pause);
    }
  };
}

}  // namespace site
