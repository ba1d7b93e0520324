"""Where things are in the repository."""

from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[2]
BUILD: Final = REPOSITORY / "build"
DOCS: Final = REPOSITORY / "docs"
TERRAFORM: Final = REPOSITORY / "terraform"
# What `make package` and `make package-local` build.
PACKAGE: Final = BUILD / "package"
PACKAGE_LOCAL: Final = BUILD / "package-local"
