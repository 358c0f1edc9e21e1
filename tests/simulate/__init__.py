"""Simulated runs against theory, against each other and against live ones.

The acceptance targets of the design's research (metastability, section 7), and the tests that hold them:

     1, 2, 3, 4, 5  tests/service/test_theory.py
     6              test_returns.py  test_users_who_share_slots_answer_to_the_machine_repair_model
     7              tests/clients/test_amplification.py
     8              tests/clients/test_aws_jitter.py
     9              tests/clients/test_waits.py, test_presets.py, test_real_sdks.py
    10-15           test_laws.py
    16              test_policies.py
    17-21, 26       test_returns.py
    22              tests/e2e/test_twin.py
    23              test_equivalence.py (two engines, fault by fault and policy by policy)
    24              tests/benchmarks/test_simulate.py; the same bytes: test_reference.py, test_equivalence.py
    25              tests/load/test_omission.py
    27              tests/evidence/test_recovery.py, test_guards.py, test_measures.py
    28              test_explain.py

Where a test's docstring differs from its target, it says why.
"""
