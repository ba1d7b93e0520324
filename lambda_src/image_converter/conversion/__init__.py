"""JPEG bytes in, PNG bytes out; knows nothing of AWS."""

from image_converter.conversion.convert import convert
from image_converter.conversion.model import Compression, Conversion, Limits

__all__ = ["Compression", "Conversion", "Limits", "convert"]
