"""weft as a part of a system: its unit, its packages, its start, ordinary users."""
import atexit
import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
import time

import boot
import lib
from lib import scene

ONCE = True

EXPOSURE_MOST = 2.5  # of systemd-analyze security
UNIT = os.path.join(lib.BUILD, "dist", "weftd.service")

# Of every kind that the unit has to be able to make: a device in a named namespace,
# one in another user's process's, a TAP, an adopted card, the bridge's own.
NET = """weft: 1
networks:
  blue: { bridge: br0, subnets: [ 10.1.0.0/24 ] }
hosts:
  %(host)s:
    bridges:
      br0: { host: { addresses: [ 10.1.0.1/24 ] } }
    ports:
      vm1: { type: tap, network: blue }
      e0: { type: nic, bridge: br0, adopt: true }
      c1: { type: veth, network: blue, namespace: c1,
            addresses: [ 10.1.0.11/24 ] }
      c2: { type: veth, network: blue, namespace: {pid: %(pid)s},
            addresses: [ 10.1.0.12/24 ] }
      c3: { type: veth, network: blue, addresses: [ 10.1.0.13/24 ],
            namespace: {path: /var/run/docker/netns/c3} }
"""

CARD = """ip link add e0 type veth peer e1
ip link set e1 up
ip link set e0 up
ip addr add 192.0.2.1/24 dev e0
"""

# As Docker does it: a folder that is root's alone, a file mounted there.
DOCKER = """mkdir -m 700 -p /run/docker && mkdir -p /run/docker/netns
touch /run/docker/netns/c3
mount --bind "/proc/$(pgrep -x tail)/ns/net" /run/docker/netns/c3
"""


def have(program):
    return any(os.access(os.path.join(d, program), os.X_OK)
               for d in os.environ["PATH"].split(":"))


@scene
def the_unit_is_hardened(s):
    if not have("systemd-analyze"):
        raise lib.Skipped("systemd-analyze is not installed")
    said = lib.run("systemd-analyze", "security", "--offline=true",
                   "--no-pager", UNIT).stdout
    level = float(re.search(r"exposure level for \S+: ([\d.]+)", said)[1])
    lib.must(level <= EXPOSURE_MOST, "the exposure is %g:\n%s" % (level, said))


# At its end a sanitized build stops itself to look for leaks.
LEAKS = """[Service]
Environment=ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1
SystemCallFilter=ptrace
"""


def is_sanitized():
    with open(lib.WEFTD, "rb") as f:
        return b"__asan_init" in f.read()


def install(b):
    """What `make install` installs, without what it needs not."""
    for program in ("weft", "weftd"):
        b.run("cp", b.host(os.path.join(lib.BUILD, "src", program)),
              "/usr/bin/" + program)
    with open(UNIT) as f:
        text = re.sub(r"ExecStart=\S+/weftd", "ExecStart=/usr/bin/weftd",
                      f.read())
    b.write("/etc/systemd/system/weftd.service", text)
    if is_sanitized():
        b.write("/etc/systemd/system/weftd.service.d/sanitized.conf", LEAKS)
    b.write("/usr/lib/sysusers.d/weft.conf",
            open(os.path.join(lib.TOP, "dist", "weft.sysusers")).read())
    b.run("systemd-sysusers", "/usr/lib/sysusers.d/weft.conf")
    b.run("systemctl", "daemon-reload")


def around(b):
    """What is there without weft: a card, a named namespace, a user's process."""
    b.sh(CARD)
    b.run("ip", "netns", "add", "c1")
    b.popen("setpriv", "--reuid", "65534", "--regid", "65534",
            "--clear-groups", "unshare", "-Urn", "sleep", "600")
    pid = lib.until("another user's process is there",
                    lambda: b.sh("pgrep -x sleep || true"))
    lib.until("it has a namespace of its own", lambda: b.sh(
        "readlink /proc/%s/ns/net" % pid) != b.sh("readlink /proc/1/ns/net"))


