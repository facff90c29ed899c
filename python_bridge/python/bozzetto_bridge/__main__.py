"""`python -m bozzetto_bridge ENGINE` is a worker; with `--probe` it says what this environment can run."""

import argparse
import json
import sys

from bozzetto_bridge import worker
from bozzetto_bridge.adapters import ADAPTERS, create
from bozzetto_bridge.probe import probe


def main() -> None:
    """Serve an engine, or print a report."""
    parser = argparse.ArgumentParser(prog="bozzetto_bridge", description=__doc__)
    parser.add_argument("engine", nargs="?", choices=sorted(ADAPTERS), help="engine to serve")
    parser.add_argument("--source", action="append", default=[], metavar="DIR", help="folder of a pipeline's own code")
    parser.add_argument("--weights", metavar="PATH_OR_REPOSITORY", help="where the engine's weights are")
    parser.add_argument("--probe", action="store_true", help="print what this environment has and can run, as JSON")
    arguments = parser.parse_args()
    sys.path[:0] = arguments.source
    if arguments.probe:
        print(json.dumps(probe(arguments.source), indent=2))
    elif arguments.engine is None:
        parser.error("name an engine, or ask for --probe")
    else:
        # From here on nothing that is printed can reach the protocol.
        streams = worker.guard_streams()
        worker.serve(streams, create(arguments.engine, arguments.weights))


if __name__ == "__main__":
    main()
