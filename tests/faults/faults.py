#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nothing lost, nothing left behind: faults injected by strace at the system calls that change something.

For each command there is a state to start from (a home directory with project, store and state). At each point:
restore that state, run the command with the fault, then run it again without. The second run must succeed with no
manual step, and after `devenv gc` the store must hold exactly what a run without faults leaves there. In the end no
process of ours is left in another pid namespace and the host's mounts are as they were.

Two kinds of fault: SIGKILL at the call, and the call failing with an error. An error may make the first run fail, but
with an exit status of its own: never a signal, never a success that isn't one.
"""
import argparse
import ctypes
import os
import shutil
import subprocess
import sys
import time

KILL_AT = ["openat", "mkdir", "mkdirat", "write", "pwrite64", "rename", "renameat", "renameat2", "unlink", "unlinkat", "link",
           "linkat", "symlinkat", "fchmod", "fchmodat", "ftruncate", "fsync", "syncfs", "flock", "utimensat", "fsetxattr",
           "clone", "clone3", "vfork", "unshare", "setns", "mount", "move_mount", "open_tree", "pivot_root", "umount2",
           "execve", "socket", "connect", "sendto", "recvfrom", "futex", "close"]
FAIL_WITH = {
    "openat": ["EMFILE", "EIO"], "mkdirat": ["ENOSPC"], "write": ["ENOSPC", "EIO", "EINTR"], "pwrite64": ["ENOSPC"],
    "renameat": ["EIO", "EROFS"], "renameat2": ["EIO"], "unlinkat": ["EIO"], "linkat": ["EDQUOT"], "symlinkat": ["ENOSPC"],
    "fchmod": ["EIO"], "ftruncate": ["ENOSPC"], "fsync": ["EIO"], "syncfs": ["EIO"], "flock": ["EINTR", "ENOLCK"],
    "read": ["EIO", "EINTR"], "clone": ["EAGAIN"], "clone3": ["EAGAIN"], "unshare": ["EPERM"], "mount": ["EPERM"],
    "move_mount": ["EINVAL"], "pivot_root": ["EINVAL"], "execve": ["ENOMEM"], "socket": ["EMFILE"],
    "connect": ["ECONNREFUSED"], "recvfrom": ["ECONNRESET"], "setns": ["EPERM"], "pipe2": ["EMFILE"],
}


class Bench:
    """A home directory at one fixed path, and what is needed to run devenv in it."""

    def __init__(self, devenv, image, work):
        self.devenv, self.image, self.work = devenv, image, work
        self.home = os.path.join(work, "home")
        self.project = os.path.join(self.home, "shop")
        self.env = {"HOME": self.home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
                    "DEVENV_STORE": os.path.join(self.home, "store"), "XDG_RUNTIME_DIR": os.path.join(self.home, "run")}

    def run(self, words, wrapper=(), timeout=60):
        # an own session, so that nothing holds a terminal, and a time limit that is no measurement
        reap()
        return subprocess.run([*wrapper, self.devenv, "-C", self.project, *words], env=self.env, timeout=timeout,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", check=False)

    def must(self, *words):
        result = self.run(words)
        if result.returncode:
            raise SystemExit(f"faults: devenv {' '.join(words)}: {result.returncode}: {result.stdout}")

    def save(self, name):
        subprocess.run(["cp", "-a", self.home, os.path.join(self.work, name)], check=True)

    def restore(self, name):
        remove(self.home)
        subprocess.run(["cp", "-a", os.path.join(self.work, name), self.home], check=True)

    def prepare(self):
        """The states: allowed, locked, pulled, littered (an image nobody needs)."""
        os.makedirs(self.project)
        os.makedirs(self.env["XDG_RUNTIME_DIR"], mode=0o700)
        with open(os.path.join(self.project, "devenv.ini"), "w", encoding="utf-8") as file:
            file.write(f"[base]\nimage = {self.image}\n[sandbox]\nnetwork = none\n")
        self.save("fresh")
        self.must("allow", "-y")
        self.save("allowed")
        self.must("lock")
        self.save("locked")
        self.must("pull")
        self.must("run", "true")
        self.save("pulled")
        os.unlink(os.path.join(self.project, "devenv.lock"))
        remove(os.path.join(self.home, ".local"))
        self.save("littered")

    def listing(self):
        """Every name in the store with its kind and size, but for staging, lock files, and what saves space only: a file that
        generated layers share where that could be had."""
        found = set()
        store = self.env["DEVENV_STORE"]
        for directory, names, files in os.walk(store):
            for name in names + files:
                path = os.path.join(directory, name)
                relative = os.path.relpath(path, store)
                info = os.lstat(path)
                if relative.startswith(("tmp/", "skeletons/.shared/")) or relative.endswith((".lock", "/lock")) or relative == "lock":
                    continue
                found.add((relative, info.st_mode, 0 if os.path.isdir(path) else info.st_size))
        return found

    def staging(self):
        path = os.path.join(self.env["DEVENV_STORE"], "tmp")
        return os.listdir(path) if os.path.isdir(path) else []


def remove(path):
    subprocess.run(["chmod", "-R", "u+rwX", path], stderr=subprocess.DEVNULL, check=False)
    shutil.rmtree(path, ignore_errors=True)


def adopt():
    """Become the reaper of what our commands leave behind, so that it can be found."""
    if ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0):  # PR_SET_CHILD_SUBREAPER
        raise SystemExit("faults: cannot become a subreaper")


def reap():
    """Holders wait until what was killed is reaped."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def left():
    """Processes our commands left running."""
    reap()
    with open("/proc/self/task/{0}/children".format(os.getpid()), encoding="ascii") as file:
        children = file.read().split()
    found = []
    for pid in children:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                found.append(f"{pid} {file.read().replace(bytes(1), b' ').decode(errors='replace')}")
        except OSError:
            continue
    return found


def mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return sorted(line.split(" ", 1)[1] for line in file)


# command, the state it starts from, its words
COMMANDS = [
    ("allow", "fresh", ["allow", "-y"]),
    ("lock", "allowed", ["lock"]),
    ("pull", "locked", ["pull"]),
    ("run", "pulled", ["run", "true"]),
    ("run-unprepared", "locked", ["run", "true"]),
    ("gc", "littered", ["gc", "-y"]),
]


def points(everything):
    """Which occurrences of a call: all, or the first few and then ever fewer."""
    n = 1
    while True:
        yield n
        n += 1 if everything or n < 3 else n


class Report:
    def __init__(self):
        self.passed = self.failed = 0

    def line(self, good, text, detail=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"not ok {text}")
            print("".join(f"#   {line}\n" for line in detail.splitlines()), end="", flush=True)


def try_fault(bench, command, call, fault, n):
    """One point. Returns (was the fault reached, problem or None)."""
    _, state, words = command
    bench.restore(state)
    log = os.path.join(bench.work, "strace")
    wrapper = ["strace", "-f", "-q", "-o", log, "-e", f"trace={call}",
               "-e", f"inject={call}:{fault}:when={n}"]
    try:
        first = bench.run(words, wrapper)
    except subprocess.TimeoutExpired:
        return True, "hangs"
    with open(log, encoding="utf-8", errors="replace") as file:
        reached = "INJECTED" in (text := file.read()) or "killed by SIGKILL" in text
    if not reached:
        return False, None if first.returncode == 0 else f"fails without a fault: {first.stdout}"
    if fault.startswith("error") and (first.returncode < 0 or first.returncode in (134, 139)):
        return True, f"died of a signal ({first.returncode}): {first.stdout}"
    try:
        second = bench.run(words)
    except subprocess.TimeoutExpired:
        return True, f"the next command hangs; the first said {first.returncode}: {first.stdout}"
    if second.returncode:
        return True, f"the next command fails: {second.stdout}\nthe first said {first.returncode}: {first.stdout}"
    return True, None


def check_left(bench, reference):
    """What is left after the second run and one gc, or None."""
    collected = bench.run(["gc", "-y"])
    if collected.returncode:
        return f"gc fails: {collected.stdout}"
    if bench.staging():
        return f"left in staging: {bench.staging()}"
    difference = bench.listing() ^ reference
    if difference:
        return f"the store differs: {sorted(name for name, _, _ in difference)[:10]}"
    return None


def run_command(bench, command, everything, report):
    name, state, words = command
    bench.restore(state)
    bench.must(*words)
    bench.must("gc", "-y")
    reference = bench.listing()
    faults = [(call, "signal=KILL") for call in KILL_AT]
    faults += [(call, f"error={error}") for call, errors in FAIL_WITH.items() for error in errors]
    for call, fault in faults:
        tried = 0
        for n in points(everything):
            reached, problem = try_fault(bench, command, call, fault, n)
            problem = problem or (check_left(bench, reference) if reached else None)
            if reached or problem:
                tried += 1
                report.line(not problem, f"{name}: {call} {fault} at {n}", problem or "")
            if not reached or problem:
                break
        if tried:
            print(f"# {name}: {call} {fault}: {tried} points", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("--devenv", "--image", "--work"):
        parser.add_argument(option, required=True)
    options = parser.parse_args()
    bench, report, before = Bench(options.devenv, options.image, options.work), Report(), mounts()
    only = os.environ.get("FAULTS_ONLY", "").split(",") if os.environ.get("FAULTS_ONLY") else None
    adopt()
    bench.prepare()
    for command in COMMANDS:
        if not only or command[0] in only:
            run_command(bench, command, os.environ.get("FAULTS") == "all", report)
    end = time.monotonic() + 10
    while left() and time.monotonic() < end:
        time.sleep(0.1)
    remaining = left()
    report.line(not remaining, "no process is left", "\n".join(remaining))
    report.line(mounts() == before, "the host's mounts are as they were")
    remove(bench.home)
    print(f"{report.passed} passed, {report.failed} failed, 0 skipped")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
