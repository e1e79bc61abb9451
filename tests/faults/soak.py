#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many sessions of one environment, and what grows: nothing should.

One session keeps the environment; N others come and go, every kind in turn: run without a terminal, run and enter on one,
run --root. Before and after - with one tenth of them done, and all - the same is counted: descriptors and memory of pid 1,
processes inside, mounts, files in the store, the state and the runtime directory, entries of /proc/locks. Every tenth
session ends the environment of a second project, which starts anew each time. SOAK=N, 300 without.
"""
import argparse
import os
import pty
import re
import subprocess
import sys
import time


class Bench:
    def __init__(self, devenv, layout, work):
        self.devenv, self.work = devenv, work
        self.home = os.path.join(work, "home")
        self.env = {"HOME": self.home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "dumb",
                    "XDG_RUNTIME_DIR": os.path.join(self.home, "run")}
        os.makedirs(self.env["XDG_RUNTIME_DIR"], mode=0o700)
        for name in ("warm", "cold"):
            project = os.path.join(self.home, name)
            os.makedirs(project)
            with open(os.path.join(project, "devenv.ini"), "w", encoding="utf-8") as file:
                file.write(f"[base]\narchive = {layout}\n[sandbox]\nnetwork = none\n")
            for words in (["allow", "-y"], ["lock"], ["pull"]):
                self.run(name, *words)
            time.sleep(2.1)
            self.run(name, "run", "--", "true")
            self.run(name, "run", "--", "true")

    def run(self, project, *words, code=0):
        result = subprocess.run([self.devenv, "-q", *words], env=self.env, cwd=os.path.join(self.home, project),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                timeout=120, check=False)
        if result.returncode != code:
            raise SystemExit(f"soak: devenv {' '.join(words)}: {result.returncode}: {result.stdout}")
        return result.stdout

    def on_terminal(self, project, *words, typed=b"", code=0):
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(os.path.join(self.home, project))
            os.execve(self.devenv, [self.devenv, "-q", *words], self.env)
        os.write(terminal, typed)
        try:
            while os.read(terminal, 65536):
                pass
        except OSError:  # EIO: the end
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(terminal)
        if status != code:
            raise SystemExit(f"soak: devenv {' '.join(words)} on a terminal: {status}")

    def session(self, n):
        kind, code = n % 5, n % 100
        if kind == 0:
            self.on_terminal("warm", "run", "--", "sh", "-c", f"exit {code}", code=code)
        elif kind == 1:
            self.on_terminal("warm", "enter", typed=b"exit %d\n" % code, code=code)
        elif kind == 2:
            self.run("warm", "run", "--root", "--", "sh", "-c", f"exit {code}", code=code)
        else:
            self.run("warm", "run", "--", "sh", "-c", f"sleep 0.2 & exit {code}", code=code)
        if n % 10 == 0:
            self.run("cold", "run", "--", "sh", "-c", f"echo > /tmp/x; exit {code}", code=code)


def inside():
    """pid -> pid inside, of everything of ours in another pid namespace"""
    here, found = os.readlink("/proc/self/ns/pid"), {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{name}").st_uid == os.geteuid() and os.readlink(f"/proc/{name}/ns/pid") != here:
                with open(f"/proc/{name}/status", encoding="utf-8") as file:
                    found[name] = re.search(r"^NSpid:.*\s(\d+)$", file.read(), re.M).group(1)
        except (OSError, AttributeError):
            continue
    return found


def files(directory):
    return sum(len(names) + len(others) for _, names, others in os.walk(directory))


def field(path, name):
    with open(path, encoding="utf-8") as file:
        return int(re.search(rf"^{name}:\s*(\d+)", file.read(), re.M).group(1))


def count(bench, before):
    end = time.monotonic() + 20
    while time.monotonic() < end:  # who was last to leave is on its way
        ours = {pid: nspid for pid, nspid in inside().items() if pid not in before}
        if len(ours) == 2:  # pid 1 and the shell of the one that stays
            break
        time.sleep(0.1)
    holder = next(pid for pid, nspid in ours.items() if nspid == "1")
    with open(f"/proc/{holder}/mountinfo", encoding="utf-8") as file:
        mounts = len(file.readlines())
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        outside = sum(bench.work in line or " - overlay devenv " in line for line in file)
    return {"processes inside": len(ours), "descriptors of pid 1": len(os.listdir(f"/proc/{holder}/fd")),
            "KiB of pid 1": field(f"/proc/{holder}/smaps_rollup", "Pss") // 64 * 64,
            "page tables of pid 1": field(f"/proc/{holder}/status", "VmPTE"), "mounts inside": mounts,
            "mounts outside": outside, "files in the store": files(os.path.join(bench.home, ".local", "share")),
            "files in the state": files(os.path.join(bench.home, ".local", "state")),
            "files in the runtime directory": files(bench.env["XDG_RUNTIME_DIR"]),
            "descriptors here": len(os.listdir("/proc/self/fd"))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("--devenv", "--archive", "--work"):
        parser.add_argument(option, required=True)
    options = parser.parse_args()
    total = int(os.environ.get("SOAK", "300"))
    before = inside()
    bench = Bench(options.devenv, options.archive, options.work)
    keeper = subprocess.Popen([options.devenv, "-q", "run", "--", "sh", "-c", "echo; read x"], env=bench.env,
                              cwd=os.path.join(bench.home, "warm"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    keeper.stdout.readline()
    first = None
    for n in range(total):
        bench.session(n)
        if n == total // 10:
            first = count(bench, before)
    last = count(bench, before)
    keeper.communicate(b"\n")
    failed = 0
    for name, value in last.items():
        print(f"# {name}: {first[name]}, {value}")
        if value > first[name]:
            failed += 1
            print(f"not ok soak: {name} grew")
    end = time.monotonic() + 20
    while inside().keys() - before.keys() and time.monotonic() < end:
        time.sleep(0.1)
    if inside().keys() - before.keys():
        failed += 1
        print("not ok soak: processes are left")
    print(f"{len(last) + 1 - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
