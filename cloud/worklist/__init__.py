"""The nurse's worklist: open cases of her patients, and taking one on."""
