-- wrk -s load.lua URL -- PATH FILE: asks for PATH with each Cookie line of FILE in
-- turn, and says what came of it as JSON.
local requests, at = {}, 0

function init(arguments)
  for line in io.lines(arguments[2]) do
    requests[#requests + 1] = wrk.format("GET", arguments[1], { ["Cookie"] = line })
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT {"requests": %d, "seconds": %f, "p99": %f, "errors": %d}\n', summary.requests,
    summary.duration / 1e6, latency:percentile(99) / 1e3, e.connect + e.read + e.write + e.status + e.timeout))
end
