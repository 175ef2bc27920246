"""A daemon of an ordinary user, without any capability, and its stream ports.

      machine a ---- Unix socket ---- weftd of user 4242 ---- Unix socket ---- machine b

The machines are threads of the scene that speak as QEMU's `-netdev stream` does; real
ones are in docs/rootless.md, which is typed by scene_documents.py.
"""
import array
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading

from boot import Boot
from lib import BUILD, PATIENCE_S, WEFT, WEFTD, Host, must, run, scene, until
from scene_json import obeys

ONCE = True

USER = 4242
AS_USER = ["setpriv", "--reuid", str(USER), "--regid", str(USER),
           "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
           "--no-new-privs"]
DEVICES = {
    "tap": "{type: tap, network: blue}",
    "tun": "{type: tun, router: r1, addresses: [192.0.2.1/32]}",
    "veth": "{type: veth, network: blue, namespace: x}",
    "nic": "{type: nic, network: blue, device: lo}",
}
TWO = """
weft: 1
networks:
  blue: {subnets: [10.1.0.0/24]}
ports:
  a: {type: stream, network: blue}
  b: {type: stream, network: blue}
"""


class UserHost(Host):
    """Its daemon is an ordinary user's, and is told nothing by options."""

    def __init__(self, s, name):
        super().__init__(s, name)
        self.make()
        s.spaces.append(self)
        os.chmod(s.folder, 0o711)
        for program in (WEFT, WEFTD):
            shutil.copy(program, self.folder)
        self.runtime = os.path.join(self.folder, "runtime")
        os.makedirs(self.runtime, 0o700)
        for path in (self.folder, self.runtime):
            os.chown(path, USER, USER)
        self.env = {k: v for k, v in os.environ.items() if k != "WEFT_RUN"}
        self.env.update(HOME=self.folder, XDG_RUNTIME_DIR=self.runtime,
                        XDG_STATE_HOME=os.path.join(self.folder, "s"))

    @property
    def socket(self):
        return os.path.join(self.runtime, "weft", "weft.sock")

    def port_path(self, port):
        return os.path.join(self.runtime, "weft", "ports", port + ".sock")

    def start(self, *words, **more):
        self.log = open(os.path.join(self.folder, "weftd.log"), "ab")
        self.daemon = self.popen(
            *AS_USER, *words, os.path.join(self.folder, "weftd"), "--host",
            self.short, env=dict(self.env, **more.pop("env", {})),
            stdout=self.log, stderr=self.log, **more)
        until("weftd of %s is up" % self.short, self.is_up)
        return self

    def weft(self, *words, check=True):
        p = subprocess.run([*AS_USER, os.path.join(self.folder, "weft"),
                            *words], env=self.env, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=60)
        must(not check or not p.returncode, p.stdout)
        return p.stdout


def checksum(data):
    words = array.array("H", data + b"\0" * (len(data) % 2))
    words.byteswap()
    total = sum(words)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff - total


def ip_bytes(text):
    return socket.inet_aton(text)


