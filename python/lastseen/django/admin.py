"""Last activities in the admin: a list of their own, and a column and a filter for the site's users."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from lastseen.django.models import UserActivity
from lastseen.django.online import is_online

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = object


class OnlineFilter(admin.SimpleListFilter):
    """Users, or activities, that are online or not, by the stored dates."""

    title = _("online")
    parameter_name = "online"

    def lookups(self, request: Any, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Yes")), ("no", _("No"))]

    def queryset(self, request: Any, queryset: Any) -> Any:
        online = UserActivity.objects.online().order_by().values("pk")
        if self.value() == "yes":
            return queryset.filter(pk__in=online)
        if self.value() == "no":
            return queryset.exclude(pk__in=online)
        return queryset


class LastActivityMixin(Base):
    """For the admin of the site's users: `list_display = (..., "last_activity", "online")`, `list_filter =
    (..., OnlineFilter)`."""

    def get_queryset(self, request: Any) -> Any:
        return super().get_queryset(request).select_related("useractivity")

    @admin.display(description=_("last activity"), ordering="useractivity__last_activity_date")
    def last_activity(self, user: Any) -> Any:
        activity = getattr(user, "useractivity", None)
        return activity and activity.last_activity_date

    @admin.display(description=_("online"), boolean=True)
    def online(self, user: Any) -> bool:
        return is_online(user)


@admin.register(UserActivity)
class UserActivityAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who was there when. Nobody writes it by hand."""

    list_display = ("user", "last_activity_date", "last_activity_ip", "online")
    list_filter = (OnlineFilter,)
    list_select_related = ("user",)
    ordering = ("-last_activity_date",)
    show_full_result_count = False

    @admin.display(description=_("online"), boolean=True)
    def online(self, activity: UserActivity) -> bool:
        return is_online(activity.pk)

    def has_add_permission(self, request: Any) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False
