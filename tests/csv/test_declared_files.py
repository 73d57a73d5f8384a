"""A file that a manifest declares is part of the bundle: without it the stream fails, and nothing is remembered as read."""

from __future__ import annotations

import pytest

from tests.csv.bundles import ORGS, csv_text, manifest, read, write
from tests.singer import run_tap

USERS = csv_text("sourcedId,status,dateLastModified,username,role,orgSourcedIds", "u1,,,ann,student,s1")


def settings(path, **more):
    return {"mode": "csv", "csv_path": str(path), "settle_seconds": 0, **more}


@pytest.mark.parametrize("mode", ["bulk", "delta", "Bulk", "full"])
@pytest.mark.parametrize("form", ["b.zip", "folder"])
def test_a_declared_file_that_is_missing_fails_its_stream_and_no_other(tmp_path, form, mode):
    path = write(tmp_path / form, {"orgs.csv": ORGS}, {"orgs": "bulk", "users": mode})
    found = read(path, "users")
    assert found.error == (
        f"{form}: users.csv is declared by the manifest and missing; ask for the whole bundle, or set"
        " missing_collections to accept"
    )
    assert (found.rows, found.bundles, found.last.complete) == ([], [], False)
    assert found.odd["manifest: declares the file, but it is not there"] == 1
    assert read(path, "orgs").error is None


def test_the_word_of_the_settings_makes_it_absent(tmp_path):
    path = write(tmp_path / "b.zip", {"orgs.csv": ORGS}, {"orgs": "bulk", "users": "bulk"})
    found = read(path, "users", missing_collections="accept")
    assert (found.modes, found.rows, found.error, found.last.complete) == (["absent"], [], None, True)
    assert found.odd == {"manifest: declares the file, but it is not there": 1}


@pytest.mark.parametrize("name", ["Users", "USERS", "user", "users.csv", " users", "users "])
def test_however_the_manifest_spells_the_file(tmp_path, name):
    text = manifest({"orgs": "bulk"}).replace("file.users,absent", f"file.{name},bulk")
    path = write(tmp_path / "b", {"orgs.csv": ORGS, "manifest.csv": text})
    assert "users.csv is declared by the manifest and missing" in read(path, "users").error


def test_a_declared_delta_under_another_spelling_is_a_delta(tmp_path):
    text = manifest({}).replace("file.orgs,absent", "file.Orgs.csv,delta")
    found = read(write(tmp_path / "b", {"orgs.csv": ORGS, "manifest.csv": text}), "orgs", accept_orphan_delta=True)
    assert (found.modes, found.last.snapshot) == (["delta"], False)


def test_a_manifest_that_declares_one_file_twice_is_refused(tmp_path):
    text = manifest({"orgs": "bulk"}) + "file.Orgs,delta\r\n"
    found = read(write(tmp_path / "b", {"orgs.csv": ORGS, "manifest.csv": text}), "orgs")
    assert "manifest.csv says two things about orgs.csv" in found.error


@pytest.mark.parametrize("stream", ["roles", "students"])
def test_what_is_made_of_the_missing_file_fails_with_it(tmp_path, stream):
    path = write(tmp_path / "b", {"orgs.csv": ORGS}, {"orgs": "bulk", "users": "bulk"})
    assert "users.csv is declared by the manifest and missing" in read(path, stream).error


def test_a_missing_roles_file_is_not_made_up_from_users(tmp_path):
    path = write(tmp_path / "b", {"orgs.csv": ORGS, "users.csv": USERS}, {"users": "bulk", "roles": "bulk"}, "1.2")
    assert "roles.csv is declared by the manifest and missing" in read(path, "roles").error
    assert read(path, "users").error is None


def test_a_later_whole_bundle_heals_it(tmp_path):
    """What lies before the newest bulk does not matter any more."""
    day = 86_400
    write(tmp_path / "a.zip", {"orgs.csv": ORGS}, {"orgs": "bulk", "users": "bulk"}, at=1_788_000_000)
    write(tmp_path / "b.zip", {"orgs.csv": ORGS, "users.csv": USERS}, at=1_788_000_000 + day)
    found = read(tmp_path / "*.zip", "users")
    assert (found.error, found.ids) == (None, ["u1"])


def test_an_older_whole_bundle_is_delivered_and_the_stream_fails(tmp_path):
    day = 86_400
    write(tmp_path / "a.zip", {"orgs.csv": ORGS, "users.csv": USERS}, at=1_788_000_000)
    write(tmp_path / "b.zip", {"orgs.csv": ORGS}, {"orgs": "bulk", "users": "delta"}, at=1_788_000_000 + day)
    found = read(tmp_path / "*.zip", "users")
    assert found.error.startswith("b.zip: users.csv is declared by the manifest and missing")
    assert (found.ids, found.modes) == (["u1"], ["bulk", "absent"])


def test_the_second_night_fails_like_the_first(tmp_path):
    """Neither the state nor a receipt says that people were read; whoever accepts it has no people."""
    path = write(tmp_path / "b.zip", {"orgs.csv": ORGS}, {"orgs": "bulk", "users": "bulk"})
    state = None
    for _ in range(2):
        run = run_tap(settings(path), state=state)
        assert "b.zip: users.csv is declared by the manifest and missing" in run.error
        assert [run.receipts[name]["complete"] for name in ("users", "roles", "orgs")] == [False, False, True]
        assert not run.state["bookmarks"]["users"].get("bundles")
        state = run.state
    accepted = run_tap(settings(path, missing_collections="accept"), state=state)
    assert accepted.error is None
    assert (accepted.receipts["users"]["mode"], accepted.receipts["users"]["complete"]) == ("absent", True)


def test_the_csv_target_does_not_publish_without_the_file(tmp_path):
    import io

    from target_oneroster.bundle.target import TargetOneRosterCSV
    from target_oneroster.errors import TargetError

    path = write(tmp_path / "b.zip", {"orgs.csv": ORGS}, {"orgs": "bulk", "users": "bulk"})
    run = run_tap(settings(path))
    target = TargetOneRosterCSV(config={"output_path": str(tmp_path / "out.zip"), "require_receipts": True})
    import msgspec

    lines = b"".join(msgspec.json.encode(message) + b"\n" for message in run.messages)
    with pytest.raises(TargetError, match="the read did not reach its end"):
        target.listen(io.BytesIO(lines))  # type: ignore[arg-type]
    assert not (tmp_path / "out.zip").exists()
