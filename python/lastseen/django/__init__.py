"""Who is online, and when was everyone last seen, for a Django site.

`INSTALLED_APPS += ["lastseen.django"]`, `MIDDLEWARE += ["lastseen.django.LastActivityMiddleware"]` behind
`AuthenticationMiddleware`, and `manage.py migrate`. The middleware's touch is a matter of memory; a thread behind the
requests writes the table `UserActivity` in batches and reads what the site's other processes have written.
"""

from lastseen.django.middleware import LastActivityMiddleware
from lastseen.django.online import get_online_users, is_online, online_count
from lastseen.django.site import tracker

__all__ = ["LastActivityMiddleware", "get_online_users", "is_online", "online_count", "tracker"]
