"""Figures for the head nurse: how soon people acted, how much they did, and how patients do. With n, and of nobody."""
