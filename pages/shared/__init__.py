"""What several pages or the entry share."""
