"""The command line: ``scalebridge``."""

from scalebridge.cli.app import main

__all__ = ["main"]
