"""Composition: settings, URLs, Celery, ASGI. The only package that may import every other."""

from modelmyimage.celery import app as celery_app

__all__ = ["celery_app"]
