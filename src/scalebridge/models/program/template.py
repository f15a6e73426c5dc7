"""The files that an attempt starts from: texts with placeholders, files that are copied, files that are linked."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from scalebridge.errors import InputError
from scalebridge.models.program.placeholders import Parts, Placeholder, parsed, placeholders

# A file above this is data, not a text that someone has put placeholders into.
_TEXT_BYTES = 64 << 20
Write = Callable[[Parts], str]
# Size and time of each file, in the order of their names.
Stamp = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class TemplateFile:
    """One file, or empty folder, of the working folder.

    Args:
        name: its path in the working folder, which may hold placeholders.
        text: what it is made of; ``None`` where it is copied or linked.
        source: where it is copied from; ``None`` for a text given as such, or an empty folder.
        linked: a link to the source in place of a copy.
        digest: of its content.
        stamp: sizes and times of the source when it was read.
    """

    name: Parts
    text: Parts | None = None
    source: Path | None = None
    linked: bool = False
    digest: str = ""
    stamp: Stamp = ()

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells the file that it becomes from others: its name, how it is made, its content and its mode."""
        kind = "linked" if self.linked else "rendered" if placeholders(self.text or ()) else "copied"
        executable = self.source is not None and os.access(self.source, os.X_OK)
        return repr(self.name), kind, self.digest, "executable" if executable else ""

    @property
    def placeholders(self) -> list[Placeholder]:
        """Those of its name and of its text."""
        return [*placeholders(self.name), *placeholders(self.text or ())]

    @property
    def label(self) -> str:
        """Its name with the placeholders as they stand."""
        return "".join(p if isinstance(p, str) else f"{{{{ {p.name} }}}}" for p in self.name)

    def make(self, folder: Path, write: Write) -> None:
        """Write, copy or link it into a working folder.

        Raises:
            InputError: a name that leads out of the folder, a source that has changed or gone.
            OSError: the disk does not take it.
        """
        target = folder / _inside(write(self.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        if self.source is not None:
            self._check_source(self.source)
        if self.text is not None:
            target.write_bytes(write(self.text).encode("utf-8", "surrogateescape"))
        elif self.source is None:
            target.mkdir(exist_ok=True)
        elif self.linked:
            target.symlink_to(self.source)
        else:
            shutil.copy2(self.source, target)
        if self.source is not None and not self.linked:
            # Of an archive that is kept read-only the program may write its own copy.
            target.chmod(stat.S_IMODE(self.source.stat().st_mode) | stat.S_IWUSR)

    def has_changed(self) -> bool:
        """Whether what a link leads to is no longer what it was."""
        return self.linked and self.source is not None and _stamp(self.source) != self.stamp

    def _check_source(self, source: Path) -> None:
        if not source.exists():
            raise InputError(f"The template file '{source}' is gone; bring it back and make the model anew.")
        if _stamp(source) != self.stamp:
            raise InputError(f"The template file '{source}' has changed since the model was made; make the model anew.")


def template_files(template: Any, files: Any, links: Any, verbatim: Sequence[str]) -> tuple[TemplateFile, ...]:
    """Return the files of a template, in the order of their names.

    Args:
        template: a file, a folder, or a mapping from a name to a text (str) or a file (Path); ``None`` for none.
        files: files and folders that are copied as they are: a list, or a mapping from a name to a path.
        links: the same, linked.
        verbatim: patterns such as ``"*.c"`` of template files that hold no placeholders.

    Raises:
        InputError: a file that is missing, a name that stands twice or leads out of the folder.
    """
    found = [
        *_rendered(template, verbatim),
        *(f for name, path in _named(files, "files") for f in _copied(name, path, ("*",))),
        *(_linked(name, path) for name, path in _named(links, "links")),
    ]
    named: dict[str, TemplateFile] = {}
    for file in found:
        if file.label in named:
            raise InputError(f"Two files of the template are called '{file.label}'; give each a name of its own.")
        named[_inside(file.label)] = file
    return tuple(named[name] for name in sorted(named))


def _rendered(template: Any, verbatim: Sequence[str]) -> Iterator[TemplateFile]:
    if template is None:
        return
    if isinstance(template, Mapping):
        for name, content in template.items():
            if isinstance(content, Path):
                yield from _copied(str(name), _existing(content, "template"), verbatim)
            else:
                yield _given(str(name), str(content), verbatim)
    else:
        path = _existing(template, "template")
        yield from _copied("" if path.is_dir() else path.name, path, verbatim)


def _given(name: str, content: str, verbatim: Sequence[str]) -> TemplateFile:
    where = f"The template '{name}'"
    text: Parts = (content,) if _is_verbatim(name, verbatim) else parsed(content, where, lines=True)
    return TemplateFile(_name(name), text, digest=hashlib.sha256(content.encode()).hexdigest())


def _copied(name: str, path: Path, verbatim: Sequence[str]) -> Iterator[TemplateFile]:
    """The file ``path`` as ``name``; of a folder every file below it, links followed."""
    if not path.is_dir():
        yield _file(name, path, verbatim)
        return
    for below, inner in _below(path):
        there = str(PurePosixPath(name, below))
        if not inner.is_dir():
            yield _file(there, inner, verbatim)
        elif there != ".":
            yield TemplateFile(_name(there), digest="folder")


def _below(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[tuple[str, Path]]:
    """Files and empty folders below a folder, by name; a link to a folder that it stands in is left out."""
    here = folder.resolve()
    if here in above:
        return
    try:
        inner = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"The folder '{folder}' cannot be read ({error.strerror}).") from error
    if not inner:
        yield ".", folder
    for path in inner:
        if path.is_dir():
            yield from ((str(PurePosixPath(path.name, name)), found) for name, found in _below(path, above | {here}))
        else:
            yield path.name, path


def _file(name: str, path: Path, verbatim: Sequence[str]) -> TemplateFile:
    path = path.absolute()
    if not path.is_file():
        raise InputError(f"The template file '{path}' is missing, or a link that leads nowhere; bring it or remove it.")
    digest, stamp = _digest(path), _stamp(path)
    text = None
    if not _is_verbatim(name, verbatim) and path.stat().st_size <= _TEXT_BYTES:
        content = path.read_bytes()
        if b"{{" in content and b"\0" not in content:
            found = parsed(content.decode("utf-8", "surrogateescape"), f"'{path}'", lines=True)
            text = found if placeholders(found) else None
    return TemplateFile(_name(name), text, path, False, digest, stamp)


def _linked(name: str, path: Path) -> TemplateFile:
    digest = hashlib.sha256()
    for below, file in _files(path):
        digest.update(f"{below}\0{_digest(file)}\0".encode())
    return TemplateFile((name,), None, path, True, digest.hexdigest(), _stamp(path))


def _named(given: Any, what: str) -> Iterable[tuple[str, Path]]:
    if not given:
        return []
    if isinstance(given, str | Path):
        raise InputError(f"{what} = {str(given)!r} is one text; give a list of paths, or a mapping from name to path.")
    pairs = given.items() if isinstance(given, Mapping) else ((Path(p).name, p) for p in given)
    return [(str(name), _existing(path, what).absolute()) for name, path in pairs]


def _existing(path: Any, what: str) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise InputError(
            f"{what} = {path!r} is no path; give a file, a folder, or a mapping from name to text or path."
        )
    if not Path(path).exists():
        raise InputError(f"{what}: there is no file or folder '{path}' (looked for in '{Path.cwd()}').")
    return Path(path)


def _name(name: str) -> Parts:
    return parsed(name, f"The file name '{name}'")


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or name in ("", ".") or "\0" in name:
        raise InputError(f"The file name '{name}' leads out of the working folder; give a name below it.")
    return name


def _is_verbatim(name: str, verbatim: Sequence[str]) -> bool:
    return any(fnmatch(name, pattern) or fnmatch(PurePosixPath(name).name, pattern) for pattern in verbatim)


def _files(path: Path) -> list[tuple[str, Path]]:
    """The file itself, or the files below a folder."""
    return [(name, file) for name, file in _below(path) if file.is_file()] if path.is_dir() else [("", path)]


def _stamp(path: Path) -> Stamp:
    about = [file.stat() for _, file in _files(path) if file.exists()]
    return tuple((a.st_size, a.st_mtime_ns) for a in about)


def _digest(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"The template file '{path}' cannot be read ({error.strerror}).") from error
