"""The recipe's middleware: whose request it is, whether it counts, and a write."""

import re
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from bench.recipe.models import Activity

SKIPPED = [re.compile(expression) for expression in (r"^static/", r"\.(png|css|js)$")]


class RecipeMiddleware:
    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        if request.user.is_authenticated and not any(skip.search(request.path[1:]) for skip in SKIPPED):
            try:
                activity = request.user.activity
            except Activity.DoesNotExist:
                activity = Activity(user=request.user)
            activity.last_activity_date = timezone.now()
            activity.last_activity_ip = request.META["REMOTE_ADDR"]
            activity.save()
        return self.get_response(request)
