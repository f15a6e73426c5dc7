"""Features of images by networks: one trained on the user's own images, or a ResNet from a file of weights."""
