"""The settings. What is lastseen's is marked."""

import os
from pathlib import Path

HERE = Path(__file__).parent.parent

DEBUG = True
SECRET_KEY = "an example has no secrets"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "web.urls"
USE_TZ = True
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
STATIC_URL = "/static/"
# The same look as the example in Rust.
STATICFILES_DIRS = [HERE.parent / "bookmarks" / "static"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "bookmarks",
    "lastseen.django",  # lastseen
]

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "lastseen.django.LastActivityMiddleware",  # lastseen
    "django.contrib.messages.middleware.MessageMiddleware",
]

# lastseen: all of it may be left out.
LASTSEEN = {"WINDOW": 15 * 60}

TEMPLATES = [
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

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("BOOKMARKS_DATABASE", HERE / "bookmarks.sqlite3"),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode = WAL",
        },
    }
}
