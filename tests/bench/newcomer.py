# SPDX-License-Identifier: Apache-2.0
"""A newcomer's first minutes: from `git clone` to the first prompt, in an account that has nothing yet.

Every step is a command line as a person types it, on a terminal of its own; the clock stops when the shell answers. The
store is empty (cold), or has the image from a clone before (warm). Beside devenv the Dev Containers CLI on a dockerd of
our own, whose data, socket and configuration are below the work directory; as root only, because dockerd needs it. Each
round has a file system of its own, as in P5.
"""
import contextlib
import os
import pty
import pwd
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

PROMPT = re.compile(rb"[$#] (\x1b\[[0-9;?]*[A-Za-z])*$")
QUESTION = re.compile(rb"\[[yY]/[nN]\] ?$")
LIMIT = 120  # seconds for one step


class Absent(Exception):
    """Why a peer can't be measured."""


def quiet(*command, **options):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False, **options)
    if result.returncode:
        last = (result.stdout.strip().splitlines() or [f"exit {result.returncode}"])[-1]
        raise Absent(f"{os.path.basename(command[0])}: {last[:120]}")
    return result.stdout


class Terminal:
    """One program on a pty, as `person`. Counts the questions it asks and answers yes."""

    def __init__(self, argv, directory, environment, person):
        self.argv, self.seen, self.questions = argv, b"", 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                if os.getuid() == 0:
                    os.initgroups(person.pw_name, person.pw_gid)
                    os.setgid(person.pw_gid)
                    os.setuid(person.pw_uid)
                os.chdir(directory)
                os.execvpe(argv[0], argv, environment)
            finally:
                os._exit(127)

    def until(self, pattern):
        """Read until the end of what was written matches; None: until the program closes the terminal."""
        end = time.monotonic() + LIMIT
        while True:
            if pattern and pattern.search(self.seen):
                return
            if QUESTION.search(self.seen):
                self.questions += 1
                self.type(b"y\r")
            left = end - time.monotonic()
            data = b""
            if left > 0 and select.select([self.fd], [], [], left)[0]:
                with contextlib.suppress(OSError):  # EIO: the other side is closed
                    data = os.read(self.fd, 65536)
            if not data:
                if pattern is None and left > 0:
                    return
                raise Absent(f"{' '.join(self.argv)}: no prompt: " + self.seen.decode(errors="replace").strip()[-120:])
            self.seen += data

    def type(self, text):
        self.seen = b""
        os.write(self.fd, text)

    def close(self):
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def step(line, directory, environment, person):
    """One command line that ends by itself."""
    terminal = Terminal(["/bin/sh", "-c", line], directory, environment, person)
    try:
        terminal.until(None)
    finally:
        status = terminal.close()
    if status:
        raise Absent(f"{line}: " + terminal.seen.decode(errors="replace").strip()[-160:])
    return terminal.questions


def shell(line, directory, environment, person):
    """One that ends in a shell. Seconds since the epoch of the clock when it prompted, and the questions before."""
    terminal = Terminal(["/bin/sh", "-c", "exec " + line], directory, environment, person)
    try:
        terminal.until(PROMPT)
        prompted = time.monotonic()
        terminal.type(b"echo he''re\r")
        terminal.until(re.compile(rb"here\r?\n"))
        terminal.until(PROMPT)
        terminal.type(b"exit\r")
        terminal.until(None)
    finally:
        terminal.close()
    return prompted, terminal.questions


def first_prompt(repository, parent, lines, environment, person):
    """Clone, go there, type `lines`, of which the last is a shell. Seconds, commands, questions."""
    begin, questions = time.monotonic(), 0
    directory = os.path.join(parent, "project")
    questions += step(f"git clone -q {repository} project", parent, environment, person)
    for line in lines[:-1]:
        questions += step(line, directory, environment, person)
    prompted, asked = shell(lines[-1], directory, environment, person)
    return prompted - begin, 2 + len(lines), questions + asked  # git clone, cd


