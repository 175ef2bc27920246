"""What explain is held against: a random network of two hosts, random packets, and
where they really go.

    a: 7 veth, a tap, a tun, br9's own device ==== VXLAN ==== b: the same
       and a port whose device is not there

Stations are sockets of this process, opened in their namespaces; the kernel's own
stack there says nothing. They answer ARP and ND, so that neighbours stay known. Each
packet has a number in it (after MAGIC, or as the TCP or UDP port of a pair), so that a
frame is known wherever it comes out, however late.
"""
import ctypes
import errno
import fcntl
import json
import os
import random
import select
import socket
import struct
import time

from lib import Failed, must, until

MAGIC = b"WeFt"
PAIR, PAIRS = struct.pack(">H", 40000), 1 << 20
SOL_PACKET, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 263, 8, 23
ETH_P_ALL = 3
TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI = 0x400454ca, 1, 2, 0x1000
NETS, VETHS = 4, 6
WAIT_S = 10.0
libc = ctypes.CDLL(None, use_errno=True)


class Refused(Failed):
    """The daemon said why not."""


class Inside:
    """with Inside(ns): this thread is in that namespace."""

    def __init__(self, ns):
        self.path = "/run/netns/" + ns.name

    def __enter__(self):
        self.old = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.move(os.open(self.path, os.O_RDONLY))

    def __exit__(self, *_):
        self.move(self.old)

    @staticmethod
    def move(fd):
        must(libc.setns(fd, 0x40000000) == 0, "setns")
        os.close(fd)


class Rpc:
    """Calls over one connection that stays open."""

    def __init__(self, path):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.settimeout(60)
        self.s.connect(path)

    def take(self, n):
        got = b""
        while len(got) < n:
            piece = self.s.recv(n - len(got))
            must(piece, "the daemon closed the connection")
            got += piece
        return got

    def __call__(self, method, **params):
        body = json.dumps({"id": 1, "method": method, "params": params}).encode()
        self.s.sendall(struct.pack(">I", len(body)) + body)
        answer = json.loads(self.take(struct.unpack(">I", self.take(4))[0]))
        if "error" in answer:
            raise Refused("%s %s: %s" % (method, params, answer["error"]))
        return answer["result"]


# --- frames -----------------------------------------------------------------------
def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


