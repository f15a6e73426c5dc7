"""Versions of data: what changed between two, and a folder that keeps them by their digests."""
