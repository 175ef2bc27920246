"""What explain says, held still: golden/explain.txt has commands and answers.

    c1 --- blue 198.51.100.0/24 --- r1 --- green 203.0.113.0/24 --- c3
    c2 ----'    rules: UDP to port 9 is dropped            tun0 ----'

After a change that is meant: WEFT_GOLDEN=write tests/scene/run golden
"""
import json
import os
import random
import shlex
import socket
import struct
import subprocess
import time

import scene_overlay
from lib import TOP, WEFT, must, scene

NET = """
weft: 1
networks:
  blue: {subnets: [198.51.100.0/24, "2001:db8:1::/64"]}
  green: {subnets: [203.0.113.0/24]}
routers:
  r1:
    networks:
      blue: {addresses: [198.51.100.254/24, "2001:db8:1::ff/64"]}
      green: {addresses: [203.0.113.254/24]}
    routes:
      - {to: 192.0.2.0/24, blackhole: true}
bridges:
  br9: {rules: ["priority=10,udp,tp_dst=9 actions=drop"]}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, gateway: 198.51.100.254, addresses: [198.51.100.1/24, "2001:db8:1::1/64"]}
  c2: {type: veth, network: blue, namespace: @c2@, gateway: 198.51.100.254, addresses: [198.51.100.2/24, "2001:db8:1::2/64"]}
  c3: {type: veth, network: green, namespace: @c3@, gateway: 203.0.113.254, addresses: [203.0.113.3/24]}
  p1: {type: dummy, bridge: br9}
  p2: {type: dummy, bridge: br9}
"""
GOLDEN = os.path.join(TOP, "tests", "scene", "golden", "explain.txt")
COMMANDS = (
    "explain c1 -> c2",
    "explain c1 -> c2:80",
    "explain c1 -> 2001:db8:1::2",
    "explain c1 -> 203.0.113.3:53 --udp",
    "explain c1 -> 192.0.2.9",
    "explain c1 -> 198.51.100.254",
    "explain c1 -> nowhere",
    "explain c1 --packet icmp,ip_dst=203.0.113.3",
    "explain c1 --packet icmp,ip_dst=203.0.113.3,ip_ttl=1",
    "explain --packet in_port=p1,udp,ip_src=198.51.100.7,ip_dst=198.51.100.8,tp_dst=9",
    "explain --packet in_port=p1,arp",
    "explain --packet in_port=c2,udp,ip_dst=224.0.0.5,tp_dst=520",
    "explain c1 --packet eth_dst=01:80:c2:00:00:00",
    "explain c1 --packet eth_src=01:00:00:00:00:01",
    "explain c1 --packet nonsense=1",
    "explain c9 --packet icmp",
    "explain c1 -> c2:80 --json",
)


