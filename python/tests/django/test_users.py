"""Users as the site has them: the queryset, accounts switched off and deleted, templates, admin, command."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.template import engines
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from lastseen import ManualClock, Tracker
from lastseen.django import get_online_users, is_online, online_count
from lastseen.django import tracker as site_tracker
from lastseen.django.keys import known, now, stored
from lastseen.django.models import Flush, UserActivity
from tests.django.conftest import START
from tests.patience import eventually

People = dict[str, Any]


@pytest.fixture
def online(tracker: Tracker, people: People, clock: ManualClock) -> People:
    """All three are, eve since the latest."""
    for name in ("ada", "bob", "eve"):
        tracker.touch(people[name].pk, "203.0.113.7")
        clock.advance(1)
    return people


def names(users: Any) -> list[str]:
    return [user.get_username() for user in users]


def test_the_queryset_keeps_the_order_however_it_is_used(online: People) -> None:
    users = get_online_users(50)
    assert names(users) == ["eve", "bob", "ada"]
    assert names(users[:2]) == ["eve", "bob"]
    assert users[1].username == "bob"
    assert names(users.exclude(username="bob")) == ["eve", "ada"]
    assert list(users.values_list("username", flat=True)) == ["eve", "bob", "ada"]
    assert names(users.order_by("username")) == ["ada", "bob", "eve"]
    assert users.count() == 3
    assert users.filter(username="nobody").first() is None


def test_the_users_come_by_one_query_with_their_exact_activity(online: People, clock: ManualClock) -> None:
    with CaptureQueriesContext(connection) as queries:
        seen = [(user.username, user.useractivity.last_activity_date, user.useractivity.last_activity_ip)
                for user in get_online_users(1)]  # fmt: skip
    assert len(queries) == 1
    [(name, date, ip)] = seen
    assert (name, ip) == ("eve", "203.0.113.7")
    assert (known(date) - START).total_seconds() == 2  # type: ignore[operator]


def test_nobody_online_is_no_query(tracker: Tracker) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert list(get_online_users(50)) == []
        assert list(get_online_users(0)) == []
    assert len(queries) == 0


def test_an_account_switched_off_is_not_listed(online: People) -> None:
    online["eve"].is_active = False
    online["eve"].save()
    assert names(get_online_users(50)) == ["bob", "ada"]
    assert (online_count(), is_online(online["eve"])) == (2, False)


def test_an_account_switched_off_elsewhere_is_not_listed_either(online: People, clock: ManualClock) -> None:
    get_user_model().objects.filter(username="eve").update(is_active=False)
    assert names(get_online_users(50)) == ["bob", "ada"]
    eventually(lambda: clock.advance(20) or online_count() == 2)


def test_a_deleted_account_is_gone_from_everywhere(online: People, clock: ManualClock, tracker: Tracker) -> None:
    key = online["eve"].pk
    tracker.flush()
    online["eve"].delete()
    assert names(get_online_users(50)) == ["bob", "ada"]
    assert UserActivity.objects.count() == 2
    eventually(lambda: clock.advance(0.6) or online_count() == 2)
    tracker.flush()
    assert not is_online(key)
    assert UserActivity.objects.count() == 2


def test_the_template_tags(online: People) -> None:
    text = (
        "{% load lastseen %}{% online_count as count %}{{ count }}"
        "{% online_users 2 as users %}{% for user in users %} {{ user.username }}{% endfor %}"
        " {{ ada|is_online }} {{ nobody|is_online }}"
    )
    page = engines["django"].from_string(text).render({"ada": online["ada"], "nobody": None})
    assert page == "3 eve bob True False"


def test_the_corner_needs_no_query_and_escapes_names(tracker: Tracker, clock: ManualClock, people: People) -> None:
    people["ada"].username = "<b>Ada"
    people["ada"].save()
    tracker.touch(people["ada"].pk)
    tracker.resolve_profiles()
    with CaptureQueriesContext(connection) as queries:
        page = engines["django"].from_string("{% load lastseen %}{% online_corner %}").render()
    assert "1 user is online." in page
    assert "&lt;b&gt;Ada" in page
    assert ">just now</time>" in page
    assert len(queries) == 0
    clock.advance(125)
    page = engines["django"].from_string("{% load lastseen %}{% online_corner %}").render()
    assert ">2\N{NO-BREAK SPACE}minutes ago</time>" in page


def test_the_table_answers_too(tracker: Tracker, people: People) -> None:
    for name, minutes in (("ada", 1), ("bob", 16)):
        UserActivity.objects.create(user=people[name], last_activity_date=ago(minutes))
    UserActivity.objects.create(user=people["eve"], last_activity_date=ago(2), left_at=ago(1))
    assert [activity.user.username for activity in UserActivity.objects.online()] == ["ada"]
    assert [activity.user.username for activity in UserActivity.objects.online(3600)] == ["ada", "bob"]


def ago(minutes: float) -> Any:
    return stored(now() - timedelta(minutes=minutes))


def test_processes_may_share_another_store_and_the_table_is_written_all_the_same(
    people: People, clock: ManualClock, tmp_path: Path
) -> None:
    store = f"sqlite:{tmp_path}/shared.db"
    with override_settings(LASTSEEN={"CLOCK": clock, "STORE": store}), Tracker(store, clock=clock) as elsewhere:
        elsewhere.touch(people["bob"].pk)
        elsewhere.flush()
        Client().get("/sign-in/?name=ada")
        site_tracker().flush()
        assert UserActivity.objects.filter(user__username="ada").exists()
        assert Flush.objects.count() == 0
        eventually(lambda: clock.advance(0.6) or (online_count(), elsewhere.count()) == (2, 2))
        people["bob"].delete()
        assert online_count() == 1


def test_a_site_s_own_tests_may_keep_it_off_the_database(people: People) -> None:
    with override_settings(LASTSEEN={"STORE": "memory:"}):
        client = Client()
        client.get("/sign-in/?name=ada")
        with CaptureQueriesContext(connection) as queries:
            client.get("/")
            assert online_count() == 1
        people["bob"].delete()
    # The session and the user.
    assert len(queries) == 2
    assert (UserActivity.objects.count(), Flush.objects.count()) == (0, 0)


def test_the_admin_lists_and_filters(database: None) -> None:
    with override_settings(LASTSEEN={}):
        boss = get_user_model().objects.create_superuser("boss", "boss@example.com", "secret")
        gone = get_user_model().objects.create_user("gone")
        UserActivity.objects.create(user=gone, last_activity_date=ago(90))
        client = Client()
        client.force_login(boss)
        client.get("/who/")
        site_tracker().flush()
        listed = client.get("/admin/lastseen/useractivity/").content.decode()
        assert "boss" in listed
        assert "gone" in listed
        online = client.get("/admin/lastseen/useractivity/?online=yes").content.decode()
        assert ">boss<" in online
        assert ">gone<" not in online
        offline = client.get("/admin/lastseen/useractivity/?online=no").content.decode()
        assert ">gone<" in offline
        assert client.get("/admin/lastseen/useractivity/add/").status_code == 403


def test_the_mixin_adds_columns_to_the_users_own_admin(online: People, tracker: Tracker) -> None:
    from django.contrib.admin import site
    from django.contrib.auth.admin import UserAdmin
    from django.test import RequestFactory

    from lastseen.django.admin import LastActivityMixin

    class Admin(LastActivityMixin, UserAdmin):  # type: ignore[type-arg]
        list_display = ("username", "last_activity", "online")

    tracker.flush()
    admin = Admin(get_user_model(), site)
    [ada] = admin.get_queryset(RequestFactory().get("/")).filter(username="ada")
    with CaptureQueriesContext(connection) as queries:
        assert known(admin.last_activity(ada)) == START
        assert admin.online(ada)
    assert len(queries) == 0


def test_the_command(online: People) -> None:
    def run(*arguments: str) -> str:
        out = StringIO()
        call_command("online", *arguments, stdout=out)
        return out.getvalue()

    lines = run().splitlines()
    assert [line.split()[-1] for line in lines] == ["eve", "bob", "ada", "online"]
    assert lines[-1] == "3 online"
    answer = json.loads(run("--json", "--limit", "1"))
    assert (answer["count"], answer["users"][0]["name"], answer["users"][0]["last_activity_date"]) == (
        3,
        "eve",
        "2026-11-24T01:00:02+00:00",
    )
    with pytest.raises(CommandError, match="reaches further back"):
        run("--window", "99999")
    with pytest.raises(CommandError, match="--limit is -1"):
        run("--limit", "-1")
