"""Run the benchmarks named, or all (`python -m bench [NAME...]`). Each prints as it measures."""

import importlib
import sys

#: In the order in which they run.
NAMES = ("encoder", "sqlite", "elasticsearch", "filters", "serving", "formats", "fleet")


def main(names: list[str]) -> int:
    unknown = set(names) - set(NAMES)
    if unknown:
        print(f"No such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    for name in names or NAMES:
        print(f"== {name}", flush=True)
        for line in importlib.import_module(f"bench.{name}").run():
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
