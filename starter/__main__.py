"""``python -m starter`` is the same as ``caravan``."""

from starter.main import main

if __name__ == "__main__":
    main()
