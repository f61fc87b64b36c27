"""The site's pages."""

from django.contrib import admin
from django.urls import path, re_path

from tests.site import views

skip_last_activity_date = [r"^media/", r"\.(png|css|js)$"]

urlpatterns = [
    path("", views.home),
    path("async/", views.async_home),
    path("who/", views.who),
    path("json/", views.as_json),
    path("sign-in/", views.sign_in),
    path("sign-out/", views.sign_out),
    path("admin/", admin.site.urls),
    re_path(r"^media/.*$", views.picture),
]
