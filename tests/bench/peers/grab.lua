-- In nginx: one grab. @SHA@: the script grab.redis.lua in Redis; @SOCKET@: Redis.
local redis = require "nginx.redis"
if not redis.evalsha then redis.add_commands("evalsha") end
local function finish(status, body)
    ngx.status = status
    ngx.header["Content-Type"] = "application/json"
    ngx.header["Content-Length"] = #body
    ngx.print(body)
end
local envelope, user = ngx.var.envelope, ngx.var.http_authorization
local connection = redis:new()
connection:set_timeout(5000)
local ok = connection:connect("unix:@SOCKET@")
if not ok then return finish(503, '{"code":"unavailable"}') end
local share, problem = connection:evalsha("@SHA@", 3, "s:" .. envelope, "w:" .. envelope, "consumed", envelope, user)
if problem then return finish(503, '{"code":"unavailable"}') end
connection:set_keepalive(60000, 256)
if share == ngx.null then return finish(200, '{"state":"sold_out"}') end
local seq, amount = share:match("(%d+):(%d+)")
finish(200, '{"state":"opened","amount":' .. amount .. ',"seq":' .. seq .. '}')
