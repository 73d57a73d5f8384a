"""Bundles on a real SFTP server and a real S3 endpoint: published, replaced, refused."""

from __future__ import annotations

import gc
import io
import stat
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from fsspec.registry import _registry
from target_oneroster.bundle.remote import RemoteStore
from target_oneroster.bundle.target import TargetOneRosterCSV
from target_oneroster.errors import TargetError

from tests.csv.stores import PASSWORD, s3_endpoint, sftp_server

from .mini import encode, lines, row, rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# What the libraries under the stores leave behind is theirs to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def _leftovers_end_here():
    """What the libraries leave behind is collected while its warnings are still ignored, not in another's test."""
    yield
    gc.collect()


class Sftp:
    """A folder that a server offers, and what the target needs to reach it."""

    def __init__(self, server: Any, root: Path) -> None:
        self.server, self.root = server, root

    def options(self, **more: Any) -> dict[str, Any]:
        options: dict[str, Any] = self.server.options(**({"password": PASSWORD, "client_keys": None} | more))
        return options

    def url(self, path: str) -> str:
        return f"sftp://127.0.0.1/{path}"

    def put(self, path: str, data: bytes) -> None:
        (self.root / path).parent.mkdir(exist_ok=True, parents=True)
        (self.root / path).write_bytes(data)

    def all(self) -> dict[str, bytes]:
        found = (path for path in self.root.rglob("*") if path.is_file())
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in found}


class S3:
    """A bucket, and what the target needs to reach it."""

    def __init__(self, endpoint: Any) -> None:
        self.endpoint = endpoint

    def options(self) -> dict[str, Any]:
        return dict(self.endpoint.options)

    def url(self, path: str) -> str:
        return f"s3://drop/{path}"

    def put(self, path: str, data: bytes) -> None:
        self.endpoint.put(path, data)

    def all(self) -> dict[str, bytes]:
        client = self.endpoint.client()
        keys = [found["Key"] for found in client.list_objects_v2(Bucket="drop").get("Contents", [])]
        return {key: client.get_object(Bucket="drop", Key=key)["Body"].read() for key in keys}


@pytest.fixture(scope="module")
def sftp(tmp_path_factory):
    pytest.importorskip("asyncssh", reason="asyncssh is not installed")
    pytest.importorskip("sshfs", reason="target-oneroster-csv[sftp] is not installed")
    root = tmp_path_factory.mktemp("sftp")
    with sftp_server(root, tmp_path_factory.mktemp("keys")) as server:
        yield Sftp(server, root)


@pytest.fixture(scope="module")
def s3():
    pytest.importorskip("s3fs", reason="target-oneroster-csv[s3] is not installed")
    pytest.importorskip("moto.server", reason="moto is not installed")
    with s3_endpoint() as endpoint:
        yield S3(endpoint)


@pytest.fixture(params=["sftp", "s3"])
def store(request):
    return request.getfixturevalue(request.param)


def run(store: Any, path: str, messages: Iterable[Any], options: dict[str, Any] | None = None, **config: Any) -> None:
    settings = {"output_path": store.url(path), "storage_options": options or store.options()} | config
    target = TargetOneRosterCSV(config=settings)
    try:
        target.listen(io.BytesIO(encode(messages)))  # type: ignore[arg-type]
    finally:
        target.close()


def below(store: Any, folder: str) -> dict[str, bytes]:
    return {name.removeprefix(f"{folder}/"): data for name, data in store.all().items() if name.startswith(folder)}


