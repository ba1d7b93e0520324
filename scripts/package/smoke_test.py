"""Tries a trimmed layer in a real interpreter, before it is shipped."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

from scripts.package import PackageError, trim
from scripts.package.interpreters import Interpreter

# Every part that the functions load, used once: the compiled ones, and a call of each AWS client as
# far as the network. Imported from nowhere but the layer.
_USE: Final = """
import io, sys
sys.path.insert(0, sys.argv[1])
import PIL.Image, PIL.ImageChops, PIL.ImageCms, PIL.ImageOps
import PIL.JpegImagePlugin, PIL.MpoImagePlugin, PIL.PngImagePlugin
import isal.isal_zlib, wrapt._wrappers
wrapt.wrap_function_wrapper
data = io.BytesIO()
PIL.Image.new("RGB", (8, 8)).save(data, "JPEG")
PIL.Image.open(data, formats=["JPEG"]).save(io.BytesIO(), "PNG")
srgb = PIL.ImageCms.createProfile("sRGB")
PIL.ImageCms.profileToProfile(PIL.Image.new("RGB", (8, 8)), srgb, srgb)
for name in sys.argv[2:]:
    __import__(f"PIL.{name}ImagePlugin")
    PIL.Image.new("RGB", (8, 8)).save(io.BytesIO(), name.upper())
isal.isal_zlib.decompress(isal.isal_zlib.compress(b"layer", 1))

import botocore.awsrequest, botocore.session
calls = {
    "s3": ("put_object", {"Bucket": "bucket", "Key": "key", "Body": io.BytesIO(b"layer")}),
    "dynamodb": ("put_item", {"TableName": "table", "Item": {"imageName": {"S": "key"}}}),
    "stepfunctions": ("start_execution", {"stateMachineArn": "arn"}),
}
answer = botocore.awsrequest.AWSResponse("", 200, {}, io.BytesIO())
answer._content = b""
for service, (method, parameters) in calls.items():
    client = botocore.session.Session().create_client(
        service, "us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
    )
    client.meta.events.register("before-send", lambda **_: answer)
    getattr(client, method)(**parameters)
"""


def check(interpreter: Interpreter, tree: Path, formats: Collection[str] = ()) -> None:
    """Load the packages of a layer, decode a JPEG, encode a PNG and sign calls to AWS with them.

    Parameters:
        interpreter: of the target's version, on the target's kind of machine.
        tree: the folder with the packages.
        formats: what the layer writes besides PNG and JPEG.

    Raises:
        PackageError: something that is needed was trimmed or is broken.
    """
    done = interpreter.run("-c", _USE, str(tree), *(trim.FORMATS[name] for name in formats))
    if done.returncode:
        raise PackageError(
            f"The layer does not work under Python {interpreter.version}; see what "
            f"scripts/package/trim.py removes from it:\n{done.stderr.strip()}"
        )
