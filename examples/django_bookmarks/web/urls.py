"""The site's addresses."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import path

from bookmarks import views

# lastseen: requests that don't count.
skip_last_activity_date = [r"^static/", r"^pictures/"]

urlpatterns = [
    path("", views.index),
    path("bookmarks/<int:number>/", views.bookmark),
    path("pictures/<int:number>.svg", views.picture),
    path("sign-in/", LoginView.as_view()),
    path("sign-out/", LogoutView.as_view()),
    path("admin/", admin.site.urls),
    *staticfiles_urlpatterns(),
]
