"""The recipe's question: the newest active accounts of the last 15 minutes."""

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone


def get_online_users(num: int) -> Any:
    since = timezone.now() - timedelta(minutes=15)
    users = get_user_model().objects.filter(is_active=True, activity__last_activity_date__gte=since)
    return users.order_by("-activity__last_activity_date")[:num]
