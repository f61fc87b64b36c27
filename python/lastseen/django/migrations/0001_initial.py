"""The tables, tied to whatever model the site's users are."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="UserActivity",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                ("last_activity_date", models.DateTimeField(verbose_name="last activity")),
                (
                    "last_activity_ip",
                    models.GenericIPAddressField(blank=True, null=True, unpack_ipv4=True, verbose_name="from address"),
                ),
                ("left_at", models.DateTimeField(blank=True, null=True, verbose_name="signed out")),
            ],
            options={"verbose_name": "last activity", "verbose_name_plural": "last activities"},
        ),
        migrations.CreateModel(
            name="Flush",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("origin", models.CharField(max_length=32)),
                ("erasure", models.BooleanField(default=False)),
                ("records", models.TextField()),
            ],
            options={"verbose_name": "flush", "verbose_name_plural": "flushes"},
        ),
    ]
