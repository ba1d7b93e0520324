"""moto without the work that it repeats for every test and every request.

When it starts, moto registers the URLs of all services with `responses`, for programs that call AWS
by `requests`, which nothing here does. For every request it builds the service's table of URLs, and
for S3 reloads the module of that table, because an environment variable could have changed it.
Both together take a fifth of the time of a test with `mock_aws`.
"""

from collections.abc import Callable, Mapping
from typing import Any

from moto import mock_aws
from moto.core import models
from moto.core.base_backend import BaseBackend

__all__ = ["mock_aws"]

_Urls = Mapping[str, Callable[..., Any]]

_make_urls: Callable[[BaseBackend], _Urls] = vars(BaseBackend)["urls"].fget
_made: dict[type[BaseBackend], _Urls] = {}


def _urls(backend: BaseBackend) -> _Urls:
    """Return the handlers of a service by the patterns of their URLs, made once."""
    kind = type(backend)
    if kind not in _made:
        _made[kind] = _make_urls(backend)
    return _made[kind]


BaseBackend.urls = property(_urls)  # type: ignore[assignment, method-assign]
models.RESPONSES_METHODS.clear()
