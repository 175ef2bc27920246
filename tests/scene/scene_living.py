"""weft as a part of a system: its unit, its packages, its start, ordinary users."""
import json
import os
import re
import subprocess

import boot
import lib
from lib import scene

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


def start(b):
    """weftd as the unit starts it, with NET applied; what reads the journal."""
    b.run("systemctl", "start", "weftd")
    b.run("ip", "netns", "add", "c1")
    b.run("ip", "link", "add", "e0", "type", "veth", "peer", "e1")
    b.sh("ip link set e0 up; ip addr add 192.0.2.1/24 dev e0")
    b.popen("setpriv", "--reuid", "65534", "--regid", "65534",
            "--clear-groups", "unshare", "-Urn", "sleep", "600")
    pid = lib.until("another user's process is there",
                    lambda: b.sh("pgrep -x sleep || true"))
    lib.until("it has a namespace of its own", lambda: b.sh(
        "readlink /proc/%s/ns/net" % pid) != b.sh("readlink /proc/1/ns/net"))
    b.write("/root/net.yaml", NET % {"host": b.sh("hostname"), "pid": pid})
    b.run("weft", "apply", "/root/net.yaml")
    return pid


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


def lost_while(b, act):
    """How many of 80 pings are lost between the containers while act() acts."""
    p = b.popen("ip", "netns", "exec", "c1", "stdbuf", "-oL", "ping", "-n",
                "-i", "0.02", "-c", "80", "-W", "1", "10.1.0.12",
                stdout=subprocess.PIPE, text=True)
    for _ in range(10):  # it goes, and is known
        p.stdout.readline()
    act()
    said = p.communicate(timeout=60)[0]
    return 80 - int(re.search(r"(\d+) received", said)[1])


@scene
def a_restart_by_systemd_loses_next_to_nothing(s):
    with boot.Boot(s) as b:
        install(b)
        pid = start(b)
        must_ping(b, pid)
        fast = all(p["fast"] for p in json.loads(
            b.sh("weft show ports --json")) if p["name"] in ("c1", "c2"))
        # Where the kernel may keep no flows, a restart is as long as it is.
        most = 2 if fast else 60

        def crash():
            before = b.sh("pidof weftd")
            b.run("kill", "-KILL", before)
            lib.until("systemd starts it again", lambda: b.sh(
                "pidof weftd || true") not in ("", before))
        lost = lost_while(b, crash)
        lib.must(lost <= most, "%d of 80 lost by a crash" % lost)
        lib.until("it is ready", lambda: b.sh(
            "systemctl is-active weftd || true") == "active")
        lost = lost_while(b, lambda: b.run("systemctl", "restart", "weftd"))
        lib.must(lost <= most, "%d of 80 lost by a restart" % lost)
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
CARD = """ip link add e0 type veth peer e1
ip link set e1 up
ip link set e0 up
ip addr add 192.0.2.1/24 dev e0
"""


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


# What dpkg, adduser and systemd themselves keep books in.
BOOKS = ["/var/lib/dpkg", "/var/lib/systemd", "/var/cache", "/var/log"] + [
    "/etc/%s-" % f for f in ("passwd", "group", "shadow", "gshadow", "subuid",
                             "subgid")]


def without_weft(b):
    """What a removal must bring back: files, users, devices, rules."""
    books = " -o ".join("-path " + f for f in BOOKS)
    return b.sh("find /etc /usr /var /opt /srv \\( %s \\) -prune -o -print;"
                "ls /run | grep -vx -e netns -e adduser;"
                "sort /etc/passwd /etc/group /etc/shadow;"
                "ip -br link | cut -d' ' -f1; nft list ruleset;"
                "find /sys/fs/bpf; ls /run/netns 2>/dev/null || true" % books,
                seconds=120)


def packages(s):
    """weft and its documentation as packages, and a newer version of weft."""
    folder = os.path.join(s.folder, "deb")
    lib.run(os.path.join(lib.TOP, "tools", "deb"), folder, seconds=900)
    debs = {f.split("_")[0]: os.path.join(folder, f)
            for f in os.listdir(folder)}
    if have("lintian"):
        lib.run("lintian", "--allow-root", "--fail-on", "error,warning",
                "--suppress-tags", "initial-upload-closes-no-bugs",
                debs["weft"], debs["weft-doc"], seconds=300)
    tree, newer = os.path.join(folder, "tree"), os.path.join(folder, "new.deb")
    lib.run("dpkg-deb", "-R", debs["weft"], tree)
    lib.run("sed", "-i", "s/^Version: .*/Version: 99.0/",
            os.path.join(tree, "DEBIAN", "control"))
    lib.run("dpkg-deb", "-b", tree, newer)
    return debs["weft"], debs["weft-doc"], newer


@scene(long=True)
def the_packages_come_are_upgraded_and_go_without_a_trace(s):
    if not have("dpkg-buildpackage") or not have("dh"):
        raise lib.Skipped("debhelper is not installed")
    weft, doc, newer = packages(s)
    with boot.Boot(s) as b:
        before = without_weft(b)
        b.run("dpkg", "-i", b.host(weft), b.host(doc))
        lib.must(b.sh("systemctl is-active weftd") == "active" and
                 b.sh("systemctl is-enabled weftd") == "enabled",
                 "it does not run after being installed")
        pid = start(b)
        must_ping(b, pid)
        brought = b.sh("dpkg -L weft weft-doc")
        for name in ("man5/weft.yaml.5.gz", "man8/weftd.8.gz", "README.md",
                     "examples/one-host.yaml", "completions/weft",
                     "weft.schema.json", "extcap/weft-extcap"):
            lib.must(name in brought, "not in the packages: " + name)
        first = b.sh("pidof weftd")
        lost = lost_while(b, lambda: b.run("dpkg", "-i", b.host(newer)))
        lib.must(lost <= 3, "%d of 80 lost by the upgrade" % lost)
        lib.must(b.sh("pidof weftd") != first, "the old one still runs")
        must_ping(b, pid)
        b.run("dpkg", "-r", "weft")
        devices = b.sh("ip -br link")
        lib.must("vm1" not in devices and "br0" not in devices,
                 "networks that are still there:\n" + devices)
        lib.must("192.0.2.1/24" in b.sh("ip -br addr show e0"),
                 "the card has not got its address back")
        b.run("dpkg", "-P", "weft", "weft-doc")
        b.sh("ip link del e0; ip netns del c1; rmdir /run/netns || true")
        after = without_weft(b)
        trace = set(after.split("\n")) ^ set(before.split("\n"))
        lib.must(not trace, "there and not before, or before and not there:\n"
                 + "\n".join(sorted(trace)))
