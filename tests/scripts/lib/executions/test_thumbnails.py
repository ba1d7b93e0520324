"""Previews of images, of damaged ones too."""

import base64
import io

from PIL import Image

from scripts.lib.executions import thumbnails
from scripts.lib.executions.run import Picture
from tests.support.images import saved

PICTURE = Picture("Original", "s3://pictures/beach.jpg")


def jpeg() -> bytes:
    """A green image with a red lower half."""
    image = Image.new("RGB", (320, 240), (0, 160, 0))
    image.paste((200, 0, 0), (0, 120, 320, 240))
    return saved(image, "JPEG", quality=90)


def preview(picture: Picture) -> Image.Image:
    kind, _, encoded = picture.preview.partition(",")
    assert kind == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(encoded)))


def test_a_whole_image_has_no_remark() -> None:
    shown = thumbnails.with_preview(PICTURE, jpeg())
    assert (shown.damaged, shown.note, preview(shown).size) == (False, "", (320, 240))


def test_what_can_be_read_of_a_damaged_image_is_shown_and_marked() -> None:
    content = jpeg()
    start = content.index(b"\xff\xda")
    shown = thumbnails.with_preview(PICTURE, content[: start + (len(content) - start) // 3])
    assert shown.damaged
    assert "this is what can be read of it" in shown.note
    assert (shown.width, shown.height) == (320, 240)
    red, green, _ = preview(shown).convert("RGB").getpixel((20, 20))  # type: ignore[misc]
    assert green > red + 80, "its top is there"


def test_where_nothing_can_be_read_nothing_is_shown() -> None:
    content = jpeg()
    shown = thumbnails.with_preview(PICTURE, content[:100])
    assert (shown.preview, shown.damaged) == ("", False)
    assert shown.note.startswith("It ")
