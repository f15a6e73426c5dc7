"""The conformance suite of a `Store`: the law of exactly once, never lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scalebridge.campaign.ledger import Request
from scalebridge.campaign.rows import OPTIONAL, Row
from scalebridge.errors import StoreError
from scalebridge.testing.demand import demand, demand_members

_MEMBERS = (
    *("directory", "epoch", "notes", "note", "register", "lookup", "claim", "publish", "settle", "collect"),
    *("attempts", "close"),
)
_IDENTITY = {"name": "check_store.model", "version": "1", "source": "0123"}


def check_store(factory: Callable[[], Any]) -> None:
    """Check that a store keeps the law of `scalebridge.campaign.Store`; raise `AssertionError` where it does not.

    Rows come back bit for bit; a run is published once, by the latest attempt of it; a failure is an attempt
    with a reason, never a run. A store with a directory further survives closing, has one writer, fences what
    an earlier writer left, and lets viewers see everything and change nothing.

    Args:
        factory: makes a new, empty store at every call; one with a directory is opened again by the class
            method ``open(path, read_only=False)`` of its type.
    """
    for check in (_check_rows, _check_fencing, _check_failures, _check_models, _check_many):
        with factory() as store:
            demand_members(store, _MEMBERS, "Store")
            demand(len(store) == 0 and store.attempts() == [], "A new store is not empty.")
            check(store)
    with factory() as store:
        durable = store.directory is not None
        if durable:
            _check_one_writer(store)
            _check_viewer(store)
    if durable:
        _check_reopening(factory())


def _request(key: str, model: str = "model") -> Request:
    return Request(key, model, (1.0, -2.5), 0, "learn", "because")


def _row(value: float) -> Row:
    return Row(np.array([value, -value]), 0.25)


def _published(store: Any, key: str, value: float) -> int:
    (token,) = store.claim([_request(key)])
    demand(store.publish([(key, token, _row(value))]) == [True], "A store refuses the row of a valid attempt.")
    return int(token)


def _holds(store: Any, key: str, value: float) -> bool:
    found = store.lookup([key])
    return key in found and bool(found[key].values[0] == value)


def _check_rows(store: Any) -> None:
    values = np.array([np.pi, 1e-300, -0.0, 1.7976931348623157e308])
    full = Row(values, 1.5, np.arange(8.0).reshape(4, 2), np.full(4, 0.1), np.full(4, 0.2))
    rows = {"plain": _row(2.0), "full": full, "other": Row(np.array([3.0]))}
    tokens = store.claim([_request(key) for key in rows])
    accepted = store.publish([(key, t, row) for (key, row), t in zip(rows.items(), tokens, strict=True)])
    demand(accepted == [True] * 3, f"A store took a batch of three valid rows as {accepted}.")
    found = store.lookup([*rows, "never"])
    demand(sorted(found) == sorted(rows), f"lookup of three stored runs and one unknown found {sorted(found)}.")
    demand(len(store) == 3, f"A store of three runs says it has {len(store)}.")
    for key, row in rows.items():
        demand(found[key].values.tobytes() == row.values.tobytes(), f"The values of the run '{key}' came back changed.")
        demand(found[key].cost_s == row.cost_s, f"The cost of the run '{key}' came back changed.")
        for name in OPTIONAL:
            given, stored = getattr(row, name), getattr(found[key], name)
            same = (given is None) == (stored is None) and (given is None or np.array_equal(given, stored))
            demand(same, f"The {name} of the run '{key}' came back changed.")
    demand([a.status for a in store.attempts()] == ["ok"] * 3, "The attempts of published runs are not 'ok'.")
    demand(store.attempts()[0].request == _request("plain"), "An attempt does not say what it was asked for and why.")


def _check_fencing(store: Any) -> None:
    (stopped,) = store.claim([_request("a")])
    (resumed,) = store.claim([_request("a")])
    demand(resumed > stopped, "The token of a later attempt is not larger than that of an earlier one.")
    demand(store.publish([("a", stopped, _row(1.0))]) == [False], "A fenced attempt could publish.")
    demand(store.lookup(["a"]) == {}, "A fenced attempt left a run.")
    demand(store.publish([("a", resumed, _row(2.0))]) == [True], "The latest attempt could not publish.")
    demand(store.publish([("a", resumed, _row(3.0))]) == [False], "An attempt could publish twice.")
    (late,) = store.claim([_request("a")])
    demand(store.publish([("a", late, _row(4.0))]) == [False], "A finished run could be published again.")
    demand(_holds(store, "a", 2.0) and len(store) == 1, "A finished run was changed by a later attempt.")
    (mine, _) = store.claim([_request("b"), _request("c")])
    demand(
        store.publish([("c", mine, _row(5.0))]) == [False] and store.lookup(["c"]) == {},
        "An attempt at one run could publish another.",
    )


def _check_failures(store: Any) -> None:
    (token,) = store.claim([_request("a")])
    demand(store.attempts()[0].status == "running", "An attempt that was begun is not 'running'.")
    (waiting,) = store.claim([_request("b")], queued=True)
    demand(store.attempts()[1].status == "queued", "An attempt that was claimed as queued is not 'queued'.")
    demand(store.publish([("b", waiting, _row(1.0))]) == [True], "An attempt that had been queued could not publish.")
    store.settle(token, "failed", "did not converge", 2.0)
    attempt = store.attempts()[0]
    demand(
        (attempt.status, attempt.reason, attempt.cost_s) == ("failed", "did not converge", 2.0),
        "A failed attempt lost its status, its reason or its cost.",
    )
    demand(store.lookup(["a"]) == {} and len(store) == 1, "A failure was stored as a run.")
    demand(store.publish([("a", token, _row(1.0))]) == [False], "An attempt that was settled could publish.")
    _published(store, "a", 1.0)
    statuses = [a.status for a in store.attempts() if a.request.key == "a"]
    demand(statuses == ["failed", "ok"], f"A failure is not final, yet its next attempt left {statuses}.")
    demand(store.collect(token) is None, "collect returns a row for an attempt that recorded none.")


def _check_models(store: Any) -> None:
    key = store.register(_IDENTITY)
    turned = dict(reversed(_IDENTITY.items()))
    demand(store.register(turned) == key, "The key of a model depends on the order of its identity.")
    for entry in _IDENTITY:
        other = store.register({**_IDENTITY, entry: "other"})
        demand(other != key, f"Two models that differ in '{entry}' have the same key.")
    store.note("twice")
    store.note("twice")
    demand(store.notes.count("twice") == 1, "A remark that was made twice is not kept once.")


def _check_many(store: Any) -> None:
    keys = [f"{i:064d}" for i in range(300)]
    tokens = store.claim([_request(k) for k in keys])
    demand(sorted(set(tokens)) == tokens, "Tokens of one claim are not all different and rising.")
    accepted = store.publish([(k, t, _row(float(t))) for k, t in zip(keys, tokens, strict=True)])
    demand(all(accepted) and len(store) == 300, "A batch of 300 rows was not published whole.")
    found = store.lookup([*keys, *(f"none {i}" for i in range(2000))])
    demand(
        len(found) == 300 and all(found[k].values[0] == t for k, t in zip(keys, tokens, strict=True)),
        "Rows of a large batch came back under other keys.",
    )


def _check_one_writer(store: Any) -> None:
    try:
        second = type(store).open(store.directory)
    except StoreError:
        return
    second.close()
    raise AssertionError("A second writer could open a store that is in use.")


def _check_viewer(store: Any) -> None:
    with type(store).open(store.directory, read_only=True) as viewer:
        token = _published(store, "seen", 7.0)
        demand(_holds(viewer, "seen", 7.0), "A viewer does not see what the writer has published.")
        demand(viewer.attempts()[-1].token == token, "A viewer does not see the attempts.")
        changes: tuple[Callable[[], Any], ...] = (
            lambda: viewer.claim([_request("mine")]),
            lambda: viewer.note("mine"),
            lambda: viewer.settle(token, "failed", "mine"),
        )
        for change in changes:
            try:
                change()
            except StoreError:
                continue
            raise AssertionError("A viewer could change the store.")
    demand(_holds(store, "seen", 7.0), "A viewer disturbed the store that it looked at.")


def _check_reopening(store: Any) -> None:
    path, earlier = store.directory, store.epoch
    _published(store, "kept", 5.0)
    (left,) = store.claim([_request("left")])
    store.note("remember")
    store.close()
    with type(store).open(path) as again:
        demand(_holds(again, "kept", 5.0) and len(again) == 1, "A finished run was lost when the store was closed.")
        demand("remember" in again.notes, "A remark was lost when the store was closed.")
        demand(again.epoch > earlier, "A new writer has no epoch of its own.")
        statuses = {a.token: a.status for a in again.attempts()}
        demand(statuses[left] == "interrupted", f"An attempt that its writer left is '{statuses[left]}'.")
        demand(again.publish([("left", left, _row(1.0))]) == [False], "An attempt of an earlier writer could publish.")
        (token,) = again.claim([_request("left")])
        demand(token > left, "Tokens begin anew when the store is opened again.")
        demand(again.publish([("left", token, _row(2.0))]) == [True], "A run that was cut off cannot be run again.")
