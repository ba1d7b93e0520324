"""A missing or malformed environment variable is refused by its name."""

import pytest

from image_converter import settings
from image_converter.errors import InvalidSettings

RESIZE = {
    "DESTINATION_BUCKET": "bucket",
    "MAX_IMAGE_BYTES": "100",
    "MAX_IMAGE_PIXELS": "200",
    "PNG_COMPRESSION": "smallest",
}


def test_settings_come_from_the_environment_as_types() -> None:
    loaded = settings.load(settings.ResizeSettings, RESIZE)
    assert loaded == settings.ResizeSettings("bucket", 100, 200, "smallest")


def test_what_has_a_default_may_be_left_out() -> None:
    del (environment := dict(RESIZE))["PNG_COMPRESSION"]
    assert settings.load(settings.ResizeSettings, environment).png_compression == "fast"


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("DESTINATION_BUCKET", None, "DESTINATION_BUCKET is not set"),
        ("DESTINATION_BUCKET", "", "DESTINATION_BUCKET is not set"),
        ("MAX_IMAGE_BYTES", None, "MAX_IMAGE_BYTES is not set"),
        ("MAX_IMAGE_BYTES", "0", "MAX_IMAGE_BYTES must be a positive whole number, not '0'"),
        ("MAX_IMAGE_BYTES", "-1", "MAX_IMAGE_BYTES must be a positive whole number"),
        ("MAX_IMAGE_PIXELS", "1e6", "MAX_IMAGE_PIXELS must be a positive whole number"),
        ("MAX_IMAGE_PIXELS", "²", "MAX_IMAGE_PIXELS must be a positive whole number"),
        ("PNG_COMPRESSION", "best", "PNG_COMPRESSION must be one of fast, smallest, not 'best'"),
    ],
)
def test_a_missing_or_malformed_variable_is_named(
    variable: str, value: str | None, sentence: str
) -> None:
    environment = {**RESIZE, variable: value}
    with pytest.raises(InvalidSettings, match=sentence):
        settings.load(
            settings.ResizeSettings,
            {name: text for name, text in environment.items() if text is not None},
        )
