"""Real stores for the tests: an SFTP server and an S3 endpoint, on loopback, in this process."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["S3", "Sftp", "s3_endpoint", "sftp_server"]

USER, PASSWORD = "school", "correct horse"


@dataclass(frozen=True)
class Sftp:
    """A running SFTP server, and what a client needs to know."""

    port: int
    host_key: str
    client_key: Path

    def url(self, path: str) -> str:
        """URL of a path on the server."""
        return f"sftp://127.0.0.1/{path}"

    def options(self, **more: Any) -> dict[str, Any]:
        """csv_storage_options with the right host key; the login is the test's to choose."""
        common = {"port": self.port, "username": USER, "host_key": self.host_key, "config": None, "agent_path": None}
        return common | more


@contextmanager
def sftp_server(root: Path, keys: Path) -> Iterator[Sftp]:
    """Serve a folder to one user, who logs in by password or by key."""
    import asyncssh

    class Door(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USER, PASSWORD)

    host = asyncssh.generate_private_key("ssh-ed25519")
    client = asyncssh.generate_private_key("ssh-ed25519")
    client.write_private_key(keys / "client")
    client.write_public_key(keys / "authorized")

    def chroot(channel: Any) -> Any:
        return asyncssh.SFTPServer(channel, chroot=str(root).encode())

    async def start() -> Any:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_host_keys=[host],
            server_factory=Door,
            authorized_client_keys=str(keys / "authorized"),
            sftp_factory=chroot,
        )

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(start(), loop).result(20)
    line = " ".join(host.export_public_key().decode().split()[:2])
    try:
        yield Sftp(server.get_port(), line, keys / "client")
    finally:

        async def stop() -> None:
            server.close()
            await server.wait_closed()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(stop(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


@dataclass(frozen=True)
class S3:
    """A running S3 endpoint with one bucket, ``drop``."""

    endpoint: str

    @property
    def options(self) -> dict[str, Any]:
        """csv_storage_options for it."""
        return {
            "key": "test",
            "secret": "test",
            "endpoint_url": self.endpoint,
            "client_kwargs": {"region_name": "us-east-1"},
            "skip_instance_cache": True,
        }

    def put(self, key: str, data: bytes) -> None:
        """Upload an object."""
        self.client().put_object(Bucket="drop", Key=key, Body=data)

    def client(self) -> Any:
        """A client of the endpoint that is not the one under test."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@contextmanager
def s3_endpoint() -> Iterator[S3]:
    """Moto's server on a free port."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    store = S3(f"http://{host}:{port}")
    store.client().create_bucket(Bucket="drop")
    try:
        yield store
    finally:
        server.stop()
