"""`python -m mockbot.proxy`: the embedded proxy as a program of its own."""

import sys

from mockbot.proxy.proxy_server import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
