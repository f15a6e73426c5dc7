"""Segmentation learned from masks or strokes: a forest on local features, a small U-Net, ordered layers."""
