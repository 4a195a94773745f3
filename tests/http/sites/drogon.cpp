// The site behind Drogon.
#include "drogon.hpp"

namespace {

void serve(const site::Options& options) {
  const auto manager = site::make_manager(options);
  sancho::DrogonSessions sessions(*manager, {.threads = 32});
  site::run(sessions.wrap([&](site::Scope& scope, const drogon::HttpRequestPtr& request) {
    return site::response_of(site::visit(*manager, scope, site::asked(request)));
  }));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    serve(site::Options(argc, argv));
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
