"""Captures, read back by tshark.

    c1 --- blue 198.51.100.0/24 === a ---- 192.0.2.0/24 ---- b === blue --- c2

weft capture, its file and pipe forms, Wireshark's extcap, weft trace and explain of
captured packets.
"""
import json
import os
import select
import shutil
import signal
import subprocess
import time

from lib import WEFT, RpcError, Skipped, must, run, scene, transfer, until

RULES = """
weft: 1
bridges:
  br0: {rules: ["priority=10,udp,tp_dst=9 actions=drop"]}
ports:
  c1: {type: veth, bridge: br0, namespace: @c1@, addresses: [198.51.100.1/24]}
  c2: {type: veth, bridge: br0, namespace: @c2@, addresses: [198.51.100.2/24]}
"""
BLUE = """
weft: 1
networks:
  blue: {subnets: [198.51.100.0/24]}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, addresses: [198.51.100.1/24]}
  c2: {type: veth, network: blue, namespace: @c2@, addresses: [198.51.100.2/24]}
"""
FIELDS = ("frame.interface_name", "frame.packet_flags_direction", "frame.comment",
          "frame.protocols")


def need_tshark():
    if not shutil.which("tshark"):
        raise Skipped("tshark is not installed")


def two(s, text=BLUE):
    need_tshark()
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    h.apply(text)
    c1.must_reach("198.51.100.2")
    return h, c1, c2


class Capture:
    """weft capture beside the scene; ends when told to."""

    def __init__(self, s, h, *words, **more):
        env = dict(os.environ, WEFT_RUN=os.path.join(h.folder, "run"))
        before = h.rpc("status")["captures"]
        self.err = open(os.path.join(s.folder, "capture.err"), "w+b")
        self.p = s.popen(WEFT, *words, env=env, stderr=self.err,
                         **{"stdout": subprocess.PIPE, **more})
        until("the capture runs", lambda: self.began(h, before))

    def began(self, h, before):
        if self.p.poll() not in (None, 0):
            must(False, "the capture ended: " + self.said())
        return h.rpc("status")["captures"] > before

    def said(self):
        self.err.seek(0)
        return self.err.read().decode()

    def end(self, sig=signal.SIGINT):
        """Interrupts; what it wrote to its pipe, and what it said."""
        if self.p.poll() is None:
            self.p.send_signal(sig)
        out = self.p.communicate(timeout=20)[0] if self.p.stdout else b""
        self.p.wait(20)
        must(self.p.returncode == 0, "the capture ended with %d: %s" %
             (self.p.returncode, self.said()))
        return out, self.said()


def read(path, *filters):
    """Packets of a file as dictionaries of FIELDS, by tshark."""
    words = ["tshark", "-n", "-r", path, "-T", "json"]
    for f in FIELDS:
        words += ["-e", f]
    if filters:
        words += ["-Y", filters[0]]
    p = subprocess.run(words, capture_output=True, text=True, timeout=60)
    must(p.returncode == 0, "tshark reads the file: " + p.stderr)
    return [{f: ", ".join(q["_source"]["layers"].get(f, [])) for f in FIELDS}
            for q in json.loads(p.stdout or "[]")]


def ways(packets):
    return sorted((p["frame.interface_name"],
                   {"0x00000001": "in", "0x00000002": "out"}.get(
                       p["frame.packet_flags_direction"], "-"))
                  for p in packets)


@scene
def a_ping_is_seen_where_it_comes_in_and_where_it_leaves(s):
    h, c1, c2 = two(s)
    path = os.path.join(s.folder, "x.pcapng")
    cap = Capture(s, h, "capture", "-w", path, "icmp")
    must(c1.ping("198.51.100.2", 3) == 1.0, "the pings are answered")
    said = cap.end()[1]
    must("12 packets captured, 0 lost" in said, "it says what it has: " + said)
    got = read(path)
    must(ways(got) == sorted(3 * [("c1", "in"), ("c1", "out"), ("c2", "in"),
                                  ("c2", "out")]),
         "each of the pings four times: " + str(ways(got)))
    must(all("icmp" in p["frame.protocols"] for p in got), "and nothing else")
    must(any("output:c2" in p["frame.comment"] for p in got),
         "the verdict is in the comment: " + str(got[0]))
    info = run("capinfos", path).stdout
    must("weft" in info and "Number of packets:   12" in info, info)


