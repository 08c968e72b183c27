"""Verbs that become a process of the stack."""
