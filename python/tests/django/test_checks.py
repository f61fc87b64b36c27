"""What `manage.py check` says of settings that can't work."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from lastseen.django import LastActivityMiddleware
from tests.lastseen_server import LastseenServer

SESSION = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
OURS = "lastseen.django.LastActivityMiddleware"


def found(deploy: bool = False, **settings: Any) -> list[tuple[str, str]]:
    with override_settings(**settings):
        messages = run_checks(tags=["lastseen"], include_deployment_checks=deploy)
        return [(message.id or "", message.msg) for message in messages]


def test_good_settings_are_no_matter() -> None:
    assert found() == []
    assert found(MIDDLEWARE=[SESSION, AUTHENTICATION, OURS], LASTSEEN={"TRUSTED_PROXIES": ["10.0.0.0/8"]}) == []


@pytest.mark.parametrize(
    ("middleware", "code"),
    [
        ([SESSION, AUTHENTICATION], "lastseen.W001"),
        ([SESSION, OURS], "lastseen.E001"),
        ([SESSION, OURS, AUTHENTICATION], "lastseen.E002"),
    ],
)
def test_the_order_of_middleware(middleware: list[str], code: str) -> None:
    [(identity, message)] = found(MIDDLEWARE=middleware)
    assert identity == code
    assert "LastActivityMiddleware" in message


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"SKIP": ["^media/", "(png"]}, "'(png'"),
        ({"SKIP": "^media/"}, "write a list"),
        ({"SKIP": [""]}, "nothing would count"),
        ({"SKIP": [7]}, "skip expression 7"),
        ({"WINDOW": 60, "GRANULARITY": 30}, "granularity is 30s and window is 60s"),
        ({"WINDOW": "soon"}, "no span of time"),
        ({"WINDOWS": 60}, "'WINDOWS'"),
        ({"STORE": "mysql://db"}, '"mysql"'),
        ({"TRUSTED_PROXIES": ["proxy.example"]}, "proxy.example"),
        ({"TRUSTED_PROXIES": "10.0.0.0/8"}, "write a list of networks"),
        ({"PROXY_HEADER": "X-Client"}, "X-Client"),
        ({"ADDRESSES": "hash"}, "hash"),
    ],
)
def test_settings_that_can_not_work_are_named(settings: dict[str, Any], named: str) -> None:
    [(identity, message)] = found(LASTSEEN=settings)
    assert identity == "lastseen.E003"
    assert named in message
    with override_settings(LASTSEEN=settings), pytest.raises(ImproperlyConfigured):
        LastActivityMiddleware(lambda request: None)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"LASTSEEN": {"TRUSTED_PROXIES": ["0.0.0.0/0"]}}, "lastseen.W002"),
        ({"SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")}, "lastseen.W003"),
        ({"USE_X_FORWARDED_HOST": True}, "lastseen.W003"),
    ],
)
def test_proxies_that_are_misconfigured_are_explained(settings: dict[str, Any], code: str) -> None:
    [(identity, message)] = found(**settings)
    assert identity == code
    assert "TRUSTED_PROXIES" in message


def test_a_store_that_can_not_be_used_is_explained_before_a_deployment() -> None:
    server = LastseenServer("admin")
    try:
        good = {"STORE": f"{server.url}?token_file={server.token_file}"}
        assert found(deploy=True, LASTSEEN=good) == []
        assert found(deploy=True) == found(LASTSEEN={"STORE": server.url}) == []
        [(identity, message)] = found(deploy=True, LASTSEEN={"STORE": server.url})
        assert identity == "lastseen.E004"
        assert server.url in message
        assert "token_file=FILE" in message
        server.stop()
        [(identity, message)] = found(deploy=True, LASTSEEN=good)
        assert identity == "lastseen.E004"
        assert f"the lastseen server at {server.url} can't be reached" in message
    finally:
        server.close()


def test_a_bad_expression_of_the_root_url_module_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.site import urls

    monkeypatch.setattr(urls, "skip_last_activity_date", ["[media"])
    [(_, message)] = found()
    assert "'[media'" in message