@scene
def one_port_one_way_and_so_many(s):
    h, c1, c2 = two(s)
    path = os.path.join(s.folder, "x.pcapng")
    cap = Capture(s, h, "capture", "c2", "out", "-c", "2", "-w", path, "icmp")
    must(c1.ping("198.51.100.2", 4) == 1.0, "the pings are answered")
    cap.p.wait(10)
    must(ways(read(path)) == 2 * [("c2", "out")], str(ways(read(path))))


@scene
def it_is_written_into_a_pipe_as_it_comes(s):
    h, c1, c2 = two(s)
    cap = Capture(s, h, "capture", "c1", "in", "icmp")
    reader = s.popen("tshark", "-n", "-l", "-r", "-", "-T", "fields", "-e",
                     "icmp.type", stdin=cap.p.stdout, stdout=subprocess.PIPE)
    must(c1.ping("198.51.100.2", 2) == 1.0, "the pings are answered")
    cap.p.stdout.close()
    cap.p.stdout = None
    cap.end()
    out = reader.communicate(timeout=20)[0].decode()
    must(out.split() == ["8", "8"], "two echo requests, not " + out)


@scene
def as_text_it_is_a_line_a_packet(s):
    h, c1, c2 = two(s)
    cap = Capture(s, h, "capture", "c1", "--text", "icmp")
    must(c1.ping("198.51.100.2", 1) == 1.0, "the ping is answered")
    lines = cap.end()[0].decode().splitlines()
    must(len(lines) == 2, "two lines: " + str(lines))
    must(" in " in lines[0] and "198.51.100.1 > 198.51.100.2" in lines[0] and
         "output:c2" in lines[0], lines[0])
    must(" out " in lines[1] and "from c2" in lines[1], lines[1])


@scene
def what_is_dropped_is_seen_with_reason_and_rule(s):
    h, c1, c2 = two(s, RULES)
    path = os.path.join(s.folder, "x.pcapng")
    both = os.path.join(s.folder, "y.pcapng")
    cap = Capture(s, h, "capture", "--drops", "-w", path)
    cap2 = Capture(s, h, "capture", "in", "-w", both, "udp")
    c1.python("import socket\ns=socket.socket(type=socket.SOCK_DGRAM)\n"
              "for i in range(3): s.sendto(b'x', ('198.51.100.2', 9))")
    until("they are dropped", lambda: h.drops("c1", "rule") >= 3)
    cap.end()
    cap2.end()
    got = read(path, "udp")
    must(ways(got) == 3 * [("c1", "-")], "three drops at c1: %s" % got)
    must("a rule drops it" in got[0]["frame.comment"], str(got[0]))
    got = read(both)
    must(len(got) == 3 and "priority 10" in got[0]["frame.comment"] and
         "net.yaml:4" in got[0]["frame.comment"],
         "which rule, and where it stands: %s" % got)


@scene
def large_frames_are_shown_as_they_pass_or_as_on_a_wire(s):
    h, c1, c2 = two(s)
    path = os.path.join(s.folder, "x.pcapng")
    wire = os.path.join(s.folder, "y.pcapng")
    cap = Capture(s, h, "capture", "c2", "out", "-s", "100", "-w", path,
                  "tcp dst port 5001")
    cap2 = Capture(s, h, "capture", "c2", "out", "--wire", "-w", wire,
                   "tcp dst port 5001")
    transfer(c1, c2, "198.51.100.2", 1)
    said = cap.end()[1], cap2.end()[1]
    must(" 0 lost" in said[0], said[0])
    must(read(path, "frame.len > 1514 && frame.cap_len <= 100"),
         "frames larger than the MTU, cut to the snap length")
    must(any("GSO: segments of" in p["frame.comment"] for p in read(path)),
         "and a note says what they are")
    must(not read(wire, "frame.len > 1514"), "none is larger on the wire")
    checked = subprocess.run(
        ["tshark", "-n", "-r", wire, "-o", "tcp.check_checksum:TRUE", "-o",
         "ip.check_checksum:TRUE", "-Y",
         "tcp.checksum.status == 0 || ip.checksum.status == 0"],
        capture_output=True, text=True, timeout=60).stdout
    must(not checked.strip(), "each checksum is right: " + checked[:300])


