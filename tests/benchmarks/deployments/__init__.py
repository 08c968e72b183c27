"""Deployments of unequal speed under the calls of two workers."""
