#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every check of lint.py is given something bad, and has to say so; and something good, and has to be silent."""
import os
import shutil
import subprocess
import sys
import tempfile

import lint

SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
# (check, path, content, is it to be rejected)
SAMPLES = [
    (lint.check_layering, "devenv/base/a.c", '#include "store/store.h"\n', True),
    (lint.check_layering, "devenv/launcher/a.c", '#include "config/config.h"\n', True),
    (lint.check_layering, "devenv/env/a.c", '#include "sandbox/sandbox.h"\n', True),
    (lint.check_layering, "devenv/sandbox/a.h", '  #  include "env/env.h"\n', True),
    (lint.check_layering, "devenv/store/a.c", '#include "store.h"\n', True),
    (lint.check_layering, "devenv/newfolder/a.c", '#include "base/err.h"\n', True),
    (lint.check_layering, "devenv/store/a.c", "#include <curl/curl.h>\n", True),
    (lint.check_layering, "devenv/store/a.c", "#include <openssl/evp.h>\n", True),
    (lint.check_layering, "devenv/config/a.c", "#include <jansson.h>\n", True),
    (lint.check_layering, "devenv/config/config.c", "#include <ini.h>\n", True),
    (lint.check_layering, "devenv/cli/a.c", "#include <git2.h>\n", True),
    (lint.check_layering, "devenv/source/a.c", "#include <archive.h>\n", True),
    (lint.check_layering, "devenv/env/a.c", "#include <seccomp.h>\n", True),
    (lint.check_layering, "devenv/env/a.c", "#include <glib.h>\n", True),
    (lint.check_layering, "devenv/env/a.c", '#include "plan/plan.h"\n#include "source/oci.h"\n#include <sys/stat.h>\n', False),
    (lint.check_layering, "devenv/fetch/http_body.c", "#include <curl/curl.h>\n", False),
    (lint.check_budgets, "devenv/base/a.c", "int x;\n" * 601, True),
    (lint.check_budgets, "devenv/base/a.c", "int x;\n" * 400, False),
    (lint.check_words, "devenv/base/a.c", "/* TO" + "DO: later */\n", True),
    (lint.check_words, "templates/x.ini", "; FIX" + "ME\n", True),
    (lint.check_words, "devenv/base/a.c", "/* todo lists are fine */\n", False),
    (lint.check_owner_validation, "devenv/fetch/a.c", "git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);\n", True),
    (lint.check_owner_validation, "devenv/fetch/a.c", "git_libgit2_opts(GIT_OPT_SET_USER_AGENT, 0);\n", False),
    (lint.check_names, "devenv/base/string_utils.c", SPDX, True),
    (lint.check_names, "devenv/base/common.h", SPDX, True),
    (lint.check_names, "devenv/base/commons_are_fine.h", SPDX, False),
    (lint.check_licence, "devenv/base/a.c", "int x;\n", True),
    (lint.check_licence, "tests/e2e/run", "#!/bin/sh\necho\n", True),
    (lint.check_licence, "devenv/base/a.c", SPDX, False),
    (lint.check_descriptors, "devenv/base/a.c", 'int f(void) { return open("x", O_RDONLY); }\n', True),
    (lint.check_descriptors, "devenv/base/a.c", "int f(void) { return openat(d, g(x),\n O_RDONLY); }\n", True),
    (lint.check_descriptors, "devenv/base/a.c", "int f(int *p) { return pipe(p); }\n", True),
    (lint.check_descriptors, "devenv/base/a.c", 'FILE *f(void) { return fopen("x", "r"); }\n', True),
    (lint.check_descriptors, "devenv/base/a.c", '/* open(x) */ int f(void) { return open("x", O_RDONLY | O_CLOEXEC); }\n',
     False),
    (lambda root, build: lint.check_addresses(root, build, {"mirror.example.net"}), "devenv/base/a.c",
     'const char *m = "http://mirror.example.net/debian";\n', True),
    (lambda root, build: lint.check_addresses(root, build, {"mirror.example.net"}), "devenv/base/a.c", SPDX, False),
    (lint.check_removed, "devenv/env/step_settle.c", 'rule package_rules[] = {\n{ "etc/x/*.key", REMOVE },\n{ NULL, REMOVE },\n', True),
    (lint.check_removed, "devenv/env/step_settle.c", 'rule rules[] = {\n{ "etc/x/*.key", REMOVE },\n{ NULL, REMOVE },\n', False),
    (lint.check_negations, "tests/e2e/a.bats", "@test \"a\" {\n\t! grep -q x y\n}\n", True),
    (lint.check_negations, "tests/e2e/a.bats", "@test \"a\" {\n\t! grep -q x y || false\n\trun ! true\n}\n", False),
    (lint.check_suites, "tests/e2e/a.bats", "@test \"a\" {\n}\n", True),
    (lint.check_suites, "tests/e2e/run", "all=(a.bats)\n", False),
]
PAGE = ".Dd January 1, 2026\n.Dt A 1\n.Os\n.Sh NAME\n.Nm a\n.Nd b\n.Sh DESCRIPTION\nText.\n"
if shutil.which("mandoc"):
    SAMPLES += [(lint.check_manuals, "devenv/cli/man/a.1", PAGE, False),
                (lint.check_manuals, "devenv/cli/man/a.1", PAGE + ".Bl -tag\n.It Fl x\n", True)]


