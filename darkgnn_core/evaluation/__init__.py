"""How good an embedding is: protocols that predict labels, scores, health, comparisons."""
