"""What scenes are made of: hosts, stations, daemons, and their end.

Everything a scene makes has a name of its own (the runner's process id is in it), so
that scenes run beside each other and beside a user's networks; whatever happens, it
is taken away again. Only processes started here are ended, by pid.
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("WEFT_BUILD", os.path.join(TOP, "build", "release"))
WEFTD = os.path.join(BUILD, "src", "weftd")
WEFT = os.path.join(BUILD, "src", "weft")
PATIENCE_S = 10.0


class Failed(Exception):
    """A promise of weft's was not kept."""


class Skipped(Exception):
    """The machine lacks something; said with a reason, counted as skipped."""


def must(condition, what):
    if not condition:
        raise Failed(what)


def run(*words, check=True, seconds=60, stdin=None):
    p = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=seconds, input=stdin, text=True)
    if check and p.returncode:
        raise Failed("%s: status %d\n%s" % (" ".join(words), p.returncode,
                                            p.stdout.strip()))
    return p


def until(what, fn, seconds=PATIENCE_S):
    end = time.monotonic() + seconds
    while True:
        got = fn()
        if got:
            return got
        if time.monotonic() > end:
            raise Failed("not within %g s: %s" % (seconds, what))
        time.sleep(0.02)


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(error["text"])
        self.error = error


def rpc(path, method, params=None):
    """One call over the daemon's socket (docs/rpc.md)."""
    def take(s, n):
        got = b""
        while len(got) < n:
            piece = s.recv(n - len(got))
            if not piece:
                raise Failed("the daemon closed the connection")
            got += piece
        return got
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(path)
        body = json.dumps({"id": 1, "method": method,
                           "params": params or {}}).encode()
        s.sendall(struct.pack(">I", len(body)) + body)
        while True:
            n = struct.unpack(">I", take(s, 4))[0]
            answer = json.loads(take(s, n))
            if "error" in answer:
                raise RpcError(answer["error"])
            if "result" in answer:
                return answer["result"]


class Netns:
    def __init__(self, scene, name):
        self.name = "%s-%s" % (scene.id, name)
        self.scene = scene

    def make(self):
        run("ip", "netns", "add", self.name)
        run("ip", "-n", self.name, "link", "set", "lo", "up")
        return self

    def delete(self):
        run("ip", "netns", "del", self.name, check=False)

    def run(self, *words, **more):
        return run("ip", "netns", "exec", self.name, *words, **more)

    def ip(self, *words, **more):
        return run("ip", "-n", self.name, *words, **more)

    def popen(self, *words, **more):
        return self.scene.popen("ip", "netns", "exec", self.name, *words, **more)

    def ping(self, address, count=3, wait=1, extra=()):
        """The part of pings answered, 0.0 to 1.0."""
        p = self.run("ping", "-n", "-c", str(count), "-i", "0.1", "-W",
                     str(wait), *extra, address, check=False)
        for line in p.stdout.splitlines():
            if "packets transmitted" in line:
                sent, got = line.split()[0], line.split(",")[1].split()[0]
                return int(got) / int(sent)
        return 0.0

    def must_reach(self, address, seconds=PATIENCE_S, extra=()):
        until("%s reaches %s" % (self.name, address),
              lambda: self.ping(address, 1, 1, extra) == 1.0, seconds)

    def must_not_reach(self, address):
        must(self.ping(address, 3, 1) == 0.0,
             "%s must not reach %s" % (self.name, address))

    def python(self, code, *args, **more):
        return self.run(sys.executable, "-c", code, *args, **more)


class Host(Netns):
    """A namespace with a weftd of its own."""

    def __init__(self, scene, name):
        super().__init__(scene, name)
        self.short = name
        self.folder = os.path.join(scene.folder, name)
        os.makedirs(self.folder, exist_ok=True)
        self.daemon = None

    @property
    def socket(self):
        return os.path.join(self.folder, "run", "weft.sock")

    def start(self, *options):
        self.log = open(os.path.join(self.folder, "weftd.log"), "ab")
        self.daemon = self.popen(
            WEFTD, "--host", self.short, "--state",
            os.path.join(self.folder, "state"), "--run",
            os.path.join(self.folder, "run"),
            *os.environ.get("WEFTD_OPTIONS", "").split(), *options,
            stdout=self.log, stderr=self.log)
        until("weftd of %s is up" % self.short, self.is_up)
        return self

    def is_up(self):
        if self.daemon.poll() is not None:
            raise Failed("weftd of %s ended:\n%s" % (self.short, self.said()))
        try:
            rpc(self.socket, "version")
            return True
        except OSError:
            return False

    def said(self):
        with open(os.path.join(self.folder, "weftd.log")) as f:
            return f.read()

    def kill(self, sig=signal.SIGKILL):
        self.daemon.send_signal(sig)
        self.daemon.wait(20)
        return self.daemon.returncode

    def rpc(self, method, **params):
        return rpc(self.socket, method, params)

    def apply(self, text, name="net.yaml"):
        return self.rpc("apply", text=self.scene.names(text), file=name)

    def refuse(self, text, *words):
        """The file must be refused with all these words in the message."""
        try:
            self.apply(text)
        except RpcError as e:
            whole = json.dumps(e.error)
            for w in words:
                must(w in whole, "the error must say %r, it says: %s" %
                     (w, whole))
            return e.error
        raise Failed("the file was accepted:\n" + text)

    def show(self, kind):
        return self.rpc("show", kind=kind)

    def port(self, name):
        for p in self.show("ports"):
            if p["name"] == name:
                return p
        return None

    def port_is(self, name, state, seconds=PATIENCE_S):
        until("port %s is %s (it is %s)" % (
            name, state, (self.port(name) or {}).get("state")),
            lambda: (self.port(name) or {}).get("state") == state, seconds)

    def drops(self, port, reason):
        return (self.port(port) or {"drops": {}})["drops"].get(reason, 0)


