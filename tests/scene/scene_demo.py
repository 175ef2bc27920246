"""The demo: two daemons, QEMU guests, containers, programs on a TUN."""
import os
import subprocess

from lib import BUILD, TOP, Skipped, must, run, scene


@scene
def the_demo_comes_up_everything_talks_and_nothing_is_left(s):
    if "host-a" in run("ip", "netns", "list").stdout:
        raise Skipped("a demo is up on this machine; it is not disturbed")
    tool = os.path.join(TOP, "tools", "demo")
    env = dict(os.environ, WEFT_BUILD=BUILD)
    try:
        p = subprocess.run([tool, "up"], stdout=subprocess.PIPE, text=True,
                           stderr=subprocess.STDOUT, timeout=400, env=env)
    finally:
        subprocess.run([tool, "down"], env=env, stdout=subprocess.DEVNULL)
    must(p.returncode == 0, p.stdout[-3000:])
    must("everything can talk" in p.stdout, p.stdout[-3000:])
    left = run("ip", "netns", "list").stdout
    must("host-a" not in left and "prog-b" not in left, "left: " + left)
