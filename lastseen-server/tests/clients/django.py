"""A site that calls the middleware of docs/clients.md, which lies in the working directory, as Django would."""

import http.cookies
import http.server
import types

import lastseen


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        cookie = http.cookies.SimpleCookie(self.headers["Cookie"]).get("user")
        request = types.SimpleNamespace(
            user=types.SimpleNamespace(is_authenticated=cookie is not None, pk=cookie and int(cookie.value)),
            META={"REMOTE_ADDR": self.client_address[0], "HTTP_X_FORWARDED_FOR": self.headers.get("X-Forwarded-For", "")},
            method=self.command,
            get_full_path=lambda: self.path,
        )
        page = lastseen.middleware(lambda request: b"Hello\n")(request)
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