class Scene:
    """Makes and takes away; a context manager."""

    count = 0

    def __init__(self, name):
        Scene.count += 1
        self.id = "w%x%x" % (os.getpid() % 0xfffff, Scene.count)
        self.name = name
        self.folder = tempfile.mkdtemp(prefix="weft-scene-")
        self.spaces, self.processes, self.logs = [], [], []

    def netns(self, name):
        n = Netns(self, name).make()
        self.spaces.append(n)
        return n

    def host(self, name, start=True, *options):
        h = Host(self, name).make()
        self.spaces.append(h)
        return h.start(*options) if start else h

    def names(self, text):
        """@c1@ in a file stands for this scene's own namespace c1."""
        for n in self.spaces:
            text = text.replace("@%s@" % n.name[len(self.id) + 1:], n.name)
        return text

    def link(self, a, dev_a, b, dev_b):
        run("ip", "link", "add", dev_a, "netns", a.name, "type", "veth",
            "peer", "name", dev_b, "netns", b.name)
        a.ip("link", "set", dev_a, "up")
        b.ip("link", "set", dev_b, "up")

    def popen(self, *words, **more):
        more.setdefault("stdout", subprocess.DEVNULL)
        more.setdefault("stderr", subprocess.DEVNULL)
        more.setdefault("stdin", subprocess.DEVNULL)
        p = subprocess.Popen(words, **more)
        self.processes.append(p)
        return p

    def __enter__(self):
        return self

    def __exit__(self, kind, value, tb):
        wrong = []
        for p in reversed(self.processes):
            with contextlib.suppress(OSError):
                if p.poll() is None:
                    p.terminate()
        for p in self.processes:
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
                wrong.append("a process did not end when told to")
        for s in self.spaces:
            if isinstance(s, Host) and s.daemon:
                wrong += self.reports(s)
                last = s.said().splitlines()[-6:]
                self.logs += ["%s: %s" % (s.short, line) for line in last]
        for s in reversed(self.spaces):
            s.delete()
        shutil.rmtree(self.folder, ignore_errors=True)
        if wrong and kind is None:
            raise Failed("; ".join(wrong))
        return False

    @staticmethod
    def reports(host):
        """What a sanitizer or an assertion wrote into a daemon's log."""
        said = host.said()
        marks = ("ERROR: AddressSanitizer", "runtime error:",
                 "ERROR: LeakSanitizer", "weft: bug:")
        return ["weftd of %s: %s" % (host.short, said[said.index(m):][:3000])
                for m in marks if m in said]


SCENES = []


def scene(fn=None, *, long=False):
    """Registers a function `fn(s)`; its name is the sentence it proves."""
    def register(f):
        SCENES.append((f, long))
        return f
    return register(fn) if fn else register


# --- a TCP transfer with a checksum, in two one-line programs -------------------
SERVE = """
import hashlib, socket, sys
l = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6,
                         dualstack_ipv6=True)
print("ready", flush=True)
s, _ = l.accept()
h = hashlib.md5()
while True:
    b = s.recv(1 << 20)
    if not b: break
    h.update(b)
s.sendall(h.hexdigest().encode())
"""
SEND = """
import hashlib, random, socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
s.settimeout(60)
h = hashlib.md5()
b = random.Random(1).randbytes(1 << 20)
for i in range(int(sys.argv[3])):
    s.sendall(b); h.update(b)
s.shutdown(socket.SHUT_WR)
sys.exit(s.recv(100).decode() != h.hexdigest())
"""


def transfer(a, b, address, megabytes=16, port=5001):
    """TCP from a to b; the data must arrive as it was sent."""
    p = b.scene.popen("ip", "netns", "exec", b.name, sys.executable, "-c",
                      SERVE, str(port), stdout=subprocess.PIPE)
    p.stdout.readline()
    r = a.run(sys.executable, "-c", SEND, address, str(port), str(megabytes),
              check=False, seconds=90)
    must(r.returncode == 0, "%d MB by TCP from %s to %s: %s" %
         (megabytes, a.name, b.name, r.stdout.strip()[-300:]))


# --- what went over a wire, judged by somebody else -----------------------------
def capture(ns, device, what):
    """Captures from now on; call what it returns to have the file's name."""
    path = os.path.join(ns.scene.folder, "%s-%s.pcap" % (ns.name, device))
    p = ns.popen("tcpdump", "-i", device, "-s", "0", "-U", "--immediate-mode",
                 "-w", path, what, stderr=subprocess.PIPE)
    while b"listening" not in p.stderr.readline():
        must(p.poll() is None, "tcpdump ended")

    def end():
        time.sleep(0.3)
        p.terminate()
        p.wait(10)
        return path
    return end


def tshark(path, want, *fields):
    """The fields (tab between) of each packet that the display filter wants."""
    words = ["tshark", "-r", path, "-n", "-Y", want, "-T", "fields"]
    for proto in ("ip", "tcp", "udp"):
        words += ["-o", proto + ".check_checksum:TRUE"]
    for f in fields:
        words += ["-e", f]
    p = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       timeout=120, text=True)
    must(p.returncode == 0, "tshark: " + p.stderr)
    return p.stdout.splitlines()
