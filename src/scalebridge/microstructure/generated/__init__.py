"""Generated microstructures: packings, grains, Gaussian fields, spinodals, weaves; matched to measured statistics."""
