-- A new record with each request: wrk's thread and a count make its name.
local threads = 0
function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local body = os.getenv("BODY")
local count = 0
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
function request()
  count = count + 1
  local unique = id .. "-" .. os.time() .. "-" .. count
  return wrk.format(nil, nil, nil, (body:gsub("UNIQUE", unique)))
end
