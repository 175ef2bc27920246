"""What weft says about itself: doctor, drops, watch, top, graph, metrics, bundle."""
import json
import os
import subprocess
import time

from lib import BUILD, WEFT, Failed, must, run, scene, until

# a.c1 - blue - VXLAN - blue - b.c2; the underlay passes r, which may be narrow
#
#   host a (192.0.2.1) ---- r ---- (198.51.100.2) host b
TWO = """
weft: 1
networks:
  blue: {vni: 100, subnets: 10.1.0.0/24}
hosts:
  a:
    underlay: {address: 192.0.2.1}
    ports:
      c1: {type: veth, namespace: "@c1@", network: blue, addresses: 10.1.0.1/24}
  b:
    underlay: {address: 198.51.100.2}
    ports:
      c2: {type: veth, namespace: "@c2@", network: blue, addresses: 10.1.0.2/24}
"""


def weft(host, *words, ok=(0,)):
    p = subprocess.run([WEFT, "--run", os.path.dirname(host.socket), *words],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, timeout=60)
    must(p.returncode in ok, "weft %s: status %d\n%s" %
         (" ".join(words), p.returncode, p.stdout))
    return p.stdout


def two_hosts(s):
    a, b, r = s.host("a"), s.host("b"), s.netns("r")
    c1, c2 = s.netns("c1"), s.netns("c2")
    for h, dev, near, far in ((a, "ra", "192.0.2.1/24", "192.0.2.254"),
                              (b, "rb", "198.51.100.2/24", "198.51.100.254")):
        s.link(h, "eth0", r, dev)
        h.ip("addr", "add", near, "dev", "eth0")
        h.ip("route", "add", "default", "via", far)
        r.ip("addr", "add", far + "/24", "dev", dev)
    r.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    for h in (a, b):
        h.apply(TWO)
    c1.must_reach("10.1.0.2")
    return a, b, r, c1, c2


def findings(host):
    return host.rpc("doctor")["findings"]


def must_find(host, check, *words):
    found = [f for f in findings(host) if f["check"] == check]
    must(found, "doctor of %s finds no %s: %s" % (host.short, check,
                                                  findings(host)))
    for w in words:
        must(any(w in f["evidence"] + f["fix"] for f in found),
             "%r must be said: %s" % (w, found))


@scene
def the_doctor_finds_nothing_on_healthy_hosts(s):
    a, b, *_ = two_hosts(s)
    for h in (a, b):
        report = h.rpc("doctor")
        must(report["healthy"], "healthy: %s" % report["findings"])
        must(len(report["checks"]) >= 25, "all checks are listed")
        must("healthy" in weft(h, "doctor"), "weft doctor says so")


@scene
def the_doctor_finds_a_narrow_path_that_eats_packets(s):
    a, b, r, *_ = two_hosts(s)
    r.ip("link", "set", "rb", "mtu", "1400")
    must_find(a, "tunnel-mtu", "1500", "1400")
    said = weft(a, "doctor", ok=(2,))
    must("peer b" in said and "mtu: 1400" in said, said)
    json.loads(weft(a, "doctor", "--json", ok=(2,)))
    # a black hole: nobody tells that it is too narrow
    r.run("nft", "add table ip t; add chain ip t o { type filter hook output "
          "priority 0; }; add rule ip t o icmp type destination-unreachable "
          "drop")
    must_find(a, "tunnel-mtu", "largest that passed had 1400")


@scene
def the_doctor_finds_a_host_that_is_off(s):
    a, b, r, *_ = two_hosts(s)
    b.ip("link", "set", "eth0", "down")
    must_find(a, "peer", "198.51.100.2")
    must_find(b, "underlay", "eth0")


@scene
def the_doctor_finds_another_network_number(s):
    a, b, r, c1, c2 = two_hosts(s)
    b.apply(TWO.replace("vni: 100", "vni: 101"))
    c1.ping("10.1.0.2", 2)
    must_find(b, "network-number", "vni")


@scene
def the_doctor_finds_what_was_done_to_a_container(s):
    a, b, r, c1, c2 = two_hosts(s)
    dev = json.loads(c1.run("ip", "-j", "link").stdout)[-1]["ifname"]
    c1.ip("link", "set", dev, "mtu", "1280")
    must_find(a, "port-mtu", "1280")
    c1.ip("link", "set", dev, "down")
    must_find(a, "port-down", "link set %s up" % dev)
    c1.ip("link", "set", dev, "name", "other")
    must_find(a, "port-down", "is not in")


