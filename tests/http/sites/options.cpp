// How the programs are started, and what their manager is made of.
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "sancho/decorators/decorated.hpp"
#include "sancho/open_store.hpp"
#include "site.hpp"

namespace site {

namespace {

// Fails while a file is there, so that whoever runs the program, or the many
// programs of a CGI host, can put its store out of order. Or is slow, once.
class Switched final : public sancho::Decorated<Switched> {
 public:
  Switched(std::shared_ptr<sancho::SessionStore> inner, std::string file)
      : Decorated(std::move(inner)), file_(std::move(file)) {}

  template <class Call>
  auto through(sancho::StoreVerb verb, sancho::Deadline deadline, Call call) {
    std::string what;
    if (std::ifstream(file_) >> what && what == "slow") {
      if (std::filesystem::remove(file_)) std::this_thread::sleep_for(Options::slow_call);
    } else if (!what.empty() && (what != "writes" || sancho::writes(verb)))
      throw sancho::StoreError(sancho::Trouble::unavailable, "this store is down for a test");
    return call(deadline);
  }

 private:
  std::string file_;
};

int number(std::string_view text) {
  int n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < 0)
    throw std::invalid_argument("no number: " + std::string(text));
  return n;
}

sancho::Transport transport(std::string_view which) {
  if (which == "bearer") return sancho::Transport::bearer();
  if (which == "header") return sancho::Transport::header("Shop-Session");
  if (which == "cookie") return sancho::Transport::cookie();
  throw std::invalid_argument("no transport: " + std::string(which));
}

}  // namespace

Options::Options(int argc, char** argv) {
  policy.name_space = "site";
  // Known to all processes that serve the site.
  policy.pre_session_keys.emplace_back().fill(std::byte{7});
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--json-only") {
      policy.json_only = true;
      continue;
    }
    if (i + 1 == argc) throw std::invalid_argument(std::string(name) + " wants a value");
    const std::string value = argv[++i];
    if (name == "--port")
      port = number(value);
    else if (name == "--socket")
      socket = value;
    else if (name == "--store")
      store = value;
    else if (name == "--down")
      down = value;
    else if (name == "--transport")
      policy.transport = transport(value);
    else if (name == "--trust")
      policy.proxies.trusted = {value};
    else if (name == "--idle") {
      policy.limits.idle = std::chrono::milliseconds(number(value));
      policy.access_time_resolution = policy.limits.idle / 10;
      policy.store_timeout = policy.limits.idle / 4;  // no longer would do
    } else if (name == "--renewal")
      policy.renewal = std::chrono::milliseconds(number(value));
    else
      throw std::invalid_argument("unknown option " + std::string(name));
  }
}

void tell_port(int port) {
  std::printf("port %d\n", port);
  std::fflush(stdout);
}

std::shared_ptr<sancho::SessionStore> make_store(const Options& options) {
  std::shared_ptr<sancho::SessionStore> store = sancho::open_store(options.store);
  if (!options.down.empty()) store = std::make_shared<Switched>(std::move(store), options.down);
  return store;
}

std::unique_ptr<Manager> make_manager(const Options& options) {
  return std::make_unique<Manager>(make_store(options), options.policy);
}

}  // namespace site
