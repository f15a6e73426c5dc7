"""Readers of file formats, each of which refuses what it cannot trust."""
