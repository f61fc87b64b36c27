"""What a request reports, and what it costs."""

import asyncio
import logging
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.test.utils import CaptureQueriesContext
from django.utils.functional import SimpleLazyObject

from lastseen import ManualClock, Tracker
from lastseen.django import LastActivityMiddleware, get_online_users, is_online, online_count
from lastseen.django import tracker as site_tracker
from lastseen.django.sessions import sessions
from tests.django.conftest import signed_in

People = dict[str, Any]


def test_a_page_shows_its_own_visitor_by_name(people: People) -> None:
    page = signed_in(people["ada"]).get("/").content.decode()
    assert "1 user is online." in page
    assert "ada" in page


def test_who_is_online_and_how_many(people: People, clock: ManualClock) -> None:
    for name in ("ada", "bob", "eve"):
        signed_in(people[name]).get("/who/")
        clock.advance(1)
    assert [user.username for user in get_online_users(2)] == ["eve", "bob"]
    assert (online_count(), is_online(people["ada"]), is_online(people["ada"].pk)) == (3, True, True)
    clock.advance(15 * 60 - 2)
    assert (online_count(), is_online(people["ada"])) == (2, False)
    assert [user.username for user in get_online_users(5, 3600)] == ["eve", "bob", "ada"]
    assert not is_online(None)
    assert not is_online(AnonymousUser())


def test_a_guest_is_nobody_and_costs_no_query(people: People) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert b"0 users are online." in Client().get("/").content
    assert len(queries) == 0


@pytest.mark.parametrize("path", ["/media/logo", "/sign.png", "/async/x.js?v=1", "/media/?next=/who/"])
def test_rule_10_pictures_do_not_count(people: People, path: str) -> None:
    client = signed_in(people["ada"])
    with CaptureQueriesContext(connection) as queries:
        client.get(path)
    assert online_count() == 0
    assert len(queries) == 0


def test_rule_10_settings_add_to_the_root_url_module(people: People, clock: ManualClock) -> None:
    with override_settings(LASTSEEN={"CLOCK": clock, "SKIP": ["^who/"]}):
        client = signed_in(people["ada"])
        client.get("/who/")
        client.get("/media/x")
        assert online_count() == 0
        client.get("/?next=who/")
        assert online_count() == 1


def test_a_session_is_loaded_once_and_then_remembered(people: People) -> None:
    client = signed_in(people["ada"])
    with CaptureQueriesContext(connection) as first:
        client.get("/")
    with CaptureQueriesContext(connection) as second:
        client.get("/")
    # The session, and the user.
    assert (len(first), len(second)) == (2, 0)
    assert site_tracker().status().touches == 2


def test_a_user_whom_the_view_loads_is_not_loaded_twice(people: People) -> None:
    client = signed_in(people["ada"])
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/who/").content == b"ada"
        assert len(queries) == 2


def test_a_session_that_nobody_is_signed_in_to_is_remembered_too(people: People) -> None:
    client = Client()
    session = client.session
    session["basket"] = 1
    session.save()
    client.get("/")
    with CaptureQueriesContext(connection) as queries:
        client.get("/")
    assert len(queries) == 0
    assert online_count() == 0


def test_sessions_are_let_go_of_after_two_turns(tracker: Tracker) -> None:
    sessions.learn("cookie", "1")
    sessions.turn()
    assert sessions.get("cookie") == "1"
    sessions.turn()
    assert sessions.get("cookie") is None


def test_signing_in_counts_and_signing_out_means_offline(people: People, clock: ManualClock) -> None:
    client = Client()
    client.get("/sign-in/?name=ada", REMOTE_ADDR="203.0.113.7")
    [ada] = get_online_users(5)
    assert ada.useractivity.last_activity_ip == "203.0.113.7"
    clock.advance(1)
    client.get("/sign-out/")
    assert online_count() == 0
    client.get("/")
    assert online_count() == 0
    client.get("/sign-in/?name=bob")
    assert [user.username for user in get_online_users(5)] == ["bob"]


