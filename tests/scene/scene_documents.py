"""README and cookbook, typed in as a reader would."""
import os

from lib import TOP, scene
from typed import Reader, parts_of

ONCE = True

PAGES = ["README.md", "docs/cookbook.md", "docs/rootless.md"]


def is_typed(pieces):
    return any(kind == "type" and (not i or pieces[i - 1][0] != "not typed")
               for i, (kind, _, _) in enumerate(pieces))


def one(page, heading, pieces):
    def fn(s):
        with Reader(s) as r:
            r.read(pieces)
    words = "".join(c if c.isalnum() else "_" for c in heading).lower()
    fn.__name__ = "%s_%s" % (os.path.basename(page)[:-3].lower(), words)
    return fn


for page in PAGES:
    if not os.path.exists(os.path.join(TOP, page)):
        continue
    for heading, pieces in parts_of(page):
        if is_typed(pieces):
            scene(one(page, heading, pieces))
