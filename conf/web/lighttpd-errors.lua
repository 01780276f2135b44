-- Headers, status and document of what lighttpd answers by itself: what it refuses while it reads a request, to which no
-- setenv applies, and a pool that failed. lighttpd-site.conf runs this for nothing else.
local r = lighty.r
local status = r.req_item["http_status"] or 0
local directory = string.match(r.req_attr["physical.path"] or "", "^(.*/)503%.html$")
local is_error_handler = directory and string.sub(r.req_attr["uri.path"], 1, 8) == "/errors/"
local headers = {
  ["Cache-Control"] = "no-store",
  ["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'",
  ["X-Content-Type-Options"] = "nosniff",
  ["Referrer-Policy"] = "no-referrer"
}
if is_error_handler then
  headers["ETag"], headers["Last-Modified"] = "", ""
  if status == 0 or status == 200 then
    status = 404 -- requested by a client
  elseif status >= 500 and status ~= 501 and status ~= 505 then
    status = 503 -- a pool that died is worth another try, as one that cannot be reached
  elseif status == 403 and r.req_attr["request.method"] ~= "GET" then
    status = 405 -- url.access-deny for methods that the page's files do not take
    headers["Allow"] = "GET, HEAD"
  end
  if status ~= 503 then
    r.resp_body.set({ { filename = directory .. status .. ".html" } })
    r.resp_header["Content-Length"] = ""
  end
end
if status == 503 then
  headers["Retry-After"] = "1"
end
for name, value in pairs(headers) do
  if value == "" or not r.resp_header[name] then
    r.resp_header[name] = value
  end
end
return is_error_handler and status or 0
