"""The run loop, its store, where it runs, and designs of experiments."""

from scalebridge.campaign import designs
from scalebridge.campaign.campaign import Campaign, RunRecord
from scalebridge.campaign.executors import InProcessExecutor, LocalProcessExecutor, WorkerDied
from scalebridge.campaign.ledger import Attempt
from scalebridge.campaign.solving import SpotCheck
from scalebridge.campaign.store import Store

__all__ = [
    "Attempt",
    "Campaign",
    "InProcessExecutor",
    "LocalProcessExecutor",
    "RunRecord",
    "SpotCheck",
    "Store",
    "WorkerDied",
    "designs",
]
