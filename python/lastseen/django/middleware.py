"""Reports each request of a signed-in user, unless it doesn't count."""

import functools
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject, empty

from lastseen.django import conf as site_conf
from lastseen.django.sessions import NOBODY, sessions
from lastseen.django.site import tracker

logger = logging.getLogger("lastseen")

RETRY = 5
"""Seconds after which users are loaded again, once that has failed."""

wrapped = object.__getattribute__
"""Looks into a lazy object without waking it: its own way of looking takes ten times as long."""

UNKNOWN = object()
"""Stands for a user who has to be loaded to be known."""


class LastActivityMiddleware:
    """Stands behind `AuthenticationMiddleware`.

    Before the view is called, so that its page shows its own visitor:

    1. A path in which a skip expression is found doesn't count. It is searched as the URL resolver sees it, without its
       leading slash.
    2. Who it is: the user that is loaded already; else, by the session cookie, whoever it was within the last minute or two;
       else `request.user` is loaded. Without a session cookie nobody is.
    3. The user is touched, with the client's address. That is a matter of memory: no query, no waiting.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)
        self.watch = watch()

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self.acall(request)
        user = self.watch.user_of(request)
        if user is UNKNOWN:
            try:
                user = self.watch.learn(request, request.user)
            except DatabaseError as error:
                self.watch.failed(error)
                user = None
        if user:
            self.watch.touch(request, user)
        return self.get_response(request)  # type: ignore[no-any-return]

    async def acall(self, request: HttpRequest) -> HttpResponseBase:
        user = self.watch.user_of(request)
        if user is UNKNOWN:
            try:
                user = self.watch.learn(request, await request.auser())
            except DatabaseError as error:
                self.watch.failed(error)
                user = None
        if user:
            self.watch.touch(request, user)
        return await self.get_response(request)  # type: ignore[no-any-return]


class Watch:
    """What the middleware and the signals know of requests."""

    def __init__(self, conf: site_conf.Conf) -> None:
        self.skips = [pattern.search for pattern in site_conf.skip_expressions(conf)]
        self.client_ip = site_conf.client_ip(conf)
        self.forwarded = "HTTP_" + conf.proxy_header.upper().replace("-", "_")
        self.cookie = settings.SESSION_COOKIE_NAME
        self.tracker = tracker()
        self.warned = False
        self.load_from = 0.0

    def user_of(self, request: HttpRequest) -> Any:
        """The user's key, `None` for a request that doesn't count, or `UNKNOWN`."""
        path = request.path_info[1:]
        for search in self.skips:
            if search(path):
                return None
        user = getattr(request, "user", None)
        if user is None:
            raise ImproperlyConfigured(
                "lastseen.django.LastActivityMiddleware finds no request.user: MIDDLEWARE must have "
                "'django.contrib.auth.middleware.AuthenticationMiddleware' before it"
            )
        if type(user) is not SimpleLazyObject or wrapped(user, "_wrapped") is not empty:
            return user.pk if user.is_authenticated else None
        cookie = request.COOKIES.get(self.cookie)
        if not cookie:
            return None
        known = sessions.get(cookie)
        if known is None and time.monotonic() >= self.load_from:
            return UNKNOWN
        return known

    def learn(self, request: HttpRequest, user: Any) -> Any:
        """Takes in who it is."""
        cookie = request.COOKIES[self.cookie]
        if not user.is_authenticated:
            sessions.learn(cookie, NOBODY)
            return None
        sessions.learn(cookie, str(user.pk))
        self.introduce(user)
        return user.pk

    def failed(self, error: DatabaseError) -> None:
        """Whose request it is can't be loaded. A page that needs no database goes on, and so do the next ones, without
        waiting for an answer each."""
        self.load_from = time.monotonic() + RETRY
        logger.warning("lastseen: whose request it is isn't known, and isn't asked for %d s: %s", RETRY, error)

    def introduce(self, user: Any) -> None:
        """Tells the tracker the name, so that it shows no number in its place until the directory is asked."""
        try:
            self.tracker.set_profile(user.pk, user.get_username(), active=user.is_active, timeout=0.1)
        except Exception:
            logger.exception("lastseen: %r can't be introduced", user.pk)

    def touch(self, request: HttpRequest, user: Any) -> None:
        meta = request.META
        try:
            if self.client_ip is not None:
                ip = self.client_ip.of(meta.get("REMOTE_ADDR") or "", meta.get(self.forwarded))
            else:
                ip = meta.get("REMOTE_ADDR") or None
                if self.forwarded in meta and not self.warned:
                    self.warn(ip)
            self.tracker.touch(user, ip)
        except Exception:
            # No page must suffer from it.
            logger.exception("lastseen: the request of %r can't be recorded", user)

    def warn(self, peer: str | None) -> None:
        self.warned = True
        logger.warning(
            "lastseen: requests come with a forwarding header from %s, but LASTSEEN['TRUSTED_PROXIES'] is empty: if that is "
            "your proxy, add its network, else all users seem to have its address",
            peer or "a Unix socket ('unix')",
        )


@functools.cache
def watch() -> Watch:
    """This process's."""
    return Watch(site_conf.load())


def forget_settings(**_: Any) -> None:
    """Tests change settings: a middleware made from now on has them."""
    watch.cache_clear()


setting_changed.connect(forget_settings)
