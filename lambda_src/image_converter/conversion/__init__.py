"""JPEG bytes in, PNG and other images out; knows nothing of AWS."""

from image_converter.conversion.convert import convert, convert_all
from image_converter.conversion.model import Compression, Conversion, Limits

__all__ = ["Compression", "Conversion", "Limits", "convert", "convert_all"]
