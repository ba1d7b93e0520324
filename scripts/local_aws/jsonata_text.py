"""JSONata as its reference implementation, where the library in Python differs."""

import json

from jsonata.functions import Functions
from jsonata.jsonata import Jsonata
from jsonata.parser import Parser


def text(value: object, prettify: bool) -> str:
    """Return JSON as `$string` does, with characters beyond ASCII as they are, not escaped.

    It makes a difference to SQS, which refuses some characters. To be put in the place of
    `Functions._string`. https://docs.jsonata.org/string-functions#string
    """
    if isinstance(value, (Jsonata.JFunction, Parser.Symbol)):
        return ""
    if prettify:
        return json.dumps(value, cls=Functions.Encoder, ensure_ascii=False, indent="  ")
    return json.dumps(value, cls=Functions.Encoder, ensure_ascii=False, separators=(",", ":"))
