"""Billing evidence: which codes a month supports, how far from the next, and on which readings and minutes that rests.

It bills nothing. Rules are dated data (``rulebooks``), their evaluation is pure (``evaluation``).
"""
