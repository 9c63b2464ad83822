"""The loops over days: snapshots in, checkpoints and embeddings out."""