def weft(h, *words):
    env = dict(os.environ, WEFT_RUN=os.path.join(h.folder, "run"),
               LC_ALL="C.UTF-8")
    return subprocess.run([WEFT, *words], env=env, text=True, timeout=20,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def command(h, *words):
    p = weft(h, *words)
    must(p.returncode == 0, p.stdout)
    return p.stdout


def answers(h):
    text = ""
    for c in COMMANDS:
        p = weft(h, *shlex.split(c))
        text += "$ weft %s\n%s[%d]\n\n" % (c, settled(p.stdout),
                                          p.returncode)
    return text


def settled(said):
    """Without which cache holds it: that hangs on who spoke when, not on the
    file."""
    return "".join(line for line in said.splitlines(True)
                   if not line.startswith(("   held by", '  "cache')))


@scene
def what_explain_says_is_the_golden_text(s):
    h = s.host("h", True, "--no-accel")
    spaces = [s.netns(n) for n in ("c1", "c2", "c3")]
    h.apply(NET)
    # Each has spoken, so that who is where is known for certain.
    spaces[0].must_reach("198.51.100.2")
    spaces[0].must_reach("203.0.113.3")
    spaces[0].must_reach("2001:db8:1::2")
    got = answers(h)
    if os.environ.get("WEFT_GOLDEN") == "write":
        os.makedirs(os.path.dirname(GOLDEN), exist_ok=True)
        with open(GOLDEN, "w") as f:
            f.write(got)
    with open(GOLDEN) as f:
        want = f.read()
    for g, w in zip(got.split("\n\n$"), want.split("\n\n$")):
        must(g == w, "it says\n%s\nand not\n%s" % (g, w))
    must(got == want, "as many answers as in the golden text")


@scene
def what_explain_says_of_a_packet_is_what_happens_to_it(s):
    h = s.host("h")
    c1, c2, c3 = (s.netns(n) for n in ("c1", "c2", "c3"))
    h.apply(NET)
    for to, port in (("198.51.100.2", "c2"), ("203.0.113.3", "c3")):
        c1.must_reach(to)
        said = h.rpc("explain", packet="in_port=c1,icmp,ip_dst=" + to)
        must(said["actions"].endswith("output:" + port), json.dumps(said))
        must(not said["drop"], "nothing is dropped")
    said = h.rpc("explain", **{"from": "c1", "to": "198.51.100.254"})
    must("to-router" in said["actions"], "the router itself answers: " +
         json.dumps(said))
    c1.must_reach("198.51.100.254")
    said = h.rpc("explain", packet="in_port=c1,icmp,ip_dst=192.0.2.9")
    must(said["drop"] == "blackhole", json.dumps(said))
    must(c1.ping("192.0.2.9") == 0.0, "nor is there an answer")
    must(h.drops("c1", "blackhole") > 0, "which is counted so")


# --- against what really happens --------------------------------------------------

PORTS = 6
PACKETS = 2000
SENDER = """
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
for i, line in enumerate(sys.stdin):
    s.send(bytes.fromhex(line))
    if i % 16 == 15: time.sleep(0.005)
"""


def random_net(rng):
    """Networks, a router over some of them, a bridge with VLANs and rules."""
    def port(i):
        if i >= PORTS - 2:
            vlan = rng.choice(("{access: 10}", "{access: 20}",
                               "{native: 10, trunk: [20]}", "{trunk: [10, 20]}"))
            return "bridge: br9, vlan: %s" % vlan
        n = i % 3
        return ("network: n%d, gateway: 10.%d.0.254, isolated: %s, addresses: "
                "[10.%d.0.%d/24]" % (n, n, rng.choice(("true", "false", "false")),
                                     n, i + 1))
    ports = ["  p%d: {type: veth, namespace: @p%d@, %s}" % (i, i, port(i))
             for i in range(PORTS)]
    rules = ['"priority=%d,%s actions=%s"' % (
        rng.randrange(1, 99), rng.choice(("udp,tp_dst=7", "tcp", "arp", "icmp")),
        rng.choice(("drop", "normal"))) for _ in range(3)]
    joined = ["      n%d: {addresses: [10.%d.0.254/24]}" % (n, n)
              for n in range(rng.choice((2, 3)))]
    return "\n".join(
        ["weft: 1", "networks:"] +
        ["  n%d: {subnets: [10.%d.0.0/24]}" % (n, n) for n in range(3)] +
        ["routers:", "  r1:", "    networks:", *joined,
         "    routes: [{to: 192.0.2.0/24, blackhole: true}]",
         "bridges:", "  br9: {rules: [%s]}" % ", ".join(rules),
         "ports:", *ports, ""])


def random_frame(rng, i, macs):
    """A frame of the station at port i: whom to, what and how far, as it falls."""
    to = rng.randrange(PORTS)
    dst = rng.choice((macs[to], macs["r1"], macs["r1"], b"\xff" * 6,
                      b"\x01\x00\x5e\0\0\x05", b"\x01\x80\xc2\0\0\0",
                      b"\x02\x99\0\0\0" + bytes([rng.randrange(4)])))
    tag = rng.choice((b"", b"", b"", b"", b"", b"", b"\x81\0\0\x0a",
                      b"\x81\0\0\x14", b"\x81\0\0\x1e"))
    if rng.random() < 0.1:
        return dst + macs[i] + tag + b"\x88\xb6" + bytes(46)
    ip = rng.choice(("10.%d.0.%d" % (to % 3, to + 1), "10.%d.0.254" % (to % 3),
                     "192.0.2.1", "198.51.100.77", "127.0.0.1"))
    src = "10.%d.0.%d" % (i % 3, i + 1)
    proto = rng.choice((1, 6, 17, 89))
    l4 = {1: b"\x08\0\0\0" + bytes(4), 6: struct.pack(">HH", 1000, 80) + bytes(16),
          17: struct.pack(">HHHH", 1000, rng.choice((7, 53)), 8, 0)}.get(
              proto, bytes(8))
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(l4), 0, 0,
                       rng.choice((1, 64)), proto, 0, socket.inet_aton(src),
                       socket.inet_aton(ip))
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xffff) + (total >> 16)
    total = 0xffff ^ ((total & 0xffff) + (total >> 16))
    head = head[:10] + struct.pack(">H", total) + head[12:]
    return (dst + macs[i] + tag + b"\x08\0" + head + l4).ljust(60, b"\0")


