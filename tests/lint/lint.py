#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rules of the sources that a machine can check. Each check is a function of a tree that yields findings.

usage: lint.py [--root DIR] [--build DIR]

Prints one TAP line per check, the findings after it. Warnings do not fail. selftest.py feeds every check something bad.
"""
import argparse
import glob
import os
import re
import shutil
import stat
import subprocess
import sys

# What a folder may include (besides itself): the table of the architecture.
CORE = ["base", "plan", "config", "fetch", "store", "layer", "source"]
LAYERS = {
    "base": [],
    "plan": ["base"],
    "sandbox": ["base", "plan"],
    "launcher": ["base", "plan", "sandbox"],
    "config": ["base"],
    "fetch": ["base", "config"],
    "store": ["base"],
    "layer": ["base", "store"],
    "source": ["base", "config", "fetch", "store", "layer"],
    "env": CORE,
    "service": CORE + ["env"],
    "cli": CORE + ["env", "service"],
}

# A third-party header has owners; everybody else goes through their interface.
OWNERS = [
    (r"git2(/.*)?\.h", r"fetch/git[a-z_]*\.c"),
    (r"curl/.*", r"fetch/http[a-z_]*\.[ch]"),
    (r"archive(_entry)?\.h", r"(layer/.*|source/oci_archive)\.c"),
    (r"ini\.h", r"config/ini\.c"),
    (r"jansson\.h", r"fetch/(auth|credentials)\.c|source/.*\.[ch]|cli/.*\.[ch]|env/cdi\.c"),
    (r"openssl/.*", r"base/digest\.c"),
    (r"seccomp\.h", r"env/filter\.c"),
    (r"systemd/.*", r"env/limit_systemd\.c"),
    (r"(zlib|zstd|lzma|igzip_lib|isa-l|isa-l/.*)\.h", r"layer/.*\.[ch]"),
]

# libc and the kernel: free for all.
LIBC = re.compile(
    r"(sys|linux|netinet|arpa|net|asm)/[a-z0-9_/]+\.h|"
    r"(assert|ctype|dirent|dlfcn|elf|endian|err|errno|fcntl|fnmatch|ftw|getopt|glob|grp|inttypes|langinfo|libgen|limits|"
    r"locale|math|mntent|netdb|paths|poll|pthread|pty|pwd|regex|sched|search|semaphore|setjmp|signal|spawn|stdalign|"
    r"stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|syslog|termios|threads|time|ucontext|"
    r"unistd|utime|wchar|wctype)\.h")

FILE_LIMIT, FILE_BUDGET, FUNCTION_BUDGET = 600, 500, 60
WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
NAMES = re.compile(r"(^|[_-])(util|utils|misc|common|helper|helpers)([_.-]|$)")


class Finding(str):
    """One line for the reader; a warning does not fail the check."""
    warning = False


def warn(text):
    finding = Finding(text)
    finding.warning = True
    return finding


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def files(root, folders, pattern=r".*"):
    """Paths relative to root of the regular files below folders whose names match."""
    for folder in folders:
        top = os.path.join(root, folder)
        if os.path.isfile(top):
            yield folder
        for directory, names, found in os.walk(top):
            names[:] = sorted(n for n in names if n not in (".git", "__pycache__"))
            for name in sorted(found):
                path = os.path.join(directory, name)
                if re.fullmatch(pattern, name) and os.path.isfile(path) and not os.path.islink(path):
                    yield os.path.relpath(path, root)


def sources(root):
    return files(root, ["devenv"], r".*\.[ch]")


def without_comments(text):
    """Comments and string contents become blanks; lines stay where they are."""
    def blank(match):
        token = match.group(0)
        if token[0] in "\"'":
            return token[0] + " " * (len(token) - 2) + token[0]
        return re.sub(r"[^\n]", " ", token)
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text, flags=re.S)


def include_problem(where, kind, name):
    """Why `where` (relative to devenv/) may not include `name`, or None."""
    folder = where.split("/")[0]
    if kind == '"':
        target = name.split("/")[0]
        if "/" not in name:
            return 'is not relative to devenv/'
        if folder not in LAYERS:
            return "the folder is not in the table of the architecture"
        if target != folder and target not in LAYERS[folder]:
            return f"{folder}/ may include {' '.join(LAYERS[folder]) or 'nothing'} only"
        return None
    for header, owner in OWNERS:
        if re.fullmatch(header, name):
            return None if re.fullmatch(owner, where) else f"only {owner} may"
    if not LIBC.fullmatch(name):
        return "it has no owner: add it to OWNERS in lint.py"
    return None


def check_layering(root, _build):
    """a folder includes only what the table allows; a third-party header only in its owner"""
    for path in sources(root):
        for number, line in enumerate(read(os.path.join(root, path)).splitlines(), 1):
            match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
            why = match and include_problem(os.path.relpath(path, "devenv"), *match.groups())
            if why:
                yield Finding(f"{path}:{number}: includes {match.group(2)}: {why}")


def check_budgets(root, _build):
    """files up to 600 lines; functions over 60 and files over 500 are warned about"""
    for path in sources(root):
        lines = without_comments(read(os.path.join(root, path))).splitlines()
        if len(lines) > FILE_LIMIT:
            yield Finding(f"{path}: {len(lines)} lines, more than {FILE_LIMIT}: split it by topic")
        elif len(lines) > FILE_BUDGET:
            yield warn(f"{path}: {len(lines)} lines")
        start = None
        for number, line in enumerate(lines, 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start - 1 > FUNCTION_BUDGET:
                    yield warn(f"{path}:{start}: a function of {number - start - 1} lines")
                start = None


def check_words(root, _build):
    """nothing is left open in the code"""
    for path in files(root, ["devenv", "shell", "hooks", "templates", "packaging"]):
        for number, line in enumerate(read(os.path.join(root, path)).splitlines(), 1):
            if WORDS.search(line):
                yield Finding(f"{path}:{number}: {line.strip()}")


def check_owner_validation(root, _build):
    """libgit2's look at who owns a repository stays on (security rule 20)"""
    for path in sources(root):
        for number, line in enumerate(read(os.path.join(root, path)).splitlines(), 1):
            if "GIT_OPT_SET_OWNER_VALIDATION" in line:
                yield Finding(f"{path}:{number}: {line.strip()}")


