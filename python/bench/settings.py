"""The site that both are measured on; the environment says on which database."""

import os
from typing import Any

SECRET_KEY = "only for measuring"
USE_TZ = True
ROOT_URLCONF = "bench.settings"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "lastseen.django",
    "bench.recipe",
]
MIDDLEWARE: list[str] = []
LASTSEEN: dict[str, Any] = {"SKIP": [r"^static/", r"\.(png|css|js)$"]}

if os.environ.get("BENCH_POSTGRES"):
    DATABASE: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "site",
        "USER": "postgres",
        "HOST": "127.0.0.1",
        "PORT": os.environ["BENCH_POSTGRES"],
        "CONN_MAX_AGE": None,
    }
else:
    DATABASE = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": f"{os.environ.get('BENCH_PLACE', '/nonexistent')}/site.sqlite3",
        # As a site would set it: without the log ahead every write takes several times as long.
        "OPTIONS": {"init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL", "timeout": 60},
    }
DATABASES = {"default": DATABASE}

urlpatterns: list[Any] = []
