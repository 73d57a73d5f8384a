"""The provider: a service that follows the standard, which is what the tap is first tried against."""

from __future__ import annotations

import re
import subprocess
import sys
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from oneroster_sample._core.model import FILES, VIEWS, Version, file, scope_uri
from oneroster_sample.district import District
from oneroster_sample.provider import Knobs, Provider

from .client import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

DISTRICT = District(schools=2, students_per_school=40)


@pytest.fixture(scope="module", params=list(Version), ids=lambda version: version.value)
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    with Provider(DISTRICT, version=request.param) as provider:
        yield provider


@pytest.fixture(scope="module")
def v1_2() -> Iterator[Provider]:
    with Provider(DISTRICT) as provider:
        yield provider


@pytest.fixture
def client(provider: Provider) -> Iterator[Client]:
    with Client(provider) as client:
        yield client


def where(name: str, version: Version) -> str:
    """The place of a collection, as the client wants it."""
    its = file(name)
    assert its.collection
    return f"{its.service.value}:{its.collection.path[1:]}" if version == Version.V1_2 else its.collection.path[1:]


def read(client: Client, path: str, wrapper: str, limit: int = 50) -> list[dict[str, Any]]:
    """All records of a collection, page by page, until an empty one."""
    records: list[dict[str, Any]] = []
    while page := client.get(path, limit=limit, offset=len(records)).json[wrapper]:
        records += page
    return records


def test_every_collection_is_served_whole(client: Client) -> None:
    """Pages add up to the district's rows, each once; collections that the version lacks are unknown."""
    version = client.provider.version
    for its in FILES:
        if its.collection is None:
            continue
        path = where(its.name, version)
        if not its.exists_in(version):
            assert client.get(path).status == 404
            continue
        ids = [record["sourcedId"] for record in read(client, path, its.collection.wrapper, 200)]
        assert ids == [row["sourcedId"] for row in DISTRICT.rows(its.name, version)]


def test_views_repeat_rows_of_their_parents(client: Client) -> None:
    """Schools are orgs, students are users: same records, same wrapper."""
    for view in VIEWS:
        records = read(client, view.name, view.collection.wrapper, 200)
        parents = {record["sourcedId"]: record for record in read(client, view.parent, view.collection.wrapper, 200)}
        assert 0 < len(records) < len(parents)
        assert all(parents[record["sourcedId"]] == record for record in records)
    students = {row["userSourcedId"] for row in DISTRICT.rows("roles") if row["role"] == "student"}
    assert {record["sourcedId"] for record in read(client, "students", "users", 200)} == students


def test_a_single_record_is_found_by_its_encoded_id(client: Client) -> None:
    """Ids with a slash are percent-encoded; every href leads to the record it names."""
    enrollment = client.get("enrollments", limit=1).json["enrollments"][0]
    assert "/" in enrollment["sourcedId"]
    href = enrollment["class"]["href"]
    assert client.follow(href).json["class"]["sourcedId"] == enrollment["class"]["sourcedId"]
    path = "enrollments/" + enrollment["sourcedId"].replace("/", "%2F")
    assert client.get(path).json == {"enrollment": enrollment}
    assert client.get("schools/D-001").status == 404, "a district is not among the schools"
    assert client.get("orgs/D-001").status == 200
    assert client.get("orgs/nobody").status == 404


def test_records_have_the_form_of_rest(v1_2: Provider) -> None:
    """References with href and type, true and false as text, nested roles, profiles, objectives and metadata."""
    with Client(v1_2) as client:
        teacher = client.get("users/Tch.00001-001").json["user"]
        assert teacher["enabledUser"] in ("true", "false")
        assert [role["org"]["sourcedId"] for role in teacher["roles"]] == ["00001", "00002"]
        assert teacher["roles"][0]["userProfile"] == teacher["userProfiles"][0]["profileId"]
        assert [len(profile["credentials"]) for profile in teacher["userProfiles"]] == [2, 1]
        assert teacher["resources"][0]["type"] == "resource"
        assert "role" not in teacher
        org = client.get("orgs/00001").json["org"]
        assert org["metadata"]["address"] == {"city": "Birchwater"}
        assert org["parent"]["href"].endswith("/ims/oneroster/rostering/v1p2/orgs/D-001")
        item = client.get("gradebook:lineItems", limit=1).json["lineItems"][0]
        assert re.fullmatch(r"2026-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", item["assignDate"])
        sources = item["learningObjectiveSet"]
        assert [len(its["learningObjectiveIds"]) for its in sources] == [2, 1]
        assert not sources[0]["learningObjectiveIds"][0].startswith("urn:")