def use(b):
    """NET is applied; the other user's process."""
    pid = b.sh("pgrep -x sleep")
    b.write("/root/net.yaml", NET % {"host": b.sh("hostname"), "pid": pid})
    b.run("weft", "apply", "/root/net.yaml")
    return pid


def start(b):
    """weftd as the unit starts it, in use; the other user's process."""
    b.run("systemctl", "start", "weftd")
    around(b)
    return use(b)


def state_of(b, port):
    return next(p["state"] for p in json.loads(b.sh("weft show ports --json"))
                if p["name"] == port)


def docker_starts(b):
    """Its namespace comes after the port that waits for it."""
    lib.must(state_of(b, "c3") == "absent", "c3 is there before its namespace")
    b.popen("unshare", "-n", "tail", "-f", "/dev/null")
    lib.until("a container's process is there",
              lambda: b.sh("pgrep -x tail || true"))
    b.sh(DOCKER)
    lib.until("c3 is up", lambda: state_of(b, "c3") == "up")
    lib.until("the host reaches it", lambda: b.run(
        "ping", "-n", "-c1", "-W1", "10.1.0.13", check=False).returncode == 0)


def must_ping(b, pid):
    """Between the namespaces, and from the host itself."""
    def goes(*words):
        return b.run(*words, "ping", "-n", "-c1", "-W1", "10.1.0.12",
                     check=False).returncode == 0
    lib.until("the host reaches a container", goes)
    lib.until("a container reaches the other",
              lambda: goes("ip", "netns", "exec", "c1"))


# What QEMU does that somebody starts for himself.
ATTACH = """import fcntl, struct, sys
fcntl.ioctl(open("/dev/net/tun", "r+b", buffering=0), 0x400454ca,
            struct.pack("16sH22x", sys.argv[1].encode(), 0x1002 | 0x4000))
"""


def journal(b):
    return b.sh("journalctl -u weftd -o cat --no-pager")


def operators_command(b):
    """Members of the group weft do what root does; nobody else does anything."""
    b.run("useradd", "-M", "-G", "weft", "ops")
    b.run("useradd", "-M", "guest")

    def as_user(name, *words):
        return b.run("setpriv", "--reuid", name, "--regid", name,
                     "--init-groups", "weft", *words, check=False)
    said = as_user("guest", "show", "ports")
    lib.must(said.returncode and "join the group" in said.stdout,
             "who is nobody saw: " + said.stdout)
    said = as_user("ops", "port", "add", "vm2", "type=tap", "network=blue",
                   "owner=ops")
    lib.must(not said.returncode, "an operator cannot: " + said.stdout)
    uid = b.sh("id -u ops")
    lib.must(re.search(r"^vm2: .* user (ops|%s)\b" % uid, b.sh("ip tuntap"),
                       re.M), "whose is vm2? " + b.sh("ip tuntap"))
    b.popen("ping", "-n", "-i", "0.1", "-c", "50", "10.1.0.12",
            stdout=subprocess.DEVNULL)
    said = as_user("ops", "capture", "c2", "-c", "1", "-w", "/tmp/c2", "icmp")
    lib.must(not said.returncode and b.sh("stat -c %s /tmp/c2") != "0",
             "an operator cannot capture: " + said.stdout)
    b.run("setpriv", "--reuid", "ops", "--regid", "ops", "--init-groups",
          "python3", "-c", ATTACH, "vm2")


