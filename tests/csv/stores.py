"""Real stores for the tests, on loopback: SFTP, S3, Google Cloud Storage, Azure, and plain web servers."""

from __future__ import annotations

import asyncio
import re
import subprocess
import threading
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

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
def sftp_server(root: Path, keys: Path, **more: Any) -> Iterator[Sftp]:
    """Serve a folder to one user, who logs in by password or by key; `more` are options of `asyncssh.listen`."""
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
            **more,
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
            server.close()  # from Python 3.12 on, `wait_closed` would wait for clients that do not close
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        asyncio.run_coroutine_threadsafe(stop(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(240)
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
    """Moto's server on a free port. All its servers of a process share their buckets, so it is emptied first."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    store = S3(f"http://{host}:{port}")
    urllib.request.urlopen(f"{store.endpoint}/moto-api/reset", b"").close()
    store.client().create_bucket(Bucket="drop")
    try:
        yield store
    finally:
        server.stop()


@dataclass(frozen=True)
class Gcs:
    """A running Google Cloud Storage emulator with one bucket, ``drop``."""

    endpoint: str

    @property
    def options(self) -> dict[str, Any]:
        """csv_storage_options for it."""
        return {"endpoint_url": self.endpoint, "token": "anon", "skip_instance_cache": True}

    def put(self, key: str, data: bytes) -> None:
        """Upload an object, by hand."""
        name = urllib.request.quote(key, safe="")  # type: ignore[attr-defined]
        url = f"{self.endpoint}/upload/storage/v1/b/drop/o?uploadType=media&name={name}"
        headers = {"Content-Type": "application/octet-stream"}
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method="POST")) as answer:
            answer.read()


@contextmanager
def gcs_emulator() -> Iterator[Gcs]:
    """The emulator on a free port, in this process."""
    from gcp_storage_emulator.server import create_server

    server = create_server("127.0.0.1", 0, in_memory=True, default_bucket="drop")
    server.start()
    httpd = server._api._httpd
    httpd.handle_error = lambda *_: None  # a client that has seen enough hangs up
    try:
        yield Gcs(f"http://127.0.0.1:{httpd.server_address[1]}")
    finally:
        server.stop()


# Azurite's account and key are the same everywhere and no secret.
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass(frozen=True)
class Azure:
    """A running Azurite with one container, ``drop``."""

    endpoint: str

    def options(self, key: str = _KEY) -> dict[str, Any]:
        """csv_storage_options for it."""
        parts = {"DefaultEndpointsProtocol": "http", "AccountName": _ACCOUNT, "AccountKey": key}
        parts["BlobEndpoint"] = f"{self.endpoint}/{_ACCOUNT}"
        return {"connection_string": ";".join(f"{k}={v}" for k, v in parts.items()), "skip_instance_cache": True}

    def container(self) -> Any:
        """A client of the container that is not the one under test."""
        from azure.storage.blob import BlobServiceClient

        service = BlobServiceClient.from_connection_string(self.options()["connection_string"])
        return service.get_container_client("drop")


@contextmanager
def azurite(command: str, folder: Path) -> Iterator[Azure]:
    """Azurite's blob service on a free port."""
    options = {"--blobHost": "127.0.0.1", "--blobPort": "0", "--location": str(folder)}
    flags = ["--skipApiVersionCheck", "--disableTelemetry"]
    process = subprocess.Popen(
        [command, *(word for option in options.items() for word in option), *flags], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        for line in process.stdout:
            if found := re.search(r"listens on (http://\S+)", line):
                break
        else:
            raise RuntimeError("azurite did not start")
        store = Azure(found[1])
        store.container().create_container()
        yield store
    finally:
        process.terminate()
        process.wait(240)
        process.stdout.close()


class _WholeFiles(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


class _Ranges(_WholeFiles):
    """What the standard library's handler leaves out: a part of a file."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not wanted or not path.is_file():
            return super().do_GET()
        data = path.read_bytes()
        first, last = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
        self.send_response(206)
        self.send_header("Last-Modified", self.date_time_string(path.stat().st_mtime))
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        self.wfile.write(data[first : last + 1])
        return None


@contextmanager
def web_server(root: Path, *, ranges: bool) -> Iterator[str]:
    """URL of a web server over a folder, which sends parts of files or only whole ones."""
    handler = partial(_Ranges if ranges else _WholeFiles, directory=str(root))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(240)
