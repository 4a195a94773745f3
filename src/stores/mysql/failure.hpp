// What went wrong in a conversation with a server, and what that means.
#pragma once

#include <string>

#include "sancho/error.hpp"

namespace sancho::mysql {

// Thrown by a connection, caught by the store: it never leaves this library.
struct Failure {
  // Did the server get the command, and did its answer come?
  enum class Reach {
    not_sent,  // never got it as a whole: it was not carried out
    answered,  // the server's answer is this error
    lost,      // no answer came: it may have been carried out, or may still be
  };
  unsigned code = 0;  // of the server (1000 … 1999, 3000 …) or of the connector (2000 …, 5000 …)
  Reach reach = Reach::answered;
  // May it have changed what is stored all the same?
  bool maybe_done = false;
  // The deadline passed, rather than that something broke.
  bool timed_out = false;
};

// The server's answer: there is a row with that key already.
inline bool is_duplicate_key(const Failure& f) { return f.code == 1062 && f.reach == Failure::Reach::answered; }

// What to do about it.
enum class Remedy {
  none,       // tell the caller
  again,      // others were in the way: the same again, from the beginning
  elsewhere,  // this server does not serve us now: another connection, another host if there is one
};

struct Meaning {
  Trouble kind;
  // An answer with this code says: nothing was changed, nor will be.
  bool not_done;
  Remedy remedy;
  const char* advice;
};

// For an error that the server gave as its answer, or that the connector gave
// when it could not connect.
Meaning meaning_of(unsigned code);

// What happened and what to do, in words. No value that was sent stands in it,
// since the server's own text may quote some: only its number does.
std::string message_of(const Failure& failure, const std::string& store, const char* doing);

}  // namespace sancho::mysql
