"""Permanent errors, which the state machine does not retry.

Lambda reports an exception's class name as `errorType`, and Step Functions matches that name in
`ErrorEquals`: the state machine's Retry rules list these class names with `MaxAttempts: 0`, so that
they are not retried (`permanent_errors` in terraform/state_machine.tf). Every other exception
counts as transient and is retried.

Messages quote their input, keys above all, by `!r`: with log_format = Text, Lambda logs the message
as it is, and a key may have characters that a terminal obeys.
"""


class PermanentError(Exception):
    """Base of all errors that a retry cannot fix."""


class InvalidSettings(PermanentError):
    """An environment variable of the function is missing or malformed."""


class InvalidRecord(PermanentError):
    """The input is not an S3 event record, or the state lacks what an earlier step writes."""


class SourceNotFound(PermanentError):
    """The object, the version or the source bucket that the record names is gone."""


class SourceChanged(PermanentError):
    """The object is not (or no longer) the version that the record names."""


class SourceArchived(PermanentError):
    """The object is in a storage class from which it must be restored before it can be read."""


class UnknownType(PermanentError):
    """The object may be a JPEG that was damaged on its way, and its bytes are of no known type."""


class KeyTooLong(PermanentError):
    """The key that the PNG would get is longer than S3 allows."""


class ConversionError(PermanentError):
    """Base of the errors that say why an image cannot be converted."""


class DamagedImage(ConversionError):
    """The JPEG is truncated or its data is corrupt."""


class ImageTooLarge(ConversionError):
    """The image has more bytes or pixels than this function's memory can take."""


class UnsupportedImage(ConversionError):
    """A JPEG of a kind that the decoder does not read (lossless, ...), or not a JPEG at all."""


class LayerMismatch(Exception):
    """The function runs with a layer of another build: it is being updated, and a retry will do."""


class EventNotSent(Exception):
    """EventBridge did not accept an event; it may accept it the next time."""


class DestroyRefused(Exception):
    """The stack holds what its owner has not agreed to lose; only Terraform gets this error."""