@scene
def the_doctor_finds_a_loop_and_two_claims_of_an_address(s):
    a = s.host("a")
    c1 = s.netns("c1")
    a.apply("""
weft: 1
networks: {blue: {subnets: 10.1.0.0/24}}
routers: {r1: {networks: {blue: {addresses: 10.1.0.1/24}}}}
ports:
  c1: {type: veth, namespace: "@c1@", network: blue, addresses: 10.1.0.2/24}
  n1: {type: nic, device: x1, network: blue}
  n2: {type: nic, device: x2, network: blue}
""")
    a.port_is("c1", "up")
    must_find(a, "port-missing", "x1")
    a.ip("link", "add", "x1", "type", "veth", "peer", "name", "x2")
    a.ip("link", "set", "x1", "up")
    a.ip("link", "set", "x2", "up")
    until("the loop is found", lambda: any(
        f["check"] == "loop" for f in findings(a)))
    kinds = [e["kind"] for e in a.rpc("events")]
    must("loop" in kinds, "the loop is an event: %s" % kinds)
    dev = json.loads(c1.run("ip", "-j", "link").stdout)[-1]["ifname"]
    c1.ip("addr", "add", "10.1.0.1/24", "dev", dev)
    c1.run("arping", "-U", "-c", "2", "-I", dev, "10.1.0.1", check=False)
    c1.python("""
import socket, struct, sys
dev = sys.argv[1]
mac = bytes.fromhex(open("/sys/class/net/%s/address" % dev).read().strip()
                    .replace(":", ""))
ip = socket.inet_aton("10.1.0.1")
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((dev, 0))
s.send(b"\\xff" * 6 + mac + b"\\x08\\x06" +
       struct.pack(">HHBBH", 1, 0x800, 6, 4, 1) + mac + ip + b"\\0" * 6 + ip)
""", dev)
    until("the claim is found", lambda: any(
        f["check"] == "duplicate-address" for f in findings(a)))


# c1, c2 - blue - r1 - green - c3
ONE = """
weft: 1
networks: {blue: {subnets: 10.1.0.0/24}, green: {subnets: 10.2.0.0/24}}
routers:
  r1: {networks: {blue: {addresses: 10.1.0.1/24}, green: {addresses: 10.2.0.1/24}}}
ports:
  c1: {type: veth, namespace: "@c1@", network: blue, addresses: 10.1.0.11/24}
  c2: {type: veth, namespace: "@c2@", network: blue, addresses: 10.1.0.12/24}
  c3: {type: veth, namespace: "@c3@", network: green, addresses: 10.2.0.13/24}
"""


def one_host(s, *options):
    a = s.host("a", True, *options)
    stations = [s.netns(n) for n in ("c1", "c2", "c3")]
    a.apply(ONE)
    stations[0].must_reach("10.1.0.12")
    stations[0].must_reach("10.2.0.13")
    return [a] + stations


@scene
def drops_tell_who_why_since_when_and_the_last_packet(s):
    a, c1, c2, c3 = one_host(s)
    c1.run("ping", "-n", "-c", "3", "-i", "0.1", "-W", "1", "192.0.2.99",
           check=False)
    row = [d for d in a.show("drops")
           if d["port"] == "c1" and d["reason"] == "no-route"]
    must(len(row) == 1 and row[0]["packets"] == 3, a.show("drops"))
    must("192.0.2.99" in row[0]["last"]["text"], row)
    must(row[0]["since_ms"] >= row[0]["ago_ms"] + 150, row)
    must(row[0]["last"]["len"] == 98, row)
    said = weft(a, "drops")
    must("no-route" in said and "> 192.0.2.99" in said, said)


def jsons(text):
    return [json.loads(line) for line in text.splitlines()]


