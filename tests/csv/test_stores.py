"""Bundles in stores, each over a real server, and the ways they refuse."""

from __future__ import annotations

import gc
import io
import os
import shutil
import zipfile

import pytest
from oneroster_sample.bundle import write_bundle
from oneroster_sample.district import District
from tap_oneroster.bundle.locate.stores import Store, store_at
from tap_oneroster.source import SourceError

from tests.csv.bundles import ORGS, bundles_at, csv_text, delta, manifest, read, write
from tests.csv.stores import PASSWORD, azurite, gcs_emulator, s3_endpoint, sftp_server, web_server
from tests.singer import run_tap

# What the libraries under the stores leave behind is theirs to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

IDS = ["d1", "s1", "s2"]


@pytest.fixture(scope="module", autouse=True)
def _leftovers_end_here():
    """What the libraries leave behind is collected while its warnings are still ignored, not in another's test."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def sftp(tmp_path_factory):
    pytest.importorskip("asyncssh", reason="asyncssh is not installed")
    pytest.importorskip("sshfs", reason="tap-oneroster[sftp] is not installed")
    root = tmp_path_factory.mktemp("sftp")
    write(root / "drop/a.zip", {"orgs.csv": ORGS}, at=1_788_000_000)
    write(root / "loose", {"orgs.csv": ORGS}, at=1_788_000_000)
    with sftp_server(root, tmp_path_factory.mktemp("keys")) as server:
        yield server


@pytest.mark.parametrize("path", ["drop/a.zip", "drop/*.zip", "loose"])
def test_a_bundle_on_an_sftp_server_by_password(sftp, path):
    found = read(sftp.url(path), "orgs", csv_storage_options=sftp.options(password=PASSWORD, client_keys=None))
    assert (found.error, found.ids) == (None, IDS)
    assert found.last.snapshot


def test_a_bundle_on_an_sftp_server_by_key(sftp):
    found = read(sftp.url("drop/a.zip"), "orgs", csv_storage_options=sftp.options(client_keys=[str(sftp.client_key)]))
    assert (found.error, found.ids) == (None, IDS)


def test_a_file_in_a_store_travels_once(sftp, tmp_path, monkeypatch):
    """Although it is read ahead for ids that come twice: after a look at its beginning it is brought here."""
    copies = ORGS + "".join(f"o{n % 9},,,Name,school,,\r\n" for n in range(9000))
    write(tmp_path / "root/twice", {"orgs.csv": copies}, at=1_788_000_000)
    opened, ask = [], Store.open

    def asked(store, path):
        opened.append(path)
        return ask(store, path)

    monkeypatch.setattr(Store, "open", asked)
    with sftp_server(tmp_path / "root", tmp_path) as server:
        options = server.options(password=PASSWORD, client_keys=None)
        found = read(server.url("twice"), "orgs", csv_storage_options=options)
    assert (found.error, len(found.rows)) == (None, 12)
    assert [path.rpartition("/")[2] for path in opened].count("orgs.csv") == 2


def test_a_second_run_over_an_sftp_drop_reads_nothing(sftp):
    options = sftp.options(password=PASSWORD, client_keys=None)
    first = read(sftp.url("drop/*.zip"), "orgs", csv_storage_options=options)
    again = read(
        sftp.url("drop/*.zip"), "orgs", csv_storage_options=options, state={"orgs": {"bundles": first.bundles}}
    )
    assert (again.rows, again.modes) == ([], ["skipped"])


USERS = csv_text("sourcedId,status,dateLastModified,username", "u1,,,ann")


def test_what_is_missing_damaged_or_without_a_last_line_end_on_an_sftp_server(tmp_path):
    """As on a disk: a declared file, a manifest whose last line says delta, and the newest bundle of a drop."""
    pytest.importorskip("sshfs", reason="tap-oneroster[sftp] is not installed")
    root, keys = tmp_path / "root", tmp_path / "keys"
    keys.mkdir()
    for name in ("missing", "missing.zip"):
        write(root / name, {"orgs.csv": ORGS}, {"orgs": "bulk", "users": "bulk"})
    open_end = manifest({}).replace("file.orgs,absent\r\n", "") + "file.orgs,delta"
    write(root / "open", {"orgs.csv": delta("s1,active,One"), "manifest.csv": open_end}, None)
    write(root / "drop/a.zip", {"orgs.csv": ORGS}, at=1_788_000_000)
    newest = write(root / "drop/b.zip", {"orgs.csv": ORGS}, at=1_788_090_000)
    newest.write_bytes(newest.read_bytes()[:-40])
    os.utime(newest, (1_788_090_000, 1_788_090_000))
    with sftp_server(root, keys) as server:
        options = server.options(password=PASSWORD, client_keys=None)
        for name in ("missing", "missing.zip"):
            assert (
                "is declared by the manifest and missing"
                in read(server.url(name), "users", csv_storage_options=options).error
            )
        found = read(server.url("open"), "orgs", csv_storage_options=options, accept_orphan_delta=True)
        assert (found.modes, found.last.snapshot) == (["delta"], False)
        config = {"mode": "csv", "settle_seconds": 0, "csv_storage_options": options}
        run = run_tap({**config, "csv_path": server.url("drop/*.zip")})
    assert "b.zip: cannot be read, and may be newer" in run.error
    assert [row["sourcedId"] for row in run.records["orgs"]] == IDS


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such entries here")
def test_links_and_other_entries_on_an_sftp_server(tmp_path):
    """A server shows links as links."""
    pytest.importorskip("sshfs", reason="tap-oneroster[sftp] is not installed")
    root, keys = tmp_path / "root", tmp_path / "keys"
    keys.mkdir()
    write(root / "real", {"orgs.csv": ORGS, "users.csv": USERS})
    write(root / "far/c.zip", {"orgs.csv": ORGS})
    bundle = write(root / "b", {"orgs.csv": ORGS}, {"orgs": "bulk"})
    (bundle / "users.csv").symlink_to("../real/users.csv")
    (bundle / "classes.csv").symlink_to("nowhere.csv")
    (bundle / "courses.csv").mkdir()
    os.mkfifo(bundle / "demographics.csv")
    os.mkfifo(root / "fifo.zip")
    (root / "drop").mkdir()
    (root / "drop/current").symlink_to("../far")
    (root / "far/loop").symlink_to("../drop")
    with sftp_server(root, keys) as server:
        options = server.options(password=PASSWORD, client_keys=None)

        def pull(path, stream):
            return read(server.url(path), stream, csv_storage_options=options)

        assert pull("b", "users").ids == ["u1"]
        assert "its entry is a link to something that is not there" in pull("b", "classes").error
        assert "its entry is a folder" in pull("b", "courses").error
        assert "its entry is neither a file nor a folder" in pull("b", "demographics").error
        assert pull("fifo.zip", "orgs").error == "fifo.zip: is neither a file nor a folder"
        for pattern in ("drop/*/c.zip", "drop/**/c.zip", "drop/current/*.zip"):
            assert (pull(pattern, "orgs").error, pull(pattern, "orgs").ids) == (None, IDS)


def test_a_server_with_other_key_exchanges_names_the_setting(tmp_path):
    """Old appliances know none of those that are taken by default."""
    pytest.importorskip("sshfs", reason="tap-oneroster[sftp] is not installed")
    write(tmp_path / "root/a.zip", {"orgs.csv": ORGS})
    with sftp_server(tmp_path / "root", tmp_path, kex_algs=["ecdh-sha2-nistp256"]) as server:
        options = server.options(password=PASSWORD, client_keys=None, kex_algs=["curve25519-sha256"])
        found = read(server.url("a.zip"), "orgs", csv_storage_options=options)
        ways = ("and this machine have no way of exchanging keys", "closed the connection before the login")
        assert found.error.startswith(tuple(f"csv_path: the SFTP server {way}" for way in ways))
        assert "kex_algs of csv_storage_options" in found.error
        options["kex_algs"] = ["ecdh-sha2-nistp256"]
        assert read(server.url("a.zip"), "orgs", csv_storage_options=options).ids == IDS


def test_an_unknown_host_key_is_refused(sftp, tmp_path):
    """Neither asked for nor remembered: the server could be anyone."""
    import asyncssh

    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    wrong = sftp.options(password=PASSWORD, client_keys=None, host_key=other)
    assert "key is not known" in read(sftp.url("drop/a.zip"), "orgs", csv_storage_options=wrong).error
    empty = tmp_path / "known_hosts"
    empty.touch()
    unknown = sftp.options(password=PASSWORD, client_keys=None, host_key=None, known_hosts=str(empty))
    assert "key is not known" in read(sftp.url("drop/a.zip"), "orgs", csv_storage_options=unknown).error
    assert empty.read_text() == ""


def test_a_known_hosts_file_is_believed(sftp, tmp_path):
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{sftp.port} {sftp.host_key}\n")
    options = sftp.options(password=PASSWORD, client_keys=None, host_key=None, known_hosts=str(known))
    assert read(sftp.url("drop/a.zip"), "orgs", csv_storage_options=options).ids == IDS


@pytest.mark.parametrize("known", [None, "/nowhere/known_hosts"], ids=["off", "missing"])
def test_the_check_of_the_host_key_cannot_be_turned_off(sftp, known):
    options = sftp.options(password=PASSWORD, client_keys=None, host_key=None, known_hosts=known)
    found = read(sftp.url("drop/a.zip"), "orgs", csv_storage_options=options)
    assert found.error.startswith("csv_path: nothing says which key the SFTP server has")


def test_a_wrong_password_or_key_is_one_line_without_it(sftp, tmp_path):
    import asyncssh

    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "key")
    for login in (
        {"password": "wrong", "client_keys": None},
        {"client_keys": [str(tmp_path / "key")], "password": None},
    ):
        found = read(sftp.url("drop/a.zip"), "orgs", csv_storage_options=sftp.options(**login))
        assert found.error.startswith("csv_path: the SFTP server refused the login")
        assert "wrong" not in found.error


def test_an_sftp_server_that_is_not_there_is_one_line(sftp, unused_port):
    found = read(
        sftp.url("drop/a.zip"),
        "orgs",
        csv_storage_options=sftp.options(password="x", client_keys=None, port=unused_port),
    )
    assert found.error.startswith("csv_path: the SFTP server cannot be reached at 127.0.0.1 (")


def test_a_refused_login_is_no_use_to_repeat_and_a_server_that_is_away_is(sftp, unused_port):
    """Exit codes 4 and 1: with one more wrong login many servers lock the account."""
    for options, code in (({"password": "wrong"}, 4), ({"password": PASSWORD, "port": unused_port}, 1)):
        with pytest.raises(SourceError) as failure:
            store_at(sftp.url("drop/a.zip"), sftp.options(client_keys=None, **options))
        assert failure.value.exit_code == code
    with pytest.raises(SourceError) as failure:
        store_at("http://example.org/b.zip", {})
    assert failure.value.exit_code == 4


def test_nothing_at_the_path_on_an_sftp_server(sftp):
    found = read(
        sftp.url("drop/none.zip"), "orgs", csv_storage_options=sftp.options(password=PASSWORD, client_keys=None)
    )
    assert found.error == "csv_path: nothing lies there (sftp://127.0.0.1/drop/none.zip); check the path"


@pytest.fixture
def unused_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def zip_of(text):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("orgs.csv", text)
    return data.getvalue()


@pytest.fixture(scope="module")
def s3():
    pytest.importorskip("s3fs", reason="tap-oneroster[s3] is not installed")
    pytest.importorskip("moto.server", reason="moto is not installed")
    with s3_endpoint() as endpoint:
        endpoint.put("nightly/a.zip", zip_of(ORGS))
        endpoint.put("loose/orgs.csv", ORGS.encode())
        yield endpoint


@pytest.mark.parametrize("path", ["nightly/a.zip", "nightly/*.zip", "loose"])
def test_a_bundle_in_s3(s3, path):
    found = read(f"s3://drop/{path}", "orgs", csv_storage_options=s3.options)
    assert (found.error, found.ids) == (None, IDS)


def test_a_whole_run_over_s3_and_the_next_one(s3, tmp_path):
    """As a user has it: the tap, a bundle in a bucket, state between two runs."""
    counts = write_bundle(District(seed=3, schools=1, students_per_school=20), tmp_path / "b.zip", version="1.2")
    s3.put("whole/b.zip", (tmp_path / "b.zip").read_bytes())
    config = {"mode": "csv", "csv_path": "s3://drop/whole/*.zip", "csv_storage_options": s3.options}
    first = run_tap(config)
    assert first.error is None
    assert {name: len(first.records[name]) for name in counts if name != "demographics"} == {
        name: n for name, n in counts.items() if name != "demographics"
    }
    second = run_tap(config, state=first.state)
    assert (second.error, second.of("RECORD")) == (None, ["syncReceipts"] * len(second.records["syncReceipts"]))


def test_a_zip_in_a_store_that_changes_between_two_looks_is_refused(s3):
    """The directory was that of one upload, the rows would be those of another."""
    from tap_oneroster._core.model import file
    from tap_oneroster.source import FatalSourceError, Request

    s3.put("moving/a.zip", zip_of(ORGS))
    source = bundles_at("s3://drop/moving/a.zip", csv_storage_options=s3.options)
    request = Request(file("users"), (file("users"),))
    assert [part.facts["users"].mode for part in source.passes(request)] == ["absent"]
    s3.put("moving/a.zip", zip_of(ORGS.replace("School One", "School 1")))
    with pytest.raises(FatalSourceError, match=r"changed while it was read|not read to its end"):
        list(source.passes(Request(file("orgs"), (file("orgs"),))))
    source.close()


def test_a_bucket_that_is_not_there_is_one_line(s3):
    found = read("s3://nowhere/*.zip", "orgs", csv_storage_options=s3.options)
    assert found.error.startswith("csv_path: ")
    assert "\n" not in found.error


@pytest.fixture(scope="module")
def gcs():
    pytest.importorskip("gcp_storage_emulator", reason="gcp-storage-emulator is not installed")
    with pytest.MonkeyPatch.context() as patch:
        # Read when it is imported. Else it asks over gRPC what kind of bucket that is; the emulator speaks HTTP only.
        patch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
        pytest.importorskip("gcsfs", reason="tap-oneroster[gcs] is not installed")
    with gcs_emulator() as store:
        store.put("nightly/a.zip", zip_of(ORGS))
        store.put("loose/orgs.csv", ORGS.encode())
        yield store


@pytest.mark.parametrize("path", ["nightly/a.zip", "nightly/*.zip", "loose"])
def test_a_bundle_in_google_cloud_storage_and_the_next_run(gcs, path):
    found = read(f"gs://drop/{path}", "orgs", csv_storage_options=gcs.options)
    assert (found.error, found.ids) == (None, IDS)
    again = read(
        f"gs://drop/{path}", "orgs", csv_storage_options=gcs.options, state={"orgs": {"bundles": found.bundles}}
    )
    assert (again.rows, again.modes) == ([], ["skipped"])


def test_nothing_at_the_path_in_google_cloud_storage(gcs):
    found = read("gs://drop/none.zip", "orgs", csv_storage_options=gcs.options)
    assert found.error == "csv_path: nothing lies there (gs://drop/none.zip); check the path"


@pytest.fixture(scope="module")
def azure(tmp_path_factory):
    pytest.importorskip("adlfs", reason="tap-oneroster[azure] is not installed")
    command = os.environ.get("AZURITE") or shutil.which("azurite-blob")
    if not command:
        pytest.skip("azurite-blob is not on PATH (npm install azurite)")
    with azurite(command, tmp_path_factory.mktemp("azurite")) as store:
        store.container().upload_blob("nightly/a.zip", zip_of(ORGS))
        store.container().upload_blob("loose/orgs.csv", ORGS.encode())
        yield store


@pytest.mark.parametrize("path", ["nightly/a.zip", "nightly/*.zip", "loose"])
def test_a_bundle_in_azure_and_the_next_run(azure, path):
    found = read(f"abfs://drop/{path}", "orgs", csv_storage_options=azure.options())
    assert (found.error, found.ids) == (None, IDS)
    again = read(
        f"abfs://drop/{path}", "orgs", csv_storage_options=azure.options(), state={"orgs": {"bundles": found.bundles}}
    )
    assert (again.rows, again.modes) == ([], ["skipped"])


def test_a_wrong_key_for_azure_is_one_line(azure):
    found = read("abfs://drop/*.zip", "orgs", csv_storage_options=azure.options(key="AAAA"))
    assert found.error.startswith("csv_path: the store does not answer (")
    assert "AAAA" not in found.error


@pytest.fixture(scope="module", params=[True, False], ids=["ranges", "whole files only"])
def web(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("web")
    write(root / "drop/a.zip", {"orgs.csv": ORGS})
    with web_server(root, ranges=request.param) as url:
        yield url


@pytest.mark.parametrize("path", ["drop/a.zip", "drop/*.zip", "drop/a.zip?signature=hush"])
def test_a_bundle_on_a_web_server_and_the_next_run(web, path):
    """The way https:// goes; a signed address is a secret, so what follows its "?" is not named."""
    found = read(f"{web}/{path}", "orgs")
    assert (found.error, found.ids) == (None, IDS)
    assert (found.last.source, found.bundles[0]["name"]) == ("a.zip", "a.zip")
    assert not found.bundles[0]["modified"].startswith("1970")
    again = read(f"{web}/{path}", "orgs", state={"orgs": {"bundles": found.bundles}})
    assert (again.rows, again.modes) == ([], ["skipped"])


