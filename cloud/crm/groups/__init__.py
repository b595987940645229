"""Groups of patients, lectures and activities: who is asked, who comes, who was there, and how it was."""
