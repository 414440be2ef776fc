"""`python -m sayso`: the command `sayso`, where the script is not on the path."""

from sayso.server.cli import main

if __name__ == "__main__":
    main()