@scene
def under_systemd_everything_works_that_should(s):
    with boot.Boot(s) as b:
        install(b)
        pid = start(b)
        must_ping(b, pid)
        docker_starts(b)
        for port in ("c1", "c2"):
            lib.must(state_of(b, port) == "up", "%s is %s" % (
                port, state_of(b, port)))
        lib.must(b.sh("cat /proc/sys/net/ipv6/conf/e0/disable_ipv6") == "1",
                 "the host is not kept out of e0")
        lib.must("192.0.2.1/24" in b.sh("ip -br addr show br0"),
                 "the card's address did not move")
        lib.must(b.run("weft", "doctor", check=False).returncode in (0, 2),
                 "the doctor does not work")
        status = b.sh("cat /proc/$(pidof weftd)/status")
        uid = b.sh("id -u weft")
        lib.must("Uid:\t%s\t" % uid in status, "whose is it?\n" + status)
        rights = b.sh("ls -ld /var/lib/weft | cut -d' ' -f1,3,4")
        lib.must(rights == "drwx------ weft weft", "the state: " + rights)
        lib.must("refused" not in journal(b), journal(b))
        lib.must(b.sh("systemctl show weftd -P WatchdogUSec") == "1min",
                 "no watchdog")
        lib.must(b.sh("systemctl show weftd -P WatchdogTimestamp"),
                 "no sign of life")
        operators_command(b)
        b.run("systemctl", "stop", "weftd")
        lib.must(b.sh("systemctl show weftd -P Result") == "success",
                 "it did not end well:\n" + journal(b))


# A connection of numbered records; what it needed most for one is said at its end.
STREAM = """import select, socket, struct, sys, time
if sys.argv[1] == "serve":
    with socket.create_server(("10.1.0.12", 7000)) as listener:
        c = listener.accept()[0]
        while data := c.recv(64):
            c.sendall(data)
else:
    c = socket.create_connection(("10.1.0.12", 7000), 5)
    c.settimeout(30)
    n, worst = 0, 0
    print("open", flush=True)
    while not select.select([sys.stdin], [], [], 0.01)[0]:
        began = time.monotonic()
        c.sendall(struct.pack(">Q", n))
        if struct.unpack(">Q", c.recv(8, socket.MSG_WAITALL))[0] != n:
            sys.exit("record %d came back as another" % n)
        n, worst = n + 1, max(worst, time.monotonic() - began)
    print(n, worst)
"""


