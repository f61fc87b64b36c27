"""A small Django site for the tests. The environment says on which database, with which users, by which clock."""

import json
import os
from typing import Any

PLACE = os.environ.get("LASTSEEN_TEST_PLACE", "/nonexistent")
POSTGRES_PORT = os.environ.get("LASTSEEN_TEST_POSTGRES", "")
MARIADB_PORT = os.environ.get("LASTSEEN_TEST_MARIADB", "")
UUID_USERS = os.environ.get("LASTSEEN_TEST_USERS") == "uuid"

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
ROOT_URLCONF = "tests.site.urls"
USE_TZ = os.environ.get("LASTSEEN_TEST_NAIVE") is None
TIME_ZONE = "America/New_York"
STATIC_URL = "static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "lastseen.django",
]
if UUID_USERS:
    INSTALLED_APPS.append("tests.site.people")
    AUTH_USER_MODEL = "people.Person"

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "lastseen.django.LastActivityMiddleware",
]

if os.environ.get("LASTSEEN_TEST_CLOCK"):
    MIDDLEWARE.insert(0, "tests.site.clock.middleware")

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

if POSTGRES_PORT:
    DATABASE: dict[str, Any] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ.get("LASTSEEN_TEST_DATABASE", "site"),
        "USER": "postgres",
        "HOST": "127.0.0.1",
        "PORT": POSTGRES_PORT,
        "OPTIONS": {"connect_timeout": 5},
    }
elif MARIADB_PORT:
    DATABASE = {
        "ENGINE": "django.db.backends.mysql",
        "NAME": os.environ.get("LASTSEEN_TEST_DATABASE", "site"),
        "USER": "root",
        "HOST": "127.0.0.1",
        "PORT": MARIADB_PORT,
        "OPTIONS": {"connect_timeout": 5, "charset": "utf8mb4"},
    }
else:
    DATABASE = {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{PLACE}/site.sqlite3", "OPTIONS": {"timeout": 20}}
DATABASES = {
    "default": DATABASE,
    "elsewhere": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{PLACE}/elsewhere.sqlite3"},
}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

LASTSEEN: dict[str, Any] = json.loads(os.environ.get("LASTSEEN_TEST_SETTINGS", "{}"))
