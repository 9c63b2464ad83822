"""The paper's tables and figures, with ours beside them: one command runs, scores and writes."""