def check_names(root, _build):
    """no file is called util, misc, common or helpers"""
    for path in files(root, ["devenv", "shell", "hooks", "packaging", "tests"]):
        if NAMES.search(os.path.basename(path)):
            yield Finding(f"{path}: say what it holds")


def check_licence(root, _build):
    """sources and scripts begin with their licence"""
    for path in files(root, ["devenv", "tests", "shell", "hooks", "packaging", ".ci", "Makefile"]):
        if "/corpus/" in path:
            continue
        head = read(os.path.join(root, path))[:400]
        if not (path.endswith((".c", ".h", ".py", ".bash", ".bats", "Makefile")) or head.startswith("#!")):
            continue
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in head.splitlines()[:3]):
            yield Finding(f"{path}: no SPDX-License-Identifier in its first three lines")


def call_arguments(text, start):
    """The text between the parenthesis at `start` and its partner."""
    depth = 0
    for i in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return text[start + 1:i]
    return ""


# Calls that make a descriptor, and what makes it close at exec. sys_openat2 and sys_open_tree add it themselves.
DESCRIPTORS = {
    "open": "CLOEXEC|flags", "openat": "CLOEXEC|flags", "socket": "CLOEXEC", "socketpair": "CLOEXEC", "pipe2": "CLOEXEC",
    "accept4": "CLOEXEC", "memfd_create": "CLOEXEC", "eventfd": "CLOEXEC", "epoll_create1": "CLOEXEC",
    "signalfd": "CLOEXEC", "inotify_init1": "CLOEXEC", "timerfd_create": "CLOEXEC",
    "pipe": None, "accept": None, "creat": None, "dup": None, "epoll_create": None, "inotify_init": None,
}
# (path, call): why it may do without.
DESCRIPTOR_EXCEPTIONS = {
    ("devenv/launcher/main.c", "open"): "descriptors 0 to 2 are filled and must survive exec",
}


