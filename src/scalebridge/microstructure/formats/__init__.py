"""Files of volumes: one module per format, each a ``load`` that gives a `Loaded` or refuses in one sentence."""
