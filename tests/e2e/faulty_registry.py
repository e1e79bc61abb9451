#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A registry that misbehaves: passes requests on to a real one and does one thing wrong.

usage: faulty_registry.py UPSTREAM PORTFILE LOGFILE FAULT [ARGUMENT]

Listens on a free loopback port, which it writes to PORTFILE, until it is killed; logs one line a request. FAULT:
  none                 nothing wrong
  corrupt KIND         one byte of every blob or manifest (KIND blobs, manifests) is another
  truncate             blobs end half way
  slow RATE            blobs at RATE bytes a second
  status CODE [COUNT]  the first COUNT (default all) requests below /v2/NAME answer CODE
  bearer               wants the token of an anonymous token service
  basic USER:PASSWORD  wants these credentials at its token service
  rename TAG FILE      answers requests about TAG with the manifest of the tag that FILE names
"""
import base64
import http.client
import json
import os
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

UPSTREAM, PORTFILE, LOGFILE, FAULT = sys.argv[1:5]
ARGUMENTS = sys.argv[5:]
TOKEN = "a-token-of-the-test"
COUNT_LOCK = threading.Lock()
refused = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        with COUNT_LOCK, open(LOGFILE, "a", encoding="utf-8") as file:
            file.write(f"{self.command} {self.path} {self.headers.get('Authorization', '-')}\n")

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def token(self):
        if FAULT == "basic":
            wanted = "Basic " + base64.b64encode(ARGUMENTS[0].encode()).decode()
            if self.headers.get("Authorization") != wanted:
                return self.answer(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}')
        return self.answer(200, json.dumps({"token": TOKEN}).encode(), Content_Type="application/json")

    def challenge(self):
        realm = f"http://127.0.0.1:{self.server.server_port}/token"
        name = re.match(r"/v2/(.+)/(manifests|blobs)/", self.path)
        scope = f',scope="repository:{name.group(1)}:pull"' if name else ""
        self.answer(401, b'{"errors":[{"code":"UNAUTHORIZED"}]}', Content_Type="application/json",
                    WWW_Authenticate=f'Bearer realm="{realm}",service="test"{scope}')

    def refuse(self):
        global refused
        if self.path.rstrip("/") == "/v2":
            return False
        with COUNT_LOCK:
            if refused >= int(ARGUMENTS[1] if len(ARGUMENTS) > 1 else 1 << 30):
                return False
            refused += 1
        self.answer(int(ARGUMENTS[0]), b"{}", Content_Type="application/json")
        return True

    def do_GET(self):
        path = self.path
        if FAULT in ("bearer", "basic"):
            if path.startswith("/token"):
                return self.token()
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self.challenge()
        if FAULT == "status" and self.refuse():
            return None
        if FAULT == "rename":
            with open(ARGUMENTS[1], encoding="utf-8") as file:
                path = path.replace(f"/manifests/{ARGUMENTS[0]}", f"/manifests/{file.read().strip()}")
        connection = http.client.HTTPConnection(UPSTREAM)
        wanted = {k: v for k, v in self.headers.items() if k.lower() in ("accept", "range", "if-range")}
        connection.request(self.command, path, headers=wanted)
        response = connection.getresponse()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() in ("content-type", "content-length", "docker-content-digest", "content-range",
                                "accept-ranges", "docker-distribution-api-version"):
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.body(response, "blobs" if "/blobs/" in path else "manifests")
        connection.close()
        return None

    do_HEAD = do_GET

    def body(self, response, kind):
        total, done = int(response.getheader("Content-Length") or 0), 0
        while chunk := response.read(1 << 14):
            if FAULT == "corrupt" and kind == ARGUMENTS[0] and done <= total // 2 < done + len(chunk):
                chunk = bytearray(chunk)
                chunk[total // 2 - done] ^= 1
            if FAULT == "truncate" and kind == "blobs" and done + len(chunk) > total // 2:
                self.wfile.write(chunk[:total // 2 - done])
                self.close_connection = True
                return
            if FAULT == "slow" and kind == "blobs":
                time.sleep(len(chunk) / float(ARGUMENTS[0]))
            try:
                self.wfile.write(chunk)
            except OSError:
                self.close_connection = True
                return
            done += len(chunk)


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with open(PORTFILE + ".new", "w", encoding="utf-8") as file:
        file.write(str(server.server_port))
    os.rename(PORTFILE + ".new", PORTFILE)
    server.serve_forever()


main()
