"""`make bench`: how fast, with every part real, and each figure beside its limit, both measured in the same run."""
