"""A resource server as the README of PyJWT writes it: a remote key set, issuer, audience, one algorithm."""

import json
import os
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt

issuer = os.environ["ISSUER"]
trust = ssl.create_default_context(cafile=os.environ["AUTHORITY"])
keys = jwt.PyJWKClient(f"{issuer}/jwks", lifespan=1, ssl_context=trust)


class Resource(BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.split("?")[0] != "/orders":
            return self.answer(404, {})
        scheme, _, token = (self.headers.get("authorization") or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return self.answer(401, {"error": "invalid_token"})
        try:
            key = keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(
                token, key, algorithms=["ES256"], audience=os.environ["AUDIENCE"], issuer=issuer
            )
        except jwt.PyJWTError:
            return self.answer(401, {"error": "invalid_token"})
        return self.answer(200, {"orders": [], "for": claims.get("sub")})

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Resource)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.environ["CERTIFICATE"], os.environ["KEY"])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening {server.server_address[1]}", flush=True)
    # The test that started it holds its input open: when that ends, so does the partner.
    sys.stdin.read()


main()