class Machine:
    """A station behind a stream port: answers ARP and ping, and keeps all."""

    def __init__(self, path, number, address, gateway=None):
        self.mac = bytes([2, 0, 0, 0, 0, number])
        self.ip, self.gateway = ip_bytes(address), gateway
        self.heard, self.ended = [], False
        self.at = socket.socket(socket.AF_UNIX)
        self.at.connect(path)
        self.thread = threading.Thread(target=self.live, daemon=True)
        self.thread.start()

    def close(self):
        with contextlib.suppress(OSError):
            self.at.shutdown(socket.SHUT_RDWR)
        self.thread.join(PATIENCE_S)
        self.at.close()

    def send(self, frame):
        frame = frame.ljust(60, b"\0")
        self.at.sendall(struct.pack(">I", len(frame)) + frame)

    def take(self, n):
        got = b""
        while len(got) < n:
            piece = self.at.recv(n - len(got))
            if not piece:
                raise EOFError
            got += piece
        return got

    def live(self):
        try:
            while True:
                frame = self.take(struct.unpack(">I", self.take(4))[0])
                self.heard.append(frame)
                self.answer(frame)
        except (EOFError, OSError):
            self.ended = True

    def answer(self, f):
        if f[12:14] == b"\x08\x06" and f[20:22] == b"\0\1" and \
                f[38:42] == self.ip:
            self.send(f[6:12] + self.mac + f[12:20] + b"\0\2" + self.mac +
                      self.ip + f[22:32])
        elif f[12:14] == b"\x08\x00" and f[23] == 1 and f[34] == 8 and \
                f[30:34] == self.ip:
            size = struct.unpack(">H", f[16:18])[0]
            self.echo(f[6:12], f[26:30], 0, f[38:14 + size])

    def echo(self, to_mac, to_ip, kind, rest):
        body = struct.pack(">BBH", kind, 0, 0) + rest
        body = body[:2] + struct.pack(">H", checksum(body)) + body[4:]
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 64, 1,
                           0) + self.ip + to_ip
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        self.send(to_mac + self.mac + b"\x08\x00" + head + body)

    def find(self, address):
        """The MAC of whoever says that he has the address, or None."""
        want = ip_bytes(address)
        self.send(b"\xff" * 6 + self.mac + b"\x08\x06\0\1\x08\0\6\4\0\1" +
                  self.mac + self.ip + bytes(6) + want)
        for _ in range(10):
            for f in self.heard:
                if f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2" and \
                        f[28:32] == want:
                    return f[22:28]
            threading.Event().wait(0.02)
        return None

    def ping(self, address, size=56):
        mac = self.find(self.gateway or address)
        if not mac:
            return False
        mark = os.urandom(8)
        self.echo(mac, ip_bytes(address), 8, b"\0\1\0\1" + mark.ljust(size))
        for _ in range(20):
            if any(mark in f and f[34] == 0 and f[6:12] != self.mac
                   for f in self.heard if len(f) > 34):
                return True
            threading.Event().wait(0.02)
        return False

    def must_reach(self, address, size=56):
        until("%s answers" % address, lambda: self.ping(address, size))


@contextlib.contextmanager
def machines(*makers):
    all_of = []
    try:
        for m in makers:
            all_of.append(Machine(*m))
        yield all_of
    finally:
        for m in all_of:
            m.close()


def pair(h):
    return machines((h.port_path("a"), 1, "10.1.0.11"),
                    (h.port_path("b"), 2, "10.1.0.12"))


@scene
def an_ordinary_users_daemon_has_no_right_and_says_what_it_cannot(s):
    h = UserHost(s, "h").start()
    with open("/proc/%d/status" % h.daemon.pid) as f:
        status = dict(line.split(":", 1) for line in f if ":" in line)
    for key in ("CapEff", "CapPrm", "CapInh", "CapBnd"):
        must(int(status[key], 16) == 0, "%s is %s" % (key, status[key]))
    h.apply(TWO)
    for kind, port in DEVICES.items():
        e = h.refuse(TWO.replace("ports:", """routers:
  r1: {networks: {blue: {addresses: [10.1.0.1/24]}}}
ports:
  bad: """ + port), "port bad: a %s port needs a device" % kind,
                     "CAP_NET_ADMIN", "type stream", "as root")
        must(e["line"] == 8, "the line of the port, not %s" % e)
    h.refuse(TWO.replace("networks:\n  blue: {", "bridges:\n  br0: {host: "
                         "{addresses: [10.1.0.2/24]}}\nnetworks:\n  blue: "
                         "{bridge: br0, "), "bridge br0", "needs a device")
    # What was refused changed nothing; the command finds the daemon by itself.
    must([p["name"] for p in h.show("ports")] == ["a", "b"], "the ports")
    must("0 of 2 ports up" in h.weft(), h.weft())
    must("without privilege" in h.weft("doctor"), h.weft("doctor"))
    obeys("show-ports", json.loads(h.weft("show", "ports", "--json")))
    obeys("doctor", json.loads(h.weft("doctor", "--json")))
    with pair(h) as (a, _):
        a.must_reach("10.1.0.12")
        h.port_is("a", "up")
        must("stream" in h.weft("show", "ports"), h.weft("show", "ports"))
        obeys("show-ports", json.loads(h.weft("show", "ports", "--json")))
    # State and sockets are the user's own.
    must(os.stat(os.path.join(h.folder, "s", "weft", "weft.db")).st_uid ==
         USER, "whose state it is")
    h.kill()
    must("one of your own" in h.weft(check=False), h.weft(check=False))
    h.start()
    must(len(h.show("ports")) == 2, "the state is there again")