@scene
def watch_tells_events_as_they_happen(s):
    a, c1, c2, c3 = one_host(s)
    path = os.path.join(s.folder, "watch")
    out = open(path, "w")
    p = s.popen(WEFT, "--run", os.path.dirname(a.socket), "watch", "--json",
                stdout=out)

    def seen(kind, *words):
        with open(path) as f:
            whole = f.read().rpartition("\n")[0]
        return any(e["kind"] == kind and all(w in json.dumps(e) for w in words)
                   for e in jsons(whole))
    until("the past is told", lambda: seen("apply"))
    far = json.loads(c3.run("ip", "-j", "link").stdout)[-1]["ifname"]
    c3.ip("addr", "add", "10.2.0.99/24", "dev", far)
    c1.must_reach("10.2.0.99")
    until("a new neighbour is told", lambda: seen("neighbour", "10.2.0.99"))
    c1.must_not_reach("10.2.0.77")
    until("a silent one is told", lambda: seen("neighbour", "10.2.0.77",
                                               "does not answer"))
    dev = json.loads(c1.run("ip", "-j", "link").stdout)[-1]["ifname"]
    c1.ip("link", "set", dev, "down")
    until("a port goes down", lambda: seen("port", "c1", '"down"'))
    c1.ip("link", "set", dev, "up")
    until("and comes up", lambda: seen("port", "c1", '"up"'))
    mac = c1.run("cat", "/sys/class/net/%s/address" % dev).stdout.strip()
    c2.python("""
import socket, sys
dev, mac = sys.argv[1:]
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((dev, 0))
s.send(b"\\xff" * 6 + bytes.fromhex(mac.replace(":", "")) + b"\\x88\\xb5" + b"x" * 46)
""", json.loads(c2.run("ip", "-j", "link").stdout)[-1]["ifname"], mac)
    until("the station moved", lambda: seen("station", mac, "c2"))
    a.apply(ONE.replace("10.1.0.12", "10.1.0.14"))
    until("the apply is told", lambda: sum(
        e["kind"] == "apply" for e in a.rpc("events")) == 2)
    p.terminate()
    out.close()
    said = weft(a, "watch", "station", "--once")
    must("moved to port c2" in said and "apply" not in said, said)


@scene
def top_shows_who_moves_how_much(s):
    a, c1, c2, c3 = one_host(s)
    s.popen("ip", "netns", "exec", c1.name, "ping", "-n", "-i", "0.02", "-s",
            "1000", "10.2.0.13")
    c1.must_reach("10.2.0.13")
    top = json.loads(weft(a, "top", "--once", "--json"))
    port = {p["port"]: p for p in top["ports"]}["c1"]
    must(20 <= port["rx_packets_s"] <= 100 and
         port["rx_bits_s"] >= 8000 * port["rx_packets_s"], port)
    talker = [t for t in top["talkers"] if t["packets_s"] > 10]
    must({t["port"] for t in talker} == {"c1", "c3"}, top["talkers"])
    must(any(t["from"] == "10.1.0.11" for t in talker), talker)
    must(any(f["port"] == "c1" and f["packets_s"] > 10 for f in top["flows"]),
         top["flows"])
    said = weft(a, "top", "ports", "--once", "--sort", "rx")
    must(all(len(line) <= 80 for line in said.splitlines()), said)
    must("\033" not in said and said.splitlines()[1].startswith("c"), said)
    must("c2" not in weft(a, "top", "ports", "--once", "--filter", "c1"),
         "the filter holds")
    must("did you mean flows" in weft(a, "top", "flow", ok=(64,)), "usage")


@scene
def top_on_a_terminal_obeys_keys(s):
    a, *_ = one_host(s)
    import pty
    pid, fd = pty.fork()
    if not pid:
        os.execv(WEFT, [WEFT, "--run", os.path.dirname(a.socket), "top",
                        "--interval", "0.2"])
    got = b""

    def see(text):
        nonlocal got
        got = b""
        end = time.monotonic() + 10
        while text not in got:
            if time.monotonic() > end:
                raise Failed("never on the screen: %r in %r" %
                             (text, got[-500:]))
            got += os.read(fd, 65536)
    see(b"RX BIT/S")
    os.write(fd, b"f")
    see(b"MATCH")
    os.write(fd, b"s")
    see(b"by packets")
    os.write(fd, b"p/c2\r")
    see(b"filter: c2")
    os.write(fd, b"q")
    see(b"\x1b[?1049l")
    must(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, "it ends well")
    os.close(fd)