def fold(data):
    if len(data) % 2:
        data += b"\0"
    n = sum(struct.unpack(">%dH" % (len(data) // 2), data))
    while n >> 16:
        n = (n & 0xffff) + (n >> 16)
    return 0xffff ^ n


def with_sum(data, at, pseudo=b""):
    n = fold(pseudo + data)
    return data[:at] + struct.pack(">H", n or 0xffff) + data[at + 2:]


def layer4(proto, v6, src, dst, o, payload):
    pseudo = (src + dst + struct.pack(">IHBB", 0, 0, 0, proto) if v6 else
              src + dst + struct.pack(">BBH", 0, proto, 0))
    if proto == 6:
        body = struct.pack(">HHIIBBHHH", o["sport"], o["dport"], 1, 0, 0x50,
                           o["flags"], 1000, 0, 0) + payload
        at = 16
    elif proto == 17:
        body = struct.pack(">HHHH", o["sport"], o["dport"], 8 + len(payload),
                           0) + payload
        at = 6
    elif proto in (1, 58):
        body = struct.pack(">BBHI", 128 if proto == 58 else 8, 0, 0, 7) + payload
        at = 2
    else:
        return payload
    if proto == 1:
        return with_sum(body, at)
    size = len(pseudo) - (4 if v6 else 2)
    length = (struct.pack(">I", len(body)) + pseudo[-4:] if v6 else
              struct.pack(">H", len(body)))
    return with_sum(body, at, pseudo[:32] + length if v6 else
                    pseudo[:size] + length)


def ip_packet(o, payload):
    src, dst = o["src"], o["dst"]
    body = layer4(o["proto"], o["v6"], src, dst, o, payload)
    if o["v6"]:
        return struct.pack(">IHBB", 6 << 28 | o["tos"] << 20, len(body),
                           o["proto"], o["ttl"]) + src + dst + body
    head = struct.pack(">BBHHHBBH4s4s", 0x45, o["tos"], 20 + len(body), 1,
                       o["frag"], o["ttl"], o["proto"], 0, src, dst)
    return head[:10] + struct.pack(">H", fold(head)) + head[12:] + body


def build(o, seq):
    payload = MAGIC + struct.pack(">I", seq) + bytes(o["more"])
    if o["kind"] == "ip":
        body, kind = ip_packet(o, payload), 0x86dd if o["v6"] else 0x0800
    elif o["kind"] == "arp":
        body = struct.pack(">HHBBH6s4s6s4s", 1, 0x800, 6, 4, o["op"], o["eth_src"],
                           o["src"], bytes(6), o["dst"]) + payload
        kind = 0x0806
    else:
        body, kind = payload, o["type"]
    if o.get("bare"):
        return body
    return o["eth_dst"] + o["eth_src"] + o["tag"] + struct.pack(">H", kind) + body


def number_of(frame):
    at = frame.find(MAGIC)
    if at >= 0 and len(frame) >= at + 8:
        return struct.unpack(">I", frame[at + 4:at + 8])[0]
    at = frame.find(PAIR)  # TCP or UDP of a pair: the number is the port
    if at < 0 or len(frame) < at + 4:
        return None
    return PAIRS + struct.unpack(">H", frame[at + 2:at + 4])[0]


# --- stations ---------------------------------------------------------------------
class Station:
    """A port of weft's, from outside: what is sent goes in, what is got came
    out."""

    def __init__(self, host, port, mac=None, ip4=None, ip6=None):
        self.host, self.port, self.mac = host, port, mac
        self.ip4, self.ip6 = ip4, ip6
        self.bare = False

    def open_packet(self, ns, device):
        with Inside(ns):
            s = self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                          socket.htons(ETH_P_ALL))
        s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        s.bind((device, ETH_P_ALL))
        s.setblocking(False)
        self.fd = s.fileno()
        return self

    def open_tun(self, ns, device, flag):
        with Inside(ns):
            self.fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self.fd, TUNSETIFF, struct.pack(
                "16sH22x", device.encode(), flag | IFF_NO_PI))
        self.sock = None
        self.bare = flag == IFF_TUN
        return self

    def send(self, frame):
        if self.sock:
            try:
                self.sock.send(frame)
            except OSError as e:
                # The kernel cache dropped what the host sent by br9.
                if e.errno != errno.ENOBUFS or self.port != "br9":
                    raise
        else:
            os.write(self.fd, frame)

    def get(self):
        """One frame, or None when there is none."""
        try:
            if not self.sock:
                return os.read(self.fd, 65536)
            frame, more, _, _ = self.sock.recvmsg(65536, 64)
        except BlockingIOError:
            return None
        for level, kind, data in more:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data[:20])
                if status & 0x10:  # the kernel took the tag off
                    frame = (frame[:12] + struct.pack(">HH", tpid or 0x8100, tci)
                             + frame[12:])
        return frame

    def answer(self, frame):
        """ARP and ND about its own addresses."""
        if self.bare or not self.mac or len(frame) < 42:
            return
        if (frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and
                frame[38:42] == self.ip4):
            self.send(frame[6:12] + self.mac + frame[12:20] + b"\0\2" + self.mac +
                      self.ip4 + frame[22:32])
        if (self.ip6 and frame[12:14] == b"\x86\xdd" and frame[20] == 58 and
                frame[54:55] == b"\x87" and frame[62:78] == self.ip6):
            body = (struct.pack(">BBHI", 136, 0, 0, 0x60000000) + self.ip6 +
                    b"\2\1" + self.mac)
            to = frame[22:38]
            body = with_sum(body, 2, self.ip6 + to + struct.pack(
                ">IHBB", len(body), 0, 0, 58))
            self.send(frame[6:12] + self.mac + b"\x86\xdd" + struct.pack(
                ">IHBB", 6 << 28, len(body), 58, 255) + self.ip6 + to + body)