def test_1_1_has_its_own_form() -> None:
    """Role and orgs in the user, gradingPeriod in the line item, the narrower words for references."""
    with Provider(DISTRICT, version="1.1") as provider, Client(provider) as client:
        teacher = client.get("users/Tch.00001-001").json["user"]
        assert teacher["role"] == "teacher"
        assert [org["sourcedId"] for org in teacher["orgs"]] == ["00001", "00002"]
        assert "roles" not in teacher
        item = client.get("lineItems", limit=1).json["lineItems"][0]
        assert item["gradingPeriod"]["type"] == "gradingPeriod"
        assert "academicSession" not in item
        assert client.get("results", limit=1).json["results"][0]["student"]["type"] == "student"


def test_a_filter_filters(client: Client) -> None:
    """One clause or two with AND or OR; equal, not equal, order, contains; over lists and nested values."""
    users = read(client, "users", "users", 200)

    def filtered(text: str) -> list[str]:
        return client.ids("users", limit=5000, filter=text)

    day = "2026-09-01T00:00:00.000Z"
    late = [user["sourcedId"] for user in users if user["dateLastModified"] >= day]
    assert 0 < len(late) < len(users)
    assert filtered(f"dateLastModified>='{day}'") == late
    assert filtered("dateLastModified>='2026-09-01T02:00:00+02:00'") == late, "another way to write the moment"
    assert filtered("sourcedId='Tch.00001-001'") == ["Tch.00001-001"]
    assert len(filtered("sourcedId!='Tch.00001-001'")) == len(users) - 1
    assert filtered("sourcedId='Tch.00001-001' OR sourcedId='Tch.00001-002'") == ["Tch.00001-001", "Tch.00001-002"]
    assert filtered("sourcedId~'Tch' AND sourcedId~'-001'") == ["Tch.00001-001", "Tch.00002-001"]
    assert filtered("grades='05'") == [user["sourcedId"] for user in users if user.get("grades") == ["05"]]
    assert filtered("userIds.type~'LDAP'") == [user["sourcedId"] for user in users if len(user.get("userIds", ())) == 2]
    assert filtered("status='tobedeleted'") == []


def test_an_unknown_or_unreadable_filter_is_refused(client: Client) -> None:
    """400 with the version's error body, and no data."""
    for text in ("colour='red'", "status=active", "status='active' XOR status='active'", "a='1' AND b='2' AND c='3'"):
        reply = client.get("users", filter=text)
        assert reply.status == 400
        if client.provider.version == Version.V1_1:
            (info,) = reply.json["statusInfoSet"]
            assert (info["imsx_codeMajor"], info["imsx_codeMinor"]) == ("failure", "invalid_filter_field")
        else:
            (code,) = reply.json["imsx_CodeMinor"]["imsx_codeMinorField"]
            assert code["imsx_codeMinorFieldValue"] == "invalid_filter_field"


def test_a_sort_sorts(client: Client) -> None:
    """By code point, both ways; without one the order is the service's own."""
    ids = client.ids("enrollments", limit=5000)
    assert ids != sorted(ids)
    assert client.ids("enrollments", limit=5000, sort="sourcedId", orderBy="asc") == sorted(ids)
    assert client.ids("enrollments", limit=5000, sort="sourcedId", orderBy="desc") == sorted(ids, reverse=True)
    reply = client.get("enrollments", sort="colour", limit=5)
    assert [record["sourcedId"] for record in reply.json["enrollments"]] == ids[:5]
    assert ("statusInfoSet" in reply.json) == (client.provider.version == Version.V1_1)