@scene
def a_capture_ends_with_its_client_and_others_go_on(s):
    h, c1, c2 = two(s)
    path = os.path.join(s.folder, "x.pcapng")
    killed = [Capture(s, h, "capture", "icmp") for _ in range(3)]
    kept = Capture(s, h, "capture", "c1", "in", "-w", path, "icmp")
    for k in killed:
        k.p.kill()
        k.p.wait(10)
    until("their end is noticed", lambda: h.rpc("status")["captures"] == 1)
    must(c1.ping("198.51.100.2", 2) == 1.0, "the pings are answered")
    kept.end()
    must(len(read(path)) == 2, "the other saw both")
    again = [Capture(s, h, "capture", "icmp") for _ in range(8)]
    p = run(WEFT, "--run", os.path.join(h.folder, "run"), "capture", "-w",
            "/dev/null", check=False)
    must(p.returncode == 1 and "8 captures run already" in p.stdout, p.stdout)
    for a in again:
        a.p.kill()
        a.p.wait(10)


@scene
def a_reader_that_stands_still_costs_copies_and_no_packets(s):
    h, c1, c2 = two(s)
    cap = Capture(s, h, "capture", "tcp")
    transfer(c1, c2, "198.51.100.2", 64)
    must(c1.ping("198.51.100.2", 5) == 1.0, "and nobody else waits")
    cap.p.send_signal(signal.SIGINT)
    with open(os.path.join(s.folder, "x.pcapng"), "wb") as f:
        shutil.copyfileobj(cap.p.stdout, f)
    cap.p.stdout = None
    said = cap.end()[1]
    captured, lost = (int(w) for w in said.replace(",", "").split()
                      if w.isdigit())
    must(lost > 0, "the loss is said: " + said)
    must(len(read(os.path.join(s.folder, "x.pcapng"), "tcp")) == captured,
         "and what is said to be captured is there")


@scene
def a_port_made_again_is_still_captured(s):
    h, c1, c2 = two(s)
    path = os.path.join(s.folder, "x.pcapng")
    cap = Capture(s, h, "capture", "c2", "out", "-w", path, "icmp")
    h.apply(BLUE[:BLUE.index("  c2:")])
    h.apply(BLUE)
    c1.must_reach("198.51.100.2")
    cap.end()
    must(("c2", "out") in ways(read(path)), "the new c2 is seen: " +
         str(ways(read(path))))
    must("Number of interfaces in file: 1" in run("capinfos", path).stdout,
         "and is the same interface")


@scene
def captures_come_and_go_under_traffic_and_nothing_is_lost(s):
    h, c1, c2 = two(s)
    pings = c1.popen("ping", "-q", "-i", "0.005", "-c", "600", "198.51.100.2",
                     stdout=-1)
    for _ in range(4):
        Capture(s, h, "capture", "-w", "/dev/null").end()
    out = pings.communicate(timeout=30)[0].decode()
    must(" 0% packet loss" in out, out)


@scene
def what_only_the_kernel_forwarded_is_seen_and_goes_back_there(s):
    h, c1, c2 = two(s)

    def in_kernel():
        c1.ping("198.51.100.2", 5)
        return [f for f in h.show("flows") if f.get("in_kernel")]
    if not any(in_kernel() for _ in range(5)):
        raise Skipped("no flow goes to the kernel on this machine")
    path = os.path.join(s.folder, "x.pcapng")
    cap = Capture(s, h, "capture", "c1", "in", "-w", path, "icmp")
    must(c1.ping("198.51.100.2", 10) == 1.0, "the pings are answered")
    cap.end()
    must(len(read(path)) == 10, "each is seen, not %d" % len(read(path)))
    hits = h.rpc("status")["datapath"]["kernel_hits"]

    def back():
        c1.ping("198.51.100.2", 5)
        return h.rpc("status")["datapath"]["kernel_hits"] > hits + 5
    until("the flows go back", back, 10)


