"""How good embeddings are: protocols and scores."""
