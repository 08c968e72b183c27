"""Webhooks: tenants' endpoints, what is delivered to them, and what came of it."""
