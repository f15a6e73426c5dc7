"""A Lennard-Jones fluid: properties with intervals by parts, in reduced units or those of a substance."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scalebridge.campaign import Campaign
from scalebridge.errors import InputError
from scalebridge.simulators.lammps import FluidState, LennardJonesFluid, Reading, Resources
from scalebridge.simulators.lammps.corrections import yeh_hummer
from scalebridge.simulators.lammps.green_kubo import BOLTZMANN
from scalebridge.simulators.lammps.lennard_jones import AVOGADRO, coexistence, cutoff_share, substance
from scalebridge.testing import check_model

ALL = ("viscosity", "conductivity", "diffusion", "pressure", "energy")
ARGON = {"epsilon": "119.8 K", "sigma": "3.405 angstrom", "mass": "39.948 g/mol"}
TRIPLE = np.array([[0.722, 0.8442]])


def fluid(program: Resources, properties: Any = "viscosity", **options: Any) -> LennardJonesFluid:
    """A fluid of the stand-in, whose viscosity is exp(3 rho) / (10 T)."""
    short = {"n_steps": 16_000, "window": 3.0, "n_blocks": 8}
    return LennardJonesFluid(properties, **{"resources": program, "how": "in process", **short, **options})


def test_a_state_has_every_property_with_an_interval_that_holds_the_truth(program: Resources) -> None:
    state = fluid(program, ALL).at(temperature=0.722, density=0.8442)
    truth = {
        "viscosity": math.exp(3 * 0.8442) / 7.22,
        "pressure": 0.722 * 0.8442,
        "energy": 1.5 * 0.722 - 8.442,
    }
    for name, value in truth.items():
        low, high = state[name].interval()
        assert low < value < high, (name, str(state))
    # Displacements of the stand-in grow by 0.2 per time; the box takes its share.
    correction = yeh_hummer(0.722, state["viscosity"].value, (256 / 0.8442) ** (1 / 3), "lj")
    assert state["diffusion"].value == pytest.approx(0.2 / 6 + correction, rel=1e-3)


def test_the_interval_is_chance_and_the_cut_offs_summed_and_says_so_in_words(program: Resources) -> None:
    state = fluid(program).at(0.722, 0.8442)
    reading = state["viscosity"]
    assert set(reading.parts) == {"Green-Kubo time cut-off", "pair cut-off"}
    low, high = reading.interval()
    chance = Reading(0.0, reading.noise_std, degrees=reading.degrees).interval()[1]
    assert high - low == pytest.approx(2 * (chance + sum(reading.parts.values())), rel=1e-12)
    for words in ("viscosity 1.", "95% in [", "chance ±", "Green-Kubo time cut-off ±", "pair cut-off ±"):
        assert words in str(state)
    assert "<li>viscosity" in state._repr_html_()


def test_a_run_gives_the_same_numbers_as_deviations(program: Resources) -> None:
    model = fluid(program, ("viscosity", "pressure"))
    state, runs = model.at(0.722, 0.8442, seed=4), model.run(TRIPLE, (4,))
    assert runs.noise_std is not None and runs.error_std is not None
    for k, name in enumerate(("viscosity", "pressure")):
        reading = state[name]
        assert runs.values[0, k] == reading.value and runs.noise_std[0, k] == reading.noise_std
        assert runs.error_std[0, k] == pytest.approx(math.hypot(*reading.parts.values()))


def test_a_substance_is_the_reduced_fluid_times_its_scales(program: Resources) -> None:
    reduced = fluid(program, ALL).at(0.722, 0.8442)
    argon = fluid(program, ALL, **ARGON)
    epsilon, sigma, mass = 119.8 * BOLTZMANN, 3.405e-10, 0.039948 / AVOGADRO
    found = argon.at(temperature=f"{0.722 * 119.8} K", density=f"{0.8442 * mass / sigma**3 / 1000} g/cm^3")
    scales = {
        "viscosity": math.sqrt(mass * epsilon) / sigma**2,
        "conductivity": BOLTZMANN / sigma**2 * math.sqrt(epsilon / mass),
        "diffusion": sigma * math.sqrt(epsilon / mass),
        "pressure": epsilon / sigma**3,
        "energy": epsilon * AVOGADRO,
    }
    for name, scale in scales.items():
        assert found[name].value == pytest.approx(scale * reduced[name].value, rel=1e-6)
        assert found[name].error_std == pytest.approx(scale * reduced[name].error_std, rel=1e-4)
    assert [v.unit for v in argon.outputs] == ["Pa*s", "W/(m*K)", "m^2/s", "Pa", "J/mol"]
    assert [v.unit for v in argon.inputs] == ["K", "kg/m^3"]
    assert argon.inputs["temperature"].limits == pytest.approx((0.7 * 119.8, 6 * 119.8))
    assert argon.scale is not None and argon.scale.span("length") == pytest.approx(
        (3.405e-10, 3.405e-10 * 256 ** (1 / 3))
    )


def test_energies_and_masses_may_be_given_per_particle() -> None:
    other = substance(119.8 * BOLTZMANN, 3.405e-10, "39.948 amu")
    assert other == replace(
        other,
        **{k: pytest.approx(v, rel=1e-6) for k, v in vars(substance(**ARGON)).items()},  # type: ignore[arg-type]
    )


def test_a_longer_cut_off_leaves_out_less() -> None:
    shares = [cutoff_share("viscosity", 0.722, 0.8442, cutoff) for cutoff in (2.5, 3.5, 5.0)]
    assert shares[0] > shares[1] > shares[2] > 0 and shares[0] == pytest.approx(0.025, abs=0.002)


def test_it_keeps_the_contract_of_a_model(program: Resources) -> None:
    check_model(fluid(program), np.array([[0.722, 0.8442], [1.5, 0.6]]))


def test_six_states_of_a_campaign_are_six_runs_whether_they_fail_or_not(program: Resources, tmp_path: Path) -> None:
    counts, lmp = tmp_path / "runs", tmp_path / "lmp"
    lmp.write_text(f"#!/bin/sh\necho run >> {counts}\nexit 3\n", encoding="utf-8")
    lmp.chmod(0o755)
    model = fluid(Resources(program=lmp), how="process")
    with Campaign(model, retries=0) as campaign:
        runs = campaign.run(np.linspace([1.2, 0.7], [2.0, 0.8], 6), phase="p", why="w")
    assert set(runs.status) == {"failed"}
    # One more tells the version of the program.
    assert counts.read_text(encoding="utf-8").count("run") == 6 + 1


def test_the_finer_fluid_has_the_longer_cut_off_in_a_box_that_holds_it(program: Resources) -> None:
    coarse = fluid(program, finer_cutoff=4.0)
    finer = coarse.finer
    assert finer is not None and finer.cutoff == 4.0 and finer.finer is None
    densest = finer.inputs["density"].limits[1]
    assert (finer.n_atoms / densest) ** (1 / 3) >= 8.0 and finer.n_atoms == 864
    assert finer.identity() != coarse.identity() and fluid(program).finer is None


def test_a_box_too_small_for_the_cut_off_is_outside_and_says_how_many_atoms_it_takes(program: Resources) -> None:
    runs = fluid(program, cutoff=3.3).run(np.array([[0.722, 0.95], [0.722, 0.8442]]), (1, 2))
    assert list(runs.status) == ["outside", "ok"] and "take n_atoms=500" in runs.reason[0]
    assert fluid(program).run(np.array([[-1.0, 0.8]]), (1,)).status[0] == "outside"


def test_a_state_that_failed_says_why_when_it_is_asked(program: Resources) -> None:
    state = fluid(program, cutoff=3.3).at(0.722, 0.95)
    assert isinstance(state, FluidState) and state.status == "outside" and "outside" in str(state)
    with pytest.raises(InputError, match="There is no viscosity at this state"):
        state["viscosity"]
    with pytest.raises(InputError, match="'viscosty' was not asked for; did you mean 'viscosity'"):
        fluid(program).at(0.722, 0.8442)["viscosty"]


@pytest.mark.parametrize(
    ("temperature", "vapour", "liquid"),
    # M. Thol et al., J. Phys. Chem. Ref. Data 45 (2016) 023101, solved for equal pressure and chemical potential.
    [
        (1.27, 0.15105924, 0.48861868),
        (1.03, 0.03572854, 0.68510917),
        (0.85, 0.00961039, 0.77633166),
        (0.73, 0.00288131, 0.82975721),
    ],
)
def test_vapour_and_liquid_in_equilibrium_are_those_of_the_equation_of_state(
    temperature: float, vapour: float, liquid: float
) -> None:
    assert coexistence(temperature) == pytest.approx((vapour, liquid), abs=0.004)
    assert coexistence(1.35) is None


def test_a_state_of_two_phases_is_outside_and_says_between_which_densities(program: Resources) -> None:
    runs = fluid(program, "pressure").run(np.array([[0.75, 0.6], [1.0, 0.3], [1.4, 0.3]]), (1, 2, 3))
    assert list(runs.status) == ["outside", "outside", "ok"], runs.reason
    assert "between the densities 0.00315 and 0.822" in runs.reason[0] and "two phases" in runs.reason[0]
    state = fluid(program, **ARGON).at("94.4 K", "0.9 g/cm^3")
    assert state.status == "outside" and "kg/m^3 this temperature has two phases" in state.reason


def test_a_property_that_cannot_be_had_says_why_once_and_without_names_of_classes(tmp_path: Path) -> None:
    from scalebridge.simulators.lammps import FromFolder
    from scalebridge.simulators.lammps.fluid_reading import FluidFiles
    from scalebridge.simulators.lammps.sources import Finished, NotFoundInRun

    (tmp_path / "state.txt").write_text("0.722 1.1\n", encoding="utf-8")
    (tmp_path / "displacement.txt").write_text("0.02 0.02\n" * 16, encoding="utf-8")
    with pytest.raises(NotFoundInRun) as told:
        FromFolder(FluidFiles("viscosity", 256, 2.5, 0.006, 1000)).read(Finished(tmp_path), "viscosity")
    assert str(told.value) == "the atoms stay where they are, so this is a solid; give a lower density"


def test_atoms_that_do_not_move_are_no_fluid(program: Resources, tmp_path: Path) -> None:
    from scalebridge.simulators.lammps.fluid_reading import FluidFiles, NotAFluid

    (tmp_path / "state.txt").write_text("0.722 1.1\n", encoding="utf-8")
    (tmp_path / "displacement.txt").write_text("0.02 0.02\n" * 16, encoding="utf-8")
    with pytest.raises(NotAFluid, match="a solid"):
        FluidFiles("viscosity", 256, 2.5, 0.006, 1000)(tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"properties": "viscocity"}, "'viscocity'; did you mean 'viscosity'"),
        ({"properties": ()}, "asked for nothing"),
        ({"n_atoms": 300}, "take 256 or 500"),
        ({"n_steps": 1000}, "take at least 42667"),
        ({"timestep": 0.0}, "timestep = 0.0; give more than 0"),
        ({"n_blocks": 2}, "at least 4 tell an error"),
        ({"epsilon": "119.8 K"}, "has no sigma and no mass"),
        ({**ARGON, "mass": "-3 g/mol"}, "mass = -3 g/mol; give a positive"),
        ({**ARGON, "sigma": "3.4 K"}, "does not convert to 'm'"),
        ({"how": "in parallel"}, "how='in parallel'"),
        ({"keep": "fail"}, "'lennard_jones_fluid' was given keep='fail'"),
        ({"timeout": "1 km"}, "'lennard_jones_fluid': timeout"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        LennardJonesFluid(**options)


def test_a_macro_problem_is_solved_with_a_noisy_fluid_under_it(program: Resources) -> None:
    """Viscosity of the fluid as the law of a macro problem whose answer is known: the mean over a range of states."""
    from scalebridge import MacroSolution, solve

    class MeanViscosity:
        """Mean viscosity over states along a line of densities."""

        states = np.column_stack([np.full(9, 1.5), np.linspace(0.6, 0.8, 9)])
        closure_inputs = LennardJonesFluid(temperatures=(1.4, 1.6), densities=(0.6, 0.8)).inputs
        closure_outputs = LennardJonesFluid().outputs
        start_states = states[::4]

        def solve(self, closure: Any, start: Any = None) -> MacroSolution:
            found = closure(self.states)
            weights = np.full((9, 1), 1 / 9)
            return MacroSolution({"mean": float(found.values.mean())}, self.states, lambda qoi: weights)

    micro = fluid(program, temperatures=(1.4, 1.6), densities=(0.6, 0.8), how="process", n_blocks=16)
    answer = solve(MeanViscosity(), micro, qoi="mean", rtol=0.1, budget=40, seed=1)
    truth = float(np.mean(np.exp(3 * MeanViscosity.states[:, 1]) / 15))
    assert answer.interval[0] < truth < answer.interval[1], (answer.interval, truth, answer.reason)
    assert answer.converged, answer.reason
    assert 0 < answer.half_width <= 0.1 * answer.value
