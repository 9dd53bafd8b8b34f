"""Running plans as PyTorch. This folder alone, and `snnlearn.torch`, import it."""
