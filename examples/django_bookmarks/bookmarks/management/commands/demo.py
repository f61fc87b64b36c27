"""Nine accounts whose password is their name, the last one switched off, and a bookmark of each."""

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand

from bookmarks.models import Bookmark

BOOKMARKS = [
    ("The On-Line Encyclopedia of Integer Sequences", "https://oeis.org/"),
    ("Maps that anyone may improve", "https://www.openstreetmap.org/"),
    ("Birdsong, recorded everywhere", "https://xeno-canto.org/"),
    ("Books out of copyright", "https://www.gutenberg.org/"),
    ("Night trains across Europe", "https://www.seat61.com/"),
    ("Chess for everybody, free", "https://lichess.org/"),
    ("One file, all of SQL", "https://www.sqlite.org/"),
    ("A language that keeps its promises", "https://www.rust-lang.org/"),
    ("The framework for perfectionists", "https://www.djangoproject.com/"),
]


class Command(BaseCommand):
    help = "Fills an empty database."

    def handle(self, *args, **options):
        users = get_user_model().objects
        if users.exists():
            return
        for number, (title, url) in enumerate(BOOKMARKS, 1):
            name = f"demo{number}"
            staff = number == 1
            user = users.create_user(
                name,
                password=name,
                is_active=number < 9,
                is_staff=staff,
                is_superuser=staff,
            )
            Bookmark.objects.create(user=user, title=title, url=url)
