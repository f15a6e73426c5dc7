"""Discretisations of an RVE, one file each."""
