"""The run loop, its store and where it runs."""

from scalebridge.campaign.campaign import Campaign, RunRecord
from scalebridge.campaign.store import Store

__all__ = ["Campaign", "RunRecord", "Store"]