def zipped(data: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


_SMALL = ("orgs", "academicSessions", "users", "roles", "userProfiles", "demographics")


def small(name: str = "District") -> Any:
    """A few files of the district, since each is a file on the wire."""
    district = {file: found for file, found in rows().items() if file in _SMALL}
    row(district, "orgs", "d1")["name"] = name
    return district


def test_a_zip_is_published_and_replaced(store) -> None:
    """Nothing else is left beside it, not even what an upload that was killed had left."""
    run(store, "zip/bundle.zip", lines(small()))
    store.put("zip/.bundle.zip.oneroster-dead", b"half")
    run(store, "zip/bundle.zip", lines(small("County")))
    there = below(store, "zip")
    assert list(there) == ["bundle.zip"]
    assert b",County," in zipped(there["bundle.zip"], "orgs.csv")


def test_a_folder_is_published_merged_and_replaced(store) -> None:
    """Files that the new bundle lacks go, and so does what a killed upload has left."""
    run(store, "folder/bundle", lines(small()))
    first = below(store, "folder/bundle")
    run(store, "folder/bundle", lines({"orgs": small("County")["orgs"][:1]}), load_method="upsert")
    merged = below(store, "folder/bundle")
    assert {name for name in first if first[name] != merged[name]} == {"orgs.csv"}
    store.put("folder/.bundle.oneroster-dead/users.csv", b"half")
    district = small()
    del district["demographics"]
    run(store, "folder/bundle", lines(district), accept_shrink=True)
    assert set(first) - set(below(store, "folder/bundle")) == {"demographics.csv"}
    assert all(name.startswith("bundle/") for name in below(store, "folder"))


@pytest.mark.parametrize("path", ["failed.zip", "failed"])
def test_a_failed_upload_keeps_the_old_bundle(store, path, monkeypatch, capsys) -> None:
    """The line is cut in the middle of a file: the old bundle is there, whole, and no state is."""
    run(store, path, lines(small()))
    before = store.all()
    opened = RemoteStore.__init__

    def failing(self: Any, *args: Any) -> None:
        opened(self, *args)
        real = self._files.put_file

        def cut(local: str, remote: str) -> None:
            real(local, remote)
            if "users" in remote or ".zip" in remote:
                raise ConnectionResetError("host.example: the line was cut")

        self._files.put_file = cut

    monkeypatch.setattr(RemoteStore, "__init__", failing)
    with pytest.raises(TargetError, match=r"uploaded \(ConnectionResetError\)\. The old one is as it was") as told:
        run(store, path, lines(small("County"), state={"a": 1}))
    assert "host.example" not in told.value.message
    assert store.all() == before
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("path", ["sent.zip", "sent"])
def test_roles_that_were_sent_are_remembered_beside_a_remote_bundle(store, path) -> None:
    """The teacher left school s1 for s2: the next delta deletes the role, and what lies beside holds ids only."""
    delta: dict[str, Any] = {"file_mode": "delta", "oneroster_version": "1.2"}
    user = row(rows("1.1"), "users", "u2")
    run(store, f"roles/{path}", lines({"users": [user]}), **delta)
    beside = below(store, "roles")[f"{path}.sent-roles.csv"]
    assert b"u2" in beside
    assert user["givenName"].encode() not in beside
    if isinstance(store, Sftp):
        assert stat.S_IMODE((store.root / f"roles/{path}.sent-roles.csv").stat().st_mode) == 0o600
    for _ in range(2):
        run(store, f"roles/{path}", lines({"users": [user | {"orgSourcedIds": ["s2"]}]}), **delta)
        there = below(store, "roles")
        roles = zipped(there[path], "roles.csv") if path.endswith(".zip") else there[f"{path}/roles.csv"]
        states = [(",s1," in line, ",tobedeleted," in line) for line in roles.decode().splitlines()[1:]]
        assert sorted(states) == ([(False, False)] if _ else [(False, False), (True, True)])


def test_a_memory_that_cannot_be_read_publishes_nothing(sftp, monkeypatch) -> None:
    """Without it, roles that a person has lost would stay unsaid for ever."""
    delta: dict[str, Any] = {"file_mode": "delta", "oneroster_version": "1.2"}
    user = row(rows("1.1"), "users", "u2")
    run(sftp, "memory.zip", lines({"users": [user]}), **delta)
    before = sftp.all()
    real = RemoteStore.fetch_beside

    def failing(self: Any, *args: Any) -> Any:
        self._files.get_file = None
        return real(self, *args)

    monkeypatch.setattr(RemoteStore, "fetch_beside", failing)
    with pytest.raises(TargetError, match=r"file beside the bundle was read .*Nothing was published"):
        run(sftp, "memory.zip", lines({"users": [user | {"orgSourcedIds": ["s2"]}]}), **delta)
    assert sftp.all() == before


def test_a_memory_that_was_cut_while_it_was_sent_keeps_the_old_one(store, monkeypatch) -> None:
    """Half a memory would forget roles without a word."""
    delta: dict[str, Any] = {"file_mode": "delta", "oneroster_version": "1.2"}
    user = row(rows("1.1"), "users", "u2")
    run(store, "cut/sent.zip", lines({"users": [user]}), **delta)
    before = below(store, "cut")
    opened = RemoteStore.__init__

    def failing(self: Any, *args: Any) -> None:
        opened(self, *args)

        def cut(local: str, remote: str) -> None:
            with self._files.open(remote, "wb") as file:
                file.write(b"sourcedId")
            raise ConnectionResetError

        self._files.put_file = cut

    monkeypatch.setattr(RemoteStore, "__init__", failing)
    with pytest.raises(TargetError, match=r"put beside the bundle \(ConnectionResetError\)"):
        run(store, "cut/sent.zip", lines({"users": [user | {"orgSourcedIds": ["s2"]}]}), **delta)
    assert below(store, "cut") == before


def test_the_quarantine_on_an_sftp_server_is_private(sftp) -> None:
    """It holds people's rows: only its owner reads it, and it goes with the first run that needs none."""
    district = small()
    row(district, "userProfiles", "p2")["vendorId"] = None
    run(sftp, "q.zip", lines(district), on_invalid="quarantine")
    beside = sftp.root / "q.zip.quarantine.jsonl"
    assert (stat.S_IMODE(beside.stat().st_mode), len(beside.read_text().splitlines())) == (0o600, 1)
    run(sftp, "q.zip", lines(small()))
    assert not beside.exists()


def test_by_key(sftp) -> None:
    """A login by key, without a password."""
    run(sftp, "key.zip", lines(small()), sftp.options(client_keys=[str(sftp.server.client_key)], password=None))
    assert "key.zip" in sftp.all()


def test_an_unknown_host_key_is_refused(sftp, tmp_path) -> None:
    """Neither asked for nor remembered, and the check cannot be turned off."""
    import asyncssh

    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    empty = tmp_path / "known_hosts"
    empty.touch()
    for options, line in (
        ({"host_key": other}, "key is not known"),
        ({"host_key": None, "known_hosts": str(empty)}, "key is not known"),
        ({"host_key": None, "known_hosts": str(tmp_path / "none")}, "nothing says which key"),
        ({"host_key": None, "known_hosts": None}, "must name a file"),
    ):
        with pytest.raises(TargetError, match=line):
            run(sftp, "unknown.zip", lines(small()), sftp.options(**options))
    assert (empty.read_text(), "unknown.zip" in sftp.all()) == ("", False)


def test_a_wrong_password_is_one_line_without_it(sftp) -> None:
    """It names the settings."""
    with pytest.raises(TargetError, match="refused the login") as told:
        run(sftp, "a.zip", lines(small()), sftp.options(password="wrong horse"))
    assert "horse" not in told.value.message


@pytest.mark.parametrize("url", ["s3://nowhere/b.zip", "s3://drop"], ids=["no such bucket", "a whole bucket"])
def test_a_place_that_cannot_be(s3, url, monkeypatch) -> None:
    """One line that names the setting."""
    monkeypatch.setattr(s3, "url", lambda path: url, raising=True)
    with pytest.raises(TargetError, match=r"^output_path: "):
        run(s3, "", lines(small()))


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("ftp://example.org/b.zip", {}),
        ("s3://drop/b.zip", {"client_kwargs": {"endpoint_url": "HTTP://example.org:9000"}}),
    ],
)
def test_rosters_do_not_travel_in_the_clear(url, options) -> None:
    """Whatever the place in the options."""
    with pytest.raises(TargetError, match="Use https:// or sftp://"):
        RemoteStore(url, options)


@pytest.mark.parametrize(("url", "module"), [("sftp://h/b.zip", "sshfs"), ("gs://h/b.zip", "gcsfs")])
def test_a_missing_package_says_what_to_install(url, module, monkeypatch) -> None:
    """The extra's name, not the package's."""
    # fsspec remembers the classes it has met.
    monkeypatch.delitem(_registry, url.partition(":")[0], raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(TargetError, match=r"Install target-oneroster-csv\[(sftp|gcs)\]"):
        RemoteStore(url, {})