@scene
def vlans_isolation_and_mtu_hold_between_stream_ports(s):
    h = UserHost(s, "h").start()
    h.apply("""
weft: 1
bridges: {br0: }
networks:
  ten: {bridge: br0, vlan: 10, subnets: [10.1.0.0/24]}
  twenty: {bridge: br0, vlan: 20, subnets: [10.2.0.0/24], mtu: 1000}
routers:
  r1:
    networks:
      ten: {addresses: [10.1.0.1/24]}
      twenty: {addresses: [10.2.0.1/24]}
ports:
  a: {type: stream, network: ten, isolated: true}
  b: {type: stream, network: ten, isolated: true}
  c: {type: stream, network: twenty}
  trunk: {type: stream, bridge: br0, vlan: {trunk: [10, 20]}}
""")
    with machines((h.port_path("a"), 1, "10.1.0.11", "10.1.0.1"),
                  (h.port_path("b"), 2, "10.1.0.12"),
                  (h.port_path("c"), 3, "10.2.0.13", "10.2.0.1"),
                  (h.port_path("trunk"), 4, "10.1.0.14")) as (a, b, c, trunk):
        for port in "abc":
            h.port_is(port, "up")
        h.port_is("trunk", "up")
        a.must_reach("10.2.0.13")
        c.must_reach("10.1.0.12")
        must(not b.ping("10.1.0.11"), "isolated ports reach each other")
        c.find("10.2.0.99")
        until("the trunk has the tag of VLAN 20", lambda: any(
            f[12:16] == b"\x81\x00\x00\x14" for f in trunk.heard))
        must(not any(f[12:16] == b"\x81\x00\x00\x14" for f in a.heard),
             "a tag came out of a port without VLANs")
        # Too big for c's network: the router says so.
        a.echo(a.find("10.1.0.1"), ip_bytes("10.2.0.13"), 8,
               b"\0\2\0\1" + bytes(1200))
        until("all of it is cut or refused", lambda: h.drops("c", "too-big") or
              any(f[12:14] == b"\x08\x00" and len(f) > 34 for f in a.heard))
        must(not any(len(f) > 1014 for f in c.heard), "too big for c")


def underlay(s, h, device, address):
    h.ip("addr", "add", address, "dev", device)
    h.ip("link", "set", device, "up")


@scene
def two_ordinary_users_hosts_carry_a_network_by_vxlan(s):
    h1, h2 = UserHost(s, "h1"), UserHost(s, "h2")
    s.link(h1, "u0", h2, "u0")
    underlay(s, h1, "u0", "192.0.2.1/24")
    underlay(s, h2, "u0", "192.0.2.2/24")
    text = """
weft: 1
networks:
  blue: {vni: 100, subnets: [10.1.0.0/24]}
hosts:
  h1:
    underlay: {address: 192.0.2.1}
    ports: {a: {type: stream, network: blue}}
  h2:
    underlay: {address: 192.0.2.2}
    ports: {b: {type: stream, network: blue}}
"""
    for h in (h1, h2):
        h.start()
        h.apply(text)
    with machines((h1.port_path("a"), 1, "10.1.0.11"),
                  (h2.port_path("b"), 2, "10.1.0.12")) as (a, _):
        a.must_reach("10.1.0.12")
        a.must_reach("10.1.0.12", 1300)


