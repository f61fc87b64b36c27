"""Bookmarks, and what people say of them."""

from django.conf import settings
from django.db import models


class Bookmark(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    title = models.CharField(max_length=200)
    url = models.URLField()

    def __str__(self):
        return self.title


class Comment(models.Model):
    bookmark = models.ForeignKey(Bookmark, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    text = models.TextField(max_length=2000)
    written = models.DateTimeField(auto_now_add=True)

    def __str__(self):
        return self.text[:40]