@scene
def what_was_asked_wrongly_is_said(s):
    h, c1, c2 = two(s)
    for words, says in (
            (["capture", "c9", "icmp"], '"c9" is no port'),
            (["capture", "-c", "none"], "-c needs a number"),
            (["capture", "-w"], "-w needs a value"),
            (["trace", "dead"], "weft trace live"),
            (["capture", "-w", "/nowhere/x", "icmp"], "/nowhere/x"),
    ):
        p = run(WEFT, "--run", os.path.join(h.folder, "run"), *words,
                check=False)
        must(p.returncode and says in p.stdout, "%s says %r, not %s" %
             (words, says, p.stdout))
    # What no command of ours would ask.
    for params, says in (
            ({"ports": ["c3"]}, 'did you mean \"c'),
            ({"ports": [7, None]}, "there is no port"),
            ({"ports": ["c1"] * 2000}, "at most 1024 ports"),
            ({"format": "png"}, "pcapng, text or trace"),
            ({"ethernet": "xyz"}, "hexadecimal digits"),
            ({"ethernet": "0" * 16}, "does not end with an answer"),
            ({"ip": "0005000000000009" + "0006000000000000"}, "cannot be run"),
            ({"ethernet": "0006000000000000" * 5000}, "more than 4096"),
    ):
        try:
            h.rpc("capture", **params)
        except RpcError as e:
            must(says in str(e), "%s says %r, not %s" %
                 (str(params)[:60], says, e.error))
            continue
        must(False, "the daemon took " + str(params)[:60])
    try:
        h.rpc("capture_stop", capture=99)
    except RpcError as e:
        must("there is no capture 99" in str(e), str(e))
    must(h.is_up(), "the daemon lives")


# --- tunnels -------------------------------------------------------------------

NET = """
weft: 1
networks:
  blue: {subnets: [198.51.100.0/24], vni: 100}
hosts:
  a:
    underlay: {address: 192.0.2.1}
    ports:
      c1: {type: veth, network: blue, namespace: @c1@, addresses: [198.51.100.1/24]}
  b:
    underlay: {address: 192.0.2.2}
    ports:
      c2: {type: veth, network: blue, namespace: @c2@, addresses: [198.51.100.2/24]}
  c:
    underlay: {address: 192.0.2.3}
"""


def two_hosts(s):
    need_tshark()
    a, b = s.host("a", False), s.host("b", False)
    s.link(a, "u0", b, "u0")
    for h, address in ((a, "192.0.2.1"), (b, "192.0.2.2")):
        h.ip("addr", "add", address + "/24", "dev", "u0")
        h.start()
    c1, c2 = s.netns("c1"), s.netns("c2")
    for h in (a, b):
        h.apply(NET)
    c1.must_reach("198.51.100.2")
    return a, b, c1, c2


@scene
def a_tunnel_is_seen_from_inside_and_from_outside(s):
    a, b, c1, c2 = two_hosts(s)
    inner = os.path.join(s.folder, "inner.pcapng")
    outer = os.path.join(s.folder, "outer.pcapng")
    of_b = os.path.join(s.folder, "b.pcapng")
    of_c = os.path.join(s.folder, "c.pcapng")
    peer = [Capture(s, a, "capture", "b", "-w", of_b, "icmp"),
            Capture(s, a, "capture", "c", "-w", of_c, "icmp")]
    cap = Capture(s, a, "capture", "tunnel", "-w", inner, "icmp")
    cap2 = Capture(s, a, "capture", "tunnel", "--outer", "-w", outer, "icmp")
    must(c1.ping("198.51.100.2", 2) == 1.0, "the pings are answered")
    for one in (cap, cap2, *peer):
        one.end()
    must(len(read(of_b)) == 4 and not read(of_c), "b's and nobody else's")
    got = read(inner)
    must(ways(got) == sorted(2 * [("tunnel", "in"), ("tunnel", "out")]), str(got))
    must(all(p["frame.protocols"].startswith("eth:ethertype:ip:icmp")
             for p in got), "the frames inside: %s" % got)
    must(any("vni 100 from 192.0.2.2" in p["frame.comment"] for p in got),
         str(got))
    got = read(outer, "vxlan.vni == 100 && icmp && "
                      "(ip.src == 192.0.2.2 || ip.dst == 192.0.2.2)")
    must(len(got) == 4 and {p["frame.interface_name"] for p in got} ==
         {"tunnel (outer)"}, "IP, UDP and VXLAN are in front: %s" % got)