class Manager:
    """What systemd does for a unit with FileDescriptorStoreMax."""

    def __init__(self, h):
        self.path = os.path.join(h.runtime, "notify")
        self.at = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.at.bind(self.path)
        os.chmod(self.path, 0o666)
        self.at.settimeout(0.05)
        self.kept = {}

    def hear(self):
        with contextlib.suppress(TimeoutError):
            while True:
                data, fds, _, _ = socket.recv_fds(self.at, 4096, 4)
                words = dict(w.split("=", 1)
                             for w in data.decode().split("\n") if "=" in w)
                name = words.get("FDNAME")
                if "FDSTOREREMOVE" in words and name in self.kept:
                    os.close(self.kept.pop(name))
                if "FDSTORE" in words:
                    self.kept[name] = fds[0]
        return self.kept

    def start(self, h):
        """The next daemon, with all that is kept from descriptor 3 on."""
        names, fds = list(self.kept), list(self.kept.values())
        moves = " ".join("%d<&%d %d<&-" % (30 + i, fd, fd)
                         for i, fd in enumerate(fds))
        moves += " " + " ".join("%d<&%d %d<&-" % (3 + i, 30 + i, 30 + i)
                                for i in range(len(fds)))
        script = "exec %s; export LISTEN_PID=$$ LISTEN_FDS=%d " \
                 "LISTEN_FDNAMES=%s; exec \"$@\"" % (
                     moves, len(fds), ":".join(names))
        words = ["bash", "-c", script, "bash"] if fds else []
        h.start(*words, env={"NOTIFY_SOCKET": self.path}, pass_fds=fds)


@scene
def machines_stay_connected_when_the_daemon_is_killed(s):
    h = UserHost(s, "h")
    m = Manager(h)
    m.start(h)
    h.apply(TWO)
    with pair(h) as (a, b):
        a.must_reach("10.1.0.12")
        until("both connections are kept", lambda: len(m.hear()) == 2)
        for sig in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            h.kill(sig)
            a.heard.clear()
            m.hear()
            m.start(h)
            a.must_reach("10.1.0.12")
            must(not a.ended and not b.ended, "a connection ended")
    # Who leaves is forgotten: the next one gets in.
    with pair(h) as (a, b):
        a.must_reach("10.1.0.12")


# A user's own systemd, as logging in starts it.
USERS = """[Service]
User=anna
Type=notify
Delegate=yes
Environment=XDG_RUNTIME_DIR=/run/user/4242 HOME=/home/anna
ExecStart=/lib/systemd/systemd --user
"""
LEAKS = "[Service]\nEnvironment=ASAN_OPTIONS=detect_leaks=0\n"


def users_unit(b):
    """Installs the unit and logs the user in: a function that is its prompt."""
    for program in (WEFT, WEFTD):
        b.run("cp", b.host(program), "/usr/bin/")
    with open(os.path.join(BUILD, "dist", "weftd-user.service")) as f:
        text = re.sub(r"ExecStart=\S+/", "ExecStart=/usr/bin/", f.read())
    b.write("/etc/systemd/user/weftd.service", text)
    # The leak checker wants to trace, which nobody may here.
    b.write("/etc/systemd/user/weftd.service.d/leaks.conf", LEAKS)
    b.write("/etc/systemd/system/anna.service", USERS)
    b.sh("useradd -m -u %d anna; install -d -o anna -m 700 /run/user/%d" %
         (USER, USER))
    b.run("systemctl", "daemon-reload")
    b.run("systemctl", "start", "anna")
    return lambda words: b.sh(
        "%s env HOME=/home/anna XDG_RUNTIME_DIR=/run/user/%d %s" %
        (" ".join(AS_USER), USER, words))


