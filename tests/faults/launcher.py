#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Faults at the system calls of the launcher and of pid 1 while a fresh plan is carried out; the core has no part in it.

First a run is traced and every call of it listed. Then, for each call of each kind that changes something, a run is killed
there; and for each call that can fail, a run has it fail. After each one the next run must work. A run whose call failed
must succeed all the same or end with 125 and one line; it must not end by a signal and not hang. In the end no process,
no mount and no scratch directory is left.

FAULTS=all tries every error at every call, otherwise one of its errors each, in turn; FAULTS_SAMPLE=N every Nth point.
"""
import argparse
import os
import re
import signal
import subprocess
import sys
import time

# Calls at which a kill leaves a state of its own. prctl stands for some forty in a row.
KILL_AT = """open openat openat2 close close_range read write mkdir mkdirat mknod symlink unlinkat fcntl flock clone vfork setns
 setsid mount move_mount open_tree mount_setattr pivot_root umount2 fchdir chdir sethostname socket ioctl pipe2 pidfd_open
 rt_sigprocmask rt_sigtimedwait capset seccomp execve prctl kill wait4 getdents64""".split()
# What the kernel may answer. Out of memory for the program's own heap aborts by design, so brk and mmap are not here.
FILES = "open openat openat2 mkdir mkdirat mknod symlink stat lstat getcwd unlinkat getdents64".split()
MOUNTS = "mount move_mount open_tree mount_setattr pivot_root umount2".split()
ERRORS = {
    "EIO": FILES + "read write fstat chdir fchdir mount".split(),
    "ENOSPC": "open openat mkdir mkdirat mknod symlink write mount clone".split(),
    "EMFILE": "open openat openat2 open_tree pidfd_open socket pipe2 clone".split(),
    "ENOMEM": FILES + MOUNTS + "read write fcntl clone vfork setns execve seccomp prctl capset socket ioctl pipe2 pidfd_open "
                               "flock chdir fchdir sethostname".split(),
    "EINTR": "open openat read write fcntl flock close rt_sigtimedwait".split(),
}


class Bench:
    def __init__(self, devenv, layout, work):
        self.devenv, self.work = devenv, work
        self.home, self.project = os.path.join(work, "home"), os.path.join(work, "home", "shop")
        self.env = {"HOME": self.home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
                    "XDG_RUNTIME_DIR": os.path.join(self.home, "run")}
        os.makedirs(self.project)
        os.makedirs(self.env["XDG_RUNTIME_DIR"], mode=0o700)
        subprocess.run(["cp", "-r", layout, os.path.join(self.project, "image")], check=True)
        with open(os.path.join(self.project, "devenv.ini"), "w", encoding="utf-8") as file:
            file.write("[base]\noci = image:latest\n[sandbox]\nnetwork = none\n")
        for words in (["allow", "-y"], ["lock"], ["pull"]):
            self.must(words)
        # what the plan is made from has to be two seconds old before the plan counts as fresh
        self.session()
        time.sleep(2.1)
        self.session()
        checkouts = os.path.join(self.home, ".local", "state", "devenv", "checkouts")
        self.scratch = os.path.join(checkouts, os.listdir(checkouts)[0], "scratch")

    def start(self, words, wrapper=()):
        process = subprocess.Popen([*wrapper, self.devenv, *words], env=self.env, cwd=self.project, start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   errors="replace")
        try:
            out, err = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def must(self, words):
        result = self.start(words)
        if result.returncode:
            raise SystemExit(f"launcher faults: devenv {' '.join(words)}: {result.returncode}: {result.stderr}")
        return result

    def session(self):
        return self.must(["run", "--", "/hello"])

    def traced(self, *options):
        """A session under strace; (its result, the log)."""
        log = os.path.join(self.work, "trace")
        result = self.start(["run", "--", "/hello"], ["strace", "-f", "-qq", "-e", "signal=none", "-o", log, *options])
        with open(log, encoding="utf-8", errors="replace") as file:
            return result, file.read()


def list_calls(log):
    """call -> how many of it the busiest process makes before a program of the user's runs in it."""
    counts, done, first = {}, set(), True
    for line in log.splitlines():
        match = re.match(r"(\d+) +(\w+)\(", line)
        if match and match.group(1) not in done:
            key = match.group(1), match.group(2)
            counts[key] = counts.get(key, 0) + 1
        # strace counts for each process; the first execve is devenv's own
        if re.match(r"\d+ +(execve\(|<... execve resumed>).*= 0$", line):
            if not first:
                done.add(line.split(" ", 1)[0])
            first = False
    calls = {}
    for (_, call), count in counts.items():
        calls[call] = max(calls.get(call, 0), count)
    return calls


