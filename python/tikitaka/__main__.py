"""`python -m tikitaka`."""

from tikitaka.cli import main

if __name__ == "__main__":
    main()
