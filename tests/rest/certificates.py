"""Certificates for services on this machine, good and bad ones, and a provider that speaks HTTPS with them."""

from __future__ import annotations

import ipaddress
import ssl
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oneroster_sample.provider import Provider


class Authority:
    """Signs certificates, good and bad ones."""

    def __init__(self, folder: Path) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.bundle = folder / "authority.pem"
        self._certificate = self._sign("Test authority", self._key.public_key(), days=30, is_authority=True)
        self._write(self.bundle, self._certificate)

    def server(self, *, host: str = "localhost", days: int = 30) -> ssl.SSLContext:
        """What a server needs to speak for a host; with days below 0 it is too late."""
        from cryptography.hazmat.primitives import serialization as form
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        path = self._folder / f"{host}{days}.pem"
        self._write(path, self._sign(host, key.public_key(), days=days))
        private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
        path.write_bytes(path.read_bytes() + private)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _write(self, path: Path, certificate: Any) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding

        path.write_bytes(certificate.public_bytes(Encoding.PEM))

    def _sign(self, name: str, public: Any, *, days: int, is_authority: bool = False) -> Any:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.x509.oid import NameOID

        def called(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

        now = datetime.now(UTC)
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"), False
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(called(name))
            .issuer_name(called("Test authority"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not is_authority,
                    key_cert_sign=is_authority,
                    encipher_only=False,
                    decipher_only=False,
                    **usage,
                ),
                critical=True,
            )
        )
        if not is_authority:
            names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.9"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


@contextmanager
def over_tls(provider: Provider, context: ssl.SSLContext) -> Iterator[Provider]:
    """Run a provider with HTTPS, under the name localhost."""
    server = provider._server
    server.socket = context.wrap_socket(server.socket, server_side=True)
    provider.base_url = f"https://localhost:{server.server_port}"
    provider.token_url = f"{provider.base_url}/token"
    with provider:
        yield provider
