# SPDX-License-Identifier: Apache-2.0
"""archive_server.py - a mirror of Debian packages that misbehaves as a file says.

usage: archive_server.py DIRECTORY PORT_FILE LOG RULES

Serves DIRECTORY with ranges, each request in a thread of its own; the port is written to PORT_FILE. LOG gets a line per request:
STATUS PATH AT-ONCE RANGE AUTHORIZATION, with how many were being answered and "-" for what was not sent; of a proxy's requests PATH is the
whole address. RULES is read at every request; each of its lines is KIND REGEX NUMBER:

  404 REGEX             as if it were not there
  503 REGEX N, 429 ...  the first N requests of each such path are refused so
  cut REGEX N           the first N requests of each such path get half of the rest and no more
  slow REGEX SECONDS    so long nothing comes
  drip REGEX SECONDS    so long between two pieces of 64 KiB
  login REGEX TEXT      401, unless Authorization is Basic TEXT
  to REGEX ADDRESS      redirected to the same path there
"""
import http.server
import os
import re
import socketserver
import sys
import threading
import time
import urllib.parse

directory, port_file, log_file, rules_file = sys.argv[1:]
lock = threading.Lock()
counts = {}
at_once = 0


def rules_for(path):
    found = {}
    if os.path.exists(rules_file):
        with open(rules_file) as f:
            for line in f:
                kind, regex, *rest = line.split()
                if re.search(regex, path):
                    found[kind] = rest[0] if rest else "1000000"
    return found


def first(kind, path, n):
    with lock:
        counts[kind, path] = counts.get((kind, path), 0) + 1
        return counts[kind, path] <= int(n)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self, status):
        with lock, open(log_file, "a") as f:
            f.write("%d %s %d %s %s\n" % (status, self.path, at_once, self.headers.get("Range", "-"),
                                          self.headers.get("Authorization", "-").replace(" ", ":")))

    def refuse(self, status, *headers):
        self.note(status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def body(self, data, rules, path):
        piece = 65536 if "drip" in rules else len(data)
        if "cut" in rules and first("cut", path, rules["cut"]):
            data = data[:len(data) // 2]
            self.close_connection = True
        for at in range(0, len(data), piece or 1):
            self.wfile.write(data[at:at + piece])
            if "drip" in rules:
                time.sleep(float(rules["drip"]))

    def answer(self, path, rules):
        name = os.path.join(directory, path.lstrip("/"))
        if "404" in rules or not os.path.isfile(name):
            return self.refuse(404)
        for status in "503", "429":
            if status in rules and first(status, path, rules[status]):
                return self.refuse(int(status))
        if "login" in rules and self.headers.get("Authorization") != "Basic " + rules["login"]:
            return self.refuse(401, ("WWW-Authenticate", "Basic realm=test"))
        if "to" in rules:
            return self.refuse(302, ("Location", rules["to"] + path))
        with open(name, "rb") as f:
            data = f.read()
        whole, start = len(data), re.match(r"bytes=(\d+)-$", self.headers.get("Range", ""))
        data = data[int(start[1]):] if start else data
        self.note(206 if start else 200)
        time.sleep(float(rules.get("slow", 0)))
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", "bytes %s-%d/%d" % (start[1], whole - 1, whole))
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.body(data, rules, path)

    def do_GET(self):
        global at_once
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        with lock:
            at_once += 1
        try:
            self.answer(path, rules_for(path))
        except ConnectionError:
            self.close_connection = True
        finally:
            with lock:
                at_once -= 1


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64


server = Server(("127.0.0.1", 0), Handler)
with open(port_file + ".new", "w") as f:
    f.write(str(server.server_port))
os.rename(port_file + ".new", port_file)
server.serve_forever()
