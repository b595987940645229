"""Why nothing comes from a patient's devices, judged for one patient when somebody looks."""
