"""The page of the plates: what the networks say, how wrong they are, and how they learned."""

from __future__ import annotations

from html import escape

import numpy as np
from plate import NODES

from scalebridge.reports.document import document, section, written
from scalebridge.reports.theme import ACCENT, INK, MUTED, WARN, canvas, colours, svg


def write_page(path, *, plates, small, deep, new):
    """Write one HTML file."""
    return written(document("Temperature of a plate", lambda: _parts(plates, small, deep, new)), path)


def _parts(plates, small, deep, new):
    yield _head(plates, small, deep, new)
    yield section(
        "Fields that the CNN had not seen",
        "Three plates held back: the best, a middling and the worst by mean error. The deviation is the network's own.",
        _fields(plates, deep),
    )
    yield section(
        "The small network on plates held back",
        "Hottest and mean temperature, each with its 90 % interval, against the finite elements.",
        _parity(plates, small),
    )
    yield section(
        "How they learned",
        "Loss on what the members see and on what they leave out, in variances of the data. The weights are those of "
        "the lowest loss on rows left out.",
        _curves(small, deep),
    )
    yield _judged(small, deep)


def _head(plates, small, deep, new):
    half = (new["high"] - new["low"]) / 2
    corners = ", ".join(f"{t:.0f}" for t in new["x"][:4])
    return (
        '<header class="top"><span class="brand">ScaleBridge</span><span class="stamp">seed 0</span></header>'
        "<h1>Temperature of a plate from its boundary conditions</h1>"
        f'<p class="lead">A steel plate of 0.1 m with a heater; {plates["count"]} plates solved by finite elements '
        f"teach two networks, {len(plates['x'])} others judge them.</p>"
        f'<div class="answer"><div><div class="value">{new["value"]:.1f} <span class="pm">± {half:.1f}</span>'
        '<span class="unit"> K</span></div><p class="within">hottest place of a new plate, 90 % interval '
        f"[{new['low']:.1f}, {new['high']:.1f}] K; the finite elements say {new['true']:.1f} K</p></div>"
        f'<div><p class="reason">Corners {corners} K, heater {new["x"][4] / 1e6:.0f} MW/m³ at '
        f"({new['x'][5] * 1e3:.0f}, {new['x'][6] * 1e3:.0f}) mm.</p></div></div>"
        '<dl class="tiles">'
        + _tile("small network", f"{small['judged']['error']:.2f} K", "mean error, hottest and mean temperature")
        + _tile("CNN", f"{deep['judged']['error']:.2f} K", "mean error over whole fields")
        + _tile("no learning", f"{small['plain']['error']:.1f} K", "mean error of the mean plate")
        + "</dl>"
    )


def _tile(name, value, note):
    return f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(note)}</small></dd></div>"


def _fields(plates, deep):
    wanted, posterior = plates["fields"], deep["posterior"]
    error = np.abs(posterior.mean - wanted).mean(axis=1)
    order = np.argsort(error)
    figure = canvas(960, 700)
    axes = figure.subplots(3, 4)
    for row, k in enumerate((order[0], order[len(order) // 2], order[-1])):
        true, mean, std = (a[k].reshape(NODES, NODES) for a in (wanted, posterior.mean, posterior.std))
        span = {"vmin": true.min(), "vmax": true.max()}
        gap = np.abs(mean - true)
        top = max(gap.max(), std.max())
        shown = (
            (true, "solved", span),
            (mean, "CNN", span),
            (gap, "error", {"vmin": 0, "vmax": top}),
            (std, "its deviation", {"vmin": 0, "vmax": top}),
        )
        for ax, (values, title, limits) in zip(axes[row], shown, strict=True):
            drawn = ax.imshow(values, cmap=colours(), extent=(0, 100, 0, 100), interpolation="nearest", **limits)
            ax.set_title(f"{title}, K" if row == 0 else "")
            ax.set_xticks([]), ax.set_yticks([])
            figure.colorbar(drawn, ax=ax, fraction=0.046)
        axes[row, 0].set_ylabel(f"mean error {error[k]:.2f} K")
    return svg(figure, "Temperature fields, solved and by the network, with error and deviation", "fields")


def _parity(plates, small):
    posterior, level = small["posterior"], small["level"]
    low, high = posterior.quantile((1 - level) / 2), posterior.quantile((1 + level) / 2)
    figure = canvas(960, 400)
    for k, (ax, title) in enumerate(zip(figure.subplots(1, 2), ("hottest place", "mean"), strict=True)):
        true, mean = plates["numbers"][:, k], posterior.mean[:, k]
        ends = [true.min(), true.max()]
        ax.plot(ends, ends, color=MUTED, linewidth=1)
        ax.errorbar(true, mean, [mean - low[:, k], high[:, k] - mean], fmt="o", color=ACCENT, markersize=3, linewidth=1)
        ax.set_title(title)
        ax.set_xlabel("solved, K", loc="right")
        ax.set_ylabel("network, K", loc="top")
    return svg(figure, "Network against finite elements on plates held back", "parity")


def _curves(small, deep):
    figure = canvas(960, 330)
    for ax, (name, one) in zip(figure.subplots(1, 2), (("small network", small), ("CNN", deep)), strict=True):
        curve = one["curve"]
        ax.semilogy(np.arange(1, len(curve) + 1), curve[:, 0], color=INK, linewidth=1.2, label="seen")
        ax.semilogy(np.arange(1, len(curve) + 1), curve[:, 1], color=WARN, linewidth=1.6, label="left out")
        ax.set_title(name)
        ax.set_xlabel("epoch", loc="right")
        ax.set_ylabel("loss", loc="top")
        ax.legend()
    return svg(figure, "Learning curves", "curves")


def _judged(small, deep):
    rows = "".join(
        f'<tr><td>{name}</td><td class="n">{one["plain"]["error"]:.2f}</td><td class="n">{one["judged"]["error"]:.2f}'
        f'</td><td class="n">{one["judged"]["largest"]:.1f}</td><td class="n">{one["judged"]["width"]:.2f}</td>'
        f'<td class="n">{one["judged"]["inside"]:.0%}</td></tr>'
        for name, one in (("small network, two temperatures", small), ("CNN, whole fields", deep))
    )
    head = "".join(
        f'<th class="n">{escape(word)}</th>'
        for word in ("mean plate, K", "mean error, K", "largest error, K", "width of intervals, K", "inside 90 %")
    )
    return (
        "<section><h2>Errors on plates held back</h2><p>An interval is honest where as many values lie inside it as it "
        f'says.</p><div class="wide"><table><thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        "</section>"
    )
