"""A square plate with a heater: temperatures by finite elements, from seven numbers or from pictures of them."""

from __future__ import annotations

import numpy as np

import scalebridge as sb

SIDE = 0.1  # m
NODES = 16  # along an edge, of the pictures; the finite elements are half as large
HEATER = 0.01  # m, standard deviation of the heat over the plate
COLD = 280.0  # K, the lowest temperature of a corner

INPUTS = sb.Space(
    {
        "bottom_left": ("K", COLD, 380),
        "bottom_right": ("K", COLD, 380),
        "top_left": ("K", COLD, 380),
        "top_right": ("K", COLD, 380),
        "power": ("W/m^3", 0, 2e7),
        "heater_x": ("m", 0.02, 0.08),
        "heater_y": ("m", 0.02, 0.08),
    }
)
NUMBERS = sb.Space({"peak": "K", "mean": "K"})
FIELD = sb.Space([sb.Variable("temperature", "K", (NODES, NODES))])
PICTURES = sb.Space([sb.Variable("edge", "K", (NODES, NODES)), sb.Variable("heat", "W/m^3", (NODES, NODES))])


def along_edges(z, bottom_left, bottom_right, top_left, top_right):
    """Temperature of the edges: linear from corner to corner."""
    u, v = z[0] / SIDE, z[1] / SIDE
    return (1 - v) * ((1 - u) * bottom_left + u * bottom_right) + v * ((1 - u) * top_left + u * top_right)


def heat(z, power, heater_x, heater_y):
    """Heat made per volume, W/m^3."""
    return power * np.exp(-((z[0] - heater_x) ** 2 + (z[1] - heater_y) ** 2) / (2 * HEATER**2))


def steel(x):
    """Conductivity of a stainless steel, which grows with its temperature."""
    temperature = x[:, 0]
    value = 14.0 + 0.016 * (temperature - 300.0)
    return sb.ClosureValue(value[:, None], np.full((len(x), 1, 1), 0.016), np.ones(len(x), dtype=bool))


@sb.model(inputs=INPUTS, outputs=sb.Space([*NUMBERS, *FIELD]))
def plate(bottom_left, bottom_right, top_left, top_right, power, heater_x, heater_y):
    """Temperatures of one plate; row 0 of the field is the top edge, as in a picture."""
    corners, heater = (bottom_left, bottom_right, top_left, top_right), (power, heater_x, heater_y)
    edges = dict.fromkeys(("left", "right", "bottom", "top"), lambda z: along_edges(z, *corners))
    mesh = sb.macro.meshes.rectangle(SIDE, SIDE, 2 * (NODES - 1), cells="quadrilateral")
    solution = sb.macro.Heat(mesh, edges, source=lambda z: heat(z, *heater)).solve(steel)
    if not solution.converged:
        raise RuntimeError(solution.reason)
    points, values = solution.fields["points"], solution.fields["temperature"]
    grid = values[np.lexsort((points[:, 0], -points[:, 1].round(9)))].reshape(2 * NODES - 1, 2 * NODES - 1)
    return {"peak": values.max(), "mean": solution.qois["mean_temperature"], "temperature": grid[::2, ::2]}


def pictures(x):
    """The same plates ``[n, 7]`` as two pictures each, ``[n, 2 NODES^2]``: the edges above COLD, and the heat."""
    along = np.linspace(0.0, SIDE, NODES)
    z = np.stack(np.meshgrid(along, along[::-1], indexing="xy"))
    rim = np.ones((NODES, NODES))
    rim[1:-1, 1:-1] = 0.0
    edge = np.stack([rim * (along_edges(z, *row[:4]) - COLD) for row in x])
    made = np.stack([heat(z, *row[4:]) for row in x])
    return np.concatenate([edge.reshape(len(x), -1), made.reshape(len(x), -1)], axis=1)
