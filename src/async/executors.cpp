#include "async/executors.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <utility>

namespace sancho::coro {

namespace asio = boost::asio;

namespace {

using Here = std::optional<bool>;

template <class Executor>
Here here(const Executor& executor) {
  return executor.running_in_this_thread();
}
// A strand is run by the threads of what is inside.
template <class Inner>
Here here(const asio::strand<Inner>& strand) {
  return runs_here(strand.get_inner_executor());
}

template <class Executor>
bool is(const asio::any_io_executor& executor, Here& answer) {
  const auto* known = executor.target<Executor>();
  if (known) answer = here(*known);
  return known;
}

// The same executor is of another type for each set of properties it was asked
// for (work is tracked, it never blocks, ...).
template <std::size_t... bits>
bool is_one_of_asios(const asio::any_io_executor& executor, Here& answer, std::index_sequence<bits...>) {
  using Plain = std::allocator<void>;
  return (is<asio::io_context::basic_executor_type<Plain, bits>>(executor, answer) || ...) ||
         (is<asio::thread_pool::basic_executor_type<Plain, bits>>(executor, answer) || ...);
}

}  // namespace

std::optional<bool> runs_here(const asio::any_io_executor& executor) {
  Here answer;
  is_one_of_asios(executor, answer, std::make_index_sequence<8>()) ||
      is<asio::strand<asio::any_io_executor>>(executor, answer) ||
      is<asio::strand<asio::io_context::executor_type>>(executor, answer) ||
      is<asio::strand<asio::thread_pool::executor_type>>(executor, answer);
  return answer;
}

}  // namespace sancho::coro