def check_descriptors(root, _build):
    """every new descriptor is O_CLOEXEC"""
    call = re.compile(r"(?<![\w.>])(" + "|".join(DESCRIPTORS) + r")\s*\(")
    for path in files(root, ["devenv"], r".*\.c"):
        raw = read(os.path.join(root, path))
        text = without_comments(raw)
        for match in call.finditer(text):
            wanted = DESCRIPTORS[match.group(1)]
            if (path, match.group(1)) in DESCRIPTOR_EXCEPTIONS:
                continue
            if not wanted or not re.search(wanted, call_arguments(text, match.end() - 1)):
                yield Finding(f"{path}:{text.count(chr(10), 0, match.start()) + 1}: {match.group(1)} without O_CLOEXEC")
        for match in re.finditer(r"\bfopen(?:64)?\s*\([^;]*?,\s*\"([^\"]*)\"\s*\)", raw):
            if "e" not in match.group(1):
                yield Finding(f"{path}:{raw.count(chr(10), 0, match.start()) + 1}: fopen without 'e' in its mode")


def registry_hosts():
    """Hosts that this machine's apt and npm take packages from."""
    found = set()
    for path in ["/etc/apt/sources.list"] + glob.glob("/etc/apt/sources.list.d/*"):
        if os.path.isfile(path) and os.access(path, os.R_OK):
            found |= set(re.findall(r"https?://([^/\s:]+)", re.sub(r"(?m)^\s*#.*", "", read(path))))
    for path in ["/etc/npmrc", os.path.expanduser("~/.npmrc")]:
        if os.path.isfile(path) and os.access(path, os.R_OK):
            found |= set(re.findall(r"https?://([^/\s:]+)", read(path)))
    found |= set(re.findall(r"https?://([^/\s:]+)", os.environ.get("npm_config_registry", "")))
    return found - {"localhost", "127.0.0.1"}


def check_addresses(root, _build, hosts=None):
    """no registry address or path of this machine is written down"""
    words = sorted(registry_hosts() if hosts is None else hosts)
    parent = os.path.dirname(os.path.abspath(root))
    if parent.count("/") >= 1 and parent not in ("/", "/home", "/root", "/tmp", "/src", "/usr/src"):
        words.append(parent + "/")
    folders = ["devenv", "tests", "shell", "hooks", "templates", "packaging", ".ci", "Makefile", "README.md", "CHANGELOG.md"]
    for path in files(root, folders):
        text = read(os.path.join(root, path))
        for word in words:
            if word in text:
                yield Finding(f"{path}:{text.count(chr(10), 0, text.index(word)) + 1}: contains {word}")


def readelf(path, what="-hlWd"):
    """What the program's headers say; "" where there is no program."""
    if not os.path.exists(path):
        return ""
    return subprocess.run(["readelf", what, path], capture_output=True, text=True, check=True).stdout


def check_launcher(_root, build):
    """the launcher is a static position-independent program with full RELRO and no setuid bit"""
    path = os.path.join(build, "devenv")
    text = readelf(path)
    if not text:
        yield Finding(f"{path}: not built")
        return
    can_be_static = shutil.which("musl-gcc") is not None
    if not re.search(r"Type:\s+DYN", text):
        yield Finding(f"{path}: not ET_DYN")
    for what, pattern in [("an interpreter", r"\bINTERP\b"), ("a shared library", r"\(NEEDED\)")]:
        if re.search(pattern, text):
            yield (Finding if can_be_static else warn)(f"{path}: needs {what}")
    yield from hardening(path, text)


def check_core(_root, build):
    """the core is position-independent, with full RELRO, stack protector and FORTIFY, and no setuid bit"""
    path = os.path.join(build, "devenv-core")
    text = readelf(path)
    if not text:
        yield Finding(f"{path}: not built")
        return
    if not re.search(r"Type:\s+DYN", text):
        yield Finding(f"{path}: not ET_DYN")
    # Checked variants of memcpy and its like are what FORTIFY makes of calls whose sizes the compiler knows.
    if len(set(re.findall(r"\b__\w+_chk\b", readelf(path, "-sW")))) < 3:
        yield Finding(f"{path}: built without FORTIFY")
    yield from hardening(path, text)


