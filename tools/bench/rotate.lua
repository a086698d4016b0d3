-- wrk asks for the paths of a file (its argument) in rotation. The requests are made once, so that a path costs the
-- client a look into a table.
local requests = {}
local next_request = 0

function init(args)
  for path in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", path)
  end
end

function request()
  next_request = next_request + 1
  if next_request > #requests then next_request = 1 end
  return requests[next_request]
end
