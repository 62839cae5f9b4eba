-- The arithmetic of dialfeed/delivery/pace.py, in one step inside Redis and on its clock.
-- A test runs both over the same histories and compares them; change both or none.
--
-- KEYS  1  hash: due, paused_until, share, climbs_from, slowed_at (absent: never), pressures (numbers with spaces)
--       2  list: the starts, newest first
-- ARGV  1  what to do: start, left_late, penalise or look   2  seconds of a penalty
--       3  the time now; empty: Redis' own clock      4  longest pause
--       5  count     6  window     7  gap     8  shortest gap     9  lowest share
--       10 climb     11 catch-up   12 slower  13 hush             14 seconds to keep an unused state
--       15 429s remembered            16 share of pressure that is alike
--       17 a start, as it was told: with start one that did not happen (empty: none), with left_late the one meant
--
-- Numbers go out as text: Redis would cut them to whole ones.

local NEVER = -math.huge
local ask, seconds, longest_pause = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])
local count, window, gap = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local shortest_gap, lowest = tonumber(ARGV[8]), tonumber(ARGV[9])
local climb, catch_up, slower, hush = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local remembered, alike = tonumber(ARGV[15]), tonumber(ARGV[16])

local function text(number)
  return string.format('%.17g', number)
end

local function clock()
  if ARGV[3] ~= '' then
    return tonumber(ARGV[3])
  end
  local time = redis.call('TIME')
  return time[1] + time[2] / 1000000
end

local function field(name, absent)
  return tonumber(redis.call('HGET', KEYS[1], name) or absent)
end

local function start_at(place)
  return tonumber(redis.call('LINDEX', KEYS[2], place) or NEVER)
end

local now = clock()
local due = field('due', NEVER)
local paused_until = field('paused_until', NEVER)
local share = field('share', 1)
local climbs_from = field('climbs_from', NEVER)
local slowed_at = field('slowed_at', NEVER)

local pressures = {}
for told in string.gmatch(redis.call('HGET', KEYS[1], 'pressures') or '', '%d+') do
  table.insert(pressures, tonumber(told))
end

local function store()
  local values = { due = due, paused_until = paused_until, share = share, climbs_from = climbs_from, slowed_at = slowed_at }
  for name, value in pairs(values) do
    if value > NEVER then
      redis.call('HSET', KEYS[1], name, text(value))
    end
  end
  redis.call('HSET', KEYS[1], 'pressures', table.concat(pressures, ' '))
  redis.call('EXPIRE', KEYS[1], ARGV[14])
  redis.call('EXPIRE', KEYS[2], ARGV[14])
end

local function clock_went_back()
  local longest = now + math.max(longest_pause, window)
  if math.max(start_at(0), slowed_at) <= now and paused_until <= longest then
    return
  end
  local place = 0
  while start_at(place) > now do
    redis.call('LSET', KEYS[2], place, text(now))
    place = place + 1
  end
  due = math.min(due, now + gap / lowest)
  paused_until = math.min(paused_until, longest)
  climbs_from = math.min(climbs_from, longest)
  slowed_at = math.min(slowed_at, now)
  store()
end

local function share_at(moment)
  return math.max(lowest, math.min(1, share + climb * math.max(0, moment - climbs_from)))
end

local function earliest(moment)
  return math.max(moment, due, paused_until, start_at(0) + shortest_gap, start_at(count - 1) + window)
end

local function take_back(unused)
  if unused ~= '' and redis.call('LREM', KEYS[2], 1, unused) > 0 then
    due = due - gap / share_at(now)
    store()
  end
end

local function start()
  take_back(ARGV[17])
  local wait = earliest(now) - now
  if wait > 0 then
    return { 0, text(wait), '' }
  end
  while start_at(-1) > NEVER and start_at(-1) + window <= now do
    redis.call('RPOP', KEYS[2])
  end
  redis.call('LPUSH', KEYS[2], text(now))
  if now - due > catch_up then
    due = now
  end
  due = due + gap / share_at(now)
  store()
  return { 1, text(earliest(now) - now), text(now) }
end

local function left_late()
  redis.call('LREM', KEYS[2], 1, ARGV[17])
  redis.call('LPUSH', KEYS[2], text(now))
  store()
  return { 1, '0', '' }
end

local function pressure_now()
  local place = 0
  while start_at(place) > now - window do
    place = place + 1
  end
  return place
end

local function slow_down()
  local pressure = pressure_now()
  if pressure >= alike * math.max(0, unpack(pressures)) then
    share = math.max(lowest, share * slower)
  end
  slowed_at = now
  table.insert(pressures, pressure)
  if #pressures > remembered then
    table.remove(pressures, 1)
  end
end

local function penalise()
  local quiet = now < math.max(slowed_at + hush, paused_until)
  share = share_at(now)
  if not quiet then
    slow_down()
  end
  paused_until = math.max(paused_until, now + seconds)
  climbs_from = math.max(climbs_from, now, now + seconds)
  store()
  return { 1, '0', '' }
end

local function look()
  local starts = redis.call('LRANGE', KEYS[2], 0, -1)
  return { text(now), text(due), text(paused_until), text(share), text(climbs_from), text(slowed_at), starts, pressures }
end

clock_went_back()
if ask == 'start' then
  return start()
elseif ask == 'left_late' then
  return left_late()
elseif ask == 'penalise' then
  return penalise()
end
return look()
