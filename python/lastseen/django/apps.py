"""The app, under the label `lastseen`."""

from django.apps import AppConfig


class LastSeenConfig(AppConfig):
    name = "lastseen.django"
    label = "lastseen"
    verbose_name = "Last seen"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from lastseen.django import checks, signals

        checks.register()
        signals.connect()
