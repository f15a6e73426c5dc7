"""Surrogates around neural networks: ensembles whose spread is fitted on rows that members had not seen."""
