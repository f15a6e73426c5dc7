"""Gaps, outliers, duplicates, noise and censoring: found, told, and treated in steps that can be undone."""
