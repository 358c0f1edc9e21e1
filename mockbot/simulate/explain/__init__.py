"""THE QUESTIONS OF THE NEWS STORY, ANSWERED: theory, simulation and the live run side by side."""
