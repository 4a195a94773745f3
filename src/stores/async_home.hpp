// # What must go before its execution context
//
// A socket and a coroutine that waits belong to an execution context (an
// `io_context`), which may be destroyed while others still hold them. A context
// tells its services before it takes anything away; this one then lets go of
// what belongs to it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>

#include <memory>
#include <mutex>

namespace sancho {

// One who belongs to a context.
class Guest {
 public:
  Guest() = default;
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

 protected:
  ~Guest() = default;

 private:
  friend class Gate;
  // The context goes. First, while nobody can pass the gate: what the context
  // lent is given back. Then, freely: whatever follows from it.
  virtual void give_back() noexcept = 0;
  virtual void leave() noexcept = 0;
  virtual std::shared_ptr<Guest> hold() noexcept = 0;  // null: it goes by itself

  Guest* before_ = nullptr;
  Guest* behind_ = nullptr;
};

// Of one context, and outlives it.
class Gate {
 public:
  // `act` is done while the context is there, and keeps it there meanwhile. It
  // must not take long, and not call back. False: the context has gone.
  template <class Act>
  bool pass(Act act) {
    const std::lock_guard lock(mutex_);
    if (open_) act();
    return open_;
  }
  // Within `pass`.
  void enter(Guest& guest);
  void leave(Guest& guest);

 private:
  friend class Home;
  void close() noexcept;
  std::mutex mutex_;
  bool open_ = true;
  Guest* first_ = nullptr;
};

class Home final : public boost::asio::execution_context::service {
 public:
  using key_type = Home;
  static boost::asio::execution_context::id id;
  explicit Home(boost::asio::execution_context& context) : service(context) {}

  // Of the executor's context. What the guest has of other services must be made
  // before: services go in the other order.
  static std::shared_ptr<Gate> gate_of(const boost::asio::any_io_executor& executor);

 private:
  void shutdown() noexcept override { gate_->close(); }
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
};

}  // namespace sancho