def test_a_file_that_a_web_server_does_not_have_is_one_line_without_the_signature(web):
    found = read(f"{web}/none.zip?signature=hush", "orgs")
    assert found.error == f"csv_path: nothing lies there ({web}/none.zip); check the path"


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("/data/a b/*.zip", "/data/a b/*.zip"),
        ("/data/a?.zip", "/data/a?.zip"),
        ("/data/who@home#1.zip", "/data/who@home#1.zip"),
        ("s3://drop/night?/*.zip", "s3://drop/night?/*.zip"),
        ("sftp://school:hush@files.example:2222/drop/b.zip", "sftp://files.example:2222/drop/b.zip"),
        ("sftp://school:hu/sh@files.example/b.zip", "sftp://files.example/b.zip"),
        ("sftp://school:hu@sh@files.example/b.zip", "sftp://files.example/b.zip"),
        ("sftp://files.example/drop/who@home.zip", "sftp://files.example/drop/who@home.zip"),
        ("https://u:hush@h.example/b.zip?sig=hush#hush", "https://h.example/b.zip"),
        ("https://h.example/b.zip?hush", "https://h.example/b.zip"),
        ("simplecache::https://u:hush@h.example/b.zip?sig=hush", "simplecache::https://h.example/b.zip"),
        ("abfs://drop/b.zip?sv=1&sig=hush", "abfs://drop/b.zip"),
    ],
)
def test_a_path_is_shown_and_a_secret_in_it_is_not(url, seen):
    from tap_oneroster._core.stores.addresses import shown

    assert shown(url) == seen


