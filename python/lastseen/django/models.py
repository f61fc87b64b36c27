"""What is kept of each user, and what the site's processes tell one another."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lastseen.django import conf


class UserActivityQuerySet(models.QuerySet["UserActivity"]):
    """Activities as the database has them."""

    def online(self, window: conf.Span | None = None) -> "UserActivityQuerySet":
        """Those of users who were active within the window and haven't signed out, newest first.

        Stored dates of users who stay are up to a granularity old; `lastseen.django.get_online_users` is exact.
        """
        window = conf.load().window if window is None else window
        since = timezone.now() - (window if isinstance(window, timedelta) else timedelta(seconds=window))
        still_in = Q(left_at=None) | Q(left_at__lt=F("last_activity_date"))
        online: UserActivityQuerySet
        online = self.filter(still_in, last_activity_date__gte=since).order_by("-last_activity_date")
        return online


class UserActivity(models.Model):
    """When and from where a user was last active. It is written behind the requests, and never turned back."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, verbose_name=_("user")
    )
    # No index: it would make each of the many updates dearer, and lists of who is online come from memory.
    last_activity_date = models.DateTimeField(_("last activity"))
    last_activity_ip = models.GenericIPAddressField(_("from address"), null=True, blank=True, unpack_ipv4=True)
    left_at = models.DateTimeField(_("signed out"), null=True, blank=True)

    objects = UserActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("last activity")
        verbose_name_plural = _("last activities")

    if TYPE_CHECKING:
        user_id: int | str

    def __str__(self) -> str:
        return f"{self.user_id}: {self.last_activity_date}"


class Flush(models.Model):
    """What one process has written at one time, for the others to follow. It is kept for minutes; an erasure for a day."""

    at = models.DateTimeField()
    origin = models.CharField(max_length=32)
    erasure = models.BooleanField(default=False)
    # JSON: a list of [user, date, address, sign-out], dates in microseconds since 1970; of an erasure [user, date].
    records = models.TextField()

    class Meta:
        verbose_name = _("flush")
        verbose_name_plural = _("flushes")

    def __str__(self) -> str:
        return f"{self.pk} of {self.origin}"
