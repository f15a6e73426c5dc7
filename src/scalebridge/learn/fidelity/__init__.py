"""Levels of fidelity joined: each a multiple of the level below and what it adds, averaged over what is not known."""
