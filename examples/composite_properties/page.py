"""The one page that the study leaves: its pictures and tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from components import FORCE, OUTPUTS, PRESSURE, STACKING
from fused import SOFTENED
from learned import Specimens, predicted, slice_error
from numpy.typing import NDArray
from printed import CONFIDENCE, READ_AT, Creep
from slices import CONSTANTS, SEAM, SIZE, Slice
from strength import Validated

from scalebridge.bridge.fusion import Estimate, Fusion
from scalebridge.learn import Comparison
from scalebridge.macro.laminate import Laminate, Propagated, Source
from scalebridge.microstructure.descriptors import Descriptors
from scalebridge.reports import numbers, theme
from scalebridge.reports.document import document, section

Floats = NDArray[np.float64]
BLUE, ORANGE, GREEN = theme.PHASE["learn"], theme.PHASE["verify"], theme.PHASE["finer"]
PART_COLOURS = {
    "windows": BLUE, "segmentation": ORANGE, "pixels": theme.MUTED, "constituents": GREEN, "learning": theme.ACCENT
}  # fmt: skip
SHOWN = {
    "deflection": ("deflection", 1e3, "mm"), "buckling": ("buckling load", 1e-3, "kN/m"),
    "first_crack": ("pressure of the first crack", 1e-3, "kPa"), "strip": ("deflection of the strip", 1e3, "mm"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Study:
    """All that the page shows."""

    found: Slice
    descriptors: Descriptors
    sources: Sequence[Source]
    laminate: Laminate
    answers: Mapping[str, Propagated]
    specimens: Specimens
    comparison: Comparison
    leaky: Comparison
    physics: Estimate
    learned: Estimate
    tests: Mapping[str, tuple[Floats, Fusion]]
    strengths: Sequence[Validated]
    creep: Creep


def page(study: Study) -> str:
    """Return the page as one HTML document."""
    return document("From a slice to a panel", lambda: _body(study))


def _body(study: Study) -> Iterator[str]:
    yield "<h1>From a slice of a glass fibre composite to a panel</h1>"
    yield (
        "<p class='lead'>Phases of an X-ray slice, homogenised to a ply, stacked to a panel; the same modulus learned "
        "from descriptors; both held against tests. What is virtual is called so.</p>"
    )
    yield section("The slice, its phases and windows", _slice_words(study), _slice_figure(study.found))
    yield section("Descriptors of the slice", "", None, _descriptor_table(study.descriptors))
    yield section("The ply", "", None, PLY_WORDS + _ply_table(study))
    yield section("The modulus of the windows, solved and learned", _learned_words(study), _windows_figure(study))
    yield section("The panel and the strip", _panel_words(study), _parts_figure(study.answers), _answers_table(study))
    yield section("Two ways and a test", FUSION_WORDS, _fusion_figure(study), _verdicts(study.tests))
    yield section(
        "Life and strength, learned from real tables", "", None, STRENGTH_WORDS + _strength_table(study.strengths)
    )
    yield section(
        "Where a real coupon was tested: printed CF/PEEK", _creep_words(study.creep), _creep_figure(study.creep)
    )


PLY_WORDS = "<p>Constants of the ply, and one deviation of each by its sources.</p>"
FUSION_WORDS = (
    "The transverse modulus by physics and by learning, fused, and two sets of virtual coupons. Errors in windows, "
    "segmentation, pixels and constituents are common to both ways, so they do not average out. The coupons of the "
    f"second set have a resin of {SOFTENED:.0%} of the modulus that the models believe, as if tested hot without a "
    "note: a planted error, which has to be found."
)
UNEXPLAINED = (
    "an inadequacy of the law of the matrix, small as it is, which all volumes share; or the reading is that far off"
)
STRENGTH_WORDS = (
    "<p>Strength does not follow from these models; it is learned from tables of tests and validated by group. Of "
    "fatigue the life is learned at the stress that was set, run-outs counting as at least their cycles; errors are of "
    "log10 of the cycles. The error of a split row by row stands beside, since it is what a careless validation would "
    "claim.</p>"
)


def _slice_words(study: Study) -> str:
    notes = " ".join(escape(n) for n in study.found.phases.notes)
    share = float(np.mean([w.fraction[-1] for w in study.found.windows]))
    return (
        f"{escape(study.found.phases.describe())}. {len(study.found.windows)} windows of {SIZE} pixels beside the seam "
        f"of resin with its stitch hold {share:.3f} of fibres: the ply is that of the bundle, without the seam. {notes}"
    )


def _learned_words(study: Study) -> str:
    best, leaky = study.comparison.best, study.leaky[study.comparison.best.name]
    return (
        f"{len(study.specimens.y)} <strong>virtual</strong> specimens, windows of {len(set(study.specimens.slice))} "
        f"generated slices, teach a {best.name.replace('_', ' ')} from {study.specimens.x.shape[1]} descriptors: "
        f"{best.rmse[0]:.2f} GPa on windows of slices left out, "
        f"{slice_error(study.comparison, study.specimens):.2f} GPa on the mean of a slice; split row by row, which "
        f"leaks, {leaky.rmse[0]:.2f} GPa. Its 90 % intervals hold {best.coverage[0]:.0%} of the windows left out; the "
        "error of slices left out is used instead of them. The real windows were never learned from."
    )


def _panel_words(study: Study) -> str:
    answer = study.answers["deflection"]
    return (
        f"A panel of 300 × 200 mm, {STACKING}, {1e3 * study.laminate.thickness:.1f} mm thick, under "
        f"{PRESSURE / 1e3:.0f} kPa on four simple supports (Navier, first-order shear) deflects by "
        f"{1e3 * answer.value:.2f} mm, {100 * answer.confidence:.0f} % interval {1e3 * answer.interval[0]:.2f} to "
        f"{1e3 * answer.interval[1]:.2f} mm. Bars: half-widths of each source alone, in per cent of the value."
    )


def _creep_words(creep: Creep) -> str:
    low, high = creep.modulus.interval()
    gap = creep.gap
    said = "no inadequacy is shown" if not gap.significant else "a model inadequacy"
    low_gap, high_gap = creep.leftover
    told = "no more than that is left over" if creep.inside_by_scatter >= 0.9 else UNEXPLAINED
    return (
        f"Six volumes of a print, homogenised by the authors of the data, give {creep.modulus.value:.0f} MPa along the "
        f"beads after {READ_AT} min, {low:.0f} to {high:.0f} MPa for a further one; the coupon has "
        f"{creep.measured_modulus.value:.0f} MPa, discrepancy {numbers.pair(*gap.interval)} MPa: "
        f"{said}. Its creep is predicted from the compliances of the volumes under the load recorded: "
        f"{creep.inside:.1%} of the points lie within the band (scatter of volumes, fit, clock and noise; half a per "
        f"cent of the largest strain for the reading). In recovery the test lies {numbers.percent(low_gap)} to "
        f"{numbers.percent(high_gap)} of the largest strain from the prediction, and {creep.inside_by_scatter:.0%} of "
        f"it within the scatter of the volumes and the fit alone: {told}."
    )


def _slice_figure(found: Slice) -> str:
    from matplotlib.patches import Rectangle

    figure = theme.canvas(1040, 470)
    left, right = figure.subplots(1, 2)
    left.imshow(found.phases.image.grey, cmap="gray", interpolation="none")
    shown = np.ma.masked_where(~found.phases.inside, found.phases.labels)
    right.imshow(shown, cmap="cividis", interpolation="none")
    for k, window in enumerate(found.windows):
        row, column = window.origin
        for ax in (left, right):
            ax.add_patch(Rectangle((column, row), SIZE, SIZE, fill=False, ec=ORANGE, lw=1.3))
        right.text(
            column + SIZE / 2, row + SIZE / 2, f"{found.rows[k, 1] / 1e9:.1f}", color="white", fontsize=10,
            ha="center", va="center", bbox={"fc": "#17181c", "ec": "none", "pad": 1.5},
        )  # fmt: skip
    top, first, bottom, last = SEAM
    left.add_patch(Rectangle((first, top), last - first, bottom - top, fc=GREEN, alpha=0.25, lw=0))
    left.set_title("the slice, its windows, and the seam left out")
    right.set_title("its phases, and the transverse modulus of each window in GPa")
    for ax in (left, right):
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    return theme.svg(figure, "The slice with its windows, and its phases", "slice")


def _windows_figure(study: Study) -> str:
    figure = theme.canvas(1040, 320)
    left, right = figure.subplots(1, 2)
    share = study.specimens.images.mean(axis=(1, 2))
    left.plot(share, study.specimens.y, "o", ms=4, color=theme.MUTED, mec="none", label="virtual specimens")
    real = np.array([w.fraction[-1] for w in study.found.windows])
    solved, said = study.found.rows[:, 1] / 1e9, predicted(study.comparison, study.found.cut())
    left.plot(real, solved, "D", ms=6, color=ORANGE, mec="none", label="windows of the slice")
    left.set(xlabel="fibre fraction of the window", ylabel="transverse modulus in GPa")
    left.legend(loc="upper left")
    ends = [min(solved.min(), said.min()) - 0.5, max(solved.max(), said.max()) + 0.5]
    right.plot(ends, ends, color=theme.MUTED, lw=1)
    right.plot(solved, said, "D", ms=6, color=ORANGE, mec="none")
    right.set(xlabel="solved, GPa", ylabel="learned, GPa", title="windows of the real slice, never learned from")
    for ax in (left, right):
        ax.grid()
    return theme.svg(
        figure, "Transverse modulus of windows against fibre fraction, and learned against solved", "windows"
    )


def _parts_figure(answers: Mapping[str, Propagated]) -> str:
    figure = theme.canvas(1040, 250)
    ax = figure.subplots()
    names = list(next(iter(answers.values())).parts)
    for row, answer in enumerate(answers.values()):
        for k, name in enumerate(names):
            share = 100 * answer.parts[name] / answer.value
            ax.barh(row + 0.3 - 0.15 * k, share, 0.14, color=PART_COLOURS[name], label=name if row == 0 else None)
        ax.barh(row - 0.3, 100 * answer.half_width / answer.value, 0.14, color=theme.INK,
                label="all together" if row == 0 else None)  # fmt: skip
    ax.set_yticks(range(len(answers)), [SHOWN[name][0] for name in answers])
    ax.invert_yaxis()
    ax.set_xlabel("half-width of the 95 % interval in per cent of the value", loc="right")
    ax.grid(axis="x")
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return theme.svg(figure, "Half-widths of the components by source", "parts")


def _fusion_figure(study: Study) -> str:
    figure = theme.canvas(1040, 250)
    axes = figure.subplots(1, 2, sharex=True)
    for ax, (name, (readings, fusion)) in zip(axes, study.tests.items(), strict=True):
        test = Estimate.of_readings(readings)
        rows = [("physics", study.physics.value, study.physics.interval(), BLUE),
                ("learned", study.learned.value, study.learned.interval(), GREEN),
                ("fused", fusion.value, fusion.interval, theme.INK),
                ("tests", test.value, test.interval(), ORANGE)]  # fmt: skip
        for place, (_, value, (low, high), colour) in enumerate(rows):
            ax.plot([low, high], [place, place], color=colour, lw=3)
            ax.plot(value, place, "o", ms=8, color=colour)
        ax.plot(readings, np.full(len(readings), 3.28), "|", ms=9, color=ORANGE)
        ax.set_yticks(range(4), [r[0] for r in rows])
        ax.invert_yaxis()
        ax.grid(axis="x")
        ax.set_xlabel("transverse modulus in GPa", loc="right")
        ax.set_title(f"{name}: {'model inadequacy' if fusion.inadequate else 'no inadequacy shown'}")
    return theme.svg(figure, "Physics, learning, both fused, and tests, with 95 % intervals", "fusion")


def _creep_figure(creep: Creep) -> str:
    figure = theme.canvas(1040, 320)
    whole, tail = figure.subplots(1, 2)
    t, mean, half, scale = creep.test.time, creep.band.mean, creep.band.half(), 1e6
    for ax in (whole, tail):
        ax.fill_between(
            t, scale * (mean - half), scale * (mean + half), color=BLUE, alpha=0.2, lw=0,
            label=f"band, {100 * CONFIDENCE:.0f} %",
        )  # fmt: skip
        ax.plot(t, scale * mean, color=BLUE, lw=2, label="predicted")
        ax.plot(t, scale * creep.test.strain, color=ORANGE, lw=1.2, label="measured")
        ax.set_xlabel("minutes", loc="right")
        ax.grid()
    whole.set_ylabel("strain along the beads, 10⁻⁶", loc="top")
    whole.legend(loc="center right")
    # One sample of the clock is wide on the ramps, so that the band would squeeze the rest.
    whole.set_ylim(-0.1 * scale * mean.max(), 1.2 * scale * mean.max())
    whole.set_title("under 1 MPa for 8 min, and after")
    start = 8.2
    tail.set_xlim(start, t[-1])
    shown = scale * mean[t > start]
    tail.set_ylim(shown.min() - 0.45, shown.max() + 0.45)
    tail.set_title("recovery, magnified")
    return theme.svg(figure, "Creep of the coupon, measured and predicted with its band", "creep")


def _descriptor_table(found: Descriptors) -> str:
    rows = "".join(
        f"<tr><td>{escape(each.name.replace('_', ' '))}</td><td class='n'>{escape(each.describe())}</td>"
        f"<td>{escape(each.meaning)}</td></tr>"
        for each in found.values()
    )
    return f"<div class='wide'><table><tbody>{rows}</tbody></table></div>"


def _ply_table(study: Study) -> str:
    head = "".join(f"<th class='n'>{escape(s.name)}</th>" for s in study.sources)
    rows = []
    spread = [np.linalg.norm(s.deviations, axis=0) for s in study.sources]
    for k, name in enumerate(CONSTANTS):
        value = study.found.best[k]
        text = f"{value:.3f}" if name == "nu12" else f"{value / 1e9:.2f} GPa"
        shares = "".join(f"<td class='n'>± {numbers.percent(each[k])}</td>" for each in spread)
        rows.append(f"<tr><td>{name}</td><td class='n'>{text}</td>{shares}</tr>")
    return (
        f"<table><thead><tr><th></th><th class='n'>value</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _answers_table(study: Study) -> str:
    rows = []
    for name, answer in study.answers.items():
        words, factor, unit = SHOWN[name]
        low, high = (factor * v for v in answer.interval)
        load = f" under {FORCE:.0f} N" if name == "strip" else ""
        rows.append(
            f"<tr><td>{words}{load}</td><td class='n'>{factor * answer.value:.3g} {unit}</td>"
            f"<td class='n'>{low:.3g} to {high:.3g} {unit}</td></tr>"
        )
    assert set(study.answers) == set(OUTPUTS)
    head = "<tr><th></th><th class='n'>value</th><th class='n'>95 % interval</th></tr>"
    return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"


def _verdicts(tests: Mapping[str, tuple[Floats, Fusion]]) -> str:
    return "".join(f"<p><strong>{escape(name)}.</strong> {escape(f.verdict)}</p>" for name, (_, f) in tests.items())


def _strength_table(rows: Sequence[Validated]) -> str:
    head = "<tr><th>table</th><th class='n'>rows</th><th class='n'>groups</th><th>learner</th>" + "".join(
        f"<th class='n'>{words}</th>" for words in ("spread", "error by group", "split by row (leaks)", "90 % holds")
    )
    body = "".join(
        f"<tr><td>{escape(r.table)}</td><td class='n'>{r.rows}</td><td class='n'>{r.groups} by {r.group}</td>"
        f"<td>{escape(r.learner.replace('_', ' '))}</td><td class='n'>{r.spread:.2f} {r.unit}</td>"
        f"<td class='n'>{r.error:.2f} {r.unit}</td><td class='n'>{r.leaky_error:.2f} {r.unit}</td>"
        f"<td class='n'>{r.coverage:.0%}</td></tr>"
        for r in rows
    )
    notes = "".join(f"<p>{escape(r.table.capitalize())}: {escape(r.note)}</p>" for r in rows if r.note)
    return f"<div class='wide'><table><thead>{head}</tr></thead><tbody>{body}</tbody></table></div>{notes}"
