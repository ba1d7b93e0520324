"""Where things are in the repository."""

from pathlib import Path
from typing import Final

# If only the package is installed, this is the folder of the installed packages.
REPOSITORY: Final = Path(__file__).resolve().parents[2]
BUILD: Final = REPOSITORY / "build"
DOCS: Final = REPOSITORY / "docs"
TERRAFORM: Final = REPOSITORY / "terraform"
# What `make package` and `make package-local` build.
PACKAGE: Final = BUILD / "package"
PACKAGE_LOCAL: Final = BUILD / "package-local"


def clone() -> Path | None:
    """Return the clone of the repository that this runs from, or else that it is called in."""
    here = Path.cwd()
    for folder in (REPOSITORY, here, *here.parents):
        if (folder / "terraform" / "main.tf").is_file() and (folder / "Makefile").is_file():
            return folder
    return None


def short(path: Path) -> str:
    """Return a path as it is called in the current folder."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
