// # The verbs
//
// What a store on Redis asks, and what it answers: the whole contract, as
// conversations. Whoever has connections carries them out. Safe to use from
// several threads; what a conversation is given by reference must stay until it
// is over.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sancho/stores/redis.hpp"
#include "stores/redis/calls.hpp"
#include "stores/redis/dealings.hpp"
#include "stores/redis/settings.hpp"

namespace sancho::redis {

class Verbs {
 public:
  Verbs(const RedisOptions& options, Dealings& dealings);

  // Before anything else: sets up what is missing, and asks what the servers'
  // settings are worth.
  Conversation<Done> open();
  Conversation<Done> setup();

  Conversation<std::optional<Record>> load(const SessionKey& key, Deadline deadline);
  Conversation<CreateAnswer> create(const SessionKey& key, const Record& record, Deadline deadline,
                                    const Admission* admission);
  Conversation<CommitAnswer> commit(const SessionKey& key, const Version& expected, const Record& record,
                                    Deadline deadline);
  Conversation<TouchAnswer> touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline);
  Conversation<EraseAnswer> erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline);
  Conversation<SweepAnswer> sweep(const SweepRequest& request, Deadline deadline);

  Conversation<std::vector<KeyedRecord>> find_by_subject(std::string_view subject, Deadline deadline);
  Conversation<EpochsSeen> epochs(std::string_view subject, Deadline deadline);
  Conversation<Done> set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline deadline);
  // `Show`s each record.
  Conversation<Done> walk(Deadline deadline);
  Conversation<std::size_t> count(Deadline deadline);

  // ## A load without a conversation
  //
  // Its command as `load` sends it first, put into `room`; whom it sends that to, as
  // far as is known; and what a reply comes to that is no error. Any other is `load`'s.
  std::string_view put_load(const SessionKey& key, std::span<char> room) const { return calls_.put_load(key, room); }
  std::optional<Endpoint> owner_of(const SessionKey& key) const { return dealings_.owner_of(calls_.keys().slot(key)); }
  std::optional<Record> loaded(const Reply& reply) const { return calls_.loaded(reply); }

  // Asked of nobody.
  StoreTraits traits() const;
  const std::string& name() const { return dealings_.name(); }
  std::uint32_t tag_of(std::string_view subject) const { return place_now(subject).tag; }

 private:
  // ## The routing secret
  SubjectPlace place_now(std::string_view subject) const;
  Placed placed(const SubjectPlace& place) const;
  // Where the record's subject has its place, if it has one; throws *refused*
  // if the key is elsewhere.
  std::optional<Placed> placed_beside(const SessionKey& key, const Record& record) const;
  std::string secret_now() const;
  // Takes what the meta key holds; true if the secret had changed.
  Conversation<bool> take_secret(const Reply& meta, Deadline deadline);
  void adopt(const Reply& meta);
  Conversation<bool> has_records(Deadline deadline);
  // The replies to the calls for a subject's place, asked together with whether
  // the secret is still the same; asked again if it is not.
  using CallFor = std::function<Call(const SubjectPlace&)>;
  struct About {
    SubjectPlace place;
    Reply reply;
  };
  Conversation<About> ask_about(std::string_view subject, const CallFor& call, Deadline deadline);
  Conversation<std::vector<std::string>> members_of(std::string_view subject, SubjectPlace& place, Deadline deadline);

  // ## Going through everything
  using Names = std::vector<std::string>;
  struct Page {
    Names names;
    std::string cursor;  // "0" after the last
  };
  using EachPage = std::function<Conversation<bool>(const Names&)>;
  Conversation<Page> page_of(const Endpoint& node, const std::string& cursor, std::size_t size, Deadline deadline);
  // Calls `page` with names of records until it returns false. A name in no
  // `slots`, if they are given, is left out.
  Conversation<bool> through_node(const Endpoint& node, const std::vector<bool>* slots, const EachPage& page,
                                  Deadline deadline);
  Conversation<Done> through_all(const EachPage& page, Deadline deadline);
  Conversation<std::vector<bool>> slots_at_rest_of(const Endpoint& node, Deadline deadline);
  Conversation<bool> show(const Names& names, Deadline deadline);
  Conversation<bool> count_live(const Names& names, std::size_t& live, Deadline deadline);
  std::optional<Record> readable(const Reply& reply) const;
  Conversation<Time> server_time(Deadline deadline);
  [[noreturn]] void not_understood() const;

  Conversation<Settings> settings_of_all(Deadline deadline);
  Conversation<Settings> settings_of(const Endpoint& node, Deadline deadline);
  Conversation<std::optional<Reply>> ask_if_permitted(const Endpoint& node, const Command& command, Deadline deadline);

  RedisOptions options_;
  Dealings& dealings_;
  Calls calls_;
  std::vector<std::uint32_t> tags_;  // a cluster's: a tag for each slot
  Settings settings_;

  mutable std::mutex mutex_;  // over what follows; never held while something is wished for
  std::string secret_;

  // Where a sweep stopped.
  struct Place {
    std::optional<Time> accessed_before;
    Endpoint node;
    std::string cursor;
    bool joined = false;  // what lies before was asked for an earlier moment
  };
  void leave_place(Place place);
  std::optional<Place> take_place(const std::optional<Time>& accessed_before);
  std::vector<Place> places_;  // one of expiry, and one of old sessions
};

}  // namespace sancho::redis
