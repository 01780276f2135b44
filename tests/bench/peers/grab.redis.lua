-- In Redis. KEYS: shares (list of "seq:amount"), winners (hash user -> share), consumed (list); ARGV: envelope, user.
local earlier = redis.call('HGET', KEYS[2], ARGV[2])
if earlier then return earlier end
local share = redis.call('LPOP', KEYS[1])
if not share then return false end
redis.call('HSET', KEYS[2], ARGV[2], share)
redis.call('RPUSH', KEYS[3], ARGV[1] .. ':' .. share .. ':' .. ARGV[2])
return share
