#include "runner.hpp"

#include <thread>

namespace sancho {

namespace {

using namespace protocol;

struct Perform {
  SessionStore& store;
  Deadline deadline;

  Answer operator()(const std::monostate&) const { return {}; }
  Answer operator()(const Load& op) const {
    auto record = store.load(op.key, deadline);
    if (!record) return Absent{};
    return Found{std::move(*record)};
  }
  Answer operator()(const Create& op) const { return widen(store.create(op.key, op.record, deadline)); }
  Answer operator()(const Commit& op) const { return widen(store.commit(op.key, op.expected, op.record, deadline)); }
  Answer operator()(const Touch& op) const { return widen(store.touch(op.key, op.incarnation, op.accessed, deadline)); }
  Answer operator()(const Erase& op) const { return widen(store.erase(op.key, op.expected, deadline)); }

  template <class Variant>
  static Answer widen(Variant answer) {
    return std::visit([](auto& a) -> Answer { return std::move(a); }, answer);
  }
};

}  // namespace

Answer perform(SessionStore& store, const Op& op, Deadline deadline) {
  try {
    return std::visit(Perform{store, deadline}, op);
  } catch (const StoreError& e) {
    // An erase only tidies up a copy that opens nothing: what it leaves expires.
    if (std::holds_alternative<Erase>(op)) return Lost{};
    // A load that was not answered found nothing out, whatever the store says.
    if (!e.maybe_done() || std::holds_alternative<Load>(op)) throw;
    if (std::holds_alternative<Touch>(op)) throw;
    if (deadline.passed()) throw StoreError(Trouble::in_doubt, std::string(e.what()) + "; it cannot be told whether the last write happened", true);
    std::this_thread::sleep_for(std::min(deadline.left(), Duration(5)));
    return Lost{};
  }
}

}  // namespace sancho
