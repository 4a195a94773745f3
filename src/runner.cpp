#include "runner.hpp"

#include <thread>
#include <utility>

namespace sancho {

namespace protocol {
namespace {

struct Perform {
  SessionStore& store;
  Deadline deadline;

  Answer operator()(const std::monostate&) const { return {}; }
  Answer operator()(const Load& op) const {
    auto record = store.load(op.key, deadline);
    if (!record) return Absent{};
    return Found{std::move(*record)};
  }
  Answer operator()(const Create& op) const {
    return widen(store.create(op.key, op.record, deadline, op.admission ? &*op.admission : nullptr));
  }
  Answer operator()(const Commit& op) const { return widen(store.commit(op.key, op.expected, op.record, deadline)); }
  Answer operator()(const Touch& op) const { return widen(store.touch(op.key, op.incarnation, op.accessed, deadline)); }
  Answer operator()(const Erase& op) const { return widen(store.erase(op.key, op.expected, deadline)); }

  Answer operator()(const AskEpochs& op) const { return store.epochs()->epochs(op.subject, deadline); }
  Answer operator()(const Find& op) const { return Sessions{store.subjects()->find_by_subject(op.subject, deadline)}; }

  template <class Variant>
  static Answer widen(Variant answer) {
    return std::visit([](auto& a) -> Answer { return std::move(a); }, answer);
  }
};

}  // namespace
}  // namespace protocol

protocol::Answer ask(SessionStore& store, const protocol::Op& op, Deadline deadline) {
  return std::visit(protocol::Perform{store, deadline}, op);
}

protocol::Answer perform(SessionStore& store, const protocol::Op& op, Deadline deadline, Pace& pace) {
  try {
    auto answer = ask(store, op, deadline);
    pace.answered();
    return answer;
  } catch (const StoreError& e) {
    std::this_thread::sleep_for(pace.lost(op, e));
    return protocol::Lost{};
  }
}

}  // namespace sancho
