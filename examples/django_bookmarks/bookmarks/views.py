"""Pages and pictures. None of them knows of lastseen: the corner is a line in the base template."""

from django.contrib.auth.views import redirect_to_login
from django.forms import modelform_factory
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from bookmarks.models import Bookmark, Comment

BookmarkForm = modelform_factory(Bookmark, fields=["title", "url"])


def index(request):
    form = BookmarkForm(request.POST or None)
    if request.method == "POST" and not request.user.is_authenticated:
        return redirect_to_login(request.path)
    if form.is_valid():
        form.instance.user = request.user
        return redirect(f"/bookmarks/{form.save().pk}/")
    newest = Bookmark.objects.select_related("user").order_by("-pk")[:50]
    return render(request, "bookmarks/index.html", {"bookmarks": newest, "form": form})


def bookmark(request, number):
    found = get_object_or_404(Bookmark.objects.select_related("user"), pk=number)
    text = request.POST.get("text", "").strip()
    if request.method == "POST" and not request.user.is_authenticated:
        return redirect_to_login(request.path)
    if text:
        Comment.objects.create(bookmark=found, user=request.user, text=text)
        return redirect(request.path)
    comments = found.comment_set.select_related("user").order_by("pk")
    return render(request, "bookmarks/bookmark.html", {"bookmark": found, "comments": comments})


def picture(request, number):
    """A square of a colour of its own: a picture as every page has many of."""
    hue = number * 47 % 360
    square = f'<rect width="16" height="16" rx="4" fill="hsl({hue} 60% 50%)"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" width="16" height="16">{square}</svg>'
    return HttpResponse(svg, content_type="image/svg+xml")
