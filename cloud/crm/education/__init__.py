"""Education: articles that a clinician approved, given to patients and read by them; general questions and answers."""
