"""What is made of each JPEG: the renditions that the settings ask for, as types.

The first is what the article calls `resized`. Terraform checks the same rules in the plan
(`renditions` in its variables), so that an invalid setting seldom reaches this module.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

from image_converter import keys
from image_converter.compression import Compression
from image_converter.errors import InvalidSettings

Format = Literal["png", "jpeg", "webp", "avif"]
Fit = Literal["inside", "cover"]
Metadata = Literal["none", "copyright"]

CONTENT_TYPES: dict[Format, str] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
}
EXTENSIONS: dict[Format, str] = {"png": "png", "jpeg": "jpg", "webp": "webp", "avif": "avif"}

_QUALITIES: dict[Format, int] = {"jpeg": 85, "webp": 80, "avif": 60}
_MAX_QUALITY = 100
_NAME = re.compile(r"[A-Za-z0-9_-]+")
# Increase it when the pixels or the bytes that are written for the same settings change: what an
# older version made is then outdated, and a reprocess makes it again.
CONVERTER_VERSION = 1
# What `settings_hash` calls the settings of an image whose record does not name any: a single PNG.
DEFAULT_SETTINGS = "default"
_HASH_DIGITS = 16


class Rendition(NamedTuple):
    """An image that is made of each JPEG.

    Attributes:
        name: how the output and the record call it.
        format: of the file.
        key: its key, with {dir}, {stem}, {name} and {ext} for parts of the JPEG's key.
        max_width: pixels; None for as wide as the JPEG. Nothing is ever enlarged.
        max_height: as `max_width`.
        fit: "inside" keeps all of the image, "cover" crops it to the ratio of the box.
        quality: 1 to 100; None for PNG, which is exact.
        cache_control: the object's Cache-Control header; empty for none.
        metadata: whether it keeps the JPEG's copyright and artist; it never keeps anything else.
        compression: of a PNG.
    """

    name: str
    format: Format
    key: str
    max_width: int | None = None
    max_height: int | None = None
    fit: Fit = "inside"
    quality: int | None = None
    cache_control: str = ""
    metadata: Metadata = "none"
    compression: Compression = "fast"

    @property
    def is_article_png(self) -> bool:
        """Whether it is the article's PNG: the whole image, without further settings."""
        return (
            self.format == "png"
            and self.max_width is None
            and self.max_height is None
            and not self.cache_control
            and self.metadata == "none"
        )

    @property
    def content_type(self) -> str:
        """The object's Content-Type."""
        return CONTENT_TYPES[self.format]

    @property
    def settings_metadata(self) -> dict[str, str]:
        """What an object says of the settings that it was made with, as user metadata.

        The key is not part of it: an object under another key is another object anyway.
        """
        if self.is_article_png and CONVERTER_VERSION == 1:
            return {"png-compression": self.compression}
        settings = {
            name: value for name, value in self._asdict().items() if name not in ("name", "key")
        }
        return {"rendition-settings": _digest([CONVERTER_VERSION, settings])}

    def key_for(self, source_key: str) -> str:
        """Return its key for a JPEG of that key.

        Raises:
            KeyTooLong: the key would have more than 1,024 bytes.
            InvalidSettings: the key is that of the JPEG, which its copy needs.
        """
        key = keys.derived(source_key, self.key, name=self.name, ext=EXTENSIONS[self.format])
        if key == source_key:
            raise InvalidSettings(
                f"rendition '{self.name}' of {source_key!r} would have the key of the original: "
                "change its key"
            )
        return key


def parse(text: str, compression: Compression = "fast") -> tuple[Rendition, ...]:
    """Return the renditions in a JSON list, or the article's PNG if the text is empty.

    Raises:
        InvalidSettings: it is not a list of renditions, or two of them share a name or key.
    """
    try:
        entries = json.loads(text) if text else [{"name": "png", "format": "png"}]
    except ValueError as error:
        raise InvalidSettings(f"RENDITIONS is not JSON: {error}") from error
    if not isinstance(entries, list) or not entries:
        raise InvalidSettings("RENDITIONS must be a JSON list of at least one rendition")
    parsed = tuple(
        _rendition(entry, first=number == 0)._replace(compression=compression)
        for number, entry in enumerate(entries)
    )
    for field in ("name", "key"):
        # Keys without what depends on the image; {dir} and {stem} are the same for all.
        values = [_fixed(rendition)[field] for rendition in parsed]
        shared = next((value for value in values if values.count(value) > 1), None)
        if shared is not None:
            raise InvalidSettings(f"RENDITIONS has several renditions with the {field} '{shared}'")
    return parsed