def points(calls, everything, sample):
    """(call, fault, n)"""
    turn, found = 0, []
    for call, count in sorted(calls.items()):
        errors = [error for error, names in ERRORS.items() if call in names]
        for n in range(1, count + 1):
            if call == "execve" and n == 1:
                continue  # devenv itself
            if call == "prctl" and not everything and 4 < n < count - 3:
                continue
            if call in KILL_AT:
                found.append((call, "signal=KILL", n))
            if errors and everything:
                found.extend((call, f"error={error}", n) for error in errors)
            elif errors:
                found.append((call, f"error={errors[turn % len(errors)]}", n))
                turn += 1
    return found[::sample]


def one_line(text):
    lines = text.splitlines()
    return sum(line.startswith("devenv: ") for line in lines) == 1 and all(
        re.match(r"devenv: |  hint: ", line) for line in lines)


def try_point(bench, call, fault, n):
    """None, or what is wrong."""
    try:
        result, _ = bench.traced("-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={n}")
    except subprocess.TimeoutExpired:
        return "it hangs"
    said = f"{result.returncode}: {result.stderr}"
    # without a plan to read the core is asked, and its loader is disturbed in the same way
    if fault.startswith("error") and "devenv-core: error while loading" not in result.stderr:
        if result.returncode not in (0, 125, 126):
            return f"ended with {said}"
        lost = call == "write" and fault != "error=EINTR" and not result.stderr  # the message itself
        if result.returncode and not one_line(result.stderr) and not lost:
            return f"not one line: {said}"
    try:
        after = bench.start(["run", "--", "/hello"])
    except subprocess.TimeoutExpired:
        return f"the next run hangs; the first said {said}"
    if after.returncode or after.stderr:
        return f"the next run said {after.returncode}: {after.stderr}; the first {said}"
    return None


def inside():
    """Processes of ours in another pid namespace."""
    here, found = os.readlink("/proc/self/ns/pid"), []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{name}").st_uid == os.geteuid() and os.readlink(f"/proc/{name}/ns/pid") != here:
                found.append(name)
        except OSError:
            continue
    return set(found)


def mounts(work):
    """Those that a sandbox of ours would make; others on this machine mount things too."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return sorted(line for line in file if work in line or " - overlay devenv " in line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("--devenv", "--layout", "--work"):
        parser.add_argument(option, required=True)
    options = parser.parse_args()
    already, mounted = inside(), mounts(options.work)
    bench = Bench(options.devenv, options.layout, options.work)
    result, log = bench.traced()
    if result.returncode or re.search(r'execve\("[^"]*devenv-core', log):
        raise SystemExit(f"launcher faults: the run that is to be disturbed is not a fresh one: {result.stderr}")
    passed = failed = hangs = 0

    def check(problem, what):
        nonlocal passed, failed
        if not problem:
            passed += 1
            return
        failed += 1
        print(f"not ok launcher: {what}\n" + "".join(f"#   {line}\n" for line in problem.splitlines()), end="", flush=True)
    for call, fault, n in points(list_calls(log), os.environ.get("FAULTS") == "all", int(os.environ.get("FAULTS_SAMPLE", "1"))):
        problem = try_point(bench, call, fault, n)
        check(problem, f"{call} {fault} at {n}")
        hangs += bool(problem and "hangs" in problem)
        if hangs > 5:
            print("# too many hang: the rest is not tried")
            break
    # scratch directories are swept when they are old enough to be nobody's
    time.sleep(6)
    bench.session()
    end = time.monotonic() + 15
    while (inside() - already or os.listdir(bench.scratch)) and time.monotonic() < end:
        time.sleep(0.1)
    check(" ".join(inside() - already), "no process is left")
    check(" ".join(os.listdir(bench.scratch)), "no scratch directory is left")
    check("" if mounts(options.work) == mounted else "they are not", "the host's mounts are as they were")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
