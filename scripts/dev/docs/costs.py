"""Write docs/costs.md, from the recorded execution. `make docs` runs it."""

import sys

from scripts.cost import article, observation
from scripts.cost.comparison import compare
from scripts.cost.observation import RECORDED
from scripts.lib import generated
from scripts.lib.paths import DOCS

if __name__ == "__main__":
    page = compare(observation.read(RECORDED), article.MEASURED).page()
    sys.exit(generated.main({DOCS / "costs.md": page}))
