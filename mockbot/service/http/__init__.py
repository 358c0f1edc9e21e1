"""Everything of the service that depends on uvicorn, its private names included; nothing else of it imports uvicorn.

tests/service/http/test_uvicorn_contract.py lists each private name, and fails with a sentence when a release moves it.
"""
