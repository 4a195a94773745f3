// The asynchronous store, on a loop of its own with one thread.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include "database.hpp"
#include "sancho/async/blocking.hpp"
#include "sancho/async/postgresql.hpp"
#include "sancho/decorators/decorated.hpp"

namespace sancho::postgresql_test {

namespace {

namespace asio = boost::asio;

std::shared_ptr<SessionStore> waited(const std::string& uri, const PostgresqlOptions& options,
                                     asio::thread_pool& loop) {
  auto opened = asio::co_spawn(loop, open_async_postgresql_store(uri, options), asio::use_future);
  return blocking(opened.get(), loop.get_executor());
}

// The loop is gone before the store is: that has to be right, too.
class WithItsLoop final : public Decorated<WithItsLoop> {
 public:
  WithItsLoop(const std::string& uri, const PostgresqlOptions& options, std::unique_ptr<asio::thread_pool> loop)
      : Decorated(waited(uri, options, *loop)), loop_(std::move(loop)) {}
  template <class Call>
  auto through(StoreVerb, Deadline deadline, Call call) {
    return call(deadline);
  }

 private:
  std::unique_ptr<asio::thread_pool> loop_;
};

// An option of ours in the URI, which goes from it.
std::string take(std::string& uri, const std::string& name) {
  auto at = uri.find('?');
  while (at != uri.npos && uri.compare(at + 1, name.size() + 1, name + "=") != 0) at = uri.find('&', at + 1);
  if (at == uri.npos) return {};
  const auto begin = at + name.size() + 2, end = std::min(uri.find('&', begin), uri.size());
  const auto value = uri.substr(begin, end - begin);
  if (end == uri.size())
    uri.erase(at);
  else
    uri.erase(at + 1, end - at);
  return value;
}

}  // namespace

std::unique_ptr<SessionStore> open_under_test(const std::string& given) {
  auto uri = given;
  PostgresqlOptions options;
  options.name_space = take(uri, "namespace");
  options.synchronous_commit = take(uri, "synchronous_commit");
  options.standby_required = take(uri, "standby") == "required";
  if (const auto most = take(uri, "pool"); !most.empty()) options.connections = std::stoul(most);
  return open_under_test(uri, options);
}

std::unique_ptr<SessionStore> open_under_test(const std::string& uri, const PostgresqlOptions& options) {
  return std::make_unique<WithItsLoop>(uri, options, std::make_unique<asio::thread_pool>(1));
}

}  // namespace sancho::postgresql_test
