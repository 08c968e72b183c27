"""Forebay on one bare machine: real servers as child processes, one folder of files."""
