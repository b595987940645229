"""Documents from templates, as PDF in three languages."""
