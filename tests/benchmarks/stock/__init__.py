"""The stock way: FastAPI, `limits` and Celery, written as most people would write them."""
