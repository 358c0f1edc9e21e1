"""Everything that depends on uvicorn, its private names included: servers for the service, the proxy and serve.

Nothing else of mockbot imports uvicorn, and this package imports only `errors`. tests/http_server/
test_uvicorn_contract.py lists each private name, and fails with a sentence when a release moves it.
"""