@scene
def graph_draws_the_network_in_four_languages(s):
    import xml.dom.minidom
    a, *_ = one_host(s)
    text = weft(a, "graph")
    must("router r1" in text and "c3" in text, text)
    xml.dom.minidom.parseString(weft(a, "graph", "svg"))
    must(weft(a, "graph", "mermaid").startswith("flowchart LR\n"), "mermaid")
    must(weft(a, "graph", "dot").count(" -- ") == 5, weft(a, "graph", "dot"))
    drawn = json.loads(weft(a, "graph", "--json"))
    must(len(drawn["nodes"]) == 6 and len(drawn["edges"]) == 5, drawn)
    must("did you mean mermaid" in weft(a, "graph", "mermeid", ok=(64,)), "usage")


def http(host, request, *, unix=None, port=0):
    """One request from inside the host's namespace; the whole answer."""
    return host.python("""
import socket, sys
where, request = sys.argv[1:]
if where.isdigit():
    s = socket.create_connection(("127.0.0.1", int(where)), 5)
else:
    s = socket.socket(socket.AF_UNIX); s.connect(where)
s.sendall(request.encode())
got = b""
while True:
    b = s.recv(65536)
    if not b: break
    got += b
print(got.decode(), end="")
""", unix or str(port), request).stdout


