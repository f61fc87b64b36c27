"""The online corner, and what else a template asks."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.timesince import timesince
from django.utils.translation import gettext

from lastseen.django.online import get_online_users, is_online, online_count
from lastseen.django.site import tracker

register = template.Library()

register.simple_tag(online_count, name="online_count")
register.filter("is_online", is_online)


@register.simple_tag
def online_users(num: int = 50) -> Any:
    """`{% online_users 10 as users %}`: the users themselves, newest first, by one query."""
    return get_online_users(num)


@register.filter
def ago(at: datetime, as_of: datetime) -> str:
    """`{{ user.at|ago:as_of }}`: how long before that moment, in words."""
    if as_of - at < timedelta(minutes=1):
        return gettext("just now")
    return gettext("%(time)s ago") % {"time": timesince(at, as_of)}


@register.inclusion_tag("lastseen/corner.html")
def online_corner(num: int = 10) -> dict[str, Any]:
    """`{% online_corner 10 %}`: how many are online and the newest of them by name, from memory, without a query.

    The look is yours: override `lastseen/corner.html`. Each of `users` has `user` (the key as text), `name`, `at` and `ip`,
    and `as_of` is the moment for which it is exact.
    """
    online = tracker().online(num)
    # Who has no name yet has come in elsewhere, within the last second.
    users = [user for user in online if user.name is not None]
    return {"count": online.count, "users": users, "as_of": online.as_of}
