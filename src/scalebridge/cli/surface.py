"""What an error looks like on the command line: one sentence and an exit code."""

from __future__ import annotations

from scalebridge.errors import ScaleBridgeError

DONE, NOT_CONVERGED, BAD_INPUT, INFRASTRUCTURE, INTERRUPTED = 0, 1, 2, 3, 130


def exit_code(error: BaseException) -> int | None:
    """Return the exit code of an error; ``None`` for a fault of ours, which keeps its traceback."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else DONE
    if isinstance(error, ScaleBridgeError):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "Abort":
        return INTERRUPTED
    # Typer brings its own copy of click, or not, by version: its usage errors are told by what they can do.
    if hasattr(error, "format_message"):
        return BAD_INPUT
    if isinstance(error, OSError):
        return INFRASTRUCTURE
    return None


def say(error: BaseException) -> str:
    """Return an error as one sentence; empty where there is nothing to say."""
    if isinstance(error, (SystemExit, KeyboardInterrupt)) or type(error).__name__ == "Abort":
        return ""
    if hasattr(error, "format_message"):
        text = str(error.format_message()).strip()
        return f"{text} See 'scalebridge --help'." if text else ""
    if isinstance(error, OSError) and not isinstance(error, ScaleBridgeError):
        place = f" '{error.filename}'" if error.filename else ""
        return f"the system refused{place}: {error.strerror or error}."
    return " ".join(str(error).split())