def test_fields_choose(client: Client) -> None:
    """Only what is asked for comes back; a blank choice is refused, an unknown field is what the version makes of it."""
    records = client.get("orgs", fields="sourcedId,name").json["orgs"]
    assert {frozenset(record) for record in records} == {frozenset({"sourcedId", "name"})}
    assert set(client.get("orgs/D-001", fields="name").json["org"]) == {"name"}
    assert client.get("orgs", fields="").status == 400
    reply = client.get("orgs", fields="colour")
    if client.provider.version == Version.V1_1:
        assert reply.json["statusInfoSet"][0]["imsx_codeMinor"] == "invalid_selection_field"
        assert "name" in reply.json["orgs"][0]
    else:
        assert reply.status == 400


def test_pages_have_a_total_and_links(client: Client) -> None:
    """Links lead from the first page to the last and keep filter and sort; 100 records are a page by default."""
    assert len(client.ids("enrollments")) == 100
    query = {"filter": "role='teacher'", "sort": "sourcedId", "orderBy": "asc"}
    reply = client.get("enrollments", limit=40, **query)
    ids = [record["sourcedId"] for record in reply.json["enrollments"]]
    total = int(reply.headers["X-Total-Count"])
    while link := re.search(r'<([^>]+)>; rel="next"', reply.headers["Link"]):
        reply = client.follow(link[1])
        ids += [record["sourcedId"] for record in reply.json["enrollments"]]
    assert 'rel="prev"' in reply.headers["Link"]
    assert ids == client.ids("enrollments", limit=5000, **query)
    assert len(ids) == total
    beyond = client.get("enrollments", offset=10**9)
    assert (beyond.status, beyond.json) == (200, {"enrollments": []})


@pytest.mark.parametrize("query", [{"limit": "many"}, {"limit": "0"}, {"offset": "-1"}])
def test_an_impossible_page_is_refused(client: Client, query: dict[str, str]) -> None:
    """Limit counts from 1, offset from 0."""
    assert client.get("orgs", **query).status == 400


def test_a_token_is_needed(v1_2: Provider) -> None:
    """No token, a wrong one, an unknown client, a wrong secret: 401; the secret may come in header or body."""
    with Client(v1_2) as client:
        assert client.get("orgs").status == 200
        assert client.get("orgs", {"Authorization": "Bearer nonsense"}).status == 401
        assert client.get("orgs", {"Authorization": ""}).status == 401
        for in_body in (True, False):
            reply = client.ask_token(secret="wrong", in_body=in_body)
            assert (reply.status, reply.json) == (401, {"error": "invalid_client"})
            assert client.ask_token(in_body=in_body).status == 200
        reply = client.send("POST", v1_2.token_url, "grant_type=password", {})
        assert reply.json == {"error": "unsupported_grant_type"}
        v1_2.tokens.forget()
        assert client.get("orgs").status == 401


def test_a_secret_may_hold_any_sign() -> None:
    """Signs that have a meaning in headers, forms and URLs are signs of the secret like others."""
    with Provider(DISTRICT, client_secret="a+b/c=d:e%20f&") as provider, Client(provider) as client:
        assert client.ask_token().status == client.ask_token(in_body=True).status == 200


def test_a_scope_is_needed(client: Client) -> None:
    """A token opens what it was asked for; a service grants no more than it has."""
    version = client.provider.version
    scope = scope_uri("roster-core.readonly", version)
    with Client(client.provider, f"{scope} https://example.org/unknown") as narrow:
        assert narrow.get("orgs").status == 200
        reply = narrow.get("demographics")
        assert reply.status == 403
        assert "forbidden" in reply.body.decode()
    reply = client.ask_token("https://example.org/unknown")
    assert (reply.status, reply.json) == (400, {"error": "invalid_scope"})


def test_a_client_has_the_scopes_it_was_given() -> None:
    """The account may be narrower than the version: asked or not, it gets no more."""
    with Provider(DISTRICT, scopes=["roster.readonly"]) as provider, Client(provider) as client:
        assert provider.scopes == (scope_uri("roster.readonly", Version.V1_2),)
        assert client.get("users").status == 200
        assert client.get("gradebook:results").status == 403