@scene
def large_frames_in_a_tunnel_are_seen_as_its_datagrams(s):
    a, b, c1, c2 = two_hosts(s)
    outer = os.path.join(s.folder, "outer.pcapng")
    cap = Capture(s, a, "capture", "tunnel", "out", "--outer", "-w", outer,
                  "tcp dst port 5001")
    transfer(c1, c2, "198.51.100.2", 1)
    cap.end()
    must(len(read(outer, "vxlan && tcp")) > 500, "a datagram a segment")
    must(not read(outer, "frame.len > 1500 || _ws.malformed"),
         "none larger than the underlay's MTU")


# --- a TAP ---------------------------------------------------------------------

@scene
def a_tap_is_captured_too(s):
    need_tshark()
    h, c1 = s.host("h"), s.netns("c1")
    h.apply(BLUE[:BLUE.index("  c2:")] +
            "  vm: {type: tap, network: blue}\n")
    path = os.path.join(s.folder, "x.pcapng")
    cap = Capture(s, h, "capture", "vm", "-w", path)
    vm = h.popen("python3", "-c", """
import fcntl, os, struct, time
f = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(f, 0x400454ca, struct.pack("16sH22x", b"vm", 0x1002))
for i in range(20):
    os.write(f, b"\\xff" * 6 + b"\\x02\\0\\0\\0\\0\\x09" + b"\\x88\\xb6" + bytes(46))
    time.sleep(0.05)
""")
    vm.wait(20)
    cap.end()
    got = [p for p in read(path, "eth.type == 0x88b6")]
    must(got and {("vm", "in")} == set(ways(got)), "frames of the VM: %s" % got)


# --- Wireshark -----------------------------------------------------------------

def extcap_folder(s):
    """A folder with our program in it, by the name that makes it Wireshark's."""
    folder = os.path.join(s.folder, "extcap")
    os.makedirs(folder)
    os.symlink(WEFT, os.path.join(folder, "weft-extcap"))
    return folder


def with_extcap(s, *words):
    """The words of a command that sees our folder where Wireshark's own was:
    as root it heeds no other."""
    where = run("tshark", "-G", "folders").stdout
    where = where[where.index("Extcap path:"):].split("\n")[0].split("\t")[-1]
    return ["unshare", "-m", "sh", "-c", 'mount --bind "$1" "$2" && shift 2 && '
            'exec "$@"', "sh", extcap_folder(s), where.strip(), *words]


@scene
def wireshark_sees_the_ports_among_its_interfaces(s):
    h, c1, c2 = two(s)
    env = dict(os.environ, WEFT_RUN=os.path.join(h.folder, "run"))
    tshark = with_extcap(s, "tshark")
    listed = subprocess.run([*tshark, "-D"], env=env, capture_output=True,
                            text=True, timeout=60).stdout
    for name in ("weft-c1", "weft-c2", "weft-tunnel", "weft "):
        must(name in listed, "tshark -D lists %s: %s" % (name, listed))
    p = s.popen(*tshark, "-n", "-l", "-i", "weft-c1", "-c", "2", "-T",
                "fields", "-e", "icmp.type", "-f", "icmp", env=env,
                stdout=subprocess.PIPE)
    pings = c1.popen("ping", "-i", "0.2", "198.51.100.2")
    out = p.communicate(timeout=30)[0].decode()
    pings.terminate()
    must(sorted(out.split()) == ["0", "8"], "request and reply: " + out)