def packets_of(path):
    """(port, bytes, comment) of each packet of a pcapng file."""
    with open(path, "rb") as f:
        data = f.read()
    at, names = 0, []

    def options(body):
        while len(body) >= 4:
            code, n = struct.unpack("<HH", body[:4])
            yield code, body[4:4 + n]
            body = body[4 + (n + 3) // 4 * 4:]
    while at < len(data):
        kind, size = struct.unpack("<II", data[at:at + 8])
        body = data[at + 8:at + size - 4]
        at += size
        if kind == 1:
            names.append(dict(options(body[8:]))[2].decode())
        elif kind == 6:
            n = struct.unpack("<I", body[12:16])[0]
            said = dict(options(body[20 + (n + 3) // 4 * 4:])).get(1, b"")
            yield (names[struct.unpack("<I", body[:4])[0]], body[20:20 + n],
                   said.decode())


def send_all(spaces, frames):
    senders = []
    for i, n in enumerate(spaces):
        p = n.popen("python3", "-c", SENDER, stdin=subprocess.PIPE)
        p.stdin.write("".join(f.hex() + "\n" for j, f in frames
                              if j == i).encode())
        p.stdin.close()
        senders.append(p)
    for p in senders:
        p.wait(60)


def judge(h, path):
    """How many packets explain told as they went; the first that it did not."""
    right = 0
    for port, data, comment in packets_of(path):
        said = h.rpc("explain", **{"from": port, "bytes": data.hex(), "link": 1})
        told = said["actions"] or "drop(%s)" % said["drop"]
        # A neighbour that does not answer is asked, then given up: it is a matter
        # of seconds which of the two it is.
        must(told == comment.split("; ")[0] or
             ("neigh" in told and "neigh" in comment),
             "at %s, %s: it is told %s, but went %s" %
             (port, said["packet"], told, comment))
        right += 1
    return right


@scene
def what_explain_says_is_never_wrong(s):
    seed = int(os.environ.get("WEFT_SEED", time.time_ns() % 100000))
    rng = random.Random(seed)
    h = s.host("h", True, "--workers", "2")
    spaces = [s.netns("p%d" % i) for i in range(PORTS)]
    h.apply(random_net(rng))
    macs = {"r1": bytes.fromhex(h.show("routers")[0]["mac"].replace(":", ""))}
    for i, n in enumerate(spaces):
        link = json.loads(n.ip("-j", "link", "show", "eth0").stdout)[0]
        macs[i] = bytes.fromhex(link["address"].replace(":", ""))
    frames = [(i, random_frame(rng, i, macs)) for i in
              (rng.randrange(PORTS) for _ in range(PACKETS))]
    # Once to be learned from, so that nothing is learned while it is judged.
    send_all(spaces, frames)
    time.sleep(4)
    path = os.path.join(s.folder, "x.pcapng")
    env = dict(os.environ, WEFT_RUN=os.path.join(h.folder, "run"))
    cap = s.popen(WEFT, "capture", "in", "-w", path, "ip or ether proto 0x88b6 or "
                  "vlan", env=env)
    time.sleep(0.5)
    send_all(spaces, frames)
    time.sleep(0.5)
    cap.terminate()
    cap.wait(20)
    try:
        right = judge(h, path)
    except Exception as e:
        raise type(e)("seed %d: %s" % (seed, e)) from e
    must(right >= PACKETS, "all were judged, not only %d" % right)


# --- across hosts ---------------------------------------------------------------

def far_of(h, **question):
    said = h.rpc("explain", **question)
    hosts = said.get("hosts", [])
    must(len(hosts) == 1, "one host is asked: " + json.dumps(said))
    return said, hosts[0]


@scene
def the_far_host_goes_on_with_the_packet(s):
    a, b, (ca, ga, cb, gb) = scene_overlay.hosts(s)
    ca.must_reach("198.51.100.2")
    ca.must_reach("203.0.113.2")
    said, far = far_of(a, **{"from": "ca", "to": "198.51.100.2:80"})
    must(said["outputs"][0]["host"] == "b" and far["host"] == "b", "to b")
    must(far["answer"]["outputs"] == [{"port": "cb"}], json.dumps(far))
    must(far["answer"]["from"] == "a", "b knows who asks")
    # Routed where it enters: b sees it as it comes out of the tunnel.
    said, far = far_of(a, **{"from": "ca", "to": "203.0.113.2"})
    must("ip_ttl=63" in far["answer"]["packet"] and
         far["answer"]["outputs"] == [{"port": "gb"}], json.dumps(far))
    must(far["answer"]["packet"].split(",eth")[1] ==
         said["outputs"][0]["packet"].split(",eth")[1], "the same packet")
    text = command(a, "explain", "ca", "->", "198.51.100.2")
    must("\nb goes on:\n   a  icmp" in text and "output:cb" in text, text)


@scene
def a_far_host_that_does_not_answer_is_said_within_a_second(s):
    a, b, (ca, ga, cb, gb) = scene_overlay.hosts(s)
    ca.must_reach("198.51.100.2")
    b.kill()
    began = time.monotonic()
    said, far = far_of(a, **{"from": "ca", "to": "198.51.100.2"})
    took = time.monotonic() - began
    must("no answer came within a second" in far["not_asked"], far)
    must(0.9 < took < 5, "it took %g s" % took)
    text = command(a, "explain", "ca", "->", "198.51.100.2")
    must("\nb was not asked: no answer" in text, text)
    # A tunnel end that is no host of the file is not asked.
    a.apply("weft: 1\nnetworks: {blue: {vni: 100}}\n"
            "underlay: {address: 192.0.2.1}\npeers: [192.0.2.77]\n"
            "ports: {ca: {type: veth, network: blue, namespace: @ca@}}\n")
    said, far = far_of(a, **{"from": "ca", "packet":
                             "icmp,ip_dst=198.51.100.9,"
                             "eth_dst=02:00:00:00:00:09"})
    must("no host of the file" in far["not_asked"], far)
