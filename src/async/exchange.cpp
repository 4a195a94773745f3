#include "sancho/async/exchange.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

namespace sancho::detail {

bool is_cancellation(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    return e.code() == boost::asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace sancho::detail
