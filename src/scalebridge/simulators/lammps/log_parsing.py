"""The lines of a LAMMPS log, one after the other, into blocks of numbers and what is said around them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from scalebridge.errors import InputError
from scalebridge.simulators.lammps.printed_lines import Printing
from scalebridge.simulators.lammps.text_files import MOST_NUMBERS, check_kept, text_of
from scalebridge.simulators.lammps.thermo import KEYWORD_KINDS, kind_of
from scalebridge.simulators.lammps.unit_styles import UNIT_STYLES

MOST_WARNINGS = 1000
MOST_COLUMNS = 10_000
MOST_BLOCKS = 100_000
LONGEST_FORMULA = 200
RUNS = ("run", "minimize", "rerun", "temper", "tad", "prd", "neb", "hyper")
_MEMORY = re.compile(r"^(Per MPI rank memory|Memory usage per processor)")
_MULTI = re.compile(r"^-{2,}\s*Step\s+(-?\d+)\s*-+\s*CPU\s*=\s*(\S+)\s*\(sec(?:onds)?\)\s*-*$")
_PAIR = re.compile(r"(\S+)\s*=\s+(\S+)")
# A run that was killed may have left part of a row before.
_BEGIN = re.compile(r"^([\s\d.eE+-]*)(LAMMPS \([^()]*\))$")
_LOOP = re.compile(r"^Loop time of (\S+) on (\d+) procs?(?: .*?)? for (\d+) steps with (\d+) atoms")
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"|([^\s,\[\]]+)")


@dataclass
class ParsedBlock:
    """A block as it grows."""

    texts: tuple[str, ...]
    style: str
    command: str = ""
    numbers: array[float] = field(default_factory=lambda: array("d"))
    complete: bool = False
    reason: str = "the log ends in the middle of it: the run is still going on, or was ended from outside"
    loop_time: float | None = None
    n_steps: int | None = None
    n_atoms: int | None = None
    n_processes: int | None = None
    units: str | None = None
    timestep: float | None = None
    kinds: tuple[str | None, ...] = ()
    pending: dict[str, float] = field(default_factory=dict)
    skipped: int = 0
    cut: bool = False

    def notes(self) -> list[str]:
        """What was left out of the block, in words."""
        told = []
        if self.cut:
            told.append("The last row was cut off and left out.")
        if self.skipped:
            told.append(f"{self.skipped} lines between the rows were no rows and were left out.")
        return told


@dataclass
class ParsedLog:
    """A log as it is read; units, timestep, computes, formulas and what prints are those at the line reached."""

    blocks: list[ParsedBlock] = field(default_factory=list)
    version: str = ""
    units: str | None = None
    timestep: float | None = None
    seeds: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    error: str = ""
    wall_time: str = ""
    computes: dict[str, str] = field(default_factory=dict)
    formulas: dict[str, str] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    printing: Printing = field(default_factory=Printing)
    command: str = ""
    block: ParsedBlock | None = None
    awaits_header: bool = False
    n_numbers: int = 0


def parse_log(lines: Iterable[tuple[int, bytes]], owner: str) -> ParsedLog:
    """Read numbered lines into blocks.

    Raises:
        InputError: a row of numbers that is damaged.
    """
    log, continued = ParsedLog(), ""
    whole = True
    for number, raw in lines:
        whole = raw.endswith(b"\n")
        if whole and log.block is not None and _is_row(log.block, raw):
            log.n_numbers += len(log.block.texts)
            if log.n_numbers > MOST_NUMBERS:
                check_kept(log.n_numbers, MOST_NUMBERS, "numbers", f"{owner}, line {number},")
            continue
        text = text_of(raw)
        if log.block is None and text.endswith("&") and len(continued) < 10_000:
            continued += text[:-1] + " "
            continue
        _line(log, continued + text, f"{owner}, line {number},", whole)
        continued = ""
    if log.block is not None:
        _finish(log, owner, cut=True)
    return log


def _is_row(block: ParsedBlock, raw: bytes) -> bool:
    """Take in a plain row of numbers, which most lines of a log are; whether the line is one."""
    words = raw.split()
    if block.style != "one" or len(words) != len(block.texts):
        return False
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        return False
    block.numbers.extend(numbers)
    return True


def _line(log: ParsedLog, text: str, owner: str, whole: bool) -> None:
    if not text:
        return
    if text.startswith("WARNING"):
        if len(log.warnings) < MOST_WARNINGS:
            log.warnings.append(text)
    elif text.startswith("ERROR"):
        _error(log, text, owner)
    elif _MEMORY.match(text):
        _leave(log, "another run began before its loop time was written", owner)
        log.awaits_header = True
    elif (loop := _LOOP.match(text)) is not None:
        _close(log, loop, owner)
    elif (begin := _BEGIN.match(text)) is not None:
        _start_again(log, begin[2], owner, cut=bool(begin[1]))
    elif log.block is not None:
        _in_block(log.block, text, owner, whole)
        check_kept(len(log.block.numbers) + log.n_numbers, MOST_NUMBERS, "numbers", owner)
    elif not (whole and _begins(log, text, owner)):
        _outside(log, text)


def _begins(log: ParsedLog, text: str, owner: str) -> bool:
    """Whether the line opens a block: where one is awaited, or by its look."""
    multi = _MULTI.match(text)
    words = tuple(text.split())
    if multi is not None:
        block = ParsedBlock((), "multi")
        log.block = block
        _in_multi(block, text)
    elif text.startswith("keywords:") and text.endswith("]"):
        found = _QUOTED.findall(text.removeprefix("keywords:"))
        log.block = ParsedBlock(tuple("".join(parts) for parts in found), "yaml")
    elif text == "---" and log.awaits_header:
        return True
    elif _is_header(log, words):
        log.block = ParsedBlock(words, "one")
    else:
        return False
    if len(log.block.texts) > MOST_COLUMNS:
        raise InputError(f"{owner} has {len(log.block.texts)} columns, more than any log; it is damaged.")
    check_kept(len(log.blocks), MOST_BLOCKS, "blocks", owner)
    log.block.command = log.command
    log.blocks.append(log.block)
    log.awaits_header = False
    return True


def _is_header(log: ParsedLog, words: tuple[str, ...]) -> bool:
    if _number(words[0]) is not None:
        return False
    known = bool(log.blocks) and log.blocks[-1].texts == words
    return log.awaits_header or known or (words[0] == "Step" and any(map(_is_thermo_word, words[1:])))


def _is_thermo_word(word: str) -> bool:
    """Whether a word may stand in a header; a printed line such as "Step one: heat" has none."""
    return word in KEYWORD_KINDS or word.startswith(("c_", "f_", "v_"))


def _in_block(block: ParsedBlock, text: str, owner: str, whole: bool) -> None:
    if block.style == "multi":
        _in_multi(block, text)
        return
    words = _yaml_row(text) if block.style == "yaml" else text.split()
    if words is None:
        block.skipped += text not in ("data:", "...")
        return
    numbers = [_number(word) for word in words]
    known = [number for number in numbers if number is not None]
    if len(known) == len(words) == len(block.texts) and whole:
        block.numbers.extend(known)
    elif not whole:
        block.cut = True
    elif len(words) == len(block.texts) and 2 * len(known) > len(words):
        bad = words[numbers.index(None)]
        raise InputError(
            f"{owner} holds '{bad[:40]}' in the column '{block.texts[numbers.index(None)]}', which is no number; the "
            "row is damaged: copy the log again, or cut the row out."
        )
    else:
        block.skipped += 1


def _yaml_row(text: str) -> list[str] | None:
    if not (text.startswith("- [") and (text.endswith("]"))):
        return None
    return [word for word in text[3:-1].replace(",", " ").split() if word]


def _in_multi(block: ParsedBlock, text: str) -> None:
    head = _MULTI.match(text)
    if head is not None:
        _close_multi(block, cut=False)
        block.pending = {"Step": float(head[1]), "CPU": _number(head[2]) or 0.0}
        return
    pairs = _PAIR.findall(text)
    numbers = [_number(value) for _, value in pairs]
    if not pairs or None in numbers or len(block.pending) > MOST_COLUMNS:
        block.skipped += 1
        return
    block.pending.update({key: number for (key, _), number in zip(pairs, numbers, strict=True) if number is not None})


def _close_multi(block: ParsedBlock, cut: bool) -> None:
    """End a record of several lines: the first one says the columns; one cut off is left out."""
    if block.style != "multi" or not block.pending:
        return
    if not block.texts and not cut:
        block.texts = tuple(block.pending)
    if tuple(block.pending) == block.texts and not cut:
        block.numbers.extend(block.pending.values())
    else:
        block.cut = block.cut or cut
        block.skipped += not cut
    block.pending = {}


def _finish(log: ParsedLog, owner: str, cut: bool) -> ParsedBlock:
    """End the block that is open; the log still says what it said when the block began.

    Raises:
        InputError: rows among which printed lines may stand.
    """
    block, log.block = log.block, None
    assert block is not None
    _close_multi(block, cut)
    block.units, block.timestep = log.units, log.timestep
    block.kinds = tuple(kind_of(log.renamed.get(t, t), log.computes, log.formulas) for t in block.texts)
    if block.style == "one" and block.command.split()[:1] in ([], ["run"]):
        rows = np.frombuffer(block.numbers, dtype=np.float64).reshape(-1, len(block.texts))
        if log.printing.may_stand_among(block.texts, rows):
            raise InputError(
                f"{owner} ends a run whose rows cannot be told from lines that were printed among them, which hold "
                f"{len(block.texts)} numbers as well; add 'screen no' or a word to the text of 'fix print' and run "
                "again, or cut these lines out of the log."
            )
    return block


def _close(log: ParsedLog, loop: re.Match[str], owner: str) -> None:
    log.awaits_header = False
    if log.block is None:
        return
    block = _finish(log, owner, cut=False)
    block.complete, block.reason = True, ""
    block.loop_time = _number(loop[1])
    block.n_processes, block.n_steps, block.n_atoms = (_whole(loop[k]) for k in (2, 3, 4))


def _leave(log: ParsedLog, reason: str, owner: str) -> None:
    if log.block is not None:
        _finish(log, owner, cut=True).reason = reason


def _error(log: ParsedLog, text: str, owner: str) -> None:
    if not log.error:
        log.error = text[:1000]
    _leave(log, f"LAMMPS stopped: {text[:1000]}", owner)
    log.awaits_header = False


def _start_again(log: ParsedLog, text: str, owner: str, cut: bool) -> None:
    """LAMMPS begins, maybe once more in a log that a killed run left behind: nothing holds that was said before."""
    if log.block is not None:
        log.block.cut = log.block.cut or cut
    _leave(log, "the run was ended from outside, and another was appended to its log", owner)
    log.version = log.version or text[8:].rpartition(")")[0]
    log.command, log.awaits_header, log.renamed, log.formulas = "", False, {}, {}
    _clear(log)


def _clear(log: ParsedLog) -> None:
    """Forget what the command ``clear`` makes LAMMPS forget; variables stay."""
    log.units = log.timestep = None
    log.computes, log.printing = {}, Printing()


def _outside(log: ParsedLog, text: str) -> None:
    if text.startswith("Total wall time:"):
        log.wall_time = text.partition(":")[2].strip()
    else:
        log.printing.heed(text)
        _command(log, text.split("#")[0].split())


def _command(log: ParsedLog, words: list[str]) -> None:
    if not words:
        return
    first, rest = words[0], words[1:]
    if first in RUNS:
        log.command = " ".join(words)[:300]
    elif first == "clear" and not rest:
        _clear(log)
    elif first == "units" and rest and rest[0] in UNIT_STYLES:
        log.units, log.timestep = rest[0], None
    elif first == "timestep" and len(rest) == 1 and _number(rest[0]) is not None:
        log.timestep = _number(rest[0])
    elif first == "compute" and len(rest) >= 3:
        log.computes[rest[0][:LONGEST_FORMULA]] = rest[2][:LONGEST_FORMULA]
    elif first == "thermo_modify" and "colname" in rest[:-2]:
        at = rest.index("colname")
        log.renamed[rest[at + 2].strip("'\"")[:LONGEST_FORMULA]] = rest[at + 1][:LONGEST_FORMULA]
    elif first == "variable" and len(rest) == 3 and rest[1] == "equal":
        log.formulas[rest[0][:LONGEST_FORMULA]] = rest[2][:LONGEST_FORMULA]
    else:
        _seed(log, first, rest)


def _seed(log: ParsedLog, first: str, rest: list[str]) -> None:
    place = None
    if first == "velocity" and rest[1:2] == ["create"]:
        place = 3
    elif first == "fix" and rest[2:3] == ["langevin"]:
        place = 6
    if place is not None and len(rest) > place and rest[place].isdigit() and len(rest[place]) < 19:
        seed = int(rest[place])
        if not log.seeds or log.seeds[-1] != seed:
            log.seeds.append(seed)


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _whole(word: str) -> int | None:
    return int(word) if len(word) < 19 else None
