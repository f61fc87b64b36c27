"""A small site in another language: it knows who is signed in by a cookie, and tells nginx in a response header."""

import http.cookies
import http.server


class Site(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        user = http.cookies.SimpleCookie(self.headers["Cookie"]).get("user")
        page = f"Hello {user.value if user else 'stranger'}\n".encode()
        self.send_response(200)
        if user:
            self.send_header("X-User", user.value)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
