"""Views that need the user, and views that don't."""

import os
from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines

from lastseen.django import get_online_users, online_count, tracker

CORNER = "{% load lastseen %}{% online_corner 10 %}"


def home(request: HttpRequest) -> HttpResponse:
    """Needs no user, but the corner."""
    page = engines["django"].from_string(CORNER).render({}, request)
    return HttpResponse(page, headers={"X-Worker": str(os.getpid())})


async def async_home(request: HttpRequest) -> HttpResponse:
    """The same without a thread."""
    return HttpResponse(str(online_count()))


def who(request: HttpRequest) -> HttpResponse:
    """Needs the user."""
    return HttpResponse(request.user.get_username())


def as_json(request: HttpRequest) -> HttpResponse:
    """What this process knows."""
    answer: dict[str, Any] = {"pid": os.getpid(), "count": online_count(), "ready": tracker().status().ready}
    answer["memory"] = [user.name for user in tracker().online(50)]
    if "fetch" in request.GET:
        answer["users"] = [user.get_username() for user in get_online_users(50)]
    return JsonResponse(answer)


def sign_in(request: HttpRequest) -> HttpResponse:
    user = authenticate(request, username=request.GET["name"], password="secret")
    if user is None:
        return HttpResponse(status=403)
    login(request, user)
    return HttpResponse("welcome")


def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse("goodbye")


def picture(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"", content_type="image/png")
