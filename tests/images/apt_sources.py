#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print apt source lines for a Debian suite, taken from this machine's own apt configuration.

usage: apt_sources.py SUITE

No address is written down here: the mirror is the one that /etc/apt/sources.list and sources.list.d name for the
release this machine runs. Prints nothing when there is none; mmdebstrap then uses its default.
"""
import glob
import re
import shlex
import sys


def one_line(text):
    """Yield (uris, suites, components) of each deb line in the one-line format."""
    for line in text.splitlines():
        line = line.split("#", 1)[0].strip()
        match = re.match(r"deb\s+(\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*(.*)", line)
        if match:
            yield [match.group(2)], [match.group(3)], match.group(4).split()


def deb822(text):
    """Yield the same of each enabled stanza in the deb822 format."""
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields, last = {}, None
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in " \t" and last:
                fields[last] += " " + line.strip()
            elif ":" in line:
                last, value = line.split(":", 1)
                last = last.strip().lower()
                fields[last] = value.strip()
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
            continue
        yield (fields.get("uris", "").split(), fields.get("suites", "").split(),
               fields.get("components", "").split())


def configured():
    for path in ["/etc/apt/sources.list"] + sorted(glob.glob("/etc/apt/sources.list.d/*")):
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except OSError:
            continue
        if path.endswith(".list"):
            yield from one_line(text)
        elif path.endswith(".sources"):
            yield from deb822(text)


def host_suites():
    release = {}
    with open("/etc/os-release", encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition("=")
            release[name] = "".join(shlex.split(value))
    return {release.get("VERSION_CODENAME", ""), "stable", "oldstable", "testing", "unstable", "sid"} - {""}


def main():
    suite = sys.argv[1]
    wanted = host_suites()
    for uris, suites, components in configured():
        if uris and wanted & set(suites) and "main" in components:
            print(f"deb {uris[0]} {suite} main")
            return


main()
