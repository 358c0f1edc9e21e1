"""`python -m mockbot.interception`: the interceptor as a program of its own."""

from mockbot.interception.interceptor import main

if __name__ == "__main__":
    main()
