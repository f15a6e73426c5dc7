"""What is wrong with data, in words that say what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from html import escape
from typing import Any

SEVERITIES = ("stop", "warn", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that a reviewer would ask about.

    Attributes:
        check: which check found it, such as ``"gaps"``.
        severity: ``"stop"`` - training now would mislead; ``"warn"`` - look before; ``"note"`` - good to know.
        sentence: what is the case, with numbers and names.
        advice: what to do.
        columns: that it is about.
        rows: row numbers from 0 of the first few rows it is about.
    """

    check: str
    severity: str
    sentence: str
    advice: str
    columns: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class QualityReport:
    """What is wrong with a dataset before anybody trains on it.

    Attributes:
        name: of the dataset.
        digest: of its content.
        n_rows, n_columns: its size.
        target: what is to be predicted, where it was said.
        groups: what rows share, where it was said.
        findings: the gravest first.
        checked: names of all checks that ran, with or without a finding.
    """

    name: str
    digest: str
    n_rows: int
    n_columns: int
    target: str | None
    groups: str | None
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether nothing says stop."""
        return not self.of("stop")

    def of(self, severity: str) -> tuple[Finding, ...]:
        """Findings of one severity."""
        return tuple(f for f in self.findings if f.severity == severity)

    def about(self, check: str) -> tuple[Finding, ...]:
        """Findings of one check."""
        return tuple(f for f in self.findings if f.check == check)

    def sentence(self) -> str:
        """The report in a line."""
        stops, warns, notes = (len(self.of(s)) for s in SEVERITIES)
        verdict = "do not train on it yet" if stops else "look at the warnings first" if warns else "nothing grave"
        return (
            f"'{self.name}' ({self.n_rows} rows, {self.n_columns} columns): {verdict} - {stops} to stop for, {warns} "
            f"warnings, {notes} notes."
        )

    def __str__(self) -> str:
        lines = [self.sentence()]
        for f in self.findings:
            lines += [f"  {f.severity:<4} {f.check}: {f.sentence}", f"         {f.advice}"]
        silent = [c for c in self.checked if not self.about(c)]
        return "\n".join([*lines, f"  nothing found by: {', '.join(silent) or 'no check'}"])

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        made = asdict(self)
        made["findings"] = [{**asdict(f), "columns": list(f.columns), "rows": list(f.rows)} for f in self.findings]
        return {**made, "checked": list(self.checked), "ready": self.ready}

    def html_rows(self) -> str:
        """Rows of a table - severity, check, sentence, advice - for a report."""
        return "".join(
            f'<tr class="{f.severity}"><td>{f.severity}</td><td>{escape(f.check)}</td><td>{escape(f.sentence)}</td>'
            f"<td>{escape(f.advice)}</td></tr>"
            for f in self.findings
        )

    def _repr_html_(self) -> str:
        head = "<tr><th>severity</th><th>check</th><th>what</th><th>what to do</th></tr>"
        return f"<p>{escape(self.sentence())}</p><table><thead>{head}</thead><tbody>{self.html_rows()}</tbody></table>"
