#include "directory_store.hpp"

#include <algorithm>
#include <map>

#include "record_files.hpp"
#include "sancho/stores/directory.hpp"
#include "sweeper.hpp"

namespace sancho {

namespace {

// ## The verbs
//
// Each writing verb looks without the lock, writes the new file and syncs it,
// and only then takes the lock, looks again and renames. The directory is
// synced after the lock was given back. So the lock is held for a few system
// calls and no disk access, and the syncs of several writers run side by side,
// which a journalling file system makes one of. A commit does not look first: who
// commits has just loaded.
class DirectoryStore final : public SessionStore, public SubjectIndex, public Scan {
 public:
  DirectoryStore(const std::string& path, const Clock& clock, FileSystem& files)
      : clock_(clock), directory_(path, files), records_(directory_), sweeper_(directory_, records_, clock) {
    directory_.make();
  }

  std::optional<Record> load(const SessionKey& key, Deadline deadline) override {
    auto found = present(records_.look(key, deadline));
    return found ? std::optional(std::move(found->record)) : std::nullopt;
  }

  bool load_into(const SessionKey& key, Record& record, Deadline deadline) override {
    return records_.look(key, record, deadline) && !clock_.passed(record.expires());
  }

  CreateAnswer create(const SessionKey& key, const Record& record, Deadline deadline, const Admission* admission) override {
    if (admission) throw StoreError(Trouble::refused, name() + " has no admission: limits and epochs need another store");
    auto draft = directory_.draft(encode_record(record));
    {
      const auto lock = directory_.lock(deadline);
      const auto found = records_.find(key);
      if (found && !found->record.expired(clock_.now())) return Taken{found->record};
      records_.put(key, found ? &*found : nullptr, std::move(draft), record.state);
    }
    directory_.sync();
    return Done{};
  }

  CommitAnswer commit(const SessionKey& key, const Version& expected, const Record& record, Deadline deadline) override {
    if (auto answer = commit_as_it_is(key, expected, record, deadline)) return *std::move(answer);
    return update<CommitAnswer>(key, deadline, [&](const std::optional<FoundRecord>& found) -> Plan<CommitAnswer> {
      if (auto answer = objection(found, expected, record)) return *std::move(answer);
      auto next = record;
      next.accessed = std::max(next.accessed, found->record.accessed);
      return next;
    });
  }

  // A whole rewrite: the access time is under the checksum like the rest.
  TouchAnswer touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) override {
    return update<TouchAnswer>(key, deadline, [&](const std::optional<FoundRecord>& found) -> Plan<TouchAnswer> {
      if (!found || found->record.state != State::live || found->record.version.incarnation != incarnation) return Gone{};
      if (found->record.accessed >= accessed) return Done{};
      auto next = found->record;
      next.accessed = accessed;
      return next;
    });
  }

  EraseAnswer erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) override {
    Removed answer;
    {
      const auto lock = directory_.lock(deadline);
      auto found = present(records_.find(key));
      if (!found) return Absent{};
      if (expected && found->record.version != *expected) return Conflict{found->record};
      records_.remove(key, *found);
      answer.last = std::move(found->record);
    }
    directory_.sync();
    return answer;
  }

  SweepAnswer sweep(const SweepRequest& request, Deadline deadline) override { return sweeper_.sweep(request, deadline); }

  StoreTraits traits() const override {
    return {.thread_safe = true, .multiprocess_safe = true, .durable = true, .power_safe = true, .linearizable = true, .keeps = true};
  }
  std::string name() const override { return directory_.name(); }
  void setup() override { directory_.make(); }
  SubjectIndex* subjects() override { return this; }
  Scan* scan() override { return this; }

  std::vector<KeyedRecord> find_by_subject(std::string_view subject, Deadline deadline) override;
  void walk(const Each& each, Deadline deadline) override;
  std::size_t count(Deadline deadline) override;

 private:
  // What a verb does with what it found: an answer, or a record to write.
  template <class Answer>
  struct Plan : std::variant<Answer, Record> {
    template <class T>
    Plan(T part) : std::variant<Answer, Record>(wrap(std::move(part))) {}
    static std::variant<Answer, Record> wrap(Record record) { return record; }
    template <class T>
    static std::variant<Answer, Record> wrap(T answer) {
      return Answer{std::move(answer)};
    }
  };

  // Why a commit is not done, if it is not.
  std::optional<CommitAnswer> objection(const std::optional<FoundRecord>& found, const Version& expected, const Record& record) const {
    if (!found) return Gone{};
    if (found->record.version != expected) return Conflict{found->record};
    if (found->record.subject != record.subject) throw StoreError(Trouble::refused, name() + ": a commit must not change the subject");
    return std::nullopt;
  }

