-- CORS for the origins that lighttpd.conf names: answers the browser's preflight request, and lets it show every other
-- response to the page. lighttpd-site.conf runs this before a request is handled and before its response is sent.
local r = lighty.r
r.resp_header["Access-Control-Allow-Origin"] = r.req_header["Origin"]
r.resp_header["Access-Control-Expose-Headers"] = "ETag, Idempotent-Replayed, Retry-After, X-Request-Id"
r.resp_header["Vary"] = "Origin"
if r.req_attr["request.method"] == "OPTIONS" and (r.req_item["http_status"] or 0) == 0 then
  r.resp_header["Access-Control-Allow-Methods"] = "GET, POST"
  r.resp_header["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id"
  r.resp_header["Access-Control-Max-Age"] = "86400"
  return 204
end
return 0
