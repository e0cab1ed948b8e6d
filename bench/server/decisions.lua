-- A decision of somebody else with each request, for wrk:
--   wrk ... -s decisions.lua URL -- SEED TEMPLATES HEADER...
-- TEMPLATES: a file with one body a line, taken in turn; {v7} stands for a time-ordered UUID, {v4} for a
-- random one, {id} for 32 of c15t's letters, {ms} for milliseconds since 1970. HEADER: "Name: value",
-- {ip} in it for somebody's address.
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("thread_number", threads)
end

local function split(template)
  local parts, from = {}, 1
  while true do
    local first, last, name = template:find("{(%w%w)}", from)
    if not first then
      parts[#parts + 1] = { text = template:sub(from) }
      return parts
    end
    parts[#parts + 1] = { text = template:sub(from, first - 1) }
    parts[#parts + 1] = { name = name }
    from = last + 1
  end
end

function init(arguments)
  seed = tonumber(arguments[1])
  math.randomseed(seed + thread_number)
  templates = {}
  for line in io.lines(arguments[2]) do
    templates[#templates + 1] = split(line)
  end
  local lines = { "POST " .. wrk.path .. " HTTP/1.1", "Host: " .. wrk.host .. ":" .. wrk.port }
  for i = 3, #arguments do
    lines[#lines + 1] = arguments[i]
  end
  head = split(table.concat(lines, "\r\n"))
  number = 0
  -- Milliseconds of this run: one for each request, so that no identifier comes twice.
  started = os.time() * 1000
end

local random = math.random
local make = {
  v7 = function()
    local ms = started + number
    return string.format(
      "%08x-%04x-7%03x-8%03x-%04x%08x",
      math.floor(ms / 65536), ms % 65536, random(0, 4095), random(0, 4095), seed % 65536, random(0, 0x7fffffff)
    )
  end,
  v4 = function()
    return string.format(
      "%08x-%04x-4%03x-9%03x-%06x%06x",
      random(0, 0x7fffffff), random(0, 65535), random(0, 4095), random(0, 4095), random(0, 0xffffff), random(0, 0xffffff)
    )
  end,
  id = function()
    return (string.format("%08x%08x%08x%08x", seed, number, random(0, 0x7fffffff), thread_number):gsub("0", "z"))
  end,
  ms = function()
    return string.format("%d", started)
  end,
  ip = function()
    return string.format("%d.%d.%d.%d", random(11, 126), random(0, 255), random(0, 255), random(1, 254))
  end,
}

local function fill(parts)
  local out = {}
  for i = 1, #parts do
    local part = parts[i]
    out[i] = part.text or make[part.name]()
  end
  return table.concat(out)
end

function request()
  number = number + 1
  local body = fill(templates[number % #templates + 1])
  return fill(head) .. "\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency)
  local failed = summary.errors
  print(string.format(
    'JSON {"answers": %d, "seconds": %.3f, "median": %.3f, "slowest_hundredth": %.3f, "refused": %d, "broken": %d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    failed.status, failed.connect + failed.read + failed.write + failed.timeout
  ))
end
