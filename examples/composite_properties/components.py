"""From a ply to a component: a cross-ply panel under pressure or compression, and a strip bent on three points."""

from collections.abc import Mapping

from scalebridge.macro.laminate import Beam, Laminate, Ply, Strength, SupportedPlate, ply_model

STACKING = "[0/90]2s"
PLY_THICKNESS = "0.25 mm"
PRESSURE = 5.0e3
FORCE = 100.0
# E-glass/MY750/HY917/DY063 of the failure exercise (Soden, Hinton and Kaddour, Compos. Sci. Technol. 58 (1998) 1011):
# another material of the kind, for the slice has no strengths.
STRENGTH = Strength("1280 MPa", "800 MPa", "40 MPa", "145 MPa", "73 MPa")


def panel(ply: Ply) -> SupportedPlate:
    """A panel of 300 x 200 mm on four simple supports."""
    return SupportedPlate(Laminate.of(ply, STACKING, PLY_THICKNESS), "300 mm", "200 mm", terms=15)


def strip(ply: Ply) -> Beam:
    """A strip of 80 x 15 mm in three-point bending."""
    return Beam(Laminate.of(ply, STACKING, PLY_THICKNESS), "80 mm", "15 mm")


def behaviour(ply: Ply) -> Mapping[str, float]:
    """What the components do."""
    plate = panel(ply)
    return {
        "deflection": plate.deflection(PRESSURE),
        "buckling": plate.buckling().load,
        "first_crack": PRESSURE * plate.first_ply_failure(PRESSURE).reserve,
        "strip": strip(ply).deflection(FORCE),
    }


OUTPUTS = {"deflection": "m", "buckling": "N/m", "first_crack": "Pa", "strip": "m"}
COMPONENTS = ply_model(behaviour, OUTPUTS, like=Ply(1e9, 1e9, 0.3, 1e9, strength=STRENGTH))
