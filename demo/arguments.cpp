#include "arguments.hpp"

#include <charconv>
#include <stdexcept>
#include <string_view>

#include "sancho/peer.hpp"

namespace demo {

const char* const usage =
    "usage: sancho_demo [--port N] [--host ADDRESS] [--threads N] [--store URI]\n"
    "                   [--behind-https-proxy] [--origin URL]\n"
    "\n"
    "  --port N              where to listen; 0 takes any port that is free (8080)\n"
    "  --host ADDRESS        on which address (127.0.0.1)\n"
    "  --threads N           how many connections are served at once (16)\n"
    "  --store URI           where sessions are kept: sqlite:PATH, dir:PATH, memory: (sqlite:shop.db)\n"
    "  --behind-https-proxy  a proxy on this machine does the TLS: the cookie is __Host-Http-sid,\n"
    "                        and the proxy's X-Forwarded-For and -Proto are believed\n"
    "  --origin URL          how browsers address the shop, as https://shop.example\n";

namespace {

int number(std::string_view name, std::string_view text, int least, int most) {
  int n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < least || n > most)
    throw std::invalid_argument(std::string(name) + " wants a number from " + std::to_string(least) + " to " + std::to_string(most));
  return n;
}

void check(const Arguments& a) {
  if (a.behind_https_proxy || a.host == "localhost" || sancho::is_loopback(a.host)) return;
  throw std::invalid_argument(
      "--host " + a.host + " is open to other machines, and without TLS whoever is on the way reads the cookie.\n"
      "Put a proxy that does TLS in front and add --behind-https-proxy, or stay on 127.0.0.1.");
}

}  // namespace

Arguments parse(int argc, const char* const* argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    std::string_view name = argv[i];
    const auto equals = name.find('=');
    const auto value = [&]() -> std::string_view {
      if (equals != std::string_view::npos) return std::string_view(argv[i]).substr(equals + 1);
      if (i + 1 == argc) throw std::invalid_argument(std::string(name) + " wants a value");
      return argv[++i];
    };
    name = name.substr(0, equals);
    if (name == "--port") a.port = number(name, value(), 0, 65535);
    else if (name == "--host") a.host = value();
    else if (name == "--threads") a.threads = number(name, value(), 1, 1024);
    else if (name == "--store") a.store = value();
    else if (name == "--origin") a.origin = value();
    else if (name == "--behind-https-proxy" && equals == std::string_view::npos) a.behind_https_proxy = true;
    else if (name == "--help" && equals == std::string_view::npos) a.help = true;
    else throw std::invalid_argument("unknown argument: " + std::string(argv[i]));
  }
  check(a);
  return a;
}

}  // namespace demo
