"""FAULTS OVER REAL ANSWERS: a real provider's answers, as they come, recorded, and replayed."""