def test_under_asgi_it_is_the_same(people: People) -> None:
    cookies = signed_in(people["ada"]).cookies

    async def visit() -> list[str]:
        client = AsyncClient()
        client.cookies = cookies
        return [(await client.get("/async/")).content.decode() for _ in range(2)]

    assert asyncio.run(visit()) == ["1", "1"]
    assert [user.username for user in get_online_users(5)] == ["ada"]


def test_under_asgi_a_known_session_hops_to_no_thread(people: People) -> None:
    client = signed_in(people["ada"])
    client.get("/")
    request = RequestFactory().get("/")
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}

    async def view(request: Any) -> Any:
        return "page"

    def load() -> Any:
        raise AssertionError("the user is not needed")

    request.user = SimpleLazyObject(load)
    before = site_tracker().status().touches
    coroutine = LastActivityMiddleware(view)(request)
    # It ends without ever waiting for anything.
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)  # type: ignore[union-attr]
    assert ended.value.value == "page"
    assert site_tracker().status().touches == before + 1


@pytest.mark.parametrize(
    ("settings", "meta", "expected"),
    [
        ({}, {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.7"}, "10.0.0.1"),
        ({}, {"REMOTE_ADDR": ""}, None),
        ({"TRUSTED_PROXIES": ["10.0.0.0/8"]}, {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "1.1.1.1, 203.0.113.7"},
         "203.0.113.7"),
        ({"TRUSTED_PROXIES": ["unix"]}, {"REMOTE_ADDR": "", "HTTP_X_FORWARDED_FOR": "2001:db8::1"}, "2001:db8::1"),
        ({"TRUSTED_PROXIES": ["10.0.0.1"], "PROXY_HEADER": "X-Real-IP"},
         {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_REAL_IP": "203.0.113.7", "HTTP_X_FORWARDED_FOR": "1.1.1.1"}, "203.0.113.7"),
        ({"ADDRESSES": "mask"}, {"REMOTE_ADDR": "203.0.113.7"}, "203.0.113.0"),
        ({"ADDRESSES": "drop"}, {"REMOTE_ADDR": "203.0.113.7"}, None),
    ],
)  # fmt: skip
def test_rule_11_addresses(
    people: People, clock: ManualClock, settings: dict[str, Any], meta: dict[str, str], expected: str | None
) -> None:
    with override_settings(LASTSEEN={"CLOCK": clock, **settings}):
        signed_in(people["ada"]).get("/", **meta)
        [ada] = get_online_users(5)
        assert ada.useractivity.last_activity_ip == expected


def test_a_proxy_that_nobody_has_named_is_explained_once(people: People, caplog: pytest.LogCaptureFixture) -> None:
    client = signed_in(people["ada"])
    with caplog.at_level(logging.WARNING, "lastseen"):
        for _ in range(2):
            client.get("/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="203.0.113.7")
    [message] = [record.getMessage() for record in caplog.records]
    assert "10.0.0.1" in message
    assert "TRUSTED_PROXIES" in message


def test_without_authentication_the_middleware_says_what_is_missing(tracker: Tracker) -> None:
    middleware = LastActivityMiddleware(lambda request: "page")
    with pytest.raises(ImproperlyConfigured, match="AuthenticationMiddleware"):
        middleware(RequestFactory().get("/"))


def test_what_can_not_be_recorded_breaks_no_page(people: People, caplog: pytest.LogCaptureFixture) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="nonsense")
    request.user = get_user_model()(pk=people["ada"].pk, username="ada")
    assert LastActivityMiddleware(lambda request: "page")(request) == "page"
    assert "nonsense" in caplog.text


def test_rule_7_who_can_not_be_loaded_breaks_no_page_and_is_not_waited_for_again(
    tracker: Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    asked = 0

    def load() -> Any:
        nonlocal asked
        asked += 1
        raise OperationalError("no route to the database")

    middleware = LastActivityMiddleware(lambda request: "page")
    for _ in range(3):
        request = RequestFactory().get("/")
        request.COOKIES["sessionid"] = "unknown"
        request.user = SimpleLazyObject(load)
        assert middleware(request) == "page"
    assert asked == 1
    assert "no route to the database" in caplog.text
