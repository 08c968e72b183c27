"""Flower, started without the rest of Celery's command."""