def settings_hash(wanted: Sequence[Rendition]) -> str:
    """Return a hash of the settings of all renditions and of the converter's version.

    An image whose record has another hash is outdated. The hash covers keys and names, because
    renditions under other keys have yet to be made and the record names them. It does not cover the
    destination's prefix, because another prefix leaves earlier renditions where they are.

    Returns:
        16 hex digits; `DEFAULT_SETTINGS` for the default, which a record does not mention.
    """
    if tuple(wanted) == parse("") and CONVERTER_VERSION == 1:
        return DEFAULT_SETTINGS
    return _digest([[output.name, output.key, output.settings_metadata] for output in wanted])


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_HASH_DIGITS]


def _fixed(rendition: Rendition) -> dict[str, str]:
    key = rendition.key.replace("{name}", rendition.name)
    return {"name": rendition.name, "key": key.replace("{ext}", EXTENSIONS[rendition.format])}


def _rendition(entry: Any, *, first: bool) -> Rendition:
    if not isinstance(entry, Mapping):
        raise InvalidSettings(f"RENDITIONS has {entry!r}, which is not a rendition")
    fields = {name: value for name, value in entry.items() if value is not None}
    name = _text(fields, "name")
    if not _NAME.fullmatch(name):
        raise InvalidSettings(
            f"RENDITIONS: name must consist of letters, digits, '_' and '-', not {name!r}"
        )
    where = f"rendition '{name}'"
    unknown = fields.keys() - set(Rendition._fields) | fields.keys() & {"compression"}
    if unknown:
        raise InvalidSettings(
            f"{where} has unknown fields: {', '.join(map(repr, sorted(unknown)))}"
        )
    image_format: Format = _choice(fields, "format", get_args(Format), None)
    # A JPEG without its name in the key would take the key of the original.
    plain = first and image_format != "jpeg"
    key = fields.get("key", "{dir}{stem}.{ext}" if plain else "{dir}{stem}-{name}.{ext}")
    if not isinstance(key, str) or not _is_template(key):
        raise InvalidSettings(
            f"{where}: its key must contain {{dir}} and {{stem}}, end with .{{ext}}, have no other "
            f"braces except {{name}}, and not begin with aside/: {key!r}"
        )
    if image_format == "png" and "quality" in fields:
        raise InvalidSettings(f"{where}: a PNG has no quality")
    quality = _number(fields, "quality", _QUALITIES.get(image_format))
    if quality is not None and quality > _MAX_QUALITY:
        raise InvalidSettings(f"{where}: quality must be 1 to 100, not {quality}")
    rendition = Rendition(
        name=name,
        format=image_format,
        key=key,
        max_width=_number(fields, "max_width", None),
        max_height=_number(fields, "max_height", None),
        fit=_choice(fields, "fit", get_args(Fit), "inside"),
        quality=quality,
        cache_control=_text(fields, "cache_control", ""),
        metadata=_choice(fields, "metadata", get_args(Metadata), "none"),
    )
    if rendition.fit == "cover" and not (rendition.max_width and rendition.max_height):
        raise InvalidSettings(f"{where}: fit 'cover' needs max_width and max_height")
    return rendition


def _is_template(key: str) -> bool:
    return (
        "{dir}" in key
        and "{stem}" in key
        and key.endswith(".{ext}")
        and not key.startswith("aside/")
        and not re.search("[{}]", keys.PLACE.sub("", key))
    )


def _text(fields: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str) or (default is None and not value):
        raise InvalidSettings(f"RENDITIONS: {name} must be text, not {value!r}")
    return value


def _number(fields: Mapping[str, Any], name: str, default: int | None) -> int | None:
    value = fields.get(name, default)
    if value is not None and (type(value) is not int or value < 1):
        raise InvalidSettings(f"RENDITIONS: {name} must be a positive whole number, not {value!r}")
    return value


def _choice(
    fields: Mapping[str, Any], name: str, choices: tuple[str, ...], default: str | None
) -> Any:
    value = fields.get(name, default)
    if value not in choices:
        raise InvalidSettings(
            f"RENDITIONS: {name} must be one of {', '.join(choices)}, not {value!r}"
        )
    return value