def test_a_receipt_of_a_source_that_could_not_be_opened_names_no_signature():
    run = run_tap({"mode": "csv", "csv_path": "http://127.0.0.1:9/none.zip?signature=hush"})
    assert {receipt["source"] for receipt in run.receipts.values()} == {"none.zip"}
    assert "hush" not in run.error


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://example.org/b.zip", {}),
        ("ftp://example.org/b.zip", {}),
        ("s3://drop/b.zip", {"endpoint_url": "http://example.org"}),
        ("s3://drop/b.zip", {"client_kwargs": {"endpoint_url": "HTTP://example.org:9000"}}),
        ("simplecache::http://127.0.0.1.example.org/b.zip", {}),
    ],
    ids=["http", "ftp", "endpoint", "nested", "chained"],
)
def test_rosters_do_not_travel_in_the_clear(url, options):
    assert "use https:// or sftp://" in read(url, "orgs", csv_storage_options=options).error


def test_a_store_whose_package_is_missing_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sshfs", None)
    assert "install tap-oneroster[sftp]" in read("sftp://h/b.zip", "orgs").error
    # fsspec remembers the classes it has met.
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "gs", raising=False)
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    assert "install tap-oneroster[gcs]" in read("gs://h/b.zip", "orgs").error


def test_an_unknown_kind_of_store_is_one_line():
    assert read("floppy://a/b.zip", "orgs").error.startswith("csv_path: the store cannot be opened")