# --- the network ------------------------------------------------------------------
def net4(n, i):
    return "10.%d.0.%d" % (n, i)


def net6(n, i):
    return "fd00:%d::%x" % (n, i)


class Net:
    """The file, from a seed."""

    def __init__(self, rng):
        self.rng = rng
        # n0, n1 span the hosts; n2 stays; n3 is a VLAN of br9.
        self.joined = [n for n in range(NETS) if rng.random() < 0.85]
        self.ports = {"a": [], "b": []}

    def rule(self, host):
        rng = self.rng
        match = rng.choice(("udp,tp_dst=7", "tcp,tp_dst=80", "icmp", "ip,ip_proto=89",
                            "arp", "ipv6", "ip,ip_dst=10.3.0.0/25", "dl_vlan=20",
                            "eth_dst=ff:ff:ff:ff:ff:ff", "udp,tp_src=1000/0xff00"))
        action = rng.choice(("drop", "normal", "set(ip_tos=32),normal",
                             "dec_ttl,normal", "normal,output:%s9" % host,
                             "output:%s5" % host, "resubmit(0)",
                             "truncate(90),output:%s5" % host,
                             "clone(output:%s5),normal" % host,
                             "set(eth_src=02:00:00:00:00:77),normal",
                             "push_vlan(tpid=0x8100,vid=20),output:%s5" % host))
        return '"priority=%d,%s actions=%s"' % (rng.randrange(1, 9999), match,
                                               action)

    def veth(self, host, i):
        rng = self.rng
        n = i % 3
        where = ("network: n%d, isolated: %s" % (n, rng.choice(
            ("true", "false", "false"))) if i < 4 else
            "bridge: br9, isolated: %s, vlan: %s" % (
                rng.choice(("true", "false")), rng.choice((
                    "{access: 10}", "{access: 20}", "{native: 10, trunk: [20]}",
                    "{trunk: [10, 20]}", "{native: 20, trunk: [10], "
                    "native_tagged: true}"))))
        i4, i6 = self.address(host, i)
        return ("      %s%d: {type: veth, namespace: @%s%d@, %s, gateway: none, "
                "addresses: [%s/24, \"%s/64\"]}" % (
                    host, i, host, i, where, i4, i6))

    @staticmethod
    def network_of(i):
        return i % 3 if i < 4 else 0 if i == 6 else 3

    def address(self, host, i):
        last = i + (1 if host == "a" else 101)
        n = self.network_of(i)
        return net4(n, last), net6(n, last)

    def host(self, host, underlay):
        rng = self.rng
        rules = ", ".join(self.rule(host) for _ in range(rng.randrange(5)))
        i4, i6 = self.address(host, 6)
        return ["  %s:" % host, "    underlay: {address: %s}" % underlay,
                "    bridges:",
                "      br9: {rules: [%s], forward_bpdu: %s, host: {vlan: 20}, "
                "loop_guard: false, static_macs: [{mac: 02:00:00:00:00:55, "
                "port: %s5, vlan: %d}]}" % (
                    rules, rng.choice(("true", "false")), host,
                    rng.choice((10, 20))),
                "    ports:"] + [self.veth(host, i) for i in range(VETHS)] + [
                "      %s6: {type: tap, network: n0, mac: 02:00:00:00:%02x:06, "
                "addresses: [%s/24, \"%s/64\"]}" % (
                    host, host == "a", i4, i6),
                "      %s7: {type: tun, router: r1, addresses: [10.7%d.0.1/30]}" % (
                    host, host == "b"),
                "      %s8: {type: tap, create: false, device: nosuch%s, %s}" % (
                    host, host, rng.choice(("network: n0", "network: n2",
                                            "bridge: br9"))),
                "      %s9: {type: veth, namespace: @%s9@, bridge: br9, "
                "gateway: none}" % (host, host)]

    def text(self, under):
        rng = self.rng
        lines = ["weft: 1", "networks:"]
        for n in range(NETS):
            vni = ", vni: %d" % (100 + n) if n < 2 or n == 3 else ""
            lines.append("  n%d: {subnets: [10.%d.0.0/24, \"fd00:%d::/64\"]%s%s%s}"
                         % (n, n, n, vni,
                            ", bridge: br9, vlan: 10" if n == 3 else "",
                            rng.choice((", arp_suppression: false", ""))
                            if n < 3 else ""))
        lines += ["routers:", "  r1:", "    networks:"]
        for n in self.joined:
            lines.append("      n%d: {addresses: [10.%d.0.254/24, \"fd00:%d::fe/64\"]}"
                         % (n, n, n))
        if not self.joined:
            lines[-1] += " {}"
        lines += ["    routes:", "      - {to: 192.0.2.0/24, blackhole: true}"]
        if 0 in self.joined:
            lines.append("      - {to: 198.51.100.0/24, via: 10.0.0.%d}" %
                         rng.choice((1, 104, 99)))
        lines.append("hosts:")
        for h in ("a", "b"):
            lines += self.host(h, under[h])
        return "\n".join(lines) + "\n"


