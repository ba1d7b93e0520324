"""A bill: what one image uses, line by line, times its price."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from scripts.cost.prices import Price

MILLION = 1_000_000


@dataclass(frozen=True)
class Line:
    """A line of the bill.

    Attributes:
        what: what is paid for.
        quantity: units that one image uses.
        price: of a unit.
        setting: which of Terraform's variables moves it; empty where none does.
    """

    what: str
    quantity: float
    price: Price
    setting: str = ""

    @property
    def dollars(self) -> float:
        """What it comes to for a million images."""
        return self.quantity * self.price.dollars * MILLION


@dataclass(frozen=True)
class Bill:
    """What a million images cost.

    Attributes:
        name: of the design.
        converting: from the notification of an image in the source bucket to its deletion there.
        upload: what is added for images that come by POST /upload.
        storage: what is added for each month that everything is kept.
    """

    name: str
    converting: tuple[Line, ...]
    upload: tuple[Line, ...]
    storage: tuple[Line, ...]

    @property
    def total(self) -> float:
        """The dollars of converting."""
        return total(self.converting)

    @property
    def largest(self) -> Line:
        """The line of converting that costs most."""
        return max(self.converting, key=lambda line: line.dollars)


def total(lines: Iterable[Line]) -> float:
    """Return the dollars of lines, for a million images."""
    return sum(line.dollars for line in lines)