def hardening(path, text):
    if "__stack_chk_fail" not in readelf(path, "-sW"):
        yield Finding(f"{path}: built without stack protector")
    if re.search(r"LOAD\s.*\bRWE\b", text):
        yield Finding(f"{path}: a segment that is writable and executable")
    if "TEXTREL" in text:
        yield Finding(f"{path}: its code is changed when it is loaded")
    if "GNU_RELRO" not in text:
        yield Finding(f"{path}: no RELRO")
    if not re.search(r"BIND_NOW|\bNOW\b", text):
        yield Finding(f"{path}: symbols are bound lazily")
    if re.search(r"GNU_STACK\s.*\bRWE\b", text):
        yield Finding(f"{path}: executable stack")
    if os.stat(path).st_mode & (stat.S_ISUID | stat.S_ISGID):
        yield Finding(f"{path}: setuid or setgid")


def check_negations(root, _build):
    """no line of a bats test is a bare `! command`, which never fails the test: `|| false` makes it"""
    for path in files(root, ["tests"], r".*\.bats"):
        for number, line in enumerate(read(os.path.join(root, path)).splitlines(), 1):
            if re.match(r"\s*! ", line) and "||" not in line and not line.endswith("\\"):
                yield Finding(f"{path}:{number}: add `|| false`: {line.strip()}")


# What mandoc -T lint says that is no fault here, with the reason.
MANUAL_EXCEPTIONS = re.compile(
    r"trailing delimiter: Ss \["          # a section's heading is written as in the file, with its brackets
    r"|referenced manual not found")  # which ones this machine has installed says nothing about ours


def check_manuals(root, _build):
    """mandoc has nothing to say about the manuals"""
    pages = list(files(root, ["devenv/cli/man"], r".*\.[1-8]"))
    if not shutil.which("mandoc"):
        yield warn("mandoc is not installed: the manuals were not looked at")
        return
    for page in pages:
        out = subprocess.run(["mandoc", "-T", "lint", "-W", "style", page], cwd=root, capture_output=True, text=True,
                             check=False).stdout
        for line in out.splitlines():
            if not MANUAL_EXCEPTIONS.search(line):
                yield Finding(line.removeprefix("mandoc: "))


def fixed_part(path):
    return re.split(r"[*{]", path, maxsplit=1)[0]


def check_removed(root, _build):
    """the manual names every file that layers of packages lack, as far as its name is fixed"""
    source = os.path.join(root, "devenv/env/step_settle.c")
    page = os.path.join(root, "devenv/cli/man/devenv.ini.5")
    rules = re.search(r"package_rules\[\] = \{(.*?)\{ NULL", read(source) if os.path.exists(source) else "", re.S)
    items = re.findall(r"^\.It Pa (.*)$", read(page) if os.path.exists(page) else "", re.M)
    named = [fixed_part(word) for item in items for word in item.split() if word.startswith("/")]
    for path in re.findall(r'\{ "([^"]+)"', rules[1]) if rules else []:
        ours = fixed_part("/" + path)
        if not any(name and (ours.startswith(name) or name.startswith(ours)) for name in named):
            yield Finding(f"devenv/cli/man/devenv.ini.5: not a word of /{path}, which step_settle.c removes")


def check_suites(root, _build):
    """every suite of the end-to-end tests is among those that run"""
    run = os.path.join(root, "tests/e2e/run")
    words = read(run).split() if os.path.exists(run) else []
    for path in files(root, ["tests/e2e"], r".*\.bats"):
        name = os.path.basename(path)
        if not any(name in word for word in words):
            yield Finding(f"{path}: tests/e2e/run does not name it")


CHECKS = [check_layering, check_budgets, check_words, check_owner_validation, check_names, check_licence, check_descriptors,
          check_addresses, check_negations, check_suites, check_manuals, check_removed, check_launcher, check_core]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=os.path.join(os.path.dirname(__file__), "..", ".."))
    parser.add_argument("--build", default="build")
    options = parser.parse_args()
    root = os.path.normpath(os.path.abspath(options.root))
    bad = 0
    print(f"1..{len(CHECKS)}")
    for number, check in enumerate(CHECKS, 1):
        found = list(check(root, os.path.join(root, options.build)))
        failed = any(not getattr(finding, "warning", False) for finding in found)
        bad += failed
        print(f"{'not ok' if failed else 'ok'} {number} - {check.__doc__}")
        for finding in found:
            print(f"# {'warning: ' if finding.warning else ''}{finding}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