class World:
    """The network, standing, with its stations."""

    def __init__(self, s, seed):
        self.rng = random.Random(seed)
        self.net = Net(self.rng)
        self.s = s
        self.hosts = {n: s.host(n, False) for n in ("a", "b")}
        a, b = self.hosts["a"], self.hosts["b"]
        s.link(a, "u0", b, "u0")
        under = {"a": "192.0.2.1", "b": "192.0.2.2"}
        self.spaces = {}
        for n, h in self.hosts.items():
            h.ip("addr", "add", under[n] + "/24", "dev", "u0")
            h.ip("link", "set", "u0", "mtu", "1600")
            h.start("--workers", "2")
            for i in [*range(VETHS), 9]:
                self.spaces[n, i] = s.netns("%s%d" % (n, i))
        text = self.net.text(under)
        for h in self.hosts.values():
            h.apply(text)
        self.rpc = {n: Rpc(h.socket) for n, h in self.hosts.items()}
        self.text = text
        self.stations = {}
        for n in ("a", "b"):
            self.open_stations(n)
        self.seq = self.moved = self.compared = self.refused = 0
        self.kinds = {"out": 0, "far": 0, "changed": 0, "drop": 0, "punt": 0,
                      "many": 0, "kernel": 0, "worker": 0}
        self.waiting = {}  # what each number was told, for those that come late
        self.late = {}
        self.speak()

    def put(self, st):
        self.stations[st.host, st.port] = st

    def open_stations(self, n):
        h = self.hosts[n]
        for i in [*range(VETHS), 9]:
            ns = self.spaces[n, i]
            ns.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
            ns.ip("addr", "flush", "dev", "eth0")
            ns.ip("link", "set", "eth0", "arp", "off")
            link = json.loads(ns.ip("-j", "link", "show", "eth0").stdout)[0]
            st = Station(n, "%s%d" % (n, i), mac_bytes(link["address"]))
            if i < VETHS:
                st.ip4, st.ip6 = self.packed(n, i)
            self.put(st.open_packet(ns, "eth0"))
        st = Station(n, n + "6", bytes((2, 0, 0, 0, n == "a", 6)),
                     *self.packed(n, 6))
        self.put(st.open_tun(h, n + "6", IFF_TAP))
        self.put(Station(n, n + "7").open_tun(h, n + "7", IFF_TUN))
        h.run("sysctl", "-qw", "net.ipv6.conf.br9.disable_ipv6=1")
        h.ip("link", "set", "br9", "arp", "off")
        link = json.loads(h.ip("-j", "link", "show", "br9").stdout)[0]
        self.put(Station(n, "br9", mac_bytes(link["address"])).open_packet(h, "br9"))
        for p in (n + "6", n + "7"):
            h.port_is(p, "up")

    def packed(self, n, i):
        i4, i6 = self.net.address(n, i)
        return (socket.inet_pton(socket.AF_INET, i4),
                socket.inet_pton(socket.AF_INET6, i6))

    def speak(self):
        """Everybody is heard once, and every neighbour that answers is known."""
        for st in self.stations.values():
            if st.mac and st.ip4:
                st.send(b"\xff" * 6 + st.mac + b"\x08\x06" + struct.pack(
                    ">HHBBH6s4s6s4s", 1, 0x800, 6, 4, 1, st.mac, st.ip4, bytes(6),
                    st.ip4))
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            self.listen(0.05)

    # --- what comes out ---
    def listen(self, seconds):
        """Frames that have a number, as (station, frame); the others are
        answered, if to be answered."""
        out = []
        fds = {st.fd: st for st in self.stations.values()}
        ready, _, _ = select.select(list(fds), [], [], seconds)
        for fd in ready:
            while (frame := fds[fd].get()) is not None:
                if number_of(frame) is None:
                    fds[fd].answer(frame)
                else:
                    out.append((fds[fd], frame))
        return out

    # --- what is told ---
    def expected(self, host, said, into, drops, punts):
        """Where the answer says it comes out: (host, port, bytes); and what is
        counted and handed to control on the way."""
        must("outputs" in said, "it was run: %s" % said)
        hosts = iter(said.get("hosts", []))
        for d in said["drops"]:
            drops.append((host, d["port"], d["reason"]))
        punts += said["punts"]
        for o in said["outputs"]:
            if "host" not in o:
                into.append((host, o["port"], o.get("bytes", said["bytes"])))
                continue
            far = next(hosts)
            must("answer" in far, "%s was not asked: %s" % (far["host"], far))
            self.expected(far["host"], far["answer"], into, drops, punts)

    def verdict(self, said, host):
        into, drops, punts = [], [], []
        self.expected(host, said, into, drops, punts)
        return sorted(into), sorted(drops), punts

    def ask(self, st, frame):
        return self.rpc[st.host]("explain", **{
            "from": st.port, "bytes": frame.hex(), "link": 101 if st.bare else 1})

    # --- one packet ---
    def collect(self, seq, want, punts):
        """What of packet `seq` is still wanted in the end, and what came that was
        not. When control was handed the packet it may say something about it, or
        send it on later: that is not held against the answer."""
        got, end = [], time.monotonic() + WAIT_S
        left = list(want)
        while left and time.monotonic() < end:
            for st, frame in self.listen(0.2):
                key = (st.host, st.port, frame.hex())
                n = number_of(frame)
                if n != seq:
                    self.strange(n, key)
                elif key in left:
                    left.remove(key)
                elif not punts:
                    got.append(key)
                    if len(got) >= len(want):
                        return left, got
        return left, got

    def strange(self, n, key):
        """A frame of a packet that was over: one more than was told."""
        punts, about = self.waiting.get(n, ([], "an unknown packet"))
        if not punts:
            self.late.setdefault(n, []).append((key, about))

    def counted(self, drops):
        now = {}
        for host, port, reason in set(drops):
            for p in self.rpc[host]("show", kind="ports"):
                if p["name"] == port:
                    now[host, port, reason] = p["drops"].get(reason, 0)
        return now

    def must_count(self, before, drops, about):
        """Each drop that was told is counted where it was told to be."""
        want = {k: before.get(k, 0) + drops.count(k) for k in set(drops)}

        def all_there():
            now = self.counted(drops)
            return all(now.get(k, 0) >= n for k, n in want.items())
        until("drops %s are counted; %s" % (drops, about), all_there)

    def compare(self, st, make, check_drops):
        """True when it went as told; False when what was known changed on the
        way, so that it must be asked again."""
        self.seq += 1
        seq, frame, said = make(self, self.seq)
        want, drops, punts = self.verdict(said, st.host)
        before = self.counted(drops) if check_drops else {}
        about = "%s of %s at %s: %s" % (frame.hex(), st.host, st.port,
                                        json.dumps(said))
        self.waiting[seq] = (punts, about)
        st.send(frame)
        left, got = self.collect(seq, want, punts)
        if not left and not got:
            self.note_kind(said, want, drops, punts)
            if check_drops:
                self.must_count(before, drops, about)
            return True
        again = self.verdict(self.ask(st, frame), st.host)
        self.waiting[seq] = (["moved"], about)
        must(again != (want, drops, punts),
             "told, but did not come: %s\ncame, but was not told: %s\n%s" %
             (left, got, about))
        return False

    def note_kind(self, said, want, drops, punts):
        """What kinds of ways there were, so that none is forgotten."""
        k = self.kinds
        k["out"] += bool(want)
        k["many"] += len(want) > 1
        k["far"] += "hosts" in said
        k["changed"] += any("changes" in o for o in said["outputs"])
        k["drop"] += bool(drops)
        k["punt"] += bool(punts)
        if said.get("cache"):
            k[said["cache"]] += 1

    def must_be_various(self):
        few = {k: n for k, n in self.kinds.items() if n < self.compared // 50
               and k != "kernel"}  # which is not permitted everywhere
        must(not few, "too few of some kind: %s of %d" % (few, self.compared))

    def try_packet(self, st, make, check_drops=False):
        for _ in range(5):
            try:
                if self.compare(st, make, check_drops):
                    self.compared += 1
                    return
            except Refused as e:
                # No router, no common family: told in words.
                must("-> " not in str(e) and make.__name__ == "make", str(e))
                self.refused += 1
                return
            self.moved += 1
        raise Failed("what is known changes at each packet")

    def must_be_over(self, seconds=0.5):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for st, frame in self.listen(0.05):
                self.strange(number_of(frame), (st.host, st.port, frame.hex()))
        must(not self.late, "more came than was told: %s" % list(
            self.late.values())[:1])
        must(self.moved <= 5 + self.compared // 20,
             "%d of %d were asked again" % (self.moved, self.compared))


