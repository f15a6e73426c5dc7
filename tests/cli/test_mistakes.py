"""Every likely mistake gives one clear sentence on stderr and exit code 2, as the golden files have it.

After a change of words on purpose: ``SCALEBRIDGE_GOLDEN=write pytest tests/cli/test_mistakes.py``, then read the diff.
"""

import os
from pathlib import Path

import pytest

from scalebridge.cli import main
from tests.cli.mistakes import MISTAKES, write_folder

HERE = Path(__file__).parent


def test_there_are_at_least_thirty_mistakes_each_with_a_golden_file() -> None:
    assert len(MISTAKES) >= 30
    assert {p.stem for p in (HERE / "golden").glob("*.txt")} == set(MISTAKES)


@pytest.mark.parametrize("name", sorted(MISTAKES))
def test_a_mistake_gives_one_sentence_and_exit_code_2(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mistake = MISTAKES[name]
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path)
    mistake.make(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(mistake.command)
    shown = capsys.readouterr()
    assert ended.value.code == 2, shown.err
    assert shown.out == ""
    lines = shown.err.strip().splitlines()
    assert len(lines) == 1
    golden = HERE / "golden" / f"{name}.txt"
    if os.environ.get("SCALEBRIDGE_GOLDEN") == "write":
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(lines[0] + "\n", encoding="utf-8")
    assert lines[0] + "\n" == golden.read_text(encoding="utf-8")