@scene(long=True)
def a_users_own_systemd_keeps_the_machines_connected(s):
    with Boot(s) as b:
        anna = users_unit(b)
        anna("systemctl --user start weftd")
        b.write("/home/anna/net.yaml", TWO)
        anna("weft apply /home/anna/net.yaml")
        at = "/proc/%s/root/run/user/%d/weft/ports/" % (b.pid, USER)
        with machines((at + "a.sock", 1, "10.1.0.11"),
                      (at + "b.sock", 2, "10.1.0.12")) as (a, other):
            a.must_reach("10.1.0.12")
            for change in ("kill -s KILL", "restart", "kill -s KILL"):
                until("both connections are kept", lambda: anna(
                    "systemctl --user show -P NFileDescriptorStore weftd") ==
                    "2")
                was = anna("systemctl --user show -P MainPID weftd")
                anna("systemctl --user %s weftd" % change)
                until("there is another weftd", lambda: anna(
                    "systemctl --user show -P MainPID weftd") not in
                    ("0", was))
                a.heard.clear()
                a.must_reach("10.1.0.12")
                must(not a.ended and not other.ended, "a connection ended")


@scene
def without_a_manager_machines_connect_again(s):
    h = UserHost(s, "h").start()
    h.apply(TWO)
    with pair(h) as (a, b):
        a.must_reach("10.1.0.12")
        h.kill()
        until("the machines notice", lambda: a.ended and b.ended)
    h.start()
    with pair(h) as (a, b):
        a.must_reach("10.1.0.12")


def storm(path, stop):
    """Connects and leaves; says what no machine says; half says it."""
    said = [b"", b"\0", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x3c" + b"x" * 9,
            b"\0\0\0\1x" * 200, b"\0\0\xff\xff" + b"\0" * 60000]
    at = 0
    while not stop.is_set():
        with socket.socket(socket.AF_UNIX) as c, \
                contextlib.suppress(OSError):
            c.settimeout(1)
            c.connect(path)
            c.sendall(said[at % len(said)])
        at += 1
    storm.count = getattr(storm, "count", 0) + at


@scene
def hostile_and_sleeping_machines_harm_nobody(s):
    h = UserHost(s, "h").start()
    many = "".join("  m%d: {type: stream, network: blue}\n" % i
                   for i in range(100))
    h.apply(TWO + "  evil: {type: stream, network: blue}\n"
            "  deaf: {type: stream, network: blue}\n" + many)
    stop = threading.Event()
    evil = [threading.Thread(target=storm, args=(h.port_path("evil"), stop),
                             daemon=True) for _ in range(2)]
    deaf = socket.socket(socket.AF_UNIX)
    deaf.connect(h.port_path("deaf"))
    with pair(h) as (a, b), deaf:
        for t in evil:
            t.start()
        a.must_reach("10.1.0.12")
        # Floods fill what waits for the deaf, and cost it alone.
        frame = b"\xff" * 6 + a.mac + b"\x88\xb5" + bytes(1400)
        until("the deaf one's queue is full", lambda: [
            a.send(frame) for _ in range(50)] and h.drops("deaf", "tx-full"))
        for _ in range(5):
            a.heard.clear()
            a.must_reach("10.1.0.12")
        stop.set()
        for t in evil:
            t.join(PATIENCE_S)
        must(storm.count > 20, "a storm of %d connections" % storm.count)
        must(h.drops("b", "tx-full") == 0, "b lost frames to others")
        # The port of the storm is as good as any.
        with machines((h.port_path("evil"), 9, "10.1.0.19")) as (c,):
            c.must_reach("10.1.0.12")
    fds = len(os.listdir("/proc/%d/fd" % h.daemon.pid))
    must(fds < 50 + 4 * 104, "%d descriptors are open" % fds)


TRY = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
"""


@scene
def the_group_of_a_port_may_connect_to_it(s):
    h = s.host("h")
    os.chmod(s.folder, 0o711)
    os.chmod(h.folder, 0o711)
    path = os.path.join(h.folder, "p.sock")
    h.apply(TWO + "  p: {type: stream, network: blue, group: \"%d\", "
            "path: %s}\n" % (USER, path))

    def may(uid, gid):
        return run("setpriv", "--reuid", str(uid), "--regid", str(gid),
                   "--clear-groups", sys.executable, "-c", TRY, path,
                   check=False).returncode == 0
    must(may(4343, USER), "the group may not")
    must(not may(4343, 4343), "a stranger may")
    must(not may(USER, 4343), "a user of that number, but not that group, may")
