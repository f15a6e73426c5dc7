"""Properties of specimens from their images and a table."""

from scalebridge.studies.properties.outcome import PropertyFit
from scalebridge.studies.properties.predicting import Predictions, predict_properties
from scalebridge.studies.properties.run import fit_properties

__all__ = ["Predictions", "PropertyFit", "fit_properties", "predict_properties"]