class Traffic:
    """Pings and a TCP connection between the containers, from before to after."""

    def __init__(self, b, pid):
        inside = ("nsenter", "-t", pid, "-n", "python3", "-c", STREAM, "serve")
        c1 = ("ip", "netns", "exec", "c1")
        self.b, self.pid = b, pid
        self.server = b.popen(*inside)
        lib.until("the server listens", lambda: b.sh(
            "nsenter -t %s -n ss -Hltn sport = 7000" % pid))
        self.stream = b.popen(*c1, "python3", "-c", STREAM, "ask", text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ping = b.popen(*c1, "stdbuf", "-oL", "ping", "-n", "-i", "0.02",
                            "-W", "1", "10.1.0.12", stdout=subprocess.PIPE,
                            text=True)
        lib.must(self.stream.stdout.readline() == "open\n", "no connection")
        for _ in range(10):  # it goes, and is known
            self.ping.stdout.readline()

    def end(self):
        """(pings sent, lost, records through the connection, worst seconds)"""
        must_ping(self.b, self.pid)  # it goes again
        self.b.sh("kill -INT $(pidof ping)")
        said = self.ping.communicate(timeout=60)[0]
        n, got = re.search(r"(\d+) packets transmitted, (\d+) received",
                           said).groups()
        records, worst = self.stream.communicate("end", timeout=60)[0].split()
        # The last may be on its way when it ends.
        return int(n), max(int(n) - int(got) - 1, 0), int(records), float(worst)


# Somebody who has taken weftd over, before its own filter: what can he do? (What he
# can is told in docs/security.md.)
INTRUDER = """import ctypes, os, socket, subprocess, sys
libc = ctypes.CDLL(None, use_errno=True)

def call(*words):
    if libc.syscall(*words) < 0:
        raise OSError(ctypes.get_errno(), "refused")

def write(path):
    return lambda: open(path, "a").write("")

def list_of(path):
    if not os.listdir(path):
        raise OSError("nothing there")

tries = {
    "write /usr": write("/usr/x"), "write /etc": write("/etc/x"),
    "write /boot": write("/boot/x"), "write /run": write("/run/x"),
    "write another's state": write("/var/lib/x"),
    "write a setting of the kernel": write("/proc/sys/kernel/core_pattern"),
    "write a group's setting": write("/sys/fs/cgroup/cgroup.procs"),
    "read passwords": lambda: open("/etc/shadow").read(),
    "read homes": lambda: list_of("/root"),
    "see others' temporary files": lambda: list_of("/tmp"),
    "open a disk": lambda: os.close(os.open("/dev/sda", os.O_RDONLY)),
    "make a device": lambda: os.mknod("/run/weft/x", 0o20600, 0x103),
    "mount": lambda: call(165, b"none", b"/run/weft", b"tmpfs", 0, 0),
    "make a user namespace": lambda: call(272, 0x10000000),
    "make a mount namespace": lambda: call(272, 0x20000),
    "trace": lambda: call(101, 16, 1, 0, 0),
    "read another's memory": lambda: call(310, 1, 0, 0, 0, 0, 0),
    "load a module": lambda: call(175, 0, 0, b""),
    "set the clock": lambda: call(164, b"\\0" * 16, 0),
    "set the host's name": lambda: call(170, b"x", 1),
    "be root": lambda: os.setuid(0),
    "own a file": lambda: os.chown("/run/weft", 0, 0),
    "a setuid file": lambda: os.chmod("/run/weft", 0o4755),
    "a raw disk protocol": lambda: socket.socket(socket.AF_VSOCK),
    "a ring of calls": lambda: call(425, 1, 0),
}
done = []
for name, attempt in tries.items():
    try:
        attempt()
        done.append(name)
    except OSError:
        pass
if os.getuid() == 0:
    done.append("be root from the start")
print("DONE:", ", ".join(done) or "nothing")
"""


@scene
def the_unit_refuses_what_an_intruder_tries(s):
    if os.uname().machine != "x86_64":
        raise lib.Skipped("the calls are tried by x86-64's numbers")
    with boot.Boot(s) as b:
        install(b)
        b.write("/usr/lib/intruder.py", INTRUDER)
        b.sh("touch /tmp/precious; sed -e 's/^Type=.*/Type=oneshot/; "
             "s,^ExecStart=.*,ExecStart=/usr/bin/python3 /usr/lib/intruder.py,' "
             "-e /^Restart=/d /etc/systemd/system/weftd.service "
             ">/etc/systemd/system/intruder.service; systemctl daemon-reload")
        b.run("systemctl", "start", "intruder", check=False)
        said = b.sh("journalctl -u intruder -o cat --no-pager")
        lib.must("DONE: nothing" in said, "an intruder may do:\n" + said)
        free = b.run("python3", "/usr/lib/intruder.py", check=False).stdout
        lib.must("write /etc" in free and "read passwords" in free and
                 "make a user namespace" in free,
                 "the intruder does not even try: " + free)


# As docs/security.md says.
WITHOUT_PTRACE = """[Service]
CapabilityBoundingSet=~CAP_SYS_PTRACE
AmbientCapabilities=~CAP_SYS_PTRACE
"""


@scene
def the_right_to_look_into_processes_can_be_taken_away(s):
    with boot.Boot(s) as b:
        install(b)
        b.write("/etc/systemd/system/weftd.service.d/narrow.conf",
                WITHOUT_PTRACE)
        b.run("systemctl", "daemon-reload")
        start(b)
        rights = b.sh("grep ^CapEff /proc/$(pidof weftd)/status").split()[1]
        lib.must(not int(rights, 16) >> 19 & 1, "it has it still: " + rights)
        lib.must(state_of(b, "c1") == "up" and state_of(b, "c2") == "absent"
                 and "lacks CAP_SYS_PTRACE" in b.sh("weft show ports"),
                 "ports: " + b.sh("weft show ports"))
        lib.until("the host reaches a container", lambda: b.run(
            "ping", "-n", "-c1", "-W1", "10.1.0.11", check=False)
            .returncode == 0)


def lost_while(b, pid, act):
    """How many pings, one each 20 ms, are lost while act() acts, and how long the
    connection stood still."""
    traffic = Traffic(b, pid)
    act()
    n, lost, records, worst = traffic.end()
    lib.must(records > 10, "only %d records came through" % records)
    return lost, worst


# What QEMU is to a stream port: frames behind their lengths. It asks who has
# 10.1.0.1, and says each time when it was told; after 20 s without it gives up.
GUEST = """import select, socket, struct, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.settimeout(30)
mac, me, wanted = b"\\x52\\x54\\0\\0\\0\\x14", [10, 1, 0, 14], bytes([10, 1, 0, 1])
ask = (b"\\xff" * 6 + mac + struct.pack(">HHHBBH", 0x806, 1, 0x800, 6, 4, 1) +
       mac + bytes(me) + bytes(6) + wanted).ljust(60, b"\\0")
told = time.monotonic()
while time.monotonic() < told + 20:
    time.sleep(0.02)
    s.sendall(struct.pack(">I", len(ask)) + ask)
    while select.select([s], [], [], 0.1)[0]:
        n = struct.unpack(">I", s.recv(4, socket.MSG_WAITALL))[0]
        frame = s.recv(n, socket.MSG_WAITALL)
        if frame[12:14] != b"\\x08\\x06" or frame[28:32] != wanted or \\
                frame[20:22] != b"\\0\\2":
            continue
        told = time.monotonic()
        print(told, flush=True)
        break
"""


def must_be_told(guest):
    """From now on, not only before."""
    now = time.monotonic()
    while True:
        line = guest.stdout.readline()
        lib.must(line, "the machine is not answered any more")
        if float(line) > now:
            return



@scene
def a_machine_by_a_socket_keeps_its_connection(s):
    """Its user has no right but the socket's, and systemd keeps what it is."""
    with boot.Boot(s) as b:
        install(b)
        start(b)
        b.run("useradd", "-M", "guest")
        b.run("weft", "port", "add", "s1", "type=stream", "network=blue",
              "group=guest", "addresses=10.1.0.14/24")
        guest = b.popen("setpriv", "--reuid", "guest", "--regid", "guest",
                        "--init-groups", "python3", "-c", GUEST,
                        "/run/weft/ports/s1.sock", stdout=subprocess.PIPE,
                        text=True)
        must_be_told(guest)
        lib.until("systemd keeps the connection", lambda: b.sh(
            "systemctl show weftd -P NFileDescriptorStore") == "1")
        b.run("systemctl", "restart", "weftd")
        must_be_told(guest)
        before = b.sh("pidof weftd")
        b.run("kill", "-KILL", before)
        lib.until("systemd starts it again", lambda: b.sh(
            "pidof weftd || true") not in ("", before) and b.sh(
            "systemctl is-active weftd || true") == "active")
        must_be_told(guest)
        b.sh("kill $(pgrep -x python3)")
        lib.until("systemd forgets it when it is gone", lambda: b.sh(
            "systemctl show weftd -P NFileDescriptorStore") == "0")


@scene
def a_restart_by_systemd_loses_next_to_nothing(s):
    with boot.Boot(s) as b:
        install(b)
        pid = start(b)
        must_ping(b, pid)
        fast = all(p["fast"] for p in json.loads(
            b.sh("weft show ports --json")) if p["name"] in ("c1", "c2"))
        # Where the kernel may keep no flows, a restart is as long as it is.
        most, stop_s = (2, 1) if fast else (250, 10)

        def crash():
            before = b.sh("pidof weftd")
            b.run("kill", "-KILL", before)
            lib.until("systemd starts it again", lambda: b.sh(
                "pidof weftd || true") not in ("", before))
        lost, worst = lost_while(b, pid, crash)
        lib.must(lost <= most and worst < stop_s,
                 "lost by a crash: %d pings, %g s" % (lost, worst))
        lib.until("it is ready", lambda: b.sh(
            "systemctl is-active weftd || true") == "active")
        lost, worst = lost_while(
            b, pid, lambda: b.run("systemctl", "restart", "weftd"))
        lib.must(lost <= most and worst < stop_s,
                 "lost by a restart: %d pings, %g s" % (lost, worst))
        must_ping(b, pid)


# What manages machines looks for their networks when it starts, and a server for
# its address. Each says what was there when it came.
NEEDS = """[Unit]
%(order)s
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip -br link >/run/%%N.seen; ip -br addr >>/run/%%N.seen'
[Install]
WantedBy=multi-user.target
"""
ONLINE = "Wants=network-online.target\nAfter=network-online.target"
# "systemd-networkd-wait-online" waits for links, and so do not servers.
NEEDING = {"libvirtd": "", "docker": "", "containerd": "",
           "systemd-networkd-wait-online": "", "server": ONLINE}


def must_have_seen(b, name):
    lib.until("%s has looked" % name, lambda: b.sh(
        "systemctl is-active %s || true" % name) == "active", 60)
    seen = b.sh("cat /run/%s.seen" % name)
    for word in (r"^vm1 ", r"^br0 .* 192\.0\.2\.1/24 10\.1\.0\.1/24"
                 r"|^br0 .* 10\.1\.0\.1/24 192\.0\.2\.1/24"):
        lib.must(re.search(word, seen, re.M), "%s was started and saw:\n%s\n%s" % (
            name, seen, b.sh("journalctl -o cat --no-pager")))


@scene
def networks_stand_before_what_needs_them_starts(s):
    with boot.Boot(s) as b:
        install(b)
        start(b)
        b.write("/root/hardware", CARD)
        for name, order in NEEDING.items():
            b.write("/etc/systemd/system/%s.service" % name,
                    NEEDS % {"order": order})
        b.run("systemctl", "enable", "weftd", *NEEDING)
        b.run("systemctl", "stop", "weftd")
        for _ in ("after an end in order", "and after none"):
            b.reboot()
            for name in NEEDING:
                must_have_seen(b, name)


# ifupdown, a DHCP client: whoever gives the card its address when weftd has adopted
# it already.
LATE = """ip link add e0 type veth peer e1
ip link set e1 up
ip link set e0 up
(
until systemctl -q is-active weftd; do sleep 0.1; done
ip addr add 192.0.2.1/24 dev e0
sleep 0.3
ip route add default via 192.0.2.254 dev e0
) >/dev/null 2>&1 &
"""


@scene
def an_address_that_comes_late_moves_too(s):
    """The card's own addresses are those of its own start, and its managers'."""
    with boot.Boot(s) as b:
        install(b)
        start(b)
        b.write("/root/hardware", LATE)
        b.run("systemctl", "enable", "weftd")
        b.reboot()
        lib.until("the address is on the bridge", lambda: "192.0.2.1/24" in
                  b.sh("ip -br addr show br0 2>/dev/null || true"))
        lib.must("dev br0" in b.sh("ip route show default"),
                 "the route stayed: " + b.sh("ip route"))
        lib.must("192.0.2.1" not in b.sh("ip -br addr show e0"),
                 "the address is on both")
        b.run("weft", "down")
        lib.must("192.0.2.1/24" in b.sh("ip -br addr show e0") and
                 "dev e0" in b.sh("ip route show default"),
                 "it did not come back: " + b.sh("ip addr; ip route"))


# What dpkg, adduser and systemd themselves keep books in.
BOOKS = ["/var/lib/dpkg", "/var/lib/systemd/catalog", "/var/cache",
         "/var/log"] + [
    "/etc/%s-" % f for f in ("passwd", "group", "shadow", "gshadow", "subuid",
                             "subgid")]


def without_weft(b):
    """What a removal must bring back: files, users, devices, settings, rules."""
    books = " -o ".join("-path " + f for f in BOOKS)
    lib.until("the devices have their addresses",
              lambda: not b.sh("ip -6 addr show tentative"))
    return b.sh("find /etc /usr /var /opt /srv /run /dev/shm \\( %s "
                "-o -path /run/systemd -o -path /run/log -o -path /run/adduser "
                "\\) -prune -o -print; find /run/systemd -name '*weft*';"
                "sort /etc/passwd /etc/group /etc/shadow;"
                "systemctl list-unit-files --no-legend | grep -i weft;"
                "ip -br link | cut -d' ' -f1; ip -br addr; ls /run/netns;"
                "ip route show table all; ip neigh show proxy;"
                "tc qdisc; tc filter show dev e0 ingress;"
                "tc filter show dev e0 egress; ethtool -k e0;"
                "nft list ruleset; find /sys/fs/bpf;"
                "sysctl -a 2>/dev/null | grep '^net' | grep -v _count;"
                "pgrep -u weft" % books, check=False, seconds=120)


@functools.cache
def packages():
    """weft and its documentation as packages, and a newer version of weft."""
    if not have("dpkg-buildpackage") or not have("dh"):
        raise lib.Skipped("debhelper is not installed: tools/deps deb")
    folder = tempfile.mkdtemp(prefix="weft-deb.")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    lib.run(os.path.join(lib.TOP, "tools", "deb"), folder, seconds=900)
    debs = {f.split("_")[0]: os.path.join(folder, f)
            for f in os.listdir(folder)}
    tree, newer = os.path.join(folder, "tree"), os.path.join(folder, "new.deb")
    lib.run("dpkg-deb", "-R", debs["weft"], tree)
    lib.run("sed", "-i", "s/^Version: .*/Version: 99.0/",
            os.path.join(tree, "DEBIAN", "control"))
    lib.run("dpkg-deb", "-b", tree, newer)
    return debs["weft"], debs["weft-doc"], newer


@scene(long=True)
def the_packages_please_lintian(s):
    if not have("lintian"):
        raise lib.Skipped("lintian is not installed: tools/deps deb")
    weft, doc, _ = packages()
    lib.run("lintian", "--allow-root", "--fail-on", "error,warning",
            "--suppress-tags", "initial-upload-closes-no-bugs", weft, doc,
            seconds=300)


@scene(long=True)
def the_packages_come_are_upgraded_and_go_without_a_trace(s):
    weft, doc, newer = packages()
    with boot.Boot(s) as b:
        b.run("rm", "-f", "/var/lib/man-db/auto-update")  # takes its time
        b.run("useradd", "-M", "ops")
        around(b)
        before = without_weft(b)
        b.run("dpkg", "-i", b.host(weft), b.host(doc))
        lib.must(b.sh("systemctl is-active weftd") == "active" and
                 b.sh("systemctl is-enabled weftd") == "enabled",
                 "it does not run after being installed")
        b.run("adduser", "ops", "weft")
        pid = use(b)
        must_ping(b, pid)
        brought = b.sh("dpkg -L weft weft-doc")
        for name in ("man5/weft.yaml.5.gz", "man8/weftd.8.gz", "README.md",
                     "examples/one-host.yaml", "completions/weft",
                     "weft.schema.json", "extcap/weft-extcap"):
            lib.must(name in brought, "not in the packages: " + name)
        first = b.sh("pidof weftd")
        lost, worst = lost_while(b, pid,
                                 lambda: b.run("dpkg", "-i", b.host(newer)))
        lib.must(lost <= 3 and worst < 1,
                 "lost by the upgrade: %d pings, %g s" % (lost, worst))
        lib.must(b.sh("pidof weftd") != first, "the old one still runs")
        must_ping(b, pid)
        b.run("dpkg", "-r", "weft")
        devices = b.sh("ip -br link")
        lib.must("vm1" not in devices and "br0" not in devices,
                 "networks that are still there:\n" + devices)
        b.run("dpkg", "-P", "weft", "weft-doc")
        after = without_weft(b)
        trace = set(after.split("\n")) ^ set(before.split("\n"))
        lib.must(not trace, "there and not before, or before and not there:\n"
                 + "\n".join(sorted(trace)))
