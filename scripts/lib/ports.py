"""Ports that only programs on this machine can reach."""

import socket
from typing import Final

from scripts.lib.user_errors import UserError

HOST: Final = "127.0.0.1"


def listening(port: int | None, advice: str = "") -> socket.socket:
    """Return a socket that listens at a port, or at any free one.

    Parameters:
        port: the TCP port; None takes a free one.
        advice: what to do if the port is not available, after that sentence.

    Raises:
        UserError: the port is not available.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port or 0))
        listener.listen()
    except OSError as error:
        listener.close()
        sentence = f"Port {port} on {HOST} is not available ({error.strerror}). {advice}"
        raise UserError(sentence.rstrip()) from error
    return listener