def test_the_service_of_a_collection_matters(v1_2: Provider) -> None:
    """In 1.2 every service has a base path of its own."""
    with Client(v1_2) as client:
        assert client.get("rostering:results").status == 404
        assert client.get("gradebook:results", limit=1).status == 200


def test_answers_are_compressed_for_who_asks(client: Client) -> None:
    """Gzip changes the wire, not the data; connections are kept."""
    plain, packed = client.get("users"), client.get("users", {"Accept-Encoding": "gzip, deflate"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(plain.body) / 3
    assert packed.body == plain.body


def test_nothing_is_written(client: Client) -> None:
    """It is a provider to read from."""
    headers = {"Authorization": f"Bearer {client.token}"}
    url = f"{client.provider.base_url}/ims/oneroster/v1p1/results/1"
    assert client.send("PUT", url, "{}", headers).status == 405
    assert client.send("DELETE", url, None, headers).status == 405


def test_requests_are_remembered_without_secrets() -> None:
    """Method, path, query, headers and status of each request; neither the secret nor a token."""
    with Provider(DISTRICT) as provider, Client(provider) as client:
        client.ask_token(in_body=True)
        client.get("users", {"User-Agent": "somebody"}, limit=3, filter="status='active'")
        client.get("nothing")
        token, body, users, nothing = provider.requests
        assert (token.method, token.path, token.status) == ("POST", "/token", 200)
        assert body.form == {"grant_type": "client_credentials", "client_id": "sample-client"}
        assert users.query == {"limit": "3", "filter": "status='active'"}
        assert users.headers["User-Agent"] == "somebody"
        assert (users.collection, nothing.collection, nothing.status) == ("users", None, 404)
        assert provider.asked_for("users") == [users]
        assert provider.client_secret not in repr(provider.requests)
        assert str(client.token) not in repr(provider.requests)


def test_another_day_can_be_served() -> None:
    """Between two nights the district changes: new rows, tobedeleted ones, and some that are just gone."""
    with Provider(DISTRICT) as provider, Client(provider) as client:
        before = set(client.ids("enrollments", limit=5000))
        provider.use(DISTRICT.changed())
        after = set(client.ids("enrollments", limit=5000))
        assert after - before
        assert before - after
        assert client.ids("enrollments", limit=5000, filter="status='tobedeleted'")
        changed = client.ids("users", limit=5000, filter="dateLastModified>='2026-11-21'")
        assert changed == [row["sourcedId"] for row in DISTRICT.changed().changes("users")]


def test_the_credential_sheet_says_what_is_needed(provider: Provider) -> None:
    """Addresses, client, secret and scopes, as a vendor would send them."""
    sheet = provider.credential_sheet
    for part in (provider.base_url, provider.token_url, provider.client_id, provider.client_secret, *provider.scopes):
        assert part in sheet


def test_the_command_serves_and_prints_the_sheet() -> None:
    """`serve` runs until it is stopped, and says first what a client needs."""
    command = [sys.executable, "-m", "oneroster_sample", "serve", "--port", "0", "--version", "1.1", "--page-cap", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert "OneRoster 1.1 provider" in process.stdout.readline()
            address = urlsplit(process.stdout.readline().split()[-1])
            connection = HTTPConnection(address.netloc, timeout=240)
            connection.request("GET", "/ims/oneroster/v1p1/orgs")
            assert connection.getresponse().status == 401
            connection.close()
        finally:
            process.terminate()


def test_it_listens_on_this_machine_only_and_stops() -> None:
    """The address is loopback; after the block nobody answers, and open connections are closed."""
    with Provider(DISTRICT, knobs=Knobs()) as provider:
        client = Client(provider)
        host, port = provider.base_url.removeprefix("http://").split(":")
        assert host == "127.0.0.1"
    with pytest.raises(OSError):  # noqa: PT011
        client.get("orgs")
    client.connection.close()
    with pytest.raises(OSError):  # noqa: PT011
        HTTPConnection(host, int(port), timeout=1).connect()
