"""What libjpeg's warnings mean for an image: the one rule of what is converted.

An image is converted if libjpeg has no complaint within its coded data. What lies outside them is
skipped. Both decoders report libjpeg's messages to this module.
"""

import re

from image_converter.conversion.jpeg_scans import Scans
from image_converter.errors import DamagedImage

# After the last row libjpeg looks for the next marker, and reports what it skips. It reports the
# same before restart markers, if data are left over because an earlier part of them is corrupt.
_EXTRANEOUS = re.compile(
    r"Corrupt JPEG data: (\d+) extraneous bytes before marker 0x(?!d[0-7])[0-9a-f]{2}"
)


class Complaints:
    """The messages of one decoding.

    Attributes:
        skipped: bytes after the last row that libjpeg reported and that are only a filler.
        damage: the first message about the coded data; empty as long as there is none.
    """

    def __init__(self, jpeg: bytes, scans: Scans) -> None:
        """Begins without any.

        Args:
            jpeg: the file.
            scans: its scans.
        """
        self._jpeg, self._scans = jpeg, scans
        self.skipped = 0
        self.damage = ""

    def add(self, message: str) -> None:
        """Takes a message of libjpeg or libtiff.

        Data that are left over after the last row are a sign of damage, because corrupt data may
        yield all rows early. Only zeros, with which cameras pad a file, are not.
        """
        extraneous = _EXTRANEOUS.match(message)
        filler = self._scans.filler(self._jpeg, int(extraneous[1])) if extraneous else 0
        self.skipped += filler
        if not filler:
            self.damage = self.damage or message.rstrip(".")

    def refuse_damage(self, row: int) -> None:
        """Refuses the image if there is a complaint.

        Args:
            row: the row that is being decoded.

        Raises:
            DamagedImage: there is one.
        """
        if not self.damage:
            return
        if self._scans.has_eoi:
            raise DamagedImage(f"The JPEG is damaged near row {row:,}: {self.damage}.")
        raise DamagedImage(
            f"The JPEG is cut off after {len(self._jpeg):,} bytes: it has no end-of-image marker,"
            f" and near row {row:,}: {self.damage}."
        )
