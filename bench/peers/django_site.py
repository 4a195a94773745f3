"""Django, with its sessions in the local-memory cache: MODE=on|off gunicorn django_site:application"""
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

on = os.environ["MODE"] == "on"
settings.configure(
    SECRET_KEY="of the bench", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"] if on else [],
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    # Else it forgets a third of what it has whenever it has 300.
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 1000000}}})
counts = 0


def login(request):
    request.session["user"] = request.GET["user"]
    request.session["cart"] = "x" * 60
    return HttpResponse("in\n")


def read(request):
    return HttpResponse((request.session["user"] if on else "user1") + "\n")


def write(request):
    global counts
    if on:
        count = request.session["count"] = request.session.get("count", 0) + 1
    else:
        count = counts = counts + 1
    return HttpResponse(f"{count}\n")


urlpatterns = [path("read", read), path("write", write)] + ([path("login", login)] if on else [])
application = get_wsgi_application()
