import pytest

from scalebridge.bridge import Progress
from scalebridge.cli.progress import ProgressLine, Remaining


def step(phase: str, fraction: float, runs: int = 5) -> Progress:
    return Progress(runs, phase, 12.0, 0.5, 0.1, "words", fraction)


def test_the_estimate_of_what_is_left_falls_as_the_work_is_done() -> None:
    remaining = Remaining(now=0.0)
    assert remaining(0.05, 10.0) is None
    first = remaining(0.2, 10.0)
    second = remaining(0.8, 20.0)
    assert first == pytest.approx(40.0)
    assert second is not None and second < first
    assert remaining(1.0, 25.0) == 0.0


def test_without_a_terminal_progress_is_plain_lines_not_too_many(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressLine() as line:
        for k in range(50):
            line(step("learn", 0.2 + k / 100, k))
        line(step("verify", 0.6, 60))
        line(step("done", 1.0, 60))
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 3
    assert "learning" in shown[0] and "12 ± 0.5 (asked ± 0.1)" in shown[0]
    assert shown[-1].startswith("100 %")


def test_what_the_surrogate_expects_of_itself_counts_half_until_verified(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressLine() as line:
        line(step("learn", 0.97))
    assert capsys.readouterr().err.startswith(" 50 %")
