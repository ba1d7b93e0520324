"""How a PNG is compressed, in the words that the settings and the conversion share."""

from typing import Literal

Compression = Literal["fast", "smallest"]
