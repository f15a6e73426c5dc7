"""What COMSOL and MPh say when something fails, in one line and by kind."""

from __future__ import annotations

import re

from scalebridge.errors import InputError

_LONGEST = 400
_JAVA = re.compile(r"^(?:[\w$]+\.)+[\w$]*(?:Exception|Error):?\s*")
_LICENCE = re.compile(r"licen[cs]e", re.IGNORECASE)
_UNCONVERGED = re.compile(
    r"converge|failed to find a solution|newton iterations|singular matrix|returned solution is not", re.IGNORECASE
)
_LOST = re.compile(r"not connected|connection\b.*\b(?:lost|closed|refused|reset)|broken pipe", re.IGNORECASE)
_NOT_INSTALLED = re.compile(r"could not (?:find|locate) .*comsol installation", re.IGNORECASE)


def reason(error: BaseException) -> str:
    """What an exception of the Java side says, in one line, with its kind in front."""
    words = _words(str(error)) or type(error).__name__
    if _LICENCE.search(words):
        return f"COMSOL has no licence for it: {words}"
    if _UNCONVERGED.search(words):
        return f"it did not converge: {words}"
    return words


def is_lost(error: BaseException) -> bool:
    """Whether the server is gone, so that a new one must be started."""
    return bool(_LOST.search(str(error)))


def refused_start(error: BaseException) -> InputError | None:
    """The sentence of a COMSOL that is not there; None of one that failed to start."""
    if not _NOT_INSTALLED.search(str(error)):
        return None
    return InputError(
        "COMSOL is not found on this machine (MPh asks the registry, the PATH and the usual folders); install it with "
        "its licence, or put the folder of 'comsol' on the PATH."
    )


def _words(text: str) -> str:
    kept: list[str] = []
    for line in text.splitlines():
        line = _JAVA.sub("", line.strip()).strip()
        if line and line not in ("Exception:", "Messages:", "Stack trace:", *kept) and not line.startswith("at "):
            kept.append(line)
    joined = " | ".join(kept)
    return joined if len(joined) <= _LONGEST else f"{joined[:_LONGEST]}..."
