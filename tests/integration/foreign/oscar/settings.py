"""django-oscar as its documentation sets it up: every app of it, and nothing else."""

import os

from oscar.defaults import *  # noqa: F403 - its documentation asks for exactly this

SECRET_KEY = "for tests only"
_SHOP = "analytics checkout address shipping catalogue communication partner basket payment offer"
_SHOP += " order customer search voucher wishlists dashboard"
_DASHBOARD = "users orders catalogue offers partners pages ranges reviews vouchers communications"
_DASHBOARD += " shipping"


def _config(path, name):
    return f"oscar.apps.{path}.apps.{name}Config"


INSTALLED_APPS = [
    *(f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "sessions")),
    *(f"django.contrib.{name}" for name in ("messages", "sites", "flatpages")),
    "oscar.config.Shop",
    *(_config(name, name.title()) for name in _SHOP.split()),
    _config("catalogue.reviews", "CatalogueReviews"),
    _config("dashboard.reports", "ReportsDashboard"),
    *(_config(f"dashboard.{name}", f"{name.title()}Dashboard") for name in _DASHBOARD.split()),
    *("widget_tweaks", "haystack", "treebeard", "sorl.thumbnail", "django_tables2"),
]
SITE_ID = 1
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["DATABASE_HOST"],
        "NAME": os.environ["DATABASE_NAME"],
        "USER": "postgres",
    }
}
