"""Runs named checks, one after another, and ends the process."""

import sys
import traceback


def run_checks(checks, only=""):
    """Those with `only` in their name; prints each, then `N passed, N failed`, which the exit code says too."""
    passed = failed = 0
    for name, check in checks.items():
        if only not in name:
            continue
        try:
            check()
            passed += 1
            print("ok   ", name, flush=True)
        except Exception:
            failed += 1
            print("FAIL ", name, flush=True)
            traceback.print_exc(limit=4, file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    sys.exit(0 if failed == 0 else 1)
