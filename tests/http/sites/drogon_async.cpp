// The site behind Drogon, with coroutines on its event loop.
#include "sancho/adapters/drogon_async.hpp"

#include "coroutines.hpp"
#include "drogon.hpp"

namespace {

void serve(const site::Options& options) {
  boost::asio::thread_pool threads(4);
  const auto manager = site::make_manager(options, threads);
  sancho::AsyncDrogonSessions sessions(*manager, threads.get_executor());
  site::run(sessions.wrap(
      [&](site::AsyncScope& scope, drogon::HttpRequestPtr request) -> drogon::Task<drogon::HttpResponsePtr> {
        auto visiting = site::visit(*manager, scope, site::asked(request));
        const auto page = co_await sessions.await(std::move(visiting));
        co_return site::response_of(page);
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
