"""States without outputs: which are alike, which are new, and surrogates that are trusted where states are known."""

from scalebridge.learn.states.clusters import Clustering, Clusters
from scalebridge.learn.states.novelty import Novelty, NoveltyDomain
from scalebridge.learn.states.within import Within

__all__ = ["Clustering", "Clusters", "Novelty", "NoveltyDomain", "Within"]
