#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Environments start while a session of another one flips directories that it shares with them into links and back.

usage: hostile_race.py DEVENV WORK CANARY COUNT

WORK holds the projects `victim` and `racer` (see hostile.bats), `shared`, and `victim.other`, another project, which asks for
a power that nobody granted. Each start must end in a sandbox that is sound (everything mounted where it belongs or in what the racer made of
that place, no directory of the host in sight) or in a refusal; the canary stays as it was. In the last quarter the project
itself and its .git are exchanged as well. Prints a summary; exit 1 when something was wrong.
"""
import collections
import os
import re
import subprocess
import sys

PLACES = re.compile(r"/|/tmp|/dev(/[a-z]+)?|/proc(/[a-z_-]+)?|/sys(/devices/system/cpu)?|/srv/shared|/etc/resolv\.conf")


def describe(directory):
    found = []
    for top, names, files in os.walk(directory):
        for name in [".", *names, *files]:
            path = os.path.join(top, name)
            st = os.lstat(path)
            found.append((path, st.st_mode, st.st_uid, st.st_size, st.st_mtime_ns, st.st_ctime_ns))
    return found


class Race:
    def __init__(self, devenv, work, canary):
        self.devenv, self.work, self.canary = devenv, work, canary
        self.victim, self.home = os.path.join(work, "victim"), os.environ["HOME"]
        self.stop, self.racer = os.path.join(work, "racer", "stop"), None
        self.sound = self.refused = 0
        self.reasons = collections.Counter()
        self.before = describe(canary)

    def pairs(self, slow):
        inside = "/srv/place/victim/"
        names = [inside + name for name in ("below", "beside", "sub", "subsub")] + ["/srv/shared/deep"]
        if slow:
            names += [inside + ".git", "/srv/place/victim"]
        return [word for name in names for word in (name, name + ".other")]

    def start_racer(self, slow):
        if os.path.exists(self.stop):
            os.unlink(self.stop)
        self.racer = subprocess.Popen([self.devenv, "-C", os.path.join(self.work, "racer"), "run", "--", "./probe", "flip",
                                       "stop", *self.pairs(slow)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, text=True)

    def stop_racer(self):
        with open(self.stop, "w", encoding="utf-8"):
            pass
        out, _ = self.racer.communicate(timeout=60)
        match = re.search(r"exchanged (\d+)", out)
        if self.racer.returncode or not match:
            raise SystemExit(f"the racer ended with {self.racer.returncode}: {out}")
        return int(match.group(1))

    def mount_problem(self, where, root):
        if "/volumes/" in root:
            name, base = os.path.basename(root), os.path.dirname(where)
            wanted = {"a": [self.victim + "/below"], "b": [self.victim + "/beside"], "c": ["/srv/shared/deep"]}[name]
            # a directory that is exchanged after the mount takes it along
            if not any(base in (place, place + ".other") for place in wanted):
                return f"the volume {name} is mounted at {where}"
        elif not PLACES.fullmatch(where) and where not in (self.home, self.victim) and not where.startswith(self.victim + "/.git"):
            return f"{root} is mounted at {where}"
        return None

    def problem(self, result):
        """None, or what is wrong with the end of a start."""
        if result.returncode == 125:
            self.refused += 1
            lines = result.stderr.splitlines()
            self.reasons[re.sub(r"/\S+|[0-9]+", "", lines[0] if lines else "")] += 1
            if result.stdout or not lines or not all(re.match(r"devenv: |  ", line) for line in lines):
                return f"a refusal that is none: {result.stdout}{result.stderr}"
            return None
        lines = result.stdout.splitlines()
        if "decoy" in lines:
            return "another project ran with a power it was never granted"
        if result.returncode or not lines or lines[-1] != "seen no":
            return f"{result.returncode}: {result.stdout[-300:]}{result.stderr}"
        self.sound += 1
        for line in lines[:-1]:
            what, value = line.split(" ", 1)
            if what == "cwd" and not value.startswith("/"):
                return f"the working directory is {value}"
            wrong = self.mount_problem(*value.split(" ", 1)) if what == "mount" else None
            if wrong:
                return wrong
        return None

    def run(self, count):
        exchanged, problems = 0, []
        parts = [(count - count // 4, False), (count // 4, True)]
        for part, slow in parts:
            self.start_racer(slow)
            for n in range(part):
                where = self.victim + ["", "/sub", "/subsub", "/below"][n % 4]
                words = [self.devenv, "-q", "-C", where, "run", *(["--root"] if n % 5 == 4 else []), "--", "/srv/shared/probe",
                         "race", self.canary, self.victim + "/is-other", self.victim + "/.git/keep"]
                try:
                    result = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                                            check=False, cwd="/")
                    wrong = self.problem(result)
                except subprocess.TimeoutExpired:
                    wrong = "it hangs"
                if describe(self.canary) != self.before:
                    wrong = "the canary changed"
                if wrong:
                    problems.append(f"start {n} in {where}: {wrong}")
                if len(problems) > 5:
                    break
            exchanged += self.stop_racer()
        print(f"{count} starts, {self.sound} sound, {self.refused} refused, {exchanged} exchanges")
        print("".join(f"{count} {reason}\n" for reason, count in self.reasons.most_common()), end="")
        # a race that is always won or always lost is none
        if not self.sound or not self.refused or exchanged < count:
            problems.append("nothing was raced")
        print("\n".join(problems))
        return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(Race(*sys.argv[1:4]).run(int(sys.argv[4])))