  // A commit of just this record. Nothing if it takes more: there is no room for a
  // draft, or the session was accessed since.
  std::optional<CommitAnswer> commit_as_it_is(const SessionKey& key, const Version& expected, const Record& record, Deadline deadline) {
    std::optional<Directory::Draft> draft;
    try {
      draft = directory_.draft(encode_record(record));
    } catch (const StoreError&) {
      return std::nullopt;
    }
    {
      const auto lock = directory_.lock(deadline);
      const auto found = present(records_.find(key));
      if (auto answer = objection(found, expected, record)) return answer;
      if (found->record.accessed > record.accessed) return std::nullopt;
      records_.put(key, &*found, std::move(*draft), record.state);
    }
    directory_.sync();
    return Done{};
  }

  template <class Answer, class Decide>
  Answer update(const SessionKey& key, Deadline deadline, const Decide& decide) {
    Plan<Answer> plan = decide(present(records_.look(key, deadline)));
    if (const auto* answer = std::get_if<Answer>(&plan)) return *answer;
    const Record first = std::get<Record>(std::move(plan));
    auto draft = draft_of(first);
    {
      const auto lock = directory_.lock(deadline);
      const auto found = present(records_.find(key));
      plan = decide(found);
      if (const auto* answer = std::get_if<Answer>(&plan)) return *answer;
      const auto& next = std::get<Record>(plan);
      // Somebody wrote meanwhile, and there is more to keep.
      if (next != first) draft = draft_of(next);
      if (draft) records_.put(key, &*found, std::move(*draft), next.state);
      else records_.end_in_place(key, *found, next);
    }
    directory_.sync();
    return Done{};
  }

  // Nothing if the disk is full and the record ends a session.
  std::optional<Directory::Draft> draft_of(const Record& record) {
    try {
      return directory_.draft(encode_record(record));
    } catch (const StoreError& e) {
      if (e.kind() != Trouble::full || record.state != State::ended) throw;
      return std::nullopt;
    }
  }

  std::optional<FoundRecord> present(std::optional<FoundRecord> found) const {
    if (found && clock_.passed(found->record.expires())) found.reset();
    return found;
  }

  const Clock& clock_;
  Directory directory_;
  RecordFiles records_;
  Sweeper sweeper_;
};

// ## Walking
//
// A page of keys is listed under the lock, because a file that is renamed
// while a directory is read may be passed over; the records are read without.
void DirectoryStore::walk(const Each& each, Deadline deadline) {
  constexpr std::size_t page_size = 8192;
  std::optional<SessionKey> after;
  for (;;) {
    const auto page = [&] {
      const auto lock = directory_.lock(deadline, true);
      return records_.keys_after(after, page_size);
    }();
    for (const auto& key : page) {
      if (deadline.passed()) throw StoreError(Trouble::unavailable, name() + ": the walk did not end before its deadline");
      std::optional<FoundRecord> found;
      try {
        found = present(records_.look(key, deadline));
      } catch (const StoreError& e) {
        if (e.kind() != Trouble::corrupt && e.kind() != Trouble::unavailable) throw;
      }
      if (found && !each({key, std::move(found->record)})) return;
    }
    if (page.size() < page_size) return;
    after = page.back();
  }
}

std::size_t DirectoryStore::count(Deadline deadline) {
  std::size_t live = 0;
  iter_sessions([&](const KeyedRecord&) { return ++live, true; }, deadline);
  return live;
}

// As at one moment: walked through again until two walks saw the same records in
// the same states. A state never comes back, so between the two nothing changed,
// and no record took over from one that was read too late.
std::vector<KeyedRecord> DirectoryStore::find_by_subject(std::string_view subject, Deadline deadline) {
  std::vector<KeyedRecord> found;
  if (subject.empty()) return found;
  std::optional<std::map<SessionKey, State>> before;
  for (bool more = true; more;) {
    std::map<SessionKey, State> seen;
    found.clear();
    const auto look = [&](const KeyedRecord& entry) {
      if (entry.record.subject != subject) return true;
      seen.emplace(entry.key, entry.record.state);
      if (may_open(entry.record.state)) found.push_back(entry);
      return true;
    };
    walk(look, deadline);
    more = seen != before;
    before = std::move(seen);
  }
  return found;
}

}  // namespace

std::unique_ptr<SessionStore> open_directory_store(const std::string& path, const Clock& clock, FileSystem& files) {
  return std::make_unique<DirectoryStore>(path, clock, files);
}

std::unique_ptr<SessionStore> open_directory_store(const std::string& path, const Clock& clock) {
  return open_directory_store(path, clock, system_files());
}

}  // namespace sancho
