"""An issuer of JSON web tokens: its keys by HTTPS on this machine, and tokens, right and wrong."""

import base64
import hashlib
import hmac
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
KEY_ID = "first"

Claims = Mapping[str, Any]


def new_key() -> rsa.RSAPrivateKey:
    """Return an RSA key, as issuers have."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Issuer:
    """Who signs tokens.

    Attributes:
        url: its address, the `iss` of its tokens.
        key: the key that it publishes.
    """

    url: str
    key: rsa.RSAPrivateKey

    def claims(self, **changed: object) -> dict[str, Any]:
        """Return the claims of a good token, or others; a None leaves one out."""
        now = int(time.time())
        good = {
            "iss": self.url,
            "aud": "uploads",
            "sub": "someone",
            "scope": "images/write",
            "iat": now - 60,
            "exp": now + 600,
        }
        return {name: value for name, value in {**good, **changed}.items() if value is not None}

    def token(self, claims: Claims, key: rsa.RSAPrivateKey | None = None, kid: str = KEY_ID) -> str:
        """Return a token, signed with the issuer's key or another."""
        signed = _signed_part({"alg": "RS256", "kid": kid}, claims)
        signature = (key or self.key).sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encoded(signature)}"

    def unsigned(self, claims: Claims) -> str:
        """Return a token that says that it needs no signature."""
        return _signed_part({"alg": "none", "kid": KEY_ID}, claims) + "."

    def confused(self, claims: Claims) -> str:
        """Return a token that is signed with the public key, as if it were a shared secret."""
        public = self.key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        signed = _signed_part({"alg": "HS256", "kid": KEY_ID}, claims)
        return f"{signed}.{_encoded(hmac.digest(public, signed.encode(), hashlib.sha256))}"

    def changed(self, claims: Claims, instead: Claims) -> str:
        """Return a token whose claims were changed after it was signed."""
        header, _, signature = self.token(claims).split(".")
        return f"{header}.{_json(instead)}.{signature}"


@contextmanager
def serving(directory: Path) -> Iterator[tuple[Issuer, Path]]:
    """Yield an issuer whose keys can be fetched, and the certificate to trust it by.

    Parameters:
        directory: a folder for the certificate.
    """
    certificate = _certificate(directory)
    key = new_key()
    server = ThreadingHTTPServer((HOST, 0), _handler(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield Issuer(f"https://{HOST}:{server.server_port}", key), certificate
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(key: rsa.RSAPrivateKey) -> type[BaseHTTPRequestHandler]:
    numbers = key.public_key().public_numbers()
    published = {
        "kty": "RSA",
        "alg": "RS256",
        "use": "sig",
        "kid": KEY_ID,
        "n": _encoded(numbers.n.to_bytes(256, "big")),
        "e": _encoded(numbers.e.to_bytes(3, "big")),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = {"/.well-known/jwks.json": {"keys": [published]}}.get(self.path)
            self.send_response(200 if answer else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    return Handler


def _certificate(directory: Path) -> Path:
    """Write a key and a certificate for it, signed by itself, into one file."""
    key = new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = directory / "issuer.pem"
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file


def _signed_part(header: Mapping[str, str], claims: Claims) -> str:
    return f"{_json(header)}.{_json(claims)}"


def _json(value: Mapping[str, Any]) -> str:
    return _encoded(json.dumps(value).encode())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
