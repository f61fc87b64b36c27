"""What `manage.py check` has to say of the settings."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from lastseen._native import StoreError, Tracker
from lastseen.django import conf as site_conf


def register() -> None:
    checks.register(check_middleware, "lastseen")
    checks.register(check_settings, "lastseen")
    checks.register(check_proxies, "lastseen")
    checks.register(check_store, "lastseen", deploy=True)


def places(base: type) -> list[int]:
    """Where in MIDDLEWARE there is this class or one made of it."""
    found = []
    for place, path in enumerate(settings.MIDDLEWARE):
        try:
            entry = import_string(path)
        except ImportError:
            continue
        if isinstance(entry, type) and issubclass(entry, base):
            found.append(place)
    return found


def check_middleware(app_configs: Any, **_: Any) -> Iterable[checks.CheckMessage]:
    from django.contrib.auth.middleware import AuthenticationMiddleware

    from lastseen.django.middleware import LastActivityMiddleware

    ours, authentication = places(LastActivityMiddleware), places(AuthenticationMiddleware)
    if not ours:
        return [
            checks.Warning(
                "MIDDLEWARE has no 'lastseen.django.LastActivityMiddleware': nobody is recorded.",
                hint="Add it behind 'django.contrib.auth.middleware.AuthenticationMiddleware'.",
                id="lastseen.W001",
            )
        ]
    if not authentication:
        return [
            checks.Error(
                "'lastseen.django.LastActivityMiddleware' can't tell who is who without "
                "'django.contrib.auth.middleware.AuthenticationMiddleware'.",
                hint="Add that to MIDDLEWARE, before it.",
                id="lastseen.E001",
            )
        ]
    if ours[0] < authentication[0]:
        return [
            checks.Error(
                "'lastseen.django.LastActivityMiddleware' stands before "
                "'django.contrib.auth.middleware.AuthenticationMiddleware', which tells it who is who.",
                hint="Move it behind that in MIDDLEWARE.",
                id="lastseen.E002",
            )
        ]
    return []


def check_settings(app_configs: Any, **_: Any) -> Iterable[checks.CheckMessage]:
    from lastseen.django.site import make

    found = []
    try:
        conf = site_conf.load()
    except ImproperlyConfigured as error:
        return [checks.Error(str(error), id="lastseen.E003")]
    for check in (make, site_conf.skip_expressions, site_conf.client_ip):
        try:
            check(conf)
        except ImproperlyConfigured as error:
            found.append(checks.Error(str(error), id="lastseen.E003"))
    return found


def check_proxies(app_configs: Any, **_: Any) -> Iterable[checks.CheckMessage]:
    try:
        conf = site_conf.load()
    except ImproperlyConfigured:
        return []
    if any(str(network).endswith("/0") for network in conf.trusted_proxies):
        return [
            checks.Warning(
                "LASTSEEN['TRUSTED_PROXIES'] trusts every address: whoever connects can claim any address.",
                hint="Name the networks of your own proxies alone.",
                id="lastseen.W002",
            )
        ]
    behind = settings.SECURE_PROXY_SSL_HEADER or settings.USE_X_FORWARDED_HOST or settings.USE_X_FORWARDED_PORT
    if behind and not conf.trusted_proxies and conf.addresses != "drop":
        return [
            checks.Warning(
                "The site is behind a proxy, by SECURE_PROXY_SSL_HEADER or USE_X_FORWARDED_HOST, but "
                "LASTSEEN['TRUSTED_PROXIES'] is empty: all users will seem to have the proxy's address.",
                hint="Name the proxy's network, such as '10.0.0.0/8', or 'unix' for one on a Unix socket.",
                id="lastseen.W003",
            )
        ]
    return []


def check_store(app_configs: Any, **_: Any) -> Iterable[checks.CheckMessage]:
    """Whether the store that a URL names can be used, for which it is asked: so by `check --deploy` alone."""
    try:
        conf = site_conf.load()
        if conf.store is None:
            return []
        with Tracker(conf.store) as tracker:
            # Whoever that is: memory doesn't know, and so the store is asked.
            tracker.last_seen(0, timeout=10)
    except (ImproperlyConfigured, ValueError):
        # `check_settings` says so.
        return []
    except StoreError as error:
        return [
            checks.Error(
                f"LASTSEEN['STORE'] can't be used: {error}.",
                hint="Pages go on without it, but processes don't learn of each other, and what they have to write waits.",
                id="lastseen.E004",
            )
        ]
    return []
