#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "edge/request/request.h"

namespace reelway::edge {

// The life of a request, in order. Each function is in the file of its name: step_receive.cc and so on.
enum class Step : std::uint8_t { receive, authorize, relay, hand_over, lookup, collapse, fetch, store, deliver, log };

Verdict step_receive(Request& request);    // a film's object, a heartbeat, or a site's; method, path, CORS
Verdict step_authorize(Request& request);  // may this token fetch this title now, and does its rental hold
Verdict step_relay(Request& request);      // a heartbeat: the origin answers
Verdict step_hand_over(Request& request);  // at home at another ring: that one answers
Verdict step_lookup(Request& request);     // memory, then disk; else who fetches
Verdict step_collapse(Request& request);   // another request fetches it: wait for its head; not ours: look up anew
Verdict step_fetch(Request& request);      // this request fetches it: wait for the head
Verdict step_store(Request& request);      // what became of the fetched answer
Verdict step_deliver(Request& request);    // head and body to the client, as they come
Verdict step_log(Request& request);        // counters and access log

struct StepInfo {
  Step step;
  std::string_view name;
  Verdict (*run)(Request&);
};

inline constexpr std::array kSteps = {
    StepInfo{Step::receive, "receive", step_receive},  // each in the file of its name
    StepInfo{Step::authorize, "authorize", step_authorize},
    StepInfo{Step::relay, "relay", step_relay},
    StepInfo{Step::hand_over, "hand_over", step_hand_over},
    StepInfo{Step::lookup, "lookup", step_lookup},
    StepInfo{Step::collapse, "collapse", step_collapse},
    StepInfo{Step::fetch, "fetch", step_fetch},
    StepInfo{Step::store, "store", step_store},
    StepInfo{Step::deliver, "deliver", step_deliver},
    StepInfo{Step::log, "log", step_log},
};

}  // namespace reelway::edge
