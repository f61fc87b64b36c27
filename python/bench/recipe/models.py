"""The recipe's table: one row a user, written with every request."""

from django.conf import settings
from django.db import models


class Activity(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    last_activity_date = models.DateTimeField()
    last_activity_ip = models.GenericIPAddressField(null=True)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.last_activity_date}"  # type: ignore[attr-defined]
