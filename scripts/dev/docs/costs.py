"""Write docs/costs.md, from the recorded execution. `make docs` runs it."""

import sys

from scripts.cost import comparison, observation
from scripts.lib import generated
from scripts.lib.paths import DOCS

if __name__ == "__main__":
    page = comparison.page(observation.read(observation.RECORDED))
    sys.exit(generated.main({DOCS / "costs.md": page}))