def check_exposition(text):
    """Prometheus' text format and naming rules; {name: {labels: value}}."""
    import re
    types, helps, values = {}, set(), {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            helps.add(line.split()[2])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            must(name not in types, "one TYPE of " + name)
            types[name] = kind
        else:
            m = re.fullmatch(r'([a-z_:][a-z0-9_:]*)(\{((?:[a-z_]+="(?:[^"\\\n]|'
                             r'\\[\\"n])*",?)*)\})? ([0-9.e+-]+)', line)
            must(m, "a sample: " + line)
            must(m[1] in types and m[1] in helps, "declared: " + line)
            series = values.setdefault(m[1], {})
            must(m[3] not in series, "twice: " + line)
            series[m[3]] = float(m[4])
    for name, kind in types.items():
        must(name.startswith(("weft_", "process_")), name)
        must((kind == "counter") == name.endswith("_total"), name)
        must(not name.endswith(("_ms", "_kb", "_count")), name)
    return values


@scene
def metrics_follow_prometheus_rules_and_the_dashboard_knows_them(s):
    import re
    from lib import TOP
    a, c1, c2, c3 = one_host(s, "--metrics", "127.0.0.1:9469")
    c1.must_not_reach("192.0.2.99")
    time.sleep(0.3)
    v = check_exposition(weft(a, "metrics"))
    must(v["weft_port_up"]['port="c1",type="veth",network="blue"'] == 1, v)
    must(v["weft_port_drops_total"]['port="c1",reason="no-route"'] == 3, v)
    must(v["weft_port_receive_packets_total"]['port="c1"'] >= 3, v)
    ask = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
    for got in (http(a, ask, port=9469),
                http(a, ask, unix=os.path.join(os.path.dirname(a.socket),
                                               "metrics.sock"))):
        head, body = got.replace("\r\n", "\n").split("\n\n", 1)
        must("200 OK" in head and "version=0.0.4" in head, head)
        must("weft_port_up" in check_exposition(body), "the same metrics")
    must("404" in http(a, "GET / HTTP/1.0\r\n\r\n", port=9469), "404")
    with open(os.path.join(TOP, "docs", "grafana-dashboard.json")) as f:
        names = set(re.findall(r"(?:weft|process)_[a-z_]+", f.read()))
    must(len(names) > 10, names)
    must(names <= set(v), "unknown to weft: %s" % (names - set(v)))


@scene
def metrics_are_not_served_to_others(s):
    h = s.host("a", False)
    p = h.run(os.path.join(BUILD, "src", "weftd"), "--state",
              h.folder + "/s", "--run", h.folder + "/r", "--metrics",
              "0.0.0.0:9469", check=False)
    must(p.returncode == 1 and "127.0.0.1:9469" in p.stdout, p.stdout)


@scene
def a_bundle_holds_all_but_what_packets_carried(s):
    import tarfile
    a, c1, c2, c3 = one_host(s)
    c1.run("ping", "-n", "-c", "2", "-i", "0.1", "-W", "1", "-p",
           "73656372657421", "192.0.2.99", check=False)  # "secret!"
    path = os.path.join(s.folder, "b.tar.gz")
    must(weft(a, "bundle", path).strip() == path, "it says where")
    must(os.stat(path).st_mode & 0o777 == 0o600, "its owner's alone")
    must("File exists" in weft(a, "bundle", path, ok=(1,)), "never over one")
    with tarfile.open(path) as tar:
        files = {m.name: tar.extractfile(m).read() for m in tar}
    for name in ("README", "status.json", "doctor.json", "net.yaml",
                 "metrics.txt", "host.json", "drops.json", "proc/net-snmp"):
        must("weft-bundle/" + name in files, "%s is in it: %s" %
             (name, sorted(files)))
    everything = b"".join(files.values())
    for secret in (b"secret!", b"secret!".hex().encode(), b"73656372"):
        must(secret not in everything, "%r is left out" % secret)
    must(b"192.0.2.99" in files["weft-bundle/drops.json"], "headers are told")
    must(b"c1" in files["weft-bundle/net.yaml"], "the file is there")
    for name, body in files.items():
        if name.endswith(".json"):
            json.loads(body)
    host = json.loads(files["weft-bundle/host.json"])
    must(any(d["name"] == "lo" for d in host["devices"]), host)


@scene
def json_answers_of_a_troubled_host_obey_their_schemas(s):
    from scene_json import obeys

    a, b, r, c1, c2 = two_hosts(s)
    c1.must_not_reach("10.1.0.99")
    r.ip("link", "set", "rb", "mtu", "1400")
    c1.run("ping", "-n", "-c", "1", "-W", "1", "-M", "dont", "-s", "60000",
           "10.1.0.2", check=False)
    obeys("doctor", json.loads(weft(a, "doctor", "--json", ok=(2,))))
    for e in jsons(weft(a, "watch", "--once", "--json")):
        obeys("event", e)
    obeys("drops", json.loads(weft(a, "drops", "--json")))


@scene
def logs_in_json_say_whom_they_are_about(s):
    a = s.host("a", True, "--log", "json")
    a.apply("weft: 1\nports: {n1: {type: nic, device: x1, network: blue}}\n"
            "networks: {blue: {subnets: 10.1.0.0/24}}\n")
    a.ip("link", "add", "x1", "type", "veth", "peer", "name", "x2")
    a.port_is("n1", "down")
    a.ip("link", "del", "x1")
    a.port_is("n1", "absent")
    lines = jsons(a.said())
    must(any(ln.get("kind") == "port" and ln.get("object") == "n1" and
             ln["level"] == "warning" for ln in lines), lines)
    p = a.run(os.path.join(BUILD, "src", "weftd"), "--log", "xml", check=False)
    must(p.returncode == 2 and "json or journal" in p.stdout, p.stdout)


@scene
def the_doctor_finds_a_narrow_path_over_ipv6(s):
    a, b, r = s.host("a"), s.host("b"), s.netns("r")
    c1, c2 = s.netns("c1"), s.netns("c2")
    for n in (a, b, r):
        n.run("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0",
              "net.ipv6.conf.default.accept_dad=0",
              "net.ipv6.conf.all.forwarding=%d" % (n is r))
    for h, dev, net in ((a, "ra", "2001:db8:1::"), (b, "rb", "2001:db8:2::")):
        s.link(h, "eth0", r, dev)
        h.ip("addr", "add", net + "1/64", "dev", "eth0", "nodad")
        r.ip("addr", "add", net + "fe/64", "dev", dev, "nodad")
        h.ip("route", "add", "default", "via", net + "fe")
    text = TWO.replace("192.0.2.1", "2001:db8:1::1").replace(
        "198.51.100.2", "2001:db8:2::1")
    for h in (a, b):
        h.apply(text)
    c1.must_reach("10.1.0.2")
    must(a.rpc("doctor")["healthy"], a.rpc("doctor")["findings"])
    r.ip("link", "set", "rb", "mtu", "1400")
    must_find(a, "tunnel-mtu", "1500", "mtu: 1400")
    b.ip("addr", "del", "2001:db8:2::1/64", "dev", "eth0")
    must_find(b, "underlay", "2001:db8:2::1")
    must_find(a, "peer", "2001:db8:2::1")
