"""A receiver as the README of standardwebhooks writes it: verify, then act."""

import json
import os
import ssl
import sys
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook

webhook = Webhook(os.environ["SECRET"])
effects = []


class Receiver(BaseHTTPRequestHandler):
    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        payload = self.rfile.read(min(int(self.headers.get("content-length", 0)), 262144))
        if self.path != "/hooks":
            return self.answer(404)
        try:
            webhook.verify(payload, dict(self.headers))
        except Exception:
            return self.answer(400)
        effects.append(
            {
                "time": datetime.now(timezone.utc).isoformat(),
                "id": self.headers.get("webhook-id"),
                "effect": "noted",
            }
        )
        return self.answer(204)

    def do_GET(self):
        if not self.path.startswith("/effects"):
            return self.answer(404)
        if self.headers.get("authorization") != "Bearer " + os.environ["API_TOKEN"]:
            return self.answer(401)
        lines = "".join(json.dumps(it) + "\n" for it in effects[-1000:])
        return self.answer(200, lines.encode())

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.environ["CERTIFICATE"], os.environ["KEY"])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening {server.server_address[1]}", flush=True)
    # The test that started it holds its input open: when that ends, so does the partner.
    sys.stdin.read()


main()