@scene
def extcap_answers_as_the_manual_of_wireshark_says(s):
    h, c1, c2 = two(s)
    program = os.path.join(extcap_folder(s), "weft-extcap")
    env = dict(os.environ, WEFT_RUN=os.path.join(h.folder, "run"))

    def ask(*words):
        return subprocess.run([program, *words], env=env, timeout=20, text=True,
                              capture_output=True)
    said = ask("--extcap-interfaces", "--extcap-version=4.0").stdout
    must(said.startswith("extcap {version="), said)
    must("interface {value=weft-c1}{display=weft: port c1 (veth)}" in said, said)
    said = ask("--extcap-interface", "weft-c1", "--extcap-dlts").stdout
    must("dlt {number=1}{name=EN10MB}" in said, said)
    said = ask("--extcap-interface", "weft-c1", "--extcap-config").stdout
    must("{call=--point}" in said and "value {arg=0}{value=drops}" in said, said)
    must(ask("--extcap-interface=weft-c1", "--extcap-capture-filter=icmp").stdout
         == "", "a good filter needs no words")
    must("syntax" in ask("--extcap-interface=weft-c1",
                         "--extcap-capture-filter=icmp and").stdout,
         "a bad one is told what is wrong")
    fifo = os.path.join(s.folder, "fifo")
    os.mkfifo(fifo)
    p = s.popen(program, "--capture", "--extcap-interface", "weft-c2", "--fifo",
                fifo, "--extcap-capture-filter", "icmp", "--point", "out",
                env=env)
    with open(fifo, "rb") as f:
        until("it has begun", lambda: select.select([f], [], [], 0)[0])
        must(c1.ping("198.51.100.2", 2) == 1.0, "the pings are answered")
        time.sleep(0.3)
        p.terminate()
        got = f.read()
    must(p.wait(10) == 0, "it ends well when told to")
    path = os.path.join(s.folder, "x.pcapng")
    with open(path, "wb") as f:
        f.write(got)
    must(ways(read(path)) == 2 * [("c2", "out")], str(read(path)))


# --- explain and trace ---------------------------------------------------------

def weft(h, *words, check=True):
    return run(WEFT, "--run", os.path.join(h.folder, "run"), *words,
               check=check).stdout


@scene
def a_captured_packet_is_explained_and_so_it_went(s):
    h, c1, c2 = two(s, RULES)
    path = os.path.join(s.folder, "x.pcapng")
    cap = Capture(s, h, "capture", "c1", "in", "-w", path, "icmp or udp")
    must(c1.ping("198.51.100.2", 1) == 1.0, "the ping is answered")
    c1.python("import socket\ns=socket.socket(type=socket.SOCK_DGRAM)\n"
              "s.sendto(b'x', ('198.51.100.2', 9))")
    until("it is dropped", lambda: h.drops("c1", "rule"))
    cap.end()
    said = json.loads(weft(h, "explain", "c1", "--pcap", path, "--json"))
    must(said["actions"] == "output:c2" and not said["drop"], str(said))
    said = json.loads(weft(h, "explain", "c1", "--pcap", path, "-n", "2",
                           "--json"))
    must(said["drop"] == "rule", str(said))
    said = weft(h, "explain", "c1", "--pcap", path, "-n", "3", check=False)
    must("has 2 packets" in said, said)
    said = weft(h, "explain", "c1", "--pcap", WEFT, check=False)
    must("no capture file" in said, said)
    old = os.path.join(s.folder, "old.pcap")
    run("tshark", "-r", path, "-F", "pcap", "-w", old)
    said = json.loads(weft(h, "explain", "c1", "--pcap", old, "--json"))
    must(said["actions"] == "output:c2", str(said))


@scene
def real_packets_are_followed_rule_by_rule(s):
    h, c1, c2 = two(s, RULES)
    cap = Capture(s, h, "trace", "live", "c1", "-c", "2", "udp or icmp")
    c1.python("import socket\ns=socket.socket(type=socket.SOCK_DGRAM)\n"
              "s.sendto(b'x', ('198.51.100.2', 9))")
    must(c1.ping("198.51.100.2", 1) == 1.0, "the ping is answered")
    out = cap.end()[0].decode()
    for word in ("priority 10", "net.yaml:4", "dropped: a rule drops it",
                 "output:c2", "ICMP"):
        must(word.lower() in out.lower(), "%r is told: %s" % (word, out))
    cap = Capture(s, h, "trace", "live", "--json", "icmp")
    flood = c1.popen("ping", "-q", "-f", "-c", "2000", "198.51.100.2")
    flood.wait(20)
    out, said = cap.end()
    lines = [json.loads(x) for x in out.decode().splitlines()]
    must(20 <= len(lines) <= 200, "traces are sampled: %d" % len(lines))
    must("more packets passed" in said, said)
