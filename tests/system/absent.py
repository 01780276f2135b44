"""Tests that need what a machine may lack are left out with a word, not counted as skipped or failed.

    @pytest.mark.needs("root", "nft")
"""
import os
import shutil


def have(need):
    return os.geteuid() == 0 if need == "root" else shutil.which(need) is not None


def leave_out(config, items):
    """For pytest_collection_modifyitems."""
    kept = []
    for item in items:
        lacking = [need for mark in item.iter_markers("needs") for need in mark.args if not have(need)]
        if lacking:
            print(f"\nnot run, for want of {' and '.join(lacking)}: {item.nodeid}")
            config.hook.pytest_deselected(items=[item])
        else:
            kept.append(item)
    items[:] = kept
