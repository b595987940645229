"""Follow-ups: what is to be done for a patient on which day, by a plan, a discharge summary or by hand."""
