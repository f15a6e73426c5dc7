"""Networks: modules of torch and the one loop that trains them; no surrogate, no image reader.

Names are imported on first use (PEP 562), so that ``import scalebridge`` brings no torch.

A network of another kind is one file here, a module of torch that knows nothing of surrogates; what makes a surrogate
of it is one file in `scalebridge.learn.networks`, which says how it is built and leaves training, folds, spread and
posterior to what stands there.

::

    net = sb.networks.MLP(8, 1, widths=(64, 64))  # [b, 8] to [members, b, 1]
    trained = sb.networks.train(net, loss, (x, y), epochs=200, seed=0, validation=(x_held, y_held), patience=30)
    trained.best, trained.training, trained.validation
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalebridge.lazy import attach

if TYPE_CHECKING:
    from scalebridge.networks.branched import Branched
    from scalebridge.networks.convolutional import ImageToField, ImageToNumbers
    from scalebridge.networks.encoder import PatchEncoder
    from scalebridge.networks.layers import LinearMembers, Members, Reordered
    from scalebridge.networks.mlp import MLP
    from scalebridge.networks.random_state import own_random_state
    from scalebridge.networks.resnet import ResNet, as_imagenet, read_resnet
    from scalebridge.networks.self_supervised import train_without_labels, vicreg, view
    from scalebridge.networks.training import Epoch, Trained, train
    from scalebridge.networks.unet import UNet
    from scalebridge.networks.weights import put_weights, read_weights

_HOME = {
    "Branched": "branched",
    "Epoch": "training",
    "ImageToField": "convolutional",
    "ImageToNumbers": "convolutional",
    "LinearMembers": "layers",
    "MLP": "mlp",
    "Members": "layers",
    "PatchEncoder": "encoder",
    "Reordered": "layers",
    "ResNet": "resnet",
    "Trained": "training",
    "UNet": "unet",
    "as_imagenet": "resnet",
    "own_random_state": "random_state",
    "put_weights": "weights",
    "read_resnet": "resnet",
    "read_weights": "weights",
    "train": "training",
    "train_without_labels": "self_supervised",
    "vicreg": "self_supervised",
    "view": "self_supervised",
}

__all__ = [
    "MLP",
    "Branched",
    "Epoch",
    "ImageToField",
    "ImageToNumbers",
    "LinearMembers",
    "Members",
    "PatchEncoder",
    "Reordered",
    "ResNet",
    "Trained",
    "UNet",
    "as_imagenet",
    "own_random_state",
    "put_weights",
    "read_resnet",
    "read_weights",
    "train",
    "train_without_labels",
    "vicreg",
    "view",
]

__getattr__, __dir__ = attach(__name__, _HOME)
