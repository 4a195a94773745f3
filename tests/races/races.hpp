// # The races
//
// Two overlapping requests of one session, A and B, and what must be true
// afterwards. Player 0 is A, player 1 is B.
#pragma once

#include "referee.hpp"

namespace sancho::races {

Race two_writers();                  // T1: each writes a slot of its own, both count
Race reader_and_writer();            // T2: A only reads, and its touch is due
Race writer_and_logout();            // T3: A writes, and perhaps renews the id or proves itself again
Race reader_and_logout();            // T3b: A only reads
Race old_id_and_renewal();           // T4: B renews the id while A is under way with the old one
Race one_token(unsigned submitters); // T5: all submit the same form
Race two_logins();                   // T6: each logs somebody else in
Race login_and_logout();             // T6: A logs in, B logs out

}  // namespace sancho::races
