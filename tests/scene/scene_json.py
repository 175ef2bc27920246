"""Every answer in JSON obeys its schema in docs/schema.

    ca --- blue === a ---- 192.0.2.0/24 ---- b === blue --- cb      (scene_overlay)
"""
import json
import os
import subprocess

import scene_overlay
from lib import TOP, WEFT, Failed, must, scene, until

BR9 = """
    bridges:
      br9: {rules: ["priority=10,udp,tp_dst=9 actions=drop"]}
"""


def validator(name):
    from jsonschema import Draft202012Validator

    with open(os.path.join(TOP, "docs", "schema", name + ".json")) as f:
        schema = json.load(f)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def obeys(name, value):
    for e in validator(name).iter_errors(value):
        raise Failed("%s: %s at %s in %s" % (name, e.message, list(e.path),
                                             json.dumps(value)[:2000]))


class Asker:
    """weft --json on one host, each answer held against its schema."""

    def __init__(self, s, h):
        self.s, self.h, self.used = s, h, set()
        self.env = dict(os.environ, WEFT_RUN=os.path.join(h.folder, "run"))

    def run(self, *words, ok=(0,)):
        p = subprocess.run([WEFT, *words, "--json"], env=self.env, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=30)
        must(p.returncode in ok, "%s: status %d: %s%s" % (
            words, p.returncode, p.stdout, p.stderr))
        return p.stdout

    def check(self, schema, *words, ok=(0,)):
        value = json.loads(self.run(*words, ok=ok))
        obeys(schema, value)
        self.used.add(schema)
        return value

    def lines(self, schema, text):
        values = [json.loads(line) for line in text.splitlines() if line]
        must(values, "something is said of " + schema)
        for v in values:
            obeys(schema, v)
        self.used.add(schema)


def concatenated(text):
    """Objects that follow each other, each over several lines."""
    decoder, at, out = json.JSONDecoder(), 0, []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        out.append(json.dumps(value))
    return "\n".join(out)


def change(k, s, path):
    """Plans, applies, edits and goes back; each says what it changed."""
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace("  a:\n", "  a:" + BR9))
    k.check("changes", "plan", path, ok=(2,))
    k.check("changes", "apply", path)
    k.check("changes", "apply", path, "--dry-run")
    k.check("error", "check", path)
    k.check("history", "history")
    k.check("changes", "diff", "1", ok=(2,))
    k.check("changes", "port", "set", "ca", "mtu=1300")
    k.check("changes", "port", "set", "ca", "mtu=")
    k.check("changes", "rollback")
    k.check("changes", "apply", path, "--confirm", "60s")
    must(k.check("status")["confirm"]["pending"], "it waits")
    k.check("confirm", "confirm")
    k.check("changes", "apply", path)
    k.check("error", "explain", "ca", "nobody", ok=(1,))
    with open(path + "x", "w") as f:
        f.write("weft: 1\nbridgs: {}\n")
    must("line" in k.check("error", "check", path + "x", ok=(1,))["errors"][0],
         "with its place")


def ways(k, s, ca):
    k.check("explain", "explain", "ca", "198.51.100.2:80")
    k.check("explain", "explain", "ca", "203.0.113.2")
    k.check("explain", "explain", "ca", "192.0.2.99")
    k.check("explain", "explain", "ca", "--packet", "arp,arp_tpa=198.51.100.77")
    k.check("explain", "explain", "ca", "--packet", "eth_type=0x894f")
    p = s.popen(WEFT, "trace", "live", "ca", "-c", "2", "--json", "icmp",
                env=k.env, stdout=subprocess.PIPE, text=True)
    until("a packet was traced", lambda: p.poll() is not None or
          ca.ping("203.0.113.2", 1) < 0, 20)
    k.lines("trace", p.stdout.read())


@scene
def every_json_answer_obeys_its_schema(s):
    a, b, (ca, ga, cb, gb) = scene_overlay.hosts(s)
    ca.must_reach("198.51.100.2")
    ca.must_reach("203.0.113.2")
    k = Asker(s, a)
    path = os.path.join(s.folder, "net.yaml")
    with open(path, "w") as f:
        f.write(s.names(scene_overlay.NET % scene_overlay.V4))
    ca.run("ping", "-n", "-c", "1", "-W", "1", "198.51.100.99", check=False)
    ca.run("ping", "-n", "-c", "1", "-t", "1", "-W", "1", "203.0.113.2",
           check=False)
    for kind in ("ports", "networks", "bridges", "routers", "neighbours", "macs",
                 "flows", "tunnels"):
        must(k.check("show-" + kind, "show", kind), "there are " + kind)
    k.check("drops", "show", "drops")
    must(k.check("drops", "drops"), "something was dropped")
    k.check("status")
    k.check("version", "version")
    k.check("export", "export")
    k.check("graph", "graph")
    k.check("metrics", "metrics")
    for view in ("ports", "flows", "talkers", "drops"):
        k.check("top", "top", view, "--once")
    ways(k, s, ca)
    change(k, s, path)
    k.lines("event", concatenated(k.run("watch", "--once")))
    k.check("doctor", "doctor", ok=(0, 2))
    k.check("changes", "down")
    there = {f[:-5] for f in os.listdir(os.path.join(TOP, "docs", "schema"))}
    must(k.used == there, "schemas that nothing was held against: %s" %
         (there - k.used))


@scene
def a_wrong_answer_does_not_obey(s):
    for name, wrong in (("metrics", {"text": 1}), ("drops", [{"port": "c1"}]),
                        ("explain", {"from": "a"}), ("changes", {}),
                        ("explain", {"from": "a", "to": "b", "packet": "", "steps":
                                     [], "actions": "", "drop": None, "why": None,
                                     "hosts": [{"host": "b", "answer": {}}]})):
        must(not validator(name).is_valid(wrong), "%s takes %s" % (name, wrong))
