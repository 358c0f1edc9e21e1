"""HOW IT IS TOLD: a judged run in, a terminal table, JUnit and pages out; computes nothing."""
