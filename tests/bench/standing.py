# SPDX-License-Identifier: Apache-2.0
"""P11 and P12: what environments cost while they stand, and whether many make each other dear.

Every environment runs one `sleep`; an environment is up when the shell before it has printed a line. Memory is the
proportional set size of what the tool itself keeps running for it, the `sleep` not counted; nothing a kernel keeps.
"""
import contextlib
import os
import shutil
import subprocess
import time

SLEEP = ["sh", "-c", "echo up; exec sleep 1000"]


def pss(pid):
    """KiB; 0 for a process that is gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def name(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        return file.read().strip()
    return ""


def below(pid):
    """The processes that a process started, and theirs."""
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                for child in file.read().split():
                    found += [int(child), *below(int(child))]
    return found


class Standing:
    """Environments that run until they are ended."""

    def __init__(self):
        self.processes, self.seconds = [], []

    def start(self, argv, directory):
        begin = time.monotonic()
        process = subprocess.Popen(argv, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        if process.stdout.readline() != "up\n":
            raise RuntimeError(f"{' '.join(argv)} did not start")
        self.seconds.append(time.monotonic() - begin)

    def memory(self):
        """KiB of all of it, by the names of the processes."""
        sums = {}
        time.sleep(0.2)  # the last shell has become its `sleep`
        for process in self.processes:
            for pid in [process.pid, *below(process.pid)]:
                if name(pid) != "sleep":
                    sums[name(pid)] = sums.get(name(pid), 0) + pss(pid)
        return sums

    def end(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()
            process.stdout.close()


class Podman:
    """The same with containers, which do not hang on a process of ours."""

    def __init__(self, argv, options, image):
        self.argv, self.options, self.image = argv, options, image
        self.names, self.seconds = [], []

    def start(self):
        label = f"standing-{len(self.names)}"
        begin = time.monotonic()
        subprocess.run([*self.argv, "run", "--detach", "--name", label, *self.options, self.image, "sleep", "1000"],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.seconds.append(time.monotonic() - begin)
        self.names.append(label)

    def memory(self):
        text = subprocess.run([*self.argv, "inspect", "--format", "{{.State.ConmonPid}}", *self.names], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        return {"conmon": sum(pss(int(pid)) for pid in text.split())}

    def end(self):
        if self.names:
            subprocess.run([*self.argv, "rm", "--force", "--time", "0", *self.names], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def projects(devenv, like, directory, count):
    """`count` checkouts of one project, each with its plan made and settled."""
    paths = []
    for number in range(count):
        path = f"{directory}/checkout-{number}"
        os.makedirs(path)
        for file in ("devenv.ini", "devenv.lock"):
            shutil.copy(f"{like}/{file}", path)
        subprocess.run([devenv, "-q", "allow", "-y"], cwd=path, check=True, stdin=subprocess.DEVNULL)
        subprocess.run([devenv, "run", "--", "true"], cwd=path, check=True, stdin=subprocess.DEVNULL)
        paths.append(path)
    time.sleep(2.1)  # a file younger than two seconds makes a plan that is checked again
    for path in paths:
        subprocess.run([devenv, "run", "--", "true"], cwd=path, check=True, stdin=subprocess.DEVNULL)
    return paths


def measure(devenv, paths, bwrap, podman):
    """{name: (seconds of each start, {process name: KiB of all})}; bwrap: command of a project, podman: a Podman."""
    found = {}
    kinds = {"devenv": lambda path: [devenv, "run", "--", *SLEEP]}
    if bwrap:
        kinds["bwrap"] = bwrap
    for kind, command in kinds.items():
        all_of_it = Standing()
        try:
            for path in paths:
                all_of_it.start(command(path), path)
            found[kind] = (all_of_it.seconds, all_of_it.memory())
        finally:
            all_of_it.end()
    if podman:
        try:
            for _ in paths:
                podman.start()
            found["podman"] = (podman.seconds, podman.memory())
        finally:
            podman.end()
    return found