class Newcomer:
    """A work directory that another account can reach, and that account."""

    def __init__(self, top, project, image):
        self.top, self.image = top, image
        self.work = tempfile.mkdtemp(prefix="devenv-newcomer.", dir="/var/tmp")
        os.chmod(self.work, 0o711)
        self.account, self.daemon, self.socket, self.place = None, None, None, None
        self.person = self.make_account()
        self.prefix = os.path.join(self.work, "prefix")
        quiet("make", "-s", "-C", top, "install", f"PREFIX={self.prefix}", "DESTDIR=")
        quiet("chmod", "-R", "a+rX", self.prefix)
        self.repository = self.make_repository(project)
        self.count = 0

    @contextlib.contextmanager
    def round(self, file_system):
        """A fresh place for homes and the daemon's data."""
        self.count += 1
        with file_system(f"{self.work}/round-{self.count}") as self.place:
            os.chmod(self.place, 0o711)
            try:
                yield
            finally:
                self.stop_daemon()

    def stop_daemon(self):
        if not self.daemon:
            return
        self.daemon.terminate()
        self.daemon.wait()
        self.daemon = None
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            for line in reversed(mounts.readlines()):
                if line.split()[1].startswith(self.place + "/"):
                    subprocess.run(["umount", "--lazy", line.split()[1]], check=False)

    def close(self):
        self.stop_daemon()
        if self.account:
            subprocess.run(["userdel", self.account], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["chmod", "-R", "u+rwX", self.work], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.work, ignore_errors=True)

    def make_account(self):
        if os.getuid() != 0:
            return pwd.getpwuid(os.getuid())
        name = f"devenv-new{os.getpid()}"
        quiet("useradd", "--home-dir", f"{self.work}/home", "--no-create-home", "--shell", "/bin/bash", "--user-group", name)
        self.account = name
        return pwd.getpwnam(name)

    def own(self, path):
        if os.getuid() == 0:
            quiet("chown", "-R", f"{self.person.pw_uid}:{self.person.pw_gid}", path)
        return path

    def make_repository(self, project):
        """What a colleague has committed: the same image for both tools."""
        path, git = os.path.join(self.work, "shop"), ["git", "-c", "user.name=Somebody", "-c", "user.email=a@example.org"]
        os.mkdir(path)
        for name in ("devenv.ini", "devenv.lock"):
            shutil.copy(os.path.join(project, name), path)
        os.mkdir(f"{path}/.devcontainer")
        with open(f"{path}/.devcontainer/devcontainer.json", "w", encoding="utf-8") as file:
            file.write(f'{{"name": "shop", "image": "{self.image}", "runArgs": ["--network=host"]}}\n')
        quiet("git", "init", "-q", path)
        quiet(*git, "-C", path, "add", "-A")
        quiet(*git, "-C", path, "commit", "-q", "-m", "Start")
        return self.own(path)

    def fresh_home(self):
        path = tempfile.mkdtemp(prefix="home.", dir=self.place)
        return self.own(path)

    def environment(self, home, paths=()):
        name = self.person.pw_name
        return {"HOME": home, "USER": name, "LOGNAME": name, "SHELL": "/bin/bash", "TERM": "xterm", "LANG": "C.UTF-8",
                "PATH": ":".join([*paths, "/usr/local/bin:/usr/bin:/bin"])}

    def clone_twice(self, lines, environment_of, between):
        """A cold and a warm figure: two clones of one account."""
        home, figures = self.fresh_home(), []
        for name in ("one", "two"):
            parent = os.path.join(home, name)
            os.mkdir(parent)
            figures.append(first_prompt(self.repository, self.own(parent), lines, environment_of(home), self.person))
            between()
        return figures

    def devenv(self):
        return self.clone_twice(["devenv enter"], lambda home: self.environment(home, [f"{self.prefix}/bin"]), lambda: None)

    # ---- the peer ----

    def docker(self, *words):
        return quiet("docker", "-H", f"unix://{self.socket}", *words)

    def start_daemon(self):
        if os.getuid() != 0:
            raise Absent("dockerd needs root")
        for program in ("dockerd", "containerd", "docker"):
            if not shutil.which(program):
                raise Absent(f"{program} is not installed")
        self.socket = f"{self.place}/docker.sock"
        with open(f"{self.work}/dockerd.log", "w", encoding="utf-8") as log:
            self.daemon = subprocess.Popen(
                ["dockerd", "--data-root", f"{self.place}/docker", "--exec-root", f"{self.place}/docker-run", "--pidfile",
                 f"{self.place}/docker.pid", "--config-file", self.empty_config(), "--host", f"unix://{self.socket}", "--group",
                 self.person.pw_name, "--bridge=none", "--iptables=false", "--ip6tables=false"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(150):
            with contextlib.suppress(Absent):
                self.docker("info")
                return
            if self.daemon.poll() is not None:
                break
            time.sleep(0.2)
        with open(f"{self.work}/dockerd.log", encoding="utf-8", errors="replace") as log:
            raise Absent("dockerd does not start here: " + (log.read().strip().splitlines() or [""])[-1][-120:])

    def empty_config(self):
        path = f"{self.work}/daemon.json"
        with open(path, "w", encoding="utf-8") as file:
            file.write("{}\n")
        return path

    def find_cli(self):
        """The directory of `devcontainer`: installed, or by npm from the registry it is configured for."""
        there = shutil.which("devcontainer")
        if there:
            return os.path.dirname(there)
        if not shutil.which("npm"):
            raise Absent("neither devcontainer nor npm is installed")
        directory = f"{self.work}/npm"
        os.mkdir(directory)
        quiet("npm", "install", "--no-fund", "--no-audit", "--prefix", directory, "@devcontainers/cli", timeout=300)
        quiet("chmod", "-R", "a+rX", directory)
        return f"{directory}/node_modules/.bin"

    def forget_containers(self):
        running = self.docker("ps", "--all", "--quiet").split()
        if running:
            self.docker("rm", "--force", *running)

    def devcontainers(self, cli):
        def environment(home):
            paths = [cli, *{os.path.dirname(shutil.which(program)) for program in ("docker", "node")}]
            return dict(self.environment(home, paths), DOCKER_HOST=f"unix://{self.socket}")
        lines = ["devcontainer up --workspace-folder .", "devcontainer exec --workspace-folder . bash"]
        return self.clone_twice(lines, environment, self.forget_containers)


def measure(top, project, image, rounds, file_system):
    """{name: [(cold, warm)...]} with figures (seconds, commands, questions), and {peer: why it is absent}."""
    figures, absent, peer, cli = {"devenv": []}, {}, "devcontainers+docker", None
    newcomer = Newcomer(top, project, image)
    try:
        for number in range(rounds):
            print(f"bench: newcomer, round {number + 1} of {rounds}", file=sys.stderr)
            with newcomer.round(file_system):
                figures["devenv"].append(newcomer.devenv())
                if peer in absent:
                    continue
                try:
                    newcomer.start_daemon()
                    cli = cli or newcomer.find_cli()
                    figures.setdefault(peer, []).append(newcomer.devcontainers(cli))
                except (Absent, subprocess.TimeoutExpired) as why:
                    absent[peer] = str(why)
                    figures.pop(peer, None)
        return figures, absent
    finally:
        newcomer.close()
