"""Claims about the training rules as runnable studies."""
