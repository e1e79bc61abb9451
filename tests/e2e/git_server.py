#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""git over http on loopback, by git's own http-backend.

usage: git_server.py ROOT PORTFILE LOG [--tls CERTIFICATE KEY] [--redirect URL] [USER:PASSWORD]

Serves the bare repositories below ROOT to who has the password, if there is one; with --redirect sends everybody to URL and
the path that was asked for. Writes a line per request to LOG.
"""
import base64
import http.server
import os
import ssl
import subprocess
import sys

root, port_file, log = sys.argv[1:4]
rest = sys.argv[4:]
tls = redirect = None
if rest[:1] == ["--tls"]:
    tls, rest = rest[1:3], rest[3:]
if rest[:1] == ["--redirect"]:
    redirect, rest = rest[1], rest[2:]
wanted = "Basic " + base64.b64encode(rest[0].encode()).decode() if rest else None


class Handler(http.server.BaseHTTPRequestHandler):
    def refuse(self):
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self):
        given = self.headers.get("Authorization")
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{self.command} {self.path} {'with' if given else 'without'} password\n")
        if redirect:
            self.send_response(301)
            self.send_header("Location", redirect + self.path)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if wanted and given != wanted:
            return self.refuse()
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        env = {"PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": root, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
               "QUERY_STRING": query, "REQUEST_METHOD": self.command, "CONTENT_LENGTH": str(len(body)),
               "CONTENT_TYPE": self.headers.get("Content-Type", ""),
               "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", "")}
        out = subprocess.run(["git", "http-backend"], input=body, env=env, stdout=subprocess.PIPE, check=False).stdout
        head, _, content = out.partition(b"\r\n\r\n")
        fields = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
        status = next((value for name, value in fields if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in fields:
            if name not in ("Status", "Content-Length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*tls)
    # not on accept, where one bad client would keep the others waiting
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
open(log, "w", encoding="utf-8").close()
with open(port_file + ".new", "w", encoding="utf-8") as file:
    file.write(str(server.server_address[1]))
os.rename(port_file + ".new", port_file)
server.serve_forever()