# --- random packets ---------------------------------------------------------------
class Packets:
    def __init__(self, world):
        self.w, self.rng = world, world.rng
        self.from_ports = sorted(world.stations)
        self.with_ip = [s for s in world.stations.values() if s.ip4]
        self.router = mac_bytes(world.rpc["a"]("show", kind="routers")[0]["mac"])
        self.old = []

    def eth_dst(self, to):
        return self.rng.choice((
            to.mac or b"\xff" * 6, to.mac or self.router, to.mac or self.router,
            self.router, self.router, self.router, b"\xff" * 6,
            b"\x01\0\x5e\0\0\5", b"\x33\x33\0\0\0\1", b"\x01\x80\xc2\0\0" +
            bytes([self.rng.randrange(0, 48, 7)]),
            b"\2\0\0\0\0\x55", b"\2\x99\0\0\0" + bytes([self.rng.randrange(4)])))

    def eth_src(self, st):
        rng = self.rng
        if not st.mac or rng.random() < 0.03:
            return (b"\x01\0\0\0\0\1" if rng.random() < 0.2 else
                    b"\2\x88" + bytes(map(ord, st.port[:2])) + b"\0" +
                    bytes([rng.randrange(3)]))
        return st.mac

    def ip(self, st, o):
        rng = self.rng
        to = rng.choice(self.with_ip)
        v6 = rng.random() < 0.3 and not st.bare
        n = rng.randrange(NETS)
        dst = rng.choice(self.destinations(to, v6, n))
        src = ((st.ip6 or to.ip6) if v6 else (st.ip4 or b"\x0a\x46\0\2"))
        if rng.random() < 0.03 and not v6:
            src = rng.choice((b"\x7f\0\0\1", b"\xe0\0\0\1", b"\0\0\0\0"))
        o.update(kind="ip", v6=v6, src=src, dst=dst,
                 proto=rng.choice((6, 17, 17, 58 if v6 else 1, 89, 132)),
                 ttl=rng.choice((1, 2, 64, 64, 64)), tos=rng.choice((0, 0, 4, 184)),
                 sport=rng.choice((1000, 4000)), dport=rng.choice((7, 53, 80, 443)),
                 flags=rng.choice((2, 16, 24)),
                 frag=0 if v6 or rng.random() < 0.9 else
                 rng.choice((0x2000, 0x0010, 0x4000)))
        # n2 stays on its host: what fits there is too big for the others.
        o["more"] = rng.choice((0, 0, 30, 700, 1420 if st.port[1] == "2" else 1300))

    def destinations(self, to, v6, n):
        own = to.ip6 if v6 else to.ip4
        others = (("fd00:%d::fe" % n, "fd00:%d::ee" % n, "2001:db8::9", "ff02::1",
                   "fe80::1", "ff05::123") if v6 else
                  ("10.%d.0.254" % n, "10.%d.0.200" % n, "192.0.2.9",
                   "198.51.100.7", "224.0.0.9", "239.1.1.1", "127.0.0.1",
                   "10.70.0.2", "10.71.0.2", "255.255.255.255"))
        return [own] * len(others) + [socket.inet_pton(
            socket.AF_INET6 if v6 else socket.AF_INET, x) for x in others]

    def draw(self):
        """A station, and what makes its packet with a number."""
        rng = self.rng
        if self.old and rng.random() < 0.5:
            return rng.choice(self.old[-40:])
        st = self.w.stations[rng.choice(self.from_ports)]
        o = {"more": rng.choice((0, 30)), "bare": st.bare}
        to = rng.choice(self.with_ip)
        o["eth_dst"], o["eth_src"] = self.eth_dst(to), self.eth_src(st)
        o["tag"] = rng.choice((b"",) * 8 + (
            b"\x81\0\0\x0a", b"\x81\0\x60\x14", b"\x81\0\0\x1e", b"\x88\xa8\0\x0a",
            b"\x81\0\0\0", b"\x81\0\0\x0a\x81\0\0\5"))
        what = rng.random()
        if st.bare or what < 0.85:
            self.ip(st, o)
        elif what < 0.92 and st.ip4:
            o.update(kind="arp", op=rng.choice((1, 1, 2)), src=st.ip4,
                     eth_src=st.mac, dst=rng.choice((
                         to.ip4, b"\x0a" + st.ip4[1:2] + b"\0\xfe",
                         b"\x0a\0\0\xc8", st.ip4)))
        else:
            o.update(kind="other", type=rng.choice((0x88b6, 0x88b7, 0x8847, 40)))
        made = (st, lambda world, seq: self.given(world, st, build(o, seq), seq))
        self.old.append(made)
        return made

    @staticmethod
    def given(world, st, frame, seq):
        return seq, frame, world.ask(st, frame)

    def pair(self):
        """From one station to another, by name or address; the packet is what
        explain makes of it."""
        rng = self.rng
        st, to = rng.choice(self.with_ip), rng.choice(self.with_ip)
        af, ip = rng.choice(((socket.AF_INET, to.ip4), (socket.AF_INET6, to.ip6)))
        name = rng.choice((to.port, socket.inet_ntop(af, ip)))
        proto = rng.choice(("tcp", "udp"))

        def make(world, seq):
            port = 1000 + seq % 60000
            said = world.rpc[st.host]("explain", **{
                "from": st.port, "proto": proto,
                "to": "[%s]:%d" % (name, port) if ":" in name else
                "%s:%d" % (name, port)})
            return PAIRS + port, bytes.fromhex(said["bytes"]), said
        return st, make