def run_sample(check, path, content):
    with tempfile.TemporaryDirectory() as root:
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full))
        with open(full, "w", encoding="utf-8") as file:
            file.write(content)
        return any(not getattr(finding, "warning", False) for finding in check(root, None))


HARDENED = ["-O1", "-w", "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]


def run_binary(flags, mode=0o755):
    """A program built with `flags` in the launcher's and the core's place: what do the checks say?"""
    with tempfile.TemporaryDirectory() as build:
        with open(os.path.join(build, "x.c"), "w", encoding="utf-8") as file:
            file.write("#include <stdio.h>\n#include <string.h>\nint main(int argc, char **argv) { char a[64], b[64]; strcpy(a, argv[0]);"
                       " snprintf(b, (size_t)argc * 8, argv[argc - 1], a); memcpy(a, b, (size_t)argc); strcat(a, b);"
                       " return printf(a, argc); }\n")
        for name in ["devenv", "devenv-core"]:
            program = os.path.join(build, name)
            subprocess.run([os.environ.get("CC", "cc"), *flags, "-o", program, os.path.join(build, "x.c")], check=True)
            os.chmod(program, mode)
        return list(lint.check_launcher(None, build)), list(lint.check_core(None, build))


def main():
    results = []
    for check, path, content, wanted in SAMPLES:
        got = run_sample(check, path, content)
        label = getattr(check, "__name__", "check_addresses").replace("<lambda>", "check_addresses")
        results.append((got == wanted, f"{label} {'rejects' if wanted else 'accepts'} {path}: {content.strip()[:50]!r}"))
    dynamic, plain_core = run_binary(["-pie", "-Wl,-z,relro,-z,now", *HARDENED])
    results.append((any("interpreter" in f for f in dynamic), "check_launcher sees an interpreter"))
    results.append((any("shared library" in f for f in dynamic), "check_launcher sees a shared library"))
    results.append((not plain_core, "check_core accepts a hardened program"))
    _, bare = run_binary(["-pie", "-O1", "-w", "-U_FORTIFY_SOURCE", "-fno-stack-protector", "-Wl,-z,relro,-z,now"])
    results.append((any("FORTIFY" in f for f in bare), "check_core sees missing FORTIFY"))
    results.append((any("stack protector" in f for f in bare), "check_core sees a missing stack protector"))
    # no linker makes one that easily
    writable = list(lint.hardening("/bin/sh", "  LOAD           0x000000 0x0000000000400000 0x0000000000400000 0x00418 0x00418 RWE 0x1000"))
    results.append((any("writable and executable" in f for f in writable), "hardening sees writable code"))
    fixed, _ = run_binary(["-no-pie", "-Wl,-z,relro,-z,now"])
    results.append((any("ET_DYN" in f for f in fixed), "check_launcher sees a program at a fixed address"))
    _, lazy = run_binary(["-pie", "-Wl,-z,lazy,-z,norelro"])
    results.append((any("lazily" in f for f in lazy), "check_core sees lazy binding"))
    results.append((any("RELRO" in f for f in lazy), "check_core sees missing RELRO"))
    setuid, _ = run_binary(["-pie"], 0o4755)
    results.append((any("setuid" in f for f in setuid), "check_launcher sees a setuid bit"))
    print(f"1..{len(results)}")
    for number, (good, text) in enumerate(results, 1):
        print(f"{'ok' if good else 'not ok'} {number} - {text}")
    return 0 if all(good for good, _ in results) else 1


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
