// The asynchronous store, on a loop of its own with one thread.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>

#include "open.hpp"
#include "sancho/async/blocking.hpp"
#include "sancho/async/redis.hpp"
#include "sancho/decorators/decorated.hpp"

namespace sancho::test {

namespace {

namespace asio = boost::asio;

std::shared_ptr<SessionStore> waited(const RedisOptions& options, asio::thread_pool& loop) {
  auto opened = asio::co_spawn(loop, open_async_redis_store(options), asio::use_future);
  return blocking(opened.get(), loop.get_executor());
}

// The loop is gone before the store is: that has to be right, too.
class WithItsLoop final : public Decorated<WithItsLoop> {
 public:
  WithItsLoop(const RedisOptions& options, std::unique_ptr<asio::thread_pool> loop)
      : Decorated(waited(options, *loop)), loop_(std::move(loop)) {}
  template <class Call>
  auto through(StoreVerb, Deadline deadline, Call call) {
    return call(deadline);
  }

 private:
  std::unique_ptr<asio::thread_pool> loop_;
};

}  // namespace

std::unique_ptr<SessionStore> open_redis(const RedisOptions& options) {
  return std::make_unique<WithItsLoop>(options, std::make_unique<asio::thread_pool>(1));
}

}  // namespace sancho::test
