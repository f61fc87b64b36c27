"""`manage.py online`: who is online."""

import json
from argparse import ArgumentParser
from datetime import timezone
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import localtime

from lastseen.django import conf as site_conf
from lastseen.django.keys import known
from lastseen.django.online import get_online_users, online_count
from lastseen.django.site import tracker


class Command(BaseCommand):
    help = "Lists who is online, newest first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, default=50, help="how many at most (50)")
        parser.add_argument("--window", type=float, metavar="MINUTES", help="how recent an activity must be")
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, limit: int, window: float | None, **options: Any) -> None:
        if limit < 0:
            raise CommandError(f"--limit is {limit}: it must not be negative")
        seconds = site_conf.load().window if window is None else window * 60
        try:
            count = online_count(seconds)
            users = list(get_online_users(limit, seconds))
        except ValueError as error:
            raise CommandError(f"--window: {error}") from error
        status = tracker().status()
        if not status.loaded:
            raise CommandError(f"the records can't be read: {status.store_error}")
        if options["json"]:
            self.stdout.write(json.dumps({"count": count, "users": [row(user) for user in users]}))
            return
        for user in users:
            seen = user.useractivity
            at = localtime(known(seen.last_activity_date))
            self.stdout.write(f"{at:%Y-%m-%d %H:%M:%S}  {seen.last_activity_ip or '-':15}  {user.get_username()}")
        self.stdout.write(f"{count} online")


def row(user: Any) -> dict[str, Any]:
    seen = user.useractivity
    return {
        "user": str(user.pk),
        "name": user.get_username(),
        "last_activity_date": known(seen.last_activity_date).astimezone(timezone.utc).isoformat(),  # type: ignore[union-attr]
        "last_activity_ip": seen.last_activity_ip,
    }
